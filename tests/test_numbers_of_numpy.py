"""Numbers of numpy are numbers, and what a setting cannot be is refused by its name."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import torch

import ganaug
from ganaug import keys
from ganaug.errors import IncompatibleLoaderError, OptionError


def test_they_name_the_same_streams():
    assert keys.key(np.int64(3), "a") == keys.key(3, "a") != keys.key("3", "a")


@pytest.mark.long
def test_a_fit_takes_them_and_gives_the_same_generator(tmp_path):
    plain = ganaug.fit("digits", tmp_path / "plain", steps=2, limit=6, size=8, seed=3, options={"width": 8})
    other = ganaug.fit(
        "digits", tmp_path / "numpy", steps=np.int32(2), limit=np.int64(6), size=np.int64(8), seed=np.int64(3),
        options={"width": np.int64(8)},
    )  # fmt: skip
    assert plain.load().hash == other.load().hash


@pytest.mark.parametrize("given", [{"steps": 5.0}, {"seed": 1.5}, {"limit": [3]}])
def test_what_is_no_whole_number_is_said(given, tmp_path):
    with pytest.raises(OptionError, match="whole number|is \\["):
        ganaug.fit("digits", tmp_path / "run", **{"steps": 2, "limit": 6, **given})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", [{"width": -3}, {"width": 0}, {"batch": 0}, {"lazy": 0}, {"lr": -1.0},
                                   {"gamma": float("nan")}, {"lr": float("inf")}])  # fmt: skip
def test_settings_that_nothing_can_be_made_of_are_refused_before_anything_is_written(given, tmp_path):
    with pytest.raises(OptionError, match=next(iter(given))):
        ganaug.fit("digits", tmp_path / "run", steps=2, limit=6, options=given)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("budget", timedelta(hours=1)), ("budget", True), ("validation", "0.2"), ("validation", None), ("seed", None),
     ("allow", 5), ("options", None), ("device", None), ("recipe", None), ("steps", True), ("auto_fix", 1),
     ("size", "big"), ("depth", 1.5), ("split", 3)],
)  # fmt: skip
def test_settings_of_a_fit_are_of_their_type(name, value):
    with pytest.raises(OptionError, match=f"^{name} is "):
        ganaug.FitSettings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("seed", None), ("weights", None), ("uses", 5), ("quick", "yes"), ("steps", 2.5), ("drop", 3)]
)
def test_settings_of_a_bench_are_of_their_type(name, value):
    with pytest.raises(OptionError, match=f"^{name} is "):
        ganaug.BenchSettings(**{name: value})


def test_settings_are_numbers_and_texts_of_pythons_own():
    told = ganaug.FitSettings(
        budget=np.float32(60), validation=np.float64(0.25), drop="abc", device=torch.device("cpu"),
        options={"lr": np.float32(0.5), "width": torch.tensor(8)},
    )  # fmt: skip
    assert told == ganaug.FitSettings(
        budget=60.0, validation=0.25, drop=("abc",), device="cpu", options={"lr": 0.5, "width": 8}
    )
    assert type(told.budget) is float


@pytest.mark.parametrize("options", [{"noise": 0.0}, {"batch": 1}])
def test_what_a_recipe_cannot_be_played_with_is_refused(options, tmp_path):
    with pytest.raises(OptionError, match="divides by 0|on one item at a time"):
        ganaug.fit("digits", tmp_path / "run", recipe="vae", steps=2, limit=6, options=options)
    assert not (tmp_path / "run").exists()


def test_what_is_no_seed_ratio_or_number_is_refused_at_every_door(digits_run):
    digits = [(np.zeros((8, 8), np.uint8), i % 10) for i in range(20)]
    images, labels = torch.zeros(4, 1, 8, 8), torch.arange(4)
    run = digits_run
    doors = (
        lambda: ganaug.SynthMix(run, seed=None),
        lambda: ganaug.mix(digits, run, seed=None),
        lambda: ganaug.mix(digits, run, ratio=[0.25]),
        lambda: ganaug.mix(digits, run, ratio=torch.tensor([0.25])),
        lambda: ganaug.SynthMix(run, pool_per_class=2.5),
        lambda: ganaug.SynthMix(run, normalize=(0.5, 0.5)),
        lambda: ganaug.SynthMix(run, normalize=((0.5,), (0.0,))),
        lambda: ganaug.SynthMix(run, normalize=((0.5,) * 3, (0.5,) * 2)),
        lambda: run.sample(2.5),
        lambda: ganaug.augment(run, {"1": 1}, "nowhere", truncation="0.5"),
        lambda: ganaug.augment(run, {"1": 1}, "nowhere", shards=2.0, format="tar"),
        lambda: ganaug.GANSampler(run, random_state=1.5).fit_resample(np.zeros((3, 8, 8), np.uint8), [0, 0, 1]),
    )
    for door in doors:
        with pytest.raises(OptionError):
            door()
    with pytest.raises(IncompatibleLoaderError, match="normalize= is of 3 channels, and the images have 1"):
        ganaug.SynthMix(run, normalize=((0.5,) * 3, (0.5,) * 3))(images, labels)


def test_a_sampler_takes_random_states_as_scikit_learn_does(digits_run):
    x, y = np.zeros((5, 8, 8), np.uint8), np.array([0, 0, 0, 0, 1])
    resampled = [
        ganaug.GANSampler(digits_run, random_state=state).fit_resample(x, y)[0][5:]
        for state in (np.random.RandomState(3), np.random.RandomState(3), None)
    ]
    assert np.array_equal(*resampled[:2])
    assert not np.array_equal(*resampled[1:])
