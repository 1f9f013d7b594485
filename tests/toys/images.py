"""Pictures of noise."""

from __future__ import annotations

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
