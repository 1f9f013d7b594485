"""Rows of a table: learn them, fill up a rare class, and see what that does to a classifier.

ganaug check   table.csv --target class
ganaug fit     table.csv --target class --out runs/table
ganaug augment runs/table --balance --out synthetic.csv
"""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ganaug
from ganaug.samples.plan import balance

out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 800
out.mkdir(parents=True, exist_ok=True)

# Every other wine is for testing; of the third class, eight are left to learn from.
wine = load_wine()
names = [*wine.feature_names, "class"]
rows = [[*map(str, x), f"cultivar {y}"] for x, y in zip(wine.data.tolist(), wine.target.tolist(), strict=True)]
test, train = rows[::2], rows[1::2]
train = [row for row in train if row[-1] != "cultivar 2"] + [row for row in train if row[-1] == "cultivar 2"][:8]
with (out / "wine.csv").open("w", newline="") as file:
    csv.writer(file).writerows([names, *train])

run = ganaug.fit(out / "wine.csv", out / "wine", target="class", steps=steps, resume=True)
synthetic = out / "wine_synthetic.csv"
synthetic.unlink(missing_ok=True)
ganaug.augment(run, balance(run.load().card.counts), synthetic)
with synthetic.open(newline="") as file:
    header, *made = csv.reader(file)
assert header == names
print("a synthetic row:", dict(zip(header, made[-1], strict=True)))


def score(learned: list[list[str]]) -> float:
    """Mean share of each class of real wines that is recognised."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit([[float(cell) for cell in row[:-1]] for row in learned], [row[-1] for row in learned])
    answers = model.predict([[float(cell) for cell in row[:-1]] for row in test])
    return float(balanced_accuracy_score([row[-1] for row in test], answers))


print(
    f"balanced accuracy: {score(train):.3f} on {len(train)} real rows, {score(train + made):.3f} with {len(made)} more"
)
