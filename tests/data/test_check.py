import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from ganaug.data.check import check
from ganaug.data.check_report import Needs
from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.data.spec import DataSpec
from ganaug.data.split import hold_out
from ganaug.data.subjects import groups_csv
from ganaug.errors import DataError
from tests.toys.images import noise_folder, picture


def test_near_duplicates_in_both_sets_are_named(tree, tmp_path):
    (tmp_path / "test" / "ant").mkdir(parents=True)
    for i in range(3):
        picture(90 + i).save(tmp_path / "test" / "ant" / f"{i}.png")
    ImageOps.mirror(picture(11)).point(lambda v: v // 2 + 30).save(tmp_path / "test" / "ant" / "turned.png")
    found = check(tree, other=tmp_path / "test")
    assert found.near_duplicates_between == (("bee/1.png", "ant/turned.png"),)
    assert not found.duplicates_between
    text = "\n".join(found.lines())
    assert "nearly identical pictures in both sets (1)\n  bee/1.png = ant/turned.png" in text
    assert any("nearly identical" in note for note in found.advice)


def test_what_the_reader_does_to_files_is_counted_in_a_line_each(tree):
    exif, clear = Image.Exif(), picture(3).convert("RGBA")
    exif[274] = 6
    clear.putpixel((0, 0), (1, 2, 3, 0))
    clear.save(tree / "ant" / "clear.png")
    picture(4).convert("RGBA").save(tree / "ant" / "opaque.png")
    picture(5).save(tree / "bee" / "turned.jpg", exif=exif)
    picture(6).convert("CMYK").save(tree / "bee" / "cmyk.jpg")
    picture(7).save(tree / "cat" / "pages.tif", save_all=True, append_images=[picture(8)])
    picture(9).save(tree / "cat" / "moving.png", save_all=True, append_images=[picture(10)])
    found = check(tree)
    assert [f"{n} {words}" for words, n in found.read_as.items()] == [
        "1 transparent: laid on white",
        "1 turned by EXIF: set upright",
        "2 of several pages or frames: the first is read",
        "1 CMYK, YCbCr or Lab: converted to RGB",
    ]
    assert "  1 turned by EXIF: set upright" in found.lines()
    assert found.to_json()["read_as"] == found.read_as
    assert any("loader=ganaug.read_image" in note for note in found.advice)


def test_a_sound_set_has_counts_and_little_advice(tree):
    found = check(tree, needs=lambda spec: Needs(3000, 90.0 * len(spec.classes), 5 << 29))
    assert found.counts == {"ant": 4, "bee": 4, "cat": 4}
    assert found.sizes == {"12 x 12": 12}
    assert found.modes == {"RGB": 12}
    assert found.shape == (3, 12, 12)
    assert found.needs.seconds == 270
    assert not found.problems
    assert found.advice == (
        "Fewer than 20 images in classes ant (4), bee (4), cat (4): expect near copies; more would help most.",
        f"There is no test set. Before a fit, divide these images: ganaug split {tree} --test 0.25",
    )
    text = "\n".join(found.lines())
    assert "12 images, 3 classes" in text
    assert "  ant  4" in text
    assert "good samples take about 4 min here" in text
    assert json.loads(json.dumps(found.to_json()))["counts"] == found.counts


def test_the_estimate_gets_the_spec_that_a_fit_would_use(tree):
    specs = []
    found = check(tree, needs=lambda spec: specs.append(spec) or Needs(1, 1.0))
    assert specs == [DataSpec(found.shape, ("ant", "bee", "cat"))] == [load_images(tree).spec]


def test_everything_wrong_is_named(tree, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tree, other)
    shutil.rmtree(other / "cat")
    for name in ("bee", "wasp"):
        (other / name).mkdir(exist_ok=True)
        picture(99).save(other / name / "new.png")
    shutil.copy(tree / "ant" / "0.png", tree / "ant" / "copy.png")
    shutil.copy(tree / "ant" / "1.png", tree / "bee" / "mislabelled.png")
    (tree / "cat" / "0.png").write_bytes(b"GIF89a")
    picture(5, (40, 12), "L").save(tree / "cat" / "long.png")
    (tree / ".git").mkdir()
    (tree / "Cat ").mkdir()
    for i in range(30):
        picture(100 + i).save(tree / "Cat " / f"{i}.png")
    found = check(tree, other=other)
    assert [name for name, _ in found.unreadable] == ["cat/0.png"]
    assert found.duplicates_within == (("ant/0.png", "ant/copy.png"),)
    assert found.duplicates_across == (("ant/1.png", "bee/mislabelled.png"),)
    assert ("bee/0.png", "bee/0.png") in found.duplicates_between
    assert found.ignored["hidden folder"] == (".git",)
    advice = "\n".join(found.advice)
    for part in (
        "Missing in the other set: Cat , cat",
        "Only in the other set: wasp",
        "pictures are in both sets",
        "1 pictures are in more than one class",
        "1 images are exact copies",
        "Classes are unequal (30 to 4",
        "2 different sizes",
        "have another proportion of height and width than 1 to 1: their margins are cut, of one 70% of its area",
        "Grey and RGB images are mixed",
        "differ only in capitals",
        "1 files cannot be read",
    ):
        assert part in advice
    text = "\n".join(found.lines())
    assert "cat/0.png: it is a GIF file" in text
    assert "ant/1.png = bee/mislabelled.png" in text
    assert ".git" in text


def test_what_would_stop_a_fit_is_a_problem_not_a_crash(tree):
    (tree / "dodo").mkdir()
    found = check(tree)
    assert found.counts["dodo"] == 0
    assert len(found.problems) == 1
    assert "'dodo' has 0" in found.problems[0]
    with pytest.raises(DataError, match="dodo"):
        load_images(tree)


def test_one_picture_again_and_again_stops_a_fit_and_is_said_before():
    pictures = np.repeat(np.arange(2, dtype=np.uint8) * 90, 10)[:, None, None] + np.eye(8, dtype=np.uint8)
    labels = np.arange(20) // 10
    found = check((pictures, labels))
    assert found.problems == (
        "Each class is one picture, again and again: nothing can be held out, and nothing learned.",
    )
    with pytest.raises(DataError, match="held out"):
        hold_out(load_images((pictures, labels)))
    pictures[0, 0, 0] += 1
    assert not check((pictures, labels)).problems


def test_a_test_set_of_another_size_or_mode_is_told_of(tree, tmp_path):
    for kind in ("ant", "bee", "cat"):
        (tmp_path / "other" / kind).mkdir(parents=True)
        for i in range(2):
            picture(50 + i, (40, 40), "L").save(tmp_path / "other" / kind / f"{i}.png")
    advice = "\n".join(check(tree, other=tmp_path / "other").advice)
    assert "another size (40 x 40 in place of 12 x 12 px)" in advice
    assert "another kind of images (L in place of RGB)" in advice
    assert "other set has another" not in "\n".join(check(tree, other=tree).advice)


def test_what_is_passed_over_is_told_by_check_and_fit(tree):
    picture(7).save(tree / "ant" / "moving.gif")
    (tree / "cat" / ".old").mkdir()
    assert any("1 files are passed over (ant/moving.gif)" in note for note in check(tree).advice)
    said = []
    load_images(tree, report=lambda *what: said.append(what))
    assert ("passed over", 0, 0, "1 x not an image: ant/moving.gif") in said
    assert ("passed over", 0, 0, "1 x hidden folder: cat/.old") in said


def test_nothing_readable_at_all(tree):
    for file in tree.rglob("*.png"):
        file.write_bytes(b"")
    found = check(tree)
    assert found.total == 0
    assert len(found.unreadable) == 12
    assert found.problems
    assert any("and 2 more" in line for line in found.lines())


def test_names_from_the_disk_cannot_write_to_the_terminal(tree):
    (tree / "ant").rename(tree / "\x1b[31mred\nline")
    text = check(tree).lines()
    assert not any("\x1b" in line or "\n" in line for line in text)
    assert any(r"\x1b[31mred\nline" in line for line in text)


def test_grey_pictures_stored_as_rgb_are_explained():
    items = [(picture(i, (8, 8), "L").convert("RGB"), i % 2) for i in range(40)]
    found = check(items)
    assert found.shape == (1, 8, 8)
    assert "RGB without any colour" in found.advice[0]


def test_grey_and_colour_are_told_once():
    def advice(*pictures):
        found = check([(picture, i % 2) for i, picture in enumerate(pictures * 2)])
        return [note for note in found.advice if "grey" in note or "colour" in note]

    grey, as_rgb = [picture(i, (8, 8), "L") for i in range(20)], [picture(i, (8, 8), "L") for i in range(20, 40)]
    as_rgb, colour = [image.convert("RGB") for image in as_rgb], [picture(i, (8, 8)) for i in range(20)]
    assert advice(*grey) == advice(*colour) == []
    assert advice(*grey, *as_rgb) == [
        "No image has colour (40 are grey stored as RGB without any colour): one channel is modelled, "
        "and served as RGB."
    ]
    (note,) = advice(*grey, *as_rgb, *colour)
    assert note.startswith("80 of 120 images are grey (40 of them stored as RGB), the others have colour")
    (note,) = advice(*as_rgb, *colour)
    assert note.startswith("40 of 80 images are grey (stored as RGB), the others have colour")


def test_pictures_of_four_to_three_are_told_to_be_squeezed():
    def squeezed(size):
        return [n for n in check([(picture(i, size), i % 2) for i in range(8)]).advice if "squeezed" in n]

    assert "Images are usually not square (30 x 40)" in squeezed((30, 40))[0]
    assert not squeezed((30, 33))


def test_of_many_classes_the_smallest_are_shown_and_lists_are_short(tmp_path):
    for number in range(50):
        folder = tmp_path / "a" / f"class {number:02d}"
        folder.mkdir(parents=True)
        for i in range(3 if number == 44 else 5):
            picture(10 * number + i, (8, 8)).save(folder / f"{i}.png")
    other = tmp_path / "b" / "another"
    other.mkdir(parents=True)
    picture(999, (8, 8)).save(other / "0.png")
    found = check(tmp_path / "a", other=tmp_path / "b")
    text = found.lines()
    assert "images per class (the 30 smallest of 51; the largest has 5)" in text
    assert any(line.startswith("  class 44") for line in text)
    assert any("classes class 44 (3), class 00 (5)" in note and "and 42 more" in note for note in found.advice)
    assert any(
        note.startswith("Missing in the other set: class 00,") and "and 42 more" in note for note in found.advice
    )


def test_nearly_identical_pictures_of_a_set_are_told_two_labels_first_and_make_groups(tree, tmp_path):
    for number, kind in enumerate(("ant", "bee", "cat")):
        for i in range(40):
            picture(1000 + 100 * number + i, (32, 32)).save(tree / kind / f"more{i}.png")
    for name, source in (("ant/near.png", "ant/more3.png"), ("bee/wrong.png", "cat/more5.png")):
        Image.open(tree / source).point(lambda v: v // 2 + 30).save(tree / name)
    shutil.copy(tree / "ant" / "0.png", tree / "ant" / "copy.png")
    found = check(tree)
    pairs = [(pair.first, pair.second, pair.sure) for pair in found.near_duplicates]
    assert pairs == [("bee/wrong.png", "cat/more5.png", True), ("ant/more3.png", "ant/near.png", True)]
    text = "\n".join(found.lines())
    assert "nearly identical pictures in different classes (1)\n  bee/wrong.png = cat/more5.png" in text
    assert any("Pairs of nearly identical pictures in two classes: 1" in note for note in found.advice)
    assert any("--write-groups" in note for note in found.advice)
    assert json.loads(json.dumps(found.to_json()))["near_duplicates"][0]["classes"] == ["bee", "cat"]
    (tmp_path / "groups.csv").write_text(groups_csv(found.grouping))
    groups = dict(zip(*(lambda s: (s.names, s.groups))(open_source(tree, groups=tmp_path / "groups.csv")), strict=True))
    for together in (*pairs, ("ant/0.png", "ant/copy.png")):
        assert groups[together[0]] == groups[together[1]]
    assert len(set(groups.values())) == len(groups) - 3
    shutil.copytree(tree, tmp_path / "other")
    for number, file in enumerate(sorted((tmp_path / "other").glob("*/*.png"))):
        picture(5000 + number).save(file)
    assert set(check(tmp_path / "other").grouping.values()).isdisjoint(found.grouping.values())
    (tree / "ant" / "torn.png").write_bytes(b"none")
    (tmp_path / "more.csv").write_text(groups_csv(check(tree).grouping))
    assert len(set(open_source(tree, groups=tmp_path / "more.csv").groups)) == len(groups) - 2, "each image has a group"
    (tree / "ant" / "torn.png").unlink()
    again = check(tree, groups=tmp_path / "groups.csv")
    assert not any("--write-groups" in note for note in again.advice)
    assert again.groups.words.startswith(f"{len(groups) - 3} groups, ")
    assert any(line.startswith(again.groups.words) for line in again.lines())
    names = list(groups)
    apart = check(tree, groups=[str(i) for i in range(len(names))])
    assert sum(pair.apart for pair in apart.near_duplicates) == 2
    assert any("in two groups: 2" in note for note in apart.advice)


def test_what_is_odd_about_groups_is_told(tree):
    groups = ["a"] * 4 + ["b", "c", "d", "e"] + ["b", "f", "g", "h"]
    found = check(tree, groups=groups)
    assert found.groups.a_class == {"ant": 1, "bee": 4, "cat": 4}
    assert found.groups.in_classes == ("b",)
    assert any("All images of ant are one group" in note for note in found.advice)
    assert any("Groups with images of several classes: 1 (b)" in note for note in found.advice)
    nothing = check(tree, groups=["a", "b", "c"] * 4)
    assert nothing.groups.least == nothing.groups.most == 4
    alone = check(tree, groups=[name for name in "abc" for _ in range(4)])
    assert "none held out" in alone.groups.words
    assert any("held out" in problem for problem in alone.problems)
    assert check(tree).groups is None


def test_all_alike_makes_no_groups():
    with pytest.raises(DataError, match="one group"):
        groups_csv({"a": "1", "b": "1"})


def test_too_many_images_to_compare_are_told(tree, monkeypatch):
    monkeypatch.setattr("ganaug.data.subjects.MOST", 11)
    found = check(tree)
    assert not found.compared
    assert any("were not looked for among 12 images" in note for note in found.advice)


def test_an_array_that_may_hold_groups_is_named(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (12, 8, 8), np.uint8), np.arange(12) % 2
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, patient_ids=y, x_test=x, y_test=y, groups_test=y)
    assert any(note.startswith("patient_ids may say which") for note in check(tmp_path / "a.npz").advice)
    np.savez(tmp_path / "b.npz", x_train=x, y_train=y, group_train=np.arange(12) // 2)
    found = check(tmp_path / "b.npz")
    assert not any("may say which" in note for note in found.advice)
    assert found.groups.words == "6 groups, 1 held out"


def test_what_a_fit_does_by_itself_and_what_good_samples_take_agree(tree):
    lines = check(tree, needs=Needs(3000, 2760.0, 3 << 29), budget=600).lines()
    (line,) = [line for line in lines if "good samples" in line]
    assert line == (
        "good samples take about 46 min here (3000 steps, 1.5 GiB of memory): --budget 46m; "
        "without it, ganaug fit stops after 10 min"
    )


def test_time_and_memory_of_a_fit_grow_with_the_area_of_its_images(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (6, 100, 140, 3), np.uint8)
    lines = check((x, np.arange(6) % 2), needs=Needs(3000, 1500.0, 3 << 29, 1 << 29)).lines()
    told = [line for line in lines if line.startswith("  --size")]
    assert told == [
        "  --size 64: about 100 min here (3000 steps, 4.5 GiB of memory)",
        "  --size 128: about 400 min here (3000 steps, 16.5 GiB of memory)",
    ]


def test_real_folders(real_data):
    root = real_data / "folders" / "magnetic_tile"
    found = check(root / "train", other=root / "test")
    assert found.total == 66
    assert not found.problems
    assert not found.duplicates_between
    assert any("different sizes" in note for note in found.advice)


@pytest.mark.long
def test_known_copies_in_a_real_set(real_data):
    file = real_data / "pneumonia_mnist.npz"
    found = check(file, other=open_source(file, split="val"))
    assert len(found.duplicates_within) == 18
    assert len({there for _, there in found.duplicates_between}) == 8


def test_what_is_next_is_said_of_clean_data_with_their_name(tmp_path):
    tree, test = noise_folder(tmp_path / "tree", {"ant": 30, "bee": 30, "c": 4, "d": 4}), tmp_path / "others"
    test.mkdir()
    for name, other in (("c", "ant"), ("d", "bee")):
        (tree / name).rename(test / other)
    assert check(tree, other=test).advice == (
        f"No problem found. Next: ganaug bench {tree} --test {test} --out runs/what_helps",
    )
    assert check("digits", limit=20).advice[-1] == "Next: ganaug bench digits --limit 20 --out runs/what_helps"
    noise_folder(tmp_path / "few", {"ant": 30, "bee": 3})
    helps = "Ask what helps: ganaug bench DATA --test TEST --out runs/what_helps (it tries class weights"
    assert any(helps in note for note in check(tmp_path / "few").advice)
