"""`ganaug doctor`: what is wrong with a run, from its past and, with data, from its samples as they are now."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ganaug.data.spec import KINDS
from ganaug.data.split import hold_out
from ganaug.defaults import usual_defaults
from ganaug.device import resolve_device
from ganaug.errors import ArtefactError, DataError, OptionError
from ganaug.fitting.doctor.checkup import Checkup, Examiner
from ganaug.fitting.doctor.findings import Finding, Question, findings, unanswered
from ganaug.fitting.doctor.history import read_history
from ganaug.game.batches import batches_for
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted, OwnRecipe, rules_of, run_folder
from ganaug.generator.parts import UNLABELLED, FitParts, images_like, refuse_known, require_pairs, vectors_like
from ganaug.options import Reading, as_text, merged
from ganaug.reporting import Report, silent
from ganaug.reporting.notebook import block
from ganaug.samples.run import Loadable, as_loaded


@dataclass(frozen=True)
class Diagnosis:
    """What `ganaug.doctor` found.

    Attributes
    ----------
    findings : tuple of Finding
        Faults first; empty if there are none. Each has name, severity, classes, text and knob: what to try.
    checkups : tuple of Checkup
        What the findings rest on.
    unanswered : tuple of Question
        What the check-ups could not tell, and why.
    notes : tuple of str
        What could not be looked at.
    """

    findings: tuple[Finding, ...]
    checkups: tuple[Checkup, ...]
    unanswered: tuple[Question, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Diagnosis({', '.join(f'{one.severity}: {one.name}' for one in self.findings) or 'nothing wrong'})"

    def _repr_html_(self) -> str:
        return block(repr(self), table="\n".join(self.lines()))

    def to_json(self) -> dict[str, Any]:
        """Give all of it as plain data.

        Returns
        -------
        dict
            Findings, check-ups, unanswered questions and notes.
        """
        told = {name: [one.to_json() for one in getattr(self, name)] for name in ("findings", "checkups", "unanswered")}
        return {**told, "notes": list(self.notes)}

    def lines(self) -> list[str]:
        """Give the findings as lines for a terminal.

        Returns
        -------
        list of str
            Two or three lines for each finding.
        """
        lines = []
        for finding in self.findings:
            of = f" ({', '.join(finding.classes)})" if finding.classes else ""
            lines += [f"{finding.severity}: {finding.name}{of}", f"  {finding.text}", f"  Try: {finding.knob}"]
        if not self.checkups:
            lines.append("The samples were not looked at: no check-up was made.")
        elif not self.findings:
            n = len(self.checkups)
            rest = "; some questions have no answer" if self.unanswered else ""
            lines.append(f"Nothing wrong is found in {n} check-up{'s' * (n > 1)}{rest}.")
        if self.unanswered:
            lines += ["Not answered:", *(f"  {question}" for question in self.unanswered)]
        return [*lines, *self.notes]


@usual_defaults()
def doctor(
    run: Loadable,
    data: Any = None,
    reading: Reading | None = None,
    *,
    pairs: Any = None,
    recipe: OwnRecipe | None = None,
    device: str = "auto",
    report: Report = silent,
    **given: Any,
) -> Diagnosis:
    """Name what is wrong with a finished run, and which knob to turn.

    Check-ups are made during a fit: ten in all, at least 100 rounds apart. With the data another one is made now, for
    runs without a past (a generator folder alone, a very short fit).

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run folder, or a generator folder with `data`.
    data : any source, optional
        What the run was fitted on, in any form that `ganaug.fit` takes.
    reading : Reading, optional
        How the data are read.
    pairs : path or array, optional
        The paired images of the data, where the run learned from pairs.
    recipe : Recipe or callable, optional
        The recipe, for a run that was fitted with one from a file of your own.
    device : str, default "auto"
        Where the samples are looked at.
    report : callable, optional
        Called as `report(phase, done, total, text)`.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    Diagnosis
        Findings, faults first, each with what to try; `lines()` is for people, `to_json()` for programs.

    Raises
    ------
    LabelMismatchError
        The data have other classes.
    DataError
        The run has no past, and there are no data.
    ArtefactError
        A file is damaged.

    Examples
    --------
    >>> import ganaug
    >>> found = ganaug.doctor("runs/digits", "digits")
    >>> len(found.checkups)
    1
    >>> isinstance(found.lines()[0], str)
    True
    """
    fitted = as_loaded(run)
    reading = merged(Reading, reading, given)
    if data is None and (pairs is not None or device != "auto" or reading.said()):
        raise OptionError(
            "Options that say how data are read or judged change nothing where no data are given.",
            "Give data (DATA), or leave them out.",
        )
    fitted.refuse_idle(pairs=pairs)
    history = read_history(run_folder(fitted) or Path(fitted.path))
    checkups, notes = list(history.checkups), []
    if data is not None:
        checkups = [checkup for checkup in checkups if checkup.step < fitted.card.steps]
        checkups.append(_now(fitted, data, reading, pairs, recipe, device, report))
        notes.append("The newest check-up is of the generator alone: its discriminator is not kept.")
    more = f"DATA{' --pairs FOLDER' * bool(fitted.card.pair)}"
    if not checkups and not history.losses:
        raise DataError(
            f"{fitted.path} has no past: there is no metrics.jsonl beside it.",
            f"Give {_wanted(fitted.card)}: ganaug doctor {as_text(fitted.path)} {more}",
        )
    if not checkups:
        notes.append(
            "The fit was too short for check-ups. Give the data that it was fitted on, and its samples are looked at "
            f"now: ganaug doctor {as_text(run_folder(fitted) or fitted.path)} {more}"
        )
    card, advised = fitted.card, 0
    with contextlib.suppress(ArtefactError):  # a recipe of the user's own, which is not at hand
        advised = rules_of(card, recipe).advised
    known = {name: card.counts[name] for name in card.classes}, card.steps, advised, KINDS[len(card.shape)]
    held_out = len(card.held_out) / max(1, len(card.fingerprints) + len(card.held_out))
    try:
        past = replace(history, checkups=tuple(checkups)).past(*known, held_out)
        found, left = findings(past), unanswered(past)
    except (TypeError, ValueError, IndexError, KeyError, ArithmeticError) as error:
        raise ArtefactError(
            f"The log of {fitted.path} tells of another game than the card: {error}.", "Fit the run again."
        ) from error
    return Diagnosis(found, tuple(checkups), left, tuple(notes))


def _wanted(card: Card) -> str:
    return "images of its classes" if card.described else "the data that it was fitted on"


def _now(
    fitted: Fitted, data: Any, reading: Reading, pairs: Any, recipe: OwnRecipe | None, device: str, report: Report
) -> Checkup:
    card = fitted.card
    rules = rules_of(card, recipe)
    images = len(card.shape) == 3
    if not images:
        refuse_known(card, reading)
    items = images_like(card, data, reading, pairs=pairs, report=report) if images else vectors_like(card, data)
    require_pairs(card, items)
    items = items.unlabelled() if card.classes == UNLABELLED else items
    items.require_classes(card.classes, f"Give {_wanted(card)}.")
    items = items.in_order(card.classes, "The data")
    parts = FitParts(items, card)
    both = 0 < parts.inside.sum() < len(parts.inside)  # else a division of our own
    sides = (parts.seen, parts.unseen) if both else hold_out(items)
    chosen = torch.device(resolve_device(device))
    owned = {name for player in rules.players for name in player.owns}
    others = {name: net for name, net in rules.networks(card.spec, card.prior).items() if name not in owned}
    nets = {name: net.to(chosen).eval() for name, net in {**others, **fitted.networks}.items()}
    training, validation = (batches_for(rules, part, chosen) for part in sides)
    return Examiner(rules, training, validation, card.seed, chosen).examine(nets, card.steps)
