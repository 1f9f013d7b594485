"""Generators that start from an image: fill an erased part, turn one class into another, and serve both in training.

Images come from the digits that scikit-learn ships, so few steps only show how it is used.
"""

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2
from torchvision.utils import save_image

import ganaug

out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 300

bundle = load_digits()
x, y = (bundle.images / 16 * 255).astype("uint8"), bundle.target
x, y = x[(y == 3) | (y == 8)], y[(y == 3) | (y == 8)]
train = TensorDataset(torch.from_numpy(x[:, None]), torch.from_numpy((y == 8).astype("int64")))  # 0: threes, 1: eights

# One run fills holes; the other knows the way from each of two classes to the other, without a single pair.
holes = ganaug.fit(train, out / "holes", recipe="context_encoder", steps=steps, resume=True)
other = ganaug.fit(train, out / "other", recipe="cyclegan", steps=steps, resume=True)

# In the main process: after the loader, before MixUp and CutMix.
images, labels = train[:16]
filled, same = ganaug.Inpaint(holes, p=1.0)(images, labels)
translated, changed = ganaug.Translate(other, p=1.0)(images, labels)
print("filled:    ", tuple(filled.shape), "labels kept:", bool((same == labels).all()))
print("translated:", tuple(translated.shape), "labels changed:", bool((changed != labels).all()))
rows = torch.cat([images, filled, translated]).float() / 255
save_image(interpolate(rows, scale_factor=5), out / "images_from_images.png", nrow=16)
print("look at", out / "images_from_images.png")  # as they are, filled, translated

# In loader workers, which never run a network: variants are made beforehand and read from a file. These items are
# tensors, so the way from an image to a tensor must be told.
mixed = ganaug.variants(train, holes, k=2, transform=v2.PILToTensor())
loader = DataLoader(mixed, batch_size=16, num_workers=2)
shown, _ = next(iter(loader))
print("a batch of a loader:", tuple(shown.shape), shown.dtype)
