"""Accumulators: any division into batches gives the figure of the whole; `reset` forgets."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from ganaug import metrics
from ganaug.errors import TooFewImagesError
from tests.toys.features import logits, normal

REAL, FAKE = normal(230, 6, 0), normal(170, 6, 1, mean=0.4)
LABELS = {True: torch.arange(230) % 3, False: torch.arange(170) % 3}
SCORES, GIVEN = logits(170, 3, 0), torch.arange(170) % 3
BATCHES = [1, 64, 1000]


def fed(measure, batch: int, order: int):
    sides = [(REAL, True), (FAKE, False)][::order]
    for features, real in sides:
        for rows in features.split(batch):
            measure.update(rows, real=real)
    return measure


TWO_SIDED = {
    "Frechet": (metrics.FrechetDistance, metrics.frechet_distance),
    "KID": (metrics.KernelDistance, metrics.kernel_distance),
    "MMD": (metrics.GaussianMMD, metrics.gaussian_mmd),
    "PRDC": (metrics.PRDC, metrics.manifold),
    "NDB": (metrics.DifferentBins, metrics.different_bins),
}


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("name", TWO_SIDED)
def test_batches_of_features_give_the_figure_of_the_whole(name, batch):
    accumulator, whole = TWO_SIDED[name]
    wanted = whole(REAL, FAKE)
    for order in (1, -1):
        measure = fed(accumulator(), batch, order)
        assert vars(measure.compute()) == vars(wanted) if name == "PRDC" else measure.compute() == pytest.approx(wanted)
    measure.reset()
    with pytest.raises(TooFewImagesError, match="real"):
        measure.compute()
    fed(measure, batch, 1)
    if name != "PRDC":
        assert measure.compute() == pytest.approx(wanted)


@pytest.mark.parametrize("batch", BATCHES)
def test_batches_with_labels_give_the_figure_of_the_whole(batch):
    intra, varied = metrics.IntraClassFrechet(3), metrics.WithinClassDiversity(3)
    for _ in range(2):
        for measure in (intra, varied):
            measure.reset()
            for features, real in ((REAL, True), (FAKE, False)):
                for x, y in zip(features.split(batch), LABELS[real].split(batch), strict=True):
                    measure.update(x, y, real=real)
        wanted = metrics.intra_class_frechet(REAL, LABELS[True], FAKE, LABELS[False], 3)
        assert intra.compute() == pytest.approx(wanted)
        ratios = metrics.within_class_diversity(FAKE, LABELS[False], REAL, LABELS[True], 3)
        assert varied.compute() == pytest.approx(ratios, rel=1e-6)


@pytest.mark.parametrize("batch", BATCHES)
def test_batches_of_scores_give_the_figure_of_the_whole(batch):
    inception, am, agreement = metrics.InceptionScore(), metrics.AMScore(3), metrics.LabelAgreement()
    for _ in range(2):
        for measure in (inception, am, agreement):
            measure.reset()
            with pytest.raises(TooFewImagesError):
                measure.compute()
        for scores, labels in zip(SCORES.split(batch), GIVEN.split(batch), strict=True):
            inception.update(scores)
            am.update(scores)
            am.update_real(labels)
            agreement.update(scores, labels)
        assert inception.compute() == pytest.approx(metrics.inception_score(SCORES))
        assert am.compute() == pytest.approx(metrics.am_score(SCORES, GIVEN))
        assert agreement.compute() == pytest.approx(metrics.label_agreement(SCORES, GIVEN))


def test_the_real_side_can_be_kept():
    measure = fed(metrics.FrechetDistance(), 50, 1)
    measure.reset(real=False)
    with pytest.raises(TooFewImagesError, match="synthetic"):
        measure.compute()
    measure.update(FAKE, real=False)
    assert measure.compute() == pytest.approx(metrics.frechet_distance(REAL, FAKE))


def test_running_moments_do_not_lose_digits_far_from_zero():
    far = REAL.double() * 1e-3 + 1e5
    measure = metrics.FrechetDistance()
    for rows in far.split(7):
        measure.update(rows, real=True)
    measure.update(far + 1e-3, real=False)
    assert measure.compute() == pytest.approx(6e-6, rel=1e-3)


def test_a_class_on_one_side_only_is_nan():
    varied = metrics.WithinClassDiversity(4)
    varied.update(REAL, LABELS[True], real=True)
    varied.update(FAKE[:2], torch.tensor([0, 1]), real=False)
    assert varied.compute()[:3].tolist() == [0, 0, 0]
    assert np.isnan(varied.compute()[3])


MEMORY = """
import sys
import numpy as np, torch
from ganaug.metrics import FrechetDistance, manifold
n = int(sys.argv[1])
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
rng = np.random.default_rng(0)
x, y = (rng.standard_normal((n, 16)).astype(np.float32) for _ in range(2))
manifold(x[:2000], y[:2000])
open("/proc/self/clear_refs", "w").write("5")
before = peak()
manifold(x, y)
fid = FrechetDistance()
for rows in range(0, n, 500):
    fid.update(x[rows : rows + 500], real=True)
    fid.update(y[rows : rows + 500], real=False)
fid.compute()
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
