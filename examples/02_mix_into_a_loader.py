"""Synthetic images in the DataLoader that you have: one line.

Run 01_fit_and_look.py first (or this runs it).
"""

import runpy
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

import ganaug

runpy.run_path(str(Path(__file__).with_name("01_fit_and_look.py")))
run = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples") / "digits"


class Digits(Dataset):
    """The way most image data sets look: PIL images through a settable transform."""

    def __init__(self, transform=None):
        bunch = load_digits()
        self.images = (bunch.images * (255 / 16)).round().astype("uint8")
        self.targets = bunch.target.tolist()
        self.classes = [str(name) for name in range(10)]
        self.transform = transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        image = v2.functional.to_pil_image(self.images[index])
        return (self.transform(image) if self.transform else image), self.targets[index]


train_set = Digits(v2.Compose([v2.RandomCrop(8, padding=1), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]))
loader = DataLoader(train_set, batch_size=64, shuffle=True)
loader = ganaug.augment_loader(loader, run, ratio=0.25)  # a quarter of each epoch is synthetic; the length stays

print(loader.dataset)
for epoch in range(2):
    batches = list(loader)
    print(f"epoch {epoch}: {len(batches)} batches, first labels {batches[0][1][:8].tolist()}")
