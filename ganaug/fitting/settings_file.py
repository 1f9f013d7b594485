"""`fit.json`: settings, data, threads and rounds of a run, stored before the first round; a resume must agree."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

from ganaug.data.load import LabelledImages
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.errors import ArtefactError, DataError, OptionError
from ganaug.files.checked import bounded, is_
from ganaug.files.integrity import read_whole, reading, sealed, sha256, unsealed, write_atomically
from ganaug.fitting.settings import FitSettings
from ganaug.generator.codecs import codec_to_json
from ganaug.generator.interventions import Intervention
from ganaug.generator.state import SavedState, load_state

FILE = "fit.json"
_OWN = {"planned_steps", "threads", "end", "forked"}  # what is no setting
_SMALL = 1 << 24  # bytes, at most
_SPLIT = {"data", "seed"}  # what decides which items are held out
_HELD = _SPLIT | {"words"}  # what a fork takes over


def digest_of(
    training: LabelledImages | LabelledVectors,
    validation: LabelledImages | LabelledVectors,
    beside: LabelledImages | None = None,
) -> str:
    """Of the items of all parts with their labels, of the names of the classes, and of the way back from items."""
    codec = json.dumps(codec_to_json(training.codec), sort_keys=True)
    marks = [*training.classes, *map(str, training.spec.shape), codec]
    for part in (training, validation, *([] if beside is None else [beside])):
        marks += [*part.fingerprints, *map(str, part.labels.tolist())]
        if isinstance(part, LabelledImages) and part.stored_pairs is not None:
            marks.append(part.stored_pairs.digest())
    return sha256(json.dumps(marks).encode())


class Plan(NamedTuple):
    """steps: rounds that schedules go by. threads: of torch, on a CPU. end: the round after which the fit ends, sooner
    where its time was over; 0 before that is known."""

    steps: int
    threads: int
    end: int = 0

    @property
    def last(self) -> int:
        return self.end or self.steps


def store(run: Path, settings: FitSettings, digest: str, plan: Plan, *, forked: bool = False) -> None:
    """digest: of the training and validation data. forked: whether a state from another run follows at once."""
    values = {"planned_steps": plan.steps, "threads": plan.threads, "end": plan.end, "forked": forked}
    write_atomically(run / FILE, sealed({**wanted(settings, digest), **values}))


def store_end(run: Path, step: int) -> None:
    """The fit ends after this round, now and in every resume."""
    values = _stored(run)
    assert values is not None
    write_atomically(run / FILE, sealed({**values, "end": step}))


def _stored(run: Path) -> dict[str, Any] | None:
    """The settings by name, "data" and "planned_steps"; None if there are none. Raises ArtefactError if altered."""
    file = run / FILE
    with reading(file, "Start anew in another folder."):
        try:
            values = unsealed(read_whole(file, _SMALL), file)
        except FileNotFoundError:
            return None
        bounded(values["planned_steps"], 1, 2**53)
        bounded(values["threads"], 1, 2**16)
        bounded(values["end"], 0, values["planned_steps"])
        is_(values["forked"], bool)
        return values


def agreed_plan(run: Path, settings: FitSettings, digest: str) -> Plan | None:
    """The plan of a run that was started with these settings and data; None if nothing was stored yet.

    Raises OptionError if it was started with others.
    """
    before = _stored(run)
    saved = load_state(run / "state")
    if before is None:
        if saved is not None:
            raise ArtefactError(f"{run} holds a saved state, but no {FILE}.", "Start anew in another folder.")
        return None
    if before["forked"] and saved is None:
        raise ArtefactError(
            f"The fork in {run} was stopped before it began.", "Remove the folder, and fork again, or in another one."
        )
    _require_same(run, before, settings, digest)
    return _plan(before)


def finished_steps(run: Path, settings: FitSettings, digest: str) -> int:
    """The rounds of a finished run, which must have been started with these settings and data.

    Raises OptionError if it was started with others, ArtefactError where that cannot be known.
    """
    before = _stored(run)
    if before is None:
        raise ArtefactError(
            f"{run} is finished, but holds no {FILE}: what it was fitted with cannot be compared.",
            "Leave out --resume, or fit anew in another folder.",
        )
    _require_same(run, before, settings, digest, "is finished, and ")
    return _plan(before).last


def _plan(stored: dict[str, Any]) -> Plan:
    return Plan(stored["planned_steps"], stored["threads"], stored["end"])


def _require_same(run: Path, before: dict[str, Any], settings: FitSettings, digest: str, state: str = "") -> None:
    changed = _changes(before, settings, digest)
    if changed:
        now = wanted(settings, digest)
        held = [f"the {name}" for name in ("data", "seed", "words") if name in _HELD.intersection(changed)]
        fresh = f", or, since a fork takes over {' and '.join(held)}, fit anew: --out NEW" if held else ""
        told = ", ".join(_difference(name, before.get(name), now.get(name)) for name in changed)
        raise OptionError(
            f"The run {state}was started with other settings: {told}.",
            f"Resume with the same settings and images, or go on in another folder: --fork {run} --out NEW{fresh}.",
        )


def forked(run: Path, settings: FitSettings, digest: str) -> SavedState:
    """Where another run starts from the last state of this one, with other settings.

    Raises ArtefactError if there is no state, DataError for other data or another split of them, OptionError for other
    words, which the networks hold, or if no rounds are left.
    """
    saved, before = load_state(run / "state"), _stored(run)
    if saved is None and before is not None:
        cause = f"The run {run} has saved no state yet: it was stopped before that, or is still under way."
        raise ArtefactError(cause, f"Go on with it: --resume --out {run}; a fork starts from what it saves.")
    if saved is None or before is None:
        raise ArtefactError(f"{run} holds no saved state.", "Name a run folder that `ganaug fit` made.")
    changed = _changes(before, settings, digest)
    if _SPLIT & set(changed):  # what one holds out, the other has trained on
        raise DataError(
            f"{run} was started with other data, another split of them or another seed.",
            "A fork goes on with the same data, options of data, and seed.",
        )
    if "words" in changed:
        raise OptionError(
            f"{run} was started with other words, and its networks have learned those.",
            "Give the same --words (words=), or fit anew: --out NEW without --fork.",
        )
    if settings.steps is not None and settings.steps <= saved.step:
        raise OptionError(
            f"{run} has played {saved.step} rounds, and {settings.steps} are asked for.",
            "Give more: --steps counts from its beginning.",
        )
    cause = f"forked from a run at step {saved.step}; changed: {', '.join(changed) or 'nothing'}"
    fork = Intervention("fork", saved.step, saved.step, cause)
    return dataclasses.replace(saved, log_bytes=0, sums={}, interventions=(*saved.interventions, fork))


def wanted(settings: FitSettings, digest: str) -> dict[str, Any]:
    """What a resume must agree with; of a recipe from a file also what is in the file."""
    file, own, _ = settings.recipe.rpartition(":")
    code = sha256(Path(file).read_bytes()) if own and Path(file).is_file() else ""
    return {**settings.recorded(), "data": digest, "recipe file": code}


def _changes(before: dict[str, Any], settings: FitSettings, digest: str) -> list[str]:
    """Names of what differs; the device may."""
    now = wanted(settings, digest)
    kept = {name: value for name, value in before.items() if name not in _OWN}
    changed = [name for name in now.keys() | kept.keys() if now.get(name) != kept.get(name)]
    return sorted(name for name in changed if name != "device")


def _difference(name: str, was: Any, now: Any) -> str:
    """A setting with its values, where they are something to read."""
    if isinstance(was, dict) and isinstance(now, dict):
        inner = sorted(one for one in was.keys() | now.keys() if was.get(one) != now.get(one))
        return f"{name} ({', '.join(_difference(one, was.get(one), now.get(one)) for one in inner)})"
    if name in ("data", "recipe file"):
        return name
    return f"{name} (was {'not given' if was is None else was}, now {'not given' if now is None else now})"
