"""Tables in: what each kind of column becomes, and messy files that are read or refused with the column named."""

from __future__ import annotations

import csv
from datetime import date

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganaug.data.rows.check import check_table
from ganaug.data.rows.columns import Category, Constant, Number, from_model, to_model
from ganaug.data.rows.kinds import column_of, quantiles
from ganaug.data.rows.series import load_series
from ganaug.data.rows.table import load_table
from ganaug.data.split import hold_out
from ganaug.errors import DataError, LabelMismatchError, OptionError, TooFewImagesError


def mixed(n=60) -> list[list[str]]:
    """A header and rows: whole, decimal, category, missing numbers, a date, a constant, the label in the middle."""
    rng = np.random.default_rng(0)
    rows = [["age", "income", "class", "colour", "score", "day", "unit"]]
    for i in range(n):
        score = "" if i % 7 == 0 else f"{rng.normal():.2f}"
        day = date.fromordinal(738_000 + int(rng.integers(500))).isoformat()
        income = f"{rng.lognormal(8):.2f}"
        rows.append([str(rng.integers(18, 80)), income, "yn"[i % 2], ["red", "blue"][i % 2], score, day, "kg"])
    return rows


def write(path, rows, delimiter=",", encoding="utf-8", start=""):
    with path.open("w", newline="", encoding=encoding) as file:
        file.write(start)
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def test_kinds_of_columns_are_found(tmp_path):
    rows = load_table(write(tmp_path / "t.csv", mixed()), "class")
    kinds = {c.name: type(c).__name__ for c in rows.codec.columns}
    numbers = {c.name: (c.form.words, c.missing) for c in rows.codec.columns if isinstance(c, Number)}
    assert kinds["colour"] == "Category"
    assert kinds["unit"] == "Constant"
    assert numbers == {
        "age": ("whole numbers", None),
        "income": ("numbers", None),
        "score": ("numbers", ""),
        "day": ("dates, as YYYY-MM-DD,", None),
    }
    assert rows.codec.blocks == (1, 1, 2, 1, 2, 1)
    assert rows.codec.header == mixed()[0]
    assert rows.classes == ("n", "y")
    assert rows.spec.shape == (8,)
    assert rows.items.abs().max() <= 1


def test_real_rows_come_back_as_they_were(tmp_path):
    table = mixed()
    rows = load_table(write(tmp_path / "t.csv", table), "class")
    for i, row in enumerate(table[1:]):
        (back,) = rows.codec.decode(rows.items[i : i + 1], rows.classes[rows.labels[i]])
        for name, cell, again in zip(table[0], row, back, strict=True):
            if name in ("age", "income", "score", "day") and cell:
                column = next(c for c in rows.codec.columns if c.name == name)
                span = column.knots[-1] - column.knots[0]
                assert column.form.read(again) == pytest.approx(column.form.read(cell), abs=0.02 * span)
            else:
                assert again == cell


NUMBERS = {"allow_subnormal": False}  # training flushes them to zero, for the whole process


@given(
    st.lists(st.floats(-1e6, 1e6, **NUMBERS), min_size=2, max_size=40),
    st.floats(-1, 1, **NUMBERS),
    st.floats(-1, 1, **NUMBERS),
)
def test_decoded_numbers_keep_the_range_and_the_order(values, a, b):
    knots = quantiles(values)
    low, high = from_model(np.array(sorted((a, b))), knots)
    rounding = 1e-12 * (max(values) - min(values))
    assert min(values) <= low <= high + rounding
    assert high <= max(values)
    assert list(from_model(np.array([-1.0, 1.0]), knots)) == [min(values), max(values)]
    if min(values) < max(values):
        assert np.abs(to_model(np.array(values), knots)).max() <= 1


def test_encoded_numbers_look_like_a_cut_normal_distribution():
    values = np.random.default_rng(0).lognormal(0, 2, 4000)
    x = to_model(values, quantiles(values))
    assert x.mean() == pytest.approx(0, abs=0.01)
    assert x.std() == pytest.approx(1 / 3, rel=0.03)


