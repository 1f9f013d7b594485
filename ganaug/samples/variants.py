"""What a translator makes of images: a pure function of (generator, seed, image, number of the variant).

The latent of a variant, and the hole where there is one, are keyed by the image's fingerprint, so that they do not
depend on which other images there are. Images go through the network in aligned blocks, as in `blocks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganaug.data.load import LabelledImages
from ganaug.data.spec import ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.errors import DataError, TranslatorError
from ganaug.files.integrity import sha256
from ganaug.game import Prior
from ganaug.game.recipe import Source
from ganaug.generator.folder import ByName, Fitted
from ganaug.generator.parts import images_like, require_pairs
from ganaug.keys import torch_stream
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import BLOCK, serving
from ganaug.samples.run import Loadable, as_fitted


def translator(run: Loadable) -> Fitted:
    """A generator that starts from images; raises TranslatorError for one from noise."""
    fitted = as_fitted(run)
    if fitted.starts_from is None:
        raise TranslatorError(
            f"The generator of the recipe {fitted.card.recipe} starts from noise, not from images.",
            "Use ganaug.mix(train_set, run), ganaug.SynthMix(run) or `ganaug augment RUN`.",
        )
    return fitted


def images_for(fitted: Fitted, data: Any, pairs: Any = None, report: Report = silent) -> LabelledImages:
    """A set (anything that `load_images` takes) at the size of the generator, with its paired images if any.
    Raises OptionError for pairs that the generator does not start from, DataError where it starts from others."""
    fitted.refuse_idle(pairs=pairs)
    images = images_like(fitted.card, data, pairs=pairs, report=report)
    require_pairs(fitted.card, images)
    return images


def starting_points(networks: Mapping[str, nn.Module], x: Tensor, rng: torch.Generator) -> Tensor:
    """What the generator starts from, of encoded images or sources (N, C, H, W): degraded where the recipe says so."""
    return networks["degrade"](x, rng) if "degrade" in networks else x


class Variants:
    """Variants of the images of a set.

    images: of the generator's size and channels, with pairs where it starts from pairs. Raises TranslatorError for a
    generator from noise, LabelMismatchError for classes that it does not know, DataError for images that do not fit.
    """

    @usual_defaults()
    def __init__(self, run: Loadable, images: LabelledImages, seed: int = 0, *, device: str | torch.device = "cpu"):
        self.fitted, self.images, self.seed = translator(run), images, seed
        self.device = torch.device(device)
        card = self.fitted.card
        self._known = labels_at(self.fitted, images.classes)
        if images.spec.shape != tuple(card.shape):
            raise DataError(f"Images are {images.spec.shape}, not {card.shape}.", "Load them at that size.")
        require_pairs(card, images)
        self._networks = {role: serving(net, device) for role, net in self.fitted.networks.items()}

    @property
    def several(self) -> bool:
        """Whether the variants of an image differ; a translation to another class is one image."""
        return self.fitted.starts_from is not Source.OTHER_CLASS

    @property
    def start(self) -> str:
        """A hash of the images that they are made from."""
        said = [*self.images.fingerprints, *map(str, self.images.labels.tolist()), *self.images.classes]
        items, pairs = "\n".join(said).encode(), self.images.stored_pairs
        return sha256(items) if pairs is None else pairs.digest(items)

    def label(self, label: int) -> int:
        """The class that variants of an image of this class have, both as `images` numbers them."""
        if self.fitted.starts_from is not Source.OTHER_CLASS:
            return label
        return other_class(self._known.tolist(), label)

    def making(self, name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and numbers of `count` variants of this class: one of each image in turn, then the next of each.

        Raises DataError where there are not so many.
        """
        labels = self.images.labels.tolist()
        wanted = self.images.place(name)
        rows = np.array([i for i, label in enumerate(labels) if self.label(label) == wanted], int)
        if not len(rows) or (count > len(rows) and not self.several):
            raise DataError(
                f"{count} images of the class {name!r} were asked for, and {len(rows)} can be made from these.",
                "Ask for fewer, or give more images to start from.",
            )
        turns = np.arange(count)
        return rows[turns % len(rows)], turns // len(rows)

    @usual_defaults()
    @torch.inference_mode()
    def block(self, rows: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """At most BLOCK variants: of image rows[i] the one with numbers[i]. uint8 (len(rows), C, H, W)."""
        fill = np.resize(np.arange(len(rows)), BLOCK)  # always a whole block: another size would give other floats
        rows, numbers = rows[fill], numbers[fill]
        paired = self.fitted.starts_from is Source.PAIR
        pixels = self.images.stored_pairs if paired else self.images.stored
        assert pixels is not None
        streams = [
            torch_stream(self.seed, "variant", self.images.fingerprints[row], int(number))
            for row, number in zip(rows, numbers, strict=True)
        ]
        z = torch.cat([self.fitted.prior.draw(1, rng) for rng in streams]).to(self.device)
        x = ImageCodec.encode(pixels[torch.from_numpy(rows)])
        x = torch.cat([starting_points(self._networks, one[None], rng) for one, rng in zip(x, streams, strict=True)])
        labels = [self.label(int(self.images.labels[row])) for row in rows]
        y = self._known[labels].to(self.device)
        made = self._networks["generator"](x.to(self.device), z, y)
        return ImageCodec.decode(made).cpu().contiguous().numpy()[: len(np.unique(fill))]

    def stream(self, rows: np.ndarray, numbers: np.ndarray) -> Iterator[np.ndarray]:
        """Any number of variants, block by block."""
        for start in range(0, len(rows), BLOCK):
            yield self.block(rows[start : start + BLOCK], numbers[start : start + BLOCK])


@usual_defaults()
def labels_at(samples: ByName, classes: Sequence[str | None]) -> Tensor:
    """For each of these classes its label at the generator, int64; -1 for None and for one of which none are served."""
    there = [name if name is not None and samples.serves(name) else None for name in classes]
    at = iter(samples.places(name for name in there if name is not None))
    return torch.tensor([-1 if name is None else next(at) for name in there])


def other_class(known: list[int], label: int) -> int:
    """The class that an image of class `label` is translated to: the next one of those that the generator knows.

    known: for each label that of the generator, -1 for none."""
    labels = [own for own, at_generator in enumerate(known) if at_generator >= 0]
    return labels[(labels.index(label) + 1) % len(labels)]


@torch.inference_mode()
def translation_grid(
    networks: Mapping[str, nn.Module],
    starts_from: Source,
    prior: Prior,
    images: LabelledImages,
    *,
    rows: int = 8,
    seed: int = 0,
) -> Tensor:
    """uint8 (rows, 4, C, H, W): what the generator starts from, two answers, and the image itself; where it translates
    to another class, the image, the translation, the way back, and an image of that class. Rows go over the classes."""
    device = next(networks["generator"].parameters()).device
    labels = images.labels.numpy()
    members = [np.flatnonzero(labels == c) for c in range(len(images.classes))]
    turns = [m[i] for i in range(rows) for m in members if i < len(m)]
    chosen = torch.from_numpy(np.array(turns[:rows]))
    rng = torch_stream(seed, "grid")
    y, x = images.labels[chosen].to(device), ImageCodec.encode(images.stored[chosen]).to(device)
    z, again = (prior.draw(len(chosen), rng).to(device) for _ in range(2))
    generator = networks["generator"]
    if starts_from is Source.OTHER_CLASS:
        to = torch.tensor([other_class(list(range(len(images.classes))), label) for label in y.tolist()], device=device)
        there = generator(x, z, to)
        real = torch.stack([x[y == label][0] if bool((y == label).any()) else x[0] for label in to.tolist()])
        columns = [x, there, generator(there, z, y), real]
    else:
        paired = images.stored_pairs
        given = x if paired is None else ImageCodec.encode(paired[chosen]).to(device)
        source = starting_points(networks, given, rng)
        shown = source[:, : x.shape[1]] if "degrade" in networks else source  # beside it, where the hole is
        columns = [shown, generator(source, z, y), generator(source, again, y), x]
    depth = max(column.shape[1] for column in columns)
    cells = [ImageCodec.decode(column.expand(-1, depth, -1, -1)).cpu() for column in columns]
    return torch.stack(cells, 1)
