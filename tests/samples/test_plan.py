"""A plan is exact arithmetic on class counts."""

import numpy as np
import pytest

from ganaug.errors import OptionError
from ganaug.samples.plan import apportion, balance, fraction, per_class


def test_balance_tops_up_to_the_largest_class():
    assert balance({"a": 3, "b": 10, "c": 0}) == {"a": 7, "b": 0, "c": 10}
    assert balance({"a": 3, "b": 10}, to=5) == {"a": 2, "b": 0}


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.25, 0.5, 0.9])
def test_fraction_is_the_share_of_what_is_served(ratio):
    rng = np.random.default_rng(0)
    for _ in range(50):
        counts = {str(c): int(rng.integers(0, 200)) for c in range(rng.integers(1, 12))}
        counts["0"] += 1
        n, plan = sum(counts.values()), fraction(counts, ratio)
        total = sum(plan.values())
        assert total == round(n * ratio / (1 - ratio))
        exact = {name: total * k / n for name, k in counts.items()}
        assert all(abs(plan[name] - exact[name]) < 1 for name in counts)


def test_apportion_is_exact_for_large_numbers_and_breaks_ties_in_order():
    assert apportion(10**15 + 1, [1, 1]) == [5 * 10**14 + 1, 5 * 10**14]
    assert apportion(2, [1, 1, 1]) == [1, 1, 0]
    assert apportion(0, [0, 0]) == [0, 0]


def test_per_class():
    assert per_class(("x", "y"), 4) == {"x": 4, "y": 4}


@pytest.mark.parametrize(
    "call",
    [
        lambda: fraction({"a": 1}, 1.0),
        lambda: fraction({"a": 1}, -0.1),
        lambda: fraction({"a": 1}, float("nan")),
        lambda: fraction({}, 0.5),
        lambda: balance({"a": -1}),
        lambda: balance({"a": 1}, to=-1),
        lambda: per_class(["a"], -1),
        lambda: per_class(["a"], 1.5),
        lambda: per_class(["a"], True),
        lambda: apportion(3, [0, 0]),
    ],
)
def test_impossible_plans_are_refused(call):
    with pytest.raises(OptionError):
        call()
