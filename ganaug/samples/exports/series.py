"""Synthetic series as x_train float32 in the shape of the real ones, y_train int64 and classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganaug.samples.exports.formats import Wanted, export_format


@export_format("an .npz file with x_train, y_train and classes", "series", ".npz")
def npz(wanted: Wanted, out: Path) -> None:
    classes, labels, values = wanted.fitted.card.classes, [], []
    for name, _, items in wanted:
        labels.append(np.full(len(items), classes.index(name)))
        values.append(wanted.codec.decode(torch.from_numpy(items)))
    with out.open("wb") as file:
        np.savez_compressed(
            file, x_train=np.concatenate(values), y_train=np.concatenate(labels), classes=np.array(classes)
        )
