from __future__ import annotations

import pytest

from tests.toys.bench import NearestMean


@pytest.fixture
def real_plots() -> None:
    """For tests that look at the whole page."""


@pytest.fixture
def quick_classifier(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> NearestMean:
    """The bench with a classifier that takes no time, and counts how often it is trained; without plots, which take a
    second, unless `real_plots` are asked for."""
    stand_in = NearestMean()
    if "real_plots" not in request.fixturenames:
        monkeypatch.setattr("ganaug.evaluation.bench.figures._svg", lambda figure: "data:image/svg+xml;base64,")
    monkeypatch.setattr("ganaug.evaluation.trials.small.train_classifier", stand_in)
    return stand_in
