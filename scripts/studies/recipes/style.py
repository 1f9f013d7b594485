"""Progressive growing, StyleGAN and StyleGAN2 on digits: what a style is, and what growth does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.spec import ImageCodec
from ganaug.game.train import train
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.recipes import make
from ganaug.samples.pictures import sample_grid, tile
from scripts.studies.recipes.judged import agreement_and_diversity, digits, fitted_digits, judge_of

SIZE = 16  # px
STEPS = {"pggan": 3000, "stylegan": 3000, "stylegan2": 3500}
STRIDE = 0.02  # of an interpolation, over which a path is measured
CHORD = 0.7  # a mapping that does nothing has 0.81, 2 / (pi / 2)²: a chord is shorter than its arc


def study_pggan(out: Path, seed: int, quick: bool) -> dict[str, float]:
    fitted = fitted_digits("pggan", out, SIZE, 60 if quick else STEPS["pggan"], seed)
    figures = agreement_and_diversity(fitted, SIZE, seed, quick)
    return {**figures, **_growth(out, seed, 40 if quick else 600)}


def _growth(out: Path, seed: int, steps: int) -> dict[str, float]:
    """The largest change of a pixel and of a score when a size begins to fade in, in a short game of its own; draws the
    samples as they grow."""
    images = digits(SIZE, limit=200, seed=seed)
    recipe = make("pggan", {})
    rng = torch_stream(seed, "growth")
    z, y = recipe.prior.draw(8, rng), torch.arange(8)
    x = ImageCodec.encode(images.pixels[:8])
    states, pictures = [], []
    batches = ClassBalancedBatches(images.pixels, images.labels, images.spec)
    for progress in train(recipe, batches, steps=steps, seed=seed):
        if progress.step % (steps // 8) == 0:
            generator = progress.averages()["generator"]
            pictures.append(sample_grid(generator, recipe.prior, 10, columns=1, seed=seed).flatten(0, 1))
            states.append(progress.state())
    tile(torch.stack(pictures)).save(out / "growth.png")
    jumps = {"pixel": 0.0, "score": 0.0}
    nets = recipe.networks(images.spec, recipe.prior)
    for state in states:
        for name in ("generator", "discriminator"):
            prefix = f"networks/{name}/"
            nets[name].load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        for whole in range(int(nets["generator"].level.most)):
            before, after = (_at(nets, level, z, x, y) for level in (whole, whole + 1e-6))
            jumps["pixel"] = max(jumps["pixel"], (before[0] - after[0]).abs().max().item())
            jumps["score"] = max(jumps["score"], (before[1] - after[1]).abs().max().item())
    return {"largest jump of a pixel at growth": jumps["pixel"], "largest jump of a score at growth": jumps["score"]}


@torch.no_grad()
def _at(nets: dict[str, nn.Module], level: float, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    for name in ("generator", "discriminator"):
        nets[name].level.value.fill_(level)
    return nets["generator"](z, y), nets["discriminator"](x, y)


def study_stylegan(out: Path, seed: int, quick: bool) -> dict[str, float]:
    return _styled("stylegan", out, seed, quick)


def study_stylegan2(out: Path, seed: int, quick: bool) -> dict[str, float]:
    return _styled("stylegan2", out, seed, quick)


def _styled(name: str, out: Path, seed: int, quick: bool) -> dict[str, float]:
    fitted = fitted_digits(name, out, SIZE, 60 if quick else STEPS[name], seed)
    judge, _ = judge_of(SIZE, quick)
    n = 64 if quick else 1024
    return {
        **agreement_and_diversity(fitted, SIZE, seed, quick),
        "path length in W over Z": path_ratio(fitted, judge.network, n, seed),
        **_mixing(fitted, out, n, seed),
    }


@torch.no_grad()
def path_ratio(fitted: Fitted, network: nn.Module, n: int, seed: int) -> float:
    """Perceptual path length (Karras et al. 2019, section 4.1) along straight lines in W over that along great circles
    in Z between the same ends: mean squared distance in the judge's features over a small stride, at random points."""
    rng = torch_stream(seed, "paths")
    generator = fitted.generator
    y = torch.randint(10, (n,), generator=rng)
    a, b = (nn.functional.normalize(fitted.prior.draw(n, rng)) for _ in range(2))
    t = torch.rand(n, 1, generator=rng) * (1 - STRIDE)
    wa, wb = generator.styles(a, y), generator.styles(b, y)

    def features(w: Tensor) -> Tensor:
        return network.forward_head(network.forward_features(generator.synthesise(w)), pre_logits=True)

    def length(styles: list[Tensor]) -> float:
        first, second = map(features, styles)
        return ((first - second).square().sum(1) / STRIDE**2).mean().item()

    in_w = length([torch.lerp(wa, wb, s) for s in (t, t + STRIDE)])
    in_z = length([generator.styles(_circle(a, b, s), y) for s in (t, t + STRIDE)])
    return in_w / in_z


