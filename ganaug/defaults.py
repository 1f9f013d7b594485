"""Torch's global settings: what a program sets for its own tensors changes nothing of ours, and the other way round."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def usual_defaults() -> Iterator[None]:
    """Within, and in functions that it decorates, new tensors are float32 on the CPU where nothing else is said,
    whatever `torch.set_default_dtype` and `torch.set_default_device` say; and neither `torch.autocast` nor
    `torch.no_grad` or `torch.inference_mode` of the caller counts."""
    dtype, elsewhere = torch.get_default_dtype(), torch.get_default_device().type != "cpu"
    with contextlib.ExitStack() as stack:
        if elsewhere:
            stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        if dtype is not torch.float32:
            torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            if dtype is not torch.float32:
                torch.set_default_dtype(dtype)


@contextlib.contextmanager
def torch_threads(count: int | None = None) -> Iterator[None]:
    """Within, torch works with so many threads, or with those that are set there; afterwards with as many as before."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
