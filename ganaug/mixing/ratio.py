"""What `ratio=` means: a synthetic share given by the user, or the one that the run's bench arrived at."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from ganaug.classifier.remedies import REMEDIES
from ganaug.classifier.use import Use, use_named
from ganaug.data.spec import KINDS, Size
from ganaug.errors import EnlargedWarning, NoVerdictError, OptionError, UseWarning
from ganaug.generator.folder import Fitted
from ganaug.samples.elsewhere import Elsewhere
from ganaug.samples.enlarged import BENCH, enlargement
from ganaug.samples.verdict import measured_with, refuse_harmful, verdict_of

MODES = ("replace", "append", "balance")
DEFAULT = 0.25


@dataclass(frozen=True)
class Share:
    """What is to be served. ratio: the synthetic share, as a number; 0 for mode "balance", which takes none. place,
    verdict: a folder, and the verdict in it that "auto" rests on; None where a number was given."""

    ratio: float
    place: Path | None = None
    verdict: dict[str, Any] | None = None

    @property
    def use(self) -> str:
        """The use of synthetic images that the bench found to help, by name; "plain" where nothing helped."""
        if self.verdict is None or self.verdict["verdict"] != "helps":
            return "plain"
        name = self.verdict.get("use", "plain")
        if not isinstance(name, str):
            raise NoVerdictError(
                f"The verdict in {self.place} has no usable use of synthetic images.", "Run `ganaug bench` again."
            )
        return name

    def at_size(self, fitted: Fitted, size: Size | None = None, *, depth: int) -> Share:
        """The same; or none, which is told, where "auto" rests on small images and the real ones are far larger.

        size: of the real images, by default the usual one of those of the fit. depth: of the user's call.
        """
        if self.verdict is None or not self.ratio:
            return self
        said, by = enlargement(fitted.card, size), measured_with(self.verdict)
        if not said or by.native:
            return self
        warnings.warn(
            f"{said} ratio='auto' takes none, since the verdict in {self.place} is about another size ({by.words}): "
            f"measure at that of your images, {BENCH}.",
            EnlargedWarning,
            stacklevel=depth + 1,
        )
        return Share(0.0)

    def caveats(self, carrier: str) -> list[str]:
        """What the verdict rests on that what is served cannot keep. carrier: what cannot carry a use of synthetic
        images, as the subject of a sentence."""
        if self.verdict is None or self.verdict["verdict"] != "helps":
            return []
        said, use = [], use_named(self.use)
        data = self.verdict.get("data", {})
        items = KINDS.get(len(data.get("shape", ())), "images")
        if use != Use():
            said.append(
                f"The gain was measured with the use {self.use!r} of synthetic {items}: {use}. {carrier} cannot carry "
                "that."
            )
        if use != Use() and items == "images":
            said[-1] += (
                " ganaug.SynthMix(run, ratio='auto', use='auto') has loss weight and label smoothing in its labels."
            )
        remedy = REMEDIES.get(self.verdict.get("arms", {}).get("with", {}).get("remedy", ""))
        if remedy is not None and remedy.advice:
            said.append(f"The gain was measured with {remedy.advice}: train with that, or give a ratio as a number.")
        if self.verdict.get("settings", {}).get("quick"):
            said.append(
                f"The verdict in {self.place} comes from a quick bench (fewer seeds, steps and alternatives): run "
                "`ganaug bench` without --quick before you rely on it."
            )
        return said

    def warn(self, carrier: str, *, depth: int) -> None:
        """Warn of the caveats. depth: of the user's call."""
        for said in self.caveats(carrier):
            warnings.warn(said, UseWarning, stacklevel=depth + 1)


def resolve(fitted: Fitted | Elsewhere, mode: str, ratio: float | str | None, force: bool = False) -> Share:
    """What `ratio` asks for, in a mode of `MODES`.

    "auto" reads the verdict of `ganaug bench` in the run folder: its ratio is above 0 only if synthetic images helped.
    Whether that was measured at the size of the real images is asked next (`Share.at_size`).
    Anything else asks for images of a run whose verdict may be `harms`, which takes `force`. Raises OptionError for an
    impossible ratio, NoVerdictError if "auto" is asked of a run that was not benchmarked, HarmfulError.
    """
    if mode not in MODES:
        raise OptionError(f"There is no mode {mode!r}.", f"Choose one of: {', '.join(MODES)}.")
    if mode == "balance":
        if ratio is not None:
            raise OptionError("mode='balance' takes no ratio.", "Leave it out, or use mode='append'.")
        refuse_harmful(fitted, force)
        return Share(0.0)
    if ratio == "auto":
        return _benched(fitted, mode)
    share = DEFAULT if ratio is None else ratio
    if isinstance(share, bool) or not isinstance(share, Real) or not 0 <= share <= 1:  # refuses NaN, too
        raise OptionError(f"ratio={ratio!r} is not a share.", "Give a number from 0 to 1, or 'auto'.")
    if mode == "append" and share == 1:
        raise OptionError("No number of added images makes all of them synthetic.", "Give a ratio below 1.")
    if share > 0:
        refuse_harmful(fitted, force)
    return Share(float(share))


def verdict_for(fitted: Fitted | Elsewhere, what: str) -> tuple[Path, dict[str, Any]]:
    """The folder and the verdict; raises NoVerdictError if the run was not benchmarked. what: was set to "auto"."""
    if isinstance(fitted, Elsewhere):
        raise NoVerdictError(
            f"{what}='auto' reads the verdict in a run, and these images were made elsewhere.",
            f"Run `ganaug bench DATA --test TEST --synthetic FOLDER --out BENCH`, and give the {what} that it arrives "
            "at (in BENCH/results.json).",
        )
    found = verdict_of(fitted)
    if found is None:
        bench = BENCH if enlargement(fitted.card) else "`ganaug bench DATA --test TEST --run RUN --out BENCH`"
        raise NoVerdictError(
            f"{what}='auto' needs a verdict, and this run has not been benchmarked.",
            f"Run {bench} first, or give a {'number' if what == 'ratio' else what}.",
        )
    return found


def _benched(fitted: Fitted | Elsewhere, mode: str) -> Share:
    folder, verdict = verdict_for(fitted, "ratio")
    ratio = verdict.get("ratio")
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio <= 1:
        raise NoVerdictError(f"The verdict in {folder} has no usable ratio ({ratio!r}).", "Run `ganaug bench` again.")
    if ratio > 0 and verdict.get("mode", mode) != mode:
        raise OptionError(
            f"The verdict in {folder} holds for mode={verdict['mode']!r}, not {mode!r}.",
            f"Use mode={verdict['mode']!r}, or give a ratio as a number.",
        )
    return Share(float(ratio), folder, verdict)
