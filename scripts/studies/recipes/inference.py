"""What systems that infer can do, on MNIST at 16 px, 1,000 images a class (20 % of them held out).

bigan    is G(E(x)) nearer to x than to other images? what is a linear probe on E(x) worth with few labels? (The probe
         also on eurosat, at 16 px: raw pixels of digits, which lie straight and centred, are hard to beat.)
infogan  do the one-hot codes follow the digits that nobody named? does a continuous code move one trait one way?
aae      are codes distributed like the prior? does a moving code change the style and keep the class?
vae      does the evidence lower bound rise? are the digits drawn that are asked for?

All figures are taken on test images, or on samples, that played no part in training. The judge is a classifier trained
on 10,000 real images.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import kstest, spearmanr
from torch import Tensor

from ganaug.classifier.small import Classifier, Training
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.spec import ImageCodec
from ganaug.evaluation.probing.probes import probe
from ganaug.evaluation.probing.table import features
from ganaug.fitting.doctor.history import read_history
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.samples.pictures import sample_grid, tile
from scripts.studies.lib.drawing import figure
from scripts.studies.lib.facts import image_set
from scripts.studies.recipes import judged
from scripts.studies.recipes.judged import Study

SIZE = 16
STEPS = {"bigan": 3000, "bigan-land": 2000, "infogan": 4000, "aae": 2000, "aae-plain": 2000, "vae": 2000}


@cache
def known(quick: bool) -> LabelledImages:
    """Digits to train on."""
    return judged.digits(SIZE, limit=30 if quick else 1000)


@cache
def tests(quick: bool) -> LabelledImages:
    return judged.digits(SIZE, split="test", limit=20 if quick else 200)


def land(split: str) -> LabelledImages:
    return load_images(image_set("eurosat"), split=split, size=SIZE)


def fitted(
    out: Path, seed: int, quick: bool, name: str, images: LabelledImages | None = None, **options: Any
) -> Fitted:
    """A run of the recipe that the name begins with, on digits if nothing else is given."""
    images, steps = known(quick) if images is None else images, 20 if quick else STEPS[name]
    return judged.fitted(images, out / name, name.split("-")[0], steps, seed, **options)


@torch.inference_mode()
def encoded(run: Fitted, pixels: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and log variance of the codes (N, D). y: labels (N,), for an encoder that wants them."""
    return run.networks["encoder"](
        ImageCodec.encode(pixels), torch.zeros(len(pixels), dtype=torch.int64) if y is None else y
    )


@torch.inference_mode()
def drawn(run: Fitted, z: Tensor, y: Tensor | None = None) -> Tensor:
    """uint8 (N, C, H, W)."""
    return ImageCodec.decode(run.generator(z, torch.zeros(len(z), dtype=torch.int64) if y is None else y))


def pairs_picture(real: Tensor, made: Tensor, file: Path) -> None:
    """Ten images in the upper row, what came back of each below."""
    tile(torch.stack([real[:10], made[:10]]), names=("x", "G(E(x))")).save(file)


PROBED = {"encoder": "E(x)", "encoder-penultimate": "E's last hidden layer", "discriminator": "D(x, E(x))"}


def probes(run: Fitted, seen: LabelledImages, test: LabelledImages, counts: tuple[int, ...]) -> dict[str, float]:
    """Mean accuracies of the linear probe with few labels, on pixels and on parts of the run, and their gains."""
    figures = {}
    for part, name in PROBED.items():
        for found in probe(features(run, seen, part=part), features(run, test, part=part), counts=counts):
            value, pixels = float(np.mean(found.features)), float(np.mean(found.pixels))
            figures[f"probe on pixels, {found.labels} labels a class"] = pixels
            figures[f"probe on {name}, {found.labels} labels a class"] = value
            figures[f"gain of {name}, {found.labels} labels a class"] = value - pixels
    return figures


def study_bigan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    run, test = fitted(out, seed, quick, "bigan"), tests(quick)
    back = drawn(run, encoded(run, test.pixels)[0])
    distances = torch.cdist(back.flatten(1).float(), test.pixels.flatten(1).float())
    own = distances.diagonal()
    farther = (distances > own[:, None]).float().sum(1) / (len(own) - 1)
    among = torch.stack([torch.randperm(len(own), generator=torch_stream(seed, "others", i))[:99] for i in range(99)])
    nearest = (torch.gather(distances[:99], 1, among) >= own[:99, None]).all(1).float().mean()
    first = torch.stack([torch.nonzero(test.labels == c)[0, 0] for c in range(10)])
    pairs_picture(test.pixels[first], back[first], out / "pairs.png")
    tile(sample_grid(run.generator, run.prior, 1, columns=40).unflatten(1, (4, 10))[0]).save(out / "grid.png")
    seen = land("train")
    there = fitted(out, seed, quick, "bigan-land", images=seen)
    tile(sample_grid(there.generator, there.prior, 1, columns=40).unflatten(1, (4, 10))[0]).save(out / "land.png")
    on_digits = probes(run, known(quick), test, (5,) if quick else (10, 50, 200))
    on_land = probes(there, seen, land("test"), (5,) if quick else (10, 50))
    return {
        "share of other images farther from G(E(x)) than x": float(farther.mean()),
        "x is the nearest of 100 images to G(E(x))": float(nearest),
        **{f"digits: {name}": value for name, value in on_digits.items()},
        **{f"eurosat: {name}": value for name, value in on_land.items()},
    }


