"""Folders of images that somebody else made: real digits that nobody has seen, at sizes and in modes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ganaug.data.load import LabelledImages


def write(
    root: Path, images: LabelledImages, sizes: Sequence[tuple[int, int]] = ((24, 20),), modes: Sequence[str] = ("L",)
) -> Path:
    """ROOT/CLASS/ROW.png; sizes (width, height) and modes take turns."""
    for row, (pixels, label) in enumerate(zip(images.pixels.numpy(), images.labels.tolist(), strict=True)):
        folder = root / images.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(pixels[0]).resize(sizes[row % len(sizes)]).convert(modes[row % len(modes)])
        image.save(folder / f"{row}.png")
    return root
