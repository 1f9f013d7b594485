"""`ganaug.measure` on what is not a labelled generator of images from noise: translators, tables, series, no labels."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import ganaug
from ganaug.data.rows.table import load_table, rows_like
from ganaug.errors import DataError, LabelMismatchError, OptionError, TooFewImagesError
from ganaug.evaluation.measuring.measurement import Measurement

QUICK = {"per_class": 16, "steps": 20}


def check(found: Measurement, of: str) -> None:
    for figure in found.figures:
        edges = np.array([figure.interval.low, figure.interval.value, figure.interval.high])
        assert np.isnan(edges).any() or (np.diff(edges) >= 0).all(), figure.name  # NaN where images are too few
    assert {figure.extractor for figure in found.figures} <= {of, "own classifier", "accuracy", "pixels"}
    json.dumps(found.to_json(), allow_nan=False)
    assert found.lines()


class Answers(nn.Module):
    """A generator of given items (N, ...) by class."""

    def __init__(self, items: torch.Tensor, labels: torch.Tensor):
        super().__init__()
        self.items, self.labels = items, labels

    def forward(self, z, y):
        rows = [torch.nonzero(self.labels == label).flatten() for label in y]
        picks = [own[int((noise.sum() * 1e4).abs()) % len(own)] for own, noise in zip(rows, z, strict=True)]
        return self.items[torch.stack(picks)]


def answering(fitted, items, labels):
    return replace(fitted, networks={"generator": Answers(items, labels)})


def write_table(path, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = ["size,colour,kind"]
    for i in range(n):
        kind = ("ant", "bee")[i % 2]
        colour = rng.choice(["red", "blue"], p=[0.9, 0.1] if kind == "ant" else [0.2, 0.8])
        lines.append(f"{rng.normal(3 if kind == 'ant' else 5):.3f},{colour},{kind}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    write_table(folder / "t.csv", 300, 0)
    write_table(folder / "unseen.csv", 200, 1)
    return ganaug.fit(folder / "t.csv", folder / "run", target="kind", steps=4), folder


def test_rows_that_are_real_look_real_and_those_of_a_poor_generator_do_not(table):
    run, folder = table
    real = load_table(folder / "unseen.csv", "kind")
    fitted = run.load()
    like = rows_like(folder / "unseen.csv", fitted.card.codec, fitted.card.classes)
    assert real.classes == like.classes
    honest = ganaug.measure(answering(fitted, like.items, like.labels), folder / "t.csv", per_class=200)
    poor = ganaug.measure(run, folder / "t.csv", per_class=200)
    for found in (honest, poor):
        check(found, "columns")
    assert honest["CAS, synthetic to real"].interval.value > 0.8
    assert honest["FID"].interval.value < poor["FID"].interval.value
    assert honest["copies"].interval.value < 0.1


def test_copied_rows_are_counted(table):
    run, folder = table
    fitted = run.load()
    rows = rows_like(folder / "t.csv", fitted.card.codec, fitted.card.classes)
    seen = rows.take(np.flatnonzero(np.isin(rows.fingerprints, fitted.card.fingerprints)))
    found = ganaug.measure(answering(fitted, seen.items, seen.labels), folder / "t.csv", per_class=50)
    assert found["copies"].interval.value > 0.5


def test_test_rows_that_are_among_the_data_are_counted(table):
    run, folder = table
    mixed = folder / "mixed.csv"
    mixed.write_text(
        (folder / "unseen.csv").read_text() + "\n".join((folder / "t.csv").read_text().split()[1:31]) + "\n"
    )
    counts = []
    for test, n in ((folder / "unseen.csv", 200), (mixed, 230)):
        found = ganaug.measure(run, folder / "t.csv", test=test, per_class=20)
        said = [note.split()[0] for note in found.notes if f" of {n} test rows are like rows of the data" in note]
        counts.append(int(said[0]) if said else 0)
    assert counts[1] == counts[0] + 30  # some of the unseen ones are alike by chance


def test_options_about_images_are_refused_for_a_table(table):
    run, folder = table
    for given in ({"extractor": "timm:resnet18"}, {"pairs": folder}):
        with pytest.raises(OptionError, match="makes no images"):
            ganaug.measure(run, folder / "t.csv", **given)


def test_another_table_is_compared_by_names(table):
    run, folder = table
    lines = [line.split(",") for line in (folder / "unseen.csv").read_text().split()]
    turned = folder / "turned.csv"
    turned.write_text(
        "\n".join(",".join([*row[::-1], "x"]) for row in lines).replace("kind,colour,size,x", "kind,colour,size,more")
    )  # noqa: E501
    plain = ganaug.measure(run, folder / "t.csv", test=folder / "unseen.csv", per_class=20)
    other = ganaug.measure(run, folder / "t.csv", test=turned, per_class=20)
    assert other.to_json() == plain.to_json()
    for change, error in (
        (("ant", "wasp"), LabelMismatchError),
        (("red", "green"), DataError),
        (("size", "length"), OptionError),
    ):  # noqa: E501
        wrong = folder / "wrong.csv"
        wrong.write_text((folder / "unseen.csv").read_text().replace(*change))
        with pytest.raises(error):
            ganaug.measure(run, folder / "t.csv", test=wrong)
    strangers = folder / "strangers.csv"
    strangers.write_text((folder / "unseen.csv").read_text().replace(",red", "5,red").replace(",blue", "5,blue"))
    with pytest.raises(TooFewImagesError, match="part of the fit"):
        ganaug.measure(run, strangers)


def test_series(tmp_path):
    time = np.arange(24)
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    x = np.sin(time * np.where(y, 0.3, 0.9)[:, None] + rng.uniform(0, 6, 80)[:, None])
    run = ganaug.fit((x, y), tmp_path / "run", recipe="rcgan", steps=2)
    fitted = run.load()
    check(ganaug.measure(run, (x, y), per_class=20), "values")
    other = np.sin(time * np.where(y, 0.3, 0.9)[:, None] + rng.uniform(0, 6, 80)[:, None])
    items = fitted.card.codec.encode(other[:, None])
    found = ganaug.measure(answering(fitted, items, torch.from_numpy(y)), (x, y), per_class=40)
    assert found["CAS, synthetic to real"].interval.value > 0.8
    assert found["label agreement"].interval.value > 0.8
    with pytest.raises(LabelMismatchError):
        ganaug.measure(run, (x[:, :12], y))


def test_a_generator_that_knows_no_classes_is_measured_without_labels(tmp_path):
    run = ganaug.fit("digits", tmp_path / "run", recipe="dcgan", options={"conditional": False}, steps=3, limit=20)
    assert run.load().card.classes == ("all",)
    found = ganaug.measure(run, "digits", per_class=40, steps=20)
    check(found, "own classifier")
    names = {figure.name for figure in found.figures}
    assert {"FID", "recall", "AM score", "copies"} <= names
    assert not {"label agreement", "CAS, synthetic to real"} & names
    assert any("no classes" in note for note in found.notes)


@pytest.mark.parametrize("recipe", ["context_encoder", "cyclegan"])
def test_variants_of_images_are_the_samples_of_a_translator(tmp_path, recipe):
    images = ganaug.load_images("digits", limit=20)
    some = images.take(np.flatnonzero(images.labels.numpy() < 2))
    x, y = some.pixels[:, 0].numpy(), some.labels.numpy()
    run = ganaug.fit((x, y), tmp_path / "run", recipe=recipe, steps=2)
    found = ganaug.measure(run, (x, y), **QUICK)
    check(found, "own classifier")
    assert found["label agreement"].synthetic == 32
    assert any("made from" in note for note in found.notes)


def test_paired_images_are_named(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    images = rng.integers(0, 256, (40, 16, 16), dtype=np.uint8)
    file = tmp_path / "pairs.npz"
    np.savez(file, x_train=images, y_train=y, pair_train=255 - images)
    run = ganaug.fit(file, tmp_path / "run", recipe="pix2pix", steps=1)
    found = ganaug.measure(run, file, **QUICK)
    check(found, "own classifier")
    bare = tmp_path / "bare.npz"
    np.savez(bare, x_train=images, y_train=y)
    for asked in (ganaug.doctor, ganaug.preview, ganaug.measure):
        with pytest.raises(DataError, match="starts from paired images") as refused:
            asked(run, data=bare)
        assert "--pairs FOLDER" in refused.value.fix
    (run.path / "metrics.jsonl").unlink()
    with pytest.raises(DataError) as refused:
        ganaug.doctor(run)
    assert refused.value.fix.endswith("DATA --pairs FOLDER")
