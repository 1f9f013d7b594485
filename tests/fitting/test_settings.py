"""Every setting of a fit, with every kind of data, is applied or refused: nothing is recorded that did not happen."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganaug.classifier.pseudo import Pseudo
from ganaug.data.load import load_images
from ganaug.data.rows.series import load_series
from ganaug.data.rows.table import load_table
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.sources.folder import from_folder
from ganaug.errors import GanaugError, UnreadableImageError
from ganaug.fitting.prepare import prepare
from ganaug.fitting.settings import FitSettings
from ganaug.fitting.settings_file import digest_of
from ganaug.reporting import silent

N = 24
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (N, 8, 8), dtype=np.uint8)
LABELS = np.arange(N) % 2
WAVES = RNG.standard_normal((N, 12))


def folder(root: Path) -> Path:
    for i, pixels in enumerate(PIXELS):
        place = root / str(LABELS[i])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i:02d}.png")
    return root


def npz(file: Path, values: np.ndarray) -> Path:
    np.savez(file, x_train=values, y_train=LABELS, x_test=values[::-1].copy(), y_test=LABELS[::-1].copy())
    return file


def csv(file: Path) -> Path:
    rows = [f"{wave[0]:.3f},{wave[1]:.3f},{'ab'[i % 2]}\n" for i, wave in enumerate(WAVES)]
    file.write_text("one,two,class\n" + "".join(rows))
    return file


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> dict[str, Any]:
    """Name -> what is fitted, and the settings that it needs."""
    home = tmp_path_factory.mktemp("settings")
    root, table = folder(home / "folder"), csv(home / "table.csv")
    waves = npz(home / "waves.npz", WAVES)
    return {
        "folder": (root, {}),
        "npz": (npz(home / "images.npz", PIXELS), {}),
        "arrays": ((PIXELS, LABELS), {}),
        "source": (from_folder(root), {}),
        "images": (load_images(root), {}),
        "table": (table, {"target": "class"}),
        "rows": (load_table(table, "class"), {}),
        "series": (waves, {}),
        "series in arrays": ((WAVES, LABELS), {}),
        "series in memory": (load_series(waves), {}),
    }


OTHER: dict[str, Any] = {  # of every setting a value that is not the default one
    "root": "somewhere",
    "split": "test",
    "groups": [str(i // 4) for i in range(N)],
    "targets": [int(i > 9) for i in range(N)],
    "classes": ["left", "right"],
    "recipe": "cgan",
    "options": {"lr": 0.5},
    "budget": "7s",
    "steps": 7,
    "size": 16,
    "channels": 3,
    "limit": 5,
    "validation": 0.4,
    "seed": 3,
    "device": "cpu",
    "kind": "",  # another one than that of the data
    "target": "one",
    "drop": ("two",),
    "auto_fix": True,
    "slices": 2,
    "allow": ("noise",),
    "words": {"one": "a", "two": "b"},
    "pairs": PIXELS,
    "unlabelled": RNG.integers(0, 256, (6, 8, 8), dtype=np.uint8),
    "strict": True,
    "range": (0, 4095),
    "as_served": True,
    "labels": "absent.csv",
    "image": "picture",
    "depth": 2,
    "skip_small": 20,
    "follow_links": True,
}
LATER = {
    "budget",
    "steps",
    "auto_fix",
    "slices",
    "device",
    "options",
    "allow",
}  # what they do is done after the data were read
KINDS = ("images", "table", "series")


def test_every_setting_is_tried():
    assert OTHER.keys() == {field.name for field in fields(FitSettings)}


def outcome(data: Any, settings: FitSettings) -> tuple:
    """What a fit would start from."""
    found = prepare(data, settings, silent)
    sizes = [len(part) for part in (found.training, found.validation)]
    return digest_of(found.training, found.validation, found.beside), str(found.recipe), sizes, found.settings


NAMES = (
    "folder",
    "npz",
    "arrays",
    "source",
    "images",
    "table",
    "rows",
    "series",
    "series in arrays",
    "series in memory",
)


@pytest.fixture
def labels(monkeypatch):
    """Unlabelled images are given the label 0, at once."""
    found = Pseudo(np.arange(6), np.zeros(6, np.int64), np.ones(6), 0.9, 0.9, "")
    monkeypatch.setattr("ganaug.classifier.labelling.label_images", lambda *of, **how: (found, "nobody"))


@pytest.mark.usefixtures("labels")
@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("setting", OTHER)
def test_a_setting_changes_what_is_fitted_or_is_refused(data, name, setting):
    given, needs = data[name]
    value = OTHER[setting]
    before = outcome(given, FitSettings(**needs))
    if setting == "kind":
        value = next(kind for kind in KINDS if kind != before[3].kind)
    if setting == "recipe":
        value = {"table": "wgan", "series": "rcgan"}.get(before[3].kind, value)
        if value == before[3].recipe:
            pytest.skip("the only recipe for series")
    settings = FitSettings(**{**needs, setting: value})
    try:
        after = outcome(given, settings)
    except GanaugError:
        return
    if setting in LATER:
        assert after[0] == before[0]
        assert getattr(after[3], setting) == getattr(settings, setting)
    elif setting in ("strict", "follow_links"):
        assert after[:3] == before[:3]  # there was nothing to stop at, and no link
    else:
        assert after[:3] != before[:3]


@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning")
def test_images_in_memory_are_limited_and_what_was_unreadable_is_not_forgotten(data, tmp_path):
    root = folder(tmp_path / "data")
    (root / "0" / "broken.png").write_bytes(b"no image")
    images = load_images(root)
    assert images.unreadable
    with pytest.raises(UnreadableImageError, match=r"broken\.png could not be read"):
        prepare(images, FitSettings(strict=True), silent)
    found = prepare(images, FitSettings(limit=5), silent)
    assert found.training.counts() == {"0": 4, "1": 4}
    vectors, _ = data["rows"]
    found = prepare(vectors, FitSettings(limit=5), silent)
    assert torch.equal(torch.bincount(found.training.labels), torch.tensor([4, 4]))


@pytest.mark.parametrize("make", [lambda p: from_arrays(p, LABELS), lambda p: load_images((p, LABELS))])
def test_how_images_are_read_is_not_said_of_those_that_are_read(make):
    for reading in ({"split": "test"}, {"root": "x"}, {"targets": LABELS}, {"classes": ("a", "b")}):
        with pytest.raises(GanaugError, match="would change nothing"):
            load_images(make(PIXELS), **reading)
