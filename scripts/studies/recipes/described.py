"""stackgan: digits in colours, sizes and tilts, drawn from words; a quarter of the combinations was never seen. The
pictures are drawn here, from digits of MNIST."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import ganaug
from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.data.load import load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.spec import ImageCodec
from ganaug.generator.folder import Fitted
from ganaug.keys import torch_stream
from scripts.studies.recipes.judged import Study, digits, fitted
from scripts.studies.recipes.translation import picture

SIZE = 32
STEPS = 3000
TRAIN, TEST, JUDGE = 10, 4, 40  # pictures of each combination
DRAWN = 10  # samples of each
COLOURS = {"red": (255, 60, 50), "green": (70, 220, 80), "blue": (70, 110, 255), "white": (235, 235, 235)}
SIZES = {"small": 0.6, "large": 1.0}
TILTS = {"left": 45.0, "straight": 0.0, "right": -45.0}  # degrees
WORDS = (tuple(map(str, range(10))), tuple(COLOURS), tuple(SIZES), tuple(TILTS))
COMBINATIONS = list(product(*WORDS))
PLACES = torch.tensor([[words.index(word) for words, word in zip(WORDS, one, strict=True)] for one in COMBINATIONS])
UNSEEN = torch.randperm(len(COMBINATIONS), generator=torch.Generator().manual_seed(0))[: len(COMBINATIONS) // 4]


def drawn(pixels: Tensor, words: tuple[str, ...], rng: torch.Generator) -> Tensor:
    """uint8 (N, 1, H, W) of a digit -> uint8 (N, 3, SIZE, SIZE), as the words say, each a little otherwise."""
    _, colour, size, tilt = words
    n = len(pixels)
    angle = torch.deg2rad(TILTS[tilt] + 4 * torch.randn(n, generator=rng))
    scale = 1 / (SIZES[size] * (1 + 0.05 * torch.randn(n, generator=rng)))
    across, down = 0.08 * torch.randn(2, n, generator=rng)
    rows = [
        torch.stack([angle.cos() * scale, -angle.sin() * scale, across], 1),
        torch.stack([angle.sin() * scale, angle.cos() * scale, down], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), [n, 1, SIZE, SIZE], align_corners=False)
    ink = F.grid_sample(pixels.float() / 255, grid, align_corners=False)
    paint = torch.tensor(COLOURS[colour]).view(1, 3, 1, 1) * (1 + 0.08 * torch.randn(n, 3, 1, 1, generator=rng))
    return (ink * paint).clamp(0, 255).round().to(torch.uint8)


def pictures(split: str, of_each: int, seed: int) -> tuple[Tensor, Tensor]:
    """So many pictures of each combination, and its number."""
    plain = digits(SIZE, split=split)
    rng = torch_stream(seed, "described", split)
    parts = []
    for words in COMBINATIONS:
        rows = (plain.labels == int(words[0])).nonzero()[:, 0]
        rows = rows[torch.randperm(len(rows), generator=rng)[:of_each]]
        parts.append(drawn(plain.pixels[rows], words, rng))
    return torch.cat(parts), torch.arange(len(COMBINATIONS)).repeat_interleave(of_each)


def judges(quick: bool) -> list[Classifier]:
    """A classifier of each kind of word."""
    x, y = pictures("train", 4 if quick else JUDGE, 7)
    return [
        train_classifier(
            x, PLACES[y, kind], len(words), training=Training(steps=40 if quick else 900, augmentation="none"), seed=0
        )
        for kind, words in enumerate(WORDS)
    ]


def as_said(known: list[Classifier], pixels: Tensor, y: Tensor) -> list[float]:
    """Shares of pictures of which each kind of word is right, and all of them."""
    says = torch.stack([judge.predict(pixels).argmax(1) for judge in known], 1) == PLACES[y]
    return [*says.float().mean(0).tolist(), says.all(1).float().mean().item()]


def drawn_from_words(fit: Fitted, n: int, seed: int) -> Tensor:
    """uint8 (K n, 3, SIZE, SIZE): so many samples of each class."""
    y = torch.arange(len(fit.classes)).repeat_interleave(n)
    z = fit.prior.draw(len(y), torch_stream(seed, "study"))
    with torch.no_grad():
        parts = [fit.generator(*part) for part in zip(z.split(200), y.split(200), strict=True)]
    return ImageCodec.decode(torch.cat(parts))


def study_stackgan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    names = [" ".join(words) for words in COMBINATIONS]
    x, y = pictures("train", 2 if quick else TRAIN, seed)
    unseen = torch.isin(torch.arange(len(names)), UNSEEN)
    seen = (~unseen).nonzero()[:, 0]
    kept = torch.isin(y, seen)
    labels = torch.searchsorted(seen, y[kept])
    train = from_arrays(x[kept].permute(0, 2, 3, 1).numpy(), labels.numpy(), classes=[names[k] for k in seen])
    fit = fitted(load_images(train, size=SIZE), out / "run", "stackgan", 12 if quick else STEPS, seed)
    place = out / "unseen"
    if not place.exists():
        ganaug.describe(fit, [names[k] for k in UNSEEN.tolist()], place)
    other = ganaug.load(place)

    known = judges(quick)
    real = as_said(known, *pictures("test", 1 if quick else TEST, 8))
    n = 1 if quick else DRAWN
    made = {"learned": (fit, seen), "unseen": (other, UNSEEN)}
    shares, rows = {}, []
    for kind, (generator, numbers) in made.items():
        samples = drawn_from_words(generator, n, seed)
        shares[kind] = as_said(known, samples, numbers.repeat_interleave(n))
        rows.append(samples[::n][:: len(numbers) // 20][:20])
    picture([ImageCodec.encode(row) for part in rows for row in part.split(10)], out / "grid.png")
    figures: dict[str, float | str] = {"all words right, real pictures": real[-1]}
    for kind, found in shares.items():
        figures[f"all words right, {kind} combinations"] = found[-1]
        for what, share in zip(("digit", "colour", "size", "tilt"), found, strict=False):
            figures[f"{what} right, {kind} combinations"] = share
    figures["all words right, unseen over learned"] = shares["unseen"][-1] / max(shares["learned"][-1], 1e-9)
    return figures


STUDIES = {
    "stackgan": Study(
        study_stackgan,
        f"digits in 4 colours, 2 sizes and 3 tilts at {SIZE} px, {TRAIN} of each of 180 combinations; {STEPS} steps",
        "Each class has four words, such as \"7 red small left\". 60 of the 240 combinations were never seen: they are "
        "described by words that were learned (`ganaug describe`). Four classifiers of real pictures, of digit, "
        "colour, size and tilt, say how many samples are what the words say; by chance all four are right in 1 of 240. "
        "Rows of the picture: two of learned combinations, two of unseen ones.",
        aims={"all words right, unseen over learned": (">=", 0.9)},
        expect=("all words right, unseen combinations", "all words right, learned combinations",
                "all words right, real pictures"),
    )
}  # fmt: skip
