"""What batch transforms share: looking at a batch, naming a call, and bringing pixels into the form of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch.utils.data import get_worker_info
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F
from torchvision.tv_tensors import TVTensor, wrap

from ganaug.data.labels.classes import Classes, names_by_label
from ganaug.data.pictures.depth import Range, in_words
from ganaug.data.spec import ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.errors import IncompatibleLoaderError, OptionError
from ganaug.generator.folder import ByName, Fitted
from ganaug.keys import own_seed
from ganaug.samples.blocks import serving
from ganaug.samples.run import fitted_again
from ganaug.samples.variants import labels_at

_CHECKED = 4  # calls whose batches are looked at on a device that would have to be waited for
_SLACK = 0.5  # beyond 0..1, where noise and resizing lead
Normalisation = tuple[Sequence[float], Sequence[float]]  # mean and standard deviation of each channel


class BatchTransform(v2.Transform):
    """(images, labels) -> (images, labels), whose draws are keyed by (seed, rank, epoch and number of the call).

    The generator is no part of this module: its parameters and state are not ours.
    """

    # images, labels, width of a one-hot label, named arguments of the call -> images, labels
    _changed: Callable[..., tuple[Tensor, Tensor]]

    def __init__(self, samples: ByName, seed: int, classes: Classes | None, normalize: Normalisation | None):
        super().__init__()
        self.seed, self.normalize = own_seed(seed), _normalisation(normalize)
        self.classes = names_by_label(samples.classes, classes, type(self).__name__)
        self._known = labels_at(samples, self.classes)  # label -> its label at the generator
        self._span = samples.codec.range
        self._fitted = samples if isinstance(samples, Fitted) else None
        self._place = None if self._fitted is None else (self._fitted.path, self._fitted.hash)
        self._copies: dict[torch.device, Any] = {}
        self._epoch, self._calls = 0, 0

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_copies": {}, "_fitted": None}

    @final
    def set_epoch(self, epoch: int) -> None:
        """Say which epoch is next, so that random numbers are repeatable after a resume.

        Parameters
        ----------
        epoch : int
            Its number, 0 or more.
        """
        self._epoch, self._calls = epoch, 0

    @final
    @usual_defaults()
    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Change a batch.

        Parameters
        ----------
        *inputs : Tensor
            Images and labels: two arguments, or one pair.
        **named : Tensor
            What a transform needs besides, such as `pairs`.

        Returns
        -------
        tuple or list of Tensor
            What was given, with the images changed.

        Raises
        ------
        IncompatibleLoaderError
            It is no batch of images and labels.
        """
        who = type(self).__name__
        pair = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], (tuple, list)) else inputs
        if len(pair) != 2:
            raise IncompatibleLoaderError(
                f"{who} was given {len(pair)} things, not images and labels.", "Call it with (images, labels)."
            )
        images, given = pair
        labels = require_batch(images, given, who)
        if self.normalize is not None and len(self.normalize[0]) not in (1, images.shape[1]):
            cause = f"normalize= is of {len(self.normalize[0])} channels, and the images have {images.shape[1]}."
            raise IncompatibleLoaderError(cause, "Give mean and standard deviation of each channel.")
        if self._calls < _CHECKED or images.device.type == "cpu":
            require_usual_scale(images, self._span, self.normalize, who)
        width = len(self.classes) if given.ndim == 1 else given.shape[1]
        images, changed = self._changed(images, labels, width, **named)
        targets = as_given(changed, labels, given)
        return [images, targets] if isinstance(pair, list) else (images, targets)

    def _next_key(self) -> tuple[int | str, ...]:
        self._calls += 1
        return call_key(self.seed, type(self).__name__.lower(), self._epoch, self._calls - 1)

    def _loaded(self) -> Fitted:
        if self._fitted is None:
            assert self._place is not None  # there are networks
            self._fitted = fitted_again(*self._place)
        return self._fitted

    def _networks(self, device: torch.device) -> dict[str, torch.nn.Module]:
        if device not in self._copies:
            self._copies[device] = {role: serving(net, device) for role, net in self._loaded().networks.items()}
        return self._copies[device]


def _normalisation(given: Any) -> Normalisation | None:
    """Mean and standard deviation of each channel as lists of floats. Raises OptionError for anything else."""
    if given is None:
        return None
    try:
        mean, std = ([float(value) for value in values] for values in given)
        if len(mean) == len(std) and len(mean) in (1, 3) and min(std) > 0:
            return mean, std
    except (TypeError, ValueError):
        pass
    raise OptionError(f"normalize is {given!r}.", "Give (MEAN, STD), one number of each for each of 1 or 3 channels.")


def call_key(seed: int, purpose: str, epoch: int, call: int) -> tuple[int | str, ...]:
    """Names a call of a transform; no two calls of a training have the same key."""
    worker, distributed = get_worker_info(), torch.distributed
    rank = distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
    return seed, purpose, rank, worker.seed if worker else "main", epoch, call


