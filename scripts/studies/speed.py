"""Speed and memory, paired in one process: each figure is a ratio of two things that were timed in turns.

    python -m scripts.studies.speed                 # all, about fifteen minutes on two cores
    python -m scripts.studies.speed loader render   # some

A ratio is the median over rounds of (time of the reference) / (time of ours), so above 1 ours is faster; the quartiles
stand beside it. Run it on an idle machine. Figures are kept in results/speed.jsonl; docs/speed.md tells them.
"""

from __future__ import annotations

import inspect
import itertools
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

import ganaug
from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.spec import DataSpec
from ganaug.game.train import train
from ganaug.recipes import make
from ganaug.recipes.modern import small
from ganaug.samples.blocks import BLOCK
from ganaug.samples.pool import Pool
from scripts.studies.lib.command import options
from scripts.studies.lib.facts import machine, today
from scripts.studies.lib.results import put

ITEMS, SIZE, CLASSES = 4096, 32, 10
Clock = Callable[[], float]
clock: Clock = time.perf_counter  # of the figures here: `main` may take that of the processor
Figures = dict[str, dict[str, Any]]


def paired(
    reference: Callable[[], object], ours: Callable[[], object], rounds: int = 9, by: Clock | None = None
) -> dict[str, Any]:
    """Time both in turns, after one discarded round of each. by: a clock, in seconds."""
    reference(), ours()
    now, seconds = by or clock, np.zeros((rounds, 2))
    for i in range(rounds):
        for place, work in ((0, reference), (1, ours))[:: 1 if i % 2 else -1]:
            began = now()
            work()
            seconds[i, place] = now() - began
    low, middle, high = np.percentile(seconds[:, 0] / seconds[:, 1], [25, 50, 75]).round(3).tolist()
    return {"ratio": middle, "low": low, "high": high, "rounds": rounds,
            "seconds": np.median(seconds, 0).round(4).tolist()}  # fmt: skip


def keep(results: Path, figures: Figures, **about: Any) -> None:
    """A line a figure, in place of what was measured before; and on the screen."""
    about |= {"machine": machine(), "system": platform.platform(), "date": today()}
    for name, values in figures.items():
        put(results, {"figure": name, **values, **about}, "figure")
        print(f"{name:<52} {_shown(values)}")


def _shown(values: Mapping[str, Any]) -> str:
    if "ratio" not in values:
        return str(values["value"])
    theirs, ours = values["seconds"]
    return f"{values['ratio']:.2f}x  ({values['low']:.2f} to {values['high']:.2f}), {theirs:g} s and {ours:g} s"


