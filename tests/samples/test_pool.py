"""A pool is a pure function of generator, seed, class and row, and its files are whole or rendered again."""

import json
import os
import pickle
import signal
import time

import numpy as np
import pytest
import torch

from ganaug.errors import ArtefactError, DataError, DiskFullError, LabelMismatchError, UnwritableError
from ganaug.files import imagemap
from ganaug.files.lock import sole_maker
from ganaug.recipes import RECIPES
from ganaug.samples import pool as pools
from ganaug.samples.blocks import BLOCK, Renderer
from ganaug.samples.pool import Pool
from ganaug.samples.run import load
from tests.toys import mixing as toy
from tests.toys.mixing import render
from tests.toys.ranks import together


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool-run")
    toy.save_generator(folder / "generator")
    return folder


def test_any_rows_in_any_order_have_the_same_bytes(run):
    fitted, rng = load(run), np.random.default_rng(0)
    whole = render(fitted, 1, range(5 * BLOCK), seed=7)
    assert whole.dtype == np.uint8
    assert whole.shape == (5 * BLOCK, *fitted.card.shape)
    for _ in range(20):
        rows = rng.integers(0, 5 * BLOCK, rng.integers(0, 40))
        assert np.array_equal(render(fitted, 1, rows, seed=7), whole[rows])
    assert len(np.unique(whole.reshape(len(whole), -1), axis=0)) == len(whole)
    assert not np.array_equal(render(fitted, 1, range(4), seed=8), whole[:4])


def test_a_block_is_one_forward_of_one_class(run):
    fitted, seen = load(run), []
    fitted.generator.register_forward_pre_hook(lambda _, zy: seen.append((len(zy[0]), zy[1].unique().tolist())))
    renderer = Renderer(fitted, 0)
    assert [len(images) for images in renderer.stream(2, 70)] == [32, 32, 6]
    assert seen == [(BLOCK, [2])] * 3


def test_rendering_leaves_the_generator_and_the_global_random_state_alone(run):
    fitted = load(run)
    fitted.generator.train()
    before = torch.random.get_rng_state()
    render(fitted, 0, [0])
    assert fitted.generator.training
    assert torch.equal(before, torch.random.get_rng_state())


def test_pool_holds_what_is_rendered(run):
    fitted = load(run)
    pool = Pool.open(run, {"bee": 40, "ant": 3}, seed=5)
    assert pool.classes == toy.CLASSES
    assert pool.counts == {"ant": 3, "bee": 40, "cow": 0}
    assert pool.offsets.tolist() == [0, 3, 43, 43]
    assert pool.labels.tolist() == [0] * 3 + [1] * 40
    assert np.array_equal(pool.images[3:], render(fitted, 1, range(40), seed=5))
    assert np.array_equal(pool.read(np.array([42, 0])), pool.images[[42, 0]])
    assert not pool.images.flags.writeable
    assert pool.path.parent == run / "pool"
    assert len(Pool.open(run, {"ant": 0})) == len(Pool.open(run, {"ant": 0}).images) == 0


def test_a_longer_plan_keeps_the_prefix(run):
    short, long = Pool.open(run, {"ant": 10, "cow": 5}), Pool.open(run, {"ant": 100, "cow": 50})
    assert np.array_equal(short.images[:10], long.images[:10])
    assert np.array_equal(short.images[10:], long.images[100:105])


def test_rendered_once(run, monkeypatch):
    first = Pool.open(run, {"ant": 50}, seed=11)
    monkeypatch.setattr(pools, "Renderer", lambda *args, **options: pytest.fail("rendered twice"))
    again = Pool.open(run, {"ant": 50, "bee": 0}, seed=11)
    assert again.path == first.path


def opened(run, notes, dies):
    """Who renders waits until the other one waits; then it may be killed."""
    real = Renderer.stream

    def stream(self, label, count):
        (notes / f"{os.getpid()} renders {label}").touch()
        until(lambda: (notes / "waiting").exists())
        if dies and len(list(notes.glob("* renders *"))) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, label, count)

    def report(phase, done, total, detail):
        if detail.startswith("waiting: ") and "is being written by" in detail:
            (notes / "waiting").touch()

    RECIPES["toy"], Renderer.stream = toy.recipe, stream
    pool = Pool.open(run, {"ant": 40, "bee": 8}, seed=17, folder=notes / "pool", report=report)
    return pool.path.read_bytes()


def until(true):
    began = time.monotonic()
    while not true():
        time.sleep(0.01)
        assert time.monotonic() - began < 60