def test_a_spike_survives_the_way_there_and_back():
    values = np.concatenate([np.zeros(500), np.random.default_rng(0).uniform(1, 2, 500)])
    knots = quantiles(values)
    normal = torch.randn(4000, generator=torch.Generator().manual_seed(0)).double().numpy() / 3
    assert (from_model(normal, knots) == 0).mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(
    ("cells", "written"),
    [
        (["1.50", "2.25"] * 20 + [f"{i}.00" for i in range(20)], r"\d+\.\d\d"),
        (["1.5", "2.25"] * 20 + [f"{i}" for i in range(20)], r"\d+(\.\d?[1-9])?"),
        ([str(i * 7 % 100) for i in range(60)], r"\d+"),
        ([f"{i}.0" for i in range(50, 90)] * 2, r"\d+\.0"),
        ([f"{i},5" for i in range(50, 90)] * 2, r"\d+,\d"),
        ([f"1e{i % 9}" for i in range(2)] + [f"{i}.25e-3" for i in range(60)], r"[\d.e-]+"),
        ([f"2024-01-{i + 1:02d}" for i in range(28)], r"2024-01-\d\d"),
    ],
)
def test_numbers_are_written_in_the_form_of_the_column(cells, written):
    import re

    column = column_of("x", tuple(cells))
    made = column.decode(np.linspace(-1, 1, 50)[:, None])
    assert all(re.fullmatch(written, cell) for cell in made), made
    assert len(set(made)) > 5
    if getattr(column.form, "whole", False):
        assert all(float(cell.replace(",", ".")).is_integer() for cell in made)


def test_few_different_numbers_and_leading_zeros_are_categories():
    assert column_of("x", tuple("0121" * 20)) == Category("x", ("0", "1", "2"))
    assert column_of("x", ("10", "9", "NA") * 10).values == ("NA", "9", "10")
    assert isinstance(column_of("zip", ("01234", "98765") * 20), Category)
    assert column_of("x", ("", "") * 5) == Constant("x", "")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([f"id-{i}" for i in range(40)], "40 different texts"),
        ([str(i) for i in range(1, 40)], "counts the rows"),
        ([str(2**60 + i * i) for i in range(40)], "too long to be exact"),
        ([str(i * i) for i in range(39)] + ["12 kg"], r"row 40: '12 kg'"),
        ([f"{i}e999" for i in range(1, 40)], "beyond any float"),
        ([f"{i}.5" for i in range(39)] + ["inf"], "inf"),
        ([f"{i + 1}/2/2024" for i in range(40)], "different texts"),
    ],
)
def test_what_cannot_be_learned_names_the_column(cells, words):
    with pytest.raises(DataError, match=words) as caught:
        column_of("price", tuple(cells))
    assert "'price'" in caught.value.cause
    assert caught.value.fix


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_messy_files_are_read(tmp_path, delimiter):
    table = mixed()
    table[1][3], table[3][3] = 'red "dark"', f"red{delimiter} light"
    table[2][3] = "blue\ngrey"
    path = write(
        tmp_path / "t.csv", [[], *table[:5], [], *table[5:], ["", "", "", "", "", "", ""]], delimiter, "utf-8-sig"
    )
    rows = load_table(path, "class")
    assert len(rows) == 60
    assert rows.codec.delimiter == delimiter
    assert 'red "dark"' in next(c for c in rows.codec.columns if c.name == "colour").values
    lines = rows.codec.lines(rows.codec.decode(rows.items[:4], "y"))
    assert [row[3] for row in csv.reader(lines.splitlines(keepends=True), delimiter=delimiter)] == [
        table[i][3] for i in range(1, 5)
    ]


def test_a_data_frame_gives_the_same_as_its_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    path = write(tmp_path / "t.csv", mixed())
    frame = pandas.read_csv(path)
    frame["day"] = pandas.to_datetime(frame["day"])
    a, b = load_table(frame, "class"), load_table(path, "class")
    assert torch.allclose(a.items, b.items)
    assert a.codec.header == b.codec.header
    assert a.classes == b.classes


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda t: t[0].__setitem__(0, "income"), DataError, "repeat: 'income'"),
        (lambda t: t[5].append("more"), DataError, "line 6 has 8 cells"),
        (lambda t: t[5].__setitem__(2, ""), DataError, "1 of 60 rows have no value in the target column 'class'"),
        (lambda t: [row.__setitem__(2, "y") for row in t[1:]], DataError, "one class only"),
        (lambda t: t[5].__setitem__(2, "rare"), TooFewImagesError, "'rare' has 1"),
        (lambda t: t.__delitem__(slice(1, None)), DataError, "no rows"),
        (lambda t: t.__delitem__(slice(0, None)), DataError, "empty"),
        (lambda t: [row.__setitem__(0, f"name {i}") for i, row in enumerate(t[1:])], DataError, "'age'.*different"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, change, kind, words):
    table = mixed()
    change(table)
    with pytest.raises(kind, match=words):
        load_table(write(tmp_path / "t.csv", table), "class")


def test_labels_and_columns_that_are_not_there_are_named(tmp_path):
    path = write(tmp_path / "t.csv", mixed())
    with pytest.raises(OptionError, match=r"--target.*age, income, class"):
        load_table(path, None)
    with pytest.raises(OptionError, match="'klass'.*'class'"):
        load_table(path, "klass")
    with pytest.raises(OptionError, match="'nosuch'"):
        load_table(path, "class", drop=["nosuch"])
    with pytest.raises(OptionError, match="left out"):
        load_table(path, "class", drop=["class"])
    assert "age" not in load_table(path, "class", drop=["age"]).codec.header


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a,b\n1,\xff\n", "UTF-8"),
        (b'a,b\n1,"2\n', "CSV"),
        (b"a\n1\n2\n", "one column"),
        (b"\n\n", "empty"),
        (b"class,x\ny,1\nn,1\ny,1\nn,1\n", "constant"),
        (b"class,x\ny,1\x00\nn,2\n", "NUL"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, data, words):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(DataError, match=words):
        load_table(tmp_path / "t.csv", "class" if b"class" in data else "a")


