"""How well are near-duplicates found, and how often are other images taken for one? And does a copying generator show?

    GANAUG_DATA=FOLDER python scripts/duplicates_study.py               # 200 planted images of each of five data sets
    GANAUG_DATA=FOLDER python scripts/duplicates_study.py --planted 40 --others 200 mnist eurosat

Near-duplicates. The images a generator "saw" are training images. Of them, `--planted` are changed in each of eight
ways and looked for; of the images that were seen, only what a run keeps is used. False alarms are counted on test
images of the data set, which are other images as far as its authors know; exact copies among them are left out. They
are named, to be looked at. Then the same where several shots of every subject were seen, and false alarms among
drawn images that are all alike: crosses of any two colours, and parts before one camera.

Copies. "Samples" of a generator are real images that are in neither the training nor the held-out part, the best that
an honest generator could give; in a copying one, every 20th is a training image with a little noise. Flagged is a share
of copies (`ganaug.metrics.copy_share`, percentile 1) whose 95 % Wilson interval lies above 0.02.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.data.duplicates.likeness import likeness, read_likenesses
from ganaug.data.duplicates.near_duplicates import find_near
from ganaug.data.duplicates.seen import Known, seen_as
from ganaug.data.sources.arrays import from_npz
from ganaug.keys import numpy_stream
from ganaug.metrics import copy_share

SETS = ("mnist", "fashion_mnist", "eurosat", "sign_digits", "pneumonia_mnist")
SEEN = 20_000  # images at most that the generator saw, where near-duplicates are looked for
SUBJECTS = 500  # of which there are several shots
MOST = 2_000  # training images at most of a planted generator, and as many held-out ones
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def shifted(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """By up to 2 px each way, not by 0; the border is black, or the outermost pixels again."""
    moves = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if (dy, dx) != (0, 0)]
    dy, dx = moves[rng.integers(len(moves))]
    wide = np.pad(x, [(2, 2), (2, 2), (0, 0)][: x.ndim], mode=["constant", "edge"][rng.integers(2)])
    return wide[2 - dy : 2 - dy + x.shape[0], 2 - dx : 2 - dx + x.shape[1]]


def recompressed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As JPEG of quality 50."""
    file = io.BytesIO()
    Image.fromarray(x).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


