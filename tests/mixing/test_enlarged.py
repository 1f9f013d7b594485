"""Where the real images are far larger than what the generator makes, it is said before anything is served."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2

import ganaug
from ganaug.errors import EnlargedWarning, NoVerdictError
from ganaug.files.integrity import sealed
from tests.toys import mixing as toy
from tests.toys import translators as toy_translators

LARGE = 8 * toy.SIDE
SMALL_NETWORK = {"name": "small", "words": "small network, 8 px", "tune": "scratch", "size": [8, 8], "native": False}
NATIVE = {"name": "lite", "words": "a fine-tuned lite", "tune": "fine-tuned", "size": 40, "native": True}
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
DOORS: dict[str, Callable[[Path, int], Any]] = {
    "mix": lambda run, side: ganaug.mix(toy.Pictures(side=side), run),
    "append": lambda run, side: ganaug.mix(toy.Pictures(side=side), run, mode="append", ratio=0.1),
    "balance": lambda run, side: ganaug.mix(toy.Pictures(side=side), run, mode="balance"),
    "loader": lambda run, side: ganaug.augment_loader(DataLoader(toy.Pictures(side=side), shuffle=True), run),
    "SynthMix": lambda run, side: ganaug.SynthMix(run, ratio=0.1, classes=toy.CLASSES),
    "SyntheticDataset": lambda run, side: ganaug.SyntheticDataset(run, per_class=2),
    "GANSampler": lambda run, side: ganaug.GANSampler(run, classes=toy.CLASSES).fit_resample(
        np.zeros((9, side, side), dtype=np.uint8), LABELS
    ),
    "SynthSample": lambda run, side: ganaug.albumentations.SynthSample(run),
    "export": lambda run, side: ganaug.augment(run, {"ant": 2, "bee": 1, "cow": 1}, run / f"out {side}"),
}


def run_of(folder: Path, side: int | None, **verdict: Any) -> Path:
    """A run of 8 px on images of `side` px, with that verdict, if any."""
    toy.save_generator(folder / "generator", native_size=None if side is None else (side, side))
    if verdict:
        found = {"mode": "replace", "ratio": 0.5, "verdict": "helps", **verdict}
        (folder / "verdict.json").write_bytes(sealed(found))
    return folder


def told(serve: Callable[[], Any]) -> list[str]:
    """What is said of enlarged images; of anything else nothing is."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        serve()
    assert {one.category for one in found} <= {EnlargedWarning}
    return [str(one.message) for one in found]


@pytest.mark.parametrize("name", DOORS)
def test_every_door_says_it_once_and_only_beyond_twice_the_side(name: str, tmp_path: Path):
    (said,) = told(lambda: DOORS[name](run_of(tmp_path / "large", LARGE), LARGE))
    assert "made at 8 px and served enlarged, where the real ones have 64 px" in said
    assert "finer than 1/8 of the side" in said
    assert "ganaug bench" in said
    assert "\n" not in said
    assert not told(lambda: DOORS[name](run_of(tmp_path / "small", 2 * toy.SIDE), 2 * toy.SIDE))


@pytest.mark.parametrize("name", DOORS)
def test_a_gain_at_native_size_ends_it_and_nothing_else_does(name: str, tmp_path: Path):
    native = {**NATIVE, "size": [LARGE, LARGE]}
    assert not told(lambda: DOORS[name](run_of(tmp_path / "native", LARGE, classifier=native), LARGE))
    for number, verdict in enumerate(({"classifier": SMALL_NETWORK}, {"verdict": "helps"}, {"generator": "0" * 64})):
        run = run_of(tmp_path / str(number), LARGE, **verdict)
        assert len(told(lambda run=run: DOORS[name](run, LARGE))) == 1


def test_a_native_bench_without_a_gain_is_named_as_what_it_is(tmp_path: Path):
    run = run_of(tmp_path, LARGE, classifier=NATIVE, verdict="no evidence", ratio=0)
    (said,) = told(lambda: ganaug.mix(toy.Pictures(side=LARGE), run))
    assert "The verdict at such a size is `no evidence`" in said


