"""Torch's global defaults: what a program sets for its own tensors changes nothing of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def usual_defaults() -> Iterator[None]:
    """Within, and in functions that it decorates, new tensors are float32 on the CPU where nothing else is said,
    whatever `torch.set_default_dtype` and `torch.set_default_device` say."""
    dtype, elsewhere = torch.get_default_dtype(), torch.get_default_device().type != "cpu"
    with torch.device("cpu") if elsewhere else contextlib.nullcontext():
        if dtype is not torch.float32:
            torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            if dtype is not torch.float32:
                torch.set_default_dtype(dtype)
