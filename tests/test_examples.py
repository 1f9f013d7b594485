"""Every example runs as it stands, and every training function trains."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganaug.classifier.own import load_function, run_own
from ganaug.mixing.picture_set import PictureSet

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES, TRAININGS = sorted(FOLDER.glob("*.py")), sorted((FOLDER / "train").glob("*.py"))
BRISK = {  # in place of what a training takes its time for
    "with_timm": {"EPOCHS": 2, "PRETRAINED": False, "NETWORK": "test_resnet"},
    "with_scikit_learn": {},
}
NEEDS = {"09_streams_of_shards": ("datasets",), "11_onnx": ("onnx", "onnxruntime")}
PACKAGES = {"accelerate", "lightning", "timm", "transformers"}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("examples")


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_example(example, out, programs, monkeypatch):
    for package in NEEDS.get(example.stem, ()):
        pytest.importorskip(package)
    monkeypatch.chdir(out)
    done = programs.run(str(example), out, 30)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout
    if example.stem == "09_streams_of_shards":
        batches = [list(map(int, found)) for found in re.findall(r"(\d+) images .* (\d+) synthetic", done.stdout)]
        total, synthetic = map(sum, zip(*batches, strict=True))
        assert total - synthetic >= 390  # all real ones, or nearly
        assert abs(synthetic / total - 0.25) < 0.08  # four standard deviations


class Shades:
    """Pictures of noise, of which every other one is bright; some are a row higher than others."""

    def __init__(self, n: int, mode: str, height: int, width: int):
        noise = np.random.default_rng(n)
        shape = (width,) if mode == "L" else (width, 3)
        self.images = [
            Image.fromarray(noise.integers(0, 90, (height + i % 2, *shape), np.uint8) + np.uint8(150 * (i % 2)))
            for i in range(n)
        ]

    def read(self, index: int) -> Image.Image:
        return self.images[index]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*LeafSpec:FutureWarning")
@pytest.mark.filterwarnings("ignore:The number of training batches", "ignore:.*pin_memory:UserWarning")
@pytest.mark.parametrize(("mode", "height", "width"), [("L", 8, 8), ("RGB", 90, 120)], ids=["digits", "photos"])
@pytest.mark.parametrize("example", TRAININGS, ids=lambda p: p.stem)
def test_training_function(example, mode, height, width, monkeypatch):
    for package in PACKAGES & {example.stem.removeprefix("with_")}:
        pytest.importorskip(package)
    training = load_function(f"{example}:train")
    for name, value in BRISK.get(example.stem, {"EPOCHS": 8}).items():
        monkeypatch.setitem(training.function.__globals__, name, value)

    def shades(n: int, **more) -> PictureSet:
        labels = [i % 2 for i in range(n)]
        return PictureSet(Shades(n, mode, height, width), labels, ["dark", "light"], **more)

    dataset = shades(40, synthetic=(Shades(12, mode, height, width), [0, 1] * 6), ratio=0.25)
    found = run_own(training, dataset, shades(8), shades(20), seed=1, device=torch.device("cpu"))
    right = (found.argmax(1) == np.arange(20) % 2).mean()
    assert right > 0.75 or example.stem == "with_timm"  # from nothing, a network of timm takes longer than a test


def test_examples_are_short():
    assert len(EXAMPLES) >= 5
    assert len(TRAININGS) >= 6
    assert all(len(example.read_text().splitlines()) < 60 for example in [*EXAMPLES, *TRAININGS])
    for example in TRAININGS:
        (train,) = (node for node in ast.parse(example.read_text()).body if getattr(node, "name", "") == "train")
        assert train.end_lineno - train.lineno < 40