@pytest.mark.parametrize("dies", [False, True])
def test_of_two_processes_one_renders_and_the_other_waits_or_takes_over(run, tmp_path, dies):
    ends = together(2, opened, run, tmp_path, dies)
    expected = Pool.open(run, {"ant": 40, "bee": 8}, seed=17).path.read_bytes()
    assert sorted(end.error for end in ends) == ["", "killed" if dies else ""]
    assert {end.value for end in ends if not end.error} == {expected}
    rendered = [note.name.split()[-1] for note in tmp_path.glob("* renders *")]
    assert sorted(rendered) == ["0", "0", "1", "2"] if dies else ["0", "1", "2"]
    assert len(list((tmp_path / "pool").iterdir())) == 2


def test_nobody_is_waited_for_for_ever(run, tmp_path, monkeypatch):
    monkeypatch.setattr(imagemap, "PATIENCE", -1.0)
    there = Pool.open(run, {"ant": 5}, folder=tmp_path)
    there.remove()
    with sole_maker(there.path):
        assert Pool.open(run, {"ant": 5}, folder=tmp_path).path.exists()


def test_epochs_have_other_images(run):
    pools_ = [Pool.open(run, {"ant": 8}, epoch=epoch).images for epoch in (None, 0, 1)]
    assert len(np.unique(np.concatenate(pools_).reshape(24, -1), axis=0)) == 24
    assert np.array_equal(Pool.open(run, {"ant": 8}, epoch=0).at(1).images, pools_[2])


def test_damage_is_found_and_repaired(run):
    pool = Pool.open(run, {"ant": 20}, seed=21)
    intact, manifest = pool.path.read_bytes(), pool.path.with_suffix(".json")
    damages = [
        lambda: pool.path.write_bytes(intact[:-1] + bytes([intact[-1] ^ 1])),
        lambda: pool.path.write_bytes(intact[:-100]),
        lambda: pool.path.unlink(),
        lambda: manifest.unlink(),
        lambda: manifest.write_text("{"),
        lambda: manifest.write_text(json.dumps([1])),
        lambda: manifest.write_text(json.dumps({"identity": {}, "sha256": ""})),
    ]
    for damage in damages:
        damage()
        assert Pool.open(run, {"ant": 20}, seed=21).path.read_bytes() == intact
    pool.path.unlink()
    with pytest.raises(ArtefactError, match="Begin again"):
        len(pickle.loads(pickle.dumps(pool)).images)


def test_pools_are_small_to_pickle_and_reopen(run):
    pool = Pool.open(run, {"ant": 2000}, seed=1)
    assert len(pool.images) == 2000
    sent = pickle.dumps(pool)
    assert len(sent) < 2000
    assert np.array_equal(pickle.loads(sent).images, pool.images)


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    folder = toy.save_generator(tmp_path / "generator")
    with pytest.raises(DiskFullError, match="bytes"):
        Pool.open(folder, {"ant": 10**12}, folder=tmp_path / "pool")
    assert not list((tmp_path / "pool").iterdir())

    def no_space(self, label, count):
        yield np.zeros((1, 1, 8, 8), np.uint8)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Renderer, "stream", no_space)
    with pytest.raises(DiskFullError, match="No space left"):
        Pool.open(folder, {"ant": 10}, folder=tmp_path / "pool")
    assert not list((tmp_path / "pool").iterdir())


def test_an_interruption_leaves_nothing_behind(tmp_path):
    folder = toy.save_generator(tmp_path / "generator")

    def interrupt(phase, done, total, detail):
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pool.open(folder, {"ant": 1000}, folder=tmp_path / "pool", report=interrupt)
    assert not list((tmp_path / "pool").iterdir())


def test_where_there_is_no_run_folder_the_cache_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = toy.save_generator(tmp_path / "shared")
    assert Pool.open(folder, {"ant": 1}).path.parent == tmp_path / "cache" / "ganaug" / "pool"
    run = tmp_path / "read-only"
    toy.save_generator(run / "generator")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert Pool.open(run, {"ant": 1}).path.parent == tmp_path / "cache" / "ganaug" / "pool"
    monkeypatch.setenv("XDG_CACHE_HOME", str(run / "generator" / "card.json"))  # a file
    with pytest.raises(UnwritableError, match="pool cannot be written.*name another cache by XDG_CACHE_HOME"):
        Pool.open(run, {"ant": 1})


def test_impossible_plans(run):
    with pytest.raises(LabelMismatchError, match="'dog'"):
        Pool.open(run, {"dog": 1})
    with pytest.raises(DataError, match="negative"):
        Pool.open(run, {"ant": -1})


def test_progress_is_reported(run):
    seen = []
    Pool.open(run, {"ant": 40, "cow": 2}, seed=99, report=lambda *call: seen.append(call))
    assert seen == [("render", 32, 42, "class ant"), ("render", 40, 42, "class ant"), ("render", 42, 42, "class cow")]
