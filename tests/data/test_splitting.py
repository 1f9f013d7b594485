"""A test part out of data that have none: what must hold of both parts."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

import ganaug
from ganaug.data import splitting
from ganaug.errors import DataError, FewImagesWarning, OptionError, OutputInUseError
from tests.toys.images import noise_folder


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 12, 12), dtype=np.uint8)


@pytest.mark.parametrize("test", [0.1, 0.25, 0.5, 0.8])
def test_every_item_is_on_one_side_and_every_class_has_its_share(test):
    labels = np.repeat(np.arange(4), (2, 7, 20, 41))
    parts = ganaug.split((noise(70), labels), test=test)
    assert sorted([*parts.train, *parts.test]) == list(range(70))
    for label, (name, (train, held)) in enumerate(parts.counts.items()):
        assert (train, held) == tuple((labels[rows] == label).sum() for rows in (parts.train, parts.test)), name
        assert train, name
        assert held, name
        assert abs(held - test * (train + held)) <= 1


def test_the_seed_decides():
    data = noise(60), np.arange(60) % 3
    first, again, other = (ganaug.split(data, seed=seed).test.tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_groups_copies_and_near_duplicates_stay_whole_and_by_a_chain():
    x, y = noise(80), np.arange(80) % 2
    groups = [str(row // 2) for row in range(80)]  # of both classes
    x[10], x[50] = x[30], np.fliplr(x[70]) // 2 + 20  # joins groups 5 and 15; 25 and 35
    parts = ganaug.split((x, y), groups=groups, test=0.4)
    sides = [{groups[row] for row in rows} for rows in (parts.train, parts.test)]
    assert not sides[0] & sides[1]
    assert parts.groups == tuple(map(len, sides))
    for one, other in (("5", "15"), ("25", "35")):
        assert any({one, other} <= side for side in sides)
    assert parts.together == (2, 4)
    for seed in range(6):  # without groups, by likeness alone
        sides = [set(rows.tolist()) for rows in (lambda p: (p.train, p.test))(ganaug.split((x, y), seed=seed))]
        for pair in ({10, 30}, {50, 70}):
            assert any(pair <= side for side in sides)


def test_a_class_that_cannot_be_on_both_sides_is_in_train_and_told():
    x, y = noise(20), np.array([0] * 10 + [1] + [2] * 4 + [3] * 5)
    groups = [*map(str, range(11)), *["same"] * 4, *map(str, range(11, 16))]
    with pytest.warns(FewImagesWarning, match=r"no test image of lone, one group: .* stays in the training part"):
        parts = ganaug.split((x, y), groups=groups, classes=["many", "lone", "one group", "five"])
    assert parts.counts == {"many": (8, 2), "lone": (1, 0), "one group": (4, 0), "five": (4, 1)}
    assert parts.to_json()["train_only"] == ["lone", "one group"]
    with pytest.raises(DataError, match="Nothing can be held out.*Add items, or groups"):
        ganaug.split((x, y), groups=["same"] * 20)
    one = np.stack([np.fliplr(x[0]) // 2 + shade for shade in range(16, 32)])
    with pytest.raises(DataError, match=r"Nothing can be held out.*only look alike.*--groups FILE\.csv"):
        ganaug.split((one, y[:16] // 2))
    assert len(ganaug.split((one, np.arange(16) % 2), groups=range(16)).test) == 4


def test_what_is_wrong_is_refused(tmp_path):
    data = noise_folder(tmp_path / "photos", {"ant": 3, "bee": 3})
    for share in (0, 1, -0.5, 2):
        with pytest.raises(OptionError, match="test share cannot be"):
            ganaug.split(data, test=share)
    with pytest.raises(OptionError, match="lies in the data folder"):
        ganaug.split(data, data / "parts")
    with pytest.raises(DataError, match="one class only"):
        ganaug.split((noise(4), [0] * 4))
    ganaug.split(data, tmp_path / "parts")
    before = (tmp_path / "parts" / "test.csv").read_bytes()
    with pytest.raises(OutputInUseError, match=r"train\.csv is there already"):
        ganaug.split(data, tmp_path / "parts", seed=1)
    (tmp_path / "parts" / "train.csv").unlink()
    with pytest.raises(OutputInUseError, match=r"test\.csv is there already"):
        ganaug.split(data, tmp_path / "parts", seed=1)
    assert (tmp_path / "parts" / "test.csv").read_bytes() == before
    with pytest.raises(OutputInUseError, match="is not a folder"):
        ganaug.split(data, tmp_path / "parts" / "test.csv")


def test_the_example_of_the_docstring():
    assert doctest.testmod(splitting, raise_on_error=True).attempted == 4
