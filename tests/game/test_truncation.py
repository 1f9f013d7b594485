"""Truncated latents: their distribution, and where they go."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy import stats

from ganaug.cli.group import cli
from ganaug.data.spec import ImageCodec
from ganaug.errors import OptionError
from ganaug.game import Prior
from ganaug.generator.card import Card
from ganaug.generator.folder import save
from ganaug.recipes import make
from ganaug.samples.augment import augment
from ganaug.samples.blocks import Renderer
from ganaug.samples.pool import Pool
from ganaug.samples.preview import preview
from ganaug.samples.run import load


@pytest.mark.parametrize("bound", [0.04, 0.5, 2.0])
def test_truncated_latents_are_truncated_normals(bound):
    z = Prior(4).draw(5000, torch.Generator().manual_seed(0), bound)
    assert z.abs().max() <= bound
    assert stats.kstest(z.flatten().numpy(), stats.truncnorm(-bound, bound).cdf).pvalue > 0.01


def test_codes_are_not_truncated_and_without_a_bound_nothing_changes():
    prior = Prior(3, (4,), 1)
    z = prior.draw(500, torch.Generator().manual_seed(0), 0.1)
    assert z[:, :3].abs().max() <= 0.1
    assert torch.equal(z[:, 3:7].sum(1), torch.ones(500))
    assert z[:, 7].abs().max() > 0.9
    plain = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(Prior(3).draw(5, torch.Generator().manual_seed(1)), plain)


@pytest.mark.parametrize("bound", [0.0, -1.0, float("inf"), float("nan")])
def test_a_bound_that_is_none_says_so(bound):
    with pytest.raises(OptionError, match="above 0"):
        Prior(3).draw(2, torch.Generator(), bound)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An untrained generator in a folder."""
    folder = tmp_path_factory.mktemp("truncation") / "run"
    recipe = make("biggan", {})
    card = Card(
        "biggan", {}, ("ant", "bee"), (1, 8, 8), ImageCodec("L", (8, 8)), recipe.prior, steps=0, seed=0,
        counts={"ant": 5, "bee": 5}, fingerprints=(), held_out=(), versions={},
    )  # fmt: skip
    torch.manual_seed(0)
    save(folder / "generator", {"generator": recipe.networks(card.spec, recipe.prior)["generator"].eval()}, card)
    return folder


def test_a_pool_of_truncated_latents_is_another_pool(run):
    plain, same, truncated = (Pool.open(run, {"ant": 40}, truncation=t) for t in (None, None, 0.3))
    assert "truncation" not in plain.identity
    assert plain.path == same.path
    assert truncated.identity["truncation"] == 0.3
    assert truncated.path != plain.path
    spread = [pool.images.astype(float).var(0).mean() for pool in (truncated, plain)]
    assert spread[0] < 0.5 * spread[1]
    assert np.array_equal(truncated.images[:7], Renderer(load(run), truncation=0.3).rows(0, range(7)))


def test_exports_and_previews_take_a_truncation_and_write_it_down(run, tmp_path):
    out = augment(run, {"ant": 3}, tmp_path / "out", truncation=0.5)
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert [line["truncation"] for line in lines] == [0.5] * 3
    plain = augment(run, {"ant": 3}, tmp_path / "plain")
    assert (plain / "ant" / "000000.png").read_bytes() != (out / "ant" / "000000.png").read_bytes()
    grids = [preview(run, tmp_path / str(t), frames=2, truncation=t)[0].read_bytes() for t in (None, 0.5)]
    assert grids[0] != grids[1]


def test_the_commands_take_a_truncation(run, tmp_path):
    def done(*arguments):
        return CliRunner().invoke(cli, [str(a) for a in arguments])

    assert done("preview", run, "--out", tmp_path / "a", "--frames", 1, "--truncation", 0.4).exit_code == 0
    assert done("preview", run, "--out", tmp_path / "b", "--frames", 1).exit_code == 0
    assert (tmp_path / "a" / "grid.png").read_bytes() != (tmp_path / "b" / "grid.png").read_bytes()
    augmented = done("augment", run, "--per-class", 2, "--out", tmp_path / "c", "--truncation", 0.4, "--quiet")
    assert augmented.exit_code == 0
    assert '"truncation": 0.4' in (tmp_path / "c" / "metadata.jsonl").read_text()
    wrong = done("augment", run, "--per-class", 2, "--out", tmp_path / "d", "--truncation", 0)
    assert wrong.exit_code == 2
    assert "--truncation" in wrong.output
    assert not (tmp_path / "d").exists()