def test_limit_and_hold_out_work_on_rows(tmp_path):
    table = mixed()
    table[1:] = table[1:] + [list(row) for row in table[1:11]]  # ten rows twice
    rows = load_table(write(tmp_path / "t.csv", table), "class", limit=20, seed=1)
    assert rows.counts() == {"n": 20, "y": 20}
    rows = load_table(tmp_path / "t.csv", "class")
    training, validation = hold_out(rows)
    assert len(training) + len(validation) == 70
    assert not set(training.fingerprints) & set(validation.fingerprints)


def test_check_says_what_there_is_and_what_stops_a_fit(tmp_path):
    table = [[*row, f"id {i}"] for i, row in enumerate(mixed())]
    table[0][-1] = "id"
    path = write(tmp_path / "t.csv", table)
    found = check_table(path, "class")
    assert found.counts == {"n": 30, "y": 30}
    assert found.missing == {"score": 9}
    assert "'id'" in found.problems[0]
    assert "id: cannot be learned" in "\n".join(found.lines())
    found = check_table(path, "class", drop=["id"])
    assert (found.problems, found.width, found.to_json()["total"]) == ((), 8, 60)
    assert found.columns["unit"] == "always 'kg'"


def test_copies_with_another_label_are_counted(tmp_path):
    table = mixed()
    table += [list(table[1]), [*table[2][:2], "yn"[table[2][2] == "y"], *table[2][3:]]]
    found = check_table(write(tmp_path / "t.csv", table), "class")
    assert (found.duplicates, found.contradictions) == (2, 1)


SERIES = np.random.default_rng(0).normal(size=(20, 12)).astype(np.float32)


def test_series_come_back_within_their_range(tmp_path):
    from ganaug.data.rows.series import is_series

    labels = np.arange(20) % 2
    np.savez(tmp_path / "s.npz", x_train=SERIES, y_train=labels, classes=np.array(["a", "b"]))
    assert is_series(tmp_path / "s.npz")
    assert is_series((SERIES, labels))
    assert not is_series((np.zeros((4, 8, 8)), np.zeros(4)))
    series = load_series(tmp_path / "s.npz")
    assert series.items.shape == (20, 1, 12)
    assert (series.items.min().item(), series.items.max().item()) == (-1, 1)
    assert np.allclose(series.codec.decode(series.items), SERIES, atol=1e-5)
    channels = np.stack([SERIES, np.full_like(SERIES, 3)], 1)
    both = load_series((channels, labels))
    assert both.spec.shape == (2, 12)
    assert np.allclose(both.codec.decode(both.items), channels, atol=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "kind", "words"),
    [
        (np.where(np.eye(20, 12) > 0, np.nan, SERIES), np.arange(20) % 2, DataError, "12 series hold NaN"),
        (SERIES[:, :3], np.arange(20) % 2, DataError, "short"),
        (SERIES, np.arange(19) % 2, LabelMismatchError, "19 labels"),
        (SERIES, np.zeros(20, int), DataError, "one class"),
        (SERIES.astype(str), np.arange(20) % 2, DataError, "numbers"),
    ],
)
def test_series_that_cannot_be_used_are_refused(x, y, kind, words):
    from ganaug.data.rows.series import load_series

    with pytest.raises(kind, match=words):
        load_series((x, y))


def uneven(form):
    rows = [np.sin(np.arange(20 + i % 15)) for i in range(30)]
    if form == "lists":
        return [row.tolist() for row in rows]
    if form == "channels":
        return [np.stack([row, row]) for row in rows]
    held = np.empty(30, object)
    held[:] = rows
    return held if form == "objects" else rows


@pytest.mark.parametrize("form", ["arrays", "lists", "channels", "objects"])
def test_series_of_several_lengths_are_refused_with_the_lengths(form):
    with pytest.raises(DataError, match=r"Series have 20 to 34 steps. Cut or pad them to one length."):
        load_series((uneven(form), np.arange(30) % 2))


def test_a_file_of_series_of_several_lengths_is_refused_with_the_fix(tmp_path):
    np.savez(tmp_path / "s.npz", x_train=uneven("objects"), y_train=np.arange(30) % 2)
    with pytest.raises(DataError, match=r"x_train of .* uneven length\? Cut or pad them to one length"):
        load_series(tmp_path / "s.npz")