def test_arrays_larger_than_the_bench_saw_are_not_covered_by_it(tmp_path: Path):
    run = run_of(tmp_path, LARGE, classifier=NATIVE)
    assert not told(lambda: DOORS["GANSampler"](run, 40))
    assert told(lambda: DOORS["GANSampler"](run, LARGE))


@pytest.mark.parametrize("classifier", [None, "small", {}, {"native": 1}, {"native": "yes", "size": 64}, {"size": "x"}])
def test_a_verdict_that_does_not_tell_rests_on_the_small_network(classifier: Any, tmp_path: Path):
    run = run_of(tmp_path, LARGE, classifier=classifier)
    assert told(lambda: ganaug.mix(toy.Pictures(side=LARGE), run))
    with pytest.warns(EnlargedWarning, match="takes none"):
        assert ganaug.SynthMix(run, ratio="auto", classes=toy.CLASSES).ratio == 0


@pytest.mark.parametrize("size", [None, True, -40, [40], [40, "40"], {"height": 40}])
def test_a_size_that_cannot_be_read_is_unknown(size: Any, tmp_path: Path):
    run = run_of(tmp_path, LARGE, classifier={**NATIVE, "size": size})
    assert not told(lambda: ganaug.mix(toy.Pictures(side=LARGE), run))
    assert told(lambda: DOORS["GANSampler"](run, 40))


def test_the_data_set_that_is_mixed_into_counts_not_the_one_of_the_fit(tmp_path: Path):
    of_large, of_small = run_of(tmp_path / "large", LARGE), run_of(tmp_path / "small", toy.SIDE)
    assert told(lambda: ganaug.mix(toy.Pictures(side=LARGE), of_small))
    assert not told(lambda: ganaug.mix(toy.Pictures(side=toy.SIDE), of_large))


def test_where_nothing_is_served_nothing_is_said(tmp_path: Path):
    run = run_of(tmp_path, LARGE)
    assert not told(lambda: ganaug.mix(toy.Pictures(side=LARGE), run, ratio=0))
    assert not told(lambda: ganaug.mix(toy.Pictures(n=3, side=LARGE), run, ratio=0.1))
    assert not told(lambda: ganaug.SynthMix(run, ratio=0, classes=toy.CLASSES))


def test_a_damaged_verdict_that_force_passes_ends_nothing(tmp_path: Path):
    run = run_of(tmp_path, LARGE, classifier=NATIVE)
    (run / "verdict.json").write_text('{"verdict": ')
    assert told(lambda: ganaug.mix(toy.Pictures(side=LARGE), run, force=True))


def test_translators_say_it_too(tmp_path: Path):
    run = toy_translators.save_translator(tmp_path, "toy_fill")
    classes = ["dark", "light"]
    large = [(v2.functional.to_pil_image(torch.zeros(1, LARGE, LARGE)), i % 2) for i in range(4)]
    assert not told(lambda: ganaug.Reimagine(run, classes=classes))
    assert told(lambda: ganaug.variants(large, run, k=1, p=0.5, classes=classes))


def test_small_pictures_of_elsewhere_say_it_too(tmp_path: Path):
    for name in toy.CLASSES:
        (tmp_path / "made" / name).mkdir(parents=True)
        noise = torch.rand(1, toy.SIDE, toy.SIDE, generator=torch.Generator().manual_seed(1))
        v2.functional.to_pil_image(noise).save(tmp_path / "made" / name / "0.png")
    assert told(lambda: ganaug.mix(toy.Pictures(side=LARGE), tmp_path / "made", ratio=0.5))
    assert not told(lambda: ganaug.mix(toy.Pictures(side=2 * toy.SIDE), tmp_path / "made", ratio=0.5))


# ratio="auto"


