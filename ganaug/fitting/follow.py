"""A fit that several processes share. The first one decides, logs, draws and saves; the others follow: they play the
same rounds to the same bytes, and write nothing.

Before rounds are played, the first one tells from where; after each round, all learn who was asked to stop, and
whether the first one goes on with the next round.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Event
from typing import Any

import torch

from ganaug.device import environment
from ganaug.errors import DivergedError
from ganaug.files.integrity import sha256
from ganaug.files.tensors import from_bytes, to_bytes
from ganaug.fitting.course import ANCHORS, every
from ganaug.fitting.doctor.watch import mended
from ganaug.fitting.interrupt import interruptible, stopped
from ganaug.fitting.prepare import FitSettings, Prepared, prepare
from ganaug.fitting.settings_file import digest_of, wanted
from ganaug.game.ranks import Ranks
from ganaug.game.train import Progress, train
from ganaug.generator.interventions import Intervention, retries
from ganaug.generator.state import SavedState
from ganaug.reporting import Report, silent


def prepare_alike(
    ranks: Ranks, data: Any, settings: FitSettings, report: Report, began: Path | None = None, **more: bool
) -> tuple[Prepared, str]:
    """What `prepare` gives on every rank, of which the first alone reports and warns, and the hash of the data. Raises
    RankError, on all, where two were given other settings, data, libraries or `more`: they would drift apart."""
    with nullcontext() if ranks.leads else warnings.catch_warnings(action="ignore"):
        prepared = prepare(data, settings, report if ranks.leads else silent, began)
    digest = digest_of(prepared.training, prepared.validation, prepared.beside)
    values = {**wanted(prepared.settings, digest), **environment(prepared.device), **more}
    del values["device"]  # ranks may sit on several, of one kind
    ranks.agree({**values, "kind of device": prepared.device.type})
    return prepared, digest


def tell(ranks: Ranks, begin: SavedState, steps: int) -> None:
    """Tell the others from where `steps` rounds are played."""
    if ranks.world > 1:
        notes: dict[str, Any] = {"step": begin.step, "steps": steps, "threads": torch.get_num_threads()}
        notes["interventions"] = [one.to_json() for one in begin.interventions]
        ranks.first(json.dumps(notes).encode() + b"\n" + to_bytes(begin.tensors))


def dismiss(ranks: Ranks) -> None:
    """Tell the others that the fit is at its end."""
    ranks.first()


def any_asked(ranks: Ranks, progress: Progress, asked: Event) -> bool:
    """Whether one of them was asked to stop by the end of this round. At rounds at which anchors are taken, raises
    RankError where their states are no longer the same, as on processors that round otherwise."""
    if ranks.world > 1 and progress.step % every(progress.steps, ANCHORS) == 0:
        ranks.agree({f"state after step {progress.step}": sha256(to_bytes(progress.state()))[:12]})
    return bool(ranks.most(asked.is_set())) and progress.step < progress.steps


@contextmanager
def round_ends(ranks: Ranks, leaves: bool) -> Iterator[None]:
    """Within, the first one does what is left to do after a round. leaves: whether it then plays no further round from
    there, but tells anew from where."""
    try:
        yield
    except DivergedError:
        ranks.most(True)
        raise
    ranks.most(leaves)


def follow(ranks: Ranks, prepared: Prepared) -> None:
    """Play along until the first one is at its end. Raises KeyboardInterrupt where one of them was asked to stop,
    RankError where one of them has ended."""
    torch.set_flush_denormal(True)
    settings = prepared.settings
    while told := ranks.first():
        notes, _, tensors = told.partition(b"\n")
        step, steps, threads, befell = json.loads(notes).values()
        torch.set_num_threads(threads)
        interventions = tuple(map(Intervention.from_json, befell))
        rounds = train(
            mended(prepared.recipe, interventions), prepared.batches, steps=steps, seed=settings.seed,
            device=prepared.device, start=step, state=from_bytes(tensors) or None, retry=retries(interventions),
            slices=settings.slices, ranks=ranks,
        )  # fmt: skip
        next(rounds)
        # Where a number is not finite, all find out in the same round, and the first one tells from where to go on.
        with suppress(DivergedError), interruptible() as asked:
            for progress in rounds:
                stop = any_asked(ranks, progress, asked)
                if ranks.most(False):
                    break
                if stop:
                    raise stopped(progress.step, steps)
