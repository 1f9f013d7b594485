"""Pixels as they are read, one after the other, brought to one size at once, so that large photographs are not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image

from ganaug.data.proportion import kept_of, squared
from ganaug.data.records import Log
from ganaug.data.spec import Size
from ganaug.data.survey import Survey

SMALL = 32  # px: images up to this size keep their own


def auto_side(found: Survey, device: str = "cpu") -> int:
    """The side in px that size "auto" means for these images."""
    common = found.common_size()
    if common is not None and 4 <= max(common) <= SMALL:
        return max(common)
    return likely_side(device)


def likely_side(device: str) -> int:
    """The side where the images are larger."""
    return 32 if str(device) == "cpu" else 64


class Room(Protocol):
    """Images of one shape, which are written one after the other; an array is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: Any) -> Any: ...
    def __setitem__(self, row: int, image: Any) -> None: ...


@dataclass
class Form:
    """What is known of images that are being read.

    side, depth: that they get; None where they depend on the images: these keep their own size where all share one of
    at most 32 px, else they get the `likely` one; they have colours where one has any. proportion: (height, width) to
    which they are cut; None: each keeps its own. common: the size of all images so far, as long as they keep it. count:
    of the images that are there.
    """

    side: int | None
    depth: int | None
    likely: int
    proportion: Size | None = None
    common: Size | None = None
    count: int = 0


class Shelf(Protocol):
    """Where images are kept. mapped: whether in files. begun: what an interrupted reading left there, or None."""

    mapped: bool
    log: Log
    begun: tuple[Form, Room] | None

    def room(self, shape: tuple[int, ...]) -> Room:
        """Room for all images of this shape, (C, H, W)."""
        ...

    def settle(self, form: Form, room: Room) -> None:
        """From now on this room counts, and no other."""
        ...


class Memory:
    """A shelf for at most so many images."""

    mapped = False

    def __init__(self, most: int):
        self.most, self.log = most, Log(most)
        self.begun: tuple[Form, Room] | None = None

    def room(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.empty((self.most, *shape), np.uint8)

    def settle(self, form: Form, room: Room) -> None:
        pass


class Gathered:
    """Images in the order in which they come. Where one changes what was believed of all, those that are there move to
    a new room: once or twice, and mostly when they are few."""

    def __init__(self, shelf: Shelf, form: Form):
        self.shelf, self.form = shelf, form
        self.room: Room | None = None
        if shelf.begun is not None:
            self.form, self.room = shelf.begun

    def add(self, pixels: np.ndarray, colour: bool) -> None:
        """uint8 (H, W) or (H, W, 3); colour: whether it has any."""
        form = self.form
        pixels = pixels if colour or pixels.ndim == 2 else pixels[..., 0]
        size: Size = pixels.shape[:2]
        if form.side is None and not form.count and 4 <= max(size) <= SMALL:
            form.common = size
        if form.side is None and size != form.common:
            form.side, form.common = form.likely, None
            self._move(0 if self.room is None else self.room.shape[1])
        picture = self._formed(pixels)
        needed = 1 if picture.ndim == 2 else 3
        if self.room is None or needed > self.room.shape[1]:
            self._move(needed, formed=form.side is not None)
        assert self.room is not None
        self.room[form.count] = _planes(picture)
        form.count += 1

    def finish(self) -> np.ndarray:
        """All of them: uint8 (N, C, side, side)."""
        assert self.room is not None
        if self.form.common is not None:
            self.form.side, self.form.common = max(self.form.common), None
            self._move(self.room.shape[1])
        found: np.ndarray = self.room[: self.form.count]
        return found

    def _move(self, channels: int, formed: bool = False) -> None:
        """Give a new room to images that have so many channels, where their size and depth say no other number. formed:
        whether those that are there have their size."""
        form, old = self.form, self.room
        if not channels:
            return
        if form.common is not None:
            shape = (channels, *form.common)
        else:
            side = form.side or form.likely
            shape = (form.depth or channels, side, side)
        if old is None or old.shape[1:] != shape:
            self.room = self.shelf.room(shape)
            for row, planes in enumerate(() if old is None else old[: form.count]):
                pixels = planes[0] if len(planes) == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))
                self.room[row] = planes if formed else _planes(self._formed(pixels))
        assert self.room is not None
        self.shelf.settle(form, self.room)

    def _formed(self, pixels: np.ndarray) -> np.ndarray:
        """At its size and depth, as far as these are known."""
        form = self.form
        if form.side is None:
            return pixels
        kept = kept_of(pixels.shape[:2], form.proportion)
        pixels = squared(pixels, form.side, Image.Resampling.BICUBIC, kept)
        return np.asarray(Image.fromarray(pixels).convert("L")) if form.depth == 1 and pixels.ndim == 3 else pixels


def _planes(pixels: np.ndarray) -> np.ndarray:
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
