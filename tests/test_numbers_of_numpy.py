"""Whole numbers of numpy are whole numbers."""

from __future__ import annotations

import numpy as np
import pytest

import ganaug
from ganaug import keys
from ganaug.errors import OptionError


def test_they_name_the_same_streams():
    assert keys.key(np.int64(3), "a") == keys.key(3, "a") != keys.key("3", "a")


@pytest.mark.long
def test_a_fit_takes_them_and_gives_the_same_generator(tmp_path):
    plain = ganaug.fit("digits", tmp_path / "plain", steps=2, limit=6, size=8, seed=3, options={"width": 8})
    other = ganaug.fit(
        "digits", tmp_path / "numpy", steps=np.int32(2), limit=np.int64(6), size=np.int64(8), seed=np.int64(3),
        options={"width": np.int64(8)},
    )  # fmt: skip
    assert plain.load().hash == other.load().hash


@pytest.mark.parametrize("given", [{"steps": 5.0}, {"seed": 1.5}, {"limit": [3]}])
def test_what_is_no_whole_number_is_said(given, tmp_path):
    with pytest.raises(OptionError, match="whole number|is \\["):
        ganaug.fit("digits", tmp_path / "run", **{"steps": 2, "limit": 6, **given})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", [{"width": -3}, {"width": 0}, {"batch": 0}, {"lazy": 0}, {"lr": -1.0},
                                   {"gamma": float("nan")}, {"lr": float("inf")}])  # fmt: skip
def test_settings_that_nothing_can_be_made_of_are_refused_before_anything_is_written(given, tmp_path):
    with pytest.raises(OptionError, match=next(iter(given))):
        ganaug.fit("digits", tmp_path / "run", steps=2, limit=6, options=given)
    assert not (tmp_path / "run").exists()
