"""What critics can do, on MNIST at 16 px, 1,000 images a class.

wgan     does its loss follow the distance of the samples from real images over a training, as a vanilla GAN's does not?
wgan_gp  digits on command; the slope of the critic
cramer   the same; the slope of its witness
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.spec import ImageCodec
from ganaug.game import Recipe, Round
from ganaug.game.train import Progress, train
from ganaug.keys import torch_stream
from ganaug.losses.energy import witness
from ganaug.losses.penalties import between, slopes
from ganaug.recipes import make
from ganaug.samples.pictures import sample_grid, tile
from scripts.studies.lib.drawing import figure
from scripts.studies.recipes import judged
from scripts.studies.recipes.judged import DIGITS, Study

SIZE = 16
LOOKS = 24  # at the samples, over a training of wgan
ITEMS = 500  # samples and real images of each look


def energy_distance(a: Tensor, b: Tensor) -> float:
    """Of two samples of flat images, in pixels of model space; 0 in the mean where they are alike."""
    n, m = len(a), len(b)
    within = torch.cdist(a, a).sum() / (n * (n - 1)) + torch.cdist(b, b).sum() / (m * (m - 1))
    return float(2 * torch.cdist(a, b).mean() - within)


def looks(recipe: Recipe, steps: int, seed: int, quick: bool) -> tuple[np.ndarray, np.ndarray, Progress]:
    """Over a training: minus the mean loss of the discriminator since the last look, and the distance of samples."""
    images = judged.digits(SIZE, limit=30 if quick else judged.TRAIN, seed=seed)
    test = judged.digits(SIZE, split="test", limit=ITEMS // 10)
    real = ImageCodec.encode(test.pixels).flatten(1)
    z = recipe.prior.draw(ITEMS, torch_stream(seed, "looks"))
    y = torch.arange(ITEMS) % 10
    every, losses, estimates, distances = steps // LOOKS, [], [], []
    for p in train(recipe, ClassBalancedBatches(images.pixels, images.labels, images.spec), steps=steps, seed=seed):
        if p.step:
            losses.append(next(iter(p.losses.values())))
        if p.step and p.step % every == 0:
            with torch.inference_mode():
                samples = p.averages()["generator"](z, y)
            estimates.append(-np.mean(losses[-every:]))
            distances.append(energy_distance(samples.flatten(1), real))
    return np.array(estimates), np.array(distances), p


def study_wgan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    """Both play with the same networks; the first look is left out: a critic that has just begun knows nothing."""
    steps = 48 if quick else 2400
    wgan = replace(make("wgan", {}), memory=0.0)
    vanilla = replace(wgan, players=make("dcgan", {}).players)
    figures: dict[str, float | str] = {}
    with figure(out / "loss.png", 1, 2, figsize=(8, 3), layout="constrained") as (_, axes):
        for ax, name, recipe in zip(axes, ("wgan", "vanilla"), (wgan, vanilla), strict=True):
            estimates, distances, end = looks(recipe, steps, seed, quick)
            figures[f"Spearman, {name}"] = float(spearmanr(estimates[1:], distances[1:]).statistic)
            figures[f"last distance, {name}"] = float(distances[-1])
            ax.plot(estimates[1:], distances[1:], ".-", lw=0.5)
            ax.annotate("end", (estimates[-1], distances[-1]))
            ax.set(title=name, xlabel="minus the loss of the discriminator", ylabel="energy distance to real images")
            grid = sample_grid(end.averages()["generator"], recipe.prior, 10, columns=12, seed=seed)
            tile(grid, names=tuple("0123456789")).save(out / ("grid.png" if name == "wgan" else "vanilla.png"))
    return figures


def slope_of(out: Path, name: str, seed: int, steps: int, value: Callable[[Round, Tensor], Tensor]) -> float:
    """The mean slope of a critic after `steps` rounds, at points between real images and samples."""
    images = judged.digits(SIZE, limit=100, seed=seed)
    recipe, batches = make(name, {}), ClassBalancedBatches(images.pixels, images.labels, images.spec)
    *_, end = train(recipe, batches, steps=steps, seed=seed)
    nets = recipe.networks(images.spec, recipe.prior)
    judged.load_trained(nets, end.state(), "generator", "discriminator")
    rng = torch_stream(seed, "slopes")
    with torch.no_grad():
        r = recipe.wiring(nets, batches.draw(200, rng), recipe.prior.draw(200, rng), rng)
        r.fake  # noqa: B018 (without a graph)
    points = between(r)
    return slopes(value(r, r.score(points)), points).sqrt().mean().item()


def study_wgan_gp(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    fitted = judged.fitted_digits("wgan_gp", out, SIZE, 6 if quick else 1800, seed)
    slope = slope_of(out, "wgan_gp", seed, 6 if quick else 200, lambda r, scores: scores)
    return judged.agreement_and_diversity(fitted, SIZE, seed, quick) | {"slope of the critic": slope}


def study_cramer(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    fitted = judged.fitted_digits("cramer", out, SIZE, 6 if quick else 1200, seed)
    slope = slope_of(out, "cramer", seed, 6 if quick else 200, witness)
    return judged.agreement_and_diversity(fitted, SIZE, seed, quick) | {"slope of the witness": slope}


STUDIES = {
    "wgan": Study(
        study_wgan,
        DIGITS,
        "Whether the loss of the critic follows the energy distance (in pixels) of samples from real images "
        "over a training; beside it the same networks with the vanilla loss.",
        aims={"Spearman, wgan": (">=", 0.7), "Spearman, vanilla": ("<", 0.7)},
    ),
    "wgan_gp": Study(
        study_wgan_gp,
        DIGITS,
        "Digits on command, and the slope of the critic between real images and samples, which should be 1.",
        aims={"agreement": (">=", 0.8), "slope of the critic": ("within 0.2 of", 1.0)},
        expect=("agreement", "diversity", "slope of the critic"),
    ),
    "cramer": Study(
        study_cramer,
        DIGITS,
        "Digits on command, and the slope of the witness between real images and samples, which should be 1.",
        aims={"agreement": (">=", 0.8), "slope of the witness": ("within 0.2 of", 1.0)},
        expect=("agreement", "diversity", "slope of the witness"),
    ),
}
