import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import ganaug
from ganaug.data.labels.groups import read_groups_csv
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.pixels import Pixels
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.sources.source import open_source
from ganaug.data.spec import ImageCodec
from ganaug.data.split import hold_out
from ganaug.errors import DataError, OptionError, TooFewImagesError
from tests.toys.images import picture


def set_of(*sizes, mode="RGB"):
    return [(picture(i, size, mode), i % 2) for i, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "device", "side"),
    [
        ([(28, 28)] * 4, "cpu", 28),
        ([(28, 28)] * 4, "cuda", 28),
        ([(32, 32)] * 4, "cuda", 32),
        ([(20, 31)] * 4, "cpu", 31),
        ([(33, 33)] * 4, "cpu", 32),
        ([(33, 33)] * 4, "cuda:1", 64),
        ([(28, 28)] * 3 + [(28, 27)], "cpu", 32),
        ([(2, 3)] * 4, "cpu", 32),
    ],
)
def test_size_auto(sizes, device, side):
    images = load_images(set_of(*sizes), device=device)
    assert images.pixels.shape == (4, 3, side, side)
    assert images.pixels.device.type == "cpu"
    assert images.pixels.is_contiguous()
    assert images.spec.shape == (3, side, side)


def test_explicit_sizes_resize_bicubically_to_a_square():
    data = set_of((40, 60), (20, 30), (10, 15), (80, 120))
    images = load_images(data, size=24)
    for i, (image, _) in enumerate(data):
        expected = np.asarray(image.resize((24, 24), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
        assert np.array_equal(images.pixels[i].numpy(), expected)
    for wrong in (3, 0, -1, 4096, "big", 16.5):
        with pytest.raises(OptionError, match="size"):
            load_images(data, size=wrong)


def test_size_and_order_do_not_depend_on_where_the_images_lie(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (6, 40, 40), dtype=np.uint8)
    pil = [(Image.fromarray(a), i % 2) for i, a in enumerate(x)]
    assert torch.equal(load_images((x, [0, 1] * 3)).pixels, load_images(pil).pixels)


def test_channels_auto_looks_at_colour_not_at_the_mode():
    grey = [(image.convert("RGB"), y) for image, y in set_of(*[(8, 8)] * 4, mode="L")]
    images = load_images(grey)
    assert (images.pixels.shape[1], images.codec.mode) == (1, "RGB")
    served = images.codec.to_image(images.pixels[0].numpy())
    assert served.mode == "RGB"
    assert served.tobytes() == grey[0][0].tobytes()
    one = [*grey[:3], (picture(9, (8, 8)), 1)]
    assert load_images(one).pixels.shape[1] == 3
    assert load_images(one, channels=1).pixels.shape[1] == 1
    assert load_images(set_of(*[(8, 8)] * 4, mode="L"), channels=3).pixels.shape[1] == 3
    assert load_images(set_of(*[(8, 8)] * 4, mode="L")).codec.mode == "L"
    with pytest.raises(OptionError, match="channels"):
        load_images(one, channels=2)


def test_the_codec_serves_the_usual_size():
    most = load_images(set_of(*[(40, 30)] * 4, (41, 41)))
    assert most.codec.size == (40, 30)
    assert most.codec.to_image(most.pixels[0].numpy()).size == (30, 40)
    assert load_images(set_of((40, 30), (40, 30), (41, 41), (41, 41))).codec.size == (40, 30)
    assert load_images(set_of((40, 30), (30, 40), (50, 20), (90, 90), (60, 70))).codec.size == (50, 40)


def test_the_limit_is_a_keyed_choice_in_each_class(tree):
    whole, cut = load_images(tree), load_images(tree, limit=2, seed=1)
    assert cut.counts() == {"ant": 2, "bee": 2, "cat": 2}
    assert list(cut.names) == sorted(cut.names)
    assert cut.names == load_images(tree, limit=2, seed=1).names
    assert len({load_images(tree, limit=2, seed=seed).names for seed in range(8)}) > 1
    assert set(cut.names) <= set(load_images(tree, limit=3, seed=1).names)
    assert load_images(tree, limit=100).names == whole.names
    (tree / "bee").rename(tree / "zzz")  # another class order changes nothing for "ant"
    again = load_images(tree, limit=2, seed=1).names
    assert [name for name in again if name.startswith("ant")] == [name for name in cut.names if name.startswith("ant")]
    with pytest.raises(OptionError, match="limit"):
        load_images(tree, limit=0)


def test_take_keeps_everything_together(tree):
    images = load_images(open_source(tree, groups=[f"g{i}" for i in range(12)]))
    part = images.take([7, 2])
    assert torch.equal(part.pixels, images.pixels[[7, 2]])
    assert part.labels.tolist() == [images.labels[7], images.labels[2]]
    assert part.names == (images.names[7], images.names[2])
    assert part.fingerprints == (images.fingerprints[7], images.fingerprints[2])
    assert part.groups == ("g7", "g2")
    assert part.classes == images.classes


def test_progress_is_reported(tree):
    seen = []
    load_images(tree, report=lambda *event: seen.append(event))
    assert seen[-1] == ("reading images", 12, 12, "")


def test_sixty_thousand_images(real_data):
    images = load_images(real_data / "mnist.npz")
    assert images.pixels.shape == (60000, 1, 28, 28)
    with np.load(real_data / "mnist.npz", allow_pickle=False) as file:
        assert np.array_equal(images.pixels[:, 0].numpy(), file["x_train"])
    train, validation = hold_out(images)
    assert len(train) + len(validation) == 60000


# splits


def labelled(labels, groups=None, prints=None):
    n = len(labels)
    return LabelledImages(
        stored=Pixels.of(torch.zeros(n, 1, 4, 4, dtype=torch.uint8)),
        labels=torch.as_tensor(labels),
        classes=tuple("abcdef"[: max(labels) + 1]),
        codec=ImageCodec("L", (4, 4)),
        fingerprints=tuple(map(str, prints if prints is not None else range(n))),
        names=tuple(f"item {i}" for i in range(n)),
        groups=None if groups is None else tuple(map(str, groups)),
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=80), st.floats(0.05, 0.95), st.integers(0, 9))
def test_hold_out_is_disjoint_complete_and_stratified(labels, fraction, seed):
    images = labelled(labels)
    counts = images.counts()
    if max(counts.values()) < 2:
        return
    train, validation = hold_out(images, fraction=fraction, seed=seed)
    assert sorted(train.names + validation.names) == sorted(images.names)
    for name, n in counts.items():
        held = validation.counts()[name]
        assert held == min(max(round(fraction * n), 1), max(n - 1, 0))
    assert validation.names == hold_out(images, fraction=fraction, seed=seed)[1].names


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 30)), min_size=4, max_size=60),
    st.integers(0, 3),
)
def test_groups_and_copies_are_never_divided(items, seed):
    labels, groups, prints = zip(*items, strict=True)
    images = labelled(list(labels), groups, prints)
    try:
        train, validation = hold_out(images, seed=seed)
    except DataError:
        return
    assert sorted(train.names + validation.names) == sorted(images.names)
    assert not set(train.groups) & set(validation.groups)
    assert not set(train.fingerprints) & set(validation.fingerprints)
    assert all(n > 0 for name, n in train.counts().items() if images.counts()[name])


