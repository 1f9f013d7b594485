"""Synthetic rows as a CSV file like the real one, and synthetic series as an .npz file.

Row j of a class is row `j % BLOCK` of block `j // BLOCK`, drawn from a stream keyed by (seed, class, block), as images
are (see `pool.py`): the first rows are the same however many are asked for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.data.rows.table_codec import TableCodec
from ganaug.errors import DataError, OptionError, OutputInUseError
from ganaug.files.integrity import clear_parts, need_space, write_atomically
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.reporting import Report, silent
from ganaug.samples.plan import Plan

BLOCK = 32  # items in one forward; part of what an item is


def write_vectors(
    fitted: Fitted, plan: Plan, out: Path, *, seed: int = 0, device: str = "cpu", report: Report = silent
) -> Path:
    """Write the synthetic rows or series of a plan without unknown classes as one file, which appears at once.

    Rows: a CSV file with the columns, order, forms and delimiter of the real one, and nothing else. Series: x_train
    float32 in the shape of the real ones, y_train int64, classes. Raises OptionError for another file name,
    OutputInUseError if the file exists, DiskFullError, UnwritableError.
    """
    codec = fitted.card.codec
    suffixes, kind = ((".csv", ".tsv", ".tab"), "rows") if isinstance(codec, TableCodec) else ((".npz",), "series")
    if out.suffix.lower() not in suffixes:
        raise OptionError(
            f"Synthetic {kind} are written to a file, and {out} is none.", f"Give --out OUT{suffixes[0]}."
        )
    if isinstance(codec, TableCodec) and len(fitted.card.classes) == 1:
        cause = f"The generator was trained without labels: its rows have no value in the column {codec.target!r}."
        raise DataError(cause, "Fit one that knows the classes: `ganaug fit ... --recipe wgan_gp`.")
    if out.exists():
        raise OutputInUseError(f"{out} exists.", "Choose a new name.")
    out.parent.mkdir(parents=True, exist_ok=True)
    need_space(out.parent, 16 * sum(plan.values()) * int(np.prod(fitted.card.shape)))
    blocks = _blocks(fitted, plan, seed, torch.device(device), report)
    write = _csv if isinstance(codec, TableCodec) else _npz
    clear_parts(out.parent, out.name)
    write_atomically(out, write(codec, fitted.card.classes, blocks))
    return out


@torch.inference_mode()
def render_vectors(fitted: Fitted, label: int, count: int, seed: int = 0, device: str | torch.device = "cpu") -> Tensor:
    """The first `count` items of class `label` in model space, on the CPU: (count, F) or (count, C, T)."""
    return torch.cat(list(_of_class(fitted, label, count, seed, torch.device(device))))


def _blocks(
    fitted: Fitted, plan: Plan, seed: int, device: torch.device, report: Report
) -> Iterator[tuple[int, Tensor]]:
    done, total = 0, sum(plan.values())
    for name, count in plan.items():
        label = fitted.card.classes.index(name)
        for items in _of_class(fitted, label, count, seed, device):
            yield label, items
            done += len(items)
            report("augment", done, total, f"class {name}")


def _of_class(fitted: Fitted, label: int, count: int, seed: int, device: torch.device) -> Iterator[Tensor]:
    generator = fitted.generator.to(device)
    for start in range(0, count, BLOCK):
        rng = torch_stream(seed, "vectors", fitted.card.classes[label], start // BLOCK)
        z = fitted.prior.draw(BLOCK, rng).to(device)
        with torch.inference_mode():
            items = generator(z, torch.full((BLOCK,), label, dtype=torch.int64, device=device)).cpu()
        yield items[: count - start]


def _csv(codec: Any, classes: tuple[str, ...], blocks: Iterator[tuple[int, Tensor]]) -> bytes:
    parts = [codec.lines([codec.header])]
    parts += [codec.lines(codec.decode(items, classes[label])) for label, items in blocks]
    return "".join(parts).encode()


def _npz(codec: Any, classes: tuple[str, ...], blocks: Iterator[tuple[int, Tensor]]) -> bytes:
    labels, values = [], []
    for label, items in blocks:
        labels.append(np.full(len(items), label))
        values.append(codec.decode(items))
    file = io.BytesIO()
    np.savez_compressed(file, x_train=np.concatenate(values), y_train=np.concatenate(labels), classes=np.array(classes))
    return file.getvalue()
