"""What WGAN-GP makes of tables: two that scikit-learn ships, one of them with columns binned into categories.

Figures are accuracies on real rows that played no part in anything: the mean of classifiers (random forest, logistic
regression, gradient boosting) trained on real rows, and of the same trained on synthetic rows, 300 a class at least.
The vanilla loss is played on the same networks, for more rounds.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ganaug
from ganaug.data.rows.columns import Category, Number
from ganaug.data.rows.table import load_table
from ganaug.fitting.doctor.history import read_history
from ganaug.game import Adam, Recipe
from ganaug.losses import nonsaturating
from ganaug.recipes import make
from ganaug.samples.plan import per_class
from scripts.studies.lib.drawing import figure
from scripts.studies.recipes.judged import Study

STEPS = {"wgan_gp": 1000, "vanilla": 3000}
BINNED = ("alcohol", "malic_acid", "color_intensity", "hue")  # columns of wine that become low, middle, high


def vanilla(lr: float = 2e-4) -> Recipe:
    """The networks of wgan_gp on tables with the losses of Goodfellow et al. 2014."""
    base = make("wgan_gp", {"lr": lr})
    discriminator, generator = base.players
    adam = Adam(lr, (0.5, 0.999))
    return replace(
        base,
        players=(
            replace(discriminator, loss=nonsaturating.discriminator, optimiser=adam, moves=1),
            replace(generator, loss=nonsaturating.generator, optimiser=adam),
        ),
    )


def write_tables(out: Path, seed: int) -> dict[str, tuple[Path, Path]]:
    """CSV files of 70 % and 30 % of each table, by name."""
    files = {}
    for name, bunch in (("wine", load_wine()), ("breast cancer", load_breast_cancer())):
        columns = [[f"{value:g}" for value in column] for column in bunch.data.T]
        names = [str(n) for n in bunch.feature_names]
        for i in (i for i, n in enumerate(names) if name == "wine" and n in BINNED):
            edges = np.quantile(bunch.data[:, i], [1 / 3, 2 / 3])
            columns[i] = [("low", "middle", "high")[k] for k in np.digitize(bunch.data[:, i], edges)]
        rows = [*zip(*columns, [str(bunch.target_names[k]) for k in bunch.target], strict=True)]
        parts = train_test_split(rows, test_size=0.3, stratify=bunch.target, random_state=seed)
        paths = [out / f"{name.replace(' ', '_')}_{part}.csv" for part in ("train", "test")]
        for path, part in zip(paths, parts, strict=True):
            with path.open("w", newline="") as file:
                csv.writer(file).writerows([[*names, "class"], *part])
        files[name] = (paths[0], paths[1])
    return files


def read(file: Path, like: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a CSV file as numbers, categories one-hot as in the table `like`; labels as text."""
    codec = load_table(like, "class").codec
    with file.open(newline="") as opened:
        header, *rows = csv.reader(opened)
    cells = dict(zip(header, zip(*rows, strict=True), strict=True))
    parts = []
    for column in codec.columns:
        numbers = isinstance(column, Number)
        parts.append(
            np.array([[float(c)] for c in cells[column.name]]) if numbers else column.encode(cells[column.name])
        )
    return np.concatenate(parts, 1), np.array(cells["class"])


def accuracy(train: Path, test: Path, like: Path, seed: int) -> float:
    """Mean accuracy of three classifiers."""
    judges = (
        RandomForestClassifier(200, random_state=seed),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        HistGradientBoostingClassifier(random_state=seed),
    )
    x, y = read(train, like)
    held, answers = read(test, like)
    return float(np.mean([judge.fit(x, y).score(held, answers) for judge in judges]))


