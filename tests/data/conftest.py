import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (12, 12), mode: str = "RGB") -> Image.Image:
    """A random picture; size is (height, width)."""
    shape = (*size, 3) if mode == "RGB" else size
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


@pytest.fixture
def tree(tmp_path):
    """Three classes of four 12 x 12 PNG files."""
    for c, name in enumerate(("ant", "bee", "cat")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(4):
            picture(10 * c + i).save(tmp_path / "data" / name / f"{i}.png")
    return tmp_path / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = Path(os.environ.get("GANAUG_DATA", ""))
    if not os.environ.get("GANAUG_DATA") or not folder.is_dir():
        pytest.skip("GANAUG_DATA does not name the folder of real data sets")
    return folder
