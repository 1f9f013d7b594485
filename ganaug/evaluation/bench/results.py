"""What a bench found, as plain data (`results.json`) and as lines for a terminal."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ganaug.classifier.remedies import REMEDIES, remedy_named
from ganaug.data.spec import KINDS
from ganaug.reporting import printable
from ganaug.reporting.notebook import block

SUFFIX = {"rows": ".csv", "series": ".npz"}
WORDS = {
    "helps": "Synthetic {} help",
    "no evidence": "No evidence that synthetic {} help or harm",
    "harms": "Synthetic {} harm",
    "withheld": "The verdict is withheld",
}
MOST = {
    "helps": "What helps most, chosen on the validation {}",
    "no evidence": "No remedy is known to help. The best one on the validation {}",
    "harms": "No remedy helps. The best one on the validation {0} did harm on the test {0}",
    "withheld": "The verdict on what helps most is withheld. The best one on the validation {}",
}


@dataclass(frozen=True)
class Results:
    """What `ganaug.bench` found.

    Attributes
    ----------
    data : dict
        The content of `results.json`.
    folder : Path
        Where it, `report.html` and the trainings lie.
    """

    data: dict[str, Any]
    folder: Path

    def __repr__(self) -> str:
        synthetic = f"synthetic {items_of(self.data)}: {self.verdict}, " if self.verdict else ""
        return f"Results({str(self.folder)!r}, {synthetic}what helps most: {self.data['most']['verdict']})"

    def _repr_html_(self) -> str:
        page = f'<p><a href="{escape(str(self.report_path))}">report.html</a></p>'
        return block(repr(self), table=self.table()) + page

    @property
    def verdict(self) -> str | None:
        """Of synthetic images: "helps", "no evidence", "harms" or "withheld"; None where there are none."""
        return self.data["verdict"]

    @property
    def ratio(self) -> float:
        """The synthetic share to use: above 0 only if the verdict is `helps`."""
        return self.data["ratio"]

    @property
    def report_path(self) -> Path:
        """The page with all figures, for a browser."""
        return self.folder / "report.html"

    def table(self) -> str:
        """Give the results as a table for a terminal.

        Returns
        -------
        str
            Several lines.
        """
        return table(self.data)


def items_of(data: dict[str, Any]) -> str:
    """What a bench was about: "images", "rows" or "series"."""
    return KINDS[len(data["data"]["shape"])]


def most_sentence(data: dict[str, Any]) -> str:
    """What helps most, in words, with the interval it rests on."""
    most, asked = data["most"], data["asked"]["words"]
    metric, arms, items = data["metric"], most["arms"], items_of(data)
    reasons = " " + " ".join(data["reasons"]) if most["verdict"] == "withheld" else ""
    if most["none"]:
        score = arms["as it is"]["test"][metric]
        has = f"{score:.1%} {metric} on the test {items}.{reasons}"
        if not data["settings"]["remedies"]:
            return f"No remedy was asked for. As it is, {the(asked)} has {has}"
        own = " of the network that you will use" if data["settings"].get("deploy") else ""
        return (
            f"No remedy{own} that was tried did better on the validation {items} than {the(asked)} as it is, which has "
            f"{has}"
        )
    change = most["difference"]
    before, after = (arms[side]["test"][metric] for side in ("as it is", "best"))
    return (
        f"{MOST[most['verdict']].format(items)}: {arms['best']['name']}. {metric.capitalize()} on "
        f"{data['data']['test']['images']} test {items} changed by {points(change['mean'])} points, "
        f"from {before:.1%} to {after:.1%} ({change['level']:.0%} interval {points(change['low'])} to "
        f"{points(change['high'])}), compared with {the(asked)} as it is.{reasons}"
    )


def the(classifier: str) -> str:
    """The words for a classifier within a sentence."""
    return classifier if classifier.startswith("your ") else f"the {classifier}"


def may_flatter(data: dict[str, Any]) -> str:
    """Of rows of the ladder that may be higher on the test set than what was chosen; "" where there are none."""
    if all(rung["why not"] for rung in data["ladder"][1:]):
        return ""
    return (
        "The best was chosen on the validation {0}. Another row may be higher on the test {0}; choosing by these would "
        "flatter it."
    ).format(items_of(data))


def sentence(data: dict[str, Any], source: str = "") -> str:
    """The verdict on synthetic images in words, with the interval it rests on. source: their name, if there are
    several."""
    change, arms, items = data["difference"], data["arms"], items_of(data)
    said = WORDS[data["verdict"]].format(items)
    if data["verdict"] == "withheld":
        said += ": " + " ".join(data["reasons"])
    elif data["verdict"] == "no evidence" and change["low"] > 0:
        said += f": a gain, but not enough after {data['looks']} benches of one generator."
    else:
        said += "."
    return (
        f"{source + ': ' if source else ''}{said} {data['metric'].capitalize()} on {data['data']['test']['images']} "
        f"test {items} changed by {points(change['mean'])} points ({change['level']:.0%} interval "
        f"{points(change['low'])} to {points(change['high'])}) when {_share(arms['with'], items)} joined "
        f"'{arms['without']['name']}', over {len(change['per_seed'])} paired "
        f"seed{'s' if len(change['per_seed']) != 1 else ''}. This holds for this "
        f"generator (or folder), this data set, and this classifier: {data['classifier']['words']}."
    )


def _share(arm: dict[str, Any], items: str) -> str:
    """Of synthetic items, and their use."""
    return f"{arm['ratio']:.0%} synthetic {items}" + (f" (use: {arm['use']})" if arm["use"] != "plain" else "")


def next_step(data: dict[str, Any], run: str = "") -> tuple[str, str]:
    """What to do now: a sentence, and the command that it speaks of, or "". run: folder of the generator, if any."""
    again = data["command"] if "<" not in data["command"] else ""
    if data["reasons"]:
        return _to_mend(data["reasons"], again)
    if data["settings"]["quick"]:
        how = "Run this before you rely on it" if again else "Call it again without quick=True before you rely on it"
        return _from_file(how, "quick", again, _less(again, "--quick"))
    most, items = data["most"], items_of(data)
    if data["verdict"] == "helps" and items != "images":
        write = f"ganaug augment {run} --ratio auto --out synthetic{SUFFIX[items]}" if run else ""
        return f"Add the synthetic {items} to yours{', after you have written them' if run else ''}", write
    if data["verdict"] == "helps" and run:
        return 'Serve them in Python by ganaug.mix(your_dataset, run, ratio="auto"), or write them', (
            f"ganaug augment {run} --ratio auto --out synthetic"
        )
    if data["verdict"] == "helps":
        return f"Serve them in Python: ganaug.mix(your_dataset, folder, ratio={data['ratio']:g}).", ""
    look = f"ganaug doctor {run}" if run and data["verdict"] == "harms" else ""
    why = ". The doctor says what may be wrong with them" if look else "."
    out = "" if data["verdict"] is None else f"leave synthetic {items} out"
    if most["verdict"] == "helps":
        advice = "; ".join(filter(None, (remedy_named(name).advice for name in most["remedies"] if name in REMEDIES)))
        best = f"Train as the best one was: {most['arms']['best']['name']}"
        return "; ".join(filter(None, (best, advice and f"that is, with {advice}", out))) + why, look
    if not data["settings"]["remedies"]:
        return _from_file("Let it try remedies, too", "remedies", again, _less(again, "--remedies", value="none"))
    left = "More labelled images, or unlabelled ones (--unlabelled FOLDER), are what is left"
    if items != "images":
        return f"More labelled {items} are what is left.", ""
    return f"{left}.", ""


def _less(command: str, option: str, value: str = "") -> str:
    """A command without an option, and its value. What cannot be typed stands behind it, as a comment."""
    command, mark, comment = command.partition(" # ")
    words = shlex.split(command)
    for place in reversed(range(len(words))):
        if words[place : place + 2] == [option, value] and value:
            del words[place : place + 2]
        elif words[place] == (f"{option}={value}" if value else option):
            del words[place]
    return shlex.join(words) + mark + comment


def _from_file(how: str, option: str, again: str, command: str) -> tuple[str, str]:
    """What to do, where the option may be said in a file of options."""
    file = "--config" in shlex.split(again.partition(" # ")[0]) and command == again
    return f"{how}, with {option} taken out of the file of --config" if file else how, command


def _to_mend(reasons: Sequence[str], again: str) -> tuple[str, str]:
    """What to do where no verdict was possible."""
    given = shlex.split(again)
    if "--test" in given and any("--test-groups" in reason for reason in reasons):
        test = shlex.quote(given[given.index("--test") + 1])
        return (
            "List which test images look like one object, correct the list by hand, and bench again with --test-groups "
            "test_groups.csv. The list is made by"
        ), f"ganaug check {test} --write-groups test_groups.csv"
    return "No verdict was possible: mend what the reasons name, and bench again", again


def points(share: float) -> str:
    """A difference of shares as signed percentage points, of which there are 100; with more digits where two would hide
    the sign. Student's interval of two seeds may reach further, which no share can."""
    share = min(1.0, max(-1.0, share))
    digits = 2 if abs(share) < 1e-8 else min(6, max(2, math.ceil(-math.log10(abs(100 * share)))))
    return f"{round(100 * share, digits) + 0.0:+.{digits}f}"