def brighter(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Times a factor from 0.8 to 1.25, or plus a number from -25 to 25; clipped to 0..255."""
    changed = x * np.exp(rng.uniform(-1, 1) * np.log(1.25)) if rng.integers(2) else x + rng.uniform(-25, 25)
    return np.rint(changed).clip(0, 255).astype(np.uint8)


def resized(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """To 0.75 or 1.5 of its size, bicubic."""
    factor = (0.75, 1.5)[rng.integers(2)]
    size = (round(x.shape[1] * factor), round(x.shape[0] * factor))
    return np.asarray(Image.fromarray(x).resize(size, Image.Resampling.BICUBIC))


CHANGES: dict[str, Change] = {
    "exact": lambda x, rng: x,
    "flipped left-right": lambda x, rng: x[:, ::-1],
    "flipped up-down": lambda x, rng: x[::-1],
    "flipped both ways": lambda x, rng: x[::-1, ::-1],
    "shifted by up to 2 px": shifted,
    "JPEG quality 50": recompressed,
    "brightness": brighter,
    "resized": resized,
}


def shot(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same subject again: up to 1 px elsewhere, other light, noise."""
    y, x0 = rng.integers(0, 3, 2)
    wide = np.pad(x, [(1, 1), (1, 1), (0, 0)][: x.ndim], mode="edge")
    moved = wide[y : y + x.shape[0], x0 : x0 + x.shape[1]]
    return (moved * rng.uniform(0.95, 1.05) + rng.normal(0, 3, x.shape)).clip(0, 255).astype(np.uint8)


def crosses(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """(96, 96, 3), of any two colours, near the middle, with noise."""
    made = []
    for _ in range(count):
        paper, ink = rng.integers(0, 256, (2, 3))
        image = np.tile(paper, (96, 96, 1)).astype(float)
        (y, x), reach, width = rng.uniform(42, 54, 2), rng.uniform(24, 38), rng.uniform(6, 10)
        image[round(y - width) : round(y + width), round(x - reach) : round(x + reach)] = ink
        image[round(y - reach) : round(y + reach), round(x - width) : round(x + width)] = ink
        made.append((image + rng.normal(0, 5, image.shape)).clip(0, 255).astype(np.uint8))
    return made


def parts(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """(64, 64), of one part before one camera: a little light, noise and a dark spot are all that differs."""
    scene = load_sample_images().images[0][100:228, 200:328]
    scene = np.asarray(Image.fromarray(scene).convert("L").resize((64, 64)))
    rows, columns = np.mgrid[:64, :64]
    made = []
    for _ in range(count):
        y, x, size = rng.integers(8, 56), rng.integers(8, 56), rng.uniform(1, 5)
        spot = rng.uniform(10, 60) * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * size * size))
        image = (scene - spot) * rng.uniform(0.96, 1.04) + rng.normal(0, 3, scene.shape)
        made.append(image.clip(0, 255).astype(np.uint8))
    return made


LOOK_ALIKES: dict[str, Callable[[int, np.random.Generator], list[np.ndarray]]] = {
    "crosses of any two colours": crosses,
    "parts before one camera": parts,
}


LAST_FOUR = ("shifted by up to 2 px", "JPEG quality 50", "brightness", "resized")


@dataclass(frozen=True)
class Found:
    """planted: change -> images found. in_shots, of_shots: found and planted, by the last four changes, where two to
    six shots of every subject were seen. alarms: (test image, score) of others that were taken for copies."""

    planted: dict[str, int]
    each: int
    in_shots: int
    of_shots: int
    alarms: tuple[tuple[str, str], ...]
    others: int
    seconds: float


def study(dataset: Path, planted: int, others: int, seed: int) -> Found:
    """Plant, look, count, on one `.npz` data set."""
    rng = numpy_stream(seed, "duplicates", dataset.stem)
    train, test = from_npz(dataset, split="train"), from_npz(dataset, split="test")
    pictures = train.array[rng.permutation(len(train))[:SEEN]]
    marks = [fingerprint(picture) for picture in pictures]
    likenesses, exact = frozenset(likeness(picture) for picture in pictures), set(marks)
    known = Known(frozenset(marks), likenesses)
    rows = rng.choice(len(pictures), min(planted, len(pictures)), replace=False)
    found = {}
    for name, change in CHANGES.items():
        found[name] = hits([change(pictures[row], rng) for row in rows], known)
    rest = [i for i in rng.permutation(len(test))[:others].tolist() if fingerprint(test.array[i]) not in exact]
    began = time.perf_counter()
    matches = find_near([test.array[i] for i in rest], read_likenesses(sorted(likenesses)))
    alarms = tuple((f"test {rest[match.query]}", f"score {match.score:.4f}") for match in matches)
    seconds = time.perf_counter() - began
    return Found(found, len(rows), *among_shots(pictures[:SUBJECTS], planted, rng), alarms, len(rest), seconds)


def hits(pictures: Sequence[np.ndarray], known: Known) -> int:
    """How many of them are found among the known ones."""
    plain = [np.ascontiguousarray(picture) for picture in pictures]
    return sum(map(bool, seen_as(list(map(fingerprint, plain)), list(map(likeness, plain)), plain, known)))


def among_shots(subjects: np.ndarray, planted: int, rng: np.random.Generator) -> tuple[int, int]:
    """Copies that are found where other shots of every subject were seen too, and how many were planted."""
    others = [shot(picture, rng) for picture in subjects for _ in range(rng.integers(1, 6))]
    known = Known(frozenset(), frozenset(likeness(picture) for picture in [*subjects, *others]))
    changed = [CHANGES[name](picture, rng) for picture in subjects[: planted // 4] for name in LAST_FOUR]
    return hits(changed, known), len(changed)


def look_alikes(draw: Callable[[int, np.random.Generator], list[np.ndarray]], seed: int) -> tuple[int, int, int, int]:
    """Of 200 other images, how many are taken for copies of 200; of 50 flipped ones, how many are found."""
    rng = numpy_stream(seed, "look-alikes", draw.__name__)
    pictures, others = draw(200, rng), draw(200, rng)
    known = Known(frozenset(), frozenset(map(likeness, pictures)))
    return hits(others, known), len(others), hits([picture[::-1] for picture in pictures[:50]], known), 50


def copies(dataset: Path, samples: int, share: float, seed: int) -> float:
    """The measured share of copies of a "generator" that copies `share` of its samples. Raises ValueError if the data
    set is too small for so many samples."""
    rng = numpy_stream(seed, "copies", dataset.stem, str(samples))
    source = from_npz(dataset, split="train")
    order = rng.permutation(len(source))
    part = min((len(order) - samples) // 2, MOST)
    if part < 100 * len(source.classes):  # the lowest percentile of fewer distances is but the lowest distance
        raise ValueError("too few images")
    pixels, labels = torch.from_numpy(source.array).flatten(1), torch.from_numpy(source.labels)
    fresh, training, held_out = (
        order[:samples],
        order[samples : samples + part],
        order[samples + part : samples + 2 * part],
    )
    made, y = pixels[fresh].clone(), labels[fresh].clone()
    copied = rng.choice(samples, round(share * samples), replace=False)
    origin = rng.choice(training, len(copied))
    noise = torch.from_numpy(rng.integers(-3, 4, (len(copied), pixels.shape[1])))
    made[copied] = (pixels[origin].long() + noise).clamp(0, 255).to(torch.uint8)
    y[copied] = labels[origin]
    return copy_share(made, y, pixels[training], labels[training], pixels[held_out], labels[held_out])


def flagged(share: float, samples: int) -> bool:
    """Whether the 95 % interval of this share of copies lies above 0.02, twice what an honest generator has."""
    return wilson(round(share * samples), samples)[0] > 0.02


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    centre = (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(hits * (n - hits) / n + z * z / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def row(name: str, hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{name:<28} {hits:>6} of {n:<6} {100 * hits / n:>7.2f} %   [{100 * low:.2f}, {100 * high:.2f}]"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--planted", type=int, default=200, help="images of each set; 0: no near-duplicates")
    parser.add_argument("--others", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=20, help="generators of each kind; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    folder = Path(os.environ["GANAUG_DATA"])
    files = [folder / f"{name}.npz" for name in chosen.sets]
    if chosen.planted:
        near_duplicates(files, chosen.planted, chosen.others, chosen.seed)
    if chosen.trials:
        copying_generators(files, chosen.trials)


def near_duplicates(files: Sequence[Path], planted: int, others: int, seed: int) -> None:
    """Print what was found of what was planted, for each data set and for all."""
    results = []
    for file in files:
        found = study(file, planted, others, seed)
        results.append(found)
        print(f"\n{file.stem}: {found.others} other images in {found.seconds:.1f} s")
        for change, hits in found.planted.items():
            print(row(change, hits, found.each))
        print(row("among shots of the subject", found.in_shots, found.of_shots))
        print(row("false alarms", len(found.alarms), found.others), *found.alarms[:10])
    each = sum(found.each for found in results)
    print(f"\nall {len(results)} sets")
    for change in CHANGES:
        print(row(change, sum(found.planted[change] for found in results), each))
    print(row("the last four together", sum(f.planted[c] for f in results for c in LAST_FOUR), each * len(LAST_FOUR)))
    print(row("among shots of the subject", sum(f.in_shots for f in results), sum(f.of_shots for f in results)))
    print(row("false alarms", sum(len(f.alarms) for f in results), sum(f.others for f in results)))
    for name, draw in LOOK_ALIKES.items():
        alarms, others, found, flipped = look_alikes(draw, seed)
        print(f"\n{name}\n{row('flipped', found, flipped)}\n{row('false alarms', alarms, others)}")


def copying_generators(files: Sequence[Path], trials: int) -> None:
    """Print how many planted generators were flagged, copying and honest ones."""
    print("\ngenerators that were flagged: at 5 % copies, and honest ones")
    for file in files:
        for samples in (200, 500, 1000, 2000):
            try:
                counts = [
                    sum(flagged(copies(file, samples, share, seed), samples) for seed in range(trials))
                    for share in (0.05, 0.0)
                ]
            except ValueError:
                continue
            print(f"{file.stem:<16} {samples:>5} samples   {counts[0]:>3} and {counts[1]:>3} of {trials}")


if __name__ == "__main__":
    main()
