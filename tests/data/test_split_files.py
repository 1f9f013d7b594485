"""The parts of a split as files: each is read as what it was written for."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ImageOps
from torch.utils.data import TensorDataset
from torchvision.datasets import ImageFolder

import ganaug
from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.split_files import folder_beside
from ganaug.errors import DataError
from ganaug.evaluation.bench.sets import gather
from ganaug.evaluation.bench.settings import BenchSettings
from tests.toys.images import noise_folder, picture, tiff


def marks(*sources: Any) -> list[list[tuple[str, str]]]:
    """Fingerprint and class of every image of each."""
    read = [load_images(source, at_least=0) for source in sources]
    return [sorted(zip(one.fingerprints, (one.classes[n] for n in one.labels), strict=True)) for one in read]


@pytest.mark.parametrize("place", ["photos-split", "far/away/parts", "."])
def test_a_folder_becomes_two_lists_that_check_fit_and_bench_read(tmp_path, place):
    data = noise_folder(tmp_path / "photos", {"0": 3, "1": 3, "2": 9})  # called like files, which lists must not mix up
    ganaug.split(data, tmp_path / place)
    train, test = (tmp_path / place / name for name in ("train.csv", "test.csv"))
    both, here, there = marks(data, train, test)
    assert sorted(here + there) == both
    assert not set(here) & set(there)
    assert (len(here), len(there)) == (11, 4)
    found = check(train, other=test)
    assert found.counts == {"0": 2, "1": 2, "2": 7}
    assert found.other_counts == {"0": 1, "1": 1, "2": 2}
    assert not found.problems
    assert not [note for note in found.advice if "test set" in note or "other set" in note]
    sets = gather(train, BenchSettings(test=test))
    assert len(sets.test) == 4
    assert not sets.dropped
    with open(train, newline="") as file:
        assert not any(Path(row["image"]).is_absolute() for row in csv.DictReader(file))


@pytest.mark.filterwarnings("ignore:There is no test image")
def test_names_of_any_kind_come_back(tmp_path):
    odd = ['a, "b"', "two\nlines\rthree", "  space", "ünï çödé 猫", "back\\slash", "it's", "-dash", "01", "plain"]
    data = noise_folder(
        tmp_path / "my photos", dict.fromkeys([" x ".strip(), *odd[3:8], "a, b", 'q"u"', "two\nlines"], 4)
    )
    for name in odd:
        picture(len(name) + 500).save(data / "x" / f"{name}.png")
    ganaug.split(data, tmp_path / "parts, of\nit")
    both, here, there = marks(data, *((tmp_path / "parts, of\nit" / f"{part}.csv") for part in ("train", "test")))
    assert sorted(here + there) == both


def test_names_that_no_list_can_say_are_refused_and_nothing_is_left(tmp_path):
    data = noise_folder(tmp_path / "photos", {"red": 3, "apple": 3, "red apple": 3})  # a list says so of two labels
    with pytest.raises(DataError, match=r"No list can hold .*several labels: 'red apple'.*ganaug\.split\(data\)"):
        ganaug.split(data, tmp_path / "far" / "parts")
    assert not (tmp_path / "far").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match="No list can hold"):
        ganaug.split(data, tmp_path / "mine")
    assert not list((tmp_path / "mine").iterdir())
    assert len(ganaug.split(data).test) == 3


def test_groups_are_in_the_lists_and_those_that_are_alike_are_joined(tmp_path):
    data = noise_folder(tmp_path / "photos", {"ant": 12, "bee": 12})
    shutil.copy(data / "ant" / "0.png", data / "ant" / "copy.png")
    ImageOps.mirror(picture(2)).point(lambda v: v // 2 + 30).save(data / "ant" / "mirrored.png")  # of ant/1.png
    parts = ganaug.split(data, tmp_path / "alike")
    assert parts.together == (2, 4)
    assert check(tmp_path / "alike" / "train.csv").groups is not None
    rows = [f"{kind}/{i}.png,{i // 3} of {kind}" for kind in ("ant", "bee") for i in range(12)]
    (tmp_path / "groups.csv").write_text("\n".join([*rows, "ant/copy.png,own", "ant/mirrored.png,own"]))
    parts = ganaug.split(data, tmp_path / "named", groups=tmp_path / "groups.csv")
    train, test = (load_images(tmp_path / "named" / f"{part}.csv", at_least=0) for part in ("train", "test"))
    assert not set(train.groups) & set(test.groups)
    group_of = dict(zip([*train.names, *test.names], [*train.groups, *test.groups], strict=True))
    assert group_of["ant/copy.png"] == group_of["ant/0.png"] == group_of["ant/1.png"] == "0 of ant"
    assert group_of["bee/11.png"] == "3 of bee"
    other = [{"groups": str(tmp_path / "groups.csv")}, {}]
    assert [load_images(tmp_path / "named" / "train.csv", **how).groups is not None for how in other] == [True, True]


def test_a_list_with_labels_of_its_own_and_links(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(12):
        picture(i).save(photos / f"{i}.png")
    text = "file,age,dx\n" + "".join(f"{i},{40 + i},{'well' if i % 2 else 'ill'}\n" for i in range(12))
    (tmp_path / "labels.csv").write_text(text)
    parts = ganaug.split(photos, tmp_path / "parts", labels=tmp_path / "labels.csv", target="dx")
    assert parts.counts == {"ill": (4, 2), "well": (4, 2)}
    assert load_images(tmp_path / "parts" / "test.csv").counts() == {"ill": 2, "well": 2}


def test_links_are_listed_as_they_lie(tmp_path):
    linked = noise_folder(tmp_path / "linked", {"ant": 8, "bee": 4})
    shutil.move(linked / "bee", tmp_path / "elsewhere")
    (linked / "bee").symlink_to(tmp_path / "elsewhere")
    parts = ganaug.split(linked, tmp_path / "followed", follow_links=True)
    assert all("--follow-links" in step for step in parts.steps)
    read = [load_images(file, at_least=0, follow_links=True).counts() for file in parts.files]
    assert read == [{"ant": 6, "bee": 3}, {"ant": 2, "bee": 1}]
    own = noise_folder(tmp_path / "own", {"ant": 6, "bee": 6})
    (own / "bee" / "again.png").symlink_to(own / "ant" / "0.png")  # one file, two images, of two classes
    both, here, there = marks(own, *ganaug.split(own, tmp_path / "of its own").files)
    assert len(both) == 13
    assert sorted(here + there) == both


def test_rows_are_those_of_the_data_where_classes_are_left_out_and_images_unreadable(tmp_path):
    data = noise_folder(tmp_path / "photos", {"ant": 8, "few": 2, "bee": 8})
    (data / "ant" / "bad.png").write_bytes(b"no picture")
    parts = ganaug.split(data, tmp_path / "parts", skip_small=4)
    whole = ganaug.open_source(data)
    names = {whole.names[row] for row in [*parts.train, *parts.test]}
    assert names == {f"{kind}/{i}.png" for kind in ("ant", "bee") for i in range(8)}
    assert [name for name, _ in parts.unreadable] == ["ant/bad.png"]
    assert {name for name, _ in marks(tmp_path / "parts" / "train.csv")[0]} <= {name for name, _ in marks(data)[0]}
    assert sum(map(len, marks(*(tmp_path / "parts" / f"{part}.csv" for part in ("train", "test"))))) == 16


def test_arrays_become_arrays(tmp_path):
    x, y = np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 3 + 5
    np.savez(tmp_path / "set.npz", x=x, y=y, group=np.arange(24) // 2, pair=255 - x)
    parts = ganaug.split(tmp_path / "set.npz", tmp_path / "parts", test=0.5)
    with np.load(tmp_path / "parts" / "test.npz", allow_pickle=False) as file:
        assert (file["x"] == x[parts.test]).all()
        assert (file["pair"] == 255 - x[parts.test]).all()
        assert file["classes"][file["y"]].tolist() == y[parts.test].astype(str).tolist()
    read = [load_images(file, split=part) for file, part in zip(parts.files, ("train", "test"), strict=True)]
    assert not set(read[0].groups) & set(read[1].groups)
    assert sorted(read[0].fingerprints + read[1].fingerprints) == sorted(load_images(tmp_path / "set.npz").fingerprints)
    for number, data in enumerate(
        [(x, y), from_arrays(x, y), TensorDataset(torch.from_numpy(x[:, None]), torch.from_numpy(y))]
    ):
        out = tmp_path / str(number)
        ganaug.split(data, out)
        assert sorted(marks(out / "train.npz")[0] + marks(out / "test.npz")[0]) == marks(data)[0]


def test_values_of_more_than_8_bits_are_kept_or_refused(tmp_path):
    x = np.random.default_rng(0).integers(0, 4096, (20, 8, 8)).astype(np.uint16)
    np.savez(tmp_path / "deep.npz", x_train=x, y_train=np.arange(20) % 2)
    parts = ganaug.split(tmp_path / "deep.npz", tmp_path / "parts", range=(0, 4095))
    with np.load(tmp_path / "parts" / "train.npz", allow_pickle=False) as file:
        assert (file["x"] == x[parts.train]).all()
    assert all("--range 0 4095" in step for step in parts.steps)
    with pytest.raises(DataError, match=r"more than 8 bits.*\.train and \.test"):
        ganaug.split((x, np.arange(20) % 2), tmp_path / "other", range=(0, 4095))
    for kind in ("dark", "light"):
        (tmp_path / "scans" / kind).mkdir(parents=True)
    for row in range(20):
        (tmp_path / "scans" / ("dark", "light")[row % 2] / f"{row}.tif").write_bytes(tiff(x[row]))
    parts = ganaug.split(tmp_path / "scans", tmp_path / "lists", range=(0, 4095))
    assert all("--range 0 4095" in step for step in parts.steps)
    assert load_images(parts.files[0], range=(0, 4095)).counts() == {"dark": 8, "light": 8}


def test_data_sets_of_one_size_become_arrays_and_others_are_refused(tmp_path):
    data = ImageFolder(noise_folder(tmp_path / "photos", {"ant": 4, "bee": 4}))
    parts = ganaug.split(data, tmp_path / "parts")
    assert sorted(sum(marks(*parts.files), [])) == marks(tmp_path / "photos")[0]
    picture(99, (20, 20)).save(tmp_path / "photos" / "ant" / "0.png")
    with pytest.raises(DataError, match=r"not files, and of 2 sizes.*folder of files.*\.train and \.test"):
        ganaug.split(data, tmp_path / "other")
    assert len(ganaug.split(data).test) == 2


def test_parquet_becomes_parquet_with_all_its_columns(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    def png(seed: int) -> bytes:
        file = io.BytesIO()
        picture(seed, (12 + seed % 2, 12)).save(file, "PNG")
        return file.getvalue()

    table = {
        "image": [{"bytes": png(i)} for i in range(20)],
        "label": [i % 2 for i in range(20)],
        "age": list(range(20)),
    }
    parquet.write_table(pyarrow.table(table), tmp_path / "set.parquet", row_group_size=6)
    groups = [str(i // 2) for i in range(20)]
    parts = ganaug.split(tmp_path / "set.parquet", tmp_path / "parts", groups=groups)
    for file, rows in zip(parts.files, (parts.train, parts.test), strict=True):
        assert parquet.read_table(file)["age"].to_pylist() == rows.tolist()
        assert ganaug.open_source(file).groups == tuple(groups[row] for row in rows)
    assert sorted(sum(marks(*parts.files), [])) == marks(tmp_path / "set.parquet")[0]


def test_where_the_parts_lie_by_default(tmp_path, monkeypatch):
    (tmp_path / "v1.2").mkdir()
    (tmp_path / "list.csv").touch()
    monkeypatch.chdir(tmp_path / "v1.2")
    names = {
        ".": "v1.2-split",
        "../v1.2/": "v1.2-split",
        "../list.csv": "list-split",
        f"{tmp_path}/v1.2/../v1.2": "v1.2-split",
    }
    for data, name in names.items():
        assert folder_beside(data).resolve() == tmp_path / name
    assert folder_beside("torch/cifar10") == Path("cifar10-split")
