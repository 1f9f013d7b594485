"""Samples as a pure function of (generator, seed, class, row).

Row j of a class is row `j % BLOCK` of block `j // BLOCK`, and a block is always computed in one forward of exactly
BLOCK items of that one class: another batch size would give other floats and, rarely, another byte. So any subset, in
any order, on any number of workers has the same bytes (on one machine, torch build and thread count).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from ganaug.data.spec import ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.samples.run import from_noise

BLOCK = 32  # items in one forward; part of what a row is, so changing it changes every pool
ATTEMPTS = 24  # blocks that are drawn at most until one block of them is accepted


def serving(network: nn.Module, device: str | torch.device) -> nn.Module:
    """A copy of a network as it is served: in eval mode, channels-last memory and on this device."""
    return copy.deepcopy(network).to(torch.device(device)).to(memory_format=torch.channels_last).eval()


class Renderer:
    """Draws blocks of one class from a fitted generator: images uint8 (N, C, H, W), or rows and series in model space,
    float32 (N, F) and (N, C, T).

    epoch: part of the key when every epoch gets new items, else None. truncation, spread: of the latents
    (`Prior.draw`); where the generator comes with a choice, its spread counts, and a block holds what it accepts.
    Raises TranslatorError for a generator that starts from images.
    """

    def __init__(
        self,
        fitted: Fitted,
        seed: int = 0,
        *,
        epoch: int | None = None,
        device: str | torch.device = "cpu",
        truncation: float | None = None,
        spread: float = 1.0,
    ):
        self.images = isinstance(fitted.card.codec, ImageCodec)
        self.fitted = from_noise(fitted) if self.images else fitted
        self.seed, self.epoch, self.device = seed, epoch, torch.device(device)
        self.truncation, self.spread = truncation, spread if fitted.choice is None else fitted.choice.spread
        self._generator = serving(fitted.generator, device)

    @usual_defaults()
    def block(self, label: int, number: int) -> np.ndarray:
        """All BLOCK rows of one block of class `label` (an index into the card's classes)."""
        choice = self.fitted.choice
        if choice is None:
            return self._draw(label, number)
        kept: list[np.ndarray] = []
        for attempt in range(ATTEMPTS):
            images = self._draw(label, number, attempt)
            kept.append(images[choice.accepts(images, label)])
            if sum(map(len, kept)) >= BLOCK:
                break
        accepted = np.concatenate(kept)
        if not len(accepted):  # of a class that is withheld
            accepted = self._draw(label, number)
        return accepted[np.arange(BLOCK) % len(accepted)]

    @torch.inference_mode()
    def _draw(self, label: int, number: int, attempt: int = 0) -> np.ndarray:
        """One block, whether its items are accepted or not."""
        key: tuple[int | str, ...] = (self.seed, "pool" if self.images else "vectors")
        key += (self.fitted.card.classes[label], number)
        key += () if self.epoch is None else ("epoch", self.epoch)
        rng = torch_stream(*key, *(("attempt", attempt) if attempt else ()))
        z = self.fitted.prior.draw(BLOCK, rng, self.truncation, self.spread).to(self.device)
        y = torch.full((BLOCK,), label, dtype=torch.int64, device=self.device)
        items = self._generator(z, y)
        return (ImageCodec.decode(items) if self.images else items).cpu().numpy()

    def rows(self, label: int, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Chosen rows of one class, in the order given."""
        rows = np.asarray(rows, dtype=np.int64)
        out = np.empty((len(rows), *self.fitted.card.shape), dtype=np.uint8 if self.images else np.float32)
        for number in np.unique(rows // BLOCK):
            wanted = rows // BLOCK == number
            out[wanted] = self.block(label, int(number))[rows[wanted] % BLOCK]
        return out

    def stream(self, label: int, count: int) -> Iterator[np.ndarray]:
        """The first `count` rows of one class, block by block; the last block is cut to fit."""
        for start in range(0, count, BLOCK):
            yield self.block(label, start // BLOCK)[: count - start]
