"""What the recurrent conditional GAN makes of waves: sinusoidal and saw-tooth ones of 30 steps, of different offsets,
frequencies and amplitudes, as in article 003 of the seeds.

Figures: accuracy on 1,000 real waves of classifiers (random forest, perceptron; the lower of the two) trained on 2,000
synthetic ones; how much of a synthetic wave the nearest real one of its class explains; and, for the sinusoids of a
9 x 9 grid in a two-dimensional latent space, how much frequency and amplitude change from one cell to the next, as a
share of how much they differ between any two cells: 1 if the latent space had no order, near 0 if it is smooth.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import ganaug
from ganaug.generator.folder import Fitted
from ganaug.samples.plan import per_class
from scripts.studies.lib.drawing import figure
from scripts.studies.recipes.judged import Study

STEPS, SIDE = 2500, 9
CLASSES = ("sinusoidal", "saw-tooth")


def waves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 30) float32 and labels: 1 to 3 periods, amplitude 0.3 to 1, offset up to 0.3."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    turns = rng.uniform(1, 3, (n, 1)) / 30 * np.arange(30)
    shapes = np.where(labels[:, None] == 0, np.sin(2 * np.pi * turns), 2 * (turns % 1) - 1)
    return (rng.uniform(0.3, 1, (n, 1)) * shapes + rng.uniform(-0.3, 0.3, (n, 1))).astype(np.float32), labels


def accuracy(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """The lower accuracy of two classifiers on real waves that nothing was trained on."""
    held, answers = waves(1000, seed + 10_000)
    judges = (RandomForestClassifier(200, random_state=seed), MLPClassifier((100,), max_iter=300, random_state=seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(min(judge.fit(x, y).score(held, answers) for judge in judges))


def grid(fitted: Fitted) -> np.ndarray:
    """Sinusoids at (SIDE, SIDE) latents from -1.5 to 1.5 in both directions: (SIDE, SIDE, 30)."""
    line = torch.linspace(-1.5, 1.5, SIDE)
    z = torch.stack(torch.meshgrid(line, line, indexing="ij"), 2).flatten(0, 1)
    with torch.inference_mode():
        x = fitted.generator(z, torch.zeros(len(z), dtype=torch.long))
    return fitted.card.codec.decode(x).reshape(SIDE, SIDE, 30)


def frequency(x: np.ndarray) -> np.ndarray:
    """Periods in 30 steps of the strongest sinusoid, of waves (..., 30)."""
    spectrum = np.abs(np.fft.rfft(x - x.mean(-1, keepdims=True), n=1200, axis=-1))
    return spectrum.argmax(-1) / 40


def amplitude(x: np.ndarray) -> np.ndarray:
    """Half of the distance between the lowest and the highest value."""
    return (x.max(-1) - x.min(-1)) / 2


def roughness(values: np.ndarray) -> float:
    """Mean difference of neighbouring cells (SIDE, SIDE) over the mean difference of any two."""
    beside = np.concatenate([np.abs(np.diff(values, axis=axis)).ravel() for axis in (0, 1)]).mean()
    return float(beside / np.abs(values.ravel()[:, None] - values.ravel()).mean())


def span(made: np.ndarray, real: np.ndarray) -> float:
    """The middle 90 % of what is made, as a share of the middle 90 % of what is real."""
    widths = [np.subtract(*np.quantile(values, [0.95, 0.05])) for values in (made, real)]
    return float(widths[0] / widths[1])


def explained(x: np.ndarray, label: int) -> float:
    """Median over waves (N, 30) of the share of the variance that the nearest wave of the class explains, with its
    frequency (1 to 3 periods), amplitude and offset fitted; 1 for real ones."""
    centred = x - x.mean(1, keepdims=True)
    best = np.zeros(len(x))
    for periods in np.linspace(1, 3, 81):
        turns = periods / 30 * np.arange(30)
        shape = np.sin(2 * np.pi * turns) if label == 0 else 2 * (turns % 1) - 1
        shape = shape - shape.mean()
        fitted = np.maximum(centred @ shape, 0) / (shape @ shape)  # a wave upside down is none
        rest = ((centred - fitted[:, None] * shape) ** 2).sum(1)
        best = np.maximum(best, 1 - rest / np.maximum((centred**2).sum(1), 1e-9))
    return float(np.median(best))


def draw(x: np.ndarray, y: np.ndarray, cells: np.ndarray, out: Path) -> None:
    """Figures 13 (waves of both classes) and 14 (one class over the latent plane) of the article."""
    with figure(out / "grid.png", 1, 2, figsize=(9, 3), sharey=True) as (whole, axes):
        for label, axis in enumerate(axes):
            axis.plot(x[y == label][:12].T, linewidth=1)
            axis.set(title=f"{CLASSES[label]}, synthetic", xlabel="step")
        whole.tight_layout()
    with figure(out / "latent.png", SIDE, SIDE, figsize=(8, 6), sharex=True, sharey=True) as (whole, axes):
        for place in np.ndindex(SIDE, SIDE):
            axes[place].plot(cells[place], linewidth=1)
            axes[place].set(xticks=[], yticks=[])
        whole.suptitle("sinusoidal, over the two latent numbers from -1.5 to 1.5", fontsize=9)
        whole.subplots_adjust(0.02, 0.02, 0.98, 0.94, 0.05, 0.05)


def study_rcgan(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    """Trains on 2,000 waves."""
    x, y = waves(2000, seed)
    np.savez(out / "waves.npz", x_train=x, y_train=y, classes=np.array(CLASSES))
    steps = 20 if quick else STEPS
    run = ganaug.fit(out / "waves.npz", out / "run", recipe="rcgan", steps=steps, seed=seed, device="cpu", resume=True)
    fitted = run.load()
    (out / "synthetic.npz").unlink(missing_ok=True)
    with np.load(ganaug.augment(fitted, per_class(CLASSES, 1000), out / "synthetic.npz", seed=seed)) as file:
        fakes, labels = file["x_train"], file["y_train"]
    cells = grid(fitted)
    draw(fakes, labels, cells, out)
    made, real = fakes[labels == 0], x[y == 0]
    teeth, real_teeth = fakes[labels == 1], x[y == 1]
    return {
        "accuracy on real waves, trained on real": accuracy(x, y, seed),
        "accuracy on real waves, trained on synthetic": accuracy(fakes, labels, seed),
        "sinusoids: variance that the nearest real one explains, median": explained(made, 0),
        "saw-teeth: the same": explained(teeth, 1),
        "saw-teeth: span of amplitudes, synthetic over real": span(amplitude(teeth), amplitude(real_teeth)),
        "step between neighbours, frequency": roughness(frequency(cells)),
        "step between neighbours, amplitude": roughness(amplitude(cells)),
        "sinusoids: span of frequencies, synthetic over real": span(frequency(made), frequency(real)),
        "sinusoids: span of amplitudes, synthetic over real": span(amplitude(made), amplitude(real)),
    }


STUDIES = {
    "rcgan": Study(
        study_rcgan,
        "2,000 sinusoidal and saw-tooth waves of 30 steps",
        "Synthetic waves of both classes, and sinusoids over the two-dimensional latent space.",
        aims={
            "accuracy on real waves, trained on synthetic": (">=", 0.95),
            "sinusoids: variance that the nearest real one explains, median": (">=", 0.8),
            "saw-teeth: the same": (">=", 0.8),
            "step between neighbours, frequency": ("<=", 0.5),
            "step between neighbours, amplitude": ("<=", 0.5),
        },
    ),
}
