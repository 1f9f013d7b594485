"""What a fit tells a tracker: the values of its log and its grids, neither more nor less."""

import json
import time

import numpy as np
import pytest
from PIL import Image

import ganaug
from ganaug.errors import TrackerError
from ganaug.files.integrity import sha256

SMALL = {"width": 16, "latent": 8, "batch": 16, "norm": True}


def data():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2


def fit(out, **more):
    return ganaug.fit(data(), out, recipe="gan", options=SMALL, steps=12, device="cpu", **more)


@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning")
def test_a_tracker_gets_every_line_of_the_log_and_every_grid(tmp_path, monkeypatch):
    monkeypatch.setattr("ganaug.fitting.doctor.watch.APART", 6)
    told = []
    run = fit(tmp_path / "run", track=lambda step, values: told.append((step, values)))
    grids = {step: values["grid"] for step, values in told if "grid" in values}
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert all(list(line)[-1] == "sum" for line in lines)
    shared = [{name: value for name, value in line.items() if name != "sum"} for line in lines]
    assert [{"step": step, **values} for step, values in told if "grid" not in values] == shared
    assert any("checkup" in line for line in lines)
    losses = [values for _, values in told if not {"grid", "checkup"} & set(values)]
    assert len(losses) == 12
    assert all(type(value) is float for values in losses for value in values.values())
    files = {int(file.stem.removeprefix("step-")): file for file in (run.path / "samples").glob("*.png")}
    assert grids.keys() == files.keys() == set(range(1, 13))
    for step, file in files.items():
        with Image.open(file) as picture:
            assert np.array_equal(np.asarray(picture), np.asarray(grids[step]))


@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning")
def test_a_pace_is_that_since_the_last_line(tmp_path):
    told = {}

    def slow(step, values):
        told.update({step: values["steps_per_second"]} if "steps_per_second" in values else {})
        time.sleep(2.0 * (step == 3))

    fit(tmp_path / "run", track=slow)
    assert told[4] < 0.5
    assert min(pace for step, pace in told.items() if step > 4) > told[4]
    assert max(told[step] for step in (10, 11, 12)) > 4  # not 12 rounds over all seconds


@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning")
def test_a_tracker_that_fails_costs_no_more_than_the_rounds_since_the_last_state(tmp_path, monkeypatch):
    monkeypatch.setattr("ganaug.fitting.play.SAVE_SECONDS", 0.0)

    def failing(step, values):
        if step == 6:
            raise ConnectionError("no network")

    with pytest.raises(TrackerError, match="step 6: ConnectionError: no network"):
        fit(tmp_path / "run", track=failing)
    steps = []
    run = fit(tmp_path / "run", track=lambda step, values: steps.append(step), resume=True)
    assert steps[0] == 6
    whole = fit(tmp_path / "whole")
    weights = [sha256((one.path / "generator" / "model.safetensors").read_bytes()) for one in (run, whole)]
    assert weights[0] == weights[1]
