"""What this process may use of the machine, as the system's files tell it: cores and memory. Imports no torch."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from statistics import median

GROUPS, OWN_GROUP, MEMORY, OWN_MEMORY = Path("/sys/fs/cgroup"), "/proc/self/cgroup", "/proc/meminfo", "/proc/self/statm"
READERS = 8  # threads that decode pictures, at most: they share an interpreter
LARGE = 16_000  # bytes of a file from which on several pay (two cores: JPEGs of 57 kB 1.5 times as fast as by one, of
# 1.5 kB 1.6 times as slow)
PIXELS = 0.25  # share of the free memory that pixels of a data set may take
SPINS = "10000"  # turns for which an idle thread waits busily: less than a tenth of a millisecond


def usable_cores() -> int:
    """Cores that this process may keep busy: those of the machine, of its affinity, or of its CPU quota."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    for text in _of_groups("cpu.max"):
        quota, _, period = text.partition(" ")
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


def free_memory() -> int | None:
    """Bytes that this process may still take; None where the system does not tell."""
    try:
        lines = dict(line.split(":", 1) for line in Path(MEMORY).read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return None
    for most, used in zip(_of_groups("memory.max"), _of_groups("memory.current"), strict=False):
        if most != "max":
            free = min(free, int(most) - int(used))
    return max(0, free)


def memory_for_pixels() -> int | None:
    """Bytes of pixels that this process should hold in memory, at most; None where no limit is known."""
    free = free_memory()
    return None if free is None else int(PIXELS * free)


def resident_memory() -> int:
    """Bytes that this process holds now; 0 where the system does not tell."""
    try:
        return int(Path(OWN_MEMORY).read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _of_groups(name: str) -> Iterator[str]:
    """The content of this file in the control group of the process and those around it; none where there is none."""
    try:
        own = next(line[3:] for line in Path(OWN_GROUP).read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return
    folder = GROUPS / own.lstrip("/")
    for place in (folder, *folder.parents):
        if (place / name).is_file():
            yield (place / name).read_text().strip()
        if place == GROUPS:
            return


def share_the_cores(variables: MutableMapping[str, str]) -> None:
    """Let torch, before it is imported, take no more threads than there are cores, and have idle threads wait busily
    for a moment only: beside another busy process they would keep each other from working. What is set stays."""
    if (cores := usable_cores()) < (os.cpu_count() or 1):
        variables.setdefault("OMP_NUM_THREADS", str(cores))
    if "OMP_WAIT_POLICY" not in variables:
        variables.setdefault("GOMP_SPINCOUNT", SPINS)


def readers(sizes: Sequence[int]) -> int:
    """Threads by which files of these sizes, in bytes, are best read."""
    return min(usable_cores(), READERS) if sizes and median(sizes) >= LARGE else 1
