"""What makes each recipe of translation what it is, on toys where its absence shows."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from ganaug.data.batches import ClassBalancedBatches, OtherClassBatches
from ganaug.data.spec import DataSpec, ImageCodec
from ganaug.game.train import train
from ganaug.losses import cycle, identity, least_squares, likeness, refill, sameness
from ganaug.networks.degrade import Erase
from ganaug.networks.translators import ByLabel, Memory
from ganaug.networks.unet import Inpainter, UNet
from ganaug.recipes import make


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def value(loss, round):
    return sum(loss(round, 0.0).values()).item()


def kept(recipe, data, steps):
    *_, progress = train(recipe, data, steps=steps)
    return progress.averages()


def without_discriminator(recipe, loss):
    return replace(recipe, players=(replace(recipe.players[1], loss=loss),))


def stripes(n=64):
    """A blank sheet becomes stripes that begin anywhere: their median is blank."""
    phase = torch.rand(n, 1, 1, 1, generator=rng())
    waves = 127 + 100 * torch.sin(6.283 * (torch.arange(8) / 4 + phase)).expand(n, 1, 8, 8)
    sources = torch.full((n, 1, 8, 8), 128, dtype=torch.uint8)
    spec = DataSpec((1, 8, 8), ("a", "b"), (1, 8, 8))
    return ClassBalancedBatches(waves.to(torch.uint8), torch.arange(n) % 2, spec, pairs=sources)


def sharpness(x):
    return x.diff(dim=-1).abs().mean().item()


@pytest.mark.long
def test_pix2pix_draws_what_likeness_alone_blurs():
    data, recipe = stripes(), make("pix2pix", {"likeness_weight": 10.0, "lr": 1e-3})
    batch, z = data.draw(32, rng(1)), recipe.prior.draw(32, rng(2))
    found = {}
    for name, rules in (("game", recipe), ("likeness", without_discriminator(recipe, 10 * likeness))):
        net = kept(rules, data, 120)["generator"]
        with torch.no_grad():
            found[name] = sharpness(net(batch.source, z, batch.y))
    real = sharpness(batch.real)
    assert found["game"] > 0.35 * real, found
    assert found["likeness"] < 0.5 * found["game"], found


def dots(n=80):
    """A light dot on dark ground, or a dark one on light ground, anywhere: what a translation should keep is where."""
    labels = torch.arange(n) % 2
    pixels = torch.where(labels == 0, 40, 215)[:, None, None, None].expand(n, 1, 8, 8).clone()
    for i, (row, column) in enumerate(torch.randint(1, 6, (n, 2), generator=rng()).tolist()):
        pixels[i, 0, row : row + 2, column : column + 2] = 255 - pixels[i, 0, 0, 0]
    return OtherClassBatches(pixels.to(torch.uint8), labels, DataSpec((1, 8, 8), ("dark", "light")))


@pytest.mark.long
def test_the_cycle_is_what_brings_images_back():
    data, found = dots(), {}
    for weight in (10.0, 0.0):
        recipe = make(
            "cyclegan", {"cycle_weight": weight, "identity_weight": 0.0, "width": 16, "blocks": 1, "lr": 1e-3}
        )
        net = kept(recipe, data, 100)["generator"]
        batch = data.draw(32, rng(1))
        with torch.no_grad():
            there = net(batch.source, torch.zeros(32, 1), batch.y)
            back = net(there, torch.zeros(32, 1), batch.source_y)
        found[weight] = (back - batch.source).abs().mean().item()
    assert found[10.0] < 0.15
    assert found[10.0] < 0.6 * found[0.0]


def test_the_context_encoder_fills_better_than_the_mean_and_keeps_the_rest():
    n = 60
    ramp = torch.linspace(0, 1, 8)
    phase = torch.rand(n, 1, 1, 1, generator=rng())
    images = (127 + 100 * torch.sin(6.3 * (ramp[None, None, None] + phase))).expand(n, 1, 8, 8)
    data = ClassBalancedBatches(images.to(torch.uint8), torch.arange(n) % 2, DataSpec((1, 8, 8), ("a", "b")))
    recipe = make("context_encoder", {"lr": 1e-3})
    nets = kept(recipe, data, 100)
    batch = data.draw(64, rng(1))
    source = nets["degrade"](batch.real, rng(2))
    hole = source[:, -1:] > 0
    with torch.no_grad():
        fills = [nets["generator"](source, recipe.prior.draw(64, rng(i)), batch.y) for i in (3, 4)]
    mean = (batch.real * ~hole).sum((2, 3), keepdim=True) / (~hole).sum((2, 3), keepdim=True)
    wrong, by_mean = (((image - batch.real).abs() * hole).sum() / hole.sum() for image in (fills[0], mean))
    assert wrong < 0.6 * by_mean
    assert torch.equal(fills[0][~hole], batch.real[~hole])
    assert not torch.equal(fills[0], fills[1])


def test_holes_are_rectangles_of_the_stated_size_anywhere():
    images = torch.rand(400, 3, 20, 12, generator=rng())
    out = Erase(0.25, 0.5)(images, rng(1))
    hole = out[:, -1] > 0
    assert torch.equal(out, Erase(0.25, 0.5)(images, rng(1)))
    assert set(out[:, -1].unique().tolist()) == {-1.0, 1.0}
    heights, widths = hole.any(2).sum(1), hole.any(1).sum(1)
    assert torch.equal(heights * widths, hole.sum((1, 2)))
    assert (heights.min(), heights.max()) == (5, 10)
    assert (widths.min(), widths.max()) == (3, 6)
    assert hole.any(0).all()
    assert (out[:, :3][hole[:, None].expand(-1, 3, -1, -1)] == 0).all()
    assert torch.equal(out[:, :3] * ~hole[:, None], images * ~hole[:, None])


def test_a_memory_gives_back_what_it_saw_of_the_same_class():
    memory = Memory((1, 1, 1), classes=2, size=3)
    draws, seen, past = rng(), [], 0
    for step in range(40):
        y = torch.arange(4) % 2
        fake = (10.0 * step + torch.arange(4.0)).view(4, 1, 1, 1)
        shown = memory(fake, y, draws)
        seen += fake.flatten().tolist()
        assert all(v in seen and int(v) % 2 == label for v, label in zip(shown.flatten().tolist(), y, strict=True))
        if step == 0:
            assert torch.equal(shown, fake)
        past += int((shown != fake).sum())
    assert memory.filled.tolist() == [3, 3]
    assert 40 < past < 110  # of 160, half of those after it was full
    assert len(memory.past.unique()) == 6


def test_networks_are_chosen_by_label_and_answers_keep_their_places():
    class Times(torch.nn.Module):
        made = 0

        def __init__(self):
            super().__init__()
            Times.made += 1
            self.factor = Times.made

        def forward(self, x):
            return x * self.factor

    net = ByLabel(Times, 3)
    x = torch.arange(1.0, 7.0)
    assert net(x, torch.tensor([2, 0, 2, 0, 0, 2])).tolist() == [3, 2, 9, 4, 5, 18]


def test_terms_in_closed_form():
    real, fake = torch.zeros(4, 1, 8, 8), torch.full((4, 1, 8, 8), -0.5)
    hole = torch.full((4, 1, 8, 8), -1.0)
    hole[:, :, :2, :2] = 1
    part = torch.where(hole > 0, fake, real)
    assert value(likeness, SimpleNamespace(real=real, fake=fake)) == pytest.approx(0.5)
    r = SimpleNamespace(real=real, fake=part, source=torch.cat([real, hole], 1))
    assert value(refill, r) == pytest.approx(0.25)
    r = SimpleNamespace(real=real, source=real, returned=fake, unchanged=2 * fake)
    assert value(cycle, r) == pytest.approx(0.5)
    assert value(identity, r) == pytest.approx(1.0)
    scores = SimpleNamespace(real_scores=torch.full((3, 1, 2, 2), 3.0), fake_scores=torch.full((3, 1, 2, 2), -1.0))
    assert value(least_squares.discriminator, scores) == pytest.approx(0.5 * 4 + 0.5)
    assert value(least_squares.generator, scores) == pytest.approx(4)
    z = torch.tensor([[1.0], [-1.0]])

    def flat(source, z, y):
        return z[:, :, None, None].expand(-1, 1, 8, 8)

    def fine(source, z, y):
        return flat(source, z, y) * torch.tensor([1.0, -1.0]).repeat(4)

    for generator, expected in ((flat, 2 / 2.001), (fine, 2 / 0.001)):
        r = SimpleNamespace(z=z, y=None, source=None, fake=generator(None, z, None), nets={"generator": generator})
        assert value(sameness, r) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("size", [(8, 8), (19, 21), (64, 64)])
def test_networks_keep_any_size_and_eval_mode_is_a_function_of_source_latent_and_label(size):
    source, z, y = torch.rand(3, 1, *size, generator=rng()), torch.randn(3, 4, generator=rng()), torch.tensor([0, 1, 2])
    net = UNet((3, *size), 3, 4, 1).eval()
    with torch.no_grad():
        out = net(source, z, y)
        assert out.shape == (3, 3, *size)
        assert torch.equal(net(source, z, y), out)
        for changed in (net(1 - source, z, y), net(source, -z, y), net(source, z, y.roll(1))):
            assert (changed - out).abs().mean() > 1e-3
        image = torch.rand(3, 3, *size, generator=rng())
        holed = Erase()(image, rng())
        filled = Inpainter((3, *size), 3, 4).eval()(holed, z, y)
    assert torch.equal(filled * (holed[:, -1:] < 0), image * (holed[:, -1:] < 0))
    assert ImageCodec.decode(filled).shape == image.shape
