"""What holds on a CPU holds on a GPU: every recipe, and the way from a fit to a verdict. Skipped where is none."""

from __future__ import annotations

import json
import math
import signal

import numpy as np
import pytest
import torch

import ganaug
from ganaug.classifier.augmentation import augmentation_named
from ganaug.data.load import load_images
from ganaug.errors import OutOfMemoryError
from ganaug.evaluation.bench.run import bench
from ganaug.evaluation.measuring.run import measure
from ganaug.fitting import play
from ganaug.fitting.doctor.doctor import doctor
from ganaug.fitting.doctor.history import read_history
from ganaug.game.train import train
from ganaug.generator.state import load_state
from ganaug.recipes import RECIPES, make
from ganaug.samples.augment import augment
from ganaug.samples.blocks import Renderer
from tests.toys.games import toy
from tests.toys.too_fast import TOO_FAST

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
every_recipe = pytest.mark.parametrize("name", RECIPES)
TINY = {"width": 8, "widest": 16, "batch": 16}


def last(iterator):
    *_, progress = iterator
    return progress


def played(name, steps, **options):
    recipe = make(name, {})
    return train(recipe, toy(recipe, device="cuda"), steps=steps, device="cuda", **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ganaug.fit("digits", tmp_path_factory.mktemp("gpu") / "run", steps=12, options=TINY, device="cuda")


@every_recipe
def test_the_first_rounds_are_finite_and_on_the_gpu(name):
    progress = last(played(name, 3))
    assert all(math.isfinite(value) for value in progress.losses.values())
    assert {p.device.type for net in progress.networks().values() for p in net.parameters()} == {"cuda"}


@every_recipe
def test_it_starts_from_the_weights_of_a_cpu_and_draws_what_a_cpu_draws(name):
    recipe = make(name, {})
    kept = []
    for device in ("cpu", "cuda"):
        data = toy(recipe, device=device)
        nets = next(train(recipe, data, steps=1, device=device)).networks()
        rng = torch.Generator().manual_seed(0)
        batch, z = data.draw(4, rng), recipe.prior.draw(4, rng).to(device)
        with torch.no_grad():
            if recipe.wiring.from_source:
                items = nets["generator"](recipe.wiring(nets, batch, z, rng).source, z, batch.y)
            else:
                items = nets["generator"](z, batch.y)
        kept.append(items.cpu())
    torch.testing.assert_close(*kept, rtol=0.02, atol=0.02)


@every_recipe
def test_a_saved_state_goes_on_from_the_same_bytes(name):
    states = [progress.state() for progress in played(name, 4)]
    again = next(played(name, 4, start=2, state=states[2])).state()
    assert again.keys() == states[2].keys()
    assert all(torch.equal(again[k].cpu(), states[2][k].cpu()) for k in again)
    assert all(math.isfinite(v) for v in last(played(name, 4, start=2, state=states[2])).losses.values())


def test_its_folder_is_used_without_a_gpu(run):
    fitted = run.load()
    assert fitted.card.versions["device"] == "cuda"
    assert {p.device.type for p in fitted.generator.parameters()} == {"cpu"}
    rows = np.arange(5)
    here, there = (Renderer(fitted, 0, device=device).rows(3, rows).astype(int) for device in ("cpu", "cuda"))
    assert np.abs(here - there).max() <= 3


def test_an_interrupted_fit_goes_on_there_and_says_so_elsewhere(tmp_path):
    def stopping(phase, done, total, detail=""):
        if phase == "fit" and done == 6:
            signal.raise_signal(signal.SIGINT)

    def stopped(name):
        with pytest.raises(KeyboardInterrupt):
            ganaug.fit("digits", tmp_path / name, steps=12, options=TINY, device="cuda", report=stopping)
        assert load_state(tmp_path / name / "state").step == 6

    said = []
    for name, device in (("here", "cuda"), ("there", "cpu")):
        stopped(name)
        run = ganaug.fit(
            "digits", tmp_path / name, steps=12, options=TINY, device=device, resume=True,
            report=lambda *what: said.append(what[-1]),
        )  # fmt: skip
        assert run.load().card.steps == 12
    told = [text for text in said if "not bit-exact" in text]
    assert len(told) == 2
    assert "no fixed order" in told[0]
    assert "device was cuda" in told[1]


def test_the_pool_of_a_gpu_is_another_than_that_of_the_cpu(run):
    here, there = (ganaug.SyntheticDataset(run, per_class=4, device=device) for device in ("cpu", "cuda"))
    assert len(here) == len(there) == 40
    again = ganaug.SyntheticDataset(run, per_class=4)
    assert all(np.array_equal(np.asarray(again[i][0]), np.asarray(here[i][0])) for i in range(40))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_never_touch_the_gpu_that_the_trainer_uses(run, method):
    torch.zeros(1, device="cuda")
    items = ganaug.SyntheticDataset(run, per_class=8, transform=as_tensor)
    loader = torch.utils.data.DataLoader(items, batch_size=16, num_workers=2, multiprocessing_context=method)
    assert sum(len(labels) for _, labels in loader) == 80


def as_tensor(image):
    return torch.from_numpy(np.array(image))


@pytest.mark.parametrize("live", [False, True])
def test_batches_on_the_gpu_are_mixed_there(run, live):
    mix = ganaug.SynthMix(run, ratio=0.5, live=live)
    images = torch.zeros(16, 1, 8, 8, dtype=torch.uint8, device="cuda")
    mixed, labels = mix(images, torch.arange(16, device="cuda") % 10)
    assert mixed.device.type == labels.device.type == "cuda"
    assert 4 <= (mixed.flatten(1).float().std(1) > 0).sum() <= 12


def test_a_bench_there_ends_in_a_verdict_and_shares_no_trial_with_the_cpu(run, tmp_path):
    options = {
        "run": run,
        "out": tmp_path / "bench",
        "quick": True,
        "seeds": 2,
        "steps": 6,
        "ratios": (0.5,),
        "model": "small",
    }
    there = bench("digits", **options)
    assert there.data["machine"]["device"] == "cuda"
    assert there.data["trained"] == len(list((tmp_path / "bench" / "trials").iterdir()))
    assert bench("digits", **options).data["trained"] == 0
    assert bench("digits", **options, device="cpu").data["trained"] == there.data["trained"]


def test_export_metrics_and_doctor_work_there(run, tmp_path):
    augment(run, {name: 3 for name in run.load().card.classes}, tmp_path / "out", device="cuda")
    assert len(list((tmp_path / "out").rglob("*.png"))) == 30
    found = measure(run, "digits", per_class=20, steps=10, device="cuda")
    json.dumps(found.to_json(), allow_nan=False)
    assert doctor(run, "digits", device="cuda").to_json()


def test_memory_that_does_not_suffice_is_a_stop_that_keeps_the_state(tmp_path, monkeypatch):
    real = play.train

    def greedy(*args, **options):
        for progress in real(*args, **options):
            yield progress
            if progress.step == 8:
                torch.empty(2**50, dtype=torch.uint8, device="cuda")

    monkeypatch.setattr(play, "train", greedy)
    with pytest.raises(OutOfMemoryError, match="on cuda"):
        ganaug.fit("digits", tmp_path / "run", steps=12, options=TINY, device="cuda")
    assert load_state(tmp_path / "run" / "state").step == 8
    monkeypatch.undo()
    run = ganaug.fit("digits", tmp_path / "run", steps=12, options=TINY, device="cuda", resume=True)
    assert run.load().card.steps == 12


def test_auto_takes_the_gpu_and_larger_images(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 90, 90, 3), dtype=np.uint8)
    assert load_images((noise, np.arange(40) % 2), device="cuda").pixels.shape[-1] == 64
    fitted = ganaug.fit((noise, np.arange(40) % 2), tmp_path / "run", steps=3, options=TINY).load()
    assert fitted.card.versions["device"] == "cuda"
    assert fitted.card.shape == (3, 64, 64)


def test_the_doctor_looks_in_and_turns_a_knob_there(tmp_path):
    """As on a CPU: a discriminator that is too fast is slowed down half-way, and the fit goes on on the GPU."""
    run = ganaug.fit("digits", tmp_path / "run", recipe=TOO_FAST, steps=200, limit=40, auto_fix=True, device="cuda")
    past = read_history(run.path)
    assert [checkup.step for checkup in past.checkups] == [100, 200]
    assert [(one.kind, one.step, one.cause) for one in past.interventions] == [("fix", 100, "no convergence")]


@pytest.mark.parametrize("augmentation", ["randaugment", "trivial", "affine", "crops", "flips"])
def test_augmentation_there_draws_what_a_cpu_draws(augmentation):
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (64, 3, 28, 28), dtype=np.uint8))
    seen = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(5)
        there = augmentation_named(augmentation)(pixels.to(device))
        assert there.device.type == device
        seen.append(there.cpu().float())
    close = (seen[0] - seen[1]).abs() <= 2
    assert close.float().mean() > 0.98  # a pixel on the edge between two may fall to either
