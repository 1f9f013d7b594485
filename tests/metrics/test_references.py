"""Agreement with the libraries that others use, on equal features."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from ganaug.metrics import (
    frechet_distance,
    gaussian_mmd,
    inception_score,
    kernel_distance,
    manifold,
)
from ganaug.metrics.frechet import trace_of_root
from tests.toys.features import logits, normal

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what these libraries warn of when they are imported is not ours
    import prdc
    import torch_fidelity.metric_fid as fidelity_fid
    import torch_fidelity.metric_isc as fidelity_isc
    import torch_fidelity.metric_kid as fidelity_kid
    import torch_fidelity.metric_prc as fidelity_prc
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.inception import InceptionScore as TorchmetricsInception
    from torchmetrics.image.kid import KernelInceptionDistance


MEMORY = "ignore:Metric `.*` will save all extracted features:UserWarning"


class Features(nn.Module):
    """Hands a matrix through, where torchmetrics expects a network."""

    def __init__(self, width: int):
        super().__init__()
        self.num_features = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert not self.training
        return x


SETS = [
    (normal(300, 16, 1), normal(400, 16, 2, mean=0.3, scale=1.2)),
    (normal(300, 16, 3), normal(300, 16, 4)),
    (normal(500, 64, 5, mean=2), normal(260, 64, 6, mean=2, scale=0.7)),
    (normal(90, 64, 7), normal(80, 64, 8, mean=1)),  # hardly more rows than values
]


@pytest.mark.parametrize(("real", "fake"), SETS)
def test_frechet_distance_is_that_of_torchmetrics_and_torch_fidelity(real, fake):
    theirs = FrechetInceptionDistance(feature=Features(real.shape[1]).eval())
    theirs.eval()
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    ours = frechet_distance(real, fake)
    assert ours == pytest.approx(theirs.compute().item(), rel=1e-4, abs=1e-4)
    stats = [fidelity_fid.fid_features_to_statistics(x.double()) for x in (fake, real)]
    assert ours == pytest.approx(
        fidelity_fid.fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"], rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize("rank", [16, 5])
def test_the_trace_of_the_root_is_that_of_scipys_matrix_root(rank):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((16, rank)), rng.standard_normal((16, 16))
    first, second = a @ a.T, b @ b.T
    theirs = np.trace(scipy.linalg.sqrtm(first @ second)).real
    assert trace_of_root(first, second) == pytest.approx(theirs, rel=1e-6)
    assert trace_of_root(second, first) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.filterwarnings(MEMORY)
@pytest.mark.parametrize(("real", "fake"), SETS)
def test_kernel_distances_are_those_of_torchmetrics_and_torch_fidelity(real, fake):
    n = min(len(real), len(fake))
    real, fake = real[:n], fake[:n]
    theirs = KernelInceptionDistance(feature=Features(real.shape[1]).eval(), subsets=1, subset_size=n)
    theirs.eval()
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    ours = kernel_distance(real, fake)
    assert ours == pytest.approx(theirs.compute()[0].item(), rel=1e-4, abs=1e-4)
    options = {"kid_subsets": 1, "kid_subset_size": n, "verbose": False, "rng_seed": 0}
    key = "kernel_inception_distance_mean"
    assert ours == pytest.approx(
        fidelity_kid.kid_features_to_metric(fake.double(), real.double(), **options)[key], rel=1e-9, abs=1e-9
    )
    options |= {"kid_kernel": "rbf", "kid_kernel_rbf_sigma": 5.0}
    assert gaussian_mmd(real, fake, bandwidth=5.0) == pytest.approx(
        fidelity_kid.kid_features_to_metric(fake.double(), real.double(), **options)[key], rel=1e-9, abs=1e-9
    )


@pytest.mark.filterwarnings(r"ignore:std\(\):UserWarning")  # of the one split
@pytest.mark.filterwarnings(MEMORY)
@pytest.mark.parametrize("sharp", [0.1, 3.0, 30.0])
def test_inception_score_is_that_of_torchmetrics_and_torch_fidelity(sharp):
    scores = logits(500, 10, 0, sharp)
    theirs = TorchmetricsInception(feature=Features(10).eval(), splits=1)
    theirs.eval()
    theirs.update(scores)
    assert inception_score(scores) == pytest.approx(theirs.compute()[0].item(), rel=1e-4)
    again = fidelity_isc.isc_features_to_metric(scores, splits=1)["inception_score_mean"]
    assert inception_score(scores) == pytest.approx(again, rel=1e-9)


@pytest.mark.parametrize(("real", "fake"), [*SETS, (normal(2500, 8, 1), normal(1100, 8, 2, scale=0.9))])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_recall_density_coverage_are_those_of_prdc(real, fake, k, capsys):
    theirs = prdc.compute_prdc(real.numpy(), fake.numpy(), k)
    ours = manifold(real, fake, k=k)
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(value, abs=1e-9), name


def test_precision_and_recall_are_those_of_torch_fidelity():
    real, fake = SETS[0]
    theirs = fidelity_prc.calculate_precision_recall_full(fake, real, 3, 1000)
    ours = manifold(real, fake, k=3)
    assert (ours.precision, ours.recall) == pytest.approx(theirs, abs=1e-6)
