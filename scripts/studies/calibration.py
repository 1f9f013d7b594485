"""Is the verdict calibrated? Many small benches whose right answer is known, on the digits that scikit-learn ships.

    python -m scripts.studies.calibration                   # 60 of each kind; goes on where it was
    python -m scripts.studies.calibration --count 6         # the first 6 of each kind
    python -m scripts.studies.calibration --kind null --count 60
    python -m scripts.studies.calibration --classifier probe  # of a pretrained network, in place of the small one

Each cell draws training, test and "synthetic" images anew, and is one bench.

- `null`: the synthetic images are the training images again. At most 6 of 60 may be anything but `no evidence`.
- `unseen`: other real images, 10 real ones a class to train on (5 for the probe). At least 48 of 60 must be `helps`.
- `shuffled`: the same with shuffled labels. None may be `helps`.

With `probe`, the classifier is a linear one on the features of a pretrained network (ganaug[lite]). It has no chance in
it: images that come again, each as often, leave it as it is, and so `null` says little of it. Therefore each `unseen`
bench of it is made once more on the digits that are left, whose answer must agree with the first one: the two differ by
more than both intervals together allow in 5 % of all cells, if these are right.

A line a cell in results/calibration.jsonl; a cell that is there is not run again. Exits with 1 where an aim is missed
(for fewer than 60 cells, in proportion).
"""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ganaug.classifier.pretrained import LITE
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.evaluation.bench.results import Results
from ganaug.evaluation.bench.run import bench
from ganaug.keys import numpy_stream
from scripts.studies.lib.command import count, options
from scripts.studies.lib.draws import play_all
from scripts.studies.lib.facts import machine, today
from scripts.studies.lib.results import RESULTS, Line, read
from scripts.studies.lib.words import wilson, written_by

KINDS = ("null", "unseen", "shuffled")
CLASSIFIERS = {"small": "the small network", "probe": "a linear probe of a pretrained network"}
REAL = {"small": 10, "probe": 5}  # images a class to train on, a fifth of them for validation
EXTRA, TEST = 40, 50  # images a class: synthetic, to test on
STEPS, SEEDS = 40, 5


def everything() -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """All 1,797 digits: uint8 (N, 8, 8), int64 (N,), names."""
    parts: list[LabelledImages] = [load_images("digits"), load_images("digits", split="test")]
    pixels = torch.cat([part.pixels for part in parts])[:, 0].numpy()
    return pixels, torch.cat([part.labels for part in parts]).numpy(), parts[0].classes


def cell(kind: str, classifier: str, number: int, *, cache: Path) -> Line:
    """One bench; gives what is kept of it. cache: a folder of features, for all."""
    x, y, names = everything()
    rng = numpy_stream(number, "calibration")
    rows = [rng.permutation(np.flatnonzero(y == label)) for label in range(len(names))]
    few = REAL[classifier]
    ends = (0, few, few + EXTRA, few + EXTRA + TEST, None)
    real, extra, test, rest = (np.concatenate([r[a:b] for r in rows]) for a, b in itertools.pairwise(ends))
    made = real if kind == "null" else extra  # a bench leaves copies of validation images out
    labels = rng.permutation(y[made]) if kind == "shuffled" else y[made]
    started = time.perf_counter()

    def judged(tested: np.ndarray, out: Path) -> Results:
        return bench(
            from_arrays(x[real], y[real], classes=names), test=from_arrays(x[tested], y[tested], classes=names),
            synthetic=from_arrays(x[made], labels, classes=names), out=out, quick=True, search=False,
            model="small" if classifier == "small" else LITE, remedies=(), cache=cache, ratios=(0.5,), uses=("plain",),
            steps=STEPS, seeds=SEEDS, seed=number,
        )  # fmt: skip

    again = None
    with tempfile.TemporaryDirectory() as folder:
        results = judged(test, Path(folder) / "bench")
        if kind == "unseen" and classifier == "probe":
            other = judged(rest, Path(folder) / "rest").data["difference"]
            again = {name: other[name] for name in ("mean", "low", "high")}
    data, seconds = results.data, round(time.perf_counter() - started, 1)
    change = data["difference"]
    return {
        "kind": kind, "classifier": classifier, "number": number, "verdict": results.verdict,
        "ratio": results.ratio, "mean": change["mean"],
        "low": change["low"], "high": change["high"], "p": change["p"], "detectable": data["power"]["detectable"],
        "baseline": data["arms"]["without"]["test"]["accuracy"], "seconds": seconds,
        "again": again, "settings": {"real": few, "extra": EXTRA, "test": TEST, "steps": STEPS, "seeds": SEEDS},
        "machine": machine(), "date": today(),
    }  # fmt: skip


def told(line: Line) -> str:
    return f"{line['verdict']} ({100 * line['mean']:+.2f} points, {line['seconds']} s)"


def passed(kind: str, verdicts: list[str]) -> bool:
    """Whether the aim of this kind is reached, in proportion to the number of cells, rounded in its favour."""
    share = len(verdicts) / 60
    if kind == "null":
        return sum(verdict != "no evidence" for verdict in verdicts) <= math.ceil(6 * share)
    if kind == "unseen":
        return verdicts.count("helps") >= math.floor(48 * share)
    return "helps" not in verdicts


