"""A table in, a table out: fit, augment, and what is refused on the way."""

from __future__ import annotations

import csv
import json
from collections import Counter

import numpy as np
import pytest
import torch

import ganaug
from ganaug.errors import ArtefactError, DataError, OptionError, OutputInUseError
from ganaug.files.integrity import write_manifest
from ganaug.samples.plan import balance
from tests.toys.mixing import render


def cells(n: int = 60) -> list[list[str]]:
    """Ages, prices with a decimal comma, unequal classes in the middle, colours, and a constant."""
    rng = np.random.default_rng(0)
    rows = [["age", "price", "kind", "colour", "unit"]]
    for i in range(n):
        price = f"{rng.lognormal(3):.2f}".replace(".", ",")
        rows.append([str(rng.integers(18, 80)), price, "rare" if i % 4 == 0 else "usual", "rgb"[i % 3], "kg"])
    return rows


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(cells())
    return path


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    return ganaug.fit(table, tmp_path_factory.mktemp("rows") / "run", target="kind", steps=2)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def test_a_csv_file_like_the_real_one(run, tmp_path):
    card = run.load().card
    assert card.counts == {"rare": 15, "usual": 45}
    assert card.recipe == "wgan_gp"
    file = ganaug.augment(run, balance(card.counts), tmp_path / "new" / "out.csv", seed=3)
    header, *made = rows_of(file)
    real = cells()
    assert header == real[0]
    assert Counter(row[2] for row in made) == {"rare": 30}
    ages = [int(row[0]) for row in real[1:]]
    prices = [float(row[1].replace(",", ".")) for row in real[1:]]
    for age, price, _, colour, unit in made:
        assert min(ages) <= int(age) <= max(ages)
        assert min(prices) <= float(price.replace(",", ".")) <= max(prices)
        assert "." not in price
        assert colour in "rgb"
        assert unit == "kg"


def test_first_rows_are_the_same_however_many_are_asked_for(run, tmp_path):
    few = rows_of(ganaug.augment(run, {"rare": 5}, tmp_path / "few.csv", seed=1))
    many = rows_of(ganaug.augment(run, {"rare": 70}, tmp_path / "many.csv", seed=1))
    other = rows_of(ganaug.augment(run, {"rare": 5}, tmp_path / "other.csv", seed=2))
    assert many[:6] == few
    assert other != few
    fitted = run.load()
    assert np.array_equal(render(fitted, 0, range(40), seed=1)[:5], render(fitted, 0, range(5), seed=1))


def test_what_is_written_can_be_learned_again(run, table, tmp_path):
    both = tmp_path / "both.csv"
    file = ganaug.augment(run, {"rare": 30, "usual": 30}, tmp_path / "out.csv")
    both.write_text(table.read_text() + file.read_text().partition("\n")[2])
    from ganaug.data.rows.table import load_table

    again = load_table(both, "kind")
    assert len(again) == 120
    assert again.codec.header == cells()[0]


def test_outputs_in_use_other_names_and_empty_plans_are_refused(run, tmp_path):
    with pytest.raises(OptionError, match=r"OUT\.csv"):
        ganaug.augment(run, {"rare": 1}, tmp_path / "folder")
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(OutputInUseError):
        ganaug.augment(run, {"rare": 1}, tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"
    with pytest.raises(OptionError):
        ganaug.augment(run, {"rare": 0}, tmp_path / "out.csv")
    with pytest.raises(DataError, match="learned"):
        ganaug.augment(run, {"nosuch": 1}, tmp_path / "out.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.csv"]


def test_parts_for_images_refuse_a_generator_of_rows_and_name_what_to_use(run, tmp_path):
    from torch.utils.data import TensorDataset

    from ganaug.samples.pool import Pool

    train_set = TensorDataset(torch.zeros(4, 1, 8, 8), torch.tensor([0, 1, 0, 1]))
    for use in (
        lambda: ganaug.preview(run, tmp_path / "preview"),
        lambda: Pool.open(run, {"rare": 2}),
        lambda: ganaug.mix(train_set, run, mode="balance", classes=["rare", "usual"]),
        lambda: ganaug.SyntheticDataset(run, per_class=2),
        lambda: ganaug.SynthMix(run),
        lambda: ganaug.GANSampler(run).fit_resample(np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])),
        lambda: ganaug.bench("digits", run=run, out=tmp_path / "bench"),
    ):
        with pytest.raises(DataError, match=r"rows of a table.*augment RUN --balance --out OUT\.csv"):
            use()
    assert not list(tmp_path.iterdir())


def test_options_of_another_kind_of_data_are_refused(table, tmp_path):
    for data, options, words in (
        (table, {}, "--target"),
        (table, {"target": "kind", "size": 32}, "images"),
        (table, {"target": "kind", "kind": "tables"}, "kind"),
        ("digits", {"target": "kind"}, "tables"),
    ):
        with pytest.raises(OptionError, match=words):
            ganaug.fit(data, tmp_path / "run", steps=1, **options)
    assert not list(tmp_path.iterdir())


