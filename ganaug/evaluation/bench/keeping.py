"""The verdict that a run keeps when it is benched more than once: not always the last one.

A bench that is withheld says nothing, one on other images than those of the fit says less than one on these, and one
with --quick less than a full one: none of them replaces a verdict that says more about the same generator. All benches
of a generator are counted, those of what was chosen among its samples too, and the more there were, the more it takes
to say `helps`: nobody benches until the word pleases.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganaug.errors import ArtefactError
from ganaug.evaluation.bench.verdict import HELPS, LEVEL, WITHHELD, Interval
from ganaug.files.integrity import sealed, write_atomically
from ganaug.generator.folder import CHOICE_FOLDER, hash_of, run_folder
from ganaug.samples.run import Run
from ganaug.samples.verdict import weight

_NUMBERS = ("mean", "low", "high", "p")


def identity(settings: dict[str, Any], metric: str, images: int, difference: dict[str, Any]) -> dict[str, Any]:
    """By what a bench is known when it is run again. images: of the test set."""
    return {
        "quick": settings["quick"],
        "seed": settings["seed"],
        "metric": metric,
        "test images": images,
        **{name: difference[name] for name in _NUMBERS},
    }


def earlier_benches(home: Path, this: dict[str, Any]) -> list[dict[str, Any]]:
    """All other benches of the generator in a run folder, and of RUN/choice, oldest first. home: either of the two;
    this: the `identity` of the bench that asks."""
    whole, found = run_folder(home), []
    if whole is None:
        return []
    generator = hash_of(whole)
    for place in (whole, whole / CHOICE_FOLDER):
        verdict = _read(place)
        if verdict is not None and verdict.get("run generator", verdict.get("generator")) == generator:
            found += verdict.get("benches", [_entry(verdict)])
    others = {tuple(sorted(_known_by(one).items())): one for one in found if _known_by(one) != this}
    return sorted(others.values(), key=lambda one: one["date"])


def looks(earlier: list[dict[str, Any]], quick: bool) -> int:
    """How many benches with a verdict, this one with them, had the chance to say the word. Quick ones do not count for
    a full one, which replaces them whatever it says."""
    return 1 + sum(one["verdict"] != WITHHELD and (quick or not one["quick"]) for one in earlier)


def notes_on_earlier(home: Path, results: dict[str, Any], earlier: list[dict[str, Any]]) -> list[str]:
    """What the reader of a further bench must know, in plain sentences."""
    if not earlier:
        return []
    words = ", ".join(f"{one['verdict']}{' (quick)' if one['quick'] else ''} on {one['date']}" for one in earlier)
    notes, times = [f"This generator was benched before: {words}."], results["looks"]
    if times > 1 and results["verdict"] != WITHHELD:
        corrected = min(1.0, times * results["difference"]["p"])
        above = results["difference"]["low"] > 0 and results["verdict"] != HELPS
        notes.append(
            f"Whoever looks {times} times finds something by chance sooner: p is {corrected:.2g} with that allowed for "
            f"(Bonferroni){f', too much for `{HELPS}`' if above else ''}."
        )
    old = _kept(home, results["generator"])
    if old is not None and weight(results) < weight(old):
        foreign = not results["data"].get("of the fit", True)
        why = "is withheld" if results["verdict"] == WITHHELD else "is on other images" if foreign else "is a quick one"
        notes.append(f"The run keeps its verdict `{old['verdict']}`, because this bench {why}.")
    return notes


def keep_verdict(home: Path, results: dict[str, Any], earlier: list[dict[str, Any]]) -> None:
    """Write `verdict.json` of a run folder or RUN/choice: these results, or those that were there if they say more; and
    all benches of this generator."""
    old = _kept(home, results["generator"])
    said = results if old is None or weight(results) >= weight(old) else old
    write_atomically(home / "verdict.json", sealed({**said, "benches": [*earlier, _entry(results)]}))


def enough(interval: Interval, times: int) -> bool:
    """Whether a gain is still one after so many looks (Bonferroni)."""
    return times == 1 or times * interval.p < 1 - LEVEL


def _read(home: Path) -> dict[str, Any] | None:
    try:
        return Run(home).verdict
    except ArtefactError:
        return None


def _kept(home: Path, generator: str) -> dict[str, Any] | None:
    verdict = _read(home)
    return verdict if verdict is not None and verdict.get("generator") == generator else None


def _entry(results: dict[str, Any]) -> dict[str, Any]:
    known = identity(results["settings"], results["metric"], results["data"]["test"]["images"], results["difference"])
    return {"date": results["date"], "verdict": results["verdict"], "ratio": results["ratio"], **known}


def _known_by(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in ("date", "verdict", "ratio")}
