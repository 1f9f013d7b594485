"""Trials in several processes at once: one small classifier keeps one core busy, and gains little from a second one.

A worker is a process of one thread with a `Laboratory` of its own. Trials come in, one a line; what it finds is left in
the folder of trials, where the bench reads it. A worker that dies (for want of memory, say) loses its trial, and the
bench trains that itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ganaug.classifier.small import Training
from ganaug.data.spec import ImageCodec
from ganaug.evaluation.trials.learner import Learner, Menu
from ganaug.evaluation.trials.parts import Part, Parts, Taught
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.evaluation.trials.trial import Laboratory, Trial
from ganaug.files.integrity import need_space, open_part, writing

MOST = 8  # workers, at most: each takes half a gigabyte of memory
LARGE = 1 << 30  # bytes of images from which on trials are not worth copying for: torch's threads share the work then


def workers_for(parts: Parts, device: torch.device) -> int:
    """How many trials are worth running at a time: as many as torch has threads (OMP_NUM_THREADS, by default the
    number of cores), at most 8; one, with all threads, on a GPU or for a gigabyte of images."""
    size = sum(part.items.nbytes for part in parts.all)
    return 1 if device.type != "cpu" or size > LARGE else min(MOST, torch.get_num_threads())


class Workers:
    """Up to `count` processes that run trials of the small network and leave the outcomes in `folder`; started when
    first needed, and anew where the parts are others than before.

    A context manager: on leaving it the processes are ended, whatever they are at.
    """

    learner, eager = SmallLearner.name, False

    def __init__(self, folder: Path, count: int):
        self.folder, self.count = folder, count
        self.processes: list[subprocess.Popen[str]] = []
        self._parts: Parts | None = None
        self._file: Path | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes.clear()
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None

    def run(self, trials: Sequence[Trial], parts: Parts) -> Iterator[Trial]:
        """Each trial as soon as a worker has finished it; those that a worker took along when it died are not given.

        Raises DiskFullError or UnwritableError where the folder cannot take the images.
        """
        if self._parts is not parts:
            self.end()
            self._file, self._parts = write_parts(parts, self.folder), parts
        assert self._file is not None
        for process in [one for one in self.processes if one.poll() is not None]:  # died at an earlier trial
            process.communicate()
            self.processes.remove(process)
        with suppress(OSError):  # the system gives no more processes: with fewer then, or none
            while len(self.processes) < min(self.count, len(trials)):
                self.processes.append(_started(self._file, self.folder))
        waiting: SimpleQueue[Trial] = SimpleQueue()
        done: SimpleQueue[Trial | None] = SimpleQueue()
        for trial in trials:
            waiting.put(trial)
        for process in self.processes:
            Thread(target=_feed, args=(process, waiting, done), daemon=True).start()
        feeding = len(self.processes)
        while feeding:
            finished = done.get()
            if finished is None:
                feeding -= 1
            else:
                yield finished


def _started(file: Path, folder: Path) -> subprocess.Popen[str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-c", "from ganaug.evaluation.trials.workers import serve; serve()", file, folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"},
    )  # fmt: skip


def _feed(process: subprocess.Popen[str], waiting: SimpleQueue[Trial], done: SimpleQueue[Trial | None]) -> None:
    """Give a worker one trial after the other while there are some and it lives; None says that this is over."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(Empty, OSError, ValueError):  # nothing waits; the worker is dead; its pipes were closed
        while True:
            trial = waiting.get_nowait()
            process.stdin.write(as_text(trial) + "\n")
            process.stdin.flush()
            if not process.stdout.readline():
                break
            done.put(trial)
    done.put(None)


def serve() -> None:
    """What a worker does: `sys.argv` names the file of parts and the folder of trials. Ends with its standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which ends its workers
    torch.set_num_threads(1)
    file, folder = map(Path, sys.argv[1:3])
    answers, sys.stdout = sys.stdout, sys.stderr
    laboratory = small_laboratory(read_parts(file), folder)
    for line in sys.stdin:
        laboratory.run_all([of_text(line)])
        print("done", file=answers, flush=True)


def small_laboratory(parts: Parts, folder: Path) -> Laboratory:
    """Of the small network alone; trials tell how they are trained."""
    learners: dict[str, Learner] = {SmallLearner.name: SmallLearner(0, Menu(), 0)}
    return Laboratory(parts, folder, learners)


def as_text(trial: Trial) -> str:
    """A trial of the small network, in one line."""
    return json.dumps(asdict(trial))


def of_text(line: str) -> Trial:
    given = json.loads(line)
    return Trial(**{**given, "training": Training(**given["training"]), "on": tuple(given["on"])})


def write_parts(parts: Parts, folder: Path) -> Path:
    """The parts as a file, which workers map into memory. Its name is that of a file half written: if the bench is
    killed, the next one clears it away."""
    tensors: dict[str, torch.Tensor] = {}
    for i, part in enumerate(parts.all):
        tensors |= {f"{i} pixels": part.items, f"{i} labels": part.labels}
    if parts.fold is not None:
        tensors["fold"] = torch.from_numpy(parts.fold)
    for name, taught in parts.taught.items():
        said = {"rows": taught.rows, "labels": taught.labels} | {f"soft {key}": own for key, own in taught.soft.items()}
        tensors |= {f"taught {name} {key}": torch.from_numpy(own) for key, own in said.items()}
    size = sum(tensor.nbytes for tensor in tensors.values())
    with writing(folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        need_space(folder, size)
        handle, name = open_part(folder / "parts")
        os.close(handle)
        facts = {
            "classes": parts.n_classes, "made": list(parts.made), "digests": [part.digest for part in parts.all],
            "taught": {name: list(taught.soft) for name, taught in parts.taught.items()},
        }  # fmt: skip
        save_file(tensors, name, {"facts": json.dumps(facts)})
    return Path(name)


def read_parts(file: Path) -> Parts:
    with safe_open(file, "pt") as opened:
        facts, there = json.loads(opened.metadata()["facts"]), set(opened.keys())
        parts = [
            Part(opened.get_tensor(f"{i} pixels"), opened.get_tensor(f"{i} labels"), digest, ImageCodec("RGB", None))
            for i, digest in enumerate(facts["digests"])
        ]
        train, validation, test, *others = parts
        made = dict(zip(facts["made"], others, strict=False))
        unlabelled = others[len(made)] if len(others) > len(made) else None

        def taught(name: str, key: str) -> np.ndarray:
            return np.asarray(opened.get_tensor(f"taught {name} {key}"))

        said = {
            name: Taught(
                taught(name, "rows"), taught(name, "labels"), {one: taught(name, f"soft {one}") for one in soft}
            )
            for name, soft in facts["taught"].items()
        }
        return Parts(
            train, validation, test, facts["classes"], made, unlabelled, said,
            opened.get_tensor("fold").numpy() if "fold" in there else None,
        )  # fmt: skip
