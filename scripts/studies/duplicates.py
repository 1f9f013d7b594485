"""How well are near-duplicates found, and how often are other images taken for one? And does a copying generator show?

    GANAUG_DATA=FOLDER python -m scripts.studies.duplicates             # 200 planted images of each of five data sets
    GANAUG_DATA=FOLDER python -m scripts.studies.duplicates --planted 40 --others 200 mnist eurosat

Near-duplicates. The images a generator "saw" are training images. Of them, `--planted` are changed in each of eight
ways and looked for; of the images that were seen, only what a run keeps is used. False alarms are counted on test
images of the data set, which are other images as far as its authors know; exact copies among them are left out. They
are named, to be looked at. Then the same where several shots of every subject were seen, and false alarms among
drawn images that are all alike: crosses of any two colours, and parts before one camera.

Copies. "Samples" of a generator are real images that are in neither the training nor the held-out part, the best that
an honest generator could give; in a copying one, every 20th is a training image with a little noise. Flagged is a share
of copies (`ganaug.metrics.copy_report`, percentile 1) whose 95 % Wilson interval lies above 0.02.

What was found is kept in results/near_duplicates.jsonl; docs/near_duplicates.md tells it.
"""

from __future__ import annotations

import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
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
from ganaug.metrics import copy_report
from scripts.studies.lib.command import options
from scripts.studies.lib.facts import image_set, machine, today
from scripts.studies.lib.results import Line, put
from scripts.studies.lib.words import wilson

SETS = ("mnist", "fashion_mnist", "eurosat", "sign_digits", "pneumonia_mnist")
SEEN = 20_000  # images at most that the generator saw, where near-duplicates are looked for
MODULES = 30  # of solar cells, that are drawn
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


