"""What a bench found about a run, to whoever is about to serve its images."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.data.spec import Size
from ganaug.errors import ArtefactError, HarmfulError, NoEvidenceWarning, NoVerdictError, WithheldWarning
from ganaug.generator.folder import Fitted, hash_of, run_folder, serving_folder
from ganaug.samples.elsewhere import Elsewhere
from ganaug.samples.run import Run, withheld


def verdict_of(fitted: Fitted) -> tuple[Path, dict[str, Any]] | None:
    """The run folder (or RUN/choice) and the verdict on this very generator; None where it was not benchmarked.

    Raises NoVerdictError for the verdict on another generator (the run was fitted on since, or chosen from anew),
    ArtefactError for a verdict that cannot be read.
    """
    folder = serving_folder(fitted)
    verdict = None if folder is None else Run(folder).verdict
    if folder is None or verdict is None:
        return None
    if verdict.get("generator", fitted.hash) != fitted.hash:
        why = "the run was fitted on since" if fitted.choice is None else "the run was fitted on or chosen from since"
        raise NoVerdictError(f"The verdict in {folder} is about another generator: {why}.", "Run `ganaug bench` again.")
    return folder, verdict


def weight(verdict: dict[str, Any]) -> int:
    """How much a verdict says: nothing (0) if it is withheld; on the images of the fit more than on others, and there a
    full bench more than a quick one."""
    if verdict["verdict"] == "withheld":
        return 0
    own = verdict.get("data", {}).get("of the fit", True)
    return 1 + 2 * own + (not verdict.get("settings", {}).get("quick"))


def refuse_harmful(fitted: Fitted | Elsewhere, force: bool) -> None:
    """Raises HarmfulError, unless forced, for a generator whose images were found to harm a classifier.

    Nothing is known of images that were made elsewhere: their verdict is where their bench was told to write it.
    A generator without a verdict, or with one about an earlier state of the run, is served. What is chosen among the
    samples of a run has the run's `harms`, too, unless a bench of its own says as much as the run's and something else.
    """
    if force or isinstance(fitted, Elsewhere):
        return
    where = serving_folder(fitted)
    own = _fresh(where, fitted.hash)
    whole = None if fitted.choice is None else run_folder(fitted)
    of_run = None if whole is None else _fresh(whole, hash_of(whole))
    harms = own is not None and own["verdict"] == "harms"
    if not harms and of_run is not None and of_run["verdict"] == "harms":
        harms, where = own is None or weight(own) < weight(of_run), whole
    if harms:
        raise HarmfulError(
            f"The verdict on the run {where} is `harms`: a classifier became worse by its images.",
            "Fit a better generator and bench it, use ratio='auto' (here: none), or serve them all the same: "
            "force=True (--force).",
        )


def _fresh(folder: Path | None, generator: str) -> dict[str, Any] | None:
    """The verdict in a folder; None if there is none, or one on another generator."""
    verdict = None if folder is None else Run(folder).verdict
    return verdict if verdict is not None and verdict.get("generator", generator) == generator else None


@dataclass(frozen=True)
class Measured:
    """The classifier that a verdict rests on, in words. native: whether it was given the real images at their own size,
    not at the generator's. size: (height, width) in px at which it was given them, None where that is not told."""

    words: str = "small network, at the generator's"
    native: bool = False
    size: Size | None = None


def measured_with(verdict: dict[str, Any]) -> Measured:
    """Of any verdict; those of earlier versions rest on the small network."""
    told = verdict.get("classifier")
    if not isinstance(told, dict):
        return Measured()
    size: Any = told.get("size")
    sides = size if isinstance(size, list) else [size, size]
    known = len(sides) == 2 and all(type(side) is int and side > 0 for side in sides)
    words, native = str(told.get("words", "a classifier")), told.get("native") is True
    return Measured(words, native, (sides[0], sides[1]) if known else None)


def own_verdict(fitted: Fitted) -> dict[str, Any] | None:
    """The verdict on this very generator; None where there is none that can be read."""
    try:
        return _fresh(serving_folder(fitted), fitted.hash)
    except ArtefactError:
        return None


def warn_of_no_evidence(fitted: Fitted, *, depth: int) -> None:
    """Say that a bench found nothing. depth: of the user's call."""
    verdict = own_verdict(fitted)
    if verdict is not None and verdict["verdict"] == "no evidence":
        warnings.warn(
            "The bench of this run found no evidence that its images help a classifier: leave them out, as "
            "ratio='auto' (--ratio auto) does, or bench again after a better fit (`ganaug doctor RUN` says what to "
            "turn) or on more test images.",
            NoEvidenceWarning,
            stacklevel=depth + 1,
        )


def warn_of_withheld(fitted: Fitted, asked: Iterable[str]) -> None:
    """Name the classes that were asked for and that the choice does not serve, to who calls the caller."""
    names = [name for name in asked if fitted.spelled(name) in withheld(fitted)]
    if names:
        warnings.warn(
            f"The choice withholds {', '.join(map(repr, names))}: too few samples pass its rules. There are no "
            "synthetic images of them. Choose less strictly, fit for longer, or name the run in place of its choice.",
            WithheldWarning,
            stacklevel=3,
        )
