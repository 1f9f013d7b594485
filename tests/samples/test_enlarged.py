"""What is said of enlarged images, in words; and what the commands print."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import ganaug
from ganaug.__main__ import main
from ganaug.cli.group import cli
from ganaug.data.spec import ImageCodec, usual_size
from ganaug.errors import EnlargedWarning, NoEvidenceWarning
from ganaug.files.integrity import sealed
from ganaug.samples.enlarged import enlargement, is_enlarged, served_size
from tests.toys import mixing as toy

BALANCED = {"ant": 1, "bee": 1, "cow": 1}


def saved(folder: Path, size: tuple[int, int], **verdict: object) -> Path:
    toy.save_generator(folder / "generator", native_size=size)
    if verdict:
        (folder / "verdict.json").write_bytes(sealed({"mode": "replace", "ratio": 0, **verdict}))
    return folder


def test_the_sentence_names_what_is_made_and_what_the_images_have(tmp_path: Path):
    card = ganaug.load(saved(tmp_path, (384, 512))).card
    card = replace(card, shape=(3, 32, 32))
    assert served_size(card) == ((32, 32), (384, 512))
    assert enlargement(card) == (
        "Images are made at 32 px and served enlarged, where the real ones have 384 x 512 px: what is finer than 1/32 "
        "of the side is not in them."
    )
    assert enlargement(card, (64, 64)) == ""
    assert served_size(replace(card, codec=ImageCodec("RGB", None))) == ((32, 32), (32, 32))
    assert enlargement(replace(card, codec=None)) == ""  # rows and series


@pytest.mark.parametrize(
    ("served", "said"),
    [((28, 28), False), ((32, 32), False), ((64, 64), False), ((64, 65), True), ((20, 100), True), ((16, 16), False)],
)
def test_up_to_twice_the_side_nothing_is_said(served: tuple[int, int], said: bool):
    assert is_enlarged((32, 32), served) is said


def test_the_usual_size_is_that_of_the_majority_and_not_larger_than_some_image():
    rng = np.random.default_rng(0)
    for n in range(1, 40):
        sizes = [(int(h), int(w)) for h, w in rng.integers(1, 9, (n, 2))]
        height, width = usual_size(sizes)
        assert any(h >= height and w >= width for h, w in sizes)
        assert usual_size([*sizes, *[(5, 7)] * (n + 1)]) == (5, 7)


@pytest.mark.parametrize("force", [False, True])
def test_no_evidence_is_said_with_what_to_do_next(force: bool, tmp_path: Path):
    run = saved(tmp_path / "run", (8, 8), verdict="no evidence")
    with pytest.warns(NoEvidenceWarning, match=r"no evidence.*ratio='auto'.*ganaug doctor RUN") as told:
        ganaug.augment(run, BALANCED, tmp_path / "out", force=force)
    assert len(told) == 1
    assert told[0].filename == __file__


@pytest.mark.parametrize("verdict", [{}, {"verdict": "helps"}, {"verdict": "withheld"}, {"generator": "0" * 64}])
def test_no_other_verdict_is_said(verdict: dict, tmp_path: Path):
    run = saved(tmp_path / "run", (8, 8), **({"verdict": "no evidence", **verdict} if verdict else {}))
    ganaug.augment(run, BALANCED, tmp_path / "out")


def test_what_is_refused_is_not_warned_of_first(tmp_path: Path):
    run = saved(tmp_path / "run", (64, 64), verdict="no evidence")
    with pytest.raises(ganaug.GanaugError, match="asks for nothing"):
        ganaug.augment(run, {"ant": 0}, tmp_path / "out")


def test_enlarged_files_have_the_usual_size_and_the_call_is_named(tmp_path: Path):
    with pytest.warns(EnlargedWarning) as told:
        out = ganaug.augment(saved(tmp_path / "run", (64, 96)), BALANCED, tmp_path / "out")
    assert told[0].filename == __file__
    with Image.open(out / "ant" / "000000.png") as image:
        assert image.size == (96, 64)


# the commands


def photographs(root: Path) -> Path:
    """Of several sizes, the median of which is 20 x 30 px."""
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (root / name).mkdir(parents=True)
        for i, (height, width) in enumerate([(16, 30), (20, 40), (24, 24), (20, 30)] * 3):
            Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8)).save(root / name / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 8 px on photographs of several sizes."""
    place = tmp_path_factory.mktemp("photographs")
    return ganaug.fit(photographs(place / "data"), place / "run", recipe="cgan", steps=1, size=8).path


@pytest.fixture
def printed(run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Runs `ganaug augment RUN ...`: what it prints on standard output, and the lines of standard error."""

    def command(*arguments: object) -> tuple[str, list[str]]:
        monkeypatch.setattr("sys.argv", ["ganaug", "augment", str(run), *map(str, arguments), "-q"])
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = capsys.readouterr()
        assert not ended.value.code, err
        return out, err.strip().split("\n")

    return command


def test_the_command_prints_each_line_once(printed, run: Path, tmp_path: Path):
    _, (line,) = printed("--per-class", 2, "--out", tmp_path / "one")
    assert line.startswith("Warning: Images are made at 8 px and served enlarged, where the real ones have 20 x 30 px:")
    with Image.open(tmp_path / "one" / "ant" / "000000.png") as image:
        assert image.size == (30, 20)
    verdict = {"mode": "replace", "ratio": 0.5, "verdict": "no evidence"}
    (run / "verdict.json").write_bytes(sealed(verdict))
    _, lines = printed("--ratio", 0.5, "--out", tmp_path / "two")
    assert [line.split(" ")[1] for line in lines] == ["Images", "The"]
    (run / "verdict.json").write_bytes(sealed({**verdict, "verdict": "helps"}))
    out, (line,) = printed("--ratio", "auto", "--out", tmp_path / "three")
    assert "ratio='auto' takes none" in line
    assert "nothing to add" in out
    (run / "verdict.json").unlink()


def test_the_preview_says_it_beside_the_pictures(run: Path, digits_run: ganaug.Run, tmp_path: Path):
    asked = ["preview", str(run), "--columns", "1", "--frames", "1", "--out", str(tmp_path / "a")]
    done = CliRunner().invoke(cli, [*asked, "--json"])
    assert "made at 8 px" in json.loads(done.stdout)["notes"][0]
    assert CliRunner().invoke(cli, asked).stdout.strip().split("\n")[-1].startswith("Images are made at 8 px")
    done = CliRunner().invoke(
        cli, ["preview", str(digits_run.path), "--frames", "1", "--out", str(tmp_path / "b"), "--json"]
    )
    assert json.loads(done.stdout)["notes"] == []