def cells(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """(64, 64), of solar modules, in turn: a module has its own light, bars and frame, and its cells differ in little
    but a faint grain of their own."""
    rows, columns = np.mgrid[:64, :64] / 63
    modules = []
    for _ in range(MODULES):
        light = rng.uniform(90, 170) + rng.uniform(-25, 25) * (rows - 0.5) + rng.uniform(-25, 25) * (columns - 0.5)
        bars, depth = rng.integers(2, 5), rng.uniform(30, 70)
        light -= depth * (np.abs((rows * bars) % 1 - 0.5) < rng.uniform(0.03, 0.08))
        frame = np.minimum(np.minimum(rows, 1 - rows), np.minimum(columns, 1 - columns)) < rng.uniform(0.02, 0.05)
        modules.append((np.where(frame, 20, light), ~frame))
    made = []
    for number in range(count):
        module, inside = modules[number % MODULES]
        grain = Image.fromarray(rng.normal(0, 2.5, (8, 8)).astype(np.float32)).resize(
            (64, 64), Image.Resampling.BICUBIC
        )
        image = module * rng.uniform(0.97, 1.03) + np.asarray(grain) * inside + rng.normal(0, 3, module.shape)
        made.append(image.clip(0, 255).astype(np.uint8))
    return made


LOOK_ALIKES: dict[str, Callable[[int, np.random.Generator], list[np.ndarray]]] = {
    "crosses of any two colours": crosses,
    "parts before one camera": parts,
    "cells of solar modules": cells,
}


LAST_FOUR = ("shifted by up to 2 px", "JPEG quality 50", "brightness", "resized")


@dataclass(frozen=True)
class Found:
    """planted: change -> images found. in_shots, of_shots: found and planted, by the last four changes, where two to
    six shots of every subject were seen; sure_in_shots: those of which nothing is left to judge. alarms: (test image,
    score) of others that were taken for copies; unjudged: how many others could not be judged."""

    planted: dict[str, int]
    each: int
    in_shots: int
    of_shots: int
    sure_in_shots: int
    alarms: tuple[tuple[str, str], ...]
    unjudged: int
    others: int
    seconds: float

    def counts(self) -> dict[str, tuple[int, int]]:
        """Of everything that was counted: hits, and out of how many."""
        found = {name: (hits, self.each) for name, hits in self.planted.items()}
        last_four = sum(self.planted[name] for name in LAST_FOUR), len(LAST_FOUR) * self.each
        shots, alarms = (self.in_shots, self.of_shots), (len(self.alarms), self.others)
        return found | {
            "the last four together": last_four, "among shots": shots,
            "surely, among shots": (self.sure_in_shots, self.of_shots), "false alarms": alarms,
            "others, could not be judged": (self.unjudged, self.others),
        }  # fmt: skip


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
        found[name], _ = hits([change(pictures[row], rng) for row in rows], known)
    rest = [i for i in rng.permutation(len(test))[:others].tolist() if fingerprint(test.array[i]) not in exact]
    began = time.perf_counter()
    matches = find_near([test.array[i] for i in rest], read_likenesses(sorted(likenesses)))
    alarms = tuple((f"test {rest[match.query]}", f"score {match.score:.4f}") for match in matches if match.sure)
    seconds = time.perf_counter() - began
    in_shots = among_shots(pictures[:SUBJECTS], planted, rng)
    return Found(found, len(rows), *in_shots, alarms, len(matches) - len(alarms), len(rest), seconds)


def hits(pictures: Sequence[np.ndarray], known: Known) -> tuple[int, int]:
    """How many of them are found among the known ones, and how many surely."""
    plain = [np.ascontiguousarray(picture) for picture in pictures]
    marks = seen_as(list(map(fingerprint, plain)), list(map(likeness, plain)), plain, known)
    return sum(map(bool, marks)), sum(map(bool, marks.sure))


def among_shots(subjects: np.ndarray, planted: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """Copies that are found where other shots of every subject were seen too, how many were planted, and how many are
    found surely."""
    others = [shot(picture, rng) for picture in subjects for _ in range(rng.integers(1, 6))]
    known = Known(frozenset(), frozenset(likeness(picture) for picture in [*subjects, *others]))
    changed = [CHANGES[name](picture, rng) for picture in subjects[: planted // 4] for name in LAST_FOUR]
    found, sure = hits(changed, known)
    return found, len(changed), sure


def look_alikes(draw: Callable[[int, np.random.Generator], list[np.ndarray]], seed: int) -> tuple[int, int, int, int]:
    """Of 200 other images, how many are taken for copies of 200, and how many cannot be judged; of 50 flipped ones, how
    many are found, and of 50 recompressed ones."""
    rng = numpy_stream(seed, "look-alikes", draw.__name__)
    drawn = draw(400, rng)
    pictures, others = drawn[:200], drawn[200:]
    known = Known(frozenset(), frozenset(map(likeness, pictures)))
    told, sure = hits(others, known)
    upside_down, _ = hits([picture[::-1] for picture in pictures[:50]], known)
    again, _ = hits([recompressed(picture, rng) for picture in pictures[:50]], known)
    return sure, told - sure, upside_down, again


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
    return copy_report(made, y, pixels[training], labels[training], pixels[held_out], labels[held_out]).share


def flagged(share: float, samples: int) -> bool:
    """Whether the 95 % interval of this share of copies lies above 0.02, twice what an honest generator has."""
    return wilson(round(share * samples), samples)[0] > 0.02


def row(name: str, hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{name:<28} {hits:>6} of {n:<6} {100 * hits / n:>7.2f} %   [{100 * low:.2f}, {100 * high:.2f}]"


def near_duplicates(files: Sequence[Path], planted: int, others: int, seed: int) -> list[Line]:
    """Print what was found of what was planted, for each data set and for all; gives what is kept."""
    total, lines = Counter[str](), []
    for file in files:
        found = study(file, planted, others, seed)
        lines.append({"kind": "planted", "of": file.stem, "seed": seed, **asdict(found)})
        print(f"\n{file.stem}: {found.others} other images in {found.seconds:.1f} s", *found.alarms[:10])
        for name, (number, n) in found.counts().items():
            print(row(name, number, n))
            total.update({f"{name} hits": number, name: n})
    print(
        f"\nall {len(files)} sets",
        *(row(name, total[f"{name} hits"], total[name]) for name in found.counts()),
        sep="\n",
    )
    for name, draw in LOOK_ALIKES.items():
        alarms, unjudged, upside_down, again = look_alikes(draw, seed)
        print(f"\n{name}", row("flipped", upside_down, 50), row("JPEG quality 50", again, 50),
              row("false alarms", alarms, 200), row("others, could not be judged", unjudged, 200),
              sep="\n")  # fmt: skip
        lines.append({"kind": "look-alikes", "of": name, "seed": seed, "alarms": alarms, "unjudged": unjudged,
                      "others": 200, "upside down": upside_down, "recompressed": again, "flipped": 50})  # fmt: skip
    return lines


def copying_generators(files: Sequence[Path], trials: int) -> list[Line]:
    """Print how many planted generators were flagged, copying and honest ones; gives what is kept."""
    lines = []
    print("\ngenerators that were flagged: at 5 % copies, and honest ones")
    for file in files:
        for samples in (200, 500, 1000, 2000):
            try:
                copying, honest = (
                    sum(flagged(copies(file, samples, share, seed), samples) for seed in range(trials))
                    for share in (0.05, 0.0)
                )
            except ValueError:
                continue
            print(f"{file.stem:<16} {samples:>5} samples   {copying:>3} and {honest:>3} of {trials}")
            lines.append({"kind": "generators", "of": file.stem, "seed": 0, "samples": samples, "trials": trials,
                          "copying": copying, "honest": honest})  # fmt: skip
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "near_duplicates")
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--planted", type=int, default=200, help="images of each set; 0: no near-duplicates")
    parser.add_argument("--others", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=20, help="generators of each kind; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    files = [Path(image_set(name)) for name in asked.sets]
    lines = near_duplicates(files, asked.planted, asked.others, asked.seed) if asked.planted else []
    lines += copying_generators(files, asked.trials) if asked.trials else []
    for line in lines:
        put(asked.results, {**line, "machine": machine(), "date": today()}, "kind", "of", "seed", "samples")
    return 0


if __name__ == "__main__":
    sys.exit(main())