def sweeps(run: Fitted, code: int, lines: int, seed: int, places: int = 11) -> Tensor:
    """uint8 (lines, places, C, H, W): one uniform code moved from -1 to 1, all else of a latent as it was drawn."""
    z = run.prior.draw(lines, torch_stream(seed, "sweeps")).repeat_interleave(places, 0)
    z[:, run.prior.width - run.prior.uniform + code] = torch.linspace(-1, 1, places).repeat(lines)
    return drawn(run, z).unflatten(0, (lines, places))


def monotone(images: Tensor, trait: str) -> np.ndarray:
    """Spearman correlation of place and trait along each line (lines,)."""
    ink = images.flatten(0, 1).float().mean(1) / 255
    values = judged.traits(ink)[trait].reshape(images.shape[:2]).numpy()
    return np.array([spearmanr(np.arange(images.shape[1]), line).statistic for line in values + 0.0])


def study_infogan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    run, test = fitted(out, seed, quick, "infogan"), tests(quick)
    (count,) = run.prior.categories
    found = features(run, test)
    codes, labels = found.values[:, :count].argmax(1), found.labels
    accuracy, digit_of = matched(codes, labels, count)
    shuffled, _ = matched(np.random.default_rng(seed).permutation(codes), labels, count)
    # Which code moves which trait is chosen on one half of the lines and measured on the other.
    lines = 20 if quick else 200
    by_pair = {(c, t): monotone(sweeps(run, c, lines, seed), t) for c in range(2) for t in ("slant", "width", "weight")}
    chosen, trait = max(by_pair, key=lambda pair: abs(np.nanmean(by_pair[pair][: lines // 2])))
    with torch.inference_mode():
        z = run.prior.draw(10, torch_stream(seed, "rows")).repeat(count, 1)
        z[:, run.prior.dim : run.prior.dim + count] = torch.eye(count).repeat_interleave(10, 0)
    names = tuple(f"code {k}: {digit_of.get(k, '-')}" for k in range(count))
    tile(drawn(run, z).unflatten(0, (count, 10)), names=names).save(out / "grid.png")
    for code in range(2):
        tile(sweeps(run, code, 10, seed + 1)).save(out / f"sweep-code-{code + 1}.png")
    return {
        "accuracy of codes, best matching": accuracy,
        "the same of shuffled codes": shuffled,
        "trait that a continuous code moves": f"{trait} (code {chosen + 1})",
        "its Spearman along a line, mean": abs(float(np.nanmean(by_pair[chosen, trait][lines // 2 :]))),
    }


def matched(codes: np.ndarray, labels: np.ndarray, count: int) -> tuple[float, dict[int, int]]:
    """Accuracy of codes under the best matching of codes and digits, and the matching."""
    table = np.zeros((count, 10))
    np.add.at(table, (codes, labels), 1)
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum() / table.sum()), dict(zip(rows.tolist(), columns.tolist(), strict=True))


@cache
def the_judge(quick: bool) -> tuple[Classifier, float]:
    """A classifier of real digits, and its accuracy on the test images."""
    return judged.judge_from(known(quick), tests(quick), Training(steps=20 if quick else 1000))


def likeness_to_prior(code: np.ndarray) -> dict[str, float]:
    """Of codes (N, D): how far moments are from those of independent standard normals, and the largest KS distance of
    a coordinate (0.03 is what 2,000 exact draws give)."""
    covariance = np.cov(code.T)
    return {
        "largest |mean| of a code": float(np.abs(code.mean(0)).max()),
        "largest deviation from unit covariance": float(np.abs(covariance - np.eye(len(covariance))).max()),
        "largest KS distance of a code": max(float(kstest(column, "norm").statistic) for column in code.T),
    }


def on_command(run: Fitted, out: Path, seed: int, quick: bool) -> dict[str, float]:
    """Samples of each class under the judge; rows of the picture share their latents."""
    judge, accuracy = the_judge(quick)
    y = torch.arange(10).repeat_interleave(20 if quick else 200)
    pixels = drawn(run, run.prior.draw(len(y), torch_stream(seed, "command")), y)
    tile(sample_grid(run.generator, run.prior, 10, columns=10), names=run.card.classes).save(out / "grid.png")
    return {**judged.figures(judge, pixels, y, tests(quick)), "accuracy of the judge": accuracy}


def study_aae(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    run, test = fitted(out, seed, quick, "aae"), tests(quick)
    code = encoded(run, test.pixels)[0]
    figures = likeness_to_prior(code.numpy()) | on_command(run, out, seed, quick)
    # One code a row, one label a column: style down, class across.
    z = torch.zeros(9, run.prior.width)
    z[:, 0] = torch.linspace(-2, 2, 9)
    y = torch.full((9,), 8)
    tile(torch.stack([drawn(run, z.roll(i, 1), y) for i in range(min(4, run.prior.width))])).save(out / "eights.png")
    plain = fitted(out, seed, quick, "aae-plain", conditional=False, latent=2, encoder_lr=1e-4)
    flat = encoded(plain, test.pixels)[0].numpy()
    figures |= {f"2-D, no labels: {name}": value for name, value in likeness_to_prior(flat).items()}
    _plane(plain, flat, test.labels.numpy(), out)
    return figures


def _plane(run: Fitted, code: np.ndarray, labels: np.ndarray, out: Path) -> None:
    """Where test images lie in the plane, and what the generator draws at its places (equal shares of the prior)."""
    with figure(out / "plane-codes.png", dpi=100, figsize=(6, 5.2)) as (whole, axes):
        dots = axes.scatter(*code.T, c=labels, cmap="tab10", s=6)
        axes.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xlabel="code 1", ylabel="code 2")
        whole.colorbar(dots, ticks=range(10), label="digit")
    places = torch.special.ndtri(torch.linspace(0.03, 0.97, 16))
    z = torch.cartesian_prod(places.flip(0), places).flip(1)
    tile(drawn(run, z).unflatten(0, (16, 16)), enlarge=2).save(out / "plane-samples.png")


def study_vae(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    run, test = fitted(out, seed, quick, "vae"), tests(quick)
    log = read_history(out / "vae").losses
    bound = [sum(value for name, value in line.items() if "/" in name) for line in log]
    tenth = max(1, len(bound) // 10)
    back = drawn(run, encoded(run, test.pixels, test.labels)[0], test.labels)
    first = torch.stack([torch.nonzero(test.labels == c)[0, 0] for c in range(10)])
    pairs_picture(test.pixels[first], back[first], out / "pairs.png")
    return {
        "minus the bound, first tenth of the steps": float(np.mean(bound[:tenth])),
        "minus the bound, last tenth": float(np.mean(bound[-tenth:])),
        "Spearman of step and minus the bound": float(spearmanr(range(len(bound)), bound).statistic),
        **on_command(run, out, seed, quick),
    }


STUDIES = {
    "bigan": Study(
        study_bigan,
        "MNIST (1,000 images a class) and eurosat (120 a class) at 16 px, labels not used",
        "Test images above what the generator makes of their codes; samples. Probes are logistic regressions.",
        aims={
            "share of other images farther from G(E(x)) than x": (">=", 0.9),
            **{
                f"{data}: gain of {part}, {labels} labels a class": (">", 0.0)
                for data in ("digits", "eurosat")
                for part in ("E(x)", "D(x, E(x))")
                for labels in (10, 50)
            },
        },
        expect=(
            "share of other images farther from G(E(x)) than x",
            *(f"{data}: gain of E(x), 10 labels a class" for data in ("digits", "eurosat")),
        ),
    ),
    "infogan": Study(
        study_infogan,
        "MNIST at 16 px, 1,000 images a class, labels not used; 2,000 test images",
        "One code a row (with the digit that it matches best); a continuous code moved from left to right.",
        aims={"accuracy of codes, best matching": (">=", 0.5), "its Spearman along a line, mean": (">=", 0.8)},
    ),
    "aae": Study(
        study_aae,
        "MNIST at 16 px, 1,000 images a class; 2,000 test images",
        "Samples on command; the label 8 with one code moved; without labels, the plane of a 2-D code.",
        aims={
            "largest KS distance of a code": ("<=", 0.1),
            "largest |mean| of a code": ("<=", 0.2),
            "largest deviation from unit covariance": ("<=", 0.3),
            "agreement": (">=", 0.9),
            "diversity": (">=", 0.3),
            "2-D, no labels: largest KS distance of a code": ("<=", 0.1),
        },
    ),
    "vae": Study(
        study_vae,
        "MNIST at 16 px, 1,000 images a class; 2,000 test images",
        "Samples on command; test images above what comes back of their codes.",
        aims={"Spearman of step and minus the bound": ("<=", -0.8), "agreement": (">=", 0.9)},
        expect=("minus the bound, last tenth", "agreement", "diversity"),
    ),
}
