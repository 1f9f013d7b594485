"""What makes each of these systems what it is, on a toy; every test fails if that is taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.spec import DataSpec, ImageCodec
from ganaug.game import Prior, Recipe
from ganaug.game.train import train
from ganaug.recipes import make

N = 240


def bars(labelled: bool):
    """A bright bar of 3 px, upright or lying, at any of 6 places: batches, and the encoded images and labels."""
    rng = torch.Generator().manual_seed(0)
    y, place = torch.arange(N) % 2, torch.randint(6, (N,), generator=rng)
    pixels = torch.full((N, 1, 8, 8), 30.0)
    for i in range(N):
        pixels[i, 0, :, place[i] : place[i] + 3] = 220
        if y[i]:
            pixels[i, 0] = pixels[i, 0].T.clone()
    pixels = (pixels + 10 * torch.randn(pixels.shape, generator=rng)).clamp(0, 255).to(torch.uint8)
    classes = ("upright", "lying") if labelled else ("all",)
    data = ClassBalancedBatches(pixels, y if labelled else torch.zeros_like(y), DataSpec((1, 8, 8), classes))
    return data, ImageCodec.encode(pixels), y


def played(recipe: Recipe, steps: int):
    """The kept networks, and the images and labels."""
    data, x, y = bars(recipe.labelled)
    *_, progress = train(recipe, data, steps=steps, seed=0)
    return progress.averages(), x, y


def without(recipe: Recipe, name: str) -> Recipe:
    """The same game without the terms of this name, and without players that have no other."""
    lost = [
        replace(p, loss=replace(p.loss, terms=tuple(t for t in p.loss.terms if t.name != name))) for p in recipe.players
    ]
    return replace(recipe, players=tuple(p for p in lost if p.loss.terms))


@torch.no_grad()
def returned(nets, x) -> float:
    """Share of the other images that are farther from G(E(x)) than x is, mean over x."""
    y = torch.zeros(len(x), dtype=torch.int64)
    back = nets["generator"](nets["encoder"](x, y)[0], y)
    distances = torch.cdist(back.flatten(1), x.flatten(1))
    return (distances > distances.diagonal()[:, None]).float().mean().item()


@pytest.mark.long
def test_bigan_an_encoder_that_plays_inverts_the_generator():
    recipe = make("bigan", {"width": 16})
    nets, x, _ = played(recipe, 200)
    assert returned(nets, x) >= 0.8


@pytest.mark.long
def test_infogan_codes_can_be_read_off_images_because_that_is_asked_for():
    recipe = make("infogan", {"width": 16, "categories": 2, "codes": 1, "weight": 1.0, "code_weight": 0.5})

    def read(recipe):
        nets, _, _ = played(recipe, 100)
        z = recipe.prior.draw(200, torch.Generator().manual_seed(2))
        with torch.no_grad():
            fakes = nets["generator"](z, torch.zeros(200, dtype=torch.int64))
            logits, numbers = nets["reader"](nets["eye"](fakes, torch.Generator()))
        hits = (logits[0].argmax(1) == z[:, -3:-1].argmax(1)).float().mean()
        return hits.item(), torch.corrcoef(torch.stack([numbers[:, 0], z[:, -1]]))[0, 1].item()

    hits, correlation = read(recipe)
    assert hits >= 0.9
    assert correlation >= 0.8
    silent = without(without(recipe, "information.categories"), "information.uniform")
    hits, correlation = read(silent)
    assert hits <= 0.75
    assert abs(correlation) <= 0.5


@torch.no_grad()
def unlike_prior(nets, x, y, prior: Prior) -> float:
    """Largest deviation of mean and covariance of the codes of x from those of the prior."""
    code, z = nets["encoder"](x, y)[0], prior.draw(20_000, torch.Generator().manual_seed(0))
    means, covariances = code.mean(0) - z.mean(0), torch.cov(code.T) - torch.cov(z.T)
    return max(means.abs().max().item(), covariances.abs().max().item())


@pytest.mark.long
def test_aae_codes_are_distributed_like_the_prior_because_a_discriminator_says_so():
    """A prior that can be drawn from is all that it takes: here not one that autoencoders meet by chance."""
    prior = Prior(1, uniform=3)
    recipe = replace(make("aae", {"width": 8, "encoder_lr": 5e-4}), prior=prior)
    nets, x, y = played(recipe, 250)
    free, _, _ = played(replace(recipe, players=recipe.players[:1]), 250)
    assert unlike_prior(nets, x, y, prior) <= 0.4
    assert unlike_prior(free, x, y, prior) >= 0.55
    # The codes of each class by themselves look like the prior: they do not know the label.
    assert max(unlike_prior(nets, x[y == label], y[y == label], prior) for label in (0, 1)) <= 0.45


@pytest.mark.long
def test_vae_the_bound_rises_and_codes_stay_near_the_prior():
    recipe = make("vae", {"width": 8, "latent": 4, "conditional": False})
    data, x, _ = bars(False)
    steps = list(train(recipe, data, steps=150, seed=0))
    bounds, nets = [sum(p.losses.values()) for p in steps[1:]], steps[-1].averages()
    assert sum(bounds[-20:]) < 0.6 * sum(bounds[:20])
    assert returned(nets, x) >= 0.8
    free, _, _ = played(without(recipe, "divergence"), 150)
    with torch.no_grad():
        y = torch.zeros(N, dtype=torch.int64)
        kept, unruled = (n["encoder"](x, y)[0].square().mean().item() for n in (nets, free))
    assert kept <= 1.5
    assert unruled >= 2 * kept
