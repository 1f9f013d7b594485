"""docs/study.md, written from the results of the study and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganaug.classifier.use import DEFAULTS
from ganaug.evaluation.bench.results import points
from ganaug.files.integrity import write_atomically
from scripts.studies import demo, niche, remedies, rows
from scripts.studies.help.aims import aims, in_words
from scripts.studies.help.cells import CELLS, GROUPS, TAILS, UNKNOWN_GROUPS, Cell
from scripts.studies.help.kept import HELP
from scripts.studies.help.summary import ArmResult, Result, baseline_name, keep_bootstraps, results
from scripts.studies.lib.results import DOCS
from scripts.studies.lib.words import table, written_by

MODULE = "python -m scripts.studies.help"
DRAWS = 10  # of a finished cell
COMMAND = f"GANAUG_DATA=FOLDER {MODULE} --tier full --draws {DRAWS} --threads 1"
HARDLY = 0.2  # of the way from guessing to certainty, below which a baseline tells little
HOW = """# What helps? The study

{first}## Does a generator help the small network?

{written_by} Every cell is on it, the worst ones first.

A cell is a data set, a number of images and a kind of question. A draw is one random choice of training images, and
an arm is one way to train on them. Each draw of a cell takes other images of the training part (where all of it is
used, only the division differs), holds a fifth of them out for validation, fits one generator with the default
recipe on the images that the classifier gets, and trains the small classifier of `ganaug bench` with the same seed
on each arm: a baseline without synthetic images, and the same with synthetic images of several shares and uses. The
baseline was tuned once for the cell, on validation images of its first two draws, in the order of the bench. The
validation images of all draws together choose one synthetic arm; its paired difference to the baseline on the test
images, over the draws, is the result of the cell. No choice looks at test images.

