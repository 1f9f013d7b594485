"""Recipes that start from an image: what they make of images that they never saw.

pix2pix          masks of white blood cells, and of defects on magnetic tiles, become pictures
cyclegan         threes become eights and back; healthy chests become ill ones and back
context_encoder  rectangular holes in clothes are filled
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ganaug.classifier.small import Training, train_classifier
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.spec import ImageCodec
from ganaug.game import Recipe
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from ganaug.losses import likeness
from ganaug.recipes import make
from ganaug.samples.pictures import tile
from ganaug.samples.variants import starting_points, translation_grid
from scripts.studies.lib.facts import image_set
from scripts.studies.recipes.judged import Study, fitted

SIZE = 32  # px, of pairs
STEPS = {"pix2pix": 1000, "tiles": 400, "cyclegan": 1000, "chests": 700, "context_encoder": 2000}
SHOWN = 10  # columns of a picture
PAIRS = {"digits": ("3", "8"), "chests": ("normal", "pneumonia")}


def data(name: str, **how: object) -> LabelledImages:
    """A set of GANAUG_DATA."""
    return load_images(image_set(name), **how)  # type: ignore[arg-type]


def sharpness(x: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels."""
    return float((x.diff(dim=-1).abs().mean() + x.diff(dim=-2).abs().mean()) / 2)


@torch.no_grad()
def answers(networks: Mapping[str, nn.Module], fit: Fitted, given: Tensor, y: Tensor, *key: int | str) -> Tensor:
    """What the generator makes of encoded sources, (N, C, H, W) in [-1, 1]."""
    rng = torch_stream(*key)
    z = fit.prior.draw(len(given), rng)
    source = starting_points(networks, given, rng)
    parts = [networks["generator"](*part) for part in zip(source.split(64), z.split(64), y.split(64), strict=True)]
    return torch.cat(parts)


def picture(columns: list[Tensor], file: Path) -> None:
    """Rows of encoded images, one row for each tensor."""
    depth = max(column.shape[1] for column in columns)
    cells = [ImageCodec.decode(column[:SHOWN].expand(-1, depth, -1, -1)) for column in columns]
    tile(torch.stack(cells)).save(file)


def likeness_alone() -> Recipe:
    """pix2pix without its discriminator: the likeness is all that counts."""
    whole = make("pix2pix", {})
    return replace(whole, players=(replace(whole.players[1], loss=100.0 * likeness),))


