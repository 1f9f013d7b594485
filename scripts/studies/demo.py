"""What scripts/demo.sh finds, with other seeds than its own: the fit and the bench of the demo, seed by seed.

    python -m scripts.studies.demo --seeds 20            # goes on where it was
    python -m scripts.studies.demo --picture runs/demo   # docs/images/demo.png, of the demo as it was run

The seed decides which images are taken, how they are divided, and every draw of the fit and of the bench. A line a seed
in results/demo.jsonl; a seed that is there is not played again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import ganaug
from ganaug.data.load import load_images
from ganaug.evaluation.bench.run import bench
from ganaug.fitting.fit import fit
from scripts.studies.lib.command import count, options
from scripts.studies.lib.draws import play_all
from scripts.studies.lib.facts import machine, today
from scripts.studies.lib.results import DOCS, RESULTS, Line, read

MODULE = "python -m scripts.studies.demo"
LIMIT, STEPS = 20, 600  # as in scripts/demo.sh
REMEDIES = ("augmentation", "longer", "mean")


def play(seed: int) -> Line:
    """The demo with another seed: what is kept of it."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        fit("digits", out=work / "run", steps=STEPS, limit=LIMIT, seed=seed)
        data = bench(
            "digits", out=work / "bench", run=work / "run", quick=True, limit=LIMIT, seed=seed, model="small",
            remedies=REMEDIES,
        ).data  # fmt: skip
    most, change = data["most"], data["difference"]
    return {
        "seed": seed, "as it is": most["arms"]["as it is"]["test"]["accuracy"],
        "best": most["arms"]["best"]["name"], "most": {"verdict": most["verdict"], **_interval(most["difference"])},
        "synthetic": {"verdict": data["verdict"], **_interval(change)}, "seconds": data["seconds"],
        "machine": machine(), "date": today(),
    }  # fmt: skip


def _interval(found: dict[str, float]) -> dict[str, float]:
    return {name: found[name] for name in ("mean", "low", "high")}


def render() -> str:
    """A part of docs/study.md; "" where nothing was played."""
    lines = read(RESULTS / "demo.jsonl")
    if not lines:
        return ""
    said = {}
    for name in ("most", "synthetic"):
        means = [100 * line[name]["mean"] for line in lines]
        verdicts = [line[name]["verdict"] for line in lines]
        counts = ", ".join(f"*{word}* {verdicts.count(word)} times" for word in sorted(set(verdicts)))
        said[name] = f"{np.mean(means):+.1f} points in the mean ({min(means):+.1f} to {max(means):+.1f}): {counts}"
    return "\n".join([
        "## What the demo finds\n",
        f"`scripts/demo.sh` asks what helps on {LIMIT} images of each digit of scikit-learn's set, 8 x 8 px. "
        f"With {len(lines)} other seeds, each with other images, by `{MODULE}`:\n",
        f"- the small network as it is has {100 * np.mean([line['as it is'] for line in lines]):.1f} % of the test "
        "images right;",
        f"- what helps most changes that by {said['most']};",
        f"- synthetic images on top of it, by {said['synthetic']}.\n",
        f"{lines[-1]['machine']['cpu']}, {lines[-1]['date']}.\n",
    ])  # fmt: skip


def picture(run: Path) -> Path:
    """Real and synthetic images in two rows, and below them what the bench found. Gives the path of the picture."""
    data = json.loads((run / "bench" / "results.json").read_text())
    made = ganaug.SyntheticDataset(run, per_class=2)
    real = load_images("digits", limit=LIMIT)
    chosen = np.concatenate([np.flatnonzero(real.labels.numpy() == label)[:2] for label in range(len(real.classes))])
    rows = {
        "real": [real.pixels[int(row), 0].numpy() for row in chosen],
        "synthetic": [np.asarray(made[item][0]) for item in np.argsort(made.targets, kind="stable")],
    }
    figure = Figure((9, 3.9), layout="constrained")
    above, below = figure.subfigures(2, height_ratios=(1, 1.25))
    for axes, (name, images) in zip(above.subplots(2), rows.items(), strict=True):
        axes.imshow(np.hstack([np.pad(image, ((0, 0), (0, 1)), constant_values=255) for image in images]), cmap="gray")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
        axes.spines[:].set_visible(False)
    best = data["arms"]["without"]["name"]
    found = [(rung["name"], rung["difference"], "#4a6fa5") for rung in data["ladder"][1:] if not rung["why not"]]
    found.append((f"synthetic images on top of that: {data['verdict']}", data["difference"], "#c7682b"))
    axes = below.subplots()
    for row, (_, change, colour) in enumerate(found):
        mean, low, high = (100 * change[name] for name in ("mean", "low", "high"))
        axes.errorbar(mean, row, xerr=[[mean - low], [high - mean]], fmt="o", color=colour, capsize=4)
    axes.axvline(0, color="#888888", lw=1)
    axes.set_yticks(range(len(found)), [name + " (chosen)" * (name == best) for name, _, _ in found])
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("change of the accuracy on the test images, points, with 95 % interval")
    out = DOCS / "images" / "demo.png"
    figure.savefig(out, dpi=110)
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "demo", draws=True)
    parser.add_argument("--seeds", type=count, default=20, help="how many (default: 20)")
    parser.add_argument("--picture", type=Path, metavar="RUN", help="draw the demo that is in this folder, and stop")
    asked = parser.parse_args(arguments)
    if asked.picture:
        print(picture(asked.picture))
        return 0
    play_all(asked, play, [{"seed": seed} for seed in range(1, asked.seeds + 1)], told)
    return 0


def told(line: Line) -> str:
    most, synthetic = (f"{100 * line[name]['mean']:+.1f}" for name in ("most", "synthetic"))
    return f"{most} by {line['best']}; synthetic images {synthetic}"


if __name__ == "__main__":
    sys.exit(main())
