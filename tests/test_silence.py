"""Nothing talks to another machine, and nothing is written but where it was asked for, and to the cache."""

from __future__ import annotations

import socket
import urllib.request

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import ganaug
from ganaug.samples.pool import Pool
from tests.fuzz.audit import watched
from tests.toys.bench import NearestMean, images

SMALL = {"width": 4, "widest": 8, "latent": 8, "batch": 8}


def arrays(n=24):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 8, 8), dtype=np.uint8), np.arange(n) % 2


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_the_suite_cannot_reach_another_machine(address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as wire:
        wire.settimeout(0.5)
        for connect in (wire.connect, wire.connect_ex):
            with pytest.raises(AssertionError, match="connection"):
                connect(address)
    with pytest.raises(AssertionError, match="look-up"):
        socket.create_connection(("example.test", 80), timeout=1)
    with pytest.raises(AssertionError):
        urllib.request.urlopen("http://example.test/", timeout=1)


def to_tensor(image):
    return torch.from_numpy(np.array(image))[None].float() / 255


def everything(out, cache, monkeypatch):
    """What users do, from images to a verdict, into `out`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr("ganaug.evaluation.trials.small.train_classifier", NearestMean())
    run = ganaug.fit(arrays(), out / "run", options=SMALL, steps=4)
    ganaug.fit(arrays(), out / "fork", options=SMALL, steps=6, fork=run)
    ganaug.preview(run, out / "preview", columns=2, frames=3)
    ganaug.augment(run, {"0": 3, "1": 4}, out / "images")
    X, y = arrays()
    loader = DataLoader(
        TensorDataset(torch.from_numpy(X)[:, None].float() / 255, torch.from_numpy(y)), batch_size=8, shuffle=True
    )
    for _ in ganaug.augment_loader(loader, run, ratio=0.25, classes=["0", "1"], transform=to_tensor):
        pass
    Pool.open(run, {"0": 5})
    Pool.open(run.path / "generator", {"0": 5}, folder=cache)
    ganaug.bench(
        images(20, 0),
        test=images(40, 1),
        synthetic=images(30, 2),
        out=out / "bench",
        quick=True,
        ratios=(0.25,),
        seeds=2,
        model="small",
        remedies=("augmentation",),
    )


@pytest.mark.long
def test_nothing_is_sent_and_nothing_is_written_elsewhere(tmp_path, monkeypatch):
    everything(tmp_path / "warm", tmp_path / "cache", monkeypatch)  # caches of other packages are made now
    (tmp_path / "out").mkdir()
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts}
    with watched(tmp_path / "out", tmp_path / "cache", code=False) as watch:
        everything(tmp_path / "out", tmp_path / "cache", monkeypatch)
    assert watch.seen == []
    after = {path for path in tmp_path.rglob("*") if "out" not in path.parts}
    assert {path for path in after - before if tmp_path / "cache" not in path.parents} == set()
    assert any((tmp_path / "out").iterdir())
