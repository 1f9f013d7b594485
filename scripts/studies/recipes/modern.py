"""Later GANs on digits: what growth does (progressive growing), what a style is (StyleGAN, StyleGAN2), truncation
(BigGAN), and modes (R3GAN)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.load import LabelledImages
from ganaug.data.pixels import Pixels
from ganaug.data.spec import ImageCodec
from ganaug.game.train import train
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.recipes import make
from ganaug.samples.blocks import Renderer
from ganaug.samples.pictures import sample_grid, tile
from scripts.studies.recipes import judged
from scripts.studies.recipes.judged import Study

SIZE = 16  # px
STEPS = {"pggan": 3000, "stylegan": 3000, "stylegan2": 3500, "biggan": 1500, "r3gan": 4000}
STRIDE = 0.02  # of an interpolation, over which a path is measured
CHORD = 0.7  # a mapping that does nothing has 0.81, 2 / (pi / 2)²: a chord is shorter than its arc
TRUNCATIONS = (0.2, 0.5, 1.0, 1.5)
COLOURS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))


def study_pggan(out: Path, seed: int, quick: bool) -> dict[str, float]:
    fit = judged.fitted_digits("pggan", out, SIZE, 60 if quick else STEPS["pggan"], seed)
    figures = judged.agreement_and_diversity(fit, SIZE, seed, quick)
    return {**figures, **_growth(out, seed, 40 if quick else 600)}


def _growth(out: Path, seed: int, steps: int) -> dict[str, float]:
    """The largest change of a pixel and of a score when a size begins to fade in, in a short game of its own; draws the
    samples as they grow."""
    images = judged.digits(SIZE, limit=200, seed=seed)
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
        judged.load_trained(nets, state, "generator", "discriminator")
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


def study_style(name: str, out: Path, seed: int, quick: bool) -> dict[str, float]:
    fit = judged.fitted_digits(name, out, SIZE, 60 if quick else STEPS[name], seed)
    judge, _ = judged.judge_of(SIZE, quick)
    n = 64 if quick else 1024
    return {
        **judged.agreement_and_diversity(fit, SIZE, seed, quick),
        "path length in W over Z": path_ratio(fit, judge.network, n, seed),
        **_mixing(fit, out, n, seed),
    }


@torch.no_grad()
def path_ratio(fit: Fitted, network: nn.Module, n: int, seed: int) -> float:
    """Perceptual path length (Karras et al. 2019, section 4.1) along straight lines in W over that along great circles
    in Z between the same ends: mean squared distance in the judge's features over a small stride, at random points."""
    rng = torch_stream(seed, "paths")
    generator = fit.generator
    y = torch.randint(10, (n,), generator=rng)
    a, b = (nn.functional.normalize(fit.prior.draw(n, rng)) for _ in range(2))
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
def _mixing(fit: Fitted, out: Path, n: int, seed: int) -> dict[str, float]:
    """Slant of digits with the coarse styles of one source and the finest ones of another, of the same class: its
    correlation with either source. Draws coarse sources as rows and fine ones as columns."""
    generator = fit.generator
    cut = generator.layers - 2
    rng = torch_stream(seed, "mixing")

    def mixed(coarse: Tensor, fine: Tensor) -> Tensor:
        whole = [w[:, None].expand(-1, generator.layers, -1) for w in (coarse, fine)]
        return torch.cat([whole[0][:, :cut], whole[1][:, cut:]], 1)

    y = torch.randint(10, (n,), generator=rng)
    coarse, fine = (generator.styles(fit.prior.draw(n, rng), y) for _ in range(2))
    images = [generator.synthesise(w) for w in (mixed(coarse, fine), coarse, fine)]
    slants = [judged.traits(x.mean(1).add(1).double())["slant"].numpy() for x in images]
    figures = {
        "slant, correlation with the coarse source": float(np.corrcoef(slants[0], slants[1])[0, 1]),
        "slant, correlation with the fine source": float(np.corrcoef(slants[0], slants[2])[0, 1]),
    }
    y = torch.full((6,), 3)
    rows, columns = (generator.styles(fit.prior.draw(6, rng), y) for _ in range(2))
    cells = [torch.cat([torch.ones(1, *fit.card.shape), generator.synthesise(columns)])]
    for row in rows:
        left = row[None, None].expand(1, generator.layers, -1)
        cells.append(generator.synthesise(torch.cat([left, mixed(row.expand(6, -1), columns)])))
    tile(ImageCodec.decode(torch.stack(cells))).save(out / "mixing.png")
    return figures


def study_biggan(out: Path, seed: int, quick: bool) -> dict[str, float]:
    """Agreement and diversity at several truncations; their rank correlations with the truncation."""
    fit = judged.fitted_digits("biggan", out, SIZE, 60 if quick else STEPS["biggan"], seed)
    figures, rows = {}, []
    for bound in (*TRUNCATIONS, None):
        found = judged.agreement_and_diversity(fit, SIZE, seed, quick, bound)
        rows.append(found)
        of = "" if bound is None else f" at truncation {bound:g}"
        figures |= {f"{name}{of}": value for name, value in found.items()}
    order = list(range(len(rows)))
    figures["diversity, rank correlation with truncation"] = _rank(order, [r["diversity"] for r in rows])
    figures["agreement, rank correlation with truncation"] = _rank(order, [r["agreement"] for r in rows])
    grids = [
        sample_grid(fit.generator, fit.prior, 10, columns=12, truncation=bound)[3] for bound in (*TRUNCATIONS, None)
    ]
    tile(torch.stack(grids), names=(*map(str, TRUNCATIONS), "none")).save(out / "truncation.png")
    return figures