def study_pix2pix(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    figures: dict[str, float | str] = {}
    for name, key, size in (("pairs_wbc", "pix2pix", SIZE), ("pairs_magnetic_tile", "tiles", SIZE)):
        steps = 12 if quick else STEPS[key]
        train, test = (data(name, split=part, size=size, at_least=0) for part in ("train", "test"))
        used = [c for c, n in enumerate(train.counts().values()) if n > 1]
        train, test = only(train, used), only(test, used)
        full = fitted(train, out / key, "pix2pix", steps, seed)
        alone = fitted(train, out / f"{key}-l1", f"{__file__}:likeness_alone", steps, seed, likeness_alone())
        assert test.pairs is not None
        x, s, y = ImageCodec.encode(test.pixels), ImageCodec.encode(test.pairs), test.labels
        fake, other = (answers(full.networks, full, s, y, seed, "study", i) for i in (0, 1))
        plain = answers(alone.networks, alone, s, y, seed, "study", 0)
        means = torch.stack([ImageCodec.encode(train.pixels[train.labels == c]).mean(0) for c in range(len(used))])[y]
        real, what = sharpness(x), name.removeprefix("pairs_")
        figures |= {
            f"{what}: held-out L1": float((fake - x).abs().mean()),
            f"{what}: L1 of the class's mean image": float((means - x).abs().mean()),
            f"{what}: L1 of training with L1 alone": float((plain - x).abs().mean()),
            f"{what}: L1 over that of the mean image": float((fake - x).abs().mean() / (means - x).abs().mean()),
            f"{what}: sharpness over that of real images": sharpness(fake) / real,
            f"{what}: the same with L1 alone": sharpness(plain) / real,
            f"{what}: distance of sharpness, over that of L1 alone": abs(sharpness(fake) - real)
            / abs(sharpness(plain) - real),
            f"{what}: change by another latent (L1)": float((fake - other).abs().mean()),
        }
        picture([s, fake, other, plain, x], out / ("grid.png" if key == "pix2pix" else "tiles.png"))
    return figures


def only(images: LabelledImages, classes: list[int]) -> LabelledImages:
    """The images of these classes, which are numbered anew."""
    place = torch.full((len(images.classes),), -1)
    place[classes] = torch.arange(len(classes))
    chosen = images.take(np.flatnonzero(np.isin(images.labels.numpy(), classes)))
    return replace(chosen, labels=place[chosen.labels], classes=tuple(images.classes[c] for c in classes))


def study_cyclegan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    figures: dict[str, float | str] = {}
    digits = [only(data("mnist", split=part, limit=800), [3, 8]) for part in ("train", "test")]
    chests = [data("pneumonia_mnist", split=part, limit=1000, at_least=0) for part in ("train", "test")]
    for name, (train, test), key in (("digits", digits, "cyclegan"), ("chests", chests, "chests")):
        fit = fitted(train, out / key, "cyclegan", 12 if quick else STEPS[key], seed)
        training = Training(steps=20 if quick else 400, augmentation="affine", balanced=True)
        judge = train_classifier(train.pixels, train.labels, 2, training=training, seed=0)
        x, y = ImageCodec.encode(test.pixels), test.labels
        there = answers(fit.networks, fit, x, 1 - y, seed, "there")
        back = answers(fit.networks, fit, there, y, seed, "back")
        moved = ImageCodec.encode(test.pixels[torch_order(len(y), seed)])
        right = judge.predict(test.pixels).argmax(1) == y
        changed = judge.predict(ImageCodec.decode(there)).argmax(1) == 1 - y
        own = judge.predict(ImageCodec.decode(back)).argmax(1) == y
        figures |= {
            f"{name}: the judge is right on real images": float(right.float().mean()),
            f"{name}: translated images of which the judge says that they changed class": float(changed.float().mean()),
            f"{name}: the same, of class {train.classes[0]}": float(changed[y == 0].float().mean()),
            f"{name}: the same, of class {train.classes[1]}": float(changed[y == 1].float().mean()),
            f"{name}: returned images of which the judge says their own class": float(own.float().mean()),
            f"{name}: L1 of image and return": float((back - x).abs().mean()),
            f"{name}: L1 of image and translation": float((there - x).abs().mean()),
            f"{name}: L1 of image and another image": float((moved - x).abs().mean()),
            f"{name}: return over translation": float((back - x).abs().mean() / (there - x).abs().mean()),
        }
        half = SHOWN // 2
        shown = torch.cat([torch.nonzero(y == c).squeeze(1)[:half] for c in (0, 1)])
        picture([x[shown], there[shown], back[shown]], out / ("grid.png" if key == "cyclegan" else "chests.png"))
    return figures


def torch_order(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=torch_stream(seed, "others"))


def study_context_encoder(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    train = data("fashion_mnist", limit=40 if quick else 300)
    test = data("fashion_mnist", split="test", limit=10 if quick else 60)
    fit = fitted(train, out / "run", "context_encoder", 12 if quick else STEPS["context_encoder"], seed)
    x, y = ImageCodec.encode(test.pixels), test.labels
    holed = fit.networks["degrade"](x, torch_stream(seed, "holes"))
    hole = holed[:, -1:] > 0
    rngs = [torch_stream(seed, "latents", i) for i in (0, 1)]
    with torch.no_grad():
        fills = [fit.generator(holed, fit.prior.draw(len(x), rng), y) for rng in rngs]
    known = ImageCodec.encode(train.pixels)
    own = torch.where(hole, ((x * ~hole).sum((2, 3)) / (~hole).sum((2, 3)))[..., None, None], x)
    means = torch.stack([known[train.labels == c].mean(0) for c in range(len(train.classes))])
    mean = torch.where(hole, means[y], x)
    nearest = torch.where(hole, known[nearest_outside(x, hole, known, y, train.labels)], x)

    def error(image: Tensor, power: int) -> float:
        return float(((image - x).abs() ** power * hole).sum() / hole.sum())

    fakes = {"context encoder": fills[0], "mean of the kept pixels": own, "class's mean image": mean}
    fakes["nearest training image of the class"] = nearest
    figures: dict[str, float | str] = {f"squared error in the hole, {k}": error(v, 2) for k, v in fakes.items()}
    figures |= {f"L1 in the hole, {k}": error(v, 1) for k, v in fakes.items()}
    figures["squared error over that of the best other fill"] = error(fills[0], 2) / min(
        error(v, 2) for k, v in fakes.items() if k != "context encoder"
    )
    figures["L1 over that of the best other fill"] = error(fills[0], 1) / min(
        error(v, 1) for k, v in fakes.items() if k != "context encoder"
    )
    figures["change in the hole by another latent (L1)"] = float(
        ((fills[0] - fills[1]).abs() * hole).sum() / hole.sum()
    )
    figures["pixels changed outside the hole"] = float(((fills[0] != x) & ~hole).sum())
    picture([holed[:, :1], *fills, mean, nearest, x], out / "grid.png")
    tile(translation_grid(fit.networks, fit.starts_from, fit.prior, test, rows=6)).save(out / "as-fit-draws.png")  # type: ignore[arg-type]
    return figures


def nearest_outside(x: Tensor, hole: Tensor, known: Tensor, y: Tensor, labels: Tensor) -> Tensor:
    """For each image the training image of its class that is nearest outside the hole."""
    chosen = []
    for image, inside, label in zip(x, hole, y, strict=True):
        members = torch.nonzero(labels == label).squeeze(1)
        chosen.append(members[((known[members] - image).square() * ~inside).flatten(1).sum(1).argmin()])
    return torch.stack(chosen)


STUDIES = {
    "pix2pix": Study(
        study_pix2pix,
        "pairs_wbc and pairs_magnetic_tile at 32 px",
        "Masks become pictures, on pairs that were not trained on. Rows of the pictures: mask, two answers, "
        "the answer of training with the L1 term alone, the real image.",
        aims={
            "wbc: L1 over that of the mean image": ("<", 1),
            "wbc: distance of sharpness, over that of L1 alone": ("<", 1),
        },
    ),
    "cyclegan": Study(
        study_cyclegan,
        "mnist 3 and 8 (800 each), pneumonia_mnist (1,000 each), both at 28 px",
        "Images of one class become images of the other. Rows of the pictures: test images, translations, the "
        "way back.",
        aims={
            **{f"{data}: the same, of class {name}": (">", 0.5) for data, names in PAIRS.items() for name in names},
            **{f"{data}: returned images of which the judge says their own class": (">", 0.5) for data in PAIRS},
            **{f"{data}: return over translation": ("<", 0.75) for data in PAIRS},
        },
        expect=tuple(
            f"{data}: {figure}"
            for data in PAIRS
            for figure in (
                "translated images of which the judge says that they changed class",
                "return over translation",
            )
        ),
    ),
    "context_encoder": Study(
        study_context_encoder,
        "fashion_mnist, 300 of each class at 28 px",
        "Holes in test images are filled. Rows of the picture: with a hole, two fills, filled by the class's "
        "mean image, filled by the nearest training image, the real image.",
        aims={
            "squared error over that of the best other fill": ("<", 1),
            "L1 over that of the best other fill": ("<", 1),
        },
    ),
}
