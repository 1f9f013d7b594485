"""What the first systems can do.

gan        on MNIST: loss curves and a grid every so often, and the losses that it ends with
dcgan      digits on command; a walk through latent space, latent arithmetic, what discriminator features respond to
cgan       digits on command
unrolled   eight Gaussians on a ring: how many of them are met, with and without foresight
minibatch  numbers from a normal distribution: how much of their spread is kept, with and without the layer
"""

from __future__ import annotations

from dataclasses import replace
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
from ganaug.samples.pictures import latent_walk, sample_grid, tile
from scripts.studies.lib.drawing import figure
from scripts.studies.recipes import judged, toys
from scripts.studies.recipes.judged import DIGITS, Study

SIZE = 16  # px of the digits of dcgan and cgan
ARTICLE = {"width": 256, "depth": 3, "norm": True, "latent": 128, "batch": 128, "conditional": False}
MOMENTS = 6  # grids over a training of gan


def study_gan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    """The networks of a published walk-through (three layers, batch norm, Adam 2e-4 with beta1 0.5) on 28 px digits.

    Losses are binary cross-entropies, that of the discriminator averaged over its real and its fake half. The ranges
    are those of two articles: a discriminator near 0.5 to 0.8, a generator near 0.8 to 1.5.
    """
    steps = 48 if quick else 3000
    images = judged.digits(28, limit=100 if quick else 4000).unlabelled()
    curves: dict[str, list[tuple[float, float]]] = {}
    for kind, saturating in (("non-saturating", False), ("minimax", True)):
        recipe = make("gan", {**ARTICLE, "saturating": saturating})
        length = steps if not saturating else steps // 4
        grids, curve = [], []
        for p in train(
            recipe, ClassBalancedBatches(images.pixels, images.labels, images.spec), steps=length, seed=seed
        ):
            if p.step:
                d, g = p.losses.values()
                curve.append((d / 2, g))
            if p.step % (length // MOMENTS) == 0:
                grids.append(sample_grid(p.averages()["generator"], recipe.prior, 1, columns=12, seed=seed)[0])
        curves[kind] = curve
        name = "grid.png" if not saturating else "minimax.png"
        tile(torch.stack(grids), names=tuple(f"{i * (length // MOMENTS)}" for i in range(len(grids)))).save(out / name)
    _draw_curves(out / "losses.png", curves)
    d, g = np.array(curves["non-saturating"][-steps // 4 :]).mean(0)
    return {
        "loss of the discriminator, last quarter (articles: 0.5 to 0.8)": float(d),
        "loss of the generator, last quarter (articles: 0.8 to 1.5)": float(g),
        "minimax: loss of the discriminator at its end": float(np.mean([a for a, _ in curves["minimax"][-50:]])),
    }


def _draw_curves(file: Path, curves: dict[str, list[tuple[float, float]]]) -> None:
    with figure(file, 1, len(curves), figsize=(9, 3), layout="constrained") as (_, axes):
        for ax, (kind, curve) in zip(axes, curves.items(), strict=True):
            d, g = np.array(curve).T
            ax.plot(d, lw=0.6, label="discriminator")
            ax.plot(g, lw=0.6, label="generator")
            ax.set(title=kind, xlabel="round", ylabel="cross-entropy")
            ax.legend(frameon=False)


def study_cgan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    fitted = judged.fitted_digits("cgan", out, SIZE, 20 if quick else 6000, seed)
    return judged.agreement_and_diversity(fitted, SIZE, seed, quick)


def study_dcgan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    fitted = judged.fitted_digits("dcgan", out, SIZE, 20 if quick else 2500, seed)
    walk = latent_walk(fitted.generator, fitted.prior, 10, frames=12, stops=3, seed=seed)
    tile(walk.transpose(0, 1), names=fitted.card.classes).save(out / "walk.png")
    figures = judged.agreement_and_diversity(fitted, SIZE, seed, quick)
    figures |= latent_arithmetic(fitted, out / "arithmetic.png", seed)
    feature_responses(out / "features.png", 20 if quick else 600, seed)
    return figures


def weight_and_slant(images: Tensor) -> tuple[Tensor, Tensor]:
    """Of images (N, 1, H, W) in [-1, 1]."""
    found = judged.traits(images[:, 0].add(1).div(2).clamp(0, 1))
    return found["weight"], found["slant"]


@torch.inference_mode()
def latent_arithmetic(fitted: Fitted, file: Path, seed: int) -> dict[str, float | str]:
    """Bold upright - thin upright + thin leaning, each the mean of three latents, as with faces in the paper.

    The figures are the shares of digits for which the result is bolder than the thin leaning one, and leans more than
    the bold upright one.
    """
    z = fitted.prior.draw(400, torch_stream(seed, "arithmetic"))
    rows, bolder, leaning = [], [], []
    for label in range(10):
        y = torch.full((len(z),), label)
        ink, lean = weight_and_slant(fitted.generator(z, y))
        bold, slanted = (ink - ink.mean()) / ink.std(), (lean - lean.mean()) / lean.std()
        parts = [z[(a * bold + b * slanted).topk(3).indices].mean(0) for a, b in ((1, -1), (-1, -1), (-1, 1))]
        result = parts[0] - parts[1] + parts[2]
        images = fitted.generator(torch.stack([*parts, result]), y[:4])
        ink, lean = weight_and_slant(images)
        bolder.append(bool(ink[3] > ink[2]))
        leaning.append(bool(lean[3] > lean[0]))
        rows.append(ImageCodec.decode(images))
    tile(torch.stack(rows), names=fitted.card.classes).save(file)
    return {
        "arithmetic: share of digits that became bolder": float(np.mean(bolder)),
        "arithmetic: share of digits that lean more": float(np.mean(leaning)),
    }


def feature_responses(file: Path, steps: int, seed: int, features: int = 8, shown: int = 10) -> None:
    """For features of the discriminator's last convolution: the digits that they respond to most, and under each the
    slope of the response in its pixels, positive parts only on the way back (guided backpropagation)."""
    images = judged.digits(SIZE, limit=100).unlabelled()
    recipe = make("dcgan", {"conditional": False})
    batches = ClassBalancedBatches(images.pixels, images.labels, images.spec)
    *_, end = train(recipe, batches, steps=steps, seed=seed)
    networks = recipe.networks(images.spec, recipe.prior)
    judged.load_trained(networks, end.state(), "discriminator")
    discriminator = networks["discriminator"].eval()
    for module in discriminator.modules():
        if isinstance(module, nn.LeakyReLU):
            module.register_full_backward_hook(lambda module, into, out: (into[0].clamp(min=0),))
    x = ImageCodec.encode(images.pixels).requires_grad_()
    y = torch.zeros(len(x), dtype=torch.long)
    label = discriminator.embedding(y).view(-1, 1, *x.shape[2:])
    responses = discriminator.layers(torch.cat([x, label], 1)).amax((2, 3))  # (N, features)
    rows = []
    for feature in responses.var(0).topk(features).indices.tolist():
        best = responses[:, feature].topk(shown).indices
        (slope,) = torch.autograd.grad(responses[best, feature].sum(), x, retain_graph=True)
        slope = slope[best] / slope[best].abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
        rows += [images.pixels[best], ImageCodec.decode(slope)]
    tile(torch.stack(rows)).save(file)


def study_unrolled(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    """The figure of the paper: samples over time, above with foresight, below without."""
    rounds = 30 if quick else toys.RING_ROUNDS
    figures: dict[str, float | str] = {}
    shots = {}
    for steps in (toys.FORESIGHT, 0):
        met, shots[steps] = toys.ring(steps, rounds, seed)
        figures[f"modes met of 8, {steps} steps ahead"] = float(met)
    toys.draw_ring(out / "ring.png", shots)
    return figures


def study_minibatch(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    """Numbers from N(4, 0.5): the spread of samples over that of the data, at the end."""
    rounds = 30 if quick else 1500
    figures: dict[str, float | str] = {}
    drawn = {}
    for name in ("minibatch", "gan"):
        recipe = replace(toys.line_recipe(name, layers=1), memory=0.0)
        drawn[name] = toys.play_line(recipe, toys.normal(4, 0.5), rounds, seed)
        figures[f"spread kept, {name}"] = float(drawn[name].std() / 0.5)
        figures[f"distance, {name}"] = toys.line_distance(drawn[name], toys.normal(4, 0.5))
    toys.draw_line(out / "line.png", drawn, toys.normal(4, 0.5))
    return figures


STUDIES = {
    "gan": Study(
        study_gan,
        "MNIST, 28 px",
        "Losses and samples over a training without labels, with both losses of the generator.",
        expect=(
            "loss of the discriminator, last quarter (articles: 0.5 to 0.8)",
            "loss of the generator, last quarter (articles: 0.8 to 1.5)",
        ),
    ),
    "dcgan": Study(
        study_dcgan,
        DIGITS,
        "Digits on command; a walk through latent space; bold upright - thin upright + thin leaning (columns "
        "1 to 3) = bold leaning (column 4); what features of the discriminator respond to.",
        aims={"agreement": (">=", 0.9)},
        expect=("agreement", "diversity"),
    ),
    "cgan": Study(
        study_cgan, DIGITS, "Each digit on command.", aims={"agreement": (">=", 0.9)}, expect=("agreement", "diversity")
    ),
    "unrolled": Study(
        study_unrolled,
        "eight Gaussians on a ring",
        "How many of eight Gaussians the samples meet, with and without foresight.",
        aims={f"modes met of 8, {toys.FORESIGHT} steps ahead": (">=", 8), "modes met of 8, 0 steps ahead": ("<", 8)},
    ),
    "minibatch": Study(
        study_minibatch,
        "numbers from a normal distribution",
        "How much of the spread of the data the samples keep, with and without the layer.",
        aims={"spread kept, minibatch": (">=", 0.7), "spread kept, gan": ("<", 0.7)},
    ),
}