def shares(file: Path, like: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Class -> column of categories -> value -> share."""
    codec = load_table(like, "class").codec
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in sorted({row["class"] for row in rows}):
        own = [row for row in rows if row["class"] == name]
        found[name] = {
            column.name: {v: sum(row[column.name] == v for row in own) / len(own) for v in column.values}
            for column in codec.columns
            if isinstance(column, Category)
        }
    return found


def variation(real: Path, made: Path) -> float:
    """Mean over classes and columns of the total variation between the shares of categories."""
    a, b = shares(real, real), shares(made, real)
    distances = [
        0.5 * sum(abs(share - b[name][column][value]) for value, share in values.items())
        for name, columns in a.items()
        for column, values in columns.items()
    ]
    return float(np.mean(distances))


def made(out: Path, train: Path, name: str, seed: int, quick: bool) -> tuple[ganaug.Run, Path]:
    """A run, and as many synthetic rows of each class as its largest class has, but 300 at least."""
    recipe = "wgan_gp" if name == "wgan_gp" else f"{__file__}:vanilla"
    folder = out / f"{train.stem}-{name}"
    steps = 20 if quick else STEPS[name]
    run = ganaug.fit(train, folder, target="class", recipe=recipe, steps=steps, seed=seed, device="cpu", resume=True)
    fitted = run.load() if name == "wgan_gp" else ganaug.load(run, recipe=vanilla())
    counts = fitted.card.counts
    plan = per_class(counts, max(300, *counts.values()))
    file = folder / "synthetic.csv"
    file.unlink(missing_ok=True)
    return run, ganaug.augment(fitted, plan, file, seed=seed)


def draw_losses(runs: dict[str, ganaug.Run], out: Path) -> dict[str, float]:
    """Figure 6 of the article, for both losses; gives the discriminator's loss at the end, the mean of a tenth."""
    ends = {}
    with figure(out / "losses.png", 1, len(runs), figsize=(9, 3)) as (whole, axes):
        for axis, (name, run) in zip(axes, runs.items(), strict=True):
            lines = read_history(run.path).losses
            for player in ("discriminator", "generator"):
                term = next(key for key in lines[-1] if key.startswith(player) and key.endswith(player))
                values = [line[term] for line in lines]
                axis.plot([line["step"] for line in lines], values, label=player, linewidth=0.8)
                ends[f"{name} {player}"] = float(np.mean(values[-max(1, len(values) // 10) :]))
            axis.set(title=name, xlabel="round", ylabel="loss")
            axis.legend(frameon=False)
        whole.tight_layout()
    return ends


def draw_shares(real: Path, files: dict[str, Path], out: Path) -> None:
    """Shares of the categories of each binned column, class by class: real beside synthetic."""
    sides = {"real": shares(real, real)} | {name: shares(file, real) for name, file in files.items()}
    classes, columns = list(sides["real"]), list(next(iter(sides["real"].values())))
    with figure(out / "grid.png", len(classes), len(columns), figsize=(9, 5), sharey=True) as (whole, axes):
        for (i, j), axis in np.ndenumerate(axes):
            for k, (side, found) in enumerate(sides.items()):
                values = found[classes[i]][columns[j]]
                axis.bar(np.arange(len(values)) + 0.27 * (k - 1), list(values.values()), 0.25, label=side)
            axis.set_xticks(range(len(values)), list(values), fontsize=7)
            axis.set_title(f"{classes[i]}: {columns[j]}", fontsize=7)
        whole.legend(*axes[0, 0].get_legend_handles_labels(), loc="upper center", ncols=3, frameon=False)
        whole.tight_layout(rect=(0, 0, 1, 0.94))


def study_tables(out: Path, seed: int, quick: bool) -> dict[str, float | str]:
    """Trains on both tables, and the vanilla loss on the mixed one."""
    files = write_tables(out, seed)
    figures: dict[str, float | str] = {}
    runs, synthetic = {}, {}
    for name, (train, test) in files.items():
        run, rows = made(out, train, "wgan_gp", seed, quick)
        real, fake = accuracy(train, test, train, seed), accuracy(rows, test, train, seed)
        figures |= {f"{name}: accuracy, real rows": real, f"{name}: accuracy, synthetic rows": fake}
        figures[f"{name}: points lost"] = 100 * (real - fake)
        runs[name], synthetic[name] = run, rows
    train = files["wine"][0]
    run, rows = made(out, train, "vanilla", seed, quick)
    figures["wine: error of the shares of categories"] = variation(train, synthetic["wine"])
    figures["the same, vanilla loss"] = variation(train, rows)
    figures["wine: points lost, vanilla loss"] = 100 * (
        float(figures["wine: accuracy, real rows"]) - accuracy(rows, files["wine"][1], train, seed)
    )
    ends = draw_losses({"WGAN-GP": runs["wine"], "vanilla": run}, out)
    figures["vanilla: discriminator's loss at the end"] = ends["vanilla discriminator"]
    figures["vanilla: generator's loss at the end"] = ends["vanilla generator"]
    draw_shares(train, {"WGAN-GP": synthetic["wine"], "vanilla": rows}, out)
    return figures


STUDIES = {
    "wgan_gp on tables": Study(
        study_tables,
        "wine (4 of 13 columns binned into 3 categories) and breast cancer, of scikit-learn, 70 % of each",
        "Classifiers trained on synthetic rows, tested on real ones. Shares of categories, real and synthetic; "
        "losses: the vanilla discriminator tells one-hot codes from probabilities, and its generator gains nothing.",
        aims={
            "wine: points lost": ("<=", 5),
            "breast cancer: points lost": ("<=", 5),
            "wine: error of the shares of categories": ("<=", 0.1),
            "the same, vanilla loss": (">=", 0.2),
        },
    ),
}
