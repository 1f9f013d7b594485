"""What `ratio=` means: a synthetic share given by the user, or the one that the run's benchmark arrived at."""

from __future__ import annotations

import math
import warnings

from ganaug.classifier.use import Use, use_named
from ganaug.errors import NoVerdictError, OptionError, UseWarning
from ganaug.samples.run import Loadable, as_loaded
from ganaug.samples.verdict import refuse_harmful, verdict_of

MODES = ("replace", "append", "balance")
DEFAULT = 0.25
BALANCED = {
    "sampling": "balanced sampling (every class equally often in a batch, and the share of each class in it)",
    "weights": "class weights in the loss",
}


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


def benched_use(run: Loadable) -> str:
    """The use of synthetic images that the bench found to help, by name; "plain" where nothing helped.

    Raises NoVerdictError if the run was not benchmarked.
    """
    found = verdict_of(as_loaded(run))
    if found is None:
        raise NoVerdictError(
            "use='auto' needs a verdict, and this run has not been benchmarked.",
            "Run `ganaug bench DATA --test TEST --run RUN` first, or name a use.",
        )
    name = found[1].get("use", "plain") if found[1]["verdict"] == "helps" else "plain"
    if not isinstance(name, str):
        raise NoVerdictError(
            f"The verdict in {found[0]} has no usable use of synthetic images.", "Run `ganaug bench` again."
        )
    return name


def warn_of_verdict(run: Loadable, ratio: float | str | None, carrier: str, *, depth: int = 4) -> None:
    """With "auto", warn of what the verdict rests on that what is served cannot keep. carrier: what cannot carry a
    use of synthetic images, as the subject of a sentence. depth: of the user's call, for the warning."""
    for said in caveats(run, ratio, carrier):
        warnings.warn(said, UseWarning, stacklevel=depth)


def caveats(run: Loadable, ratio: float | str | None, carrier: str) -> list[str]:
    """The sentences of `warn_of_verdict`."""
    found = verdict_of(as_loaded(run)) if ratio == "auto" else None
    if found is None or found[1]["verdict"] != "helps":
        return []
    said, name = [], benched_use(run)
    if use_named(name) != Use():
        said.append(
            f"The gain was measured with the use of synthetic images {name!r}: {use_named(name)}. {carrier} cannot "
            "carry that. ganaug.SynthMix(run, ratio='auto', use='auto') has loss weight and label smoothing in its "
            "labels."
        )
    balance = found[1].get("arms", {}).get("with", {}).get("balance", "")
    if balance in BALANCED:
        said.append(f"The gain was measured with {BALANCED[balance]}: train with that, or give a ratio as a number.")
    if found[1].get("settings", {}).get("quick"):
        said.append(
            f"The verdict in {found[0]} comes from a quick bench (fewer seeds, steps and arms): run `ganaug bench` "
            "without --quick before you rely on it."
        )
    return said


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
