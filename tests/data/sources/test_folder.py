import os
from pathlib import Path

import pytest
from PIL import Image

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.sources.folder import file_of, from_folder, nesting
from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, OptionError, TooFewImagesError, UnreadableImageError
from tests.toys.images import picture


def test_classes_files_and_labels_are_those_of_image_folder(tree):
    from torchvision.datasets import ImageFolder

    (tree / "bee" / "deeper").mkdir()
    picture(77).save(tree / "bee" / "deeper" / "x.png")
    (tree / "Zebra").mkdir()
    picture(78).save(tree / "Zebra" / "UPPER.JPG", "JPEG")
    ours, theirs = open_source(tree), ImageFolder(tree)
    assert list(ours.classes) == theirs.classes
    assert ours.labels.tolist() == theirs.targets
    assert list(ours.names) == [os.path.relpath(path, tree) for path, _ in theirs.samples]
    for i in range(len(ours)):
        assert ours.read(i).tobytes() == theirs[i][0].tobytes()


def test_hidden_folders_never_become_classes_and_are_named(tree):
    for name in (".ipynb_checkpoints", "__MACOSX"):
        (tree / name).mkdir()
        picture(1).save(tree / name / "a.png")
    (tree / "ant" / ".thumbs").mkdir()
    picture(2).save(tree / "ant" / ".thumbs" / "a.png")
    picture(3).save(tree / "ant" / "._0.png")
    source = from_folder(tree)
    assert source.classes == ("ant", "bee", "cat")
    assert len(source) == 12
    assert source.ignored["hidden folder"] == [".ipynb_checkpoints", "__MACOSX", "ant/.thumbs"]
    assert source.ignored["hidden file"] == ["ant/._0.png"]


def test_other_files_are_counted_not_read(tree):
    (tree / "ant" / "notes.txt").write_text("hello")
    (tree / "labels.csv").write_text("a,b")
    picture(1).save(tree / "stray.png")
    source = from_folder(tree)
    assert len(source) == 12
    assert source.ignored["not an image"] == ["ant/notes.txt", "labels.csv"]
    assert source.ignored["image outside the class folders"] == ["stray.png"]


