"""Recipes on rows of a table and on series: what they must share with those on images, and what is their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganaug.data.batches import EncodedBatches
from ganaug.data.spec import DataSpec
from ganaug.errors import DataError
from ganaug.game import Adam
from ganaug.game.train import train
from ganaug.losses import nonsaturating
from ganaug.networks.series import Discriminator, Generator
from ganaug.networks.table import Blocks
from ganaug.networks.table import Generator as RowGenerator
from ganaug.recipes import make
from tests.toys.games import class_means, toy


def last(iterator):
    *_, progress = iterator
    return progress


def test_a_row_is_numbers_and_probabilities_in_the_order_of_its_blocks():
    blocks = (2, 1, 3, 1, 2)
    x = torch.randn(7, 9, generator=torch.Generator().manual_seed(0))
    row = Blocks(blocks)(x)
    parts, raw = row.split(blocks, 1), x.split(blocks, 1)
    for width, part, given in zip(blocks, parts, raw, strict=True):
        assert torch.allclose(part, given.softmax(1) if width > 1 else given.tanh())


def test_training_sees_raw_probabilities():
    rows = RowGenerator((1, 4), 2, 8)(torch.randn(16, 8), torch.zeros(16, dtype=torch.long))
    assert torch.allclose(rows[:, 1:].sum(1), torch.ones(16))
    assert ((rows[:, 1:] > 0.01) & (rows[:, 1:] < 0.99)).any()


def test_blocks_that_do_not_make_up_the_row_are_refused():
    with pytest.raises(DataError):
        DataSpec((5,), ("a", "b"), blocks=(1, 3))


@pytest.mark.long
def test_wasserstein_with_penalty_learns_rows():
    recipe = make("wgan_gp", {})
    kept = last(train(recipe, toy(recipe, axes=1), steps=120)).averages()["generator"]
    y = torch.arange(3).repeat_interleave(50)
    with torch.no_grad():
        rows = kept(recipe.prior.draw(150, torch.Generator().manual_seed(1)), y)
    means = class_means(recipe, axes=1)
    assert (torch.cdist(rows, means).argmin(1) == y).float().mean() >= 0.9
    assert (rows[:, 2:].argmax(1) == y).float().mean() >= 0.9
    assert rows[y == 0, 0].std() > 0.05  # not one row a class


def categories(n=2000, k=8) -> tuple[EncodedBatches, torch.Tensor]:
    """Two columns of k unequal categories, the second decided by the first, and a number that follows both."""
    rng = torch.Generator().manual_seed(0)
    shares = torch.arange(1, k + 1).float()
    first = torch.multinomial(shares / shares.sum(), n, replacement=True, generator=rng)
    second = (3 * first + 1) % k
    number = (first / k - 0.5 + 0.1 * torch.randn(n, generator=rng)).clamp(-1, 1)
    eye = torch.eye(k)
    items = torch.cat([eye[first], eye[second], number[:, None]], 1)
    spec = DataSpec((2 * k + 1,), ("all",), blocks=(k, k, 1))
    return EncodedBatches(items, torch.zeros(n, dtype=torch.long), spec), torch.bincount(first, minlength=k) / n


def joint_error(generator: nn.Module, prior, shares: torch.Tensor) -> float:
    """Total variation between the real and the synthetic distribution of the pair of categories, one-hot as served."""
    k = len(shares)
    with torch.no_grad():
        rows = generator(prior.draw(4000, torch.Generator().manual_seed(1)), torch.zeros(4000, dtype=torch.long))
    pair = rows[:, :k].argmax(1) * k + rows[:, k : 2 * k].argmax(1)
    made = torch.bincount(pair, minlength=k * k) / 4000
    real = torch.zeros(k * k)
    real[torch.arange(k) * k + (3 * torch.arange(k) + 1) % k] = shares
    return 0.5 * (made - real).abs().sum().item()


@pytest.mark.long
def test_the_penalised_critic_converges_on_categories_where_the_vanilla_loss_does_not():
    """Article 003: one-hot rows are told from probabilities at once, and only the Wasserstein loss still says by how
    much. The same networks, as many moves of the generator."""
    data, shares = categories()
    penalised = make("wgan_gp", {"width": 8, "lr": 2e-3, "moves": 3})
    adam = Adam(2e-3, (0.5, 0.999))
    discriminator, generator = penalised.players
    vanilla = replace(
        penalised,
        players=(
            replace(discriminator, loss=nonsaturating.discriminator, optimiser=adam, moves=1),
            replace(generator, loss=nonsaturating.generator, optimiser=adam),
        ),
    )
    errors = {}
    for name, recipe in (("penalised", penalised), ("vanilla", vanilla)):
        progress = last(train(recipe, data, steps=300))
        errors[name] = joint_error(progress.averages()["generator"], recipe.prior, shares)
    assert errors["penalised"] < 0.4
    assert errors["vanilla"] > 0.6


def test_series_follow_one_latent_from_the_first_step_to_the_last():
    generator = Generator((2, 30), 3, 5).eval()
    z = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    y = torch.zeros(2, dtype=torch.long)
    with torch.no_grad():
        x = generator(z, y)
        nearer = generator(torch.lerp(z[0], z[1], torch.tensor([[0.0], [0.01]])), y)
    assert x.shape == (2, 2, 30)
    assert (x[0] - x[1]).abs().amax(0).min() > 0  # every step differs
    assert (nearer[0] - nearer[1]).abs().max() < 0.1 * (x[0] - x[1]).abs().max()


def test_a_score_remembers_every_step_and_their_order():
    """An average over steps of something without a memory would not."""
    discriminator = Discriminator((1, 10), 2).eval()
    x = torch.randn(64, 1, 10, generator=torch.Generator().manual_seed(0)).requires_grad_()
    y = torch.zeros(64, dtype=torch.long)
    scores = discriminator(x, y)
    assert scores.shape == (64,)
    [slopes] = torch.autograd.grad(scores.sum(), x)
    assert slopes.abs().mean((0, 1)).min() > 1e-5  # by every step
    with torch.no_grad():
        backwards = discriminator(x.flip(2), y)
    assert (scores - backwards).abs().mean() > 1e-5


@pytest.mark.parametrize("shape", [(5,), (1, 12)])
def test_recipes_of_images_refuse_rows_and_series_and_name_those_that_fit(shape, tmp_path):
    import numpy as np

    import ganaug

    rng = np.random.default_rng(0)
    if len(shape) == 1:
        path = tmp_path / "t.csv"
        path.write_text("x,class\n" + "".join(f"{rng.normal()},{'ab'[i % 2]}\n" for i in range(20)))
        data, options, fit = path, {"target": "class"}, "wgan_gp"
    else:
        data, options, fit = (rng.normal(size=(20, 12)), np.arange(20) % 2), {}, "rcgan"
    with pytest.raises(DataError, match=f"dcgan.*images.*Use one of:.*{fit}"):
        ganaug.fit(data, tmp_path / "run", recipe="dcgan", steps=1, **options)
    assert not (tmp_path / "run").exists()
    with pytest.raises(DataError, match="series|rows"):
        ganaug.fit("digits", tmp_path / "run", recipe="rcgan", steps=1, limit=5)
