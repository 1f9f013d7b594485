"""The question that matters: does it help my classifier? On 20 digits a class, against tuned augmentation.

Run 01_fit_and_look.py first (or this runs it). Takes about a minute.
"""

import runpy
import sys
from pathlib import Path

import ganaug

runpy.run_path(str(Path(__file__).with_name("01_fit_and_look.py")))
out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else None  # of each small classifier; the default is set by the data

# Mirrored digits are other signs, so the baseline may use everything else; without `quick`, more of it is tried.
results = ganaug.bench(
    "digits", run=out / "digits", out=out / "bench", limit=40, quick=True, augmentations=("affine",),
    remedies=("augmentation", "mean"), ratios=(0.25, 0.5), steps=steps,
)  # fmt: skip
print(results.table())
print("verdict:", results.data["verdict"], "- share to use:", results.data["ratio"])
print("page:", results.report_path)