class InMemory(Dataset):
    """uint8 images in memory, to PIL, to a float tensor: the common way."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray):
        self.data, self.targets = pixels, labels.tolist()
        self.classes = [str(c) for c in range(CLASSES)]
        self.transform = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int):
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


def epoch(loader: DataLoader) -> None:
    for _ in loader:
        pass


def sets(folder: Path) -> tuple[InMemory, ganaug.Run]:
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (ITEMS, SIZE, SIZE, 3), dtype=np.uint8), np.arange(ITEMS) % CLASSES
    run = ganaug.fit((pixels[:400], labels[:400]), folder / "run", steps=2)
    return InMemory(pixels, labels), run


def loader(folder: Path) -> Figures:
    memory, run = sets(folder)
    results = {}
    plain = DataLoader(memory, batch_size=128, shuffle=True)
    for name, ratio in (("loader in memory, 50 % synthetic", 0.5), ("loader in memory, ratio 0", 0.0)):
        mixed = ganaug.augment_loader(plain, run, ratio=ratio)
        results[name] = paired(lambda: epoch(plain), lambda: epoch(mixed))  # noqa: B023
    for index, pixels in enumerate(memory.data[:2048]):
        file = folder / "png" / str(index % CLASSES) / f"{index}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
    files = DataLoader(ImageFolder(folder / "png", memory.transform), batch_size=128, shuffle=True)
    mixed = ganaug.augment_loader(files, run, ratio=0.5)
    results["loader of PNG files, 50 % synthetic"] = paired(lambda: epoch(files), lambda: epoch(mixed))
    return results


def render(folder: Path) -> Figures:
    _, run = sets(folder)
    fitted = run.load()
    n = 64 * BLOCK  # 2,048 images, a small pool
    generator = fitted.generator.to(memory_format=torch.channels_last)
    z, y = fitted.prior.draw(BLOCK, torch.Generator()), torch.zeros(BLOCK, dtype=torch.int64)

    @torch.inference_mode()
    def bare() -> None:
        for _ in range(n // BLOCK):
            generator(z, y)

    seed = iter(range(1000))

    def rendering() -> None:
        with tempfile.TemporaryDirectory() as fresh:
            Pool.open(fitted, {"0": n}, seed=next(seed), folder=Path(fresh))

    return {"rendering a pool against the bare forward": paired(bare, rendering)}


def pool(folder: Path) -> Figures:
    _, run = sets(folder)
    torch.set_num_threads(1)
    opened = Pool.open(run, dict.fromkeys(map(str, range(CLASSES)), 1024))
    rows = np.random.default_rng(0).permutation(len(opened.labels))
    rates = []
    for _ in range(9):
        began = time.perf_counter()
        for start in range(0, len(rows), 256):
            torch.from_numpy(np.ascontiguousarray(opened.images[rows[start : start + 256]]))
        rates.append(len(rows) / (time.perf_counter() - began))
    return {"pool read, images a second, one thread": {"value": round(float(np.median(rates)))}}


def step(folder: Path) -> Figures:
    """Our loop against thirty lines with the same networks and terms."""
    pixels = torch.randint(0, 256, (1000, 1, 28, 28), dtype=torch.uint8)
    data = ClassBalancedBatches(pixels, torch.arange(1000) % 10, DataSpec((1, 28, 28), tuple("0123456789")))
    rounds = 8
    ours = train(make("small", {}), data, steps=10**6)
    bare = bare_loop(data)
    next(ours)
    return {
        "training step against a bare loop": paired(
            lambda: [next(bare) for _ in range(rounds)], lambda: [next(ours) for _ in range(rounds)]
        )
    }


def bare_loop(data: ClassBalancedBatches):
    """What one would write by hand for the recipe `small`; keep it in step with the recipe's terms."""
    recipe = make("small", {})
    defaults = {p.name: p.default for p in inspect.signature(small).parameters.values()}
    gamma, lazy, lr = defaults["gamma"], defaults["lazy"], defaults["lr"]
    nets = {k: n.to(memory_format=torch.channels_last) for k, n in recipe.networks(data.spec, recipe.prior).items()}
    g, d, eye = nets["generator"], nets["discriminator"], nets["eye"]
    average = [p.detach().clone() for p in g.parameters()]
    adam = {n: torch.optim.Adam(n.parameters(), lr, (0.0, 0.99), fused=True) for n in (g, d)}
    rng = torch.Generator()
    count = 0
    while True:
        x, y, *_ = data.draw(recipe.batch, rng)
        z = recipe.prior.draw(recipe.batch, rng)
        with torch.no_grad():
            fake = g(z, y)
        penalised = count % lazy == 0
        a, b = eye(x, rng).requires_grad_(penalised), eye(fake, rng).requires_grad_(penalised)
        on_real, on_fake = d(a, y), d(b, y)
        loss = softplus(on_fake - on_real).mean()
        if penalised:
            for scores, seen in ((on_real, a), (on_fake, b)):
                (slope,) = torch.autograd.grad(scores.sum(), seen, create_graph=True)
                loss = loss + gamma * lazy * 0.5 * slope.square().flatten(1).sum(1).mean()
        adam[d].zero_grad()
        loss.backward()
        adam[d].step()
        x, y, *_ = data.draw(recipe.batch, rng)
        d.requires_grad_(False)
        loss = softplus(d(eye(x, rng), y) - d(eye(g(recipe.prior.draw(recipe.batch, rng), y), rng), y)).mean()
        adam[g].zero_grad()
        loss.backward()
        adam[g].step()
        d.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(average, list(g.parameters()), 0.005)
        count += 1
        yield


