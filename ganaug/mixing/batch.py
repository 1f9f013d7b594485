"""What batch transforms share: looking at a batch, naming a call, and bringing pixels into the form of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import get_worker_info
from torchvision.transforms.v2 import functional as F

from ganaug.errors import IncompatibleLoaderError, LabelMismatchError

Normalisation = tuple[Sequence[float], Sequence[float]]  # mean and standard deviation of each channel


def call_key(seed: int, purpose: str, epoch: int, call: int) -> tuple[int | str, ...]:
    """Names a call of a transform; no two calls of a training have the same key."""
    worker, distributed = get_worker_info(), torch.distributed
    rank = distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
    return seed, purpose, rank, worker.seed if worker else "main", epoch, call


def require_batch(images: Any, labels: Any, who: str) -> None:
    """Raises IncompatibleLoaderError for anything but images (B, C, H, W) and integers (B,)."""
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] not in (1, 3):
        found = f"a tensor {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        raise IncompatibleLoaderError(
            f"{who} was given {found}, not a batch of images.", "Images are (B, C, H, W) with 1 or 3 channels."
        )
    if not isinstance(labels, Tensor) or labels.shape != images.shape[:1] or labels.is_floating_point():
        found = f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, Tensor) else type(labels).__name__
        raise IncompatibleLoaderError(
            f"{who} was given labels as {found}, not one integer for each image.",
            f"Place {who} before MixUp, CutMix and one-hot encoding.",
        )


def require_named(labels: Tensor, classes: Sequence[str | None]) -> None:
    """Raises LabelMismatchError for labels without a name."""
    nameless = [label for label in labels.unique().tolist() if not 0 <= label < len(classes) or classes[label] is None]
    if nameless:
        named = [f"{label}: {name!r}" for label, name in enumerate(classes) if name is not None]
        raise LabelMismatchError(
            f"The batch has the label {nameless[0]}, which names no class of the generator ({', '.join(named)}).",
            "Give classes=[...], the name of each label, in its order.",
        )


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
    unit = pixels.to(torch.float32) / 255
    return (unit if normalize is None else F.normalize(unit, *map(list, normalize))).to(images.dtype)


def encoded(images: Tensor, normalize: Normalisation | None) -> Tensor:
    """A batch as the generator sees images: float32 in [-1, 1]. Floats are in 0..1 before normalisation."""
    if not images.is_floating_point():
        return images.to(torch.float32) / 127.5 - 1
    return _scale(images.to(torch.float32), normalize, back=True).clamp(0, 1) * 2 - 1


def decoded(x: Tensor, images: Tensor, normalize: Normalisation | None) -> Tensor:
    """The inverse of `encoded`, in the dtype of the batch."""
    if not images.is_floating_point():
        return ((x + 1) * 127.5).round().clamp(0, 255).to(images.dtype)
    return _scale((x + 1) / 2, normalize, back=False).to(images.dtype)


def _scale(x: Tensor, normalize: Normalisation | None, *, back: bool) -> Tensor:
    if normalize is None:
        return x
    mean, std = (torch.tensor(list(values), device=x.device)[:, None, None] for values in normalize)
    return x * std + mean if back else (x - mean) / std
