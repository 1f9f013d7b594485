"""A data set of synthetic images alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ganaug.data.labels.classes import check_names, place_of
from ganaug.data.pictures.depth import in_words
from ganaug.errors import LabelMismatchError, OptionError
from ganaug.mixing.native import Native
from ganaug.mixing.vectorise import Presenter
from ganaug.reporting import Report, silent
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.plan import Plan, per_class, require_counts
from ganaug.samples.pool import Pool
from ganaug.samples.run import Loadable, as_fitted
from ganaug.samples.verdict import refuse_harmful, warn_of_withheld


class SyntheticDataset(Dataset):
    """A data set of synthetic images alone, class after class.

    Items are (image, int): a PIL image of 8 bits with the mode and size of the images that the generator was fitted on
    (0 and 255 stand for the ends of a range that was declared), then the transform, if any. Images are rendered once
    and kept on disk; memory does not grow with their number.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run folder or a generator folder.
    per_class : int, optional
        Images of each class. Give it or `plan`.
    plan : dict of str to int, optional
        Class name -> number of images.
    seed : int, default 0
        Of the images.
    transform, target_transform : callable, optional
        As torchvision has them; both can be set later.
    classes : sequence of str, optional
        The classes to make, in the order of their labels; by default those of the generator.
    device : str or torch.device, default "cpu"
        Where the images are rendered.
    force : bool, default False
        Serve images of a run whose verdict is "harms".
    report : callable, optional
        Called as `report(phase, done, total, text)` while images are rendered.

    Attributes
    ----------
    classes : list of str
        The names of the classes.

    Raises
    ------
    LabelMismatchError
        The generator does not know a class, and its fit did not leave it out.
    HarmfulError
        The verdict is "harms", without `force`.
    OptionError
        Not exactly one of `per_class` and `plan` is given.

    Examples
    --------
    >>> import ganaug
    >>> data = ganaug.SyntheticDataset("runs/digits", per_class=2)
    >>> data
    SyntheticDataset(20 images of 10 classes)
    >>> image, label = data[3]
    >>> image.size, label
    ((8, 8), 1)
    """

    def __init__(
        self,
        run: Loadable,
        *,
        per_class: int | None = None,
        plan: Plan | None = None,
        seed: int = 0,
        transform: Any = None,
        target_transform: Any = None,
        classes: Sequence[str] | None = None,
        device: str | torch.device = "cpu",
        force: bool = False,
        report: Report = silent,
    ):
        fitted = as_fitted(run)
        refuse_harmful(fitted, force)
        warn_of_enlarged(fitted, depth=2)
        self.classes = list(fitted.card.classes if classes is None else check_names(classes))
        self.transform, self.target_transform = transform, target_transform
        left_out = [place_of(name, fitted.card.skipped) >= 0 for name in self.classes]
        learned = [name for name, out in zip(self.classes, left_out, strict=True) if not out]
        counts = {name: n for name, n in self._plan(per_class, plan).items() if place_of(name, fitted.card.skipped) < 0}
        warn_of_withheld(fitted, [name for name, n in counts.items() if n])
        self._pool = Pool.open(run, counts, seed=seed, device=device, report=report)
        there = np.flatnonzero(~np.array(left_out, dtype=bool))
        at = np.array(fitted.places(learned), dtype=np.int64)
        self._starts, sizes = np.zeros((2, len(self.classes)), dtype=np.int64)
        self._starts[there] = self._pool.offsets[at]
        sizes[there] = self._pool.offsets[at + 1] - self._pool.offsets[at]
        self._ends = np.cumsum(sizes)
        codec = fitted.card.codec
        self._present = Presenter(Native("pil", codec.mode, codec.size, "", None, "positional"), codec)

    def _plan(self, n: int | None, plan: Plan | None) -> Plan:
        if (n is None) == (plan is None):
            raise OptionError("How many images should be made?", "Give either per_class= or plan=.")
        if plan is None:
            return per_class(self.classes, n or 0)
        require_counts(plan)
        other = [name for name in plan if place_of(name, self.classes) < 0]
        if other:
            raise LabelMismatchError(f"The plan names other classes: {other}.", f"The classes are {self.classes}.")
        return plan

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __repr__(self) -> str:
        span = self._present.codec.range
        scale = "" if span is None else f", 0 to 255 for {in_words(span)}"
        return f"SyntheticDataset({len(self)} images of {len(self.classes)} classes{scale})"

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Class name -> label."""
        return {name: label for label, name in enumerate(self.classes)}

    @property
    def targets(self) -> list[int]:
        """The label of each item."""
        return np.repeat(np.arange(len(self.classes)), np.diff(self._ends, prepend=0)).tolist()

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} items")
        return self.__getitems__([index % len(self)])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        places = np.asarray(indices, dtype=np.int64)
        labels = np.searchsorted(self._ends, places, side="right")
        before = np.concatenate([[0], self._ends])[labels]
        images = self._present(self._pool.read(self._starts[labels] + places - before), self.transform)
        change = self.target_transform
        targets = labels.tolist() if change is None else [change(label) for label in labels.tolist()]
        return list(zip(images, targets, strict=True))
