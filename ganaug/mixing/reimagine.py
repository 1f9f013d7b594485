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
from ganaug.mixing.batch import (
    BatchTransform,
    Normalisation,
    decoded,
    encoded,
    encoded_pairs,
    in_channels_and_size,
    require_usual_scale,
    with_rows,
)
from ganaug.mixing.labels import absent_of, require_named
from ganaug.options import at_least, share
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
        self._require(fitted)
        super().__init__(fitted, seed, classes, normalize)
        absent_of([name for name in self.classes if name is not None], (), fitted, named=True)
        self.p = share("p", p)
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
        rows = torch.nonzero(torch.rand(len(images), generator=rng) < self.p).squeeze(1)
        require_named(labels, self.classes)
        own = labels.cpu()[rows].to(torch.int64)
        rows = rows[self._wanted(own) & (self._known[own] >= 0)].to(images.device)  # some classes the fit left out
        if not len(rows):
            return images, labels
        card, whole = self._loaded().card, images.as_subclass(Tensor)
        x = encoded(whole[rows], self.normalize)
        small = made = in_channels_and_size(x, card.shape[0], card.shape[1:])
        targets = self._targets(labels[rows].to(torch.int64).cpu())
        y = self._known[targets].to(images.device)
        networks = self._networks(images.device)
        if pairs is not None:
            pairs = encoded_pairs(pairs[rows.to(pairs.device)], card.pair).to(images.device)
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
        fits = isinstance(pairs, Tensor) and pairs.ndim == 4 and len(pairs) == len(images) and pairs.shape[1] in (1, 3)
        if paired and not fits:
            raise IncompatibleLoaderError(
                "The generator starts from paired images, and there is not one for each image of the batch.",
                "Call it with (images, labels, pairs=masks), masks (B, c, h, w), c 1 or 3.",
            )
        if paired:
            require_usual_scale(pairs, None, None, "pairs=")
        if not paired and pairs is not None:
            raise IncompatibleLoaderError("The generator starts from the images themselves.", "Leave pairs out.")


@final
class Reimagine(_ImageToImage):
    """Turn images of a batch into variants of themselves, of the same class.

    A context encoder erases a part and fills it in; pix2pix makes a new picture from the mask, which is given as
    `transform(images, labels, pairs=masks)`. The network runs where the batch is, without gradients: use the transform
    in the main process, after the loader and before MixUp and CutMix. For loader workers there is `ganaug.variants`.

    Batches are (images, labels): images (B, C, H, W), uint8 or float, on any device; labels (B,) integers, or one-hot.
    Another size or number of channels than the generator's is converted there and back; dtype and device are kept.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run of a recipe that translates images.
    p : float, default 0.5
        Probability with which an image becomes a variant.
    seed : int, default 0
        Random numbers depend on (seed, rank, epoch, number of the call); `set_epoch(n)` makes them repeatable.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i. It may be left out where the classes of the generator are called by numbers.
    normalize : (mean, std), optional
        Floats are taken to be in 0..1. If yours are normalised, give mean and standard deviation of each channel.
    force : bool, default False
        Serve images of a run whose verdict is "harms".

    Raises
    ------
    TranslatorError
        The generator starts from noise, or changes the class.
    LabelMismatchError, IncompatibleLoaderError
        A label has no name, or it was given something other than such a batch.
    HarmfulError
        The verdict of the run is "harms", without `force`.

    Examples
    --------
    >>> import ganaug, torch
    >>> run = ganaug.fit("digits", "runs/reimagine", recipe="context_encoder", steps=2, limit=10)
    >>> images, labels = ganaug.Reimagine(run, p=1.0)(torch.rand(4, 1, 8, 8), torch.arange(4))
    >>> images.shape, labels
    (torch.Size([4, 1, 8, 8]), tensor([0, 1, 2, 3]))
    """

    def _require(self, fitted: Fitted) -> None:
        if fitted.starts_from is Source.OTHER_CLASS:
            raise TranslatorError(
                f"The recipe {fitted.card.recipe} turns images into images of another class.", "Use ganaug.Translate."
            )


@final
class Inpaint(_ImageToImage):
    """Erase parts of the images of a batch, and fill them in. What is not erased stays as it is, bit by bit.

    Batches are as with `Reimagine`.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run of the recipe context_encoder.
    p : float, default 0.5
        Probability with which an image is changed.
    holes : int, default 1
        Parts of an image that are erased and filled in, one after the other.
    seed : int, default 0
        Random numbers depend on (seed, rank, epoch, number of the call); `set_epoch(n)` makes them repeatable.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i. It may be left out where the classes of the generator are called by numbers.
    normalize : (mean, std), optional
        Of each channel, if your floats are normalised.
    force : bool, default False
        Serve images of a run whose verdict is "harms".

    Raises
    ------
    TranslatorError, OptionError
        The run is of another recipe; `p` or `holes` is out of range.

    References
    ----------
    Pathak et al. 2016, "Context encoders: feature learning by inpainting", 1604.07379.

    Examples
    --------
    >>> import ganaug, torch
    >>> run = ganaug.fit("digits", "runs/inpaint", recipe="context_encoder", steps=2, limit=10)
    >>> before = torch.rand(4, 1, 8, 8)
    >>> after, labels = ganaug.Inpaint(run, p=1.0, holes=2)(before, torch.arange(4))
    >>> bool((after == before).any()), bool((after != before).any())
    (True, True)
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
        super().__init__(run, p=p, seed=seed, classes=classes, normalize=normalize, force=force)
        self.holes = at_least("holes", holes, 1)

    def _require(self, fitted: Fitted) -> None:
        if fitted.starts_from is not Source.ITSELF:
            raise TranslatorError(f"The recipe {fitted.card.recipe} fills no holes.", "Fit the recipe context_encoder.")


@final
class Translate(_ImageToImage):
    """Turn images of a batch into images of the other class, with its label.

    Batches are as with `Reimagine`.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run of the recipe cyclegan.
    p : float, default 0.25
        Probability with which an image is translated.
    to : str, optional
        Name of a class, if only images of the other class are to become images of this one.
    seed : int, default 0
        Random numbers depend on (seed, rank, epoch, number of the call); `set_epoch(n)` makes them repeatable.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i. It may be left out where the classes of the generator are called by numbers.
    normalize : (mean, std), optional
        Of each channel, if your floats are normalised.
    force : bool, default False
        Serve images of a run whose verdict is "harms".

    Raises
    ------
    TranslatorError, OptionError
        The run is of another recipe; `p` is out of range, or there is no class `to`.

    References
    ----------
    Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks", 1703.10593.

    Examples
    --------
    >>> import ganaug, numpy as np, torch
    >>> X, y = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8), np.arange(20) % 2
    >>> run = ganaug.fit((X, y), "runs/cycle", recipe="cyclegan", steps=2)
    >>> images, labels = ganaug.Translate(run, p=1.0, to="1")(torch.rand(4, 1, 8, 8), torch.tensor([0, 0, 0, 1]))
    >>> labels
    tensor([1, 1, 1, 1])
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
        return super()._wanted(labels) if self.to is None else labels != self.to

    def _targets(self, labels: Tensor) -> Tensor:
        return torch.tensor([other_class(self._known.tolist(), label) for label in labels.tolist()])
