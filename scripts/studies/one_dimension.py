"""GANs on numbers from normal distributions: an article's experiments redone over many seeds, and its failures cured.

    python -m scripts.studies.one_dimension              # all cells, then the picture
    python -m scripts.studies.one_dimension --seeds 2    # fewer

The article ("Generative Adversarial Networks", a GAN for a 1-D normal distribution) looks at the optimiser, the seed,
minibatch discrimination, the number of hidden layers, sigma from 0.55 to 3, and two modes, one run each. Each question
and seed is one cell, a line of results/one_dimension.jsonl: a cell that is there is not played again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ganaug.errors import DivergedError
from ganaug.game import Recipe
from ganaug.recipes import make
from scripts.studies.lib.command import count, options
from scripts.studies.lib.drawing import figure
from scripts.studies.lib.draws import play_all
from scripts.studies.lib.results import DOCS, RESULTS, Line, read
from scripts.studies.lib.words import PAGES, table, written_by
from scripts.studies.recipes.toys import Mixture, line_distance, line_recipe, normal, play_line

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


def play(part: str, name: str, seed: int) -> Line:
    """What is kept of one cell."""
    [question] = [one for one in QUESTIONS if (one.part, one.name) == (part, name)]
    began = time.process_time()
    try:
        samples = play_line(question.build(), question.data, ROUNDS, seed)
    except DivergedError:
        samples = np.zeros(2000)
    real = question.data.draw(20_000, torch.Generator().manual_seed(1)).numpy()
    return {
        "part": question.part,
        "name": question.name,
        "seed": seed,
        "distance": line_distance(samples, question.data),
        "spread": float(samples.std() / real.std()),
        "shift": float((samples.mean() - real.mean()) / real.std()),
        "seconds": time.process_time() - began,
        "samples": [round(float(x), 3) for x in samples[:400]],
    }


def told(line: Line) -> str:
    return f"distance {line['distance']:.2f}, spread {line['spread']:.2f}"


def answered(cells: Sequence[Line]) -> dict[Question, list[Line]]:
    """The cells of each question that has some."""
    found = {q: [cell for cell in cells if (cell["part"], cell["name"]) == (q.part, q.name)] for q in QUESTIONS}
    return {question: own for question, own in found.items() if own}


def draw(file: Path, cells: Sequence[Line]) -> None:
    """For each question, samples of all seeds against the density of the data."""
    found, columns = answered(cells), 5
    rows = -(-len(found) // columns)
    with figure(file, rows, columns, figsize=(11, 1.7 * rows), layout="constrained", squeeze=False) as (_, axes):
        for ax in axes.flat[len(found) :]:
            ax.axis("off")
        for ax, (question, own) in zip(axes.flat, found.items(), strict=False):
            real = question.data.draw(20_000, torch.Generator().manual_seed(1))[:, 0].numpy()
            bins = np.linspace(real.mean() - 4 * real.std(), real.mean() + 4 * real.std(), 60)
            ax.hist(real, bins, density=True, color="0.85")
            for cell in own:
                ax.hist(cell["samples"], bins, density=True, histtype="step", lw=0.8)
            top = np.histogram(real, bins, density=True)[0].max()
            ax.set(yticks=[], ylim=(0, 2.5 * top))
            ax.set_title(f"{question.part}: {question.name}", fontsize=7)
            ax.tick_params(labelsize=6)


def render() -> str | None:
    """docs/one_dimension.md."""
    found = answered(read(RESULTS / "one_dimension.jsonl"))
    if not found:
        return None
    lines = [
        "# GANs on a line\n",
        f"{written_by('python -m scripts.studies.one_dimension --seeds N')}\n",
        "An article about a GAN that learns to draw numbers from a normal distribution (mean 4, standard deviation "
        "0.5) asks what the optimiser, the seed, minibatch discrimination, the number of hidden layers, the standard "
        "deviation and a second mode do, with one run each. Here are several (N is in the tables): small perceptrons "
        f"(`scripts/studies/recipes/toys.py`), {ROUNDS} rounds of 64 numbers each, Adam with 2e-3 if not said "
        "otherwise.\n",
        "*distance*: Wasserstein distance between 2,000 samples and the data, over the standard deviation of the data: "
        "about 0.8 is what a constant at the mean of a normal distribution has. *spread*: standard deviation of the "
        "samples over that of the data. Median over the seeds, and the extremes in brackets; a game that diverged "
        "counts as zeros.\n",
    ]
    for part in dict.fromkeys(question.part for question in found):
        rows = [_row(question.name, own) for question, own in found.items() if question.part == part]
        header = ("", "distance (worst)", "spread (smallest to largest)", "seeds")
        lines += [f"## {part}\n", table(header, rows)]
    return "\n".join([
        *lines,
        f"*cure*: {MODERN} (the losses of the default recipe) on the same networks and as many rounds.\n",
        "![Samples of all seeds, in colours, and the data, grey](images/one_dimension.png)\n",
    ])  # fmt: skip


def _row(name: str, cells: Sequence[Line]) -> tuple[str, ...]:
    distance, spread = (np.array([cell[key] for cell in cells]) for key in ("distance", "spread"))
    return (
        name,
        f"{np.median(distance):.2f} ({distance.max():.2f})",
        f"{np.median(spread):.2f} ({spread.min():.2f} to {spread.max():.2f})",
        f"{len(cells)}",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "one_dimension", draws=True)
    parser.add_argument("--seeds", type=count, default=6, help="(default: 6)")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    seeds = range(asked.seeds)  # whole tables early, more seeds later
    draws = [{"part": one.part, "name": one.name, "seed": seed} for seed in seeds for one in QUESTIONS]
    play_all(asked, play, draws, told)
    ours = asked.results == RESULTS / "one_dimension.jsonl"
    picture = DOCS / "images" / "one_dimension.png" if ours else asked.results.with_suffix(".png")
    draw(picture, read(asked.results))
    print(f"{picture}; `{PAGES}` writes the page.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
