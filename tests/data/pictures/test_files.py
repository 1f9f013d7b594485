"""Files that are no pictures: arrays, and DICOM by a stand-in for pydicom."""

import io
import sys
import types

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

import ganaug
from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.pictures.files import read_file
from ganaug.data.sources.folder import from_folder
from ganaug.errors import DataError, MissingPackageError, TooFewImagesError, UnreadableImageError
from tests.toys.images import picture, write_classes


@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 1), (1, 9, 12), (9, 12, 3), (3, 9, 12)])
def test_arrays_lie_in_class_folders_beside_pictures(shape, tmp_path):
    rng = np.random.default_rng(0)
    root = write_classes(tmp_path / "data", lambda c, i: rng.integers(0, 256, shape, dtype=np.uint8), ".npy")
    picture(1, (9, 12), "L" if 3 not in shape else "RGB").save(root / "dark" / "x.png")
    read = load_images(root)
    assert len(read) == 9
    assert read.codec.size == (9, 12)
    assert read.pixels.shape[1] == (3 if 3 in shape else 1)


def npy(values: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a .npy file"),
        (b"\x89PNG" + bytes(50), "not a .npy file"),
        (npy(np.zeros((6, 6), np.uint8))[:-3], "damaged"),
        (npy(np.array([[{}]])), "never unpickled"),
        (npy(np.zeros(512, np.float32)), "is not an image"),
        (npy(np.zeros((6, 6), complex)), "is not an image"),
        (npy(np.array([["a"] * 6] * 6)), "is not an image"),
        (npy(np.zeros((2, 6, 6, 3), np.uint8)), "is not an image"),
        (npy(np.zeros((6, 6, 5), np.uint8)), "neither 1, 3 nor 4 channels"),
        (npy(np.zeros((1, 1), np.uint8)), "too small"),
        (npy(np.zeros((0, 5), np.uint8)), "empty"),
        (npy(np.zeros((0, 5), np.uint16)), "damaged"),
        (npy(np.full((6, 6), np.nan)), "NaN or infinite"),
        (npy(np.full((6, 6), -np.inf)), "NaN or infinite"),
        (npy(np.zeros((6, 6), np.uint8)).replace(b"(6, 6)", b"(60000, 60000)"[:6] + b""), "damaged|limit|image"),
    ],
)
def test_arrays_that_are_no_images_are_unreadable_with_the_reason(data, reason, tmp_path):
    file = tmp_path / "a.npy"
    file.write_bytes(data)
    with pytest.raises(UnreadableImageError, match=reason) as caught:
        read_file(file)
    assert caught.value.fix


def test_a_head_that_claims_too_much_is_refused_before_anything_is_made(tmp_path):
    head = b"\x93NUMPY\x01\x00"
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (400000, 400000), }\n"
    (tmp_path / "a.npy").write_bytes(head + len(text).to_bytes(2, "little") + text)
    with pytest.raises(UnreadableImageError, match="above the limit"):
        read_file(tmp_path / "a.npy")


def test_read_image_reads_as_a_fit_does_and_is_a_loader_for_torchvision(tmp_path):
    cut_out = picture(1).convert("RGBA")
    cut_out.putalpha(Image.new("L", (12, 12), 0))
    for c in ("a", "b"):
        (tmp_path / c).mkdir()
        for i in range(2):
            cut_out.save(tmp_path / c / f"{i}.png")
    assert ImageFolder(tmp_path, loader=ganaug.read_image)[0][0].getpixel((0, 0)) == (255, 255, 255)
    deep = Image.fromarray(np.full((6, 6), 4095, np.uint16))
    deep.save(tmp_path / "deep.png")
    assert ganaug.read_image(tmp_path / "deep.png", mode=None, range=(0, 4095)).getextrema() == (255, 255)
    assert ganaug.read_image(tmp_path / "deep.png", mode="L").getextrema() == (16, 16)
    np.save(tmp_path / "a.npy", np.linspace(-80, 0, 36).reshape(6, 6))
    with pytest.raises(DataError, match="--range -80 0"):
        ganaug.read_image(tmp_path / "a.npy")


# DICOM


def dicom(values: np.ndarray, **tags: object) -> types.SimpleNamespace:
    columns, rows = values.shape[-1], values.shape[-2]
    return types.SimpleNamespace(
        **{"pixel_array": values, "Rows": rows, "Columns": columns, "PhotometricInterpretation": "MONOCHROME2"} | tags
    )


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """A folder of three scans a class, and the stand-in that reads them: file -> what pydicom would give."""
    ramp = np.linspace(0, 2524, 36).reshape(6, 6)
    contents = {}
    for c in ("ill", "well"):
        (tmp_path / "data" / c).mkdir(parents=True)
        for i in range(3):
            file = tmp_path / "data" / c / f"{i}.dcm"
            file.write_bytes(bytes(128) + b"DICM" + f"{c}{i}".encode())
            contents[file.read_bytes()] = dicom(np.rint(ramp + i).astype(np.int16))
    fake = types.ModuleType("pydicom")
    fake.dcmread = lambda file: contents[file.read()]
    monkeypatch.setitem(sys.modules, "pydicom", fake)
    return tmp_path / "data", contents


def test_scans_are_read_over_a_range_with_slope_and_intercept(scans):
    root, contents = scans
    for found in contents.values():
        found.RescaleSlope, found.RescaleIntercept = "1", "-1024"
    assert "--range -1024 1502" in check(root).problems[0]
    read = load_images(root, range=(-1024, 1500))
    assert read.pixels[0, 0, 0, 0] == 0
    assert read.pixels[0, 0, -1, -1] == 255
    for found in contents.values():
        found.PhotometricInterpretation = "MONOCHROME1"
    assert (load_images(root, range=(-1024, 1500)).pixels == 255 - read.pixels).all()


def test_scans_of_several_frames_and_of_other_colours(scans):
    root, contents = scans
    first, second, *_ = contents.values()
    first.pixel_array, first.NumberOfFrames = np.stack([first.pixel_array, 0 * first.pixel_array]), 2
    second.PhotometricInterpretation = "YBR_FULL"
    found = check(root, range=(0, 2600))
    assert [n for words, n in found.read_as.items() if "frames" in words] == [1]
    assert [why for _, why in found.unreadable] == ["its colours are stored as YBR_FULL."]
    assert load_images(root, range=(0, 2600)).pixels[0].max() > 200


def test_without_pydicom_the_extra_is_named(scans, monkeypatch):
    root, _ = scans
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'ganaug\[dicom\]'"):
        from_folder(root)
    picture(1, (6, 6)).save(root / "ill" / "x.png")
    with pytest.raises(TooFewImagesError, match=r"6 x DICOM, which needs pip install 'ganaug\[dicom\]'"):
        load_images(root)
    assert any("passed over, DICOM" in line for line in check(root).lines())
