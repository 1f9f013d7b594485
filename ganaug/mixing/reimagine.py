"""Batch transforms that turn images into other images, for the main process: after the loader, before MixUp and CutMix.

`Reimagine` gives variants of the same class, `Inpaint` erases parts and fills them in, `Translate` turns images of one
class into images of another and sets their labels.
"""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from ganaug.data.labels.classes import Classes, place_of
from ganaug.errors import IncompatibleLoaderError, OptionError, TranslatorError
from ganaug.game.recipe import Source
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.mixing.batch import BatchTransform, Normalisation, decoded, encoded, in_channels_and_size, with_rows
from ganaug.mixing.labels import require_named
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.run import Loadable
from ganaug.samples.variants import other_class, starting_points, translator
from ganaug.samples.verdict import refuse_harmful


class _ImageToImage(BatchTransform):
    """What the three have in common; `Reimagine` documents it."""

    holes = 1  # how often an image goes through the generator

    def __init__(
        self,
        run: Loadable,
        *,
        p: float = 0.5,
        seed: int = 0,
        classes: Classes | None = None,
        normalize: Normalisation | None = None,
        force: bool = False,
    ):
        fitted = translator(run)
        refuse_harmful(fitted, force)
        warn_of_enlarged(fitted, depth=2)
        if not 0 <= p <= 1:
            raise OptionError(f"p={p} is not a probability.", "Give a number from 0 to 1.")
        self._require(fitted)
        super().__init__(fitted, seed, classes, normalize)
        self.p = p
        self._starts_from = fitted.starts_from

    def _require(self, fitted: Fitted) -> None:
        """Raises TranslatorError for a generator that this transform cannot use."""

    def _wanted(self, labels: Tensor) -> Tensor:
        """Which of these images may be changed, bool (n,)."""
        return torch.ones(len(labels), dtype=torch.bool)

    def _targets(self, labels: Tensor) -> Tensor:
        """The labels that the changed images have, int64 (n,)."""
        return labels

    @torch.no_grad()
    def _changed(self, images: Tensor, labels: Tensor, width: int, *, pairs: Any = None) -> tuple[Tensor, Tensor]:
        self._require_source(images, pairs)
        rng = torch_stream(*self._next_key())
        drawn = torch.rand(len(images), generator=rng) < self.p
        if not drawn.any():
            return images, labels
        require_named(labels, self.classes)
        rows = torch.nonzero(drawn).squeeze(1)
        rows = rows[self._wanted(labels.cpu()[rows])].to(images.device)
        if not len(rows):
            return images, labels
        card, whole = self._loaded().card, images.as_subclass(Tensor)
        x = encoded(whole[rows], self.normalize)
        small = made = in_channels_and_size(x, card.shape[0], card.shape[1:])
        targets = self._targets(labels[rows].to(torch.int64).cpu())
        y = self._known[targets].to(images.device)
        networks = self._networks(images.device)
        if pairs is not None:  # uint8 or floats in 0..1
            pairs = encoded(pairs[rows.to(pairs.device)], None)
            pairs = in_channels_and_size(pairs, card.pair[0], card.pair[1:]).to(images.device)
        for _ in range(self.holes):
            given = made if pairs is None else pairs
            z = self._loaded().prior.draw(len(rows), rng).to(images.device)
            made = networks["generator"](starting_points(networks, given, rng), z, y)
        new = decoded(in_channels_and_size(made, x.shape[1], x.shape[2:]), whole, self.normalize)
        # An image stays as it is, at its own size, where the generator has left it as it was.
        changed = (small != made).any(1, keepdim=True).float()
        kept = F.resize(changed, list(x.shape[2:]), interpolation=InterpolationMode.NEAREST) == 0
        if self._starts_from is Source.OTHER_CLASS:
            labels = labels.index_copy(0, rows.to(labels.device), targets.to(labels.device, labels.dtype))
        return with_rows(images, rows, torch.where(kept, whole[rows], new)), labels

    def _require_source(self, images: Tensor, pairs: Any) -> None:
        paired = self._starts_from is Source.PAIR
        fits = isinstance(pairs, Tensor) and pairs.ndim == 4 and len(pairs) == len(images)
        if paired and not fits:
            raise IncompatibleLoaderError(
                "The generator starts from paired images, and there is not one for each image of the batch.",
                "Call it with (images, labels, pairs=masks), masks (B, c, h, w).",
            )
        if not paired and pairs is not None:
            raise IncompatibleLoaderError("The generator starts from the images themselves.", "Leave pairs out.")


