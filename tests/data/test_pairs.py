"""Paired images: from files, arrays and folders, always in step with the images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ganaug.data.load import load_images
from ganaug.data.split import hold_out
from ganaug.errors import DataError, OptionError, UnreadableImageError


def numbered(n=12, side=8):
    """Images that hold their number, and pairs that hold it times ten."""
    x = np.zeros((n, side, side), np.uint8)
    x[:, 0, 0], x[:, 1, 1] = np.arange(n), 255
    return (
        x,
        np.arange(n) % 2,
        np.full((n, side, side), 1, np.uint8) * (10 * np.arange(n, dtype=np.uint8))[:, None, None],
    )


def in_step(images):
    return images.pairs[:, 0, 0, 0].tolist() == [10 * int(p[0, 0, 0]) for p in images.pixels]


def test_an_npz_file_brings_its_pairs(tmp_path):
    x, y, s = numbered()
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, pair_train=s, x_test=x[:4], y_test=y[:4])
    images = load_images(tmp_path / "a.npz")
    assert images.pairs.shape == (12, 1, 8, 8)
    assert images.pairs.dtype == torch.uint8
    assert images.spec.pair == (1, 8, 8)
    assert in_step(images)
    assert load_images(tmp_path / "a.npz", split="test").pairs is None
    np.savez(tmp_path / "b.npz", a=s, b=x, y=y, split=np.arange(12) % 3 == 2, classes=np.array(["one", "two"]))
    train, test = (load_images(tmp_path / "b.npz", split=part) for part in ("train", "test"))
    assert (len(train), len(test)) == (8, 4)
    assert train.classes == ("one", "two")
    assert in_step(train)
    assert in_step(test)
    with pytest.raises(DataError, match="'val'"):
        load_images(tmp_path / "b.npz", split="val")


def test_pairs_stay_in_step_when_images_are_chosen_divided_or_limited():
    x, y, s = numbered(25)
    images = load_images((x, y), pairs=s, limit=11, seed=3)
    assert len(images) == 22
    parts = [images, images.take([5, 2, 2]), images.unlabelled(), *hold_out(images)]
    assert all(in_step(part) for part in parts)


def test_folders_pair_files_by_name_whatever_the_ending(tmp_path):
    x, y, s = numbered()
    for i in range(12):
        for side, pixels, ending in (("B", x[i], "png"), ("A", s[i], "bmp")):
            folder = tmp_path / side / f"class {y[i]}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / f"{i:02d}.{ending}")
    images = load_images(tmp_path / "B", pairs=tmp_path / "A")
    assert len(images) == 12
    assert in_step(images)
    (tmp_path / "A" / "class 0" / "04.bmp").write_bytes(b"no image")
    with pytest.raises(UnreadableImageError, match="04.bmp"):
        load_images(tmp_path / "B", pairs=tmp_path / "A")
    (tmp_path / "A" / "class 0" / "04.bmp").unlink()
    with pytest.raises(DataError, match=r"1 of 12 images have no pair .*04\.png"):
        load_images(tmp_path / "B", pairs=tmp_path / "A")
    with pytest.raises(DataError, match="not a folder"):
        load_images(tmp_path / "B", pairs=tmp_path / "nowhere")


def test_pairs_take_the_size_of_the_images_and_keep_colour_only_if_they_have_some():
    x, y, s = numbered(6, side=16)
    colour = np.stack([s, s, s], -1)
    assert load_images((x, y), pairs=colour, size=8).pairs.shape == (6, 1, 8, 8)
    colour[0, :, :, 0] = 200
    images = load_images((x, y), pairs=colour, size=8)
    assert images.pairs.shape == (6, 3, 8, 8)
    assert images.pairs[3, 0].unique().tolist() == [30]


@pytest.mark.parametrize(("size", "fits"), [((12, 18), True), ((30, 46), True), ((24, 35), True), ((6, 18), False),
                                            ((24, 24), False), ((18, 12), False)])  # fmt: skip
def test_a_pair_of_another_proportion_than_its_image_is_refused(size, fits):
    x, y = np.zeros((6, 12, 18), np.uint8), np.arange(6) % 2
    x[:, :, 9:] = np.arange(6, dtype=np.uint8)[:, None, None]
    masks = np.zeros((6, *size), np.uint8)
    if fits:
        assert load_images((x, y), pairs=masks, size=8).pairs.shape == (6, 1, 8, 8)
        return
    with pytest.raises(DataError, match=rf"pair of item 0 has another .* {size[0]} x {size[1]} px .* image 12 x 18"):
        load_images((x, y), pairs=masks, size=8)


def test_wrong_pairs_are_refused():
    x, y, s = numbered()
    with pytest.raises(DataError, match="12 images but 11"):
        load_images((x, y), pairs=s[:-1])
    with pytest.raises(OptionError, match="object"):
        load_images((x, y), pairs=object())
