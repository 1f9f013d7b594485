"""What a card claims about networks, checked against the weights that are there before it costs anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ganaug.errors import ArtefactError
from ganaug.files.tensors import check_fit

_FILLS = (Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_)  # needless here


class _Sparing(TorchFunctionMode):
    """Stops whoever calls torch more often than `calls` times."""

    def __init__(self, calls: int):
        super().__init__()
        self.calls = calls

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls -= 1
        if self.calls < 0:
            raise ArtefactError("It claims more layers than there are weights for.", "Fetch or fit it again.")
        given = kwargs or {}
        filled = args[0] if args else given.get("tensor")
        if function in _FILLS and isinstance(filled, Tensor) and filled.is_meta:
            return filled
        if function in (torch.randn, torch.rand):
            function, kwargs = torch.empty, {name: value for name, value in given.items() if name in ("size", "dtype")}
        return function(*args, **(kwargs or {}))


def check_claims(build: Callable[[], nn.Module], tensors: Mapping[str, Tensor], what: str) -> None:
    """Build the networks that a card describes without memory for their weights, and compare them with those that are
    there. Raises ArtefactError if they differ, or cannot be built."""
    try:
        with torch.device("meta"), _Sparing(10_000 + 500 * len(tensors)):
            expected = build().state_dict()
    except ArtefactError:
        raise
    except Exception as error:  # settings of any value go into the code of a recipe
        cause = f"The card of {what} describes no networks: {type(error).__name__}: {str(error)[:200]}"
        raise ArtefactError(f"{cause.rstrip('.')}.", "Fetch or fit it again.") from error
    check_fit(expected, tensors, what)
