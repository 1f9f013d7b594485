"""Every setting of a bench, with every kind of data, is applied or refused."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from ganaug.data.load import load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.errors import GanaugError, OptionError
from ganaug.evaluation.bench.design import EVERY_POLICY, design_for, policies
from ganaug.evaluation.bench.room import small_menu
from ganaug.evaluation.bench.row_sets import of_kind
from ganaug.evaluation.bench.sets import gather
from ganaug.evaluation.bench.settings import BenchSettings

RNG = np.random.default_rng(0)
N, TESTED = 40, 20
X, Y = RNG.integers(0, 256, (N, 8, 8), dtype=np.uint8), (np.arange(N) % 4 == 0).astype(np.int64)
T, L = RNG.integers(0, 256, (TESTED, 8, 8), dtype=np.uint8), np.arange(TESTED) % 2
SYNTHETIC = (RNG.integers(0, 256, (4, 8, 8), dtype=np.uint8), np.arange(4) % 2)
OTHER: dict[str, Any] = {  # of every setting a value that is not the default one
    "root": "somewhere",
    "split": "test",
    "groups": [str(i // 4) for i in range(N)],
    "targets": [int(i > 19) for i in range(N)],
    "classes": ["left", "right"],
    "test": (T[::2].copy(), L[::2].copy()),
    "ratios": (0.3,),
    "uses": ("rare",),
    "augmentations": ("flips",),
    "allow": ("noise",),
    "remedies": ("none",),
    "kind": "series",
    "drop": ("height",),
    "seeds": 3,
    "quick": True,
    "model": "resnet18",
    "weights": "none",
    "tune": "scratch",
    "train": "mine.py:train",
    "cache": "seen",
    "search": False,
    "steps": 7,
    "limit": 8,
    "seed": 4,
    "unlabelled": np.random.default_rng(9).integers(0, 256, (4, *X.shape[1:]), dtype=np.uint8),
    "deploy": "small",
    "test_groups": [f"t{i // 2}" for i in range(TESTED)],
    "pairs": X,
    "device": "cpu",
    "exact_only": True,
    "range": (0, 4095),
    "as_served": True,
    "labels": "absent.csv",
    "image": "picture",
    "depth": 2,
    "target": "class",
    "skip_small": 15,
    "follow_links": True,
}
LATER = {
    "cache",
    "device",
    "exact_only",
    "model",
    "weights",
    "tune",
}  # where and what trials train; copies, of which there are none
KINDS = {
    "arrays": lambda x, y: (x, y),
    "source": from_arrays,
    "images": lambda x, y: load_images((x, y)),
}


def test_every_setting_is_tried():
    assert OTHER.keys() == {field.name for field in fields(BenchSettings)}


def outcome(data: Any, asked: BenchSettings) -> tuple:
    asked = of_kind(data, asked, None)
    sets = gather(data, asked, synthetic={"folder": SYNTHETIC})
    parts = (sets.train, sets.validation, sets.test)
    marks = [(part.fingerprints, part.labels.tolist(), part.classes, part.groups) for part in parts]
    design = design_for(list(sets.train.counts().values()), asked)
    return marks, design, small_menu(design, *policies(asked, EVERY_POLICY), thorough=True)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", OTHER)
def test_a_setting_changes_the_bench_or_is_refused(kind, setting):
    data, test = KINDS[kind](X, Y), KINDS[kind](T, L)
    before = outcome(data, BenchSettings(test=test))
    try:
        after = outcome(data, BenchSettings(**{"test": test, setting: OTHER[setting]}))
    except GanaugError:
        return
    assert setting in LATER or after != before


@pytest.mark.parametrize(
    "wrong",
    [{"tune": "linear"}, {"remedies": "ensemble,longer"}, {"remedies": 3}, {"seeds": 2.5}, {"ratios": "auto"},
     {"ratios": 0.2}, {"ratios": ("some",)}, {"model": 18}, {"deploy": 18}, {"weights": None}, {"uses": (1,)},
     {"augmentations": 1}, {"allow": 1}, {"drop": [2]}, {"steps": "many"}, {"limit": 3.5}, {"seed": None},
     {"remedies": ""}, {"remedies": "mean,,longer"}, {"remedies": "none,mean"}],
    ids=str,
)  # fmt: skip
def test_what_is_no_value_of_a_setting_is_refused(wrong):
    with pytest.raises(OptionError) as told:
        BenchSettings(**wrong)
    assert told.value.fix


def test_one_name_is_one_name():
    asked = BenchSettings(remedies="mean, longer", uses="plain", drop="height", seeds=np.int64(3))
    assert (asked.remedies, asked.uses, asked.drop, asked.seeds) == (("mean", "longer"), ("plain",), ("height",), 3)
