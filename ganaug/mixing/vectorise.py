"""One call for a whole batch, where a transform is known to act on each pixel alone: the same bytes, many times faster.

Recognised are chains of torchvision's conversions and normalisations (v1 and v2), by exact type. Anything random, and
anything of the user's own, stays a call for each image.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganaug.data.spec import ImageCodec
from ganaug.mixing.native import Native

Batched = Callable[[Tensor], list[Tensor]]  # uint8 (N, C, H, W) -> N transformed images


class Presenter:
    """From the pixels of a pool to images as a data set gives them: native form, then the transform."""

    def __init__(self, native: Native, codec: ImageCodec):
        self.native, self.codec = native, codec
        self._known: tuple[Any, Batched | None] = (None, None)  # the last transform, and what it is for a batch

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_known": (None, None)}

    def __call__(self, pixels: np.ndarray | Sequence[Image.Image], transform: Any) -> list[Any]:
        """uint8 (n, C, H, W), or n pictures -> n images."""
        if (
            isinstance(pixels, np.ndarray)
            and self.native.same_as(pixels.shape[1:])
            and self.native.call == "positional"
        ):
            if self._known[0] is not transform:
                self._known = transform, batched(transform)
            if self._known[1] is not None:
                return self._known[1](torch.from_numpy(pixels))
        return [self.native.apply(transform, self.native.image(one, self.codec)) for one in pixels]


def batched(transform: Any) -> Batched | None:
    """What `transform` does to PIL images, for a batch of their pixels; None if that is not known."""
    if "torchvision" not in sys.modules:
        return None  # then `transform` is none of torchvision's
    from torchvision import transforms as v1
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    openings: dict[type, Callable[[Tensor], Tensor]] = {
        v1.ToTensor: lambda x: x.to(torch.get_default_dtype()).div(255),
        v1.PILToTensor: lambda x: x,
        v2.PILToTensor: lambda x: x,
        v2.ToImage: tv_tensors.Image,
    }
    pixelwise = (v1.ConvertImageDtype, v1.Normalize, v2.ToDtype, v2.Normalize, v2.ToPureTensor, v2.Identity)
    steps = _steps(transform, (v1.Compose, v2.Compose))
    if not steps or type(steps[0]) not in openings or not all(type(step) in pixelwise for step in steps[1:]):
        return None
    if any(type(step) is v2.ToDtype and not isinstance(step.dtype, torch.dtype) for step in steps):
        return None  # a dtype for each type of input
    opening = openings[type(steps[0])]

    def apply(pixels: Tensor) -> list[Tensor]:
        x = opening(pixels)
        for step in steps[1:]:
            x = step(x)
        if isinstance(x, tv_tensors.TVTensor):
            return [tv_tensors.wrap(one, like=x) for one in x.unbind()]
        return list(x.unbind())

    return apply


def _steps(transform: Any, compositions: tuple[type, ...]) -> list[Any]:
    """The chain as a flat list."""
    if type(transform) in compositions:
        return [step for part in transform.transforms for step in _steps(part, compositions)]
    return [transform]
