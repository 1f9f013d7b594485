"""Sums that keep their digits, and distances that are never all in memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ganaug.metrics import frechet_distance
from ganaug.metrics.frechet import Moments
from tests.toys.features import normal


def test_moments_of_parts_are_those_of_the_whole_and_lose_no_digits_far_from_zero():
    far = normal(230, 6, 0).double() * 1e-3 + 1e5
    parts = Moments(6)
    for rows in far.split(7):
        parts.update(rows)
    whole = Moments(6).update(far)
    assert parts.count == whole.count == 230
    assert parts.covariance == pytest.approx(whole.covariance, rel=1e-6)
    assert frechet_distance(far, far + 1e-3) == pytest.approx(6e-6, rel=1e-3)


MEMORY = """
import sys
import numpy as np
from ganaug.metrics import frechet_distance, manifold
n = int(sys.argv[1])
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
rng = np.random.default_rng(0)
x, y = (rng.standard_normal((n, 16)).astype(np.float32) for _ in range(2))
manifold(x[:2000], y[:2000])
open("/proc/self/clear_refs", "w").write("5")
before = peak()
manifold(x, y)
frechet_distance(x, y)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_matrix_of_all_distances_is_ever_in_memory():
    """5,000 x 5,000 distances would be 95 MiB as float32."""
    try:
        found = subprocess.run([sys.executable, "-c", MEMORY, "5000"], capture_output=True, check=True, text=True)
    except subprocess.CalledProcessError as error:
        if "clear_refs" in error.stderr:
            pytest.skip("the peak cannot be reset here")
        raise
    assert float(found.stdout) < 50
