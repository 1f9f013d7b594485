"""How many steps a time budget is worth here, with how many threads, and how much memory they take."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganaug.defaults import torch_threads
from ganaug.errors import OutOfMemoryError
from ganaug.files.machine import free_memory, resident_memory, usable_cores
from ganaug.fitting.doctor.checkup import MOST
from ganaug.game import Recipe
from ganaug.game.train import Batches, train

SHARE, LEAST = 0.1, 1.0  # of a budget, and seconds, that the warm-up may take, where one round does not take longer
BETTER = 0.9  # of the time of fewer threads that more must take, at most, to be worth their while
LIMIT = 30.0  # seconds that it may take where nobody gave a budget
ROUNDS = 12  # that are timed, at least, where there is time
GRACE = 1.1  # times a budget after which a fit ends, whatever is left to play
HELD = 1.75  # memory of a round over what it keeps for its gradients: measured 1.3 to 2.0 in eight recipes, 64 px
JUDGE = 200 << 20  # bytes of what judges samples in a check-up, and tells of a fit: measured 120 to 240 MiB
COPIES = 3  # of the items that a check-up looks at: measured at 128 px
LARGE = 3 * 200 * 200  # values of an item above which weights are small beside what is kept of it
SMALL = 1 << 19  # values of a batch below which memory is not asked about where nobody asked for a time


@dataclass(frozen=True)
class Pace:
    """seconds: of a round. threads: with which, the fastest of those tried. spent: seconds that finding out took."""

    seconds: float
    threads: int
    spent: float


def warm_up(
    recipe: Recipe, batches: Batches, device: torch.device, limit: float = LIMIT, *, slices: int = 1, world: int = 1
) -> Pace:
    """The pace of a game, from rounds that are thrown away: of those slices of a batch that one of `world` processes
    plays. Ends after `limit` seconds, or after the first round."""
    recipe, slices = replace(recipe, batch=recipe.batch // world), slices // world or 1
    began, limit = time.monotonic(), max(limit, LEAST)
    interval = max(term.interval for player in recipe.players for term in player.loss.terms)
    counts = thread_counts() if device.type == "cpu" else [torch.get_num_threads()]
    with torch_threads():
        timed: dict[int, list[float]] = {}
        cycles: dict[int, list[float]] = {threads: [] for threads in counts}
        for threads in 2 * counts if len(counts) > 1 else ():  # twice, in turns: others work in bursts
            if time.monotonic() < began + limit / 2:
                torch.set_num_threads(threads)
                timed[threads] = timed_rounds(recipe, batches, device, interval + 1, began + limit / 2, slices)
                cycles[threads] += [sum(timed[threads][1:])] if len(timed[threads]) > interval else []
        best = counts[0]
        for threads in sorted(threads for threads in counts if cycles[threads]):
            if threads == min(n for n in counts if cycles[n]) or _mean(cycles[threads]) < BETTER * _mean(cycles[best]):
                best = threads
        torch.set_num_threads(best)
        times = timed.get(best, [])
        if not times or time.monotonic() < began + limit:
            rounds = interval * math.ceil(ROUNDS / interval) + interval
            times = timed_rounds(recipe, batches, device, rounds, began + limit, slices)
    whole = (len(times) - 1) // interval * interval  # the first round also makes things ready
    return Pace(_mean(times[-whole:] if whole else times), best, time.monotonic() - began)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def timed_rounds(
    recipe: Recipe, batches: Batches, device: torch.device, rounds: int, until: float, slices: int = 1
) -> list[float]:
    """Seconds of each of so many rounds; fewer where time is over, but one."""
    moments = []
    for progress in train(recipe, batches, steps=rounds, device=device, slices=slices):
        moments.append(time.monotonic())
        if progress.step and moments[-1] > until:
            break
    return [after - before for before, after in zip(moments, moments[1:], strict=False)]


def thread_counts() -> list[int]:
    """Numbers of threads to try, the likeliest first. Those that are slower at small work than one thread are not:
    beside a busy process, threads wait for each other."""
    cores = min(torch.get_num_threads(), usable_cores())
    values = torch.ones(1 << 20)

    def small_work(threads: int) -> float:
        torch.set_num_threads(threads)
        lengths = []
        for _ in range(3):
            began = time.monotonic()
            for _ in range(10):
                values.mul(1.5)
            lengths.append(time.monotonic() - began)
        return min(lengths)

    with torch_threads():
        small_work(1)
        alone = small_work(1)
        return [n for n in sorted({cores, cores // 2} - {0, 1}, reverse=True) if small_work(n) < alone] + [1]


def steps_in(seconds: float, pace: float) -> int:
    """Rounds that fit into so many seconds at `pace` seconds a round, at least one; pictures and saving take 4 %."""
    return max(1, math.floor(0.96 * seconds / pace))


class _Kept:
    """Counts the bytes of tensors that wait for a backward pass."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.users: dict[int, int] = {}

    def pack(self, x: Tensor) -> _Waiting:
        return _Waiting(x, self)