def _rank(a: list[int], b: list[float]) -> float:
    """Spearman's correlation, without the last digits of its rounding errors."""
    return round(float(spearmanr(a, b)[0]), 6)


def coloured(images: LabelledImages, seed: int) -> LabelledImages:
    """Digits in one of seven colours, drawn uniformly."""
    colours = torch.tensor(COLOURS, dtype=torch.uint8)
    drawn = torch.randint(len(colours), (len(images),), generator=torch_stream(seed, "colours"))
    pixels = images.pixels * colours[drawn][:, :, None, None]
    return replace(images, stored=Pixels.of(pixels), codec=ImageCodec("RGB", images.codec.size))


def modes(pixels: Tensor, quick: bool) -> Tensor:
    """Digit (by a judge of real digits) and colour (channels of at least half the ink of the strongest) of coloured
    digits, as one number in 0..69; a colour that is none of the seven cannot occur. pixels: uint8 (N, 3, H, W)."""
    judge, _ = judged.judge_of(SIZE, quick)
    ink = pixels.float().mean((2, 3))
    on = (ink >= 0.5 * ink.amax(1, keepdim=True)).long()
    table = {colour: index for index, colour in enumerate(COLOURS)}
    colour = torch.tensor([table[tuple(row)] for row in on.tolist()])
    return judge.predict(pixels.amax(1, keepdim=True)).argmax(1) * len(COLOURS) + colour


def counted(fit: Fitted, seed: int, quick: bool, n: int) -> tuple[int, float]:
    """Modes that have at least a tenth of their share of `n` samples, and the divergence KL(samples || uniform)."""
    pixels = torch.from_numpy(Renderer(fit, seed).rows(0, np.arange(n)))
    shares = torch.bincount(modes(pixels, quick), minlength=70).double() / n
    divergence = torch.special.xlogy(shares, shares * 70).sum().item()
    return int((shares >= 0.1 / 70).sum()), divergence


def study_r3gan(out: Path, seed: int, quick: bool) -> dict[str, float]:
    """Coloured digits without labels: 70 modes of equal share, and the vanilla GAN on the same images."""
    steps = 60 if quick else STEPS["r3gan"]
    images = coloured(judged.digits(SIZE, limit=1000, seed=seed), seed)
    n = 700 if quick else 7000
    figures: dict[str, float] = {}
    for recipe in ("r3gan", "dcgan", "gan"):
        fit = judged.fitted(images, out / f"run-{recipe}", recipe, steps, seed, conditional=False)
        found, divergence = counted(fit, seed, quick, n)
        figures |= {f"modes of 70, {recipe}": found, f"divergence from uniform, {recipe}": divergence}
        grid = sample_grid(fit.generator, fit.prior, 1, columns=120)[0].unflatten(0, (10, 12))
        tile(grid).save(out / ("grid.png" if recipe == "r3gan" else f"grid-{recipe}.png"))
    conditional = judged.fitted_digits("r3gan", out / "conditional", SIZE, steps, seed)
    return {**figures, **judged.agreement_and_diversity(conditional, SIZE, seed, quick)}


STUDIES = {
    "pggan": Study(
        study_pggan,
        f"mnist at {SIZE} px, {STEPS['pggan']} steps",
        "Digits on command; growth leaves both networks' functions unchanged at the moment when it happens.",
        aims={
            "agreement": (">=", 0.9),
            "largest jump of a pixel at growth": ("<=", 1e-4),
            "largest jump of a score at growth": ("<=", 1e-3),
        },
    ),
    **{
        name: Study(
            partial(study_style, name),
            f"mnist at {SIZE} px, {STEPS[name]} steps",
            "Digits on command; interpolation is smoother in W than in Z (perceptual path length in a judge's "
            "features, same ends); with mixed styles, the slant of a digit comes from the coarse source.",
            aims={
                "agreement": (">=", 0.9),
                "path length in W over Z": ("<=", CHORD),
                "slant, correlation with the coarse source": (">=", 0.5),
            },
        )
        for name in ("stylegan", "stylegan2")
    },
    "biggan": Study(
        study_biggan,
        f"mnist at {SIZE} px, {STEPS['biggan']} steps",
        "Digits on command; a smaller truncation gives more agreement with the label and less diversity.",
        aims={
            "agreement": (">=", 0.9),
            "diversity, rank correlation with truncation": (">=", 1.0),
            "agreement, rank correlation with truncation": ("<=", -0.9),
        },
    ),
    "r3gan": Study(
        study_r3gan,
        f"mnist at {SIZE} px, digits in 7 colours without labels, {STEPS['r3gan']} steps",
        "All 70 modes (10 digits, 7 colours) are drawn, where the non-saturating GAN without penalties loses some.",
        aims={"modes of 70, r3gan": (">=", 70), "modes of 70, gan": ("<", 70), "agreement": (">=", 0.9)},
        expect=("modes of 70, r3gan", "modes of 70, gan", "modes of 70, dcgan", "agreement"),
    ),
}
