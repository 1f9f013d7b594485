"""Trials on executors: the same outcomes as at home, and nothing lost with a worker."""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch

from ganaug.classifier.small import Training
from ganaug.errors import MissingPackageError, OptionError
from ganaug.evaluation.bench.run import bench
from ganaug.evaluation.trials import executor
from ganaug.evaluation.trials.executor import Elsewhere, executor_at, play
from ganaug.evaluation.trials.parts import Parts
from ganaug.evaluation.trials.trial import Laboratory, Trial
from ganaug.evaluation.trials.workers import small_laboratory
from tests.evaluation.bench.test_ladder import part
from tests.toys.bench import NearestMean, images

TRIALS = [Trial("small", Training(steps=3, batch=8), seed, ("validation",)) for seed in range(4)]


def parts() -> Parts:
    return Parts(part((12, 12), 0), part((5, 5), 1), part((6, 6), 2), 2)


def outcomes(folder: Path, helpers: Elsewhere | None = None) -> Laboratory:
    of = parts()
    laboratory = Laboratory(of, folder, small_laboratory(of, folder).learners, helpers=helpers)
    laboratory.run_all(TRIALS)
    return laboratory


class Blind(Executor):
    """Workers that do not see the folder of the bench, and count what they are sent."""

    def __init__(self):
        self.sent: list[int] = []

    def submit(self, fn, /, file, digest, content, trial):
        self.sent.append(len(content))
        future: Future = Future()
        future.set_result(fn(file + " is not here", digest, content, trial))
        return future


def test_processes_of_an_executor_leave_the_same_outcomes(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        at_home = outcomes(tmp_path / "home")
    finally:
        torch.set_num_threads(before)
    said: list[str] = []
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        Elsewhere(pool, tmp_path / "pool", lambda *told: said.append(told[3])) as helpers,
    ):
        elsewhere = outcomes(tmp_path / "pool", helpers)
    assert said == []
    for trial in TRIALS:
        assert (elsewhere.outcomes[trial].logs == at_home.outcomes[trial].logs).all()
        assert elsewhere.outcomes[trial].key == at_home.outcomes[trial].key
    assert sorted(file.suffix for file in (tmp_path / "pool").iterdir()) == [".json"] * 4


def test_images_are_sent_once_to_workers_that_do_not_see_them(tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "_KNOWN", {})
    blind = Blind()
    with Elsewhere(blind, tmp_path, lambda *told: None) as helpers:
        found = outcomes(tmp_path, helpers)
    assert len(found.outcomes) == found.trained == 4
    assert len([size for size in blind.sent if size]) == 4  # all four were asked for before one answered
    assert play("nowhere", "0" * 64, b"", "") == (executor.LACKING, b"")
    assert play("nowhere", "0" * 64, b"other images", "") == (executor.LACKING, b"")


def dies(*given):
    os._exit(1)


class Deadly(Executor):
    """Its first worker dies, and takes the pool along."""

    def __init__(self, pool: ProcessPoolExecutor):
        self.pool, self.calls = pool, 0

    def submit(self, fn, /, *given):
        self.calls += 1
        return self.pool.submit(dies if self.calls == 1 else fn, *given)


def test_what_is_lost_with_a_worker_is_trained_at_home(tmp_path):
    said: list[str] = []
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        Elsewhere(Deadly(pool), tmp_path, lambda *told: said.append(told[3])) as helpers,
    ):
        found = outcomes(tmp_path, helpers)
    assert len(found.outcomes) == found.trained == 4
    assert "BrokenProcessPool" in said[0]


def test_workers_of_another_version_are_refused(tmp_path, monkeypatch):
    class Older(ThreadPoolExecutor):
        def submit(self, fn, /, *given):
            return super().submit(lambda: ("0" * 24, b""))

    with (
        Older(1) as pool,
        Elsewhere(pool, tmp_path, lambda *told: None) as helpers,
        pytest.raises(OptionError, match="another version"),
    ):
        outcomes(tmp_path, helpers)


def test_a_bench_runs_on_an_executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stand_in = NearestMean()
    monkeypatch.setattr("ganaug.evaluation.trials.small.train_classifier", stand_in)
    given = {"test": images(30, 1), "quick": True, "seeds": 2, "steps": 3, "model": "small", "remedies": ()}
    with ThreadPoolExecutor(2) as pool:
        data = bench(images(12, 0), out=tmp_path, executor=pool, device="cpu", **given).data
    assert data["trained"] == len(data["trials"]) == stand_in.trainings


def test_an_executor_that_would_train_nothing_is_refused(tmp_path: Path):
    def train(dataset, *, validation, seed, device):
        raise AssertionError("it was trained")

    given = {"test": images(30, 1), "quick": True, "train": train, "remedies": ()}
    with ThreadPoolExecutor(1) as pool, pytest.raises(OptionError, match="executor would change nothing"):
        bench(images(12, 0), out=tmp_path, executor=pool, device="cpu", **given)


@pytest.mark.filterwarnings("ignore:Port 8787 is already in use")
def test_a_dask_cluster_gives_the_same_outcomes(tmp_path: Path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        pool = executor_at(cluster.scheduler_address)
        with Elsewhere(pool, tmp_path, lambda *told: None) as helpers:
            found = outcomes(tmp_path, helpers)
        pool.shutdown()
        pool._client.close()
    assert len(found.outcomes) == found.trained == 4
    with pytest.raises(OptionError, match="No cluster answers"):
        executor_at("tcp://127.0.0.1:1", 1.0)


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingPackageError, match=r"ganaug\[cluster\]"):
        executor_at("tcp://127.0.0.1:8786")