def auto(run: Path, side: int) -> tuple[int, float]:
    """How many of 60 items are synthetic, and the share of a batch."""
    mixed = ganaug.mix(toy.Pictures(side=side), run, ratio="auto")
    return len(mixed.synthetic_indices()), ganaug.SynthMix(run, ratio="auto", classes=toy.CLASSES).ratio


def test_auto_serves_none_of_far_larger_images_without_a_native_bench(tmp_path: Path):
    run = run_of(tmp_path / "run", LARGE, classifier=SMALL_NETWORK)
    with pytest.warns(EnlargedWarning, match=r"another size \(small network, 8 px\): measure.*--model") as found:
        assert auto(run, LARGE) == (0, 0)
    assert len(found) == 2  # one of each


def test_auto_is_the_verdict_of_a_native_bench_and_that_of_any_bench_of_small_images(tmp_path: Path):
    native = run_of(tmp_path / "native", LARGE, classifier=NATIVE)
    assert auto(native, LARGE) == (30, 0.5)
    for side in (toy.SIDE, 2 * toy.SIDE):
        assert auto(run_of(tmp_path / str(side), side, verdict="helps"), side) == (30, 0.5)


def test_auto_goes_by_the_data_set_that_is_mixed_into(tmp_path: Path):
    run = run_of(tmp_path, toy.SIDE, verdict="helps")
    with pytest.warns(EnlargedWarning, match="takes none"):
        assert not len(ganaug.mix(toy.Pictures(side=LARGE), run, ratio="auto").synthetic_indices())


def test_what_a_small_bench_advises_is_not_said_of_what_is_not_served(tmp_path: Path):
    """Its use of synthetic images, that it was a quick one."""
    run = run_of(tmp_path, LARGE, use="light", settings={"quick": True})
    assert len(told(lambda: ganaug.mix(toy.Pictures(side=LARGE), run, ratio="auto"))) == 1


def test_auto_of_nothing_is_nothing_without_a_word(tmp_path: Path):
    for word in ("no evidence", "harms", "withheld"):
        run = run_of(tmp_path / word, LARGE, verdict=word, ratio=0)
        assert not told(lambda run=run: ganaug.mix(toy.Pictures(side=LARGE), run, ratio="auto"))


def test_without_a_bench_auto_is_refused_as_ever(tmp_path: Path):
    with pytest.raises(NoVerdictError, match="ganaug bench"):
        ganaug.mix(toy.Pictures(side=LARGE), run_of(tmp_path, LARGE), ratio="auto")


# several sizes


class Uneven(toy.Pictures):
    """Images of several sizes, the median of which is 40 px."""

    def __getitem__(self, index: int):
        self.side = 24 + 8 * (index % 5)
        return super().__getitem__(index)


def test_images_of_several_sizes_are_served_at_the_usual_one(tmp_path: Path):
    data = Uneven()
    ganaug.fit(data, tmp_path / "run", recipe="cgan", steps=1, size=8)
    assert ganaug.load(tmp_path / "run").card.codec.size == (40, 40)
    with pytest.warns(EnlargedWarning, match="the real ones have 40 px"):
        mixed = ganaug.mix(data, tmp_path / "run", ratio=0.5)
    assert {mixed[i][0].size for i in mixed.synthetic_indices()} == {(40, 40)}


def test_a_run_that_does_not_know_the_usual_size_says_so(tmp_path: Path):
    """One of an earlier version, on images of several sizes."""
    run = run_of(tmp_path, None)
    for name in ("SyntheticDataset", "export", "SynthMix"):
        (said,) = told(lambda name=name: DOORS[name](run, LARGE))
        assert "made at 8 px and served so" in said
        assert "fit again" in said
    with pytest.warns(EnlargedWarning, match="where the real ones have 24 px"):  # of three that were looked at
        mixed = ganaug.mix(Uneven(), run, ratio=0.5)
    assert {mixed[i][0].size for i in mixed.synthetic_indices()} == {(24, 24)}
