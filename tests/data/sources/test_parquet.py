"""Parquet and Arrow files of encoded images."""

import io

import numpy as np
import pytest

from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, MissingPackageError
from tests.toys.images import picture

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
LABELS = [1, 0, 1, 0, 1, 0, 0, 1]


def encoded(index):
    file = io.BytesIO()
    picture(index).save(file, "PNG")
    return file.getvalue()


def table(label=LABELS, **more):
    images = [{"bytes": encoded(i), "path": f"{i}.png"} for i in range(8)]
    return pyarrow.table({"image": images, "label": label, **more})


def test_row_groups_are_read_as_they_are_needed(tmp_path):
    parquet.write_table(table(), tmp_path / "s.parquet", row_group_size=3)
    source = open_source(tmp_path / "s.parquet")
    assert source.classes == ("0", "1")
    assert source.labels.tolist() == LABELS
    for i in (7, 0, 3, 2, 5):
        assert source.read(i).tobytes() == picture(i).tobytes()
    assert load_images(tmp_path / "s.parquet").counts() == {"0": 4, "1": 4}


def test_binary_columns_and_texts(tmp_path):
    plain = pyarrow.table({"img": [encoded(i) for i in range(8)], "kind": ["bee" if k else "ant" for k in LABELS]})
    parquet.write_table(plain, tmp_path / "s.parquet")
    source = open_source(tmp_path / "s.parquet")
    assert source.classes == ("ant", "bee")
    assert source.labels.tolist() == LABELS


@pytest.mark.parametrize("form", ["parquet", "stream", "file"])
def test_what_hugging_face_writes(tmp_path, form):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["ant", "bee", "cat"])})
    made = datasets.Dataset.from_dict({"image": [picture(i) for i in range(8)], "label": LABELS}, features=features)
    file = tmp_path / ("s.parquet" if form == "parquet" else "s.arrow")
    made.to_parquet(tmp_path / "s.parquet")
    if form != "parquet":
        whole = parquet.read_table(tmp_path / "s.parquet")
        new = pyarrow.ipc.new_stream if form == "stream" else pyarrow.ipc.new_file
        with new(str(file), whole.schema) as writer:
            writer.write_table(whole, max_chunksize=3)
    source = open_source(file)
    assert source.classes == ("ant", "bee")
    assert source.ignored == {"class without items": ("cat",)}
    assert source.labels.tolist() == LABELS
    assert source.read(5).tobytes() == picture(5).tobytes()


def test_all_parts_of_a_set_are_read(tmp_path):
    for number in range(2):
        parquet.write_table(table(), tmp_path / f"train-0000{number}-of-00002.parquet")
    first = tmp_path / "train-00000-of-00002.parquet"
    assert len(open_source(first)) == 16
    assert open_source(first).read(13).tobytes() == picture(5).tobytes()
    (tmp_path / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(DataError, match="train-00001-of-00002.parquet is missing"):
        open_source(first)


def test_what_cannot_be_read_says_why(tmp_path, monkeypatch):
    file = tmp_path / "s.parquet"
    parquet.write_table(table([None, *LABELS[1:]]), file)
    with pytest.raises(DataError, match="1 of 8 rows of .* have no 'label'"):
        open_source(file)
    parquet.write_table(table(other=LABELS).rename_columns(["image", "a", "b"]), file)
    with pytest.raises(DataError, match="is the class.*target="):
        open_source(file)
    assert len(open_source(file, target="a")) == 8
    two = table(other=LABELS).rename_columns(["img", "fine_label", "coarse_label"])
    parquet.write_table(two.append_column("id", pyarrow.array(range(8))), file)
    with pytest.raises(DataError, match=r"\(target='fine_label' or target='coarse_label'\)"):
        open_source(file)
    for labels, kind in (([float(y) for y in LABELS], "float"), ([[y, 1] for y in LABELS], "list")):
        parquet.write_table(table(labels), file)
        with pytest.raises(DataError, match=f"The column 'label' of .* holds {kind}.*integers or texts.*--target"):
            open_source(file)
    parquet.write_table(pyarrow.table({"image": ["a.png", "b.png"], "label": [0, 1]}), file)
    with pytest.raises(DataError, match="not encoded images"):
        open_source(file)
    paths = [{"bytes": None if i else encoded(0), "path": "x.png"} for i in range(8)]
    parquet.write_table(pyarrow.table({"image": paths, "label": LABELS}), file)
    source = open_source(file)
    assert np.array(source.read(0)).shape == (12, 12, 3)
    with pytest.raises(DataError, match="path 'x.png'"):
        source.read(1)
    file.write_bytes(b"PAR1 nothing")
    with pytest.raises(DataError, match="cannot be read"):
        open_source(file)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="ganaug\\[parquet\\]"):
        open_source(file)


def test_a_column_called_group_holds_the_subjects(tmp_path):
    subjects = [f"s{i // 2}" for i in range(8)]
    parquet.write_table(table(group=subjects), tmp_path / "s.parquet", row_group_size=3)
    assert open_source(tmp_path / "s.parquet").groups == tuple(subjects)
    parquet.write_table(table(group=[None, *subjects[1:]]), tmp_path / "s.parquet")
    with pytest.raises(DataError, match="'group' of .* has no subject for 1 of 8 images"):
        open_source(tmp_path / "s.parquet")
    only = pyarrow.table({"image": table()["image"], "group": LABELS})
    parquet.write_table(only, tmp_path / "s.parquet")
    assert open_source(tmp_path / "s.parquet").labels.tolist() == LABELS