@final
class Reimagine(_ImageToImage):
    """(images, labels) -> (images, labels), where each image becomes, with probability `p`, a variant of itself, of the
    same class: a context encoder erases a part and fills it in, pix2pix makes a new picture from the mask, which is
    given as `transform(images, labels, pairs=masks)`.

    images: (B, C, H, W), uint8 or float, on any device; dtype and device are kept, and another size or number of
    channels than the generator's is converted there and back. Floats are taken to be in 0..1; if yours are normalised,
    give normalize=(mean, std). labels: (B,) integers, or one-hot vectors.

    run: run folder, generator folder, Run or Fitted. classes: `classes[i]` names label i; it may be left out where the
    classes of the generator are called by numbers, which are then the labels. Draws depend on (seed,
    rank, epoch and number of the call); `set_epoch` makes them repeatable after a resume. The network runs where the
    batch is, without gradients: use it in the main process; for loader workers there is `ganaug.variants`. force: serve
    images of a run whose verdict is `harms` all the same.

    Raises TranslatorError for a generator that starts from noise or changes the class, LabelMismatchError for a label
    without a name, IncompatibleLoaderError for what is not such a batch, HarmfulError.
    """

    def _require(self, fitted: Fitted) -> None:
        if fitted.starts_from is Source.OTHER_CLASS:
            raise TranslatorError(
                f"The recipe {fitted.card.recipe} turns images into images of another class.", "Use ganaug.Translate."
            )


@final
class Inpaint(_ImageToImage):
    """(images, labels) -> (images, labels), where of each image, with probability `p`, `holes` parts are erased,
    one after the other, and filled in. What is not erased stays as it is, bit by bit. For runs of the recipe
    context_encoder.

    The other arguments, and the batches, are as with `Reimagine`.
    """

    def __init__(
        self,
        run: Loadable,
        *,
        p: float = 0.5,
        holes: int = 1,
        seed: int = 0,
        classes: Classes | None = None,
        normalize: Normalisation | None = None,
        force: bool = False,
    ):
        if holes < 1:
            raise OptionError(f"{holes} holes change nothing.", "Give 1 or more.")
        super().__init__(run, p=p, seed=seed, classes=classes, normalize=normalize, force=force)
        self.holes = holes

    def _require(self, fitted: Fitted) -> None:
        if fitted.starts_from is not Source.ITSELF:
            raise TranslatorError(f"The recipe {fitted.card.recipe} fills no holes.", "Fit the recipe context_encoder.")


@final
class Translate(_ImageToImage):
    """(images, labels) -> (images, labels), where each image becomes, with probability `p`, an image of the other
    class, and gets its label. For runs of the recipe cyclegan.

    to: name of a class, if only images of the other class are to become images of this one. The other arguments, and
    the batches, are as with `Reimagine`.
    """

    def __init__(
        self,
        run: Loadable,
        *,
        p: float = 0.25,
        to: str | None = None,
        seed: int = 0,
        classes: Classes | None = None,
        normalize: Normalisation | None = None,
        force: bool = False,
    ):
        super().__init__(run, p=p, seed=seed, classes=classes, normalize=normalize, force=force)
        named = [name or "" for name in self.classes]
        if to is not None and place_of(to, named) < 0:
            raise OptionError(f"There is no class {to!r}.", f"Choose one of: {', '.join(filter(None, self.classes))}.")
        self.to = None if to is None else place_of(to, named)

    def _require(self, fitted: Fitted) -> None:
        if fitted.starts_from is not Source.OTHER_CLASS:
            raise TranslatorError(
                f"The recipe {fitted.card.recipe} keeps the class of an image.",
                "Use ganaug.Reimagine, or fit cyclegan.",
            )

    def _wanted(self, labels: Tensor) -> Tensor:
        if self.to is None:
            return torch.ones(len(labels), dtype=torch.bool)
        return labels != self.to

    def _targets(self, labels: Tensor) -> Tensor:
        return torch.tensor([other_class(self._known.tolist(), label) for label in labels.tolist()])
