"""Who adds a recipe, metric, augmentation, blend, use, remedy, source or export format writes one function or one
entry: the command line, the bench and the reference page have it at once."""

from __future__ import annotations

import json
import re
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.io import savemat

import ganaug
from ganaug.classifier.augmentation import AUGMENTATIONS, BLENDS
from ganaug.classifier.remedies import REMEDIES, Remedy
from ganaug.classifier.use import USES, use_named
from ganaug.cli.group import cli
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.sources.kinds import SOURCES, Asked, is_file, source
from ganaug.errors import OptionError
from ganaug.game import Prior, Recipe
from ganaug.metrics.suite import METRICS, Sides, metric
from ganaug.recipes import RECIPES, make, recipe
from ganaug.samples.exports.formats import FORMATS, Wanted, export_format
from scripts.studies import reference

LISTS = (RECIPES, METRICS, AUGMENTATIONS, BLENDS, USES, REMEDIES, SOURCES, FORMATS)
ROOT = Path(__file__).parents[1]
BENCH = {
    "model": "small", "remedies": ("augmentation",), "seeds": 2, "steps": 4, "search": False, "quick": True,
    "ratios": (0.5,), "uses": ("plain",),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _gone_after_the_test():
    before = [dict(one) for one in LISTS]
    yield
    for one, kept in zip(LISTS, before, strict=True):
        one.clear()
        one.update(kept)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one place") / "run"
    small = {"width": 8, "widest": 16, "batch": 8}
    return ganaug.fit("digits", folder, steps=2, options=small, limit=20, device="cpu").path


def said(*arguments: object) -> str:
    """What a command prints, on one line and without frames."""
    done = CliRunner().invoke(cli, [str(one) for one in arguments], env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"})
    assert done.exit_code == 0, (done.output, done.exception)
    return " ".join(done.output.replace("│", " ").split())


def arms(results: ganaug.Results) -> str:
    return json.dumps(results.data["validation"])


def bench(run: Path, out: Path, **options) -> ganaug.Results:
    return ganaug.bench("digits", run=run, out=out, limit=20, device="cpu", **BENCH | options)


def test_a_recipe(tmp_path):
    @recipe
    def sketch(lr: float = 1e-3) -> Recipe:
        """A sketch of a GAN."""
        rules = make("gan", {})
        return Recipe(rules.networks, rules.players, prior=Prior(8))

    assert "sketch: A sketch of a GAN." in said("recipes")
    assert "lr = 0.001" in said("recipes", "sketch")
    said("fit", "digits", "--recipe", "sketch", "--steps", 1, "--out", tmp_path / "run", "--device", "cpu")
    assert "| `sketch` | A sketch of a GAN. |" in reference.render()


def test_a_metric(run):
    @metric("gap of means", best="0", low=0.0)
    def gap(sides: Sides) -> float:
        """How far apart."""
        return float(np.linalg.norm(sides.real.mean(0) - sides.synthetic.mean(0)))

    assert "gap of means" in said("measure", run, "digits", "--per-class", 4, "--steps", 1, "--device", "cpu", "-q")
    assert "| `gap of means` | How far apart. | 0 | 0 to inf |" in reference.render()


def test_an_augmentation_and_a_blend(run, tmp_path):
    def negative(pixels):
        """Light for dark."""
        return 255 - pixels

    def halves(pixels, targets):
        """Half of each neighbour."""
        return (pixels + pixels.roll(1, 0)) / 2, (targets + targets.roll(1, 0)) / 2

    AUGMENTATIONS["negative"], BLENDS["halves"] = negative, halves
    offered = said("bench", "--help")
    assert "negative" in offered
    assert "halves" in offered
    tried = arms(bench(run, tmp_path / "bench", augmentations=("negative", "halves")))
    assert '"augmentation": "negative"' in tried
    assert '"blend": "halves"' in tried
    assert "| `negative` | Light for dark. |" in reference.render()
    assert "| `halves` | Half of each neighbour. |" in reference.render()


def test_a_use(run, tmp_path):
    USES["faint"] = {"weight": 0.1}
    assert "faint (loss weight 0.1)" in said("bench", "--help")
    assert use_named("faint+rare").rare
    assert '"use": "faint"' in arms(bench(run, tmp_path / "bench", uses=("faint",)))
    assert "| `faint` | loss weight 0.1 |" in reference.render()


@pytest.mark.long
def test_a_remedy(run, tmp_path):
    REMEDIES["slow"] = Remedy("half the rate", {"lr": 0.001}, "half the learning rate")
    assert "slow" in said("bench", "--help")
    results = bench(run, tmp_path / "bench", remedies=("slow",))
    assert '"remedy": "slow"' in arms(results)
    assert "half the rate" in results.table()
    assert '"lr": 0.001' in json.dumps(results.data["trials"])
    assert "| `slow` | half the rate |" in reference.render()


@pytest.mark.long
def test_a_source(run, tmp_path):
    @source("a .grey file", takes=lambda data: is_file(data, ".grey"), parts=True)
    def grey(asked: Asked):
        raw = np.frombuffer(asked.path.read_bytes(), np.uint8).reshape(2, -1, 65)
        part = raw[int(asked.reading.split == "test")]
        return from_arrays(part[:, 1:].reshape(-1, 8, 8).copy(), part[:, 0].copy(), classes=("dark", "light"))

    rng, rows = np.random.default_rng(0), []
    for i in range(80):
        rows.append([i % 2, *(rng.integers(0, 120, 64) + 100 * (i % 2))])
    file = tmp_path / "set.grey"
    file.write_bytes(np.array(rows, np.uint8).tobytes())
    assert "a .grey file" in said("fit", "--help")
    assert "dark" in said("check", file, "--no-timing")
    own = ganaug.fit(file, tmp_path / "run", steps=1, options={"width": 8, "widest": 16, "batch": 8}, device="cpu")
    results = ganaug.bench(file, run=own, out=tmp_path / "bench", device="cpu", **BENCH)  # with its own test part
    assert results.data["data"]["test"]["counts"] == [20, 20]
    assert "| `grey` | a .grey file | yes |" in reference.render()
    with pytest.raises(OptionError, match=r"root would change nothing: it is not for a \.grey file"):
        ganaug.open_source(file, root=tmp_path)
    SOURCES["grey"] = replace(SOURCES["grey"], parts=False)
    with pytest.raises(OptionError, match="There is no test set"):
        ganaug.bench(file, run=own, out=tmp_path / "other", device="cpu", **BENCH)


@pytest.mark.filterwarnings("ignore::ganaug.errors.NoEvidenceWarning")  # by the bench of a test before it
def test_an_export_format(run, tmp_path):
    @export_format("one .webp strip", "images", ".webp")
    def strip(wanted: Wanted, out: Path) -> None:
        Image.fromarray(np.concatenate([image[0] for _, _, images in wanted for image in images], 1)).save(out)

    assert "images as one .webp strip" in said("augment", "--help")
    said("augment", run, "--per-class", 2, "--out", tmp_path / "all.webp")
    with Image.open(tmp_path / "all.webp") as image:
        assert image.size == (20 * 8, 8)
    assert "| `strip` | images | one .webp strip |" in reference.render()


@pytest.mark.long
def test_the_examples_of_contributing_work_as_they_stand(tmp_path):
    recipe_file, source_file = tmp_path / "mygan.py", tmp_path / "mat.py"
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL)
    for file, text in zip((recipe_file, source_file), examples, strict=True):
        file.write_text(text)
    assert "real_one_fake_zero" in said("recipes", f"{recipe_file}:lsgan")
    runpy.run_path(str(source_file))
    values = np.arange(40, dtype=np.uint8)
    savemat(tmp_path / "set.mat", {"images": np.tile(6 * values, (8, 8, 1)), "labels": values % 2})
    out = tmp_path / "run"
    said("fit", tmp_path / "set.mat", "--recipe", f"{recipe_file}:lsgan", "--steps", 1, "--out", out, "-q")
    assert ganaug.Run(out).path.is_dir()
    savemat(tmp_path / "other.mat", {"other": values})
    with pytest.raises(ganaug.GanaugError, match=r"other\.mat cannot be read"):
        ganaug.open_source(tmp_path / "other.mat")
