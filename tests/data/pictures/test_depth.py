"""Pictures of more than 8 bits: one scale for a set, and the range that is declared for it."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.pictures.depth import WHOLE, from_8_bits
from ganaug.data.spec import ImageCodec
from ganaug.errors import DataError, OptionError
from ganaug.options import Reading
from tests.toys.images import picture, tiff, write_classes


def grey(c: int, i: int) -> np.ndarray:
    """Values 0 to 1, those of the second class brighter; the darkest and brightest are 0 and 1."""
    values = np.random.default_rng([c, i]).uniform(0, 0.6, (8, 9)) + 0.4 * c
    values[0, 0], values[-1, -1] = 0, 1
    return values


LOST = "most of their levels would be lost"
UNFIT = {  # kind -> (suffix, its values of 0 to 1, the range that is advised)
    "12 bits of 16": (".png", lambda g: (g * 4095).astype(np.uint16), (0, 4095)),
    "14 bits of 16": (".tif", lambda g: (g * 16383).astype(np.uint16), (0, 16383)),
    "8 bits of 16": (".png", lambda g: (g * 255).astype(np.uint16), (0, 255)),
    "signed": (".tif", lambda g: np.rint(g * 2524 - 1024).astype(np.int16), (-1024, 1500)),
    "signed array": (".npy", lambda g: np.rint(g * 2524 - 1024).astype(np.int16), (-1024, 1500)),
    "32 bits": (".npy", lambda g: np.rint(g * 1e6).astype(np.int64), (0, 1_000_000)),
    "decibels": (".npy", lambda g: (g * 80 - 80).astype(np.float32), (-80, 0)),
    "floats of a TIFF": (".tif", lambda g: (g * 20).astype(np.float32), (0, 20)),
    "enormous floats": (".tif", lambda g: (g * 2**60).astype(np.float32), (0, 2**60)),
    "floats above 255": (".tif", lambda g: (g * 900).astype(np.float32), (0, 900)),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_a_set_that_would_lose_its_levels_is_refused_with_the_range_to_declare(kind, tmp_path):
    suffix, scale, span = UNFIT[kind]
    root = write_classes(tmp_path / "data", lambda c, i: scale(grey(c, i)), suffix)
    with pytest.raises(DataError, match=rf"--range {span[0]} {span[1]} \(range=\({span[0]}, {span[1]}\) in Python\)"):
        load_images(root)
    assert LOST in check(root).problems[0]
    read = load_images(root, range=span)
    assert read.codec.range == span
    wanted = np.rint(255 * np.stack([grey(c, i) for c in range(2) for i in range(4)]))
    resized = load_images((wanted.astype(np.uint8), read.labels.numpy()), size=9).pixels
    assert (read.pixels.int() - resized.int()).abs().max() <= 2
    found = check(root, range=span)
    assert not found.problems
    assert found.read_as == {f"of more than 8 bits: {span[0]} to {span[1]} is black to white": 8}


@pytest.mark.parametrize(
    ("suffix", "scale"),
    [
        (".png", lambda g: (g * 65535).astype(np.uint16)),
        (".tif", lambda g: (g * 40000).astype(np.uint16)),
        (".tif", lambda g: (g * 255).astype(np.float32)),
        (".tif", lambda g: g.astype(np.float32)),
        (".npy", lambda g: g.astype(np.float64)),
        (".npy", lambda g: g.astype(np.float16)),
        (".npy", lambda g: (g * 255).astype(np.uint8)),
    ],
)
def test_usual_scales_need_no_range(suffix, scale, tmp_path):
    root = write_classes(tmp_path / "data", lambda c, i: scale(grey(c, i)), suffix)
    read = load_images(root)
    assert read.codec.range is None
    assert read.pixels.max() >= 155
    assert read.pixels.min() == 0


def test_the_scale_is_that_of_the_set_never_of_one_image(tmp_path):
    """An 8-bit picture among 16-bit ones, floats of both scales, and pictures of 12 bits among others of 16."""
    for name, of in (("dtypes", 200), ("floats", 1.0)):
        items = [(np.full((6, 6), 60_000 if name == "dtypes" else 200.0), i % 2) for i in range(4)]
        items += [(np.full((6, 6), of), i % 2) for i in range(4)]
        kind = np.int32 if name == "dtypes" else np.float32
        write = write_classes(tmp_path / name, lambda c, i, items=items, kind=kind: items[4 * c + i][0].astype(kind),
                              ".npy" if name == "dtypes" else ".tif")  # fmt: skip
        with pytest.raises(DataError, match=r"another depth|0 to 1: on which scale"):
            load_images(write)
    mixed = [(np.full((6, 6), value, np.int64), i % 2) for i, value in enumerate((60_000, 50_000, 200, 90))]
    with pytest.raises(DataError, match=r"of 16 bits, or of 8\?.*--range 0 65535"):
        load_images(mixed)
    assert load_images(mixed, range=WHOLE).pixels.flatten(1)[:, 0].tolist() == [233, 195, 1, 0]
    black = [
        (np.full((6, 6), value, np.int64), i % 2) for i, value in enumerate((60_000, 50_000, 0, 0, 40_000, 33_000))
    ]
    assert load_images(black).codec.range is None


def test_values_outside_the_range_are_clipped_and_counted(tmp_path):
    root = write_classes(tmp_path / "data", lambda c, i: np.rint(grey(c, i) * 2524 - 1024).astype(np.int16), ".tif")
    told = []
    read = load_images(root, range=(-160, 240), report=lambda *what: told.append(what))
    assert {0, 255} < set(read.pixels.unique().tolist())
    said = [detail for phase, _, _, detail in told if phase == "reading" and detail]
    assert any(
        "-160 to 240 is black to white" in detail and "% of their values are outside" in detail for detail in said
    )
    assert any("outside and clipped" in line for line in check(root, range=(-160, 240)).lines())
    with pytest.raises(DataError, match=r"All values, -1024 to 1500, lie outside the range 9000 to 9999"):
        load_images(root, range=(9000, 9999))


def test_arrays_and_data_sets_have_the_same_rules_and_the_same_range(tmp_path):
    values = np.stack([np.rint(grey(i % 2, i) * 4095) for i in range(8)])
    labels = np.arange(8) % 2
    with pytest.raises(DataError, match=r"no value above 4095 of 65535.*--range 0 4095"):
        load_images((values.astype(np.uint16), labels))
    wanted = load_images((np.rint(values / 4095 * 255).astype(np.uint8), labels)).pixels
    tensors = torch.from_numpy(values.astype(np.int32))
    np.savez(tmp_path / "set.npz", x=values.astype(np.uint16), y=labels)
    for data in (
        (values.astype(np.uint16), labels),
        (values.astype(np.float32), labels),
        tmp_path / "set.npz",
        TensorDataset(tensors, torch.from_numpy(labels)),
        [(value, int(label)) for value, label in zip(values, labels, strict=True)],
        [(Image.fromarray(v.astype(np.uint16)), int(label)) for v, label in zip(values, labels, strict=True)],
    ):
        read = load_images(data, range=(0, 4095))
        assert read.codec.range == (0, 4095)
        assert torch.equal(read.pixels, wanted)
    assert load_images((values / 4095, labels)).codec.range is None


def test_the_fix_for_one_item_names_the_range():
    with pytest.raises(DataError, match=r"floats from -80 to 0.*range=\(LOW, HIGH\)"):
        load_images([(np.linspace(-80, 0, 36).reshape(6, 6), i % 2) for i in range(4)])


def test_colour_of_16_bits_is_read_at_its_upper_byte_and_said(tmp_path):
    rng = np.random.default_rng(0)
    write_classes(tmp_path / "deep", lambda c, i: rng.integers(0, 65536, (6, 6, 3)).astype(np.uint16), ".tif")
    assert check(tmp_path / "deep").read_as == {"of more than 8 bits: the upper byte of each colour": 8}
    write_classes(tmp_path / "dim", lambda c, i: rng.integers(0, 4096, (6, 6, 3)).astype(np.uint16), ".tif")
    with pytest.raises(DataError, match=r"Pillow reads its upper 8 bits only.*Save it as \.npy"):
        load_images(tmp_path / "dim")
    write_classes(tmp_path / "npy", lambda c, i: rng.integers(0, 4096, (6, 6, 3)).astype(np.uint16), ".npy")
    assert load_images(tmp_path / "npy", range=(0, 4095)).pixels.shape == (8, 3, 6, 6)


def test_a_range_that_nothing_needs_is_refused(tree):
    with pytest.raises(OptionError, match="these have 8"):
        load_images(tree, range=(0, 4095))
    assert "these have 8" in check(tree, range=(0, 4095)).problems[0]


@pytest.mark.parametrize(
    "bad", [(1, 0), (0, 0), (0,), (0, 1, 2), "12", (0, float("nan")), (0, float("inf")), 7, ("a", "b")]
)
def test_what_is_no_range_is_said(bad):
    with pytest.raises(OptionError, match="is not a range"):
        Reading(range=bad)


def test_the_way_back_is_exact_at_both_ends():
    assert from_8_bits(np.array([0, 255], np.uint8), (-1024, 1500)).tolist() == [-1024, 1500]
    every = np.arange(256, dtype=np.uint8)
    items = [(from_8_bits(every, (-1024, 1500)).reshape(16, 16), i % 2) for i in range(4)]
    assert load_images(items, range=(-1024, 1500)).pixels[0].flatten().tolist() == every.tolist()


def test_pairs_of_more_than_8_bits_are_asked_for_their_scale(tree, tmp_path):
    for file in sorted(tree.rglob("*.png")):
        place = tmp_path / "masks" / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(0).integers(0, 5, (12, 12)).astype(np.uint16)).save(place)
    with pytest.raises(DataError, match="The paired images: Pixels of 16 bits have no value above 4"):
        load_images(tree, pairs=tmp_path / "masks")


def test_the_bands_of_a_tiff_that_are_no_alpha_are_ignored_and_counted(tmp_path):
    rgb = np.asarray(picture(1, (6, 6)))
    four = np.dstack([rgb, np.asarray(picture(2, (6, 6), "L"))])
    for name, data, trait in (
        ("unsaid", tiff(four), "bands beside grey or colour"),
        ("spare", tiff(four, extra=0), "bands beside grey or colour"),
        ("odd", tiff(four, extra=2), "looks like data"),
        ("alpha", tiff(np.dstack([rgb, np.where(rgb[..., 0] > 99, 255, 0).astype(np.uint8)]), extra=2), "transparent"),
    ):
        for c in "ab":
            (tmp_path / name / c).mkdir(parents=True)
            for i in range(2):
                (tmp_path / name / c / f"{i}.tif").write_bytes(data)
        found = check(tmp_path / name)
        assert [n for words, n in found.read_as.items() if trait in words] == [4], (name, found.read_as)
        if "bands" in trait:
            assert np.array_equal(load_images(tmp_path / name).pixels[0].numpy().transpose(1, 2, 0), rgb)


def test_the_codec_says_the_range():
    assert ImageCodec("L", None).range is None
