"""Your own training with Lightning: a module, and a Trainer that stops early.

ganaug bench data/train --test data/test --run runs/leaves --out runs/own --train with_lightning.py:train
"""

from functools import partial

import lightning as L
import torch
from lightning.pytorch.callbacks import EarlyStopping
from torch import nn
from torch.utils.data import DataLoader
from torchvision.transforms import v2

SIDE, EPOCHS = 32, 30
TO_TENSOR = v2.Compose([v2.RGB(), v2.Resize((SIDE, SIDE)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])


def batch(items):
    """(PIL image, int) of any size and mode -> float (N, 3, SIDE, SIDE), int64 (N,)."""
    return torch.stack([TO_TENSOR(image) for image, _ in items]), torch.tensor([label for _, label in items])


class Classifier(L.LightningModule):
    def __init__(self, classes):
        super().__init__()
        blocks = [
            nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2))
            for a, b in ((3, 32), (32, 64), (64, 128))
        ]
        self.network = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))

    def training_step(self, seen, index):
        return nn.functional.cross_entropy(self.network(seen[0]), seen[1])

    def validation_step(self, seen, index):
        self.log("loss", nn.functional.cross_entropy(self.network(seen[0]), seen[1]), batch_size=len(seen[1]))

    def predict_step(self, seen, index):
        return self.network(seen[0]).softmax(1)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=2e-3, weight_decay=0.05)


def train(dataset, *, validation, seed, device):
    """Items are (PIL image, int), with .classes and .targets; synthetic images are in `dataset` already."""
    trainer = L.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu", devices=1, max_epochs=EPOCHS, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=[EarlyStopping("loss", patience=10)],
    )  # fmt: skip
    model, loader = Classifier(len(dataset.classes)), partial(DataLoader, batch_size=32, collate_fn=batch)
    trainer.fit(model, loader(dataset, shuffle=True), loader(validation))
    return lambda data: torch.cat(
        trainer.predict(model, loader(data))
    )  # probabilities (N, K), in the order of the data
