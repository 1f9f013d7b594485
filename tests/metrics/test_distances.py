"""Distances between sets of features: closed forms, properties, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganaug.errors import DataError, LabelMismatchError, OptionError, TooFewImagesError
from ganaug.metrics import (
    class_frechet_distances,
    different_bins,
    frechet_distance,
    gaussian_mmd,
    intra_class_frechet,
    kernel_distance,
    manifold,
)
from ganaug.metrics.bins import share_of_different
from ganaug.metrics.frechet import Moments, frechet_of_moments
from ganaug.metrics.neighbours import Balls, Points, nearest
from tests.toys.features import normal

DISTANCES = {
    "Frechet": frechet_distance,
    "KID": kernel_distance,
    "MMD": gaussian_mmd,
    "NDB": lambda a, b: different_bins(a, b, bins=8),
    "precision": lambda a, b: manifold(a, b).precision,
    "recall": lambda a, b: manifold(a, b).recall,
    "density": lambda a, b: manifold(a, b).density,
    "coverage": lambda a, b: manifold(a, b).coverage,
}


def whitened(n: int, width: int, seed: int) -> np.ndarray:
    """(n, width) of mean 0 and covariance 1 exactly."""
    x = np.random.default_rng(seed).standard_normal((n, width))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T


@pytest.mark.parametrize("n", [200, 8])
def test_frechet_distance_of_two_gaussians_is_the_formula(n):
    """Axis-parallel Gaussians: |m|^2 + sum (s1 - s2)^2. With n = 8 of 8 dimensions there is one direction less."""
    width = 8 if n > 8 else 4
    shift, scale = np.linspace(-1, 2, width), np.linspace(0.5, 3, width)
    real, fake = whitened(n, width, 0), whitened(n, width, 1) * scale + shift
    assert frechet_distance(real, fake) == pytest.approx(np.square(shift).sum() + np.square(1 - scale).sum(), rel=1e-9)


def test_frechet_distance_of_few_images_is_that_of_their_moments():
    real, fake = normal(20, 64, 0).double(), normal(25, 64, 1, mean=0.5).double()
    moments = [Moments(64).update(x) for x in (real, fake)]
    assert frechet_distance(real, fake) == pytest.approx(frechet_of_moments(*moments), rel=1e-5)


def test_identical_sets_are_at_no_distance():
    x = normal(300, 12, 0)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)
    assert kernel_distance(x, x) < 0  # the estimate leaves an item's similarity to itself out on one side only
    assert different_bins(x, x) == 0
    same = manifold(x, x)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert same.density >= 1


def test_sets_far_apart_share_nothing():
    apart = manifold(normal(100, 6, 0), normal(100, 6, 1, mean=100))
    assert (apart.precision, apart.recall, apart.density, apart.coverage) == (0, 0, 0, 0)
    assert different_bins(normal(200, 6, 0), normal(200, 6, 1, mean=100)) > 0.9
    assert gaussian_mmd(normal(200, 6, 0), normal(200, 6, 1, mean=100), bandwidth=3.0) > 0.2


@pytest.mark.parametrize("name", DISTANCES)
def test_order_does_not_matter(name):
    real, fake = normal(1300, 5, 0), normal(200, 5, 1, mean=0.2)
    shuffled = fake[torch.randperm(200, generator=torch.Generator().manual_seed(0))]
    assert DISTANCES[name](real, shuffled) == pytest.approx(DISTANCES[name](real, fake), rel=1e-9, abs=1e-12)
    if name != "NDB":  # k-means starts from items by number
        assert DISTANCES[name](real.flip(0), fake) == pytest.approx(DISTANCES[name](real, fake), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["Frechet", "KID", "MMD"])
def test_more_of_a_difference_is_a_larger_distance(name):
    real = normal(400, 6, 0)
    values = [DISTANCES[name](real, normal(400, 6, 1, mean=mean)) for mean in (0, 0.3, 1.0, 3.0)]
    assert values == sorted(values)


def test_a_collapsed_generator_has_precision_and_no_recall():
    real = normal(400, 4, 0)
    found = manifold(real, real[:1] + 1e-3 * normal(300, 4, 1))
    assert found.precision > 0.9
    assert found.recall < 0.1
    assert found.coverage < 0.1


def test_a_lost_mode_is_counted_among_the_bins():
    rng = np.random.default_rng(0)
    modes = 10 * np.eye(10, 4 + 6)
    real = modes[np.arange(1000) % 10] + 0.1 * rng.standard_normal((1000, 10))
    fake = modes[np.arange(900) % 9] + 0.1 * rng.standard_normal((900, 10))
    assert different_bins(real, fake, bins=10) >= 0.1
    honest = modes[np.arange(1000) % 10] + 0.1 * rng.standard_normal((1000, 10))
    assert different_bins(real, honest, bins=10) == 0


def test_bins_of_one_distribution_differ_as_often_as_the_level_says():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(2000, np.full(20, 0.05), size=(200, 2))
    shares = [share_of_different(a, b) for a, b in counts]
    assert 0.035 < np.mean(shares) < 0.065
    assert share_of_different(np.array([100, 100, 0]), np.array([100, 100, 0])) == 0


def test_intra_class_distance_sees_wrong_labels_and_does_not_care_what_classes_are_called():
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 3
    x = rng.standard_normal((600, 5)) + 5 * np.eye(3, 5)[labels]
    y = rng.standard_normal((600, 5)) + 5 * np.eye(3, 5)[labels]
    right = intra_class_frechet(x, labels, y, labels, 3)
    wrong = intra_class_frechet(x, labels, y, (labels + 1) % 3, 3)
    assert right < 0.5 < 20 < wrong
    renamed = np.array([2, 0, 1])[labels]
    assert intra_class_frechet(x, renamed, y, renamed, 3) == pytest.approx(right)
    each = class_frechet_distances(x, labels, y[labels > 0], labels[labels > 0], 4)
    assert np.isnan(each[[0, 3]]).all()
    assert intra_class_frechet(x, labels, y[labels > 0], labels[labels > 0], 4) == pytest.approx(each[1:3].mean())


def radii(x: np.ndarray, k: int) -> np.ndarray:
    """Exact ones; the approximate ones are checked on the way."""
    balls = Balls(Points(x, x.mean(0)), k)
    exact = balls.exact(np.arange(len(x)))
    assert (np.abs(exact - balls.approximate) <= balls.error).all()
    return exact


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_radii_are_exact_whatever_the_offset_of_the_features(k, offset):
    x = (normal(1500, 7, 0).numpy() + np.float32(offset)).astype(np.float32)
    x[10], x[20] = x[11], x[21]  # copies
    y = x.astype(np.float64)
    exact = np.sort(np.square(y[:, None] - y[None]).sum(2), axis=1)[:, k]
    assert radii(x, k) == pytest.approx(exact, rel=1e-12)


def test_radii_are_exact_where_everything_is_a_tie():
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 3), -1).reshape(-1, 3).astype(np.float32)
    assert radii(grid, 3) == pytest.approx(np.ones(216))
    copies = np.repeat(grid[:40], 30, axis=0)
    assert (radii(copies, 5) == 0).all()


def test_nearest_is_exact():
    x, y = normal(1200, 6, 0).numpy(), normal(1100, 6, 1).numpy()
    distances = np.sqrt(np.square(x[:, None].astype(float) - y[None]).sum(2))
    found, place = nearest(x, y)
    assert found == pytest.approx(distances.min(1))
    assert (place == distances.argmin(1)).all()


def test_what_cannot_be_measured_is_said():
    x = normal(10, 4, 0)
    with pytest.raises(DataError, match="4 and 5"):
        frechet_distance(x, normal(10, 5, 0))
    with pytest.raises(DataError, match="not a number"):
        kernel_distance(x, x / 0)
    with pytest.raises(DataError, match="matrix"):
        frechet_distance(x[0], x)
    with pytest.raises(TooFewImagesError, match="1 synthetic"):
        frechet_distance(x, x[:1])
    with pytest.raises(TooFewImagesError, match="At least 11"):
        manifold(x, x, k=10)
    with pytest.raises(OptionError, match="k >= 1"):
        manifold(x, x, k=0)
    with pytest.raises(OptionError, match="bins"):
        different_bins(x, x, bins=11)
    with pytest.raises(OptionError, match="bandwidth"):
        gaussian_mmd(torch.zeros(9, 2), x[:, :2])
    with pytest.raises(LabelMismatchError):
        intra_class_frechet(x, torch.zeros(9), x, torch.zeros(10), 2)
    with pytest.raises(LabelMismatchError, match=r"5\.\.5"):
        intra_class_frechet(x, torch.full((10,), 5), x, torch.zeros(10), 5)


def test_half_precision_and_tensors_that_need_gradients_are_taken():
    x, y = normal(50, 4, 0), normal(50, 4, 1)
    assert frechet_distance(x.half(), y.bfloat16().requires_grad_()) == pytest.approx(frechet_distance(x, y), rel=0.05)
