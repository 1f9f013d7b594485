"""Is the verdict calibrated? Many small benches whose right answer is known, on the digits that scikit-learn ships.

    python scripts/bench_calibration.py                     # 60 of each kind; goes on where it was
    python scripts/bench_calibration.py --count 6           # the first 6 of each kind
    python scripts/bench_calibration.py --kind null --count 60

Each cell draws training, test and "synthetic" images anew, and is one bench.

- `null`: the synthetic images are the training images, drawn again. At most 6 of 60 may be anything but `no evidence`.
- `unseen`: other real images, 10 real ones a class to train on. At least 48 of 60 must be `helps`.
- `shuffled`: the same with shuffled labels. None may be `helps`.

One JSON file a cell in the folder of results; a cell that is there is not run again. Exits with 1 where an aim is
missed (for fewer than 60 cells, in proportion). `--page` writes docs/calibration.md.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest

from ganaug.data.load import LabelledImages, load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.evaluation.bench.run import bench
from ganaug.keys import numpy_stream
from scripts.studies.help.draw import machine

KINDS = ("null", "unseen", "shuffled")
REAL, EXTRA, TEST = 10, 40, 50  # images a class: to train on (a fifth for validation), synthetic, to test on
STEPS, SEEDS = 40, 5


def everything() -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """All 1,797 digits: uint8 (N, 8, 8), int64 (N,), names."""
    parts: list[LabelledImages] = [load_images("digits"), load_images("digits", split="test")]
    pixels = torch.cat([part.pixels for part in parts])[:, 0].numpy()
    return pixels, torch.cat([part.labels for part in parts]).numpy(), parts[0].classes


def cell(kind: str, number: int, digits: tuple[np.ndarray, np.ndarray, tuple[str, ...]], out: Path) -> dict[str, Any]:
    """One bench; gives what is kept of it."""
    x, y, names = digits
    rng = numpy_stream(number, "calibration")
    rows = [rng.permutation(np.flatnonzero(y == label)) for label in range(len(names))]
    real, extra, test = (np.concatenate([r[a:b] for r in rows]) for a, b in
                         ((0, REAL), (REAL, REAL + EXTRA), (REAL + EXTRA, REAL + EXTRA + TEST)))  # fmt: skip
    if kind == "null":
        extra = np.tile(real, EXTRA // REAL)
    labels = rng.permutation(y[extra]) if kind == "shuffled" else y[extra]
    started = time.perf_counter()
    results = bench(
        from_arrays(x[real], y[real], classes=names), test=from_arrays(x[test], y[test], classes=names),
        synthetic=from_arrays(x[extra], labels, classes=names), out=out, quick=True, tune=False, classical=("none",),
        ratios=(0.5,), mixings=("plain",), steps=STEPS, seeds=SEEDS, seed=number,
    )  # fmt: skip
    data, seconds = results.data, round(time.perf_counter() - started, 1)
    change = data["difference"]
    return {
        "kind": kind, "number": number, "verdict": results.verdict, "ratio": results.ratio, "mean": change["mean"],
        "low": change["low"], "high": change["high"], "p": change["p"], "detectable": data["power"]["detectable"],
        "baseline": data["arms"]["without"]["test"]["accuracy"], "seconds": seconds,
        "settings": {"real": REAL, "extra": EXTRA, "test": TEST, "steps": STEPS, "seeds": SEEDS},
    }  # fmt: skip


def passed(kind: str, verdicts: list[str]) -> bool:
    """Whether the aim of this kind is reached, in proportion to the number of cells, rounded in its favour."""
    share = len(verdicts) / 60
    if kind == "null":
        return sum(verdict != "no evidence" for verdict in verdicts) <= math.ceil(6 * share)
    if kind == "unseen":
        return verdicts.count("helps") >= math.floor(48 * share)
    return "helps" not in verdicts


def table(cells: list[dict[str, Any]]) -> list[str]:
    words = ("helps", "no evidence", "harms", "withheld")
    lines = [f"{'kind':<10}{'cells':>6}" + "".join(f"{word:>13}" for word in words) + f"{'mean, points':>14}  aim"]
    for kind in KINDS:
        own = [one for one in cells if one["kind"] == kind]
        verdicts = [one["verdict"] for one in own]
        if own:
            mean = 100 * float(np.mean([one["mean"] for one in own]))
            aim = "reached" if passed(kind, verdicts) else "missed"
            counts = "".join(f"{verdicts.count(word):>13}" for word in words)
            lines.append(f"{kind:<10}{len(own):>6}{counts}{mean:>14.2f}  {aim}")
    return lines


def page(cells: list[dict[str, Any]]) -> str:
    """docs/calibration.md."""
    null = [one for one in cells if one["kind"] == "null"]
    wrong = sum(one["verdict"] != "no evidence" for one in null)
    low, high = binomtest(wrong, len(null)).proportion_ci(method="wilson") if null else (float("nan"),) * 2
    seconds = [one["seconds"] for one in cells]
    return "\n".join([
        "# Is the verdict calibrated?\n",
        "Written by `scripts/bench_calibration.py --page`: small benches whose right answer is known, on the digits of "
        f"scikit-learn ({REAL} real images a class, {EXTRA} synthetic, {TEST} for the test; {STEPS} steps a training, "
        f"{SEEDS} paired seeds; training, test and synthetic images are drawn anew for every bench).\n",
        "- `null`: the synthetic images are the training images, drawn again. There is nothing to gain or to lose.",
        "- `unseen`: they are other real images, the best that a generator could make.",
        "- `shuffled`: the same with shuffled labels.\n",
        "Nothing is tuned in these benches, and there is one share and no classical augmentation: they ask whether the "
        "interval and the word made of it are right. Few groups and classes of few images are simulated in "
        "`tests/benchmark/test_verdict.py`.\n",
        "```text", *table(cells), "```\n",
        f"Of the `null` benches {wrong} of {len(null)} are not `no evidence` ({100 * low:.0f} to {100 * high:.0f} %, "
        "Wilson's 95 % interval); 5 % is what a 95 % interval promises. Intervals are "
        f"{100 * np.median([one['high'] - one['low'] for one in cells]):.1f} points wide in the median.\n",
        f"A bench took {np.median(seconds):.0f} s in the median, on one thread of {machine('cpu')['cpu']}, torch "
        f"{torch.__version__}; {time.strftime('%Y-%m-%d')}.\n",
    ])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/calibration"), help="folder of results")
    parser.add_argument("--count", type=int, default=60, help="cells of each kind")
    parser.add_argument("--page", action="store_true", help="write docs/calibration.md")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; repeatable")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    digits, cells = everything(), []
    for number in range(chosen.count):
        for kind in chosen.kind or KINDS:
            file = chosen.out / f"{kind}-{number:03d}.json"
            if not file.exists():
                with tempfile.TemporaryDirectory() as folder:
                    found = cell(kind, number, digits, Path(folder) / "bench")
                partial = file.with_suffix(".partial")
                partial.write_text(json.dumps(found, indent=1))
                partial.replace(file)
                print(
                    f"{kind} {number}: {found['verdict']} ({100 * found['mean']:+.2f} points, {found['seconds']} s)",
                    flush=True,
                )
            cells.append(json.loads(file.read_text()))
    print("\n".join(table(cells)))
    if chosen.page:
        (Path(__file__).resolve().parents[2] / "docs" / "calibration.md").write_text(page(cells))
    return int(not all(passed(k, [c["verdict"] for c in cells if c["kind"] == k]) for k in chosen.kind or KINDS))


if __name__ == "__main__":
    sys.exit(main())