def test_links_out_of_the_tree_and_link_loops_are_not_followed(tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    picture(1).save(outside / "secret.png")
    (tree / "ant" / "out.png").symlink_to(outside / "secret.png")
    (tree / "ant" / "elsewhere").symlink_to(outside)
    (tree / "bee" / "loop").symlink_to(tree)
    (tree / "bee" / "broken.png").symlink_to(tree / "nothing")
    (tree / "cat" / "inside.png").symlink_to(tree / "ant" / "0.png")
    source = from_folder(tree)
    assert source.classes == ("ant", "bee", "cat")
    assert len(source) == 13
    assert source.ignored["link that is not followed"] == ["ant/elsewhere", "ant/out.png", "bee/loop"]
    assert source.ignored["link that leads nowhere"] == ["bee/broken.png"]
    linked = source.names.index("cat/inside.png")
    assert source.read(linked).tobytes() == source.read(source.names.index("ant/0.png")).tobytes()


def test_a_linked_root_is_fine(tree, tmp_path):
    (tmp_path / "link").symlink_to(tree)
    assert len(from_folder(tmp_path / "link")) == 12


def test_unreadable_images_are_skipped_listed_and_stop_strict(tree):
    whole = (tree / "ant" / "0.png").read_bytes()
    (tree / "ant" / "0.png").write_bytes(whole[: len(whole) // 2])
    (tree / "bee" / "1.png").write_bytes(b"")
    images = load_images(tree)
    assert images.counts() == {"ant": 3, "bee": 3, "cat": 4}
    assert [name for name, _ in images.unreadable] == ["ant/0.png", "bee/1.png"]
    assert "truncated" in images.unreadable[0][1]
    assert "empty" in images.unreadable[1][1]
    with pytest.raises(UnreadableImageError, match=r"ant/0.png cannot be read: .*truncated"):
        load_images(tree, strict=True)


def test_the_limit_is_filled_up_past_unreadable_images(tree):
    whole = (tree / "ant" / "0.png").read_bytes()
    for file in ("0", "1"):
        (tree / "ant" / f"{file}.png").write_bytes(whole[:40])
    assert load_images(tree, limit=2).counts() == {"ant": 2, "bee": 2, "cat": 2}


def test_empty_folder_one_class_and_empty_class(tree, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="no class folders"):
        open_source(empty)
    (empty / "only").mkdir()
    picture(1).save(empty / "only" / "a.png")
    with pytest.raises(DataError, match="one class only"):
        load_images(empty)
    (tree / "dodo").mkdir()
    (tree / "dodo" / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(TooFewImagesError, match=r"'dodo' has 0.*1 x not an image"):
        load_images(tree)


def test_a_class_of_one_image_is_too_few_also_after_skipping(tree):
    for i in (1, 2, 3):
        (tree / "cat" / f"{i}.png").write_bytes(b"broken")
    with pytest.raises(TooFewImagesError, match=r"'cat' has 1\. Unreadable: 3, for instance cat/1.png"):
        load_images(tree)
    assert load_images(tree, at_least=1).counts()["cat"] == 1


def test_images_without_class_folders_say_so(tmp_path):
    picture(1).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"no class folders.*directly: 1.*ROOT/CLASS"):
        open_source(tmp_path)


def test_a_folder_of_parts_names_the_part_to_give(tree, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    tree.rename(whole / "train")
    (whole / "test" / "ant").mkdir(parents=True)
    with pytest.raises(DataError, match=r"parts test, train.*whole/train"):
        open_source(whole)


def test_train_and_test_may_be_classes_of_pictures(tmp_path):
    for name in ("train", "test"):
        (tmp_path / name).mkdir()
        for i in range(2):
            picture(i).save(tmp_path / name / f"{i}.png")
    assert open_source(tmp_path).classes == ("test", "train")


def test_parts_beside_other_things_are_no_classes_either(tmp_path):
    for name in ("train/ant", "train/bee"):
        (tmp_path / name).mkdir(parents=True)
        picture(0).save(tmp_path / name / "0.png")
    (tmp_path / "docs").mkdir()
    picture(1).save(tmp_path / "docs" / "1.png")
    assert open_source(tmp_path).classes == ("docs", "train")  # "train" alone may be a class
    (tmp_path / "test").mkdir()
    picture(2).save(tmp_path / "test" / "2.png")  # not labelled
    with pytest.raises(DataError, match="parts test, train.*beside them: 'docs'.*train"):
        open_source(tmp_path)


def test_links_in_a_circle_and_deep_folders_cost_nothing_else(tree):
    (tree / "ant" / "loop.png").symlink_to("loop.png")
    (tree / "cat" / "circle").symlink_to("circle")
    deep = tree / "bee" / "/".join(["d"] * 300)
    deep.mkdir(parents=True)
    picture(5).save(deep / "x.png")
    source = from_folder(tree)
    assert len(source) in (12, 13)
    assert "ant/loop.png" in source.ignored["link that leads nowhere"]


def test_class_names_that_cannot_be_told_apart_or_written(tmp_path):
    for name in ("caf\u00e9", "cafe\u0301"):
        (tmp_path / "a" / name).mkdir(parents=True)
    with pytest.raises(DataError, match="look the same"):
        open_source(tmp_path / "a")
    os.mkdir(os.fsencode(tmp_path) + b"/b")
    os.mkdir(os.fsencode(tmp_path) + b"/b/\xff\xfe")
    with pytest.raises(DataError, match="UTF-8"):
        open_source(tmp_path / "b")


@pytest.mark.parametrize("name", ["with space", "-dash", "CON", "new\nline", "\x1b[31mred", "x..", "x" * 255, "日本"])
def test_odd_class_names_are_kept_as_they_are(tree, name):
    (tree / "ant").rename(tree / name)
    assert load_images(tree).counts() == {name: 4, "bee": 4, "cat": 4}


def test_file_names_that_are_not_utf8(tree):
    os.rename(os.fsencode(tree) + b"/ant/0.png", os.fsencode(tree) + b"/ant/\xff.png")
    images = load_images(tree)
    assert len(images) == 12
    assert all(name.encode() for name in images.names)


def test_paths_that_lead_nowhere(tmp_path):
    with pytest.raises(DataError, match="no file or folder .*and no data set"):
        open_source(tmp_path / "nothing")
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="not read"):
        open_source(tmp_path / "a.zip")


def test_real_folders_with_rotated_and_uneven_images(real_data):
    signs = load_images(real_data / "folders" / "sign_digits" / "train", strict=True)
    assert signs.pixels.shape == (147, 3, 32, 32)
    assert (signs.codec.mode, signs.codec.size) == ("RGB", (100, 100))
    tiles = load_images(real_data / "folders" / "magnetic_tile" / "train", strict=True)
    assert tiles.pixels.shape == (66, 1, 32, 32)
    assert (tiles.codec.mode, tiles.codec.size) == ("L", (324, 278))
    assert tiles.counts()["Free"] == 30


def test_the_rotated_photograph_stands_upright(real_data):
    source = from_folder(real_data / "folders" / "sign_digits" / "train")
    index = max(range(len(source)), key=lambda i: (source.root / source.files[i]).stat().st_size)
    with Image.open(source.root / source.files[index]) as raw:
        assert (raw.size, raw.getexif()[0x0112]) == ((3024, 3024), 6)
        upright = raw.transpose(Image.Transpose.ROTATE_270)
    assert source.read(index).tobytes() == upright.tobytes()


def nested(tmp_path, *paths):
    for number, path in enumerate(paths):
        for i in range(2):
            (tmp_path / path).mkdir(parents=True, exist_ok=True)
            picture(10 * number + i).save(tmp_path / path / f"{i}.png")
    return tmp_path


def test_folders_below_the_class_folders_are_told_and_depth_names_them(tmp_path):
    root = nested(tmp_path, "Fruit/Apple", "Fruit/Pear", "Roots/Beet")
    merged = open_source(root)
    assert merged.classes == ("Fruit", "Roots")
    said = []
    load_images(root, report=lambda *what: said.append(what))
    (told,) = [what[3] for what in said if what[0] == "folders"]
    assert told == nesting(merged)
    assert "6 images lie in 3 folders below the 2 class folders (Fruit/Apple, Fruit/Pear, Roots/Beet)" in told
    assert "--depth 2" in told
    assert any("--depth 2" in note for note in check(root).advice)
    apart = open_source(root, depth=2)
    assert apart.classes == ("Apple", "Beet", "Pear")
    assert [apart.classes[label] for label in apart.labels] == [Path(name).parent.name for name in apart.names]
    assert not nesting(apart)


def test_folders_of_one_name_are_told_apart_by_their_paths(tmp_path):
    root = nested(tmp_path, "Fruit/Other", "Roots/Other", "Roots/Beet")
    assert open_source(root, depth=2).classes == ("Fruit_Other", "Roots_Beet", "Roots_Other")


def test_images_at_several_levels_are_told(tmp_path):
    root = nested(tmp_path, "Fruit", "Fruit/Apple", "Roots")
    assert "and 4 in the class folders themselves" in nesting(open_source(root))
    deep = open_source(root, depth=2)
    assert deep.classes == ("Apple",)
    assert len(deep.ignored["image outside the class folders"]) == 4
    with pytest.raises(DataError, match="3 levels deep"):
        open_source(root, depth=3)


def test_depth_is_for_folders():
    with pytest.raises(OptionError, match="--depth"):
        open_source("digits", depth=2)


def test_the_file_of_an_item_is_known_also_where_small_classes_are_left_out(tree):
    (tree / "ape").mkdir()
    picture(1).save(tree / "ape" / "0.png")
    source = open_source(tree, skip_small=2)
    assert "ape" not in source.classes
    for i, name in enumerate(source.names):
        assert file_of(source, i) == tree.resolve() / name
    assert file_of(open_source("digits"), 0) is None
