"""The form in which a data set holds its items, found by looking at a few, so that synthetic ones can take it on.

What counts is what the data set's own transform is given (a PIL image of some mode and size, an array, a tensor), and
what its `target_transform` is given and gives; both are seen on a shallow copy, by putting something in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors

from ganaug.data.pictures.depth import WHOLE, Range, from_8_bits
from ganaug.data.spec import MODES, ImageCodec, Size, usual_size
from ganaug.errors import IncompatibleLoaderError
from ganaug.mixing.alike import refuse_hidden_changes
from ganaug.mixing.before import Item, first_middle_last


@dataclass(frozen=True)
class Native:
    """kind: "pil", "array" or "tensor". size: (H, W) in px, None for the generator's own. axes: "HW", "HWC" or "CHW".

    mode: PIL mode of the pixels, "L" or "RGB" (other modes of 8 bits are reached from there by PIL's conversion, those
    of 16 and 32 bits by `_deep`). dtype: numpy's or torch's, of arrays and tensors. call: how the data set calls its
    `.transform`: "never", "positional", or "named" (`transform(image=array)["image"]`, as albumentations has it).
    white: the brightest value of PIL mode F, 1 or 255. span: what is black and white where values are of more than 8
    bits; None for the usual scales. tv: tensors are torchvision's `tv_tensors.Image`. holder: the type of items.
    """

    kind: str
    mode: str
    size: Size | None
    axes: str
    dtype: Any
    call: str
    white: float = 1.0
    span: Range | None = None
    tv: bool = False
    holder: type = tuple

    def item(self, image: Any, label: Any) -> Any:
        """An item of both: a tuple, a named one, or a list, as real ones are."""
        return self.holder(image, label) if hasattr(self.holder, "_fields") else self.holder((image, label))

    def image(self, pixels: np.ndarray | Image.Image, codec: ImageCodec) -> Any:
        """uint8 (C, H, W) of the generator, or a picture -> an image as the data set holds them."""
        mode = self.mode if self.mode in MODES.values() else codec.mode
        image = ImageCodec(mode, self.size).to_image(pixels)
        if self.kind == "pil":
            return image if image.mode == self.mode else self._deep(image) or image.convert(self.mode)
        array = np.array(image)  # (H, W) or (H, W, 3)
        if self.axes != "HW":
            array = np.atleast_3d(array)
        if self.axes == "CHW":
            array = array.transpose(2, 0, 1)
        if self.span is not None:
            array = _over(array, self.span, whole=not _floating(self.dtype))
        elif _floating(self.dtype):
            array = array.astype(np.float32) / 255
        array = np.ascontiguousarray(array)
        if self.kind == "array":
            return array.astype(self.dtype)
        tensor = torch.from_numpy(array).to(self.dtype)
        return tv_tensors.Image(tensor) if self.tv else tensor

    def same_as(self, shape: tuple[int, ...]) -> bool:
        """Whether PIL images of the generator's own (C, H, W) need no change of mode or size."""
        return self.kind == "pil" and self.mode == MODES[shape[0]] and self.size in (None, tuple(shape[1:]))

    def _deep(self, image: Image.Image) -> Image.Image | None:
        """Pixels of more than 8 bits: over the range, or else integers up to 65535, floats up to `white`; None for
        other modes."""
        if self.mode not in ("I", "I;16", "F"):
            return None
        grey = np.asarray(image.convert("L"))
        if self.mode == "F":
            return Image.fromarray(_over(grey, self.span or (0, self.white), whole=False).astype(np.float32))
        wide = _over(grey, self.span or WHOLE, whole=True)
        if self.mode == "I":
            return Image.fromarray(wide.astype(np.int32))
        return Image.fromarray(wide.clip(0, 65535).astype(np.uint16)).convert(self.mode)

    def apply(self, transform: Any, image: Any) -> Any:
        """Call the transform on an image in the way that the data set does."""
        if transform is None or self.call == "never":
            return image
        return transform(image=image)["image"] if self.call == "named" else transform(image)


def span_of(image: Any, codec: ImageCodec) -> Range | None:
    """The range of an item of more than 8 bits: that of the codec, or else for whole numbers that of 16 bits, where
    they reach its upper half; None for an item on a usual scale (uint8, floats in 0..1), or on none that is known."""
    if isinstance(image, Image.Image):
        if image.mode not in ("I", "I;16", "F"):
            return None
        image = np.asarray(image)
    if image.dtype in (np.uint8, torch.uint8, np.bool_, torch.bool):
        return None
    if _floating(image.dtype):
        return None if in_unit(image) else codec.range
    return codec.range or (WHOLE if float(image.max()) > WHOLE[1] / 2 else None)


def in_unit(image: Any) -> bool:
    """Whether an array or a tensor of floats lies in 0..1."""
    return _floating(image.dtype) and float(image.min()) >= -0.001 and float(image.max()) <= 1.001


