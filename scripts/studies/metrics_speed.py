"""Speed and memory of the Frechet distance and of PRDC, against pytorch-fid and prdc on the same features.

    python -m scripts.studies.metrics_speed       # 10,000 x 512, and memory at 50,000 x 512; ten minutes
    python -m scripts.studies.metrics_speed --rows 4000 --no-memory

Both are timed in turns in one process that is bound to one core, in CPU seconds of that process: on one core that is
its wall time if nothing else ran, and other jobs on the machine disturb it little. From features to figure: mean and
covariance (numpy's) are part of pytorch-fid's time as ours are of ours; once more from given moments, which is what
pytorch-fid's own function takes. A ratio is the median over rounds of (their
time) / (our time); its quartiles stand beside it. The figures of both are compared, too.

Memory is the peak of resident memory (VmHWM) of a process of its own, less what was resident when libraries and
features were loaded and one small computation had been done; the features themselves (2 x 98 MiB) are not in it. Linux
only. Figures are kept in results/metrics_speed.jsonl; docs/speed.md tells them.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import threadpoolctl
import torch
from prdc import compute_prdc
from pytorch_fid.fid_score import calculate_frechet_distance

from ganaug.metrics import frechet_distance, manifold
from ganaug.metrics.frechet import Moments, frechet_of_moments
from scripts.studies.lib.command import count, options
from scripts.studies.lib.results import ROOT
from scripts.studies.speed import Figures, keep, paired

K = 5


def features(rows: int, width: int, seed: int) -> np.ndarray:
    """float32 (rows, width), correlated, with a falling spectrum as features of networks have."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, width + 1) ** -0.5
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((width, width)))[0]
    values = rng.standard_normal((rows, width), dtype=np.float32) * (spectrum * (1 + 0.1 * seed)).astype(np.float32)
    return values @ turn.astype(np.float32)


def compared(theirs: Callable[[], Any], ours: Callable[[], Any], rounds: int) -> dict[str, Any]:
    """Times, and the largest difference of the figures that both give."""
    gap = np.abs(np.subtract(theirs(), ours())).max()
    return paired(theirs, ours, rounds, time.process_time) | {"difference": float(gap)}


def frechet(real: np.ndarray, fake: np.ndarray, rounds: int) -> dict[str, Any]:
    def theirs() -> float:
        moments = [(x.mean(0), np.cov(x, rowvar=False)) for x in (real, fake)]
        return float(calculate_frechet_distance(*moments[0], *moments[1]))

    return compared(theirs, lambda: frechet_distance(real, fake), rounds)


def root(real: np.ndarray, fake: np.ndarray, rounds: int) -> dict[str, Any]:
    """The distance alone, from means and covariances that both are given."""
    ours = [Moments(x.shape[1]).update(x) for x in (real, fake)]
    theirs = [part for moments in ours for part in (moments.mean, moments.covariance)]
    return compared(lambda: calculate_frechet_distance(*theirs), lambda: frechet_of_moments(*ours), rounds)


def four(real: np.ndarray, fake: np.ndarray, rounds: int) -> dict[str, Any]:
    """Precision, recall, density and coverage."""

    def theirs() -> list[float]:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints
            found = compute_prdc(real, fake, K)
        return [found[name] for name in ("precision", "recall", "density", "coverage")]

    def ours() -> list[float]:
        found = manifold(real, fake, k=K)
        return [found.precision, found.recall, found.density, found.coverage]

    return compared(theirs, ours, rounds)


def memory(work: str, rows: int, width: int) -> float:
    """MiB beyond libraries and features."""
    code = f"""
import torch
from scripts.studies.metrics_speed import features, frechet_distance, manifold, peak
torch.set_num_threads(1)
real, fake = features({rows}, {width}, 0), features({rows}, {width}, 1)
{work}(real[:1100], fake[:1100])
open("/proc/self/clear_refs", "w").write("5")
before = peak("VmRSS")
{work}(real, fake)
print(peak("VmHWM") - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=ROOT)
    return round(float(done.stdout), 1)


def peak(field: str) -> float:
    """A field of /proc/self/status, in MiB."""
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(field)).split()[1]) / 1024


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "metrics_speed")
    parser.add_argument("--rows", type=count, default=10_000)
    parser.add_argument("--width", type=count, default=512)
    parser.add_argument("--rounds", type=count, default=5)
    parser.add_argument("--memory-rows", type=count, default=50_000)
    parser.add_argument("--no-memory", action="store_true")
    asked = parser.parse_args(arguments)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    torch.set_num_threads(1)
    real, fake = features(asked.rows, asked.width, 0), features(asked.rows, asked.width, 1)
    with threadpoolctl.threadpool_limits(1):
        figures: Figures = {
            "Frechet distance against pytorch-fid": frechet(real, fake, 2 * asked.rounds),
            "Frechet distance from given moments": root(real, fake, 2 * asked.rounds),
            "PRDC against prdc": four(real, fake, asked.rounds),
        }
    for name, work in () if asked.no_memory else (("Frechet distance", "frechet_distance"), ("PRDC", "manifold")):
        what = f"memory of {name} at {asked.memory_rows:,} x {asked.width}, MiB"
        figures[what] = {"value": memory(work, asked.memory_rows, asked.width)}
    keep(asked.results, figures, rows=asked.rows, width=asked.width)
    return 0


if __name__ == "__main__":
    sys.exit(main())
