"""Fixtures that several parts share: real data where it is, and one small finished run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

import ganaug

torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real image sets; the test is skipped where GANAUG_DATA does not name one."""
    folder = os.environ.get("GANAUG_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data are absent: set GANAUG_DATA to a folder with mnist.npz and others")
    return Path(folder)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> ganaug.Run:
    """A finished run on the embedded digits, 30 a class, of a few steps: poor samples. Do not write to it."""
    return ganaug.fit("digits", tmp_path_factory.mktemp("digits") / "run", steps=12, limit=30)
