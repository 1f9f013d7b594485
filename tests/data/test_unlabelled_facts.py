"""What `check` says of unlabelled images, and what it offers to type."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageOps

from ganaug.cli.group import cli
from ganaug.data import unlabelled_facts as module
from ganaug.data.check import check
from ganaug.errors import DataError
from tests.toys.images import noise_folder, picture


@pytest.fixture
def pool(tmp_path):
    """Ten pictures, two of which the tree of classes has, one mirrored; and a file that is no picture."""
    root = tmp_path / "my pool"
    (root / "deep").mkdir(parents=True)
    for i in range(8):
        picture(100 + i).save(root / "deep" / f"{i}.png")
    picture(0).save(root / "same.png")
    ImageOps.mirror(picture(11)).save(root / "turned.png")
    (root / "broken.png").write_bytes(b"no picture")
    return root


@pytest.fixture
def test(tmp_path):
    """Three classes of twenty, all other pictures."""
    root = tmp_path / "test"
    for label, name in enumerate(("ant", "bee", "cat")):
        (root / name).mkdir(parents=True)
        for i in range(20):
            picture(1000 + 20 * label + i).save(root / name / f"{i:02}.png")
    return root


def test_it_counts_them_and_finds_those_that_have_labels(tree, test, pool):
    found = check(tree, other=test, unlabelled=pool)
    facts = found.unlabelled
    assert facts is not None
    assert (facts.total, facts.read) == (11, 10)
    assert [name for name, _ in facts.unreadable] == ["broken.png"]
    assert facts.labelled == (("ant/0.png", "same.png"), ("bee/1.png", "turned.png"))
    assert facts.tested == ()
    assert not found.problems
    text = "\n".join(found.lines())
    assert "11 unlabelled images\n" in text
    assert "labelled ones, or nearly: left out (2)\n  ant/0.png = same.png" in text
    assert json.loads(json.dumps(found.to_json()))["unlabelled"]["read"] == 10
    assert check(tree).to_json()["unlabelled"] is None


def test_the_last_line_can_be_typed(tree, test, pool):
    [*_, last] = check(tree, other=test, unlabelled=pool, limit=3, depth=1).advice
    words = shlex.split(last[last.index("ganaug bench") :])
    assert words == f"ganaug bench {tree} --test {test} --limit 3 --unlabelled".split() + [str(pool), "--out", "bench"]
    bench = cli.get_command(None, "bench")
    assert bench is not None
    bench.make_context("bench", words[2:])
    assert "ganaug split" in check(tree, unlabelled=pool).advice[-1]  # first of all there must be a test part
    arrays = np.stack([np.asarray(picture(i)) for i in range(4)])
    assert not any("ganaug bench" in note for note in check(tree, other=test, unlabelled=arrays).advice)
    tree.rename(tree.with_name("train"))  # a test set lies beside it
    assert f"--test {test} " in check(tree.with_name("train"), unlabelled=pool).advice[-1]


def test_one_test_image_among_them_is_a_problem(tree, test, pool):
    picture(1003).save(pool / "tested.png")
    found = check(tree, other=test, unlabelled=pool)
    assert found.unlabelled is not None
    assert found.unlabelled.tested == (("ant/03.png", "tested.png"),)
    [problem] = found.problems
    assert "1 of 60 test images are among the unlabelled images, or nearly so (ant/03.png = tested.png)" in problem
    assert not any("ganaug bench" in note for note in found.advice)
    line = ["check", tree, "--test", test, "--unlabelled", pool, "--no-timing", "-q"]
    done = CliRunner().invoke(cli, list(map(str, line)))
    assert done.exit_code == DataError.exit_code
    assert "problems that stop a fit or a bench (1)" in done.output


def test_a_few_that_look_like_test_images_are_none_and_many_are(tree, test, pool):
    for i in range(3):
        ImageOps.mirror(picture(1000 + i)).save(pool / f"like {i}.png")
    found = check(tree, other=test, unlabelled=pool)
    assert found.unlabelled is not None
    assert len(found.unlabelled.tested) == 3  # 5 % of 60
    assert not found.problems
    ImageOps.mirror(picture(1003)).save(pool / "like 3.png")
    [problem] = check(tree, other=test, unlabelled=pool).problems
    assert "4 of 60" in problem


def test_what_cannot_be_learned_from_is_a_problem(tree, tmp_path, monkeypatch):
    [problem] = check(tree, unlabelled=tree).problems
    assert "All 12 unlabelled images are among the labelled ones" in problem
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "one.png").write_bytes(b"no picture")
    assert check(tree, unlabelled=tmp_path / "broken").problems == ("None of the unlabelled images can be read.",)
    (tmp_path / "deep").mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 4096, (4, 12, 12), dtype=np.uint16)):
        Image.fromarray(pixels).save(tmp_path / "deep" / f"{i}.png")
    assert "no value above" in check(tree, unlabelled=tmp_path / "deep").problems[0]
    with pytest.raises(DataError, match="no file or folder"):
        check(tree, unlabelled=tmp_path / "nowhere")
    monkeypatch.setattr(module, "MOST", 2)
    text = "\n".join(check(tree, unlabelled=noise_folder(tmp_path / "many", {"any": 5})).lines())
    assert "5 unlabelled images, of which 2, chosen by the seed, are looked at" in text