The interval over draws is Student's; the wider one resamples test images as well as draws, as the bench does, and
decides: `helps` if it lies above 0, `harms` if below, else `no evidence`. All are at 95 %. The p-value is corrected
for the number of cells (Holm); the verdict is that of the cell alone. Changes are percentage points of accuracy, or
of balanced accuracy where the largest class has more than 1.5 times the images of the smallest. Test images that any
draw has seen, exactly or nearly, are left out.
"""
NOTES = {
    "closed": "The same number of images of each class, as far as the data set has them.",
    "unequal": "Tail classes have fewer than half the images of the largest class; the others are head classes. "
    "bccd_cells and magnetic_tile were played twice, and the first time said `helps`: see "
    "[the notebook](study_notes.md).",
    "no transform": "Augmentation and blends are forbidden, as for spectra or textures. These are reported "
    "apart, and never counted as a gain. The discriminators of these generators saw real and synthetic images moved "
    "alike (half of them), which samples need not take up, and may; those of mnist-50-no-eye (`fit --set eye=0`) did "
    "not.",
    "planted": "The generator is broken on purpose, the labels of the synthetic images are shuffled, or there are very "
    "few images.",
    "ceiling": "How much there is to gain at all: what the baseline would win by more images of the same data set, in "
    "the shares in which synthetic ones are mixed. These images are not compared with the test images, so that a near "
    "copy of one may be among them.",
    "ablation": "Each use of synthetic images at one share (`ganaug.classifier.use` says what the words mean). "
    "`rare` mixes nothing in where all classes have the same size.",
    "choosing": "One rule of `ganaug choose` at a time, at one share. An arm without a rule takes samples as they "
    "come, which is what ganaug does unless it is told to choose.",
}


def render() -> str:
    """docs/study.md, from the results of the study."""
    return text(results(CELLS, HELP), CELLS, COMMAND, DRAWS, _first())


def _first() -> str:
    """The parts of the page that other studies make."""
    return "\n".join(filter(None, (remedies.render(), niche.render(), rows.render(), demo.render())))


def write(cells: Sequence[Cell], out: Path, command: str, draws: int) -> Path:
    """The page of these results: docs/study.md, or beside the folder of a trial; gives its path. What the bootstraps
    gave is kept. draws: of a finished cell."""
    found = results(cells, out)
    keep_bootstraps(found, out)
    page = DOCS / "study.md" if out == HELP else out.parent / f"{out.name}.md"
    first = _first() if out == HELP else ""
    write_atomically(page, text(found, cells, command, draws, first).encode())
    return page


def text(found: Sequence[Result], cells: Sequence[Cell], command: str, draws: int, first: str = "") -> str:
    """The whole page, Markdown. first: the part before it."""
    how = HOW.format(first=first and f"{first}\n", written_by=written_by(MODULE))
    parts = [how, _missing(found, cells, draws), _aims(found, cells, draws)]
    for group, title in GROUPS.items():
        own = sorted((one for one in found if one.cell.group == group), key=lambda one: one.mean)
        if own:
            parts.append(_group(title, NOTES[group], own))
            if group in ("ablation", "choosing"):
                parts.append(_beside(own))
            if group == "ablation":
                parts.append(_lists(found))
    if found:
        parts += [_arms(found), _reproduce(found, command)]
    return "\n".join(part for part in parts if part)


def _missing(found: Sequence[Result], cells: Sequence[Cell], draws: int) -> str:
    """What the page cannot tell yet."""
    there = {one.cell.name: len(one.draws) for one in found}
    absent = [cell.name for cell in cells if cell.name not in there]
    short = [f"{name} ({n})" for name, n in there.items() if n < draws]
    lines = []
    if not found:
        lines.append("**Nothing has been measured yet.**\n")
    if absent:
        lines.append(f"Not measured: {', '.join(absent)}.\n")
    if any(cell.group in ("ablation", "choosing") for cell in cells if cell.name in absent):
        lines.append(
            "So what `ganaug bench` tries by default beside `plain`, and the rules that `ganaug choose` follows by "
            "default, rest on earlier trials.\n"
        )
    if short:
        lines.append(f"Fewer than {draws} draws so far: {', '.join(short)}.\n")
    return "\n".join(lines)


def _aims(found: Sequence[Result], cells: Sequence[Cell], draws: int) -> str:
    rows = [(aim.text, f"**{aim.word}**", aim.found) for aim in aims(found, cells, draws)]
    said = (
        "Whether the verdict is calibrated is measured by `python -m scripts.studies.calibration`, and how long a "
        "whole bench takes by a bench.\n"
    )
    return "\n".join(["## What was to be reached\n", table(("aim", "", "found"), rows), said])


def _group(title: str, note: str, found: Sequence[Result]) -> str:
    header: tuple[str, ...] = (
        "cell", "images a class", "metric", "change", "over draws", "over draws and test images", "verdict",
        "p, corrected", "synthetic arm", "`auto`", "baseline", "its score", "draws", "generator steps",
        "minutes a draw", "device",
    )  # fmt: skip
    lines = [f"## {title}\n", f"{note}\n", table(header, [_row(one) for one in found])]
    for one in found:
        if one.reasons:
            lines.append(f"{one.cell.name}, withheld: {' '.join(one.reasons)}\n")
    tailed = [one for one in found if "tail recall" in one.changes]
    if tailed:
        rows = [
            (one.cell.name, *(in_words(one.changes[name]) for name in ("macro-F1", "tail recall", "head recall")),
             ", ".join(_named(one, one.tuned["tail"])))
            for one in tailed
        ]  # fmt: skip
        header = ("cell", "macro-F1", "recall of tail classes", "recall of head classes", "tail classes")
        lines.append(table(header, rows))
    sentences = {
        "Test images that some draw had seen: {}.": [f"{one.cell.name} ({n})" for one in found if (n := one.left_out)],
        "Whole groups (images of one subject) are held out, and resampled, in {}.": [
            one.cell.name for one in found if one.tuned["groups"]
        ],
        "Of {} nobody kept which images show one subject (one smear, one patient): the training part is divided image "
        "by image, and the interval may be too narrow.": [
            one.cell.name for one in found if one.cell.subset.data in UNKNOWN_GROUPS
        ],
        "Draws of {} take all images that there are, or nearly all of some classes: what other training images would "
        "have given is not in their intervals.": [one.cell.name for one in found if one.all_of_them],
        "The baseline has hardly learned anything in {}: whatever moves it may look like a gain.": [
            f"{one.cell.name} ({100 * one.baseline:.0f} %, by guessing {100 * one.chance:.0f} %)"
            for one in found
            if one.baseline - one.chance < HARDLY * (1 - one.chance)
        ],
    }
    lines += [f"{sentence.format(', '.join(names))}\n" for sentence, names in sentences.items() if names]
    if any(one.cell.subset.tail for one in found):
        lines.append(f"The {TAILS} tail classes of a set that was made unequal were drawn by a seed of its name.\n")
    return "\n".join(lines)


def _row(one: Result) -> tuple[str, ...]:
    student = one.interval.student
    counts = sorted(set(one.tuned["images"]))
    seconds = [one.seconds(name) for name in ("fit", "render", "trainings")]
    steps = sorted({draw["generator"]["steps"] for draw in one.draws})
    known = [value for value in seconds if value is not None]
    return (
        one.cell.name,
        f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}",
        one.tuned["metric"],
        points(one.mean),
        "" if student is None else f"{points(student[0])} to {points(student[1])}",
        f"{points(one.interval.low)} to {points(one.interval.high)}",
        one.verdict,
        "" if one.reasons else f"{one.p:.3f}",
        f"{one.arm}",
        f"{one.auto_ratio:g}",
        baseline_name(one.tuned),
        f"{100 * one.baseline:.2f}",
        f"{len(one.draws)}",
        ", ".join(map(str, steps)),
        f"{sum(known) / 60:.1f}" if len(known) == len(seconds) else "not known",
        ", ".join(sorted({draw["generator"]["device"] for draw in one.draws})),
    )


def _beside(found: Sequence[Result]) -> str:
    """What each arm adds to the first one of its cell."""
    cells = sorted(found, key=lambda one: one.cell.name)
    names = list(dict.fromkeys(_word(arm) for one in cells for arm in one.arms))
    first, *others = names
    rows = []
    for name in others:
        changes = [next((arm.first for arm in one.arms if _word(arm) == name), None) for one in cells]
        rows.append((name, *("" if change is None else in_words(change) for change in changes)))
    said = f"Change against {first} of the same draw on the test set, with Student's interval over draws:\n"
    return "\n".join([said, table(("arm", *(one.cell.name for one in cells)), rows)])


def _word(arm: ArmResult) -> str:
    return f"`{arm.use}`" + (f", {arm.choice}" if arm.choice else "")


def _lists(found: Sequence[Result]) -> str:
    """What the defaults of the bench are worth: the arm that validation chooses if only some uses are tried."""
    groups = {"closed": ("closed", "unequal"), "no transform": ("no transform",)}
    cells = {
        name: [one for one in found if one.cell.group in members and set(DEFAULTS) <= {arm.use for arm in one.arms}]
        for name, members in groups.items()
    }
    if not all(cells.values()):
        return ""
    rows = [
        (" and ".join(f"`{name}`" for name in tried),
         *(points(float(np.mean([one.among(tried).test.mean for one in own]))) for own in cells.values()))
        for tried in (*((name,) for name in DEFAULTS), DEFAULTS)
    ]  # fmt: skip
    closed, without = (len(own) for own in cells.values())
    header = ("uses tried", f"closed and unequal, {closed} cells", f"no transform, {without} cells")
    said = "If `ganaug bench` tried only these, the arm that validation chooses would change, on average over cells:\n"
    return "\n".join([said, table(header, rows)])


def _arms(found: Sequence[Result]) -> str:
    """Every synthetic arm of every cell, on validation and on the test set."""
    lines = [
        "## All arms\n",
        "Change against the baseline, in points: on validation (all draws together), then on the test set with "
        "Student's interval over draws. Bold: the arm that validation chose. The others were asked about the test "
        "images too, but nothing was chosen by that.\n",
    ]
    rows = []
    for one in found:
        for place, arm in enumerate(one.arms):
            mark = "**" if place == one.chosen else ""
            name = f"{mark}{arm}{mark}"
            rows.append((one.cell.name, name, points(arm.validation), in_words(arm.test)))
    return "\n".join([*lines, table(("cell", "arm", "validation", "test"), rows)])


def _reproduce(found: Sequence[Result], command: str) -> str:
    draws = [draw for one in found for draw in one.draws]
    machines = sorted({
        f"{m['cpu']}{' and ' + m['gpu'] if m.get('gpu') else ''} ({m['cores']} cores, {m['threads']} thread(s) a "
        f"process), torch {m['torch']}, "
        f"Python {m['python']}, ganaug {m['ganaug']}"
        for m in (draw["machine"] for draw in draws)
    })  # fmt: skip
    recipes = sorted({draw["generator"]["recipe"] for draw in draws})
    fits = {draw["generator"]["hash"]: draw["seconds"]["fit"] or 0 for draw in draws}
    trained = sum(sum(draw["seconds"]["trainings"]) + (draw["seconds"]["render"] or 0) for draw in draws)
    tuned = sum(one.tuned["seconds"] for one in found)
    hours = (sum(fits.values()) + trained + tuned) / 3600
    steps = sorted({one.tuned["steps"] for one in found})
    began, ended = min(draw["began"] for draw in draws), max(draw["ended"] for draw in draws)
    return "\n".join([
        "## How to reproduce it\n",
        f"    {command}\n",
        f"Recipe {', '.join(recipes)}; {', '.join(map(str, steps))} steps of each classifier. A seed is a hash of the "
        f"subset's name and the number of the draw (`Subset.seed`); the files hold them. Played from {began[:10]} to "
        f"{ended[:10]} on {'; '.join(machines)}. Tuning, fits and trainings took {hours:.1f} hours of one process in "
        "all, as far as the times were kept; generators that cells share count once, trainings that they share in each "
        "of them. Equal bytes are promised for one machine, torch build and number of threads.\n",
    ])  # fmt: skip


def _named(one: Result, labels: Sequence[int]) -> list[str]:
    return [one.tuned["classes"][label].replace("|", "\\|") for label in labels]
