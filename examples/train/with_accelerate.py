"""Your own training with Accelerate: the loop stays yours, and runs in mixed precision where there is a GPU.

ganaug bench data/train --test data/test --run runs/leaves --out runs/own --train with_accelerate.py:train
"""

from functools import partial

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader
from torchvision.transforms import v2

SIDE, EPOCHS = 32, 30
SEE = v2.Compose([v2.RGB(), v2.Resize((SIDE, SIDE)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
LEARN = v2.Compose([SEE, v2.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1))])


def batch(transform, items):
    """(PIL image, int) of any size and mode -> float (N, 3, SIDE, SIDE), int64 (N,)."""
    return torch.stack([transform(image) for image, _ in items]), torch.tensor([label for _, label in items])


def network(classes):
    """A small one; timm.create_model("resnet18", pretrained=True, num_classes=classes) knows more."""
    blocks = [
        nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2))
        for a, b in ((3, 32), (32, 64), (64, 128))
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))


def train(dataset, *, validation, seed, device):
    """Items are (PIL image, int), with .classes and .targets; synthetic images are in `dataset` already."""
    accelerator = Accelerator(cpu=device.type == "cpu", mixed_precision="no" if device.type == "cpu" else "bf16")
    model = network(len(dataset.classes))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    loader = DataLoader(dataset, 32, shuffle=True, collate_fn=partial(batch, LEARN))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=EPOCHS * len(loader))
    model, optimizer, loader, schedule = accelerator.prepare(model, optimizer, loader, schedule)
    for _ in range(EPOCHS):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            accelerator.backward(nn.functional.cross_entropy(model(x), y))
            optimizer.step()
            schedule.step()

    @torch.inference_mode()
    def predict(data):
        """Probabilities (N, K), in the order of the data."""
        model.eval()
        asked = accelerator.prepare_data_loader(DataLoader(data, 64, collate_fn=partial(batch, SEE)))
        return torch.cat([model(x).float().softmax(1) for x, _ in asked])

    return predict
