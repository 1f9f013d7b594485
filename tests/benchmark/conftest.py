from __future__ import annotations

import pytest

from .toy import NearestMean


@pytest.fixture
def quick_classifier(monkeypatch: pytest.MonkeyPatch) -> NearestMean:
    """The bench with a classifier that takes no time, and counts how often it is trained."""
    stand_in = NearestMean()
    monkeypatch.setattr("ganaug.benchmark.trial.train_classifier", stand_in)
    return stand_in
