"""Folders whose images or class folders are links."""

import pytest

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, OptionError, TooFewImagesError
from tests.toys.images import picture


@pytest.fixture
def store(tmp_path):
    """Pictures by their numbers, without suffixes, as content stores keep them."""
    (tmp_path / "store").mkdir()
    for i in range(8):
        picture(i).save(tmp_path / "store" / f"{i:03x}", "PNG")
    return tmp_path / "store"


def linked(store, root):
    for i in range(8):
        (root / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        (root / "ab"[i % 2] / f"{i}.png").symlink_to(store / f"{i:03x}")
    return root


def test_files_of_a_content_store(store, tmp_path):
    root = linked(store, tmp_path / "data")
    with pytest.raises(TooFewImagesError, match="--follow-links"):
        load_images(root)
    assert any("--follow-links" in problem for problem in check(root).problems)
    source = open_source(root, follow_links=True)
    assert source.classes == ("a", "b")
    assert len(source) == 8
    assert source.read(0).tobytes() == picture(0).tobytes()
    assert load_images(root, follow_links=True).counts() == {"a": 4, "b": 4}


@pytest.mark.parametrize("target", ["there", "nowhere", "inside"])
def test_a_class_that_is_a_link_is_not_lost_in_silence(tree, tmp_path, target):
    (tmp_path / "there").mkdir()
    (tree / "fox").symlink_to(
        {"there": tmp_path / "there", "nowhere": tmp_path / "gone", "inside": tree / "ant"}[target]
    )
    fix = "git annex get" if target == "nowhere" else "--follow-links"
    with pytest.raises(DataError, match=f"classes are lost: 'fox'.*{fix}"):
        open_source(tree)


def test_class_folders_elsewhere(tree, tmp_path):
    (tmp_path / "all").mkdir()
    for name in ("ant", "bee"):
        (tmp_path / "all" / name).symlink_to(tree / name)
    source = open_source(tmp_path / "all", follow_links=True)
    assert source.classes == ("ant", "bee")
    assert source.names[0] == "ant/0.png"
    assert len(source) == 8


def test_a_link_that_leads_nowhere_or_to_a_second_class_is_refused(tree, tmp_path):
    (tree / "fox").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match="lead nowhere, so that classes are lost: 'fox'. Fetch"):
        open_source(tree, follow_links=True)
    (tree / "fox").unlink()
    (tree / "fox").symlink_to(tree / "ant")
    with pytest.raises(DataError, match="two classes, 'ant' and 'fox'"):
        open_source(tree, follow_links=True)


def test_circles_and_second_ways_are_read_once(tree, tmp_path):
    (tree / "ant" / "loop").symlink_to(tree)
    (tree / "ant" / "self").symlink_to(tree / "ant")
    (tree / "ant" / "above").symlink_to(tmp_path)
    (tmp_path / "more").mkdir()
    picture(90).save(tmp_path / "more" / "x.png")
    (tmp_path / "more" / "back").symlink_to(tmp_path / "more")
    (tree / "bee" / "first").symlink_to(tmp_path / "more")
    (tree / "bee" / "second").symlink_to(tmp_path / "more")
    (tree / "cat" / "again.png").symlink_to(tree / "cat" / "0.png")
    (tree / "cat" / "gone.png").symlink_to(tmp_path / "gone.png")
    source = open_source(tree, follow_links=True)
    assert len(source) == 13
    assert source.ignored == {
        "link that turns in a circle": ["ant/above", "ant/loop", "ant/self", "bee/first/back"],
        "link to what is read already": ["bee/second", "cat/again.png"],
        "link that leads nowhere": ["cat/gone.png"],
    }


def test_a_list_of_linked_files(store, tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    for i in range(8):
        (root / f"{i}.png").symlink_to(store / f"{i:03x}")
    (tmp_path / "l.csv").write_text("id,kind\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(8)))
    with pytest.raises(DataError, match="--follow-links"):
        open_source(root, labels=tmp_path / "l.csv")
    assert len(open_source(root, labels=tmp_path / "l.csv", follow_links=True)) == 8


def test_other_data_have_no_links():
    with pytest.raises(OptionError, match="would change nothing"):
        open_source("digits", follow_links=True)
