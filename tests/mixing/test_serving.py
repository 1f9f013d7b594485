"""A run whose verdict is `harms` serves nothing synthetic without force; `auto` serves what the bench found to help."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from torch.utils.data import DataLoader

import ganaug
from ganaug.cli.group import cli
from ganaug.errors import ArtefactError, DataError, HarmfulError, NoVerdictError
from ganaug.files.integrity import sealed
from tests.toys import mixing as toy
from tests.toys import translators as toy_translators

X, Y = np.zeros((9, toy.SIDE, toy.SIDE), dtype=np.uint8), np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
SERVING = {
    "mix": lambda run, force: ganaug.mix(toy.Pictures(), run, force=force),
    "balance": lambda run, force: ganaug.mix(toy.Pictures(), run, mode="balance", force=force),
    "loader": lambda run, force: ganaug.augment_loader(DataLoader(toy.Pictures(), shuffle=True), run, force=force),
    "SynthMix": lambda run, force: ganaug.SynthMix(run, ratio=0.1, classes=toy.CLASSES, force=force),
    "SyntheticDataset": lambda run, force: ganaug.SyntheticDataset(run, per_class=2, force=force),
    "GANSampler": lambda run, force: ganaug.GANSampler(run, classes=toy.CLASSES, force=force).fit_resample(X, Y),
    "SynthSample": lambda run, force: ganaug.albumentations.SynthSample(run, force=force),
    "sample": lambda run, force: ganaug.Run(run).sample(2, force=force),
    "export": lambda run, force: ganaug.augment(run, {"ant": 2}, run / "out", force=force),
}


def run_with(folder: Path, verdict: dict) -> Path:
    toy.save_generator(folder / "generator")
    (folder / "verdict.json").write_bytes(sealed({"mode": "replace", "ratio": 0, **verdict}))
    return folder


@pytest.mark.parametrize("name", SERVING)
def test_harm_needs_force_everywhere(name: str, tmp_path: Path):
    run = run_with(tmp_path / "run", {"verdict": "harms"})
    with pytest.raises(HarmfulError, match=r"`harms`.*force=True") as raised:
        SERVING[name](run, force=False)
    assert raised.value.exit_code == DataError.exit_code
    assert not (run / "pool").exists()
    SERVING[name](run, force=True)


@pytest.mark.filterwarnings("ignore::ganaug.errors.NoEvidenceWarning")
@pytest.mark.parametrize("verdict", ["helps", "no evidence", "withheld"])
def test_no_other_verdict_needs_force(verdict: str, tmp_path: Path):
    run = run_with(tmp_path / "run", {"verdict": verdict})
    for serve in SERVING.values():
        serve(run, force=False)


def test_harm_serves_nothing_by_auto_and_by_a_ratio_of_none(tmp_path: Path):
    run = run_with(tmp_path / "run", {"verdict": "harms"})
    for ratio in ("auto", 0):
        assert len(ganaug.mix(toy.Pictures(), run, ratio=ratio).synthetic_indices()) == 0
        assert ganaug.SynthMix(run, ratio=ratio, classes=toy.CLASSES).ratio == 0


def test_a_verdict_on_another_generator_says_nothing_about_this_one(tmp_path: Path):
    run = run_with(tmp_path / "run", {"verdict": "harms", "generator": "0" * 64})
    ganaug.mix(toy.Pictures(), run)
    with pytest.raises(NoVerdictError, match="another generator"):
        ganaug.mix(toy.Pictures(), run, ratio="auto")


def test_a_damaged_verdict_is_an_error_that_force_passes(tmp_path: Path):
    run = run_with(tmp_path / "run", {"verdict": "harms"})
    (run / "verdict.json").write_text('{"verdict": ')
    with pytest.raises(ArtefactError, match="bench"):
        ganaug.mix(toy.Pictures(), run)
    ganaug.mix(toy.Pictures(), run, force=True)


def test_translators_too(tmp_path: Path):
    run = tmp_path / "run"
    toy_translators.save_translator(run, "toy_fill")
    (run / "verdict.json").write_bytes(sealed({"verdict": "harms", "mode": "replace", "ratio": 0}))
    for made in (ganaug.Reimagine, ganaug.Inpaint):
        with pytest.raises(HarmfulError):
            made(run)
        made(run, classes=("dark", "light"), force=True)


def test_the_command_line_says_the_same(tmp_path: Path):
    run, out = run_with(tmp_path / "run", {"verdict": "harms"}), tmp_path / "out"
    asked = ["augment", str(run), "--ratio", "0.5", "--out", str(out), "--quiet"]
    assert isinstance(CliRunner().invoke(cli, asked).exception, HarmfulError)
    assert not out.exists()
    assert (
        "nothing to add" in CliRunner().invoke(cli, ["augment", str(run), "--ratio", "auto", "--out", str(out)]).output
    )
    assert not out.exists()
    assert CliRunner().invoke(cli, [*asked, "--force"]).exit_code == 0
    assert len(list(out.glob("*/*.png"))) > 0


def test_a_folder_by_auto_holds_the_share_that_helped(tmp_path: Path):
    run, out = run_with(tmp_path / "run", {"verdict": "helps", "ratio": 0.5}), tmp_path / "out"
    result = CliRunner().invoke(cli, ["augment", str(run), "--ratio", "auto", "--out", str(out), "--json", "--quiet"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["plan"] == dict(ganaug.load(run).card.counts)
