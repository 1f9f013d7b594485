"""Named tensors as safetensors bytes, read strictly: exactly the names, shapes and dtypes that were expected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ganaug.errors import ArtefactError
from ganaug.files.checked import bounded, fields_of, is_, strict_json

_HEADER = 1 << 22  # bytes of the header, at most
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """The same bytes for the same tensors, whatever their memory layout."""
    return safetensors.torch.save({name: t.detach().cpu().contiguous() for name, t in sorted(tensors.items())})


def from_bytes(data: bytes) -> dict[str, Tensor]:
    """Raises ArtefactError unless the header describes the data byte by byte: nothing is left out, nothing overlaps."""
    try:
        _check_header(data)
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ArtefactError(f"The tensors cannot be read: {error}.", "Fetch or make the file again.") from error


def _check_header(data: bytes) -> None:
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(len(data) - 8, _HEADER):
        raise ValueError("its header is longer than it may be")
    header: dict[str, Any] = is_(strict_json(data[8 : 8 + size]), dict)
    spans = []
    for name, entry in header.items():
        fields_of(is_(entry, dict), {"dtype", "shape", "data_offsets"})
        if len(is_(entry["shape"], list)) > 8:
            raise ValueError(f"the tensor {name!r} has more axes than any of ours")
        shape = [bounded(side, 0, 2**48) for side in is_(entry["shape"], list)]
        start, end = (bounded(place, 0, 2**48) for place in is_(entry["data_offsets"], list))
        if end - start != math.prod(shape) * _BYTES[is_(entry["dtype"], str)]:
            raise ValueError(f"the tensor {name!r} has not the bytes that its shape needs")
        spans.append((start, end))
    ends = [0, *(end for _, end in sorted(spans))]
    if [start for start, _ in sorted(spans)] != ends[:-1] or ends[-1] != len(data) - 8 - size:
        raise ValueError("its tensors overlap, or leave bytes out")


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors that hold NaN or infinities."""
    floating = {name: t for name, t in tensors.items() if t.is_floating_point() and t.numel()}
    if not floating:
        return []
    largest = torch._foreach_norm(list(floating.values()), float("inf"))
    return [name for name, norm in zip(floating, largest, strict=True) if not norm.isfinite()]


def check_fit(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor], what: str) -> None:
    """Raise ArtefactError if a tensor is missing, left over, of another shape or dtype, or not finite."""
    if set(expected) != set(tensors):
        odd = sorted(set(expected) ^ set(tensors))[:5]
        raise ArtefactError(f"The tensors of {what} do not match its card: {odd}.", "Fetch or fit it again.")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise ArtefactError(
                f"The tensor {name} of {what} is {tuple(tensor.shape)} {tensor.dtype}, "
                f"not {tuple(expected[name].shape)} {expected[name].dtype}.",
                "Fetch or fit it again.",
            )
    for name in not_finite(tensors):
        raise ArtefactError(f"The tensor {name} of {what} is not finite.", "Fit it again.")


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Fill a module; raise ArtefactError if a tensor is missing, left over, or has another shape or dtype."""
    check_fit(module.state_dict(), tensors, what)
    module.load_state_dict(dict(tensors), strict=True)