def table(cells: Sequence[Line]) -> list[str]:
    words = ("helps", "no evidence", "harms", "withheld")
    lines = [f"{'kind':<10}{'cases':>6}" + "".join(f"{word:>13}" for word in words) + f"{'mean, points':>14}  aim"]
    for kind in KINDS:
        own = [one for one in cells if one["kind"] == kind]
        verdicts = [one["verdict"] for one in own]
        if own:
            mean = 100 * float(np.mean([one["mean"] for one in own]))
            aim = "reached" if passed(kind, verdicts) else "missed"
            counts = "".join(f"{verdicts.count(word):>13}" for word in words)
            lines.append(f"{kind:<10}{len(own):>6}{counts}{mean:>14.2f}  {aim}")
    return lines


def render() -> str | None:
    """docs/calibration.md."""
    every = read(RESULTS / "calibration.jsonl")
    parts = [part for name in CLASSIFIERS if (part := _of(name, [one for one in every if one["classifier"] == name]))]
    if not parts:
        return None
    return "\n".join([
        "# Is the verdict calibrated?\n",
        f"{written_by('python -m scripts.studies.calibration')}\n",
        f"Small benches whose right answer is known, on the digits of scikit-learn ({EXTRA} synthetic images a class, "
        f"{TEST} for the test; {SEEDS} paired seeds; training, test and synthetic images are drawn anew for every "
        "bench).\n",
        "- `null`: the synthetic images are the training images again. There is nothing to gain or to lose.",
        "- `unseen`: they are other real images, the best that a generator could make.",
        "- `shuffled`: the same with shuffled labels.\n",
        "Nothing is tuned in these benches, and there is one share and no augmentation: they ask whether the "
        "interval and the word made of it are right. Few groups and classes of few images are simulated in "
        "`tests/evaluation/bench/test_verdict.py`. Where at most 16 test images, or groups of them, differ between the "
        "two sides, an exact test by flipping the signs (with trainings that are all alike: McNemar's) has the last "
        "word: four better and none worse are no evidence.\n",
        *parts,
    ])  # fmt: skip


def _of(classifier: str, cells: Sequence[Line]) -> str:
    """The part of the page that is about a classifier; "" where nothing was played."""
    null = [one for one in cells if one["kind"] == "null"]
    if not null:
        return ""
    wrong = sum(one["verdict"] != "no evidence" for one in null)
    low, high = wilson(wrong, len(null))
    ran, steps = null[-1]["machine"], f", {STEPS} steps a training" if classifier == "small" else ""
    return "\n".join([
        f"## With {CLASSIFIERS[classifier]}, {REAL[classifier]} real images a class{steps}\n",
        "```text", *table(cells), "```\n",
        f"Of the `null` benches {wrong} of {len(null)} are not `no evidence` ({100 * low:.0f} to {100 * high:.0f} %, "
        "Wilson's 95 % interval); 5 % is what a 95 % interval promises. Intervals are "
        f"{100 * np.median([one['high'] - one['low'] for one in cells]):.1f} points wide in the median.\n",
        *_power(cells),
        *_agreement(cells),
        f"A bench took {np.median([one['seconds'] for one in cells]):.0f} s in the median, on one thread of "
        f"{ran['cpu']}, torch {ran['torch']}; {null[-1]['date']}.\n",
    ])  # fmt: skip


def _power(cells: Sequence[Line]) -> list[str]:
    """What there was to find, and what can be found, in a sentence."""
    unseen = [one for one in cells if one["kind"] == "unseen" and one.get("detectable")]
    if not unseen:
        return []
    mean, found = np.mean([one["mean"] for one in unseen]), np.median([one["detectable"] for one in unseen])
    return [
        f"Unseen images change the accuracy by {100 * mean:.1f} points in the mean; a bench of this size finds one "
        f"of {100 * found:.1f} points four times in five (median), and a smaller one less often.\n"
    ]


def _agreement(cells: Sequence[Line]) -> list[str]:
    """Whether benches on other images agree, in a sentence; [] where none were made."""
    pairs = [(one, one["again"]) for one in cells if one.get("again")]
    if not pairs:
        return []
    apart = sum(abs(a["mean"] - b["mean"]) > np.hypot(_half(a), _half(b)) for a, b in pairs)
    low, high = wilson(apart, len(pairs))
    return [
        f"Of {len(pairs)} `unseen` benches that were made once more, on the digits that were left, {apart} differ from "
        f"the first one by more than both intervals allow ({100 * low:.0f} to {100 * high:.0f} %; 5 % is "
        "what is promised).\n"
    ]


def _half(cell: Line) -> float:
    return float(cell["high"] - cell["low"]) / 2


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "calibration", draws=True)
    parser.add_argument("--count", type=count, default=60, help="cells of each kind (default: 60)")
    parser.add_argument("--classifier", choices=CLASSIFIERS, default="small")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; repeatable")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    kinds, own = asked.kind or KINDS, asked.classifier
    names = itertools.product(range(asked.count), kinds)
    draws = [{"kind": kind, "classifier": own, "number": number} for number, kind in names]
    with tempfile.TemporaryDirectory() as cache:
        play_all(asked, partial(cell, cache=Path(cache)), draws, told)
    cells = [
        line for line in read(asked.results)
        if line["kind"] in kinds and line["classifier"] == own and line["number"] < asked.count
    ]  # fmt: skip
    print("\n".join(table(cells)))
    return int(not all(passed(kind, [one["verdict"] for one in cells if one["kind"] == kind]) for kind in kinds))


if __name__ == "__main__":
    sys.exit(main())
