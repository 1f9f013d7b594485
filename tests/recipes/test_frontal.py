"""What makes tpgan what it is: two pathways in one image, and what its terms ask for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import cross_entropy

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.spec import DataSpec
from ganaug.game import term
from ganaug.game.train import train
from ganaug.losses import kept_identity, likeness, pathways, recognition, symmetry, total_variation
from ganaug.networks.two_pathways import Recogniser, TwoPathways
from ganaug.recipes import make


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def value(loss, round):
    return sum(loss(round, 0.0).values()).item()


@pytest.mark.parametrize("size", [(8, 8), (19, 21), (28, 28)])
def test_every_pathway_reaches_the_image_where_it_looks_and_only_there(size):
    net = TwoPathways((3, *size), 2, 4, 1, width=8).eval()
    source, z, y = torch.rand(2, 1, *size, generator=rng()), torch.randn(2, 4, generator=rng()), torch.tensor([0, 1])
    with torch.no_grad():
        image = net(source, z, y)
        assert image.shape == (2, 3, *size)
        whole, *local = net.pathways(source, z, y)
        assert [part.shape for part in [whole, *local]] == [part.shape for part in net.views(image)]
        for number, (rows, columns) in enumerate(net.quarters):
            other = TwoPathways((3, *size), 2, 4, 1, width=8).eval()
            other.load_state_dict(net.state_dict())
            for weight in other.local[number].parameters():
                weight.add_(torch.randn(weight.shape, generator=rng(number)))
            changed = (other(source, z, y) != image).any(1).any(0)
            outside = torch.ones_like(changed)
            outside[max(rows.start - 2, 0) : rows.stop + 2, max(columns.start - 2, 0) : columns.stop + 2] = False
            assert changed.any()
            assert not (changed & outside).any()
    covered = torch.zeros(size)
    for rows, columns in net.quarters:
        covered[rows, columns] += 1
    assert covered.min() == 1
    assert covered.max() == 4


def test_terms_in_closed_form():
    ramp = torch.arange(8.0).expand(2, 1, 8, 8) / 8
    mirror = SimpleNamespace(fake=torch.cat([ramp[..., :4], ramp[..., :4].flip(3)], 3))
    assert value(symmetry, mirror) == 0
    # Mirrored columns differ by 7, 5, 3, 1, 1, ... eighths; the Laplacian is 1/32 at the border and 0 within.
    assert value(symmetry, SimpleNamespace(fake=ramp)) == pytest.approx(4 / 8 + 2 * (2 / 32) / 8)
    assert value(total_variation, SimpleNamespace(fake=ramp)) == pytest.approx(1 / 8)
    net = Recogniser((1, 8, 8), 3)
    x, y = torch.rand(5, 1, 8, 8, generator=rng()), torch.tensor([0, 1, 2, 0, 1])
    r = SimpleNamespace(real=x, fake=x, y=y, nets={"classifier": net})
    assert value(kept_identity, r) == 0
    assert value(recognition, r) == pytest.approx(cross_entropy(net(x), y).item())
    r.fake = x.flip(3)
    expected = sum((a - b).abs().mean() for a, b in zip(net.features(r.fake), net.features(x), strict=True))
    assert value(kept_identity, r) == pytest.approx(expected.item())
    parts = [torch.full((2, 1, 8, 8), 0.5), *(torch.full((2, 1, 5, 5), level) for level in (0.1, 0.2, 0.3, 0.4))]
    two = TwoPathways((1, 8, 8), 2, 4, 1, width=8)
    generator = SimpleNamespace(pathways=lambda s, z, y: parts, views=two.views)
    r = SimpleNamespace(real=torch.zeros(2, 1, 8, 8), source=None, z=None, y=None, nets={"generator": generator})
    assert value(pathways, r) == pytest.approx(0.5 + 0.25)


def turned(n=80):
    """A symmetric bar of any width, of which the source shows one half only."""
    pixels = torch.full((n, 1, 8, 8), 20.0)
    for i, half in enumerate(torch.randint(1, 4, (n,), generator=rng()).tolist()):
        pixels[i, :, 2 + i % 4, 4 - half : 4 + half] = 220
    sources = pixels.clone()
    sources[0::4, ..., :4], sources[1::4, ..., :4] = 20, 20
    sources[2::4, ..., 4:], sources[3::4, ..., 4:] = 20, 20
    spec = DataSpec((1, 8, 8), ("a", "b"), (1, 8, 8))
    return ClassBalancedBatches(pixels.to(torch.uint8), torch.arange(n) % 2, spec, pairs=sources.to(torch.uint8))


@pytest.mark.long
def test_symmetry_fills_in_what_the_source_hides():
    """Without the likeness to the image, which would tell, all that is known of the hidden half is the other one."""
    data = turned()
    batch, found = data.draw(40, rng(1)), {}
    for weight in (0.0, 3.0):
        recipe = make("tpgan", {"width": 8, "symmetry_weight": weight, "lr": 2e-3})

        def seen(r):
            return ((r.fake - r.source).abs() * (r.source > 0)).mean()

        loss = 10 * term(seen) + weight * symmetry
        game = replace(recipe, players=(replace(recipe.players[2], loss=loss),))
        *_, last = train(game, data, steps=60)
        with torch.no_grad():
            image = last.averages()["generator"](batch.source, recipe.prior.draw(40, rng(2)), batch.y)
        found[weight] = value(
            likeness, SimpleNamespace(fake=image * (batch.real > 0), real=batch.real * (batch.real > 0))
        )
    assert found[3.0] < found[0.0], found


def test_only_the_classifier_learns_the_classes_and_only_from_real_items():
    data = turned()
    recipe = make("tpgan", {"width": 8})
    *_, last = train(replace(recipe, players=recipe.players[1:2]), data, steps=40)
    batch = data.draw(40, rng(1))
    with torch.no_grad():
        nets = last.networks()
        learned = cross_entropy(nets["classifier"](batch.real), batch.y)
    assert learned < 0.3
