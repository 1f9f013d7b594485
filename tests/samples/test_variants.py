"""What a translator makes of images, and where it is served: exports, pictures, bench."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import ganaug
from ganaug.data.load import load_images
from ganaug.data.pixels import Pixels
from ganaug.errors import DataError, LabelMismatchError, TranslatorError
from ganaug.evaluation.bench.sets import gather, rendered
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.samples.blocks import BLOCK, Renderer
from ganaug.samples.pool import Pool
from ganaug.samples.variant_pool import VariantPool
from ganaug.samples.variants import Variants
from tests.toys.translators import names_of, pictures, save_translator


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translators")
    return {name: save_translator(folder / name, name) for name in ("toy_fill", "toy_paint", "toy_negative")}


def images(n=20, seed=0, pairs=True):
    x, y, masks = pictures(n, seed)
    return load_images((x, names_of(y)), pairs=masks if pairs else None)


def test_a_variant_does_not_depend_on_which_others_are_made(runs):
    some = images(70)
    variants = Variants(runs["toy_fill"], some, seed=2)
    rows, numbers = np.divmod(np.arange(140), 2)
    whole = np.concatenate(list(variants.stream(rows, numbers)))
    assert len(whole) == 140 > 2 * BLOCK
    assert np.array_equal(variants.block(rows[[99, 7]], numbers[[99, 7]]), whole[[99, 7]])
    fewer = Variants(runs["toy_fill"], some.take([30, 49]), seed=2)
    assert np.array_equal(fewer.block(np.array([1]), np.array([1])), whole[[99]])
    assert not np.array_equal(whole[::2], whole[1::2])


def test_images_that_do_not_fit_are_refused(runs):
    some = images()
    with pytest.raises(DataError, match="paired"):
        Variants(runs["toy_paint"], replace(some, stored_pairs=None))
    with pytest.raises(DataError, match="size"):
        Variants(runs["toy_fill"], replace(some, stored=Pixels.of(some.pixels[..., :4])))
    with pytest.raises(LabelMismatchError, match="'cat'"):
        Variants(runs["toy_fill"], replace(some, classes=("dark", "cat")))


def test_there_is_no_pool_of_images_from_nothing(runs):
    for call in (lambda run: Pool.open(run, {"dark": 1}), lambda run: Renderer(ganaug.load(run))):
        with pytest.raises(TranslatorError, match=r"ganaug\.variants"):
            call(runs["toy_fill"])


def test_exports_name_the_image_that_each_was_made_from(runs, tmp_path):
    x, y, _ = pictures()
    out = ganaug.augment(runs["toy_fill"], {"dark": 13, "light": 2}, tmp_path / "out", data=(x, names_of(y)))
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert [line["class"] for line in lines] == ["dark"] * 13 + ["light"] * 2
    for line in lines:
        origin = int(line["made_from"].split()[1])
        made = np.asarray(Image.open(out / line["file_name"]))
        assert 0 < (made != x[origin]).mean() <= 0.25
        assert names_of(y)[origin] == line["class"]
    first, again = (np.asarray(Image.open(out / f"dark/{i:06d}.png")) for i in (0, 10))
    assert lines[0]["made_from"] == lines[10]["made_from"]
    assert not np.array_equal(first, again)
    with pytest.raises(DataError, match="10 can be made"):
        ganaug.augment(runs["toy_negative"], {"dark": 11}, tmp_path / "too many", data=(x, names_of(y)))
    with pytest.raises(TranslatorError, match="--data"):
        ganaug.augment(runs["toy_fill"], {"dark": 1}, tmp_path / "no data")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_previews_need_images(runs, tmp_path):
    x, y, masks = pictures()
    for name, run in runs.items():
        source = masks if name == "toy_paint" else None
        files = ganaug.preview(run, tmp_path / name, columns=2, data=(x, names_of(y)), pairs=source)
        assert [f.name for f in files] == ["grid.png"]
        with Image.open(files[0]) as grid:
            assert grid.height < 1.2 * grid.width  # four rows of four: two images of two classes
        with pytest.raises(TranslatorError, match="--data"):
            ganaug.preview(run, tmp_path / "x")


@pytest.mark.parametrize("name", ["toy_fill", "toy_paint", "toy_negative"])
def test_the_bench_measures_variants_of_the_training_images_alone(tmp_path, name):
    known = images()
    saw, held = tuple(known.fingerprints[:14]), tuple(known.fingerprints[14:])
    run = save_translator(tmp_path / "run", name, fingerprints=saw, held_out=held)
    x, y, masks = pictures()
    test = pictures(10, 1)[0], names_of(pictures(10, 1)[1])
    pairs = masks if name == "toy_paint" else None
    sets = gather((x, names_of(y)), BenchSettings(test=test, pairs=pairs), fitted=ganaug.load(run))
    assert set(sets.train.fingerprints) == set(saw)
    pixels, labels = rendered(run, sets.train, 40, 0)
    each = 1 if name == "toy_negative" else 3
    assert len(pixels) == len(labels) == 14 * each
    own = torch.repeat_interleave(sets.train.labels, each)
    assert torch.equal(labels, 1 - own if name == "toy_negative" else own)
    pool = VariantPool.open(run, sets.train, k=3)
    assert np.array_equal(pool.images, pixels.numpy())


def test_recipes_say_before_training_what_they_cannot_learn_from(tmp_path):
    x, y, _ = pictures(30)
    refusals = [
        ("pix2pix", y, "pairs of images, and these have none.*--pairs.*use one of: small"),
        ("cyclegan", np.arange(30) % 3, "needs 2 classes, and there are 3.*context_encoder"),
        ("cyclegan", np.zeros(30, int), "one class"),
    ]
    for recipe, labels, words in refusals:
        with pytest.raises(DataError, match=words):
            ganaug.fit((x, labels), tmp_path / "run", recipe=recipe, steps=1)
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("recipe", ["pix2pix", "context_encoder", "cyclegan"])
def test_fits_draw_what_they_translate_and_resume_with_the_same_pairs(tmp_path, recipe):
    x, y, masks = pictures()
    data = {"pairs": masks} if recipe == "pix2pix" else {}
    run = ganaug.fit((x, names_of(y)), tmp_path / "run", recipe=recipe, steps=1, options={"batch": 4}, **data)
    fitted = run.load()
    assert fitted.starts_from is not None
    assert fitted.card.pair == ((1, 8, 8) if recipe == "pix2pix" else ())
    with Image.open(tmp_path / "run" / "samples" / "step-000000001.png") as grid:
        assert grid.width > 4 * 56  # four pictures a row
    if recipe == "pix2pix":
        for file in (run.path / "generator").iterdir():
            file.unlink()
        with pytest.raises(ganaug.GanaugError, match="data"):
            ganaug.fit(
                (x, names_of(y)), run.path, recipe=recipe, steps=1, options={"batch": 4}, pairs=255 - masks,
                resume=True,
            )  # fmt: skip