def table(data: dict[str, Any]) -> str:
    """Plain lines: every remedy on the test set, the compared arms, and both answers."""
    metric, items = data["metric"], items_of(data)
    rows: list[tuple[str, ...]] = [
        ("remedy", "what it is", "validation", "test", "change", "95% interval", "inference")
    ]
    for rung in data["ladder"]:
        if rung["why not"]:
            continue
        change, known = rung["difference"], rung["rung"] in REMEDIES
        reach = f"{points(change['low'])} to {points(change['high'])}" if known else ""
        rows.append((
            words_of(rung["rung"]) + (" <" if rung["in the best"] else ""), rung["name"],
            f"{rung['validation']:.4f}", f"{rung['test'][metric]:.4f}", points(change["mean"]) if known else "", reach,
            f"{rung['cost']['inference']:g}x",
        ))  # fmt: skip
    lines = _aligned(rows, left=2)
    lines += [f"{words_of(one['rung'])}: not tried. {one['why not']}" for one in data["ladder"] if one["why not"]]
    lines += filter(None, ["< is part of what was chosen." if len(rows) > 2 else "", may_flatter(data)])
    for name, answer in data["sources"].items():
        rows = [(f"on the test set{f', {name}' if len(data['sources']) > 1 else ''}",
                 "accuracy", "balanced", "macro-F1", "NLL", "ECE")]  # fmt: skip
        for side in ("without", "with"):
            arm = answer["arms"][side]
            rows.append((arm["name"], *(f"{arm['test'][name]:.4f}" for name in data["measure names"])))
        lines += ["", *_aligned(rows)]
    lines.append("")
    if data["dropped"]:
        names = ", ".join(map(printable, data["dropped"][:3])) + (", ..." if len(data["dropped"]) > 3 else "")
        lines.append(f"{len(data['dropped'])} test {items} were seen before and are not counted: {names}.")
    lines += [printable(note) for note in data["notes"]]
    lines.append(f"The verdict uses {metric}: {data['metric reason']}.")
    lines += ["", data["most"]["sentence"]]
    for answer in data["sources"].values():
        quick = ", from a quick bench" if data["settings"]["quick"] else ""
        how = f", use of synthetic {items} {answer['use']}" if answer["ratio"] else ""
        lines += ["", f"verdict: {answer['verdict']} (ratio {answer['ratio']:g}{how}{quick})", answer["sentence"]]
        lines.append(answer["power"]["sentence"])
    command = f": {data['next command']}" if data["next command"] else ""
    return "\n".join([*lines, "", f"Next: {data['next']}{command}"])


def words_of(remedy: str) -> str:
    """A rung of the ladder, for people."""
    return REMEDIES[remedy].words if remedy in REMEDIES else remedy


def _aligned(rows: Sequence[tuple[str, ...]], left: int = 1) -> list[str]:
    """left: columns of text."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def cell(text: str, place: int) -> str:
        return text.ljust(widths[place]) if place < left else text.rjust(widths[place])

    return ["  ".join(cell(text, i) for i, text in enumerate(row)) for row in rows]