def require_batch(images: Any, labels: Any, who: str) -> Tensor:
    """The classes of a batch, integers (B,). Raises IncompatibleLoaderError for anything but images (B, C, H, W) with
    such labels, or with one-hot labels (B, K)."""
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] not in (1, 3):
        found = f"a tensor {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        raise IncompatibleLoaderError(
            f"{who} was given {found}, not a batch of images.", "Images are (B, C, H, W) with 1 or 3 channels."
        )
    if isinstance(labels, Tensor) and labels.shape == images.shape[:1] and not labels.is_floating_point():
        return labels
    if isinstance(labels, Tensor) and labels.ndim == 2 and len(labels) == len(images) and one_of_each(labels):
        return labels.to(torch.int64).argmax(1)
    found = f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, Tensor) else type(labels).__name__
    raise IncompatibleLoaderError(
        f"{who} was given labels as {found}, neither one integer nor a one-hot vector for each image.",
        f"Place {who} before MixUp, CutMix and label smoothing.",
    )


def one_of_each(labels: Tensor) -> bool:
    """Whether labels (B, K) are one-hot vectors."""
    right = ((labels == 0) | (labels == 1)).all() and ((labels == 1).sum(1) == 1).all()
    return labels.shape[1] > 1 and bool(right)


def as_given(changed: Tensor, labels: Tensor, given: Tensor) -> Tensor:
    """Labels of a batch in the form in which they were given: integers, or one-hot vectors. Those that became vectors
    with weights stay so."""
    if given.ndim == 1:
        return changed
    if changed is labels:
        return given
    if changed.ndim == 2:
        return changed.to(given.dtype) if given.is_floating_point() else changed
    return one_hot(changed.to(torch.int64), given.shape[1]).to(given.dtype)


def require_usual_scale(images: Tensor, span: Range | None, normalize: Normalisation | None, who: str) -> None:
    """Raises IncompatibleLoaderError for a batch on another scale than synthetic images are made on: such as over the
    range that the run's images were read over."""
    if not images.numel():
        return
    seen = images
    if normalize is not None and images.is_floating_point():
        seen = (encoded(images, normalize, limited=False) + 1) / 2
    low, high = seen.min().item(), seen.max().item()
    slack = _SLACK if span is None else 0.001
    usual = low >= -slack and high <= 1 + slack if images.is_floating_point() else low >= 0 and high <= 255
    if not usual and (span is None or normalize is not None):
        after = "" if normalize is None else " once normalize= is undone"
        raise IncompatibleLoaderError(
            f"{who} was given values from {low:.3g} to {high:.3g}{after}, and images are 0 to 255 or floats in 0..1.",
            f"Give {who} the normalisation that the batch has gone through, normalize=(MEAN, STD); or place {who} "
            "before it.",
        )
    if not usual and span is not None:
        bottom, top = in_words(span).split(" to ")
        raise IncompatibleLoaderError(
            f"{who} was given values from {low:g} to {high:g}; the run's images were read over {in_words(span)}.",
            f"Scale the batch to 0..1 before it: (images - {bottom}) / ({top} - {bottom}).".replace("- -", "+ "),
        )


def with_rows(images: Tensor, rows: Tensor, new: Tensor) -> Tensor:
    """The batch with other images in these rows, of the type that it has."""
    mixed = images.as_subclass(Tensor).index_copy(0, rows, new)
    return wrap(mixed, like=images) if isinstance(images, TVTensor) else mixed


def in_channels_and_size(x: Tensor, channels: int, size: Sequence[int]) -> Tensor:
    """(B, C, H, W) with that many channels (1 or 3), and of that height and width."""
    if x.shape[1] != channels:
        x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else F.rgb_to_grayscale(x)
    return x if list(x.shape[2:]) == list(size) else F.resize(x, list(size), antialias=True)


def as_batch(pixels: Tensor, images: Tensor, normalize: Normalisation | None) -> Tensor:
    """uint8 pixels in the channels, size, dtype and range of a batch."""
    pixels = in_channels_and_size(pixels, images.shape[1], images.shape[2:])
    if not images.is_floating_point():
        return pixels.to(images.dtype)
    return _normalised(pixels.to(torch.float32) / 255, normalize).to(images.dtype)


def encoded(images: Tensor, normalize: Normalisation | None, *, limited: bool = True) -> Tensor:
    """A batch as the generator sees images: float32 in [-1, 1]. Floats are in 0..1 before normalisation.

    limited: to that range, which noise may have left."""
    if not images.is_floating_point():
        return ImageCodec.encode(images)
    unit = images.to(torch.float32)
    if normalize is not None:
        mean, std = (torch.tensor(list(values), device=unit.device)[:, None, None] for values in normalize)
        unit = unit * std + mean
    return (unit.clamp(0, 1) if limited else unit) * 2 - 1


def encoded_pairs(pairs: Tensor, shape: Sequence[int]) -> Tensor:
    """Paired images, integers to 255, floats in 0..1 or bool, as the generator starts from them."""
    x = encoded(pairs.float() if pairs.dtype == torch.bool else pairs, None)
    return in_channels_and_size(x, shape[0], shape[1:])


def decoded(x: Tensor, images: Tensor, normalize: Normalisation | None) -> Tensor:
    """The inverse of `encoded`, in the dtype of the batch."""
    if not images.is_floating_point():
        return ImageCodec.decode(x).to(images.dtype)
    return _normalised((x + 1) / 2, normalize).to(images.dtype)


def _normalised(unit: Tensor, normalize: Normalisation | None) -> Tensor:
    return unit if normalize is None else F.normalize(unit, *map(list, normalize))
