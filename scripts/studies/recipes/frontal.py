"""tpgan: digits that are seen from aside are turned to the front. Both views are drawn here: a digit on a plane, turned
aside by 30 to 60 degrees and up- or downwards by up to 20, in perspective."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganaug.classifier.small import Training
from ganaug.data.load import LabelledImages
from ganaug.data.spec import ImageCodec
from ganaug.keys import torch_stream
from scripts.studies.recipes.judged import Study, digits, fitted, judge_from
from scripts.studies.recipes.translation import answers, picture, sharpness

SIZE = 28
STEPS = 500
TRAIN, TEST, JUDGE = 200, 60, 1500  # pictures of each digit
FAR = 3.0  # from the eye to the plane, in halves of its side
TRIED: dict[str, tuple[str, dict[str, Any]]] = {  # in words: recipe, settings
    "tpgan": ("tpgan", {}),
    "without symmetry": ("tpgan", {"symmetry_weight": 0.0}),
    "pix2pix": ("pix2pix", {}),
}


def angles(n: int, least: float, most: float, rng: torch.Generator) -> Tensor:
    """So many degrees to either side, in radians, (n,)."""
    sides = torch.where(torch.rand(n, generator=rng) < 0.5, -1.0, 1.0)
    return sides * torch.deg2rad(least + (most - least) * torch.rand(n, generator=rng))


def seen_from_aside(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """uint8 (N, C, H, W) -> the same, turned, in perspective, on black."""
    n = len(pixels)
    yaw, pitch, nothing = angles(n, 30, 60, rng), angles(n, 0, 20, rng), torch.zeros(n)
    rows = [
        [yaw.cos(), nothing, nothing],
        [yaw.sin() * pitch.sin(), pitch.cos(), nothing],
        [-yaw.sin() * pitch.cos() / FAR, pitch.sin() / FAR, torch.ones(n)],
    ]  # a point of the plane -> where it is seen, and the third, by which both are divided
    back = torch.linalg.inv(torch.stack([torch.stack(row, 1) for row in rows], 1))
    seen = F.affine_grid(torch.eye(2, 3).expand(n, 2, 3), list(pixels.shape), align_corners=False)
    seen = torch.cat([seen, torch.ones(*seen.shape[:3], 1)], 3)
    points = torch.einsum("nij,nhwj->nhwi", back, seen)
    turned = F.grid_sample(pixels.float(), points[..., :2] / points[..., 2:], align_corners=False)
    return turned.round().to(torch.uint8)


def pairs(split: str, limit: int, seed: int) -> LabelledImages:
    """Digits, each with what is seen of it from aside as its pair."""
    images = digits(SIZE, split=split, limit=limit, seed=seed)
    return replace(images, pairs=seen_from_aside(images.pixels, torch_stream(seed, "aside", split)))


def found_again(made: Tensor, real: Tensor, y: Tensor) -> float:
    """Share of features whose nearest ones, among those of real images of their class, are their own image's."""
    distances = torch.cdist(made, real).masked_fill(y[:, None] != y[None], math.inf)
    return float((distances.argmin(1) == torch.arange(len(y))).float().mean())


def study_tpgan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    train, test = pairs("train", 40 if quick else TRAIN, seed), pairs("test", 6 if quick else TEST, seed)
    plenty = digits(SIZE, limit=60 if quick else JUDGE)
    judge, right = judge_from(plenty, test, Training(steps=60 if quick else 400, augmentation="affine"))
    assert test.pairs is not None
    x, s, y = ImageCodec.encode(test.pixels), ImageCodec.encode(test.pairs), test.labels
    rows, real = [s], judge.features(test.pixels)

    def judged(pixels: Tensor) -> tuple[float, float]:
        says = judge.predict(pixels).argmax(1) == y
        return float(says.float().mean()), found_again(judge.features(pixels), real, y)

    said, again = judged(test.pairs)
    figures: dict[str, float | str] = {
        "L1, seen from aside": float((s - x).abs().mean()),
        "the judge says its digit, real pictures": right,
        "the judge says its digit, seen from aside": said,
        "nearest of its class to its own picture, seen from aside": again,
    }
    errors = {}
    for name, (recipe, options) in TRIED.items():
        fit = fitted(train, out / name.replace(" ", "-"), recipe, 12 if quick else STEPS, seed, **options)
        fake = answers(fit.networks, fit, s, y, seed, "study")
        errors[name] = float((fake - x).abs().mean())
        said, again = judged(ImageCodec.decode(fake))
        figures |= {
            f"L1, {name}": errors[name],
            f"the judge says its digit, {name}": said,
            f"nearest of its class to its own picture, {name}": again,
            f"sharpness over that of real pictures, {name}": sharpness(fake) / sharpness(x),
        }
        rows.append(fake)
    figures["L1 over that of pix2pix"] = errors["tpgan"] / errors["pix2pix"]
    figures["L1 over that of pix2pix, without symmetry"] = errors["without symmetry"] / errors["pix2pix"]
    shown = torch.arange(0, len(y), max(len(y) // 10, 1))
    picture([row[shown] for row in [*rows, x]], out / "grid.png")
    return figures


STUDIES = {
    "tpgan": Study(
        study_tpgan,
        f"mnist, {TRAIN} of each digit at {SIZE} px, seen from aside; {STEPS} steps",
        "Digits on a plane, turned aside by 30 to 60 degrees, are turned to the front; these pictures were not trained "
        "on. pix2pix plays as many steps on the same pairs. All are told which digit it is, so more is asked: "
        "of how many pictures the nearest one in the judge's features, among the real ones of their "
        "class, is their own. Digits are not symmetric, as faces are, and the symmetry costs; it is measured without "
        "it, too. Rows of the picture: from aside, tpgan, without symmetry, pix2pix, real.",
        aims={
            "L1 over that of pix2pix": ("<", 1),
            "L1 over that of pix2pix, without symmetry": ("<", 1),
            "the judge says its digit, tpgan": (">=", 0.9),
        },
    )
}
