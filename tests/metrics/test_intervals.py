"""Intervals: they cover what they should, and are a function of the seed."""

from __future__ import annotations

import numpy as np
import pytest

from ganaug.metrics import bootstrap, frechet_distance, kernel_distance, manifold, share_interval, subsampled

TRIALS = 60


def strata(n: int) -> np.ndarray:
    return np.zeros(n, dtype=np.int64)


def test_the_interval_of_a_share_covers_it():
    rng = np.random.default_rng(0)
    for share, n in ((0.5, 40), (0.9, 100), (0.02, 200)):
        hits = rng.binomial(n, share, 2000)
        found = [share_interval(int(h), n) for h in hits]
        assert np.mean([i.low <= share <= i.high for i in found]) > 0.92
    assert share_interval(0, 50).low == 0
    assert share_interval(0, 50).high > 0.02
    assert share_interval(50, 50).high == 1
    assert np.isnan(share_interval(0, 0).value)


def test_the_bootstrap_covers_a_mean_and_keeps_to_its_strata():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(TRIALS):
        x = rng.standard_normal(80)
        found = bootstrap(lambda rows: float(x[rows].mean()), strata(80), seed=trial)  # noqa: B023
        hits += found.low <= 0 <= found.high
    assert hits >= 0.85 * TRIALS
    classes = np.arange(90) % 3
    within = bootstrap(lambda rows: float((classes[rows] == 0).mean()), classes, seed=0)
    assert within.low == within.value == within.high == pytest.approx(1 / 3)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "statistic", "gap"),
    [
        ("Frechet", frechet_distance, 0.5),
        ("KID", kernel_distance, 0.5),
        ("recall", lambda a, b: manifold(a, b, k=3).recall, 1.0),
        ("coverage", lambda a, b: manifold(a, b, k=3).coverage, 1.0),
    ],
)
def test_parts_cover_what_a_figure_is_on_average_at_this_number_of_images(name, statistic, gap):
    """95 % intervals of 60 data sets hold the mean of the figure at least 50 times, and are not endless."""
    rng = np.random.default_rng(1)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        return rng.standard_normal((120, 3)), rng.standard_normal((150, 3)) + gap

    wanted = np.array([statistic(*draw()) for _ in range(200)])
    found = []
    for trial in range(TRIALS):
        a, b = draw()
        found.append(
            subsampled(lambda r, s: statistic(a[r], b[s]), strata(120), strata(150), seed=trial, draws=20)  # noqa: B023
        )
    assert sum(i.low <= wanted.mean() <= i.high for i in found) >= 50
    width = np.mean([i.high - i.low for i in found])
    assert 0.7 < width / (2 * 1.96 * wanted.std()) < 1.9


def test_small_parts_are_scaled_to_the_whole():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4000, 2)), rng.standard_normal((4000, 2))

    def gap(rows, others):
        return float(a[rows].mean() - b[others].mean())

    for largest in (100, 1000, 10**6):
        found = subsampled(gap, strata(4000), strata(4000), seed=0, largest=largest, draws=200)
        assert (found.high - found.low) / 2 == pytest.approx(1.96 / np.sqrt(4000), rel=0.2)


def test_the_seed_is_all_that_an_interval_depends_on():
    x = np.random.default_rng(0).standard_normal(50)

    def spread(seed):
        return subsampled(lambda r, s: float(x[r].std() - x[s].mean()), strata(50), strata(50), seed=seed)

    def mean(seed):
        return bootstrap(lambda r: float(x[r].mean()), strata(50), seed=seed)

    np.random.seed(5)  # the global stream has no part in it
    assert spread(3) == spread(3) != spread(4)
    assert mean(3) == mean(3) != mean(4)


def test_every_class_is_in_every_part_and_bounds_hold():
    labels = np.array([0] * 50 + [1])
    seen = []

    def statistic(rows, others):
        seen.append((labels[rows] == 1).sum())
        return float(rng.uniform(0.9, 1.0))

    rng = np.random.default_rng(0)
    found = subsampled(statistic, labels, labels, seed=0, bounds=(0, 1))
    assert set(seen) == {1}
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_what_no_draw_can_change_has_no_interval():
    one_each = bootstrap(lambda rows: float(rows.mean()), np.arange(10), seed=0)
    assert one_each.value == 4.5
    assert np.isnan([one_each.low, one_each.high]).all()
    alone = subsampled(lambda rows, others: 7.0, np.arange(6), np.arange(6), seed=0)
    assert alone.value == 7
    assert np.isnan([alone.low, alone.high]).all()


def test_a_share_of_none_or_all_does_not_claim_to_be_certain():
    for value in (0.0, 1.0):
        few, many = (
            subsampled(lambda rows, others: value, strata(n), strata(3 * n), seed=0, bounds=(0, 1))  # noqa: B023
            for n in (8, 800)
        )
        assert few.low <= value <= few.high
        assert few.high - few.low > 0.2
        assert 0 < many.high - many.low < 0.01