def test_every_class_of_two_groups_is_on_both_sides():
    labels = [0] * 30 + [1] * 30 + [2] * 4
    groups = [i // 10 for i in range(60)] + [10, 10, 11, 11]
    train, validation = hold_out(labelled(labels, groups))
    assert all(validation.counts().values())
    assert all(train.counts().values())


def test_what_cannot_be_divided():
    with pytest.raises(DataError, match="one item, or one group"):
        hold_out(labelled([0, 0, 1, 1], groups=[1, 1, 1, 1]))
    for fraction in (0, 1, -0.1, 2):
        with pytest.raises(OptionError, match="share"):
            hold_out(labelled([0, 0]), fraction=fraction)
    _, validation = hold_out(labelled([0, 0, 0, 1]))
    assert validation.counts() == {"a": 1, "b": 0}


def test_real_groups_stay_whole(real_data):
    images = load_images(real_data / "magnetic_tile.npz")
    train, validation = hold_out(images)
    assert not set(train.groups) & set(validation.groups)
    for name, n in images.counts().items():
        assert 0.1 <= validation.counts()[name] / n <= 0.35


# groups from a CSV file


def test_groups_csv(tree, tmp_path):
    names = open_source(tree).names
    file = tmp_path / "groups.csv"
    file.write_text("name,group\n" + "".join(f"./{name},{i // 3}\n" for i, name in enumerate(names)))
    assert read_groups_csv(file, names) == tuple(str(i // 3) for i in range(12))
    assert load_images(tree, groups=file).groups == tuple(str(i // 3) for i in range(12))
    assert read_groups_csv(file, ["ant/1.png"]) == ("0",)
    with pytest.raises(DataError, match=r"no group for 1 of 1 images, for instance ant/9.png"):
        read_groups_csv(file, ["ant/9.png"])
    file.write_text("0,a\n1,b\nitem 2,b\n")
    assert read_groups_csv(file, ["item 0", "item 1", "item 2"]) == ("a", "b", "b")
    file.write_text("x.png,a\n")
    assert read_groups_csv(file, ["ant/x.png"]) == ("a",)
    with pytest.raises(DataError, match="no group for 2 of 2"):
        read_groups_csv(file, ["ant/x.png", "bee/x.png"])
    file.write_text("only\n")
    with pytest.raises(DataError, match="Row 1 .* no second column"):
        read_groups_csv(file, names)
    with pytest.raises(DataError, match="cannot be read"):
        read_groups_csv(tmp_path / "none.csv", names)
    with pytest.raises(DataError, match="12 images but 2 groups"):
        open_source(tree, groups=["a", "b"])
    assert open_source(tree, groups={name: i // 3 for i, name in enumerate(names)}).groups == ("0",) * 3 + tuple(
        str(i // 3) for i in range(3, 12)
    )


def test_a_subject_is_the_same_however_it_is_written(tree, tmp_path):
    names, file = open_source(tree).names, tmp_path / "groups.csv"
    ways = {"3": ["3", "3.0", " 3 ", "3.00"], "M\u00fcller": ["M\u00fcller", "Mu\u0308ller ", "M\u00fcller"]}
    for one, written in ways.items():
        file.write_text("name,group\n" + "".join(f"{name},{written[i % 3]}\n" for i, name in enumerate(names)))
        assert set(read_groups_csv(file, names)) == {one}
        assert set(open_source(tree, groups=[written[i % 3] for i in range(12)]).groups) == {one}
    assert set(open_source(tree, groups=np.full(12, 3.0)).groups) == {"3"}
    assert open_source(tree, groups=["1.1", "1.10", "v1.0"] * 4).groups[:3] == ("1.1", "1.10", "v1.0")


def test_a_first_line_says_which_column_holds_the_groups(tmp_path):
    file, names = tmp_path / "groups.csv", ["a/1.png", "a/2.png"]
    file.write_text("image,camera,Group\na/1.png,c,p0\na/2.png,c,p1\n")
    assert read_groups_csv(file, names) == ("p0", "p1")
    file.write_text("group,image\np0,a/1.png\np1,a/2.png\n")
    assert read_groups_csv(file, names) == ("p0", "p1")
    for first in ("image,camera,patient\n", ""):
        file.write_text(first + "a/1.png,c,p0\na/2.png,c,p1\n")
        with pytest.raises(DataError, match="3 columns, and no first line says"):
            read_groups_csv(file, names)
    file.write_text("a/1.png,p0\na\\1.png,p0\n./a/1.png,p2\na/2.png,p1\n")
    with pytest.raises(DataError, match="more than one group: 'p0' and 'p2'"):
        read_groups_csv(file, names)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_groups_are_read_by_whatever_delimiter(tmp_path, mark):
    """As of a spreadsheet in Europe."""
    file, names = tmp_path / "groups.csv", ["a/1, b;c|d.png", "a/2.png"]
    for rows in (
        [["image", "camera", "Group"], [f'"{names[0]}"', "c", "p0"], [], [names[1], "c", "p1"]],
        [[f'"{names[0]}"', "p0"], [names[1], "p1"]],
    ):
        file.write_text("\n".join(map(mark.join, rows)), encoding="utf-8-sig")
        assert read_groups_csv(file, names) == ("p0", "p1")


def test_files_of_groups_name_images_in_any_spelling_of_theirs(tmp_path):
    file, names = tmp_path / "groups.csv", ["u\u0308/1.png", "a/back\\slash.png"]
    file.write_text("\u00fc/1.png,p0\na/back\\slash.png,p1\n", encoding="utf-8")
    assert read_groups_csv(file, names) == ("p0", "p1")


@pytest.mark.parametrize("nothing", [None, float("nan"), "", " ", "NaN", "<NA>"])
def test_a_missing_group_is_no_group(nothing):
    with pytest.raises(DataError, match="no subject for 2 of 4 images"):
        from_arrays(np.zeros((4, 8, 8), np.uint8), [0, 0, 1, 1], groups=[nothing, nothing, "a", "b"])


def test_images_that_were_read_before_are_given_back():
    images = load_images("digits")
    assert load_images(images, size=8, channels=1) is images
    few = load_images(images, limit=5, seed=3)
    assert set(few.counts().values()) == {5}
    assert set(few.fingerprints) <= set(images.fingerprints)
    assert few.fingerprints != load_images(images, limit=5, seed=4).fingerprints
    with pytest.raises(DataError, match="8 px with 1 channels"):
        load_images(images, size=16)
    with pytest.raises(OptionError, match="groups would change nothing"):
        load_images(images, groups=["a"] * len(images))
    with pytest.raises(OptionError, match="groups would change nothing"):
        ganaug.fit(images, "never", steps=1, groups=["a"] * len(images))
    with pytest.raises(OptionError, match="limit"):
        load_images(images, limit=0)
    with pytest.raises(TooFewImagesError):
        load_images(images, limit=1)
