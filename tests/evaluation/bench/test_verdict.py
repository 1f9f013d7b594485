"""The interval and the word that is made of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ganaug.evaluation.bench.keeping import enough, looks
from ganaug.evaluation.bench.results import points
from ganaug.evaluation.bench.verdict import (
    FEW,
    HARMS,
    HELPS,
    NO_EVIDENCE,
    WITHHELD,
    Interval,
    decide,
    holm,
    paired_interval,
)
from ganaug.evaluation.bench.verdict import reasons_to_withhold as reasons


def paired_trials(
    rng: np.random.Generator, seeds: int, images: int, effect: float, by_seed: float, by_image: float
) -> np.ndarray:
    """Correct-with minus correct-without in {-1, 0, 1}: two arms whose chance of being right differs by `effect`, moved
    by a random part of the seed and one of the image (which is shared by all seeds)."""
    level = rng.uniform(0.4, 0.6, images)
    moved = effect + by_seed * rng.standard_normal((seeds, 1)) + by_image * rng.standard_normal(images)
    without = rng.uniform(size=(seeds, images)) < level
    mixed = rng.uniform(size=(seeds, images)) < level + moved
    return mixed.astype(float) - without


@pytest.mark.parametrize(
    ("seeds", "by_seed", "by_image", "balanced"),
    [
        (2, 0.05, 0.0, False),
        (5, 0.0, 0.0, False),
        (5, 0.0, 0.2, True),
        (5, 0.05, 0.2, False),
        (10, 0.05, 0.0, True),
        (10, 0.05, 0.2, False),
    ],
)
def test_covers_the_true_difference(seeds: int, by_seed: float, by_image: float, balanced: bool):
    runs, covered = 300, 0
    for run in range(runs):
        rng = np.random.default_rng([run, seeds])
        gain = paired_trials(rng, seeds, 150, 0.0, by_seed, by_image)
        labels = rng.integers(0, 3, 150)
        interval = paired_interval(gain, labels, balanced=balanced, seed=run, draws=200)
        covered += interval.low <= 0 <= interval.high
    assert covered / runs >= 0.92
    if seeds >= 5:
        assert covered / runs <= 0.985  # an interval that always holds finds nothing


def test_whole_groups_are_drawn_together():
    rng = np.random.default_rng(0)
    covered = {True: 0, False: 0}
    for run in range(200):
        by_group = np.repeat(rng.standard_normal(20), 10)
        gain = by_group + 0.1 * rng.standard_normal((5, 200))
        groups, labels = np.repeat(np.arange(20), 10), np.zeros(200, dtype=int)
        for known in covered:
            interval = paired_interval(
                gain, labels, balanced=False, groups=groups if known else None, seed=run, draws=300
            )
            covered[known] += interval.low <= 0 <= interval.high
    assert covered[True] / 200 >= 0.9
    assert covered[False] / 200 < 0.7  # what ignoring the groups would claim


@pytest.mark.parametrize("n", [5, 8, 20])
def test_few_groups_do_not_make_a_narrow_interval(n: int):
    covered = 0
    for run in range(300):
        rng = np.random.default_rng([run, n])
        groups = np.repeat(np.arange(n), 20)
        level, effect = rng.uniform(0.4, 0.6, 20 * n), 0.2 * rng.standard_normal(n)[groups]
        without = rng.uniform(size=(10, 20 * n)) < level
        gain = (rng.uniform(size=(10, 20 * n)) < level + effect).astype(float) - without
        interval = paired_interval(gain, np.zeros(20 * n, int), balanced=False, groups=groups, seed=run, draws=200)
        covered += interval.low <= 0 <= interval.high
    assert covered / 300 >= 0.91


@pytest.mark.parametrize("counts", [(5, 5), (5, 100), (5,) * 10, (30, 30, 30)])
def test_classes_of_few_images_do_not_make_a_narrow_interval(counts: tuple[int, ...]):
    labels, covered = np.repeat(np.arange(len(counts)), counts), 0
    for run in range(300):
        rng = np.random.default_rng([run, len(counts)])
        gain = paired_trials(rng, 10, len(labels), 0.0, 0.0, 0.2)
        interval = paired_interval(gain, labels, balanced=True, seed=run, draws=200)
        covered += interval.low <= 0 <= interval.high
    assert covered / 300 >= 0.91


@pytest.mark.parametrize("n", [(20, 5, 5), (5, 5, 5), "straddling"])
def test_classes_of_few_groups_do_not_make_a_narrow_interval(n: tuple[int, ...] | str):
    """Groups of one class each, or 20 groups that have images of all three."""
    if n == "straddling":
        groups, labels = np.repeat(np.arange(20), 15), np.tile(np.repeat([0, 1, 2], [10, 4, 1]), 20)
    else:
        groups, labels = np.repeat(np.arange(sum(n)), 20), np.repeat(np.arange(3), np.array(n) * 20)
    covered = 0
    for run in range(300):
        rng = np.random.default_rng([run, 7])
        level, effect = rng.uniform(0.4, 0.6, len(labels)), 0.2 * rng.standard_normal(groups.max() + 1)[groups]
        without = rng.uniform(size=(10, len(labels))) < level
        gain = (rng.uniform(size=(10, len(labels))) < level + effect).astype(float) - without
        interval = paired_interval(gain, labels, balanced=True, groups=groups, seed=run, draws=200)
        covered += interval.low <= 0 <= interval.high
    assert covered / 300 >= 0.9


def test_one_copied_image_hardly_changes_the_interval():
    """It makes one unit of two images, and leaves the others drawn within their classes."""
    labels, copied = np.repeat([0, 1], [5, 100]), np.arange(105)
    copied[51] = copied[50]
    for run in range(20):
        gain = paired_trials(np.random.default_rng(run), 10, 105, 0.0, 0.0, 0.2)
        alone = paired_interval(gain, labels, balanced=True, seed=run)
        one = paired_interval(gain, labels, balanced=True, groups=copied, seed=run)
        assert one.unseen == pytest.approx(alone.unseen, rel=0.05)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_is_never_narrower_than_students_t_over_the_seeds(seeds: int):
    for run in range(40):
        rng = np.random.default_rng([run, seeds])
        gain = paired_trials(rng, seeds, 60, 0.02, 0.1, 0.0)
        interval = paired_interval(gain, np.arange(60) % 3, balanced=False, seed=run, draws=200)
        change = gain.mean(1)
        low, high = stats.t.interval(0.95, seeds - 1, change.mean(), max(1e-15, change.std(ddof=1) / seeds**0.5))
        assert interval.low <= low + 1e-12
        assert interval.high >= high - 1e-12
        assert interval.student == pytest.approx((low, high))


def test_mean_is_the_difference_of_the_metric():
    rng = np.random.default_rng(0)
    gain, labels = rng.integers(-1, 2, (4, 90)).astype(float), np.array([0] * 60 + [1] * 30)
    plain = paired_interval(gain, labels, balanced=False)
    balanced = paired_interval(gain, labels, balanced=True)
    assert plain.mean == pytest.approx(gain.mean())
    assert balanced.mean == pytest.approx((gain[:, :60].mean() + gain[:, 60:].mean()) / 2)
    assert plain.per_seed == pytest.approx(tuple(gain.mean(1)))


def test_images_alone_give_the_normal_interval_of_their_mean():
    rng = np.random.default_rng(0)
    gain = np.tile(rng.choice([-1.0, 0.0, 1.0], 2000, p=[0.1, 0.7, 0.2]), (5, 1))  # the same in every seed
    interval = paired_interval(gain, np.zeros(2000, dtype=int), balanced=False, draws=4000)
    reach = 1.96 * gain[0].std() / np.sqrt(2000)
    assert (interval.low, interval.high) == pytest.approx((gain.mean() - reach, gain.mean() + reach), abs=0.1 * reach)


def test_no_difference_at_all_is_an_interval_of_zero_width():
    interval = paired_interval(np.zeros((5, 80)), np.arange(80) % 4, balanced=True)
    assert (interval.mean, interval.low, interval.high) == (0, 0, 0)
    assert decide(interval, []) == NO_EVIDENCE


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.001, 0.02, HELPS), (-0.02, -0.001, HARMS), (-0.01, 0.02, NO_EVIDENCE), (0.0, 0.01, NO_EVIDENCE)],
)
def test_the_word_follows_from_where_the_interval_lies(low: float, high: float, word: str):
    interval = Interval((low + high) / 2, low, high, (0.0, 0.0), None)
    assert decide(interval, []) == word
    assert decide(interval, ["One seed."]) == WITHHELD


def test_the_more_benches_there_were_the_more_a_gain_takes():
    earlier = [
        {"verdict": HARMS, "quick": False},
        {"verdict": WITHHELD, "quick": False},
        {"verdict": HELPS, "quick": True},
    ]
    assert looks([], quick=False) == 1
    assert looks(earlier, quick=False) == 2
    assert looks(earlier, quick=True) == 3
    gain = Interval(0.01, 0.002, 0.018, (0.0, 0.02), None, p=0.02)
    assert enough(gain, 1)
    assert enough(gain, 2)
    assert not enough(gain, 3)
    assert decide(gain, [], enough=enough(gain, 3)) == NO_EVIDENCE
    harm = Interval(-0.01, -0.018, -0.002, (0.0, -0.02), None, p=0.02)
    assert decide(harm, [], enough=enough(harm, 3)) == HARMS  # which nobody looks for


def test_withholds_where_it_cannot_judge():
    labels, validation = np.arange(100) % 2, np.arange(20) % 2
    assert reasons(labels, ("a", "b"), 5, None, validation) == []
    assert "One seed" in reasons(labels, ("a", "b"), 1, None, validation)[0]
    assert "too few" in reasons(labels[:10], ("a", "b"), 5, None, validation)[0]
    assert "no image of 'c'" in reasons(labels, ("a", "b", "c"), 5, None, validation)[0]
    assert "5 groups; at least 6" in reasons(labels, ("a", "b"), 5, np.arange(100) % 5, validation)[0]
    assert "validation" in reasons(labels, ("a", "b"), 5, None, validation * 0)[0]
    lone = np.where(labels == 0, np.arange(100), np.arange(100) % 4)
    assert reasons(labels, ("a", "b"), 5, lone, validation) == []
    assert "fewer than 5 groups of 'b'" in reasons(labels, ("a", "b"), 5, lone, validation, balanced=True)[0]
    few = np.array([0] * 96 + [1] * 4)
    assert reasons(few, ("a", "b"), 5, None, validation) == []
    assert "fewer than 5 images of 'b'" in reasons(few, ("a", "b"), 5, None, validation, balanced=True)[0]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "+0.00"),
        (-0.0035, "-0.35"),
        (-4.9e-5, "-0.005"),
        (2e-6, "+0.0002"),
        (1e-17, "+0.00"),
        (0.5, "+50.00"),
        (-1.76, "-100.00"),
    ],
)
def test_points_show_the_sign_of_an_end_near_zero(share, text):
    assert points(share) == text


@pytest.mark.parametrize("effect", [0.0, 0.03, 0.08])
def test_the_p_value_says_what_the_interval_says(effect: float):
    for run in range(60):
        rng = np.random.default_rng([run, int(1000 * effect)])
        interval = paired_interval(paired_trials(rng, 5, 120, effect, 0.02, 0.0), np.arange(120) % 3, balanced=False)
        if abs(interval.p - 0.05) > 0.005:
            assert (interval.p < 0.05) == (interval.low > 0 or interval.high < 0)


def _few(up: int, down: int, units: int = 200, each: int = 1) -> np.ndarray:
    """Gains of trainings that are all alike, of which a few units differ."""
    return np.tile(np.repeat([1.0] * up + [-1.0] * down + [0.0] * (units - up - down), each), (5, 1))


@pytest.mark.parametrize(("up", "down"), [(4, 0), (5, 0), (6, 0), (7, 1), (8, 2), (9, 1), (1, 12), (1, 30)])
@pytest.mark.parametrize("each", [1, 4], ids=["images", "groups"])
def test_where_few_differ_an_exact_test_has_the_last_word(up: int, down: int, each: int):
    labels, groups = np.arange(200 * each) % 4, np.repeat(np.arange(200), each)
    found = paired_interval(_few(up, down, each=each), labels, balanced=False, groups=groups if each > 1 else None)
    exact = stats.binomtest(up, up + down).pvalue
    assert (found.low > 0 or found.high < 0) == (exact < 0.05)
    assert found.p >= exact - 1e-12 or up + down > FEW


def test_few_images_that_differ_are_rarely_called_a_change():
    rng, words = np.random.default_rng(0), []
    for seed in range(200):
        gain = np.tile((rng.random(200) < 0.03) * rng.choice([-1.0, 1.0], 200), (5, 1))
        words.append(decide(paired_interval(gain, np.arange(200) % 4, balanced=False, seed=seed, draws=300), []))
    assert words.count("no evidence") >= 190


@pytest.mark.parametrize("sizes", [(120, 72, 43, 26, 16, 9, 6, 3), (100, 100, 3, 3, 3, 3), (40,) * 8], ids=str)
@pytest.mark.parametrize("balanced", [False, True])
def test_few_groups_of_any_size_make_few_false_verdicts(sizes: tuple[int, ...], balanced: bool):
    """Each group goes its own way, up or down alike."""
    rng, words, group = np.random.default_rng(0), [], np.repeat(np.arange(len(sizes)), sizes)
    for seed in range(150):
        way = (rng.choice([-1, 1], len(sizes)) * rng.uniform(0, 0.25, len(sizes)))[group]
        gain = np.sign(way) * (rng.random((5, len(group))) < np.abs(way))
        labels = rng.integers(0, 2, len(group))
        found = paired_interval(gain, labels, balanced=balanced, groups=group, seed=seed, draws=200)
        words.append(decide(found, []))
    assert words.count("no evidence") >= 138  # 95 % of 150, and chance


def test_no_difference_has_p_one():
    assert paired_interval(np.zeros((5, 80)), np.arange(80) % 4, balanced=True).p == 1


def test_the_power_is_that_of_the_t_test():
    """Of differences as large as `detectable`, Student's t finds about four in five."""
    rng, found, runs = np.random.default_rng(0), 0, 2000
    spread, seeds = 1.0, 10
    t = stats.t.ppf(0.975, seeds - 1)
    reach = t * spread / seeds**0.5
    true = Interval(0.0, -reach, reach, (0.0,) * seeds, None).detectable
    for _ in range(runs):
        change = true + spread * rng.standard_normal(seeds)
        found += change.mean() - t * change.std(ddof=1) / seeds**0.5 > 0
    assert found / runs == pytest.approx(0.8, abs=0.05)
    assert Interval(0.0, -1.0, 1.0, (0.0,), None).detectable is None


def test_holm_is_the_step_down_correction():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
