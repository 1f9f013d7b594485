"""`fit.json`: settings, data and number of rounds of a run, stored before the first one; a resume must agree."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ganaug.errors import ArtefactError, DataError, OptionError
from ganaug.generator.checked import bounded
from ganaug.generator.integrity import read_whole, sealed, unsealed, write_atomically
from ganaug.generator.interventions import Intervention
from ganaug.generator.state import SavedState, load_state
from ganaug.preparing import FitSettings

_NAME = "fit.json"
_SMALL = 1 << 24  # bytes, at most


def store(run: Path, settings: FitSettings, digest: str, steps: int) -> None:
    """digest: hash of the training and validation data."""
    values = {**dataclasses.asdict(settings), "data": digest, "planned_steps": steps}
    write_atomically(run / _NAME, sealed(values))


def _stored(run: Path) -> dict[str, Any] | None:
    """The settings by name, "data" and "planned_steps"; None if there are none. Raises ArtefactError if altered."""
    file = run / _NAME
    try:
        values = unsealed(read_whole(file, _SMALL), file)
        bounded(values["planned_steps"], 1, 2**53)
        return values
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ArtefactError):
            raise
        raise ArtefactError(f"{file} cannot be read: {error}.", "Start anew in another folder.") from error


def agreed_steps(run: Path, settings: FitSettings, digest: str) -> int | None:
    """The planned rounds of a run that was started with these settings and data; None if nothing was stored yet.

    Raises OptionError if it was started with others.
    """
    before = _stored(run)
    if before is None:
        return None
    changed = _changes(before, settings, digest)
    if changed:
        raise OptionError(
            f"The run was started with other settings: {', '.join(changed)}.",
            f"Resume with the same settings and images, or go on in another folder: --fork {run} --out NEW.",
        )
    return before["planned_steps"]


def forked(run: Path, settings: FitSettings, digest: str) -> SavedState:
    """Where another run starts from the last state of this one, with other settings.

    Raises ArtefactError if there is no state, DataError for other data or another split of them, OptionError if no
    rounds are left.
    """
    saved, before = load_state(run / "state"), _stored(run)
    if saved is None or before is None:
        raise ArtefactError(f"{run} holds no saved state.", "Name a run folder that `ganaug fit` made.")
    changed = _changes(before, settings, digest)
    if {"data", "seed"} & set(changed):  # what one holds out, the other has trained on
        raise DataError(
            f"{run} was started with other data, another split of them or another seed.",
            "A fork goes on with the same data, options of data, and seed.",
        )
    if settings.steps is not None and settings.steps <= saved.step:
        raise OptionError(
            f"{run} has played {saved.step} rounds, and {settings.steps} are asked for.",
            "Give more: --steps counts from its beginning.",
        )
    cause = f"forked from a run at step {saved.step}; changed: {', '.join(changed) or 'nothing'}"
    fork = Intervention("fork", saved.step, saved.step, cause)
    return dataclasses.replace(saved, log_bytes=0, sums={}, interventions=(*saved.interventions, fork))


def _changes(before: dict[str, Any], settings: FitSettings, digest: str) -> list[str]:
    """Names of what differs; the device may."""
    wanted = {**dataclasses.asdict(settings), "data": digest}
    kept = {name: value for name, value in before.items() if name != "planned_steps"}
    changed = [name for name in wanted.keys() | kept.keys() if wanted.get(name) != kept.get(name)]
    return sorted(name for name in changed if name != "device")
