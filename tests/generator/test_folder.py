"""Generator folders: whole or refused."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

import ganaug
from ganaug.errors import ArtefactError
from ganaug.generator.card import Card
from ganaug.generator.folder import run_folder
from ganaug.generator.state import SavedState, load_state, save_state
from ganaug.samples.run import as_fitted


@pytest.fixture
def folder(digits_run, tmp_path):
    return shutil.copytree(digits_run.path / "generator", tmp_path / "copy")


def test_the_generator_folder_alone_is_enough(digits_run, folder):
    shared, own = ganaug.load(folder), digits_run.load()
    assert (shared.card, shared.hash) == (own.card, own.hash)
    z, y = shared.prior.draw(4, torch.Generator()), torch.arange(4)
    assert torch.equal(shared.generator(z, y), own.generator(z, y))
    assert run_folder(folder) is None
    assert run_folder(digits_run) == run_folder(digits_run.path / "generator") == digits_run.path
    assert as_fitted(shared) is shared


@pytest.mark.parametrize("name", ["card.json", "model.safetensors", "manifest.json"])
def test_one_flipped_bit_anywhere_is_noticed(folder, name):
    original = (folder / name).read_bytes()
    rng = torch.Generator().manual_seed(0)
    for place in torch.randint(len(original), (25,), generator=rng).tolist():
        data = bytearray(original)
        data[place] ^= 1 << place % 8
        (folder / name).write_bytes(data)
        with pytest.raises(ArtefactError):
            ganaug.load(folder)


@pytest.mark.parametrize("name", ["card.json", "model.safetensors", "manifest.json"])
def test_a_missing_or_shortened_file_is_refused(folder, name):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1])
    with pytest.raises(ArtefactError):
        ganaug.load(folder)
    (folder / name).unlink()
    with pytest.raises(ArtefactError):
        ganaug.load(folder)


def resigned(folder, **changes):
    """Change fields of the card and make the manifest fit, as an attacker could."""
    from ganaug.files.integrity import write_manifest

    card = json.loads((folder / "card.json").read_text()) | changes
    card = {k: v for k, v in card.items() if v is not ...}
    files = {"card.json": json.dumps(card).encode(), "model.safetensors": (folder / "model.safetensors").read_bytes()}
    write_manifest(folder, files)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "os.system"},
        {"recipe": "cgan"},
        {"settings": {"width": 10**9}},
        {"settings": {"nosuch": 1}},
        {"settings": [1]},
        {"classes": ["a", "a"]},
        {"classes": []},
        {"classes": ["a", "b"]},
        {"shape": [1, 16, 16]},
        {"shape": [1, 8]},
        {"shape": [1, 10**9, 10**9]},
        {"prior": {"dim": True, "categories": [], "uniform": 0}},
        {"prior": {"dim": 0, "categories": [], "uniform": 0}},
        {"prior": {"dim": 8, "categories": [1], "uniform": 0}},
        {"prior": {"dim": 8}},
        {"schema": 1},
        {"source": [1, 2, 3, 4]},
        {"extra": 1},
        {"seed": ...},
        {"codec": {"mode": "P", "size": None}},
        {"fingerprints": "abc"},
    ],
)
def test_a_card_that_does_not_fit_is_refused_even_with_a_fitting_manifest(folder, changes):
    resigned(folder, **changes)
    with pytest.raises(ArtefactError):
        ganaug.load(folder)


def test_a_repeated_field_is_refused():
    with pytest.raises(ArtefactError, match="repeated"):
        Card.from_json('{"schema": 1, "schema": 1}')


def test_what_is_not_a_run_is_said_to_be_none(tmp_path):
    with pytest.raises(ArtefactError, match="fit"):
        ganaug.load(tmp_path / "nowhere")
    with pytest.raises(ArtefactError):
        ganaug.load(tmp_path)
    (tmp_path / "state").mkdir()
    with pytest.raises(ArtefactError, match="resume"):
        ganaug.load(tmp_path)


def test_the_last_two_states_are_kept_and_a_spoilt_one_is_passed_over(tmp_path):
    for step in (1, 2, 3):
        save_state(tmp_path, SavedState(step, {"a": torch.full((3,), float(step))}, 10 * step))
    older, newest = sorted(tmp_path.glob("*.safetensors"))
    assert older.name.startswith("step-000000002-")
    assert load_state(tmp_path).step == 3
    newest.write_bytes(newest.read_bytes()[:-1] + b"\x00")
    state = load_state(tmp_path)
    assert (state.step, state.log_bytes, state.tensors["a"].tolist()) == (2, 20, [2.0, 2.0, 2.0])
    older.unlink()
    with pytest.raises(ArtefactError):
        load_state(tmp_path)


def test_no_verdict_is_none_and_a_broken_one_is_an_error(digits_run, tmp_path):
    run = ganaug.Run(shutil.copytree(digits_run.path, tmp_path / "run"))
    assert run.verdict is None
    (run.path / "verdict.json").write_text('{"verdict": "splendid"}')
    with pytest.raises(ArtefactError):
        run.verdict  # noqa: B018


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "images.npz").write_bytes(b"PK")
    with pytest.raises(ArtefactError, match=r"images\.npz is a file, not a run"):
        ganaug.load(tmp_path / "images.npz")
