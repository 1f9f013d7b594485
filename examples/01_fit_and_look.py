"""Fit a generator on labelled images and look at what it makes.

The digits are embedded in scikit-learn. In place of "digits": a folder of class folders, a .npz file, (X, y), or any
map-style data set.
"""

import sys
from pathlib import Path

import ganaug

out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 400  # about half a minute; budget="10m" for images of your own


def report(phase: str, done: int, total: int, detail: str = "") -> None:
    if phase == "fit" and done % 100 == 0:
        print(f"step {done} of {total}  {detail}")


run = ganaug.fit("digits", out / "digits", steps=steps, limit=40, resume=True, report=report)
for picture in ganaug.preview(run, out / "preview"):
    print("look at", picture)

card = run.load().card
print(f"{card.steps} steps on {sum(card.counts.values())} images of {len(card.classes)} classes")
print(f"{len(card.held_out)} images were held out from every gradient")
