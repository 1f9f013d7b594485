"""Your own training in plain PyTorch: the epoch is kept that knows most validation images.

ganaug bench data/train --test data/test --run runs/leaves --out runs/own --train plain_torch.py:train
"""

import copy
from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.transforms import v2

SIDE, EPOCHS = 32, 30
SEE = v2.Compose([v2.RGB(), v2.Resize((SIDE, SIDE)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
LEARN = v2.Compose([SEE, v2.RandomCrop(SIDE, padding=SIDE // 8)])


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
    """Items are (PIL image, int), with .classes and .targets; synthetic images are in `dataset` already. The global
    random streams are seeded; `seed` is for what takes one."""
    model = network(len(dataset.classes)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)

    def predict(data):
        """Probabilities (N, K), in the order of the data. Its labels are hidden: all are 0."""
        model.eval()
        with torch.inference_mode():
            loader = DataLoader(data, 64, collate_fn=partial(batch, SEE))
            return torch.cat([model(x.to(device)).softmax(1) for x, _ in loader])

    best, kept = -1.0, None
    for _ in range(EPOCHS):
        model.train()
        for x, y in DataLoader(dataset, 32, shuffle=True, collate_fn=partial(batch, LEARN)):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x.to(device)), y.to(device)).backward()
            optimizer.step()
        right = (predict(validation).argmax(1).cpu() == torch.tensor(validation.targets)).float().mean().item()
        if right >= best:
            best, kept = right, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return predict