def command(folder: Path) -> Figures:
    times = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ganaug", "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return {"ganaug --help, seconds": {"value": round(float(np.median(times[1:])), 3)}}


MEMORY = """
import sys, ganaug
synth = ganaug.SyntheticDataset(sys.argv[1], per_class=int(sys.argv[2]))
for i in range(0, len(synth), len(synth) // 100):
    synth[i]
print(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1])
"""


def memory(folder: Path) -> Figures:
    """Anonymous memory of a process that reads from 10,000 and from 1,000,000 synthetic images (8 px; Linux only)."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (100, 8, 8), dtype=np.uint8), np.arange(100) % 10
    run = ganaug.fit(images, folder / "small", recipe="cgan", steps=1)
    kib = [
        int(subprocess.run([sys.executable, "-c", MEMORY, str(run.path), n], capture_output=True, check=True).stdout)
        for n in ("1000", "100000")
    ]
    return {"anonymous memory, 1,000,000 against 10,000 samples": {"value": round(kib[1] / kib[0], 4), "KiB": kib}}


RANKS = {"28 px, batch 64": (28, 64), "28 px, batch 128": (28, 128), "64 px, batch 64": (64, 64)}
PLAYED = """
import signal, statistics, sys, ganaug
file, out, size, batch, slices, rounds = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
speeds = []
def track(step, values):
    if "steps_per_second" in values:
        speeds.append(values["steps_per_second"])
        if len(speeds) == rounds:
            print("median", statistics.median(speeds[1:]), flush=True)
            signal.raise_signal(signal.SIGINT)
try:
    ganaug.fit(file, out, size=size, steps=500, options={"batch": batch}, slices=slices, track=track)
except (KeyboardInterrupt, ganaug.GanaugError):
    pass
"""


def ranks(folder: Path) -> Figures:
    """Rounds a second of a fit by two processes over twice those by one, one thread each: at best 1."""
    (folder / "played.py").write_text(PLAYED)
    return {f"two processes against one, {name}": together(folder, *RANKS[name]) for name in RANKS}


def together(folder: Path, size: int, batch: int, times: int = 3, rounds: int = 40) -> dict[str, Any]:
    """The median of the first rounds of a fit, few of which draw a grid of samples."""
    rng = np.random.default_rng(0)
    file = folder / f"{size}.npz"
    np.savez(file, x_train=rng.integers(0, 256, (1000, size, size), dtype=np.uint8), y_train=np.arange(1000) % 10)
    both = ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
    speeds = np.zeros((times, 2))
    for i, place in itertools.product(range(times), (0, 1)):
        given = [str(file), str(folder / f"{size}-{batch}-{i}-{place}"), size, batch, 1 + place, rounds]
        command = [sys.executable, *(both if place else []), str(folder / "played.py"), *map(str, given)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        if "median" not in done.stdout:
            raise RuntimeError(done.stderr)
        speeds[i, place] = float(done.stdout.split()[-1])
    low, middle, high = np.percentile(speeds[:, 1] / speeds[:, 0] / 2, [0, 50, 100]).round(3).tolist()
    seconds = (1 / np.median(speeds, 0)).round(4).tolist()
    return {"ratio": middle, "low": low, "high": high, "rounds": times, "seconds": seconds}


PARTS = {f.__name__: f for f in (loader, render, pool, step, command, memory, ranks)}


def main(arguments: Sequence[str] | None = None) -> int:
    global clock
    parser = options(__doc__, "speed")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--cpu-time", action="store_true",
                        help="ratios of processor time, for a busy machine; use OMP_NUM_THREADS=1")  # fmt: skip
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"There is no part {', '.join(unknown)}; there are: {', '.join(PARTS)}.")
    clock = time.process_time if asked.cpu_time else time.perf_counter
    for name in asked.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            keep(asked.results, PARTS[name](Path(folder)), clock=clock.__name__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
