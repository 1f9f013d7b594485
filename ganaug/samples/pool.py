"""Synthetic images, rendered once to a uint8 memory map. Data loader workers read it; they never run a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from ganaug.defaults import usual_defaults
from ganaug.errors import DataError
from ganaug.files.cache import cache_folder
from ganaug.files.imagemap import ImageMap
from ganaug.files.integrity import own_folders, writing
from ganaug.generator.folder import ByName, Fitted, serving_folder
from ganaug.keys import own_seed
from ganaug.reporting import Report, counted, silent
from ganaug.samples.blocks import BLOCK, Renderer
from ganaug.samples.plan import Plan, require_counts
from ganaug.samples.run import Loadable, from_noise

FORMAT = 1


class Pool(ImageMap):
    """Rendered synthetic images on disk: class after class, in the order of `classes`, read through a memory map.

    classes: those of the generator, all of them (a class may have no rows). offsets: int64 (len(classes) + 1,), rows of
    class i are `offsets[i]:offsets[i + 1]`. A pool is small to pickle: each process opens the map again when it reads.
    """

    def __init__(self, folder: Path, identity: dict):
        self.classes: tuple[str, ...] = tuple(identity["classes"])
        self.shape: tuple[int, ...] = tuple(identity["shape"])  # (C, H, W) of one image
        self.offsets = np.concatenate([[0], np.cumsum(identity["counts"], dtype=np.int64)])
        super().__init__(folder, identity, (len(self), *self.shape))

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def __repr__(self) -> str:
        of = f"{counted(len(self), 'image')} of {counted(len(self.classes), 'class')}"
        return f"Pool({of}, {self.shape}, {self.path})"

    @property
    def counts(self) -> Plan:
        """Rows of each class."""
        return dict(zip(self.classes, self.identity["counts"], strict=True))

    @property
    def labels(self) -> np.ndarray:
        """Class index of every row: int64 (N,)."""
        return np.repeat(np.arange(len(self.classes)), np.diff(self.offsets))

    @property
    def epoch(self) -> int | None:
        """The epoch that the images were rendered for, None if they serve every epoch."""
        return self.identity["epoch"]

    def at(self, epoch: int) -> Pool:
        """The pool of another epoch, which must have been opened before (by any process)."""
        return Pool(self.folder, {**self.identity, "epoch": epoch})

    @classmethod
    @usual_defaults()
    def open(
        cls,
        run: Loadable,
        plan: Plan,
        *,
        seed: int = 0,
        epoch: int | None = None,
        folder: str | Path | None = None,
        device: str | torch.device = "cpu",
        truncation: float | None = None,
        report: Report = silent,
    ) -> Pool:
        """The pool of this generator, plan and seed: rendered if it is not on disk yet, else checked and reused. Of
        several processes that ask for it at once, one renders it, and the others wait.

        epoch: give a number to get other images for every epoch. folder: where the files lie; by default `RUN/pool`, or
        the user's cache folder where there is no run folder or it cannot be written to. Pool files may be deleted at
        any time: they are rendered again, on a CPU to the same bytes.

        device: on which they are rendered; a GPU's images differ in their last bits from a CPU's, and have a pool of
        their own. truncation: draws latents within this bound (`Prior.draw`), more typical and less varied images;
        part of the identity if given.

        A class that a choice withholds has no rows, whatever the plan says. Raises LabelMismatchError for a class that
        the generator does not know, TranslatorError for a generator that starts from images, DiskFullError before
        anything is written.
        """
        fitted, seed = from_noise(run), own_seed(seed)
        identity = {
            "format": FORMAT,
            "block": BLOCK,
            "generator": fitted.hash,
            "classes": list(fitted.card.classes),
            "counts": _counts(fitted, plan),
            "shape": list(fitted.card.shape),
            "seed": seed,
            "epoch": epoch,
        }
        if truncation is not None:
            identity["truncation"] = truncation
        if torch.device(device).type != "cpu":
            identity["device"] = torch.device(device).type
        pool = cls(pool_folder(run, folder).absolute(), identity)

        def blocks() -> Iterator[tuple[np.ndarray, str]]:
            renderer = Renderer(fitted, seed, epoch=epoch, device=device, truncation=truncation)
            for label, (name, count) in enumerate(pool.counts.items()):
                for images in renderer.stream(label, count):
                    yield images, f"class {name}"

        pool.provide(blocks, report)
        return pool


def _counts(fitted: Fitted, plan: Plan) -> list[int]:
    fitted.places(plan)
    if any(n < 0 for n in plan.values()):
        raise DataError(f"A plan cannot ask for a negative number of images: {plan}.", "Counts start at 0.")
    plan = served(fitted, plan)
    return [int(plan.get(name, 0)) for name in fitted.card.classes]


def served(samples: ByName, plan: Plan) -> Plan:
    """The plan in the names of the samples, without those of classes of which none are served. Raises OptionError for
    what is no whole number."""
    require_counts(plan)
    return {samples.spelled(name): int(n) if samples.serves(name) else 0 for name, n in plan.items()}


def pool_folder(run: Loadable, folder: str | Path | None) -> Path:
    """The given folder, RUN/pool, or the user's cache: the first that exists or can be made and written to."""
    if folder is not None:
        with writing(Path(folder)):
            Path(folder).mkdir(parents=True, exist_ok=True)
        return Path(folder)
    home = serving_folder(run)
    if home is not None:
        candidate = home / "pool"
        own_folders(home, ["pool"])
        with suppress(OSError):
            candidate.mkdir(exist_ok=True)
            if os.access(candidate, os.W_OK):
                return candidate
    return cache_folder("pool")
