"""Keyed randomness: a random stream is a pure function of the parts of its key.

Nothing in ganaug keeps a random generator between calls. A stream is named by what it is for, for instance
`(seed, "mix", epoch, index)`, so that the draws are the same for any number of workers, any start method and after a
resume, and never repeat by accident between workers or epochs.
"""

from __future__ import annotations

import hashlib
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from ganaug.errors import OptionError

if TYPE_CHECKING:
    import torch

Part = int | str


def key(*parts: Part) -> int:
    """A 63-bit integer from the parts, by BLAKE2b over an unambiguous encoding: `("a", 1)` is not `("a1",)`.

    Whole numbers of other libraries are the numbers that they are: numpy's 3 names the same stream as 3.
    """
    plain = [part if isinstance(part, (str, bool)) else own_seed(part) for part in parts]
    text = "\x1f".join(f"{type(part).__name__}:{_escaped(str(part))}" for part in plain)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def own_seed(value: Any) -> int:
    """A seed as Python's own number. Raises OptionError for what is no whole number."""
    if isinstance(value, Integral):
        return int(value)
    raise OptionError(f"The seed is {value!r}.", "Give a whole number.")


def _escaped(text: str) -> str:
    return text.replace("\x1e", "\x1e0").replace("\x1f", "\x1e1")  # the separator stands between parts only


def numpy_stream(*parts: Part) -> np.random.Generator:
    """A numpy generator (Philox, counter-based) for this key."""
    return np.random.Generator(np.random.Philox(key=key(*parts)))


def torch_stream(*parts: Part) -> torch.Generator:
    """A CPU `torch.Generator` for this key. Draw on the CPU and move, so that every device sees the same numbers."""
    import torch

    return torch.Generator(device="cpu").manual_seed(key(*parts))


def seed_layers(device: torch.device, *parts: Part) -> None:
    """Seeds the global streams that layers such as dropout draw from; call it inside `torch.random.fork_rng`.

    `torch.manual_seed` would also queue a seed for CUDA, with a stack trace, at each call where there is none.
    """
    import torch

    torch.default_generator.manual_seed(key(*parts))
    if device.type == "cuda":
        torch.cuda.manual_seed(key(*parts))


def permutation(n: int, *parts: Part) -> np.ndarray:
    """A keyed permutation of `range(n)`, shape (n,), int64."""
    return numpy_stream(*parts).permutation(n)
