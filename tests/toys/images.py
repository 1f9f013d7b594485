"""Pictures of noise."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

leaves_files_open = pytest.mark.filterwarnings(  # other people's data sets do so
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def picture(seed: int, size: tuple[int, int] = (12, 12), mode: str = "RGB") -> Image.Image:
    """A random picture; size is (height, width)."""
    shape = (*size, 3) if mode == "RGB" else size
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def noise_folder(root: Path, sizes: dict[str, int], size: tuple[int, int] = (12, 12)) -> Path:
    """ROOT/CLASS/0.png ... of so many random pictures, all different."""
    seed = 0
    for name, n in sizes.items():
        (root / name).mkdir(parents=True)
        for i in range(n):
            picture(seed := seed + 1, size).save(root / name / f"{i}.png")
    return root


def tiff(pixels: np.ndarray, extra: int | None = None) -> bytes:
    """A plain TIFF of (H, W) or (H, W, bands) of uint8, uint16 or int16. extra: what it says of its last band: 0
    nothing, 2 alpha; None leaves that out."""
    height, width, bands = np.atleast_3d(pixels).shape
    bits, kinds = 8 * pixels.dtype.itemsize, {"u": 1, "i": 2}
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    tags = {
        256: width, 257: height, 259: 1, 262: 1 if bands < 3 else 2, 277: bands, 278: height, 279: len(data),
        339: kinds[pixels.dtype.kind],
    }  # fmt: skip
    if extra is not None:
        tags[338] = extra
    count = len(tags) + 2
    after = 8 + 2 + 12 * count + 4  # bits of each band, then the data
    tags |= {258: after if bands > 2 else bits, 273: after + 2 * bands}
    out = struct.pack("<2sHIH", b"II", 42, 8, count)
    for tag in sorted(tags):
        n = bands if tag == 258 and bands > 2 else 1
        out += struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, n, tags[tag])
    return out + struct.pack("<I", 0) + struct.pack("<H", bits) * bands + data


def write_classes(root: Path, make: Callable[[int, int], np.ndarray], suffix: str = ".png", n: int = 4) -> Path:
    """ROOT/dark and ROOT/light with n files each, of what `make(class, number)` gives."""
    for c, name in enumerate(("dark", "light")):
        (root / name).mkdir(parents=True)
        for i in range(n):
            values, file = make(c, i), root / name / f"{i}{suffix}"
            if suffix == ".npy":
                np.save(file, values)
            elif suffix == ".tif" and values.dtype.kind != "f":
                file.write_bytes(tiff(values))
            else:
                Image.fromarray(values).save(file)
    return root