def _over(pixels: np.ndarray, span: Range, *, whole: bool) -> np.ndarray:
    """uint8 -> float64 or int64 over a range."""
    values = from_8_bits(pixels, span)
    return np.rint(values).astype(np.int64) if whole else values


def _floating(dtype: Any) -> bool:
    return dtype.is_floating_point if isinstance(dtype, torch.dtype) else np.issubdtype(dtype, np.floating)


def look_at(
    dataset: Any, index_map: np.ndarray, codec: ImageCodec, *, own_transform: bool, pictures: bool = False
) -> Native:
    """The native form of `dataset` (not a Subset), from its first, middle and last item among `index_map`.

    codec: settles the size where those items differ in size. own_transform: synthetic images get a transform of their
    own, so that they start as PIL images in the mode and size of the codec. pictures: they have sizes of their own,
    which they keep unless those items have one size. Raises IncompatibleLoaderError for items
    that are not (image, label), and for tensors that only the data set knows how to make.
    """
    seen = first_middle_last(dataset, index_map)
    image, call, size = seen[0].image, seen[0].call, _size_of(seen, codec, pictures)
    if own_transform:
        return Native("pil", codec.mode, codec.size, "", None, "positional", holder=seen[0].holder)
    refuse_hidden_changes(dataset, {one.index: one.image for one in seen}, call=call)
    if any(one.changed_after for one in seen):
        raise IncompatibleLoaderError(
            f"{type(dataset).__name__} changes further what its transform gives, which synthetic images do not go "
            "through.",
            "Put that into the transform too; or give transform=, a function from a PIL image to the first part of an "
            "item, for the synthetic images.",
        )
    span = next((found for one in seen if (found := span_of(one.image, codec)) is not None), None)
    if isinstance(image, Image.Image):
        deep = [one.image for one in seen if isinstance(one.image, Image.Image) and one.image.mode == "F"]
        floats = [np.asarray(picture) for picture in deep]
        bright = any(one.max() > 1 for one in floats)
        if image.mode in ("I", "I;16") and span is None:
            raise IncompatibleLoaderError(
                f"Images are held as {image.mode}, and those that were looked at are of no more than 15 bits.",
                "Fit with the range of their values, range=(LOW, HIGH).",
            )
        return Native("pil", image.mode, size, "", None, call, 255.0 if bright else 1.0, span, holder=seen[0].holder)
    if isinstance(image, torch.Tensor) and call == "never" and span is None:
        raise IncompatibleLoaderError(
            "Items are tensors, and the data set has no .transform that tells how they are made from images.",
            "Give transform=, a function from a PIL image to such a tensor, for the synthetic images.",
        )
    axes = _axes(image)
    channels = 1 if axes == "HW" else image.shape[axes.index("C")]
    darkest, brightest = float(image.min()), float(image.max())
    usual = in_unit(image) if _floating(image.dtype) else darkest >= 0 and brightest <= 255
    if channels not in MODES or not (usual or span):
        raise IncompatibleLoaderError(
            f"Images are held as {image.dtype} of {channels} channels with values from {darkest:g} to {brightest:g}.",
            "Hold them as uint8, or as floats in 0..1, with 1 or 3 channels; or fit with the range of their values, "
            "range=(LOW, HIGH); or give transform=.",
        )
    kind = "tensor" if isinstance(image, torch.Tensor) else "array"
    tv, holder = isinstance(image, tv_tensors.Image), seen[0].holder
    return Native(kind, MODES[channels], size, axes, image.dtype, call, span=span, tv=tv, holder=holder)


def size_of_items(dataset: Any, index_map: np.ndarray, codec: ImageCodec) -> Size | None:
    """(height, width) of the items of `dataset` (not a Subset) before their transform; that of the codec where they
    differ, or cannot be looked at."""
    try:
        return _size_of(first_middle_last(dataset, index_map), codec) if len(index_map) else codec.size
    except IncompatibleLoaderError:  # raised again by who serves them
        return codec.size


def _size_of(seen: Sequence[Item], codec: ImageCodec, pictures: bool = False) -> Size | None:
    sizes = [_size(one.image) for one in seen]
    if len(set(sizes)) == 1:
        return sizes[0]
    return None if pictures else codec.size or usual_size(sizes)


def _axes(image: np.ndarray | torch.Tensor) -> str:
    if image.ndim == 2:
        return "HW"
    first, last = image.shape[0] in MODES, image.shape[-1] in MODES
    if isinstance(image, torch.Tensor):
        return "CHW" if first or not last else "HWC"
    return "HWC" if last or not first else "CHW"


def _size(image: Any) -> Size:
    if isinstance(image, Image.Image):
        return image.size[1], image.size[0]
    axes = _axes(image)
    return int(image.shape[axes.index("H")]), int(image.shape[axes.index("W")])
