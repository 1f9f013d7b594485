"""Images of one set get one proportion: nothing is squeezed more than the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import ganaug
from ganaug.data.load import load_images
from ganaug.data.proportion import kept_of, usual_proportion
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.sources.datasets import DatasetSource
from ganaug.errors import OptionError
from ganaug.reporting import Report

sides = st.integers(1, 5000)


def disc(height: int, width: int, mode: str = "L") -> Image.Image:
    """A white disc of a quarter of the shorter side in the middle."""
    image = Image.new(mode, (width, height))
    radius = min(height, width) / 4
    ImageDraw.Draw(image).ellipse(
        (width / 2 - radius, height / 2 - radius, width / 2 + radius, height / 2 + radius), fill="white"
    )
    return image


def said(lines: list[str]) -> Report:
    return lambda phase, done, total, detail="": lines.append(detail)


def extent(pixels: np.ndarray) -> tuple[int, int]:
    """Height and width of what is bright, in px of a picture (H, W)."""
    bright = pixels > 127
    return int(bright.any(1).sum()), int(bright.any(0).sum())


@given(sides, sides, sides, sides)
def test_what_is_kept_has_the_proportion_lies_in_the_middle_and_reaches_two_margins(height, width, tall, wide):
    left, top, right, bottom = kept_of((height, width), (tall, wide))
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    assert (left + right, top + bottom) == pytest.approx((1, 1))
    assert (bottom - top) * height / ((right - left) * width) == pytest.approx(tall / wide)
    assert (left, right) == (0, 1) or (top, bottom) == (0, 1)


@given(sides, sides)
def test_an_image_of_the_usual_proportion_is_kept_whole(height, width):
    assert kept_of((height, width), (height, width)) == kept_of((height, width), None) == (0, 0, 1, 1)


def test_a_circle_in_any_picture_comes_back_as_a_circle():
    sizes = [(300, 400)] * 5 + [(600, 800), (400, 300), (300, 300), (200, 600), (150, 200)]
    lines: list[str] = []
    images = load_images([(disc(*size), i % 2) for i, size in enumerate(sizes)], size=64, report=said(lines))
    assert images.codec.size == (300, 400)
    for pixels in images.pixels:
        high, wide = extent(np.asarray(images.codec.to_image(pixels.numpy())))
        assert high == pytest.approx(wide, abs=8)
    told = "3 of 10 images have another proportion of height and width than 3 to 4: their margins are cut"
    assert told in "".join(lines)


def test_a_set_of_one_proportion_is_squeezed_without_a_word_and_served_as_it_was():
    lines: list[str] = []
    images = load_images([(disc(30 * n, 40 * n), n % 2) for n in (2, 3, 4, 5)], size=32, report=said(lines))
    assert not any("margins" in line for line in lines)
    whole = [np.asarray(disc(30 * n, 40 * n).resize((32, 32), Image.Resampling.BICUBIC)) for n in (2, 3, 4, 5)]
    assert np.array_equal(images.pixels[:, 0].numpy(), whole)


def test_squares_of_the_size_that_is_made_are_cut_like_the_others():
    """They need no resizing, and would slip through."""
    data = [(disc(30, 40), 0), (disc(32, 32), 1)] + [(disc(30, 40), i % 2) for i in range(6)]
    images = load_images(data, size=32)
    expected = disc(32, 32).resize((32, 32), Image.Resampling.BICUBIC, box=(0, 4, 32, 28))
    assert np.array_equal(images.pixels[1, 0].numpy(), np.asarray(expected))


def test_what_was_kept_small_before_another_size_came_is_cut_once():
    """The first images share a small size; a larger one comes, and then one in colour: all move to new rooms."""
    small, late = [(disc(20, 30), i % 2) for i in range(3)], [(disc(60, 80), i % 2) for i in range(9)]
    red = Image.new("RGB", (80, 60), "red")
    images = load_images([*small, *late, (red, 0)])
    expected = disc(20, 30).resize((32, 32), Image.Resampling.BICUBIC, box=(30 / 18, 0, 30 - 30 / 18, 20))
    assert images.pixels.shape[1:] == (3, 32, 32)
    assert np.abs(images.pixels[0].numpy().astype(int) - np.asarray(expected)).max() <= 1


def test_a_set_without_images_has_no_proportion():
    empty = from_arrays(np.zeros((2, 8, 8), np.uint8), [0, 1])
    assert usual_proportion(empty) == (8, 8)
    assert usual_proportion(DatasetSource([], np.zeros(0, np.int64), ("a",), (), None)) is None


@pytest.mark.parametrize("wrong", [(0, 5), (3, -4), (3,), ()])
def test_what_is_no_proportion_is_refused(wrong):
    with pytest.raises(OptionError, match="proportion cannot be"):
        load_images([(disc(30, 40), 0), (disc(30, 40), 1)], at_least=0, proportion=wrong)


def test_files_say_their_size_as_they_are_turned(tmp_path):
    for i in range(6):
        folder = tmp_path / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        exif = Image.Exif()
        exif[274] = 6  # a camera held upright
        disc(60, 90).save(folder / f"{i}.jpg", exif=exif)
    assert load_images(tmp_path, size=32).codec.size == (90, 60)


def test_a_test_set_is_cut_to_the_proportion_of_the_training_set(tmp_path):
    blocks = np.random.default_rng(0).integers(0, 256, (40, 5, 5), dtype=np.uint8)
    train = [(Image.fromarray(np.kron(block, np.ones((8, 8), np.uint8))), i % 2) for i, block in enumerate(blocks)]
    wide = [(disc(40, 80), i % 2) for i in range(8)]
    run = ganaug.fit(train, tmp_path / "run", size=16, steps=2)
    images = load_images(wide, size=16, proportion=run.load().card.codec.size)
    high, broad = extent(images.pixels[0, 0].numpy())
    assert abs(high - broad) <= 1
    alone = load_images(wide, size=16)
    high, broad = extent(alone.pixels[0, 0].numpy())
    assert high >= 1.5 * broad


def test_pairs_lose_what_their_images_lose(tmp_path):
    for i, (height, width) in enumerate([(30, 40)] * 5 + [(60, 40)]):
        for folder, times in (("images", 1), ("masks", 2)):
            (tmp_path / folder / f"class {i % 2}").mkdir(parents=True, exist_ok=True)
            disc(times * height, times * width).save(tmp_path / folder / f"class {i % 2}" / f"{i}.png")
    found = load_images(tmp_path / "images", size=32, pairs=tmp_path / "masks")
    assert found.pairs is not None
    boxes = {5: (0, 30, 80, 90)}
    for place, name in enumerate(found.names):
        mask = Image.open(tmp_path / "masks" / name)
        wanted = mask.resize((32, 32), Image.Resampling.BOX, box=boxes.get(int(name[-5]), (0, 0, 80, 60)))
        assert np.array_equal(found.pairs[place, 0].numpy(), wanted)


def test_only_sets_that_are_served_so_are_told(tmp_path):
    notes = ganaug.check([(disc(40, 80), i % 2) for i in range(60)] + [(disc(40, 40), 0)]).advice
    assert any("Images are usually not square (40 x 80)" in note for note in notes)
    assert any("1 of 61 images have another proportion" in note for note in notes)
