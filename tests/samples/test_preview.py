"""`ganaug.preview`: every class, its whole name, and real images beside its samples."""

from __future__ import annotations

import base64
import io
import re
from html import unescape

import numpy as np
import pytest
from PIL import Image

import ganaug
from ganaug.errors import LabelMismatchError
from ganaug.samples.pictures import MOST_ROWS, font_for, tile

CLASSES = MOST_ROWS + 3
NAMES = ["日本", "<b>bold", "n" * 150, *(f"class {i}" for i in range(CLASSES - 3))]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A run of many classes, and its data: images of class c are grey of value 4 c."""
    folder = tmp_path_factory.mktemp("many")
    y = np.arange(20 * CLASSES) % CLASSES
    x = np.broadcast_to(4 * y[:, None, None], (len(y), 8, 8)).astype(np.uint8) + (np.arange(len(y)) // CLASSES % 3)[
        :, None, None
    ].astype(np.uint8)
    x[:, 0, 0] = np.arange(len(y)) % 251  # no two are one picture
    np.savez(folder / "data.npz", x_train=x, y_train=y, classes=np.array(NAMES))
    ganaug.fit(folder / "data.npz", folder / "run", steps=1, options={"width": 4, "widest": 8})
    return folder


def strips(page: str, what: str) -> list[np.ndarray]:
    """The pictures of this kind on a page."""
    found = re.findall(rf'alt="{what}" src="data:image/png;base64,([^"]+)"', page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("L")) for one in found]


def test_every_class_has_a_row_with_its_whole_name_and_its_own_real_images(many, tmp_path):
    grid, page, *_ = ganaug.preview(many / "run", tmp_path, columns=3, frames=1, data=many / "data.npz")
    text = page.read_text(encoding="utf-8")
    assert [unescape(name) for name in re.findall(r'<th dir="auto">(.*?)</th>', text)] == NAMES
    assert len(strips(text, "samples")) == len(strips(text, "real images")) == CLASSES
    for label, strip in enumerate(strips(text, "real images")):
        assert abs(int(np.median(strip[4:8, 4:8])) - 4 * label) <= 3, label
    with Image.open(grid) as shown:
        assert shown.height == MOST_ROWS * (56 + 2) + 2


def test_without_data_there_are_samples_alone(many, tmp_path):
    _, page, *_ = ganaug.preview(many / "run", tmp_path, columns=2, frames=1)
    text = page.read_text(encoding="utf-8")
    assert len(strips(text, "samples")) == CLASSES
    assert not strips(text, "real images")
    assert "--data DATA shows real images" in text


def test_data_of_other_classes_are_refused_and_of_some_shown(many, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
    with pytest.raises(LabelMismatchError, match="none of the classes"):
        ganaug.preview(many / "run", tmp_path, data=(x, np.array(["ant", "bee", "ant", "bee"])))
    some = (x, np.array(["class 0", "bee", "class 0", "bee"]))
    _, page, *_ = ganaug.preview(many / "run", tmp_path, columns=2, frames=1, data=some)
    assert len(strips(page.read_text(encoding="utf-8"), "real images")) == 1


def test_images_made_elsewhere_stand_beside_real_ones(many, tmp_path):
    x = np.full((4, 8, 8), 200, np.uint8)
    x[:, 0, 0] = range(4)
    made = (x, np.array(["class 0", "class 1", "class 0", "class 1"]))
    _, page = ganaug.preview(made, tmp_path, columns=2, data=many / "data.npz")
    text = page.read_text(encoding="utf-8")
    assert [int(np.median(strip[4:8, 4:8])) for strip in strips(text, "samples")] == [200, 200]
    assert len(strips(text, "real images")) == 2


def test_names_in_a_picture_are_whole_and_in_their_script_where_a_font_has_it():
    def with_name(name):
        return np.asarray(tile(np.zeros((1, 1, 1, 8, 8), np.uint8), names=(name,)).convert("L"))

    assert with_name("w" * 150).shape != with_name("w" * 20).shape  # nothing is cut off
    assert font_for("leaf", 12) is not None
    assert font_for("\U0010fffd", 12) is None
    greek = font_for("φύλλο", 12)
    if greek is not None:
        assert bytes(greek.getmask("φ")) != bytes(greek.getmask("\uffff"))


@pytest.mark.parametrize("size", [(8, 12), (12, 8)])
def test_samples_are_shown_in_the_proportion_in_which_they_are_served(size, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (24, *size), np.uint8)
    run = ganaug.fit((x, np.arange(24) % 2), tmp_path / "run", size=8, steps=1, options={"width": 4, "widest": 8})
    grid, page, walk, motion = ganaug.preview(run, tmp_path / "out", columns=2, frames=2, data=(x, np.arange(24) % 2))
    text = page.read_text(encoding="utf-8")
    for what in ("samples", "real images"):
        for strip in strips(text, what):
            assert strip.shape == (size[0] + 4, 2 * (size[1] + 2) + 2)
    assert not (strips(text, "real images")[0][2:-2, 2:-2] == 255).all(0)[: size[1]].any()  # no margins
    zoom = round(56 / size[0])
    for file, columns in ((motion, 2), (grid, 4), (walk, 2), (next((run.path / "samples").iterdir()), 8)):
        with Image.open(file) as shown:
            assert shown.height % (size[0] * zoom + 2) == 2, file
            assert shown.width >= columns * (size[1] * zoom + 2), file
