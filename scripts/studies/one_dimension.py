"""GANs on numbers from normal distributions: an article's experiments redone over many seeds, and its failures cured.

    python scripts/one_dimension.py              # all cells, then docs/one_dimension.md
    python scripts/one_dimension.py --seeds 2    # fewer
    python scripts/one_dimension.py --only-page

The article ("Generative Adversarial Networks", a GAN for a 1-D normal distribution) looks at the optimiser, the seed,
minibatch discrimination, the number of hidden layers, sigma from 0.55 to 3, and two modes, one run each. Each question
and seed is one cell, OUT/QUESTION/seed-N.json: a cell that is there is not played again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click
import matplotlib
import numpy as np
import torch
from torch import nn

from ganaug.errors import DivergedError
from ganaug.game import Recipe
from ganaug.recipes import make
from scripts.studies.recipes.toys import Mixture, line_distance, line_recipe, normal, play_line

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROUNDS = 1500
ARTICLE = normal(4, 0.5)
TWO = Mixture(((-2, 0.5), (2, 0.7)))
MODERN = "relativistic + R1 + R2"


@dataclass(frozen=True)
class SGD:
    """Gradient descent, which the article began with."""

    lr: float

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=self.lr)


@dataclass(frozen=True)
class Question:
    """One setting: the part of the article that it belongs to, the recipe, and the data."""

    part: str
    name: str
    data: Mixture
    recipe: str = "gan"
    layers: int = 2
    sgd: bool = False

    def build(self) -> Recipe:
        if self.recipe == MODERN:
            return modern(self.layers)
        recipe = replace(line_recipe(self.recipe, self.layers), memory=0.0)  # the last weights, as in the article
        if not self.sgd:
            return recipe
        return replace(recipe, players=tuple(replace(p, optimiser=SGD(0.05)) for p in recipe.players))

    @property
    def key(self) -> str:
        return f"{self.part}-{self.name}".replace(" ", "_").replace("+", "and").replace(",", "")


def modern(layers: int) -> Recipe:
    """The losses of the default recipe (relativistic pairing, R1 and R2) on the same networks as the others.

    As for images, samples come from the average of the generator's weights. The penalties are lighter: one number has a
    steeper slope than many pixels.
    """
    losses = make("small", {"gamma": 0.02, "lazy": 1, "lr": 2e-3}).players
    return replace(line_recipe("gan", layers), players=losses)


QUESTIONS = [
    Question("optimiser", "Adam", ARTICLE),
    Question("optimiser", "gradient descent", ARTICLE, sgd=True),
    Question("minibatch", "without", ARTICLE, layers=1),
    Question("minibatch", "with", ARTICLE, "minibatch", layers=1),
    *[Question("hidden layers", f"{n}, {r}", ARTICLE, r, layers=n) for n in (1, 2, 3, 4) for r in ("gan", "minibatch")],
    *[Question("sigma", f"{s:g}, {r}", normal(4, s), r) for s in (0.55, 1, 2, 3) for r in ("gan", "minibatch")],
    Question("two modes", "gan", TWO),
    Question("two modes", "minibatch", TWO, "minibatch"),
    Question("two modes", "gan, gradient descent", TWO, sgd=True),
    Question("cure", "two modes", TWO, MODERN),
    Question("cure", "sigma 3", normal(4, 3), MODERN),
]


def play(question: Question, seed: int, out: Path) -> dict[str, float | list[float]]:
    """The figures of one cell: from its file, or by playing it."""
    file = out / question.key / f"seed-{seed}.json"
    if file.exists():
        return json.loads(file.read_text())
    began = time.process_time()
    try:
        samples = play_line(question.build(), question.data, ROUNDS, seed)
    except DivergedError:
        samples = np.zeros(2000)
    real = question.data.draw(20_000, torch.Generator().manual_seed(1)).numpy()
    values = {
        "distance": line_distance(samples, question.data),
        "spread": float(samples.std() / real.std()),
        "shift": float((samples.mean() - real.mean()) / real.std()),
        "seconds": time.process_time() - began,
        "samples": [round(float(x), 3) for x in samples[:400]],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values))
    return values


def cells(question: Question, out: Path) -> list[dict]:
    return [json.loads(f.read_text()) for f in sorted((out / question.key).glob("seed-*.json"))]


def draw(file: Path, out: Path) -> None:
    """For each part, samples of all seeds against the density of the data."""
    shown = [q for q in QUESTIONS if cells(q, out)]
    columns = 5
    rows = -(-len(shown) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(11, 1.7 * rows), layout="constrained", squeeze=False)
    for ax in axes.flat[len(shown) :]:
        ax.axis("off")
    for ax, question in zip(axes.flat, shown, strict=False):
        real = question.data.draw(20_000, torch.Generator().manual_seed(1))[:, 0].numpy()
        bins = np.linspace(real.mean() - 4 * real.std(), real.mean() + 4 * real.std(), 60)
        ax.hist(real, bins, density=True, color="0.85")
        for cell in cells(question, out):
            ax.hist(cell["samples"], bins, density=True, histtype="step", lw=0.8)
        top = np.histogram(real, bins, density=True)[0].max()
        ax.set(yticks=[], ylim=(0, 2.5 * top))
        ax.set_title(f"{question.part}: {question.name}", fontsize=7)
        ax.tick_params(labelsize=6)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def write_page(out: Path) -> None:
    lines = [
        "# GANs on a line",
        "",
        "An article about a GAN that learns to draw numbers from a normal distribution (mean 4, standard deviation "
        "0.5) asks what the optimiser, the seed, minibatch discrimination, the number of hidden layers, the standard "
        "deviation and a second mode do, with one run each. Here are several, by "
        "`python scripts/one_dimension.py --seeds N` (N is in the tables): "
        f"small perceptrons (`scripts/studies/toys.py`), {ROUNDS} rounds of 64 numbers each, Adam with 2e-3 if not "
        "said otherwise.",
        "",
        "*distance*: Wasserstein distance between 2,000 samples and the data, over the standard deviation of the data: "
        "about 0.8 is what a constant at the mean of a normal distribution has. *spread*: standard deviation of the "
        "samples over that of the data. Median over the seeds, and the extremes in brackets; a game that diverged "
        "counts as zeros.",
        "",
    ]
    part = ""
    for question in QUESTIONS:
        found = cells(question, out)
        if not found:
            continue
        if question.part != part:
            part = question.part
            lines += [
                "",
                f"## {part}",
                "",
                "| | distance (worst) | spread (smallest to largest) | seeds |",
                "|---|---|---|---|",
            ]
        d, s = (np.array([cell[key] for cell in found]) for key in ("distance", "spread"))
        spread = f"{np.median(s):.2f} ({s.min():.2f} to {s.max():.2f})"
        lines.append(f"| {question.name} | {np.median(d):.2f} ({d.max():.2f}) | {spread} | {len(found)} |")
    lines += [
        "",
        f"*cure*: {MODERN} (the losses of the default recipe) on the same networks and as many rounds.",
        "",
        "![Samples of all seeds, in colours, and the data, grey](images/one_dimension.png)",
        "",
    ]
    draw(DOCS / "images" / "one_dimension.png", out)
    (DOCS / "one_dimension.md").write_text("\n".join(lines))


@click.command()
@click.option("--seeds", default=6, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/one_dimension"), show_default=True)
@click.option("--only-page", is_flag=True, help="Write the page from the cells that there are.")
def main(seeds: int, out: Path, only_page: bool) -> None:
    torch.set_num_threads(1)
    for seed in [] if only_page else range(seeds):  # whole tables early, more seeds later
        for question in QUESTIONS:
            values = play(question, seed, out)
            print(
                f"{question.key} seed {seed}: distance {values['distance']:.2f}  spread {values['spread']:.2f}",
                flush=True,
            )
    write_page(out)


if __name__ == "__main__":
    main()
