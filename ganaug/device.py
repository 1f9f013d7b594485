"""Where the work is done, and under what."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

import ganaug
from ganaug.errors import DeviceError, GanaugError, OutOfMemoryError

T = TypeVar("T")


def resolve_device(name: str) -> torch.device:
    """ "auto" is CUDA where there is a GPU, else the CPU; of several processes that torchrun started on one machine,
    each has a GPU of its own, as far as there are so many. Raises DeviceError if the device is not there."""
    if name == "auto" and not torch.cuda.is_available():
        return torch.device("cpu")
    if name == "auto":
        local = os.environ.get("LOCAL_RANK", "")
        return torch.device(f"cuda:{int(local) % torch.cuda.device_count()}" if local.isdecimal() else "cuda")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(f"The device {name!r} cannot be used: {error}.", "Use --device auto or cpu.") from error
    return device


def environment(device: torch.device) -> dict[str, str]:
    """What a fit ran under; equal bytes are promised only for equal entries."""
    return {
        "ganaug": ganaug.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "threads": str(torch.get_num_threads()),
        "device": device.type,
        "machine": platform.machine(),
    }


def out_of_memory(error: BaseException) -> bool:
    """Whether an error, of Python, of torch on the CPU or on a GPU, says that the memory does not suffice."""
    text = str(error)
    return (
        isinstance(error, (MemoryError, torch.OutOfMemoryError))
        or "out of memory" in text
        or "can't allocate memory" in text
    ) and not isinstance(error, GanaugError)


def as_memory_allows(work: Callable[[int], T], batch: int, tell: Callable[[str], None]) -> tuple[T, int]:
    """What `work(batch)` gives, and the batch: halved, and the work begun anew, as often as memory does not suffice.

    Raises OutOfMemoryError where not even one picture has room.
    """
    while True:
        try:
            return work(batch), batch
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if batch == 1:
                cause = "Not even one picture has room in the network."
                raise OutOfMemoryError(cause, "Choose a smaller network, or another device.") from error
        batch //= 2  # after the error is gone, and what it held on to
        tell(f"memory is short: {batch} pictures at a time")
