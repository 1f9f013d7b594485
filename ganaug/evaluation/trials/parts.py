"""What trials train on and are asked about: labelled images, at the generator's size and as the user has them, or rows
and series."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ganaug.classifier.pictures import Frame, pictures_of, pictures_of_pixels, rows_in
from ganaug.data.load import LabelledImages
from ganaug.data.rows.series_codec import SeriesCodec
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import MODES, ImageCodec
from ganaug.files.imagemap import ImageMap
from ganaug.reporting import Report, silent

Codec = ImageCodec | TableCodec | SeriesCodec
NAMES = TRAIN, VALIDATION, TEST, FOLD, UNLABELLED = "train", "validation", "test", "fold", "unlabelled"


@dataclass(frozen=True, eq=False)
class Origin:
    """Where the images of a part are read at their own size: the rows of an open source, and what they show there."""

    source: ImageSource
    rows: np.ndarray
    fingerprints: Sequence[str]


@dataclass(frozen=True, eq=False)
class Part:
    """Labelled images, rows or series. items: pixels uint8 (N, C, H, W), or values in model space, float32 (N, F) and
    (N, C, T). labels: int64 (N,). digest: SHA-256 of both and of what images show at their own size, the identity of
    the part. codec: how the items are served, where there is no origin.
    """

    items: Tensor
    labels: Tensor
    digest: str
    codec: Codec
    origin: Origin | None = None

    @staticmethod
    def of(
        items: Tensor, labels: Tensor, codec: Codec | None = None, origin: Origin | None = None
    ) -> Part:  # fmt: skip
        """codec: of the user's own images; by default the pixels are served as they are."""
        codec = codec or ImageCodec(MODES[items.shape[1]], None)
        of_origin = () if origin is None else origin.fingerprints
        served = (codec.mode, codec.size) if isinstance(codec, ImageCodec) else ()
        hashed = hashlib.sha256(repr((tuple(items.shape), str(items.dtype), *served)).encode())
        hashed.update(items.contiguous().numpy().tobytes())
        hashed.update(labels.contiguous().numpy().tobytes())
        hashed.update("".join(of_origin).encode())
        return Part(items.contiguous(), labels.contiguous(), hashed.hexdigest(), codec, origin)

    @staticmethod
    def of_all(images: LabelledImages | LabelledVectors, source: ImageSource | None = None) -> Part:
        """source: from which images were read; None where it is not at hand."""
        if isinstance(images, LabelledVectors):
            return Part.of(images.items, images.labels, images.codec)
        origin = None if source is None else Origin(source, rows_in(source, images), images.fingerprints)
        return Part.of(images.pixels, images.labels, images.codec, origin)

    def __len__(self) -> int:
        return len(self.labels)

    def image(self, row: int) -> Image.Image:
        """One of them at its own size and mode, or as it would be served."""
        if self.origin is not None:
            return self.origin.source.read(int(self.origin.rows[row]))
        assert isinstance(self.codec, ImageCodec)
        return self.codec.to_image(self.items[row].numpy())

    def pictures(self, frame: Frame, folder: Path, report: Report = silent) -> ImageMap:
        """All of them as a network takes them, kept on disk."""
        if self.origin is None:
            assert isinstance(self.codec, ImageCodec)
            return pictures_of_pixels(self.items.numpy(), self.codec, frame, folder, report=report)
        return pictures_of(
            self.origin.source, self.origin.rows, self.origin.fingerprints, frame, folder, report=report
        )  # fmt: skip

    def first(self, most: int) -> np.ndarray:
        """The first rows of each class, int64, ascending."""
        labels = self.labels.numpy()
        chosen = [np.flatnonzero(labels == label)[:most] for label in np.unique(labels)]
        return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Taught:
    """What other classifiers say of images. rows: those of the unlabelled part that are learned beside the labelled
    images, int64 (n,); labels: theirs, (n,). soft: probabilities of the classes, float32, that are learned in place of
    labels, by the name of the part: of each training image, of each of these rows, and of each synthetic image; without
    any, labels are learned."""

    rows: np.ndarray
    labels: np.ndarray
    soft: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        hashed = hashlib.sha256(self.rows.tobytes() + self.labels.tobytes())
        for name, said in sorted(self.soft.items()):
            hashed.update(name.encode() + said.tobytes())
        return hashed.hexdigest()


@dataclass(frozen=True, eq=False)
class Parts:
    """Label i is the same class in all of them; n_classes in all.

    made: synthetic images, by the name of what made them. unlabelled: their labels mean nothing. taught: by the name
    of what is learned, see `arms.TAUGHT`. fold: number of the fold of each training image, int64 (N,), for those that
    are fitted crosswise.
    """

    train: Part
    validation: Part
    test: Part
    n_classes: int
    made: Mapping[str, Part] = field(default_factory=dict)
    unlabelled: Part | None = None
    taught: Mapping[str, Taught] = field(default_factory=dict)
    fold: np.ndarray | None = None

    def named(self, name: str) -> Part:
        """The part of this name: "train", "validation", "test", "unlabelled", or what made it."""
        part = self.made[name] if name in self.made else getattr(self, name)
        assert isinstance(part, Part)
        return part

    def asked(self, name: str, leave: int | None) -> tuple[Part, np.ndarray]:
        """The part and the rows of it that a trial says something of. "fold": the training images that it left out."""
        if name != FOLD:
            part = self.named(name)
            return part, np.arange(len(part))
        assert self.fold is not None
        return self.train, np.flatnonzero(self.fold == leave)

    def shares(self) -> np.ndarray:
        """Of each class in the training part, float (K,)."""
        return np.bincount(self.train.labels.numpy(), minlength=self.n_classes) / len(self.train)

    @property
    def all(self) -> Sequence[Part]:
        others = [] if self.unlabelled is None else [self.unlabelled]
        return [self.train, self.validation, self.test, *self.made.values(), *others]
