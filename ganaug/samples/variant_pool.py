"""Variants of the images of a data set, rendered once to a memory map: k rows an item, item after item."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganaug.data.load import LabelledImages
from ganaug.defaults import usual_defaults
from ganaug.files.imagemap import ImageMap
from ganaug.keys import own_seed
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import BLOCK
from ganaug.samples.pool import pool_folder
from ganaug.samples.run import Loadable
from ganaug.samples.variants import Variants

FORMAT = 1


class VariantPool(ImageMap):
    """Rows i * each to (i + 1) * each are the variants of item i; rendered in the main process, read by any.

    row_labels: int64 (N * each,), the class of each row as the images number it.
    """

    def __init__(self, folder: Path, identity: dict, each: int, row_labels: np.ndarray):
        super().__init__(folder, identity, (len(row_labels), *identity["shape"]))
        self.each, self.row_labels = each, row_labels

    def __len__(self) -> int:
        return len(self.row_labels)

    @classmethod
    @usual_defaults()
    def open(
        cls,
        run: Loadable,
        images: LabelledImages,
        *,
        k: int = 4,
        seed: int = 0,
        folder: str | Path | None = None,
        device: str | torch.device = "cpu",
        report: Report = silent,
    ) -> VariantPool:
        """The variants of these images: rendered if they are not on disk yet, else checked and reused.

        k: variants of each image; where a translation to another class is a single image, one. folder: as in
        `Pool.open`. Raises what `Variants` does, and DiskFullError.
        """
        seed = own_seed(seed)
        variants = Variants(run, images, seed, device=device)
        each = k if variants.several else 1
        identity = {
            "format": FORMAT,
            "kind": "variants",
            "block": BLOCK,
            "generator": variants.fitted.hash,
            "items": variants.start,
            "count": len(images),
            "each": each,
            "shape": list(variants.fitted.card.shape),
            "seed": seed,
        }
        if torch.device(device).type != "cpu":
            identity["device"] = torch.device(device).type  # its images differ in their last bits
        labels = np.array([variants.label(label) for label in images.labels.tolist()], dtype=np.int64)
        pool = cls(pool_folder(run, folder).absolute(), identity, each, np.repeat(labels, each))
        rows, numbers = np.divmod(np.arange(len(pool)), each)
        pool.provide(lambda: ((block, "variants") for block in variants.stream(rows, numbers)), report)
        return pool
