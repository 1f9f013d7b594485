"""Your own training with timm: a pretrained network is fine-tuned, with timm's transforms and optimiser.

ganaug bench data/train --test data/test --run runs/leaves --out runs/own --train with_timm.py:train
"""

from functools import partial

import timm
import torch
from timm.data import create_transform, resolve_model_data_config
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch.utils.data import DataLoader

NETWORK, PRETRAINED, EPOCHS = "resnet18", True, 10  # False needs no network connection, and many more epochs


def batch(transform, items):
    """(PIL image, int) of any size and mode -> float (N, 3, H, W), int64 (N,)."""
    return torch.stack([transform(image.convert("RGB")) for image, _ in items]), torch.tensor([y for _, y in items])


def train(dataset, *, validation, seed, device):
    """Items are (PIL image, int), with .classes and .targets; synthetic images are in `dataset` already."""
    model = timm.create_model(NETWORK, pretrained=PRETRAINED, num_classes=len(dataset.classes)).to(device)
    config = resolve_model_data_config(model)
    learn = create_transform(**config, is_training=True, scale=(0.5, 1.0), auto_augment="rand-m5-mstd0.5")
    see = create_transform(**config)
    optimizer = create_optimizer_v2(model, opt="adamw", lr=5e-4, weight_decay=0.05)
    scheduler = CosineLRScheduler(optimizer, t_initial=EPOCHS, warmup_t=1, warmup_lr_init=1e-5)
    for epoch in range(EPOCHS):
        model.train()
        scheduler.step(epoch)
        for x, y in DataLoader(dataset, 32, shuffle=True, collate_fn=partial(batch, learn)):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x.to(device)), y.to(device), label_smoothing=0.1).backward()
            optimizer.step()

    @torch.inference_mode()
    def predict(data):
        """Probabilities (N, K), in the order of the data."""
        model.eval()
        return torch.cat(
            [model(x.to(device)).softmax(1) for x, _ in DataLoader(data, 64, collate_fn=partial(batch, see))]
        )

    return predict
