"""The bench says `helps` where images must help, and does not where they cannot: with the real classifier."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.studies.sanity import judge


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for both, so that the trials without synthetic images are trained once."""
    return tmp_path_factory.mktemp("sanity")


@pytest.mark.long
@pytest.mark.parametrize("shuffled", [False, True])
def test_real_unseen_images_help_and_shuffled_labels_do_not(folder: Path, shuffled: bool):
    results = judge("digits", folder, shuffled=shuffled, real=10, extra=50, seed=0, quick=True, seeds=3, ratios=(0.5,))
    assert (results.verdict == "helps") == (not shuffled)
    assert (results.ratio > 0) == (not shuffled)