def test_a_resumed_fit_of_a_table_is_the_same_fit(table, run, tmp_path):
    again = ganaug.fit(table, tmp_path / "run", target="kind", steps=2, resume=True)
    assert again.load().hash == run.load().hash
    (again.path / "generator" / "manifest.json").unlink()
    with pytest.raises(OptionError, match="drop"):
        ganaug.fit(table, tmp_path / "run", target="kind", steps=2, resume=True, drop=["unit"])


def test_rows_without_classes_cannot_be_written_as_a_table(table, tmp_path):
    run = ganaug.fit(table, tmp_path / "run", target="kind", steps=1, recipe="gan", options={"conditional": False})
    with pytest.raises(DataError, match="'kind'"):
        ganaug.augment(run, {"all": 3}, tmp_path / "out.csv")


WAVES = np.random.default_rng(0).normal(size=(20, 2, 12))


def test_what_may_be_images_or_series_is_what_the_recipe_makes(tmp_path):
    series, labels = np.random.default_rng(0).normal(5.0, 3.0, (40, 6, 8)), np.arange(40) % 2
    with pytest.raises(DataError, match="--kind series"):
        ganaug.fit((series, labels), tmp_path / "run", steps=1)
    file = tmp_path / "series.npz"
    np.savez(file, x_train=series, y_train=labels)
    for name, data in (("arrays", (series, labels)), ("file", file)):
        run = ganaug.fit(data, tmp_path / name, recipe="rcgan", steps=1)
        assert run.load().card.shape == (6, 8)
    with pytest.raises(DataError, match="It makes series"):
        ganaug.fit((np.zeros((40, 8, 8), np.uint8), labels), tmp_path / "other", recipe="rcgan", kind="images", steps=1)


def test_series_are_written_as_they_came(tmp_path):
    data = (WAVES, np.array(["a", "b"] * 10))
    run = ganaug.fit(data, tmp_path / "run", kind="series", steps=1)
    assert run.load().card.recipe == "rcgan"
    with np.load(ganaug.augment(run, {"a": 40, "b": 2}, tmp_path / "out.npz")) as file:
        assert file["x_train"].shape == (42, 2, 12)
        assert file["x_train"].dtype == np.float32
        assert np.bincount(file["y_train"]).tolist() == [40, 2]
        assert file["classes"].tolist() == ["a", "b"]
        assert file["x_train"].min() >= WAVES.min()
        assert file["x_train"].max() <= WAVES.max()
    with pytest.raises(OptionError, match=r"OUT\.npz"):
        ganaug.augment(run, {"a": 1}, tmp_path / "out.csv")
    with pytest.raises(DataError, match=r"series.*OUT\.npz"):
        ganaug.preview(run, tmp_path / "preview")


def changed(card: dict, path: str, value) -> dict:
    """The card with one value of its codec changed; `columns.0.knots` goes down."""
    card = json.loads(json.dumps(card))
    *way, name = path.split(".")
    inside = card["codec"]
    for step in way:
        inside = inside[int(step)] if step.isdecimal() else inside[step]
    if value is ...:
        del inside[name]
    else:
        inside[name] = value
    return card


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "image"),
        ("kind", "os.system"),
        ("label", 5),
        ("label", "age"),
        ("place", 9),
        ("place", True),
        ("delimiter", "ab"),
        ("delimiter", ...),
        ("extra", 1),
        ("columns", {}),
        ("columns.0.kind", "constant"),
        ("columns.0.knots", [2.0, 1.0]),
        ("columns.0.knots", [1.0]),
        ("columns.0.knots", [0.0, float("nan")]),
        ("columns.0.knots", [0, 1]),
        ("columns.0.form", "hex"),
        ("columns.0.form", {"pattern": "DD.MM.YYYY", "unit": "week", "twelve": False}),
        ("columns.0.form", {"pattern": "YYYY-MM-YYYY", "unit": "day", "twelve": False}),
        ("columns.0.form", {"pattern": "day", "unit": "day", "twelve": False}),
        ("columns.0.form", {"pattern": "YYYY", "unit": "year", "twelve": 1}),
        ("columns.0.form.whole", 1),
        ("columns.0.form.decimals", 99),
        ("columns.0.form.least", 5),
        ("columns.0.form.point", "x"),
        ("columns.0.form.thousands", "."),
        ("columns.0.form.thousands", "x"),
        ("columns.0.form.prefix", None),
        ("columns.0.missing", ""),
        ("columns.0.name", "price"),
        ("columns.2.values", ["r", "r", "g"]),
        ("columns.2.values", ["r", "g"]),
        ("columns.2.values", "rgb"),
        ("columns.3.value", None),
    ],
)
def test_a_card_whose_codec_does_not_fit_is_refused(run, tmp_path, path, value):
    folder = run.path / "generator"
    card = changed(json.loads((folder / "card.json").read_text()), path, value)
    files = {"card.json": json.dumps(card).encode(), "model.safetensors": (folder / "model.safetensors").read_bytes()}
    write_manifest(tmp_path, files)
    with pytest.raises(ArtefactError):
        ganaug.load(tmp_path)
