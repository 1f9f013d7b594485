"""BigGAN and R3GAN on digits: truncation, and modes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

import ganaug
from ganaug.data.load import LabelledImages
from ganaug.data.spec import ImageCodec
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.samples.pictures import sample_grid, tile
from ganaug.samples.pool import render
from scripts.studies.recipes.judged import agreement_and_diversity, digits, fitted_digits, judge_of

SIZE = 16  # px
STEPS = {"biggan": 1500, "r3gan": 4000}
TRUNCATIONS = (0.2, 0.5, 1.0, 1.5)
COLOURS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))


def study_biggan(out: Path, seed: int, quick: bool) -> dict[str, float]:
    """Agreement and diversity at several truncations; their rank correlations with the truncation."""
    fitted = fitted_digits("biggan", out, SIZE, 60 if quick else STEPS["biggan"], seed)
    figures, rows = {}, []
    for bound in (*TRUNCATIONS, None):
        found = agreement_and_diversity(fitted, SIZE, seed, quick, bound)
        rows.append(found)
        of = "" if bound is None else f" at truncation {bound:g}"
        figures |= {f"{name}{of}": value for name, value in found.items()}
    order = list(range(len(rows)))
    figures["diversity, rank correlation with truncation"] = _rank(order, [r["diversity"] for r in rows])
    figures["agreement, rank correlation with truncation"] = _rank(order, [r["agreement"] for r in rows])
    grids = [
        sample_grid(fitted.generator, fitted.prior, 10, columns=12, truncation=bound)[3]
        for bound in (*TRUNCATIONS, None)
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
    return replace(images, pixels=pixels, codec=ImageCodec("RGB", images.codec.size))


def modes(pixels: Tensor, quick: bool) -> Tensor:
    """Digit (by a judge of real digits) and colour (channels of at least half the ink of the strongest) of coloured
    digits, as one number in 0..69; a colour that is none of the seven cannot occur. pixels: uint8 (N, 3, H, W)."""
    judge, _ = judge_of(SIZE, quick)
    ink = pixels.float().mean((2, 3))
    on = (ink >= 0.5 * ink.amax(1, keepdim=True)).long()
    table = {colour: index for index, colour in enumerate(COLOURS)}
    colour = torch.tensor([table[tuple(row)] for row in on.tolist()])
    return judge.predict(pixels.amax(1, keepdim=True)).argmax(1) * len(COLOURS) + colour


def counted(fitted: Fitted, seed: int, quick: bool, n: int) -> tuple[int, float]:
    """Modes that have at least a tenth of their share of `n` samples, and the divergence KL(samples || uniform)."""
    pixels = torch.from_numpy(render(fitted, 0, np.arange(n), seed))
    shares = torch.bincount(modes(pixels, quick), minlength=70).double() / n
    divergence = torch.special.xlogy(shares, shares * 70).sum().item()
    return int((shares >= 0.1 / 70).sum()), divergence


def study_r3gan(out: Path, seed: int, quick: bool) -> dict[str, float]:
    """Coloured digits without labels: 70 modes of equal share, and the vanilla GAN on the same images."""
    steps = 60 if quick else STEPS["r3gan"]
    images = coloured(digits(SIZE, limit=1000, seed=seed), seed)
    n = 700 if quick else 7000
    figures: dict[str, float] = {}
    for recipe, options in [(name, {"conditional": False}) for name in ("r3gan", "dcgan", "gan")]:
        run = ganaug.fit(
            images, out / f"run-{recipe}", recipe=recipe, options=options, steps=steps, seed=seed, resume=True
        )
        fitted = run.load()
        found, divergence = counted(fitted, seed, quick, n)
        figures |= {f"modes of 70, {recipe}": found, f"divergence from uniform, {recipe}": divergence}
        grid = sample_grid(fitted.generator, fitted.prior, 1, columns=120)[0].unflatten(0, (10, 12))
        tile(grid).save(out / ("grid.png" if recipe == "r3gan" else f"grid-{recipe}.png"))
    conditional = fitted_digits("r3gan", out / "conditional", SIZE, steps, seed)
    return {**figures, **agreement_and_diversity(conditional, SIZE, seed, quick)}


STUDIES = {
    "biggan": {
        "run": study_biggan,
        "data": f"mnist at {SIZE} px, {STEPS['biggan']} steps",
        "what": "Digits on command; a smaller truncation gives more agreement with the label and less diversity.",
        "aims": {
            "agreement": (">=", 0.9),
            "diversity, rank correlation with truncation": (">=", 1.0),
            "agreement, rank correlation with truncation": ("<=", -0.9),
        },
    },
    "r3gan": {
        "run": study_r3gan,
        "data": f"mnist at {SIZE} px, digits in 7 colours without labels, {STEPS['r3gan']} steps",
        "what": "All 70 modes (10 digits, 7 colours) are drawn, where the non-saturating GAN without penalties loses "
        "some.",
        "aims": {"modes of 70, r3gan": (">=", 70), "modes of 70, gan": ("<", 70), "agreement": (">=", 0.9)},
        "expect": ("modes of 70, r3gan", "modes of 70, gan", "modes of 70, dcgan", "agreement"),
    },
}
