"""What a bench found about a run, to whoever is about to serve its images."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ganaug.errors import HarmfulError, NoVerdictError, WithheldWarning
from ganaug.generator import Fitted, Run, hash_of, run_folder, serving_folder


def verdict_of(fitted: Fitted) -> tuple[Path, dict[str, Any]] | None:
    """The run folder (or RUN/choice) and the verdict on this very generator; None where it was not benchmarked.

    Raises NoVerdictError for the verdict on another generator (the run was fitted on since), ArtefactError for a
    verdict that cannot be read.
    """
    folder = serving_folder(fitted)
    return None if folder is None else _verdict_in(folder, fitted.hash)


def _verdict_in(folder: Path, generator: str) -> tuple[Path, dict[str, Any]] | None:
    verdict = Run(folder).verdict
    if verdict is None:
        return None
    if verdict.get("generator", generator) != generator:
        raise NoVerdictError(
            f"The verdict in {folder} is about another generator: the run was fitted on since.",
            "Run `ganaug bench` again.",
        )
    return folder, verdict


def refuse_harmful(fitted: Fitted, force: bool) -> None:
    """Raises HarmfulError, unless forced, for a generator whose images were found to harm a classifier.

    A generator without a verdict, or with one about an earlier state of the run, is served. What is chosen among the
    samples of a run, and has no verdict of its own, has that of the run.
    """
    if force:
        return
    try:
        found = verdict_of(fitted)
        whole = None if found is not None or fitted.choice is None else run_folder(fitted)
        if whole is not None:
            found = _verdict_in(whole, hash_of(whole))
    except NoVerdictError:
        return
    if found is not None and found[1]["verdict"] == "harms":
        raise HarmfulError(
            f"The verdict on the run {found[0]} is `harms`: a classifier became worse by its images.",
            "Fit a better generator and bench it, use ratio='auto' (here: none), or serve them all the same: "
            "force=True (--force).",
        )


def warn_of_withheld(fitted: Fitted, asked: Iterable[str]) -> None:
    """Name the classes that were asked for and that the choice does not serve, to who calls the caller."""
    withheld = set() if fitted.choice is None else set(fitted.choice.withheld)
    names = [name for name in asked if name in withheld]
    if names:
        warnings.warn(
            f"The choice withholds {', '.join(map(repr, names))}: too few samples pass its rules. There are no "
            "synthetic images of them. Choose less strictly, fit for longer, or name the run in place of its choice.",
            WithheldWarning,
            stacklevel=3,
        )