class _Waiting:
    """A tensor that waits; those of one storage count once."""

    def __init__(self, x: Tensor, kept: _Kept):
        storage = x.untyped_storage()
        self.x, self.kept, self.key, self.size = x, kept, storage.data_ptr(), storage.nbytes()
        kept.users[self.key] = kept.users.get(self.key, 0) + 1
        if kept.users[self.key] == 1:
            kept.now += self.size
            kept.most = max(kept.most, kept.now)

    def __del__(self) -> None:
        self.kept.users[self.key] -= 1
        if not self.kept.users[self.key]:
            del self.kept.users[self.key]
            self.kept.now -= self.size


def round_memory(recipe: Recipe, batches: Batches, device: torch.device) -> int:
    """Bytes, about, that a round takes at the end of a game, from rounds of two and of four items; of two large ones,
    beside which weights are small."""
    interval = max(term.interval for player in recipe.players for term in player.loss.terms)
    few = (2, 4) if recipe.batch > 4 else (recipe.batch,)
    few = few[:1] if math.prod(batches.spec.shape) > LARGE else few
    kept = []
    for items in few:
        count, steps = _Kept(), 100 * interval
        game = train(replace(recipe, batch=items), batches, steps=steps, start=steps - interval, device=device)
        next(game)
        with torch.autograd.graph.saved_tensors_hooks(count.pack, lambda waiting: waiting.x):
            next(game)
        kept.append(count.most)
    an_item = (kept[-1] - kept[0]) / 2 if len(few) > 1 else kept[0] / few[0]
    return int(HELD * (kept[0] + max(0, an_item) * (recipe.batch - few[0])))


def require_memory(recipe: Recipe, batches: Batches, device: torch.device, least: int = 0, *, slices: int = 1) -> int:
    """Bytes, about, that a round takes, whose batch is played in slices; 0 for slices of fewer than `least` values, of
    which nothing is measured. Raises OutOfMemoryError where it does not fit in what is free."""
    shape, recipe = batches.spec.shape, replace(recipe, batch=recipe.batch // slices)
    if recipe.batch * math.prod(shape) < least:
        return 0
    needed = round_memory(recipe, batches, device)
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    if free is not None and needed > free:
        raise OutOfMemoryError(
            f"A round of {recipe.batch} items of {' x '.join(map(str, shape))} takes about {in_bytes(needed)} of "
            f"memory, and {in_bytes(free)} are free.",
            "Take a smaller --size, a smaller batch (--set batch=N), or play it in parts (--slices N); or free memory.",
        )
    return needed


def process_memory(needed: int, shape: Sequence[int], device: torch.device) -> int:
    """Bytes, about, that the process holds at most where a round of items of this shape takes so many; 0 if these are
    unknown. On a CPU the check-ups count, too."""
    if not needed or device.type != "cpu":
        return needed
    return resident_memory() + JUDGE + on_top(needed, shape, device)


def on_top(needed: int, shape: Sequence[int], device: torch.device) -> int:
    """Bytes, about, that grow with the area of an item: those of a round, or of the items that a check-up holds between
    two rounds, whichever are more."""
    return max(needed, COPIES * MOST * 4 * math.prod(shape)) if device.type == "cpu" else needed


def what_it_takes(steps: int, pace: Pace, advised: int, memory: int) -> str:
    """Time, threads and memory of so many rounds, in one line, the same wherever it is said."""
    words = (
        f"{steps} steps in about {in_minutes(steps * pace.seconds)}, {pace.threads} thread{'s' * (pace.threads > 1)}"
    )
    words += f", {in_bytes(memory)} of memory" if memory else ""
    if steps >= advised:
        return words
    good = f"good samples took about {advised} steps in our studies: {in_minutes(advised * pace.seconds)} here"
    return f"{words}; {good}"


def in_minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def in_bytes(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
