"""The part that makes a recipe what it is, where a toy would be learned without it as well."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganaug.data.batches import Batch
from ganaug.game import CycleRound, LatentRound
from ganaug.game.train import train
from ganaug.networks.eyes import OpenEye
from ganaug.networks.translators import PatchDiscriminator
from ganaug.networks.unet import UNet
from ganaug.recipes import make
from tests.toys.games import toy


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def networks(name, shape=(1, 16, 16)):
    recipe = make(name, {})
    data = toy(recipe, shape)
    return recipe, data, recipe.networks(data.spec, recipe.prior)


@pytest.mark.parametrize("name", ["pggan", "stylegan"])
def test_a_growing_pair_starts_small_and_ends_at_full_size(name):
    recipe, data, nets = networks(name)
    levels = {role: [] for role in ("generator", "discriminator")}
    for progress in train(recipe, data, steps=8):
        for role, values in levels.items():
            values.append(progress.state()[f"networks/{role}/level.value"].item())
    for role, values in levels.items():
        assert values[1] == 0, role  # after the first round
        assert values[-1] == nets[role].level.most > 0, role
        assert values[1:] == sorted(values[1:]), role


def test_latents_are_drawn_from_the_posterior_not_put_at_its_mean():
    class Posterior(nn.Module):
        def forward(self, x, y):
            return torch.full((len(x), 3), 0.5), torch.full((len(x), 3), 2 * torch.tensor(2.0).log().item())

    x, y = torch.zeros(4000, 1, 2, 2), torch.zeros(4000, dtype=torch.long)
    code = LatentRound({"encoder": Posterior()}, Batch(x, y, x, y), torch.zeros(4000, 3), rng()).code
    assert code.mean().item() == pytest.approx(0.5, abs=0.1)
    assert code.std().item() == pytest.approx(2.0, rel=0.05)


def test_only_the_discriminator_is_shown_past_fakes():
    class Past(nn.Module):
        def forward(self, fake, y, rng):
            return torch.full_like(fake, 7.0)

    class Doubling(nn.Module):
        def __init__(self, learns):
            super().__init__()
            self.factor = nn.Parameter(torch.tensor(2.0), requires_grad=learns)

        def forward(self, source, z, y):
            return self.factor * source

    x, y = torch.ones(4, 1, 2, 2), torch.zeros(4, dtype=torch.long)
    for learns, expected in ((True, 2.0), (False, 7.0)):  # the generator's move, the discriminator's
        nets = {"eye": OpenEye(), "memory": Past(), "generator": Doubling(learns)}
        r = CycleRound(nets, Batch(x, y, x, 1 - y), torch.zeros(4, 1), rng())
        assert (r.fake_side[0] == expected).all()


@pytest.mark.parametrize("name", ["pix2pix", "context_encoder"])
def test_a_discriminator_of_translations_minds_whether_source_and_image_belong_together(name):
    recipe, data, nets = networks(name)
    batch = data.draw(6, rng())
    nets["eye"] = OpenEye()
    with torch.no_grad():
        z = recipe.prior.draw(6, rng())
        together = recipe.wiring(nets, batch, z, rng(1)).real_scores
        source = 1 - batch.source if name == "pix2pix" else -batch.source
        apart = recipe.wiring(nets, batch._replace(source=source), z, rng(1)).real_scores
    assert (together - apart).abs().mean() > 1e-3


def test_shortcuts_carry_the_source_past_the_narrow_middle():
    """With the way through the middle cut, a pixel still knows of the source four pixels away: the last layer, which
    sees the source as well, reaches one."""
    torch.manual_seed(0)
    net = UNet((1, 16, 16), 2, 4, 1)
    net.downs[-1].register_forward_hook(lambda module, given, out: torch.zeros_like(out))
    source = torch.rand(1, 1, 16, 16, generator=rng()).requires_grad_()
    out = net(source, torch.zeros(1, 4), torch.zeros(1, dtype=torch.long))
    (slope,) = torch.autograd.grad(out[0, 0, 8, 8], source)
    assert slope[0, 0, 8, 12].abs() > 0


def test_a_score_of_a_patch_knows_of_the_far_side_by_the_normalisation_only():
    torch.manual_seed(0)
    net = PatchDiscriminator(1, 64)
    x = torch.rand(1, 1, 64, 64, generator=rng())
    changed = x.clone()
    changed[..., :2, :2] += 1
    with torch.no_grad():
        moved = (net(x) - net(changed)).abs()[0, 0]
    assert moved.shape == (8, 8)
    assert moved[0, 0] > 20 * moved[4:, 4:].max()


@pytest.mark.parametrize("name", ["wgan_gp", "cramer", "pggan"])
def test_what_a_gradient_penalty_is_taken_of_scores_item_by_item(name):
    """Gulrajani et al. 2017, section 4: no batch norm in the critic."""
    _, _, nets = networks(name)
    assert not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in nets["discriminator"].modules())


def test_series_are_made_and_judged_by_recurrent_networks():
    _, _, nets = networks("rcgan", (1, 12))
    for role in ("generator", "discriminator"):
        assert any(isinstance(module, nn.LSTM) for module in nets[role].modules())


@pytest.mark.parametrize("name", ["stylegan", "stylegan2"])
def test_noise_gives_one_latent_several_images(name):
    recipe = make(name, {"mixing": 0.0})
    data = toy(recipe, (1, 16, 16))
    generator = recipe.networks(data.spec, recipe.prior)["generator"]
    z, y = recipe.prior.draw(3, rng()), torch.arange(3)
    for name, parameter in generator.named_parameters():
        if name.endswith("strength"):
            nn.init.ones_(parameter)
    with torch.no_grad():
        assert not torch.allclose(generator(z, y), generator(z, y))


@pytest.mark.parametrize("name", ["small", "minibatch", "pggan", "stylegan", "stylegan2"])
def test_a_batch_of_one_image_repeated_is_scored_otherwise(name):
    recipe, data, nets = networks(name)
    x = data.draw(4, rng()).real
    repeated = x[:1].expand_as(x).contiguous()
    y = torch.zeros(4, dtype=torch.long)
    with torch.no_grad():
        varied, alike = (nets["discriminator"](items, y)[0] for items in (x, repeated))
    assert not torch.allclose(varied, alike, atol=1e-5)


def test_conditional_batch_norm_and_spectral_norm_are_in_biggan():
    _, data, nets = networks("biggan")
    generator = nets["generator"].train()
    z, y = torch.randn(6, make("biggan", {}).prior.width, generator=rng()), torch.arange(6) % 3
    with torch.no_grad():
        assert not torch.allclose(generator(z, y), generator(z, (y + 1) % 3))
    weights = [m for m in nets["discriminator"].modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert weights
    for module in weights:
        module.train()
        for _ in range(30):
            weight = module.weight.flatten(1)
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.1)


def test_looking_ahead_changes_the_game():
    found = []
    for options in ({"steps": 0}, {"steps": 5}):
        recipe = replace(make("unrolled", options), memory=0.0)
        *_, progress = train(recipe, toy(recipe), steps=3)
        found.append(progress.state())
    assert any(not torch.equal(found[0][k], found[1][k]) for k in found[0] if k.startswith("networks/generator"))
