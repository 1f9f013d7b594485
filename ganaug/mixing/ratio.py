"""What `ratio=` means: a synthetic share given by the user, or the one that the run's benchmark arrived at."""

from __future__ import annotations

import math

from ganaug.errors import NoVerdictError, OptionError
from ganaug.generator import Loadable, as_loaded
from ganaug.serving import refuse_harmful, verdict_of

MODES = ("replace", "append", "balance")
DEFAULT = 0.25


def resolve(run: Loadable, mode: str, ratio: float | str | None, force: bool = False) -> float:
    """The synthetic share of what is served, as a number; 0 for mode "balance", which takes none.

    "auto" reads the verdict of `ganaug bench` in the run folder: its ratio is above 0 only if synthetic images helped.
    Anything else asks for images of a run whose verdict may be `harms`, which takes `force`. Raises OptionError for an
    impossible ratio, NoVerdictError if "auto" is asked of a run that was not benchmarked, HarmfulError.
    """
    if mode not in MODES:
        raise OptionError(f"There is no mode {mode!r}.", f"Choose one of: {', '.join(MODES)}.")
    if mode == "balance":
        if ratio is not None:
            raise OptionError("mode='balance' takes no ratio.", "Leave it out, or use mode='append'.")
        refuse_harmful(as_loaded(run), force)
        return 0.0
    if ratio == "auto":
        return _benchmarked(run, mode)
    share = DEFAULT if ratio is None else ratio
    if isinstance(share, (str, bool)) or not math.isfinite(share) or not 0 <= share <= 1:
        raise OptionError(f"ratio={ratio!r} is not a share.", "Give a number from 0 to 1, or 'auto'.")
    if mode == "append" and share == 1:
        raise OptionError("No number of added images makes all of them synthetic.", "Give a ratio below 1.")
    if share > 0:
        refuse_harmful(as_loaded(run), force)
    return float(share)


def _benchmarked(run: Loadable, mode: str) -> float:
    found = verdict_of(as_loaded(run))
    if found is None:
        raise NoVerdictError(
            "ratio='auto' needs a verdict, and this run has not been benchmarked.",
            "Run `ganaug bench DATA --test TEST --run RUN` first, or give a number.",
        )
    folder, verdict = found
    ratio = verdict.get("ratio")
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio <= 1:
        raise NoVerdictError(f"The verdict in {folder} has no usable ratio ({ratio!r}).", "Run `ganaug bench` again.")
    if ratio > 0 and verdict.get("mode", mode) != mode:
        raise OptionError(
            f"The verdict in {folder} holds for mode={verdict['mode']!r}, not {mode!r}.",
            f"Use mode={verdict['mode']!r}, or give a ratio as a number.",
        )
    return float(ratio)
