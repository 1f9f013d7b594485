"""Speed and memory of the Frechet distance and of PRDC, against pytorch-fid and prdc on the same features.

    python scripts/benchmark_metrics.py                        # 10,000 x 512, and memory at 50,000 x 512; ten minutes
    python scripts/benchmark_metrics.py --rows 4000 --no-memory
    python scripts/benchmark_metrics.py --json

Both are timed in turns in one process that is bound to one core, in CPU seconds of that process: on one core that is
its wall time if nothing else ran, and other jobs on the machine disturb it little. From features to figure: mean and
covariance (numpy's) are part of pytorch-fid's time as ours are of ours; once more from given moments, which is what
pytorch-fid's own function takes. A ratio is the median over rounds of (their
time) / (our time); its quartiles stand beside it. The figures of both are compared, too.

Memory is the peak of resident memory (VmHWM) of a process of its own, less what was resident when libraries and
features were loaded and one small computation had been done; the features themselves (2 x 98 MiB) are not in it. Linux
only.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable

import click
import numpy as np
import threadpoolctl
import torch

from ganaug.device import environment
from ganaug.metrics import frechet_distance, manifold
from ganaug.metrics.frechet import Moments, frechet_of_moments

K = 5


def features(rows: int, width: int, seed: int) -> np.ndarray:
    """float32 (rows, width), correlated, with a falling spectrum as features of networks have."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, width + 1) ** -0.5
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((width, width)))[0]
    values = rng.standard_normal((rows, width), dtype=np.float32) * (spectrum * (1 + 0.1 * seed)).astype(np.float32)
    return values @ turn.astype(np.float32)


def timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):  # prdc prints
        found = work()
    return time.process_time() - began, found


def paired(theirs: Callable[[], object], ours: Callable[[], object], rounds: int) -> dict[str, object]:
    """Time both in turns, after one discarded round of each."""
    timed(theirs), timed(ours)
    times: dict[str, list[float]] = {"theirs": [], "ours": []}
    for i in range(rounds):
        for name, work in (("theirs", theirs), ("ours", ours))[:: 1 if i % 2 else -1]:
            seconds, _ = timed(work)
            times[name].append(seconds)
    ratios = np.array(times["theirs"]) / np.array(times["ours"])
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    medians = {name: round(float(np.median(values)), 3) for name, values in times.items()}
    quartiles = {"ratio": round(middle, 2), "low": round(low, 2), "high": round(high, 2)}
    return quartiles | {"rounds": rounds, "cpu_seconds": medians}


def frechet(real: np.ndarray, fake: np.ndarray, rounds: int) -> dict[str, object]:
    from pytorch_fid.fid_score import calculate_frechet_distance

    def theirs() -> float:
        moments = [(x.mean(0), np.cov(x, rowvar=False)) for x in (real, fake)]
        return float(calculate_frechet_distance(*moments[0], *moments[1]))

    gap = abs(theirs() - frechet_distance(real, fake))
    return paired(theirs, lambda: frechet_distance(real, fake), rounds) | {"difference": gap}


def root(real: np.ndarray, fake: np.ndarray, rounds: int) -> dict[str, object]:
    """The distance alone, from means and covariances that both are given."""
    from pytorch_fid.fid_score import calculate_frechet_distance

    ours = [Moments(x.shape[1]).update(x) for x in (real, fake)]
    theirs = [part for moments in ours for part in (moments.mean, moments.covariance)]
    gap = abs(float(calculate_frechet_distance(*theirs)) - frechet_of_moments(*ours))
    work = paired(lambda: calculate_frechet_distance(*theirs), lambda: frechet_of_moments(*ours), rounds)
    return work | {"difference": gap}


def prdc(real: np.ndarray, fake: np.ndarray, rounds: int) -> dict[str, object]:
    from prdc import compute_prdc

    _, theirs = timed(lambda: compute_prdc(real, fake, K))
    ours = vars(manifold(real, fake, k=K))
    gap = max(abs(ours[name] - theirs[name]) for name in ours)
    found = paired(lambda: compute_prdc(real, fake, K), lambda: manifold(real, fake, k=K), rounds)
    return found | {"difference": float(gap)}


def memory(work: str, rows: int, width: int) -> float:
    """MiB beyond libraries and features."""
    code = f"""
import sys

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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return round(float(done.stdout), 1)


def peak(field: str) -> float:
    """A field of /proc/self/status, in MiB."""
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(field)).split()[1]) / 1024


@click.command()
@click.option("--rows", default=10_000, show_default=True)
@click.option("--width", default=512, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--memory-rows", default=50_000, show_default=True)
@click.option("--memory/--no-memory", "with_memory", default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rows, width, rounds, memory_rows, with_memory, as_json):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    torch.set_num_threads(1)
    real, fake = features(rows, width, 0), features(rows, width, 1)
    with threadpoolctl.threadpool_limits(1):
        results: dict[str, dict[str, object]] = {
            "Frechet distance against pytorch-fid": frechet(real, fake, 2 * rounds),
            "Frechet distance from given moments": root(real, fake, 2 * rounds),
            "PRDC against prdc": prdc(real, fake, rounds),
        }
    if with_memory:
        for name, work in (("Frechet distance", "frechet_distance"), ("PRDC", "manifold")):
            results[f"memory of {name} at {memory_rows:,} x {width}"] = {"MiB": memory(work, memory_rows, width)}
    about = environment(torch.device("cpu")) | {"cpus": str(os.cpu_count()), "system": platform.platform()}
    if as_json:
        about |= {"rows": str(rows), "width": str(width), "cores": "1"}
        print(json.dumps({"results": results, "environment": about, "date": time.strftime("%Y-%m-%d")}, indent=1))
        return
    for name, figure in results.items():
        if "ratio" in figure:
            seconds = figure["cpu_seconds"]
            print(f"{name:<48}{figure['ratio']:.2f}x  ({figure['low']:.2f} to {figure['high']:.2f}), {seconds}")
        else:
            print(f"{name:<48}{figure['MiB']} MiB")


if __name__ == "__main__":
    main()
