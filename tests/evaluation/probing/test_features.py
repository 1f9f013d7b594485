"""What a run knows about images: the right network is asked, as a backbone, as a table, as a probe."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from timm.data import resolve_model_data_config

import ganaug
from ganaug.cli.group import cli
from ganaug.data.load import load_images
from ganaug.data.spec import ImageCodec
from ganaug.errors import ArtefactError, DataError, MissingPackageError, OptionError, TooFewImagesError
from ganaug.evaluation.probing import table
from ganaug.evaluation.probing.probes import probe
from ganaug.generator.state import load_state
from ganaug.recipes import RECIPES, make

NO_JUDGE_OF_IMAGES = {"infogan", "aae", "vae", "pix2pix", "context_encoder", "rcgan", "tpgan", "stackgan"}


@pytest.fixture(scope="module")
def digits():
    return load_images("digits", limit=30)


@pytest.fixture(scope="module")
def runs(tmp_path_factory, digits):
    """Runs of a few steps, by recipe."""
    folder = tmp_path_factory.mktemp("runs")
    settings = {
        "bigan": {"width": 8},
        "infogan": {"width": 8, "categories": 4, "codes": 3},
        "vae": {"width": 8, "conditional": False},
    }
    return {
        name: ganaug.fit(digits, folder / name, recipe=name, options=options, steps=3, device="cpu")
        for name, options in settings.items()
    }


def x_of(images, n=7):
    return ImageCodec.encode(images.pixels[:n])


def test_an_encoder_gives_its_mean_code(runs, digits):
    for name in ("bigan", "vae"):
        fitted = runs[name].load()
        mean, _ = fitted.networks["encoder"](x_of(digits), torch.zeros(7, dtype=torch.int64))
        assert torch.equal(ganaug.backbone(fitted)(x_of(digits)), mean)


def test_before_its_last_layer_an_encoder_knows_what_its_code_is_made_of(runs, digits):
    for name in ("bigan", "vae"):
        fitted = runs[name].load()
        encoder, x = fitted.networks["encoder"], x_of(digits)
        last = encoder.code[-1] if name == "vae" else encoder.code
        width = fitted.prior.width
        found = ganaug.backbone(fitted, "encoder-penultimate")(x)
        mean, _ = encoder(x, torch.zeros(7, dtype=torch.int64))
        assert torch.allclose(last(found)[:, :width], mean, atol=1e-5)
        assert not any(module._forward_pre_hooks for module in encoder.modules())  # the run itself is not listened to


def test_a_reader_gives_probabilities_and_codes(runs, digits):
    read = ganaug.backbone(runs["infogan"])(x_of(digits))
    assert read.shape == (7, 4 + 3)
    assert torch.allclose(read[:, :4].sum(1), torch.ones(7))


def test_a_discriminator_gives_what_goes_into_its_last_layer(digits_run, digits):
    knows = ganaug.backbone(digits_run)
    assert knows.part == "discriminator"
    card = digits_run.load().card
    discriminator = make(card.recipe, card.settings).networks(card.spec, card.prior)["discriminator"]
    prefix = "networks/discriminator/"
    saved = load_state(digits_run.path / "state").tensors
    discriminator.load_state_dict({k.removeprefix(prefix): v for k, v in saved.items() if k.startswith(prefix)})
    x, y = x_of(digits), digits.labels[:7]
    with torch.no_grad():
        scores = discriminator.head(knows.forward_features(x), y)
        assert torch.allclose(scores, discriminator(x, y), atol=1e-5)


def test_a_discriminator_of_pairs_is_shown_the_image_with_its_code(runs, digits):
    knows = ganaug.backbone(runs["bigan"], "discriminator")
    pair = knows.known.known.network
    x, y = x_of(digits), torch.zeros(7, dtype=torch.int64)
    code = runs["bigan"].load().networks["encoder"](x, y)[0]
    with torch.no_grad():
        assert torch.allclose(
            pair.discriminator.head[-1](knows(x)).squeeze(1), pair.discriminator(x, code, y), atol=1e-5
        )


@pytest.mark.parametrize(
    "recipe",
    [
        name
        for name, made in RECIPES.items()  # and not the toys of other tests
        if made.__module__.startswith("ganaug.") and name not in NO_JUDGE_OF_IMAGES
    ],
)
def test_what_is_known_about_an_image_depends_on_no_other_image(recipe, tmp_path, digits):
    pixels, labels = digits.pixels[:, 0].numpy(), digits.labels.numpy()
    two = labels < (2 if recipe == "cyclegan" else 10)
    run = ganaug.fit((pixels[two], labels[two]), tmp_path / "run", recipe=recipe, steps=1, device="cpu")
    knows = ganaug.backbone(run, "discriminator")
    x = x_of(digits, 8)
    together = knows(x)
    assert together.shape == (8, knows.num_features)
    assert torch.allclose(together[:1], knows(x[:1]), atol=1e-4)
    assert torch.allclose(together.flip(0), knows(x.flip(0)), atol=1e-4)


def test_where_a_label_is_wanted_the_features_are_the_mean_over_all(tmp_path, digits):
    run = ganaug.fit(digits, tmp_path / "run", recipe="cgan", steps=2, device="cpu")
    knows = ganaug.backbone(run)
    network = knows.known.known
    by_label = [network(x_of(digits), torch.full((7,), label)) for label in range(10)]
    assert not torch.allclose(by_label[0], by_label[1])
    assert torch.allclose(knows(x_of(digits)), torch.stack(by_label).mean(0), atol=1e-5)


def test_a_backbone_is_frozen_but_for_its_head_and_speaks_as_timm_does(runs, digits):
    knows = ganaug.backbone(runs["bigan"])
    knows.reset_classifier(10)
    before = {name: p.clone() for name, p in knows.known.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in knows.parameters() if p.requires_grad], 0.5)
    knows.train()
    losses = []
    for _ in range(5):
        logits = knows(x_of(digits, 64))
        loss = torch.nn.functional.cross_entropy(logits, digits.labels[:64])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(torch.equal(before[name], p) for name, p in knows.known.state_dict().items())
    assert knows.forward_head(knows.forward_features(x_of(digits)), pre_logits=True).shape == (7, knows.num_features)
    assert resolve_model_data_config(knows)["mean"] == (0.5,)
    knows.reset_classifier(0)
    assert knows(x_of(digits)).shape == (7, knows.num_features)


def test_tables_say_what_they_hold(runs, digits, tmp_path):
    known = ganaug.features(runs["bigan"], digits)
    card = runs["bigan"].load().card
    assert known.seen.sum() == len(card.fingerprints)
    assert not known.seen[[mark in card.held_out for mark in digits.fingerprints]].any()
    one = known.save(tmp_path / "a.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as file:
        assert np.array_equal(file["features"], known.values)
        assert tuple(file["classes"]) == digits.classes
        assert np.array_equal(file["labels"], digits.labels.numpy())
        assert str(file["part"]) == "encoder"
    again = ganaug.features(runs["bigan"], digits)
    assert again.save(tmp_path / "b.npz").read_bytes() == one


def test_parquet_holds_the_same_numbers(runs, digits, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    known = ganaug.features(runs["bigan"], digits)
    columns = parquet.read_table(known.save(tmp_path / "a.parquet")).to_pydict()
    assert np.array_equal(np.array(columns["feature_3"], np.float32), known.values[:, 3])
    assert columns["class"][5] == digits.classes[digits.labels[5]]


def test_without_pyarrow_the_user_is_told(runs, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="npz"):
        table.checked(tmp_path / "a.parquet")


def test_a_probe_finds_what_is_there_and_nothing_where_nothing_is(runs, digits):
    """Features that are the label win, features that are noise are at chance; pixels are the same in both."""
    known = ganaug.features(runs["bigan"], digits)
    noise = np.random.default_rng(0).normal(size=(len(digits), 10)).astype(np.float32)
    good = replace(known, values=np.eye(10, dtype=np.float32)[known.labels] + 0.1 * noise)
    (told,) = probe(good, counts=(10,))
    (guessed,) = probe(replace(known, values=noise), counts=(10,))
    assert min(told.features) > 0.95
    assert max(guessed.features) < 0.35
    assert told.pixels == guessed.pixels
    assert told.tested == told.unseen == (~known.seen).sum()


def test_bad_input_is_named(runs, digits, tmp_path):
    with pytest.raises(OptionError, match="encoder"):
        ganaug.backbone(runs["bigan"], "reader")
    with pytest.raises(OptionError, match="npz"):
        table.checked(tmp_path / "a.csv")
    with pytest.raises(DataError, match="size|shape|fitted on"):
        ganaug.features(runs["bigan"], load_images("digits", size=16, limit=2))
    few = ganaug.features(runs["bigan"], digits.take([0, 1, 2]))
    with pytest.raises(TooFewImagesError, match="two labels"):
        probe(few)


def test_a_generator_folder_alone_does_not_know_what_its_discriminator_knew(digits_run, tmp_path):
    import shutil

    shutil.copytree(digits_run.path / "generator", tmp_path / "generator")
    with pytest.raises(ArtefactError, match="run folder"):
        ganaug.backbone(tmp_path / "generator")


def test_the_command_writes_and_compares(runs, tmp_path):
    out = tmp_path / "known.npz"
    command = ["features", str(runs["vae"].path), "digits", "--out", str(out), "--limit", "30", "--quiet", "--json"]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    said = json.loads(done.stdout)
    assert said["features"] == 16
    assert [row["labels"] for row in said["probe"]] == [10]
    with np.load(out) as file:
        assert file["features"].shape == (300, 16)
