"""Images that are not looked at (links, formats that are not read, damaged files) are named wherever somebody counts on
all of them."""

from __future__ import annotations

import warnings

import pytest
from torchvision.datasets import ImageFolder

import ganaug
from ganaug.errors import DataError, UnreadableWarning
from ganaug.mixing.build import mix
from ganaug.mixing.leaks import unseen
from tests.toys.images import noise_folder, picture


@pytest.fixture
def data(tmp_path):
    return noise_folder(tmp_path / "data", {"ant": 6, "bee": 6, "cow": 6})


@pytest.fixture
def linked(tmp_path, data):
    """The same images, as links."""
    for file in data.glob("*/*.png"):
        place = tmp_path / "linked" / file.relative_to(data)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(file)
    return tmp_path / "linked"


def test_an_evaluation_set_that_cannot_be_compared_is_refused_or_told_of(tmp_path, run, data, linked):
    with pytest.raises(DataError, match="evaluation set 0 can be read: 18 x link that is not followed.*follow_links"):
        mix(ImageFolder(data), run, ratio=0.5, evaluation=[linked])
    with pytest.raises(DataError, match="the set can be read"):
        unseen(ganaug.open_source(linked), run)
    for i in range(2):
        picture(900 + i).save(linked / "ant" / f"own-{i}.png")
    (linked / "ant" / "broken.png").write_bytes(b"no picture")
    picture(950).save(linked / "bee" / "other.gif")
    (linked / "bee" / "notes.txt").write_text("")
    said = "20 images of evaluation set 0 are not compared.*18 x link.*1 x not an image .bee/other.gif.*ant/broken.png"
    with pytest.warns(UnreadableWarning, match=said):
        mix(ImageFolder(data), run, ratio=0.5, evaluation=[linked])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mix(ImageFolder(data), run, ratio=0.5, evaluation=[data])


def test_synthetic_images_behind_links_are_told_of(tmp_path, data, linked):
    with pytest.raises(DataError, match="the synthetic ones can be read: 18 x link"):
        mix(ImageFolder(data), linked, ratio=0.5)
    for number, name in enumerate(("ant", "bee", "cow")):
        picture(700 + number).save(linked / name / "own.png")
    with pytest.warns(UnreadableWarning, match="18 images of the synthetic ones are not served: 18 x link"):
        mix(ImageFolder(data), linked, ratio=0.5)
    followed = ganaug.open_source(tmp_path / "linked", follow_links=True)
    with pytest.warns(UserWarning, match="copies of training images"):
        assert len(mix(ImageFolder(data), followed, ratio=0.5)) == 18


def test_real_images_that_are_not_written_are_told_of(tmp_path, run, linked):
    plan = {"ant": 2, "bee": 2, "cow": 2}
    with pytest.raises(DataError, match="the real ones can be read"):
        ganaug.augment(run, plan, tmp_path / "out", with_real=linked)
    assert not (tmp_path / "out").exists()
    picture(2003).save(linked / "ant" / "own.png")
    with pytest.warns(UnreadableWarning, match="18 images of the real ones are not in the folder"):
        ganaug.augment(run, plan, tmp_path / "out", with_real=linked)


def test_check_tells_of_them_in_the_other_set_and_among_the_unlabelled(tmp_path, data, linked):
    picture(2003).save(linked / "ant" / "own.png")
    (linked / "ant" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    told = "\n".join(ganaug.check(data, other=linked).advice)
    assert "19 images of the other set are not looked at: 18 x link that is not followed" in told
    assert "1 x link that leads nowhere (ant/gone.png)" in told
    assert "git annex get" in told
    told = "\n".join(ganaug.check(data, unlabelled=linked).advice)
    assert "19 unlabelled images are not looked at" in told
    found = ganaug.check(data, unlabelled=linked, follow_links=True)
    assert found.unlabelled.total == 19
    assert len(found.unlabelled.labelled) == 18
    (linked / "ant" / "own.png").unlink()
    (linked / "ant" / "gone.png").unlink()
    with pytest.raises(DataError, match="no image in.*18 x link.*follow-links"):
        ganaug.check(data, unlabelled=linked)
    assert ganaug.check(data, unlabelled=linked, follow_links=True).unlabelled.total == 18


def test_links_that_lead_nowhere_are_to_be_fetched(tmp_path):
    for name in ("ant", "bee"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(3):
            (tmp_path / "data" / name / f"{i}.png").symlink_to(tmp_path / "annex" / f"{name}{i}")
    with pytest.raises(DataError, match="git annex get"):
        ganaug.fit(tmp_path / "data", tmp_path / "run", steps=1)
