"""Synthetic images as transforms: in a torchvision v2 batch pipeline, and in an albumentations Compose.

Run 01_fit_and_look.py first (or this runs it).
"""

import os
import runpy
import sys
from pathlib import Path

import torch
from torchvision.transforms import v2

import ganaug

runpy.run_path(str(Path(__file__).with_name("01_fit_and_look.py")))
run = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples") / "digits"

names = [str(digit) for digit in range(10)]  # of the labels 0, 1, ...: classes are matched by name

# After the DataLoader, before MixUp and CutMix (which turn labels into mixtures).
mixtures = v2.RandomChoice([v2.MixUp(num_classes=10), v2.CutMix(num_classes=10)])
batch = v2.Compose([ganaug.SynthMix(run, ratio=0.25, classes=names), mixtures])
images, labels = torch.rand(32, 1, 8, 8), torch.arange(32) % 10
mixed, targets = batch(images, labels)
print("batch:", tuple(mixed.shape), "targets:", tuple(targets.shape))

# In an albumentations pipeline: the label says which class to draw.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # albumentations asks the network for its version otherwise
import albumentations as A  # noqa: E402

pipeline = A.Compose([ganaug.albumentations.SynthSample(str(run), p=0.5, classes=names), A.HorizontalFlip(p=0)])
image = (images[0, 0].numpy() * 255).astype("uint8")
print("albumentations:", pipeline(image=image, label=int(labels[0]))["image"].shape)
