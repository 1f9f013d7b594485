"""The table of cells: which images, how many of them, and what is done to them.

A cell is a subset (of a data set, so many images a class) and a kind. Cells of one subset share the generators: draw d
of a subset has one, whichever cells are played on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product

from ganaug import Rules
from ganaug.classifier.judge import FOLDS
from ganaug.classifier.use import DEFAULTS
from ganaug.evaluation.bench.settings import RATIOS
from ganaug.keys import key

GROUPS = {
    "closed": "Closed set",
    "unequal": "Unequal classes",
    "no transform": "Where no safe transform is known",
    "planted": "Planted harm",
    "ceiling": "With unseen real images in place of synthetic ones",
    "ablation": "Uses of synthetic images",
    "choosing": "Choosing among samples",
}
UNJUDGED = ("ceiling", "ablation", "choosing")  # groups whose cells decide no aim
_OFF = Rules(label=0.0, copies=0.0)
CHOICES = {
    "label 0.1": replace(_OFF, label=0.1),
    "label 0.3": replace(_OFF, label=0.3),
    "realism 0.2": replace(_OFF, realism=0.2),
    "manifold 0.2": replace(_OFF, manifold=0.2),
    "copies 0.05": replace(_OFF, copies=0.05),
}  # one rule of `ganaug choose` at a time (not the spread: the default recipe sees the direction of a latent only)
UNKNOWN_GROUPS = ("bccd_cells", "pneumonia_mnist")  # data sets that have subjects, and do not name them
TAILS = 3  # classes that are made small where a subset has a tail


@dataclass(frozen=True)
class Subset:
    """Images of the training part of a data set, drawn anew for every draw.

    data: "digits", or the name of a .npz file. limit: images a class, at most; None for all. steps: of the generator.
    side: in px, or "auto". tail: images of each of three classes, which are the same in every draw; 0 for no such tail.
    eye: whether the eye of the generator's discriminator moves images, as it does by default.
    """

    data: str
    limit: int | None
    steps: int
    side: int | str = "auto"
    tail: int = 0
    eye: bool = True

    @property
    def images_name(self) -> str:
        """Names what is drawn: two subsets that differ in their generators alone have the same draws."""
        many = "all" if self.limit is None else str(self.limit)
        return f"{self.data}-{many}" + (f"-tail-{self.tail}" if self.tail else "")

    @property
    def name(self) -> str:
        return self.images_name + ("" if self.eye else "-no-eye")

    @property
    def options(self) -> dict[str, float]:
        """Settings of the default recipe."""
        return {} if self.eye else {"eye": 0.0}

    def seed(self, draw: int) -> int:
        """Of the images, the generator and the trainings of a draw."""
        return key("study", self.images_name, draw) % 2**31


@dataclass(frozen=True)
class Cell:
    """One row of the study. group: of `GROUPS`. augmented: whether augmentation may be chosen.

    spoiled: "" for the generator as it is; "broken": its last convolution has other weights; "labels": the labels of
    the synthetic images are shuffled; "unseen": they are real images of the training part that are not in the subset,
    the best that a generator could make. ratios, uses, choices: every triple is an arm; a choice is a name of
    `CHOICES`, or "" for samples as they come.
    """

    name: str
    group: str
    subset: Subset
    augmented: bool = True
    spoiled: str = ""
    ratios: tuple[float, ...] = RATIOS
    uses: tuple[str, ...] = DEFAULTS
    choices: tuple[str, ...] = ("",)
    tier: str = "core"

    @property
    def synthetic_arms(self) -> list[tuple[float, str, str]]:
        """Ratio, use of synthetic images and choice of each."""
        return list(product(self.ratios, self.uses, self.choices))


@dataclass(frozen=True)
class Protocol:
    """What all cells share. steps: of every classifier. quick: few candidates for the baseline, to try the script."""

    steps: int = 400
    quick: bool = False


STEPS = {28: (1000, 1500, 2000), 32: (700, 1000, 1200)}  # by px: for up to 20 images a class, up to 50, more


def _subset(data: str, limit: int | None, side: int | str = "auto", tail: int = 0) -> Subset:
    few, some, many = STEPS[28 if side == "auto" else 32]
    steps = many if limit is None or limit > 50 else some if limit > 20 else few
    return Subset(data, limit, steps, side, tail)


SIDES: dict[str, int | str] = {
    "mnist": "auto",
    "fashion_mnist": "auto",
    "pneumonia_mnist": "auto",
    "eurosat": 32,
    "sign_digits": 32,
}
UNEQUAL = (*DEFAULTS, "rare")  # synthetic images of the smaller classes alone: is the largest one spared by that?
ABLATED = ("plain", "rare", "smooth", "weak", "finish", "fixed")


def _table() -> tuple[Cell, ...]:
    closed = [
        Cell(f"{data}-{limit}", "closed", _subset(data, limit, side))
        for data, side in SIDES.items()
        for limit in (20, 50, 200)
    ]
    of = {cell.name: cell.subset for cell in closed}
    tail = _subset("fashion_mnist", 300, tail=15)
    fashion = of["fashion_mnist-50"]
    ablated = {name: of[name] for name in ("mnist-50", "fashion_mnist-200", "eurosat-50")} | {
        "fashion_mnist-tail": tail
    }
    return (
        *closed,
        Cell("bccd_cells", "unequal", _subset("bccd_cells", None, 32), uses=UNEQUAL),
        Cell("magnetic_tile", "unequal", _subset("magnetic_tile", None, 32), uses=UNEQUAL),
        Cell("fashion_mnist-tail", "unequal", tail, uses=UNEQUAL),
        Cell("mnist-50-no-transform", "no transform", of["mnist-50"], augmented=False),
        Cell("mnist-50-no-eye", "no transform", replace(of["mnist-50"], eye=False), augmented=False),
        Cell("fashion_mnist-200-no-transform", "no transform", of["fashion_mnist-200"], augmented=False),
        Cell("fashion_mnist-50-broken", "planted", fashion, spoiled="broken"),
        Cell("fashion_mnist-50-shuffled", "planted", fashion, spoiled="labels"),
        Cell("fashion_mnist-5", "planted", _subset("fashion_mnist", 5)),
        *(
            Cell(f"{name}-ceiling", "ceiling", of[name], spoiled="unseen", uses=("plain",))
            for name in ("mnist-20", "fashion_mnist-50", "eurosat-50")
        ),
        *(
            Cell(f"{name}-uses", "ablation", subset, ratios=(0.25,), uses=ABLATED, tier="full")
            for name, subset in ablated.items()
        ),
        *(
            Cell(f"{name}-choosing", "choosing", subset, ratios=(0.25,), uses=("plain",), choices=("", *CHOICES),
                 tier="full")
            for name, subset in ablated.items()
        ),
    )  # fmt: skip


CELLS = _table()

_DIGITS, _DIGITS_TAIL = Subset("digits", 20, 6), Subset("digits", 30, 6, tail=8)
_QUICK = Cell("digits-20", "closed", _DIGITS, ratios=(0.25, 0.5))
QUICK_CELLS = (
    _QUICK,
    replace(_QUICK, name="digits-tail", group="unequal", subset=_DIGITS_TAIL),
    replace(_QUICK, name="digits-20-no-transform", group="no transform", augmented=False),
    replace(_QUICK, name="digits-20-broken", group="planted", spoiled="broken"),
    replace(_QUICK, name="digits-20-shuffled", group="planted", spoiled="labels"),
    replace(_QUICK, name="digits-20-ceiling", group="ceiling", spoiled="unseen"),
    replace(_QUICK, name="digits-20-choosing", group="choosing", ratios=(0.25,), uses=("plain",),
            choices=("", "label 0.1")),
)  # fmt: skip


def chosen(cells: Sequence[Cell], globs: Sequence[str], tier: str) -> list[Cell]:
    """The cells of a tier ("full" has all), or those whose names match a pattern, whatever their tier.

    Raises ValueError for a pattern that no cell matches.
    """
    for pattern in globs:
        if not any(fnmatchcase(cell.name, pattern) for cell in cells):
            names = ", ".join(cell.name for cell in cells)
            raise ValueError(f"No cell is called {pattern}. There are: {names}.")
    if globs:
        return [cell for cell in cells if any(fnmatchcase(cell.name, pattern) for pattern in globs)]
    return [cell for cell in cells if tier == "full" or cell.tier == "core"]


def by_subset(cells: Sequence[Cell]) -> dict[Subset, list[Cell]]:
    """The cells of each subset, in the order of the table."""
    found: dict[Subset, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.subset, []).append(cell)
    return found


FIT_SECONDS = {28: 0.15, 32: 0.25}  # by px: a step of the generator, on one thread of an AMD EPYC at 2.6 GHz
TRAINING_SECONDS = 0.016  # likewise, a step of a classifier
OVERHEAD_SECONDS = 20.0  # of a draw: reading images, looking for test images that were seen, answering
TUNING = 32  # trainings by which a baseline is tuned, about


def minutes(cell: Cell, draws: int, protocol: Protocol, fits: bool) -> float:
    """About how long a cell takes on one thread. fits: whether its generators are counted, or another cell's fits
    serve it."""
    judges = FOLDS if len(cell.choices) > 1 else 0
    trainings = TUNING + draws * (1 + len(cell.synthetic_arms) + judges)
    seconds = trainings * protocol.steps * TRAINING_SECONDS + draws * OVERHEAD_SECONDS * len(cell.choices)
    if fits:
        seconds += draws * cell.subset.steps * FIT_SECONDS[28 if cell.subset.side == "auto" else 32]
    return seconds / 60
