"""Many texts as one array."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ganaug.data.texts import Texts, among

PRINTS = [hashlib.sha256(bytes([i])).hexdigest() for i in range(50)]


def stored(prints):
    return Texts(np.array([mark.encode() for mark in prints], "S64"))


@pytest.mark.parametrize("texts", [stored, tuple])
@pytest.mark.parametrize("known", [stored, tuple])
def test_among_finds_what_numpy_finds(texts, known):
    asked, held = PRINTS[:30] + PRINTS[5:8], PRINTS[20:]
    found = among(texts(asked), known(held))
    assert found.dtype == bool
    assert (found == np.isin(asked, held)).all()
    assert among(texts([]), known(held)).shape == (0,)
    assert not among(texts(asked), known([])).any()