def _circle(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    angle = torch.arccos((a * b).sum(1, keepdim=True).clamp(-1, 1))
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)


@torch.no_grad()
def _mixing(fitted: Fitted, out: Path, n: int, seed: int) -> dict[str, float]:
    """Slant of digits with the coarse styles of one source and the finest ones of another, of the same class: its
    correlation with either source. Draws coarse sources as rows and fine ones as columns."""
    generator = fitted.generator
    cut = generator.layers - 2
    rng = torch_stream(seed, "mixing")

    def mixed(coarse: Tensor, fine: Tensor) -> Tensor:
        whole = [w[:, None].expand(-1, generator.layers, -1) for w in (coarse, fine)]
        return torch.cat([whole[0][:, :cut], whole[1][:, cut:]], 1)

    y = torch.randint(10, (n,), generator=rng)
    coarse, fine = (generator.styles(fitted.prior.draw(n, rng), y) for _ in range(2))
    slants = [slant(generator.synthesise(w)) for w in (mixed(coarse, fine), coarse, fine)]
    figures = {
        "slant, correlation with the coarse source": float(np.corrcoef(slants[0], slants[1])[0, 1]),
        "slant, correlation with the fine source": float(np.corrcoef(slants[0], slants[2])[0, 1]),
    }
    y = torch.full((6,), 3)
    rows, columns = (generator.styles(fitted.prior.draw(6, rng), y) for _ in range(2))
    cells = [torch.cat([torch.ones(1, *fitted.card.shape), generator.synthesise(columns)])]
    for row in rows:
        left = row[None, None].expand(1, generator.layers, -1)
        cells.append(generator.synthesise(torch.cat([left, mixed(row.expand(6, -1), columns)])))
    tile(ImageCodec.decode(torch.stack(cells))).save(out / "mixing.png")
    return figures


def slant(x: Tensor) -> np.ndarray:
    """How far the ink of each image moves to the right for each pixel down: the regression of column on row, (N,)."""
    ink = x.mean(1).add(1).double()
    ink = ink / ink.sum((1, 2), keepdim=True)
    row, column = torch.meshgrid(*(torch.arange(float(side)) for side in ink.shape[1:]), indexing="ij")
    mean_row, mean_column = ((ink * part).sum((1, 2), keepdim=True) for part in (row, column))
    covariance = (ink * (row - mean_row) * (column - mean_column)).sum((1, 2))
    return (covariance / (ink * (row - mean_row).square()).sum((1, 2))).numpy()


STUDIES = {
    "pggan": {
        "run": study_pggan,
        "data": f"mnist at {SIZE} px, {STEPS['pggan']} steps",
        "what": "Digits on command; growth leaves both networks' functions unchanged at the moment when it happens.",
        "aims": {
            "agreement": (">=", 0.9),
            "largest jump of a pixel at growth": ("<=", 1e-4),
            "largest jump of a score at growth": ("<=", 1e-3),
        },
    },
    **{
        name: {
            "run": run,
            "data": f"mnist at {SIZE} px, {STEPS[name]} steps",
            "what": "Digits on command; interpolation is smoother in W than in Z (perceptual path length in a judge's "
            "features, same ends); with mixed styles, the slant of a digit comes from the coarse source.",
            "aims": {
                "agreement": (">=", 0.9),
                "path length in W over Z": ("<=", CHORD),
                "slant, correlation with the coarse source": (">=", 0.5),
            },
        }
        for name, run in (("stylegan", study_stylegan), ("stylegan2", study_stylegan2))
    },
}
