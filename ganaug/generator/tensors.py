"""Named tensors as safetensors bytes, read strictly: exactly the names, shapes and dtypes that were expected."""

from __future__ import annotations

from collections.abc import Mapping

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ganaug.errors import ArtefactError


def to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """The same bytes for the same tensors, whatever their memory layout."""
    return safetensors.torch.save({name: t.detach().cpu().contiguous() for name, t in sorted(tensors.items())})


def from_bytes(data: bytes) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"The tensors cannot be read: {error}.", "Fetch or make the file again.") from error


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Fill a module; raise ArtefactError if a tensor is missing, left over, or has another shape or dtype."""
    expected = module.state_dict()
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
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ArtefactError(f"The tensor {name} of {what} is not finite.", "Fit it again.")
    module.load_state_dict(dict(tensors), strict=True)
