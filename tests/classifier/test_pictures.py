"""Pictures come at a network's own size, as timm's evaluation lays them out, decoded once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform

from ganaug.classifier.pictures import Frame, pictures_of, pictures_of_pixels, rows_in
from ganaug.classifier.pretrained import NONE, config_of, network
from ganaug.data.load import load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.sources.folder import from_folder
from ganaug.data.sources.source import open_source
from ganaug.data.spec import ImageCodec
from ganaug.errors import DataError, LabelMismatchError, OptionError, UnreadableImageError
from ganaug.files.imagemap import ImageMap
from tests.toys.images import picture

CONFIG = {
    "input_size": (3, 32, 32), "interpolation": "bicubic", "mean": (0.5, 0.4, 0.3), "std": (0.5, 0.2, 0.1),
    "crop_pct": 0.875, "crop_mode": "center",
}  # fmt: skip
FRAME = Frame.of(CONFIG)


def smooth(seed: int, size: tuple[int, int]) -> Image.Image:
    """What a photograph looks like from afar: (height, width)."""
    return picture(seed, (9, 12)).resize(size[::-1], Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for label, name in enumerate(("a", "b")):
        (root / name).mkdir(parents=True)
        for i in range(3):
            smooth(10 * label + i, (60 + 5 * i, 80)).save(root / name / f"{i}.png")
    return root


@dataclass
class Counted:
    """A source that counts what is read of it, and can lose an item."""

    inner: object
    lost: int = -1
    reads: int = 0

    def __getattr__(self, name: str):
        return getattr(self.inner, name)

    def __len__(self) -> int:
        return len(self.inner)

    def read(self, index: int) -> Image.Image:
        self.reads += 1
        if index == self.lost:
            raise UnreadableImageError("the file is gone.")
        return self.inner.read(index)


def read_all(root: Path, out: Path, frame: Frame = FRAME, **options) -> ImageMap:
    source, images = from_folder(root), load_images(root)
    return pictures_of(source, rows_in(source, images), images.fingerprints, frame, out, **options)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"crop_mode": "squash"},
        {"crop_mode": "border"},
        {"crop_pct": 1.0, "interpolation": "bilinear"},
        {"input_size": (3, 32, 48)},
    ],
)
@pytest.mark.parametrize("size", [(50, 70), (20, 33), (90, 40)])
def test_a_frame_is_the_evaluation_transform_of_timm_before_it_normalises(changes, size):
    config = CONFIG | changes
    theirs = create_transform(**config, is_training=False)
    image = smooth(0, size)
    mine = torch.from_numpy(Frame.of(config).pixels(image)).permute(2, 0, 1).float() / 255
    mean, std = (torch.tensor(config[name])[:, None, None] for name in ("mean", "std"))
    assert torch.allclose((mine - mean) / std, theirs(image), atol=1e-5)


def test_a_frame_follows_the_configuration_of_a_network():
    frame = Frame.of(config_of(network("test_resnet", NONE)))
    assert frame.pixels(picture(0, (20, 30), "L")).shape == (*frame.shape[1:], 3)
    assert Frame.of(CONFIG | {"input_size": (1, 32, 32)}).pixels(picture(0)).shape == (32, 32, 1)
    with pytest.raises(OptionError, match="takes 4 channels"):
        Frame.of(CONFIG | {"input_size": (4, 32, 32)})


def test_pictures_come_from_the_files_at_the_size_of_the_network(folder, tmp_path):
    found = read_all(folder, tmp_path / "kept")
    assert found.images.shape == (6, 32, 32, 3)
    source = from_folder(folder)
    for row in range(6):
        assert np.array_equal(found.images[row], FRAME.pixels(source.read(row)))
    with pytest.raises(ValueError, match="read-only"):
        found.images[0, 0, 0, 0] = 1


def test_they_are_decoded_once_and_again_where_the_file_is_damaged(folder, tmp_path):
    images = load_images(folder)
    source = Counted(from_folder(folder))

    def again(frame: Frame = FRAME, rows=range(6)) -> ImageMap:
        return pictures_of(source, rows, [images.fingerprints[row] for row in rows], frame, tmp_path / "kept")

    first = again()
    kept = np.array(first.images)
    assert source.reads == 6
    assert again().path == first.path
    assert source.reads == 6
    damaged = first.path.read_bytes()
    first.path.write_bytes(damaged[:-1] + bytes([damaged[-1] ^ 1]))
    assert np.array_equal(again().images, kept)
    assert source.reads == 12
    others = [again(replace(FRAME, crop_pct=1.0)), again(rows=[1, 0, 2, 3, 4, 5])]
    assert len({first.path, *(other.path for other in others)}) == 3
    assert np.array_equal(others[1].images[0], kept[1])


def test_what_was_readable_before_is_named_and_nothing_is_left_half_done(folder, tmp_path):
    images, source = load_images(folder), Counted(from_folder(folder), lost=4)
    with pytest.raises(UnreadableImageError, match=r"b/1\.png was read before and cannot be read now: the"):
        pictures_of(source, range(6), images.fingerprints, FRAME, tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())
    (folder / "b" / "1.png").unlink()
    whole = replace(from_folder(folder), files=[*map(str, from_folder(folder).files), "b/1.png"])
    whole = replace(whole, names=whole.files, labels=np.array([0, 0, 0, 1, 1, 1]))
    with pytest.raises(UnreadableImageError, match="is gone"):
        pictures_of(whole, range(6), images.fingerprints, FRAME, tmp_path / "kept")


def test_threads_change_neither_pictures_nor_the_filters_of_warnings(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (150, 12, 16, 3), dtype=np.uint8)
    source = from_arrays(x, np.arange(150) % 2)
    before = list(warnings.filters)
    told: list[tuple[str, int, int]] = []
    found = [
        pictures_of(source, range(150), [str(i) for i in range(150)], FRAME, tmp_path / str(threads), threads=threads,
                    report=lambda *given: told.append(given[:3]))
        for threads in (1, 3)
    ]  # fmt: skip
    assert np.array_equal(found[0].images, found[1].images)
    assert found[0].path.stem == found[1].path.stem
    assert list(warnings.filters) == before
    assert told[-1] == ("pictures", 150, 150)


def test_large_jpegs_are_decoded_smaller_and_look_the_same(tmp_path):
    root = tmp_path / "data"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for i in range(2):
            image = smooth(i, (300, 420))
            image.save(root / name / f"{i}.jpg", quality=90)
    found, source = read_all(root, tmp_path / "kept"), from_folder(root)
    for row in range(4):
        whole = FRAME.pixels(source.read(row)).astype(int)
        apart = np.abs(found.images[row].astype(int) - whole)
        assert 0 < apart.mean() < 0.5
        assert apart.max() <= 16


def test_rotated_photographs_are_turned_before_they_are_laid_out(tmp_path):
    root = tmp_path / "data"
    upright = smooth(3, (400, 300))
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        exif = Image.Exif()
        exif[0x0112] = 6
        upright.transpose(Image.Transpose.ROTATE_90).save(root / name / "0.jpg", quality=95, exif=exif)
    source = from_folder(root)
    found = pictures_of(source, [0, 1], ["0", "1"], FRAME, tmp_path / "kept")
    assert np.abs(found.images[0].astype(int) - FRAME.pixels(upright)).mean() < 1


def test_items_are_found_again_whatever_was_taken_of_them(folder):
    (folder / "c").mkdir()
    picture(5).save(folder / "c" / "0.png")
    source = open_source(folder, skip_small=2)
    images = load_images(folder, skip_small=2, limit=2, seed=3).take([3, 0, 1]).in_order(("b", "a"), "these")
    rows = rows_in(source, images)
    assert [source.names[row] for row in rows] == list(images.names)
    with pytest.raises(LabelMismatchError, match="are not in this source"):
        rows_in(from_folder(folder), replace(images, labels=1 - images.labels))
    with pytest.raises(LabelMismatchError, match="are not in this source"):
        rows_in(open_source("digits"), images)


def test_files_are_read_as_files_where_small_classes_are_left_out(folder, tmp_path):
    (folder / "0").mkdir()
    picture(5).save(folder / "0" / "0.png")
    source, images = open_source(folder, skip_small=2), load_images(folder, skip_small=2)
    found = pictures_of(source, rows_in(source, images), images.fingerprints, FRAME, tmp_path / "kept")
    assert np.array_equal(found.images[0], FRAME.pixels(source.read(0)))


def test_synthetic_pixels_are_laid_out_as_they_are_served(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)
    codec = ImageCodec("RGB", (30, 40))
    found = pictures_of_pixels(pixels, codec, FRAME, tmp_path)
    assert np.array_equal(found.images[1], FRAME.pixels(codec.to_image(pixels[1])))
    assert pictures_of_pixels(pixels, ImageCodec("RGB", None), FRAME, tmp_path).path != found.path
    assert pictures_of_pixels(pixels[:0], codec, FRAME, tmp_path).images.shape == (0, 32, 32, 3)


class Shaky(torch.utils.data.Dataset):
    """Pictures that are turned over at every second reading, once `shaken`."""

    def __init__(self):
        self.shaken, self.turns = False, 0

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int):
        self.turns += self.shaken
        image = picture(index, (20, 30))
        return (image.transpose(Image.Transpose.ROTATE_180) if self.turns % 2 else image), index % 2


def test_a_data_set_that_shows_something_else_than_before_is_refused(tmp_path):
    data = Shaky()
    source, images = open_source(data), load_images(data)
    found = pictures_of(source, rows_in(source, images), images.fingerprints, FRAME, tmp_path)
    assert np.array_equal(found.images[3], FRAME.pixels(picture(3, (20, 30))))
    data.shaken = True
    with pytest.raises(DataError, match="another picture than when it was read before"):
        pictures_of(source, [1, 2, 3], images.fingerprints[1:4], FRAME, tmp_path)
