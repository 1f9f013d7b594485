"""Every command and every line of Python of the guides runs, from the first to the last, on a newcomer's folders."""

from __future__ import annotations

import re
import shlex
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sklearn.datasets import load_digits

from ganaug.classifier.small import Training
from ganaug.cli.group import cli
from tests.toys.bench import NearestMean

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
HOST = "tcp://HOST"  # a cluster: tests/test_scale.py has one
SHORT = {"--budget": ["--steps", "3"]}  # in place of minutes
FAST = {"bench": ["--quick", "--seeds", "2", "--model", "small", "--remedies", "augmentation,weights,shift"],
        "measure": ["--per-class", "20", "--steps", "5"], "check": ["--no-timing"]}  # fmt: skip


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """data/photos, data/train and data/test, of which the class "rare" has few images; and made_by_diffusion."""
    bunch = load_digits()
    images = (bunch.images * (255 / 16)).round().astype(np.uint8)
    names = {0: "round", 1: "straight", 8: "rare"}

    def folder(name: str, first: int, counts: dict[int, int], noise: int = 0) -> None:
        for digit, count in counts.items():
            place = tmp_path / name / names[digit]
            place.mkdir(parents=True)
            for i, row in enumerate(np.flatnonzero(bunch.target == digit)[first : first + count]):
                drawn = np.random.default_rng(int(row)).integers(0, noise + 1, (8, 8))
                Image.fromarray(np.clip(images[row] + drawn, 0, 255).astype(np.uint8)).save(place / f"{i:03}.png")

    folder("data/photos", 0, {0: 60, 1: 60, 8: 24})
    folder("data/train", 60, {0: 50, 1: 50, 8: 22})
    folder("data/test", 110, {0: 40, 1: 40, 8: 40})
    folder("made_by_diffusion", 150, {0: 20, 1: 20, 8: 20}, noise=60)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def steps(guide: Path):
    """Commands and blocks of Python, in order."""
    parts = re.split(r"(?ms)^```python\n(.*?)^```", guide.read_text())
    for i, part in enumerate(parts):
        if i % 2:
            yield "python", part
        else:
            lines = [line.strip() for line in part.splitlines() if line.startswith("    ganaug ")]
            yield from (("command", line) for line in lines if HOST not in line)


def shortened(line: str) -> list[str]:
    _, command, *rest = shlex.split(line.split("  #")[0])
    for option, instead in SHORT.items():
        if option in rest:
            place = rest.index(option)
            rest[place : place + 2] = instead
    return [command, *rest, *FAST.get(command, [])]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning", "ignore::ganaug.errors.NumberingWarning")
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_runs_from_its_first_line_to_its_last(guide, newcomer, monkeypatch):
    monkeypatch.setattr("ganaug.evaluation.trials.small.train_classifier", NearestMean())
    monkeypatch.setattr("ganaug.evaluation.bench.figures._svg", lambda figure: "data:image/svg+xml;base64,")
    monkeypatch.setattr("ganaug.classifier.judge.CROSSWISE", Training(steps=5))
    done = 0
    for kind, text in steps(guide):
        if kind == "python":
            exec(compile(textwrap.dedent(text), str(guide), "exec"), {})
        else:
            told = CliRunner().invoke(cli, shortened(text))
            assert told.exit_code == 0, (text, told.output[-3000:], told.exception)
        done += 1
    assert done >= 4
