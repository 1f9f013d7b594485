"""A DataFrame of any types gives what its CSV file gives; delimiters and encodings are found, or the fix is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganaug.data.rows.cells import read_cells
from ganaug.data.rows.check import check_table
from ganaug.data.rows.table import load_table, rows_like
from ganaug.errors import DataError

pandas = pytest.importorskip("pandas")
N = 120


def frame():
    rng = np.random.default_rng(0)
    stamps = pandas.Series(pandas.to_datetime(rng.integers(1_500_000_000, 1_700_000_000, N), unit="s"))
    table = pandas.DataFrame(
        {
            "count": pandas.array(rng.integers(0, 500, N), dtype="Int64"),
            "size": pandas.array(np.round(rng.normal(size=N), 3), dtype="Float64"),
            "sure": pandas.array(rng.random(N) < 0.5, dtype="boolean"),
            "text": pandas.array(rng.choice(["a", "b, c", "d\r\ne"], N), dtype="string"),
            "kind": pandas.Categorical(rng.choice(["x", "y"], N)),
            "day": stamps.dt.normalize(),
            "time": stamps,
            "number": stamps.dt.strftime("%Y%m%d").astype(float),
        }
    )
    for place, name in enumerate(table):
        table.loc[rng.random(N) < 0.1 + 0.03 * place, name] = None
    table["month"] = pandas.PeriodIndex(stamps, freq="M")
    table["zone"] = stamps.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    table["single"] = rng.normal(size=N).astype(np.float32)
    table["class"] = rng.choice(["u", "v"], N)
    return table


def variants():
    yield "nullable", lambda table, path: table
    yield "read again", lambda table, path: pandas.read_csv(path)
    yield "objects", lambda table, path: table.astype({"count": object, "sure": object, "kind": object, "day": object})


@pytest.mark.parametrize("variant", [make for _, make in variants()], ids=[name for name, _ in variants()])
def test_a_frame_gives_what_its_file_gives(tmp_path, variant):
    path = tmp_path / "t.csv"
    frame().to_csv(path, index=False)
    same_as_its_file(variant(frame(), path), path)


def test_a_frame_of_arrow_gives_what_its_file_gives(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.csv"
    frame().to_csv(path, index=False)
    same_as_its_file(pandas.read_csv(path, dtype_backend="pyarrow"), path)
    arrow = frame().drop(columns=["month", "kind"]).convert_dtypes(dtype_backend="pyarrow")
    arrow.to_csv(path, index=False)
    same_as_its_file(arrow, path)


def same_as_its_file(table, path):
    table.to_csv(path, index=False)
    before = table.copy()
    ours, file = load_table(table, "class"), load_table(path, "class")
    assert torch.equal(ours.items, file.items)
    assert ours.codec == file.codec
    assert (ours.classes, ours.fingerprints) == (file.classes, file.fingerprints)
    pandas.testing.assert_frame_equal(table, before)
    missing = {name: n for name, n in table.isna().sum().to_dict().items() if n}
    assert check_table(table, "class").missing == missing
    rows = ours.codec.decode(ours.items, "u")
    assert {
        name: sum(row[i] == "" for row in rows) for i, name in enumerate(ours.codec.header) if name in missing
    } == missing


def test_types_that_are_not_taken_name_the_column_and_the_fix():
    durations = pandas.to_timedelta(np.arange(N) ** 2, unit="s")
    local = pandas.date_range("2024-01-01", periods=N, freq="77h", tz="Europe/Berlin")
    for values, words in ((durations, "durations.*total_seconds"), (local, "different offsets.*tz_convert")):
        with pytest.raises(DataError, match=f"'other'.*{words}"):
            load_table(frame().assign(other=values), "class")


@pytest.mark.parametrize(
    ("text", "header", "first"),
    [
        ("size;price, net\n1,5;2,5\n3,5;4,5\n", ("size", "price, net"), ("1,5", "2,5")),
        ("a,b;c\n1,2;3\n4,5;6\n", ("a,b", "c"), ("1,2", "3")),
        ("a,b,c\n1,x;y,3\n", ("a", "b", "c"), ("1", "x;y", "3")),
        ("a\tb\n1,5\t2\n", ("a", "b"), ("1,5", "2")),
        ('a,b\n"1\n2",3\n', ("a", "b"), ("1\n2", "3")),
    ],
)
def test_the_delimiter_is_the_one_that_all_lines_agree_on(tmp_path, text, header, first):
    (tmp_path / "t.csv").write_text(text)
    cells = read_cells(tmp_path / "t.csv")
    assert cells.header == header
    assert tuple(column[0] for column in cells.columns) == first


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_other_encodings_name_what_to_do(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes("größe,b\n1,ä\n".encode(encoding))
    with pytest.raises(DataError, match=r"not UTF-8.*encoding="):
        read_cells(tmp_path / "t.csv")


def test_lines_within_quotes_do_not_hide_the_delimiter(tmp_path):
    rows = "".join(f'{i};"{"text, more" * 3}\n\nof, it {i}"\n' for i in range(60))
    (tmp_path / "t.csv").write_text("a;b\n" + rows)
    cells = read_cells(tmp_path / "t.csv")
    assert (cells.header, cells.delimiter, len(cells)) == (("a", "b"), ";", 60)


def test_names_of_several_levels_are_refused():
    table = frame()[["count", "size", "class"]]
    table.columns = pandas.MultiIndex.from_tuples([("a", "count"), ("a", "size"), ("b", "class")])
    with pytest.raises(DataError, match="several levels"):
        read_cells(table)


def test_a_missing_cell_where_the_fit_had_none_is_refused(tmp_path):
    table = frame()[["single", "zone", "class"]]
    codec = load_table(table, "class").codec
    table.loc[4, "zone"] = None
    with pytest.raises(DataError, match="row 5 has no value in the column 'zone'"):
        rows_like(table, codec, ("u", "v"))


def test_check_says_how_columns_were_read(tmp_path):
    found = check_table(frame(), "class")
    assert found.columns["number"].startswith("dates, as YYYYMMDD.0, from 20")
    assert any("'number'" in line and "--drop number" in line for line in found.advice)
    assert found.problems == ()


def test_a_column_of_image_files_says_how_these_are_learned():
    names = [f"{kind}{i % 7}.png" for i, kind in enumerate("abcdefghij" * 4)]
    with pytest.raises(DataError, match=r"'path' names image files, like 'a0.png'.*CSV file beside them.*--drop path"):
        load_table(pandas.DataFrame({"path": names, "class": ["u", "v"] * 20}), "class")
