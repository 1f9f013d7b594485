"""The verdict that a run keeps when it is benched more than once: not always the last one.

A bench that is withheld says nothing, one on other images than those of the fit says less than one on these, and one
with --quick less than a full one: none of them replaces a verdict that says more about the same generator. All benches
are counted, so that nobody benches until the word pleases unnoticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganaug.benchmark.verdict import WITHHELD
from ganaug.errors import ArtefactError
from ganaug.generator import Run
from ganaug.generator.integrity import sealed, write_atomically


def earlier_benches(home: Path, generator: str) -> list[dict[str, Any]]:
    """Of this very generator, oldest first; none where the run folder has no verdict on it, or one that is damaged."""
    found = _kept(home, generator)
    return [] if found is None else found.get("benches", [_entry(found)])


def notes_on_earlier(home: Path, results: dict[str, Any]) -> list[str]:
    """What the reader of a further bench must know, in plain sentences."""
    this = _entry(results)
    before = [one for one in earlier_benches(home, results["generator"]) if not _same(one, this)]
    if not before:
        return []
    words = ", ".join(f"{one['verdict']}{' (quick)' if one['quick'] else ''} on {one['date']}" for one in before)
    notes = [f"This generator was benched before: {words}."]
    judged = sum(one["verdict"] != WITHHELD for one in before)
    if judged and results["verdict"] != WITHHELD:
        corrected = min(1.0, (judged + 1) * results["difference"]["p"])
        notes.append(f"Whoever looks {judged + 1} times finds something by chance sooner: p is {corrected:.2g} with "
                     "that allowed for (Bonferroni).")  # fmt: skip
    old = _kept(home, results["generator"])
    if old is not None and _rank(results) < _rank(old):
        foreign = not results["data"].get("of the fit", True)
        why = "is withheld" if results["verdict"] == WITHHELD else "is on other images" if foreign else "is a quick one"
        notes.append(f"The run keeps its verdict `{old['verdict']}`, because this bench {why}.")
    return notes


def keep_verdict(home: Path, results: dict[str, Any]) -> None:
    """Write `verdict.json` of a run folder: these results, or those that were there if they say more; and all benches
    of this generator."""
    old, this = _kept(home, results["generator"]), _entry(results)
    benches = [one for one in earlier_benches(home, results["generator"]) if not _same(one, this)] + [this]
    said = results if old is None or _rank(results) >= _rank(old) else old
    write_atomically(home / "verdict.json", sealed({**said, "benches": benches}))


def _kept(home: Path, generator: str) -> dict[str, Any] | None:
    try:
        verdict = Run(home).verdict
    except ArtefactError:
        return None
    return verdict if verdict is not None and verdict.get("generator") == generator else None


def _rank(results: dict[str, Any]) -> int:
    if results["verdict"] == WITHHELD:
        return 0
    own = results.get("data", {}).get("of the fit", True)
    return 1 + 2 * own + (not results.get("settings", {}).get("quick"))


def _entry(results: dict[str, Any]) -> dict[str, Any]:
    difference = results["difference"]
    return {
        "date": results["date"],
        "verdict": results["verdict"],
        "ratio": results["ratio"],
        "quick": results["settings"]["quick"],
        "seed": results["settings"]["seed"],
        "metric": results["metric"],
        "test images": results["data"]["test"]["images"],
        **{name: difference[name] for name in ("mean", "low", "high", "p")},
    }


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two entries are one bench, run again."""
    return {**one, "date": ""} == {**other, "date": ""}
