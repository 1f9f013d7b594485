"""Trials on any `concurrent.futures.Executor`: a pool of processes, Dask's client, mpi4py's pool.

A trial travels as plain text with the path of the images, and comes back as the bytes of its file. A worker that does
not see the path is sent the images themselves, once. What is lost with a worker is trained by the bench itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from pathlib import Path
from typing import Any

from ganaug.defaults import torch_threads
from ganaug.errors import MissingPackageError, OptionError
from ganaug.evaluation.trials.parts import Parts
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.evaluation.trials.trial import Laboratory, Trial
from ganaug.evaluation.trials.workers import as_text, of_text, read_parts, small_laboratory, write_parts
from ganaug.files.integrity import sha256, write_atomically
from ganaug.reporting import Report

LACKING = "images"  # in place of an answer: the worker has not got them
_KNOWN: dict[str, Laboratory] = {}  # of a worker: by the hash of the images


class Elsewhere:
    """Runs trials of the small network on an executor, and leaves the outcomes in `folder`.

    report: hears of what is lost. A context manager; the executor stays open, as it is the caller's.
    """

    learner, eager = SmallLearner.name, True

    def __init__(self, executor: Executor, folder: Path, report: Report):
        self.executor, self.folder, self.report = executor, folder, report
        self._parts: Parts | None = None
        self._file: Path | None = None
        self._hash = ""

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()

    def _forget(self) -> None:
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None

    def run(self, trials: Sequence[Trial], parts: Parts) -> Iterator[Trial]:
        """Each trial as soon as its outcome is there; those that are lost are not given.

        Raises OptionError where the workers have another version of ganaug or of what it trains with.
        """
        if self._parts is not parts:
            self._forget()
            self._file, self._parts = write_parts(parts, self.folder), parts
            self._hash = sha256(self._file.read_bytes())
        keys = Laboratory(parts, self.folder, small_laboratory(parts, self.folder).learners)
        sent: dict[Future[Any], Trial] = {}
        lost = ""
        try:
            for trial in trials:
                sent[self._submit(trial)] = trial
        except (RuntimeError, OSError) as error:  # the executor was closed, or is gone
            lost = str(error)
        while sent:
            again: dict[Future[Any], Trial] = {}
            for future in as_completed(sent):
                trial = sent[future]
                try:
                    key, content = future.result()
                    if key == LACKING:
                        again[self._submit(trial, whole=True)] = trial
                        continue
                except ImportError as error:
                    raise OptionError(
                        f"The executor's workers cannot run ganaug: {error}.", "Install the same version there."
                    ) from error
                except Exception as error:  # whatever befell the worker: the trial is trained here
                    lost = f"{type(error).__name__}: {error}"
                    continue
                if key != keys.key(trial):
                    raise OptionError(
                        "The executor's workers have another version of ganaug, torch, torchvision or timm.",
                        "Install the same versions there.",
                    )
                write_atomically(self.folder / f"{key}.json", content)
                yield trial
            sent = again
        if lost:
            self.report("executor", 0, 0, f"trials were lost, and are trained here: {lost}")

    def _submit(self, trial: Trial, *, whole: bool = False) -> Future[Any]:
        assert self._file is not None
        images = self._file.read_bytes() if whole else b""
        return self.executor.submit(play, str(self._file), self._hash, images, as_text(trial))


def play(file: str, digest: str, images: bytes, trial: str) -> tuple[str, bytes]:
    """What a worker does: the key of the trial and the bytes of its outcome, or `LACKING`."""
    if digest not in _KNOWN:
        if not images:
            try:
                images = Path(file).read_bytes()
            except OSError:
                return LACKING, b""
        if sha256(images) != digest:
            return LACKING, b""
        with tempfile.NamedTemporaryFile() as there:
            there.write(images)
            there.flush()
            parts = read_parts(Path(there.name))
        _KNOWN.clear()  # the images of one bench are in memory at a time
        _KNOWN[digest] = small_laboratory(parts, Path())
    laboratory, given = _KNOWN[digest], of_text(trial)
    with torch_threads(1):
        return laboratory.key(given), laboratory.trained_anew(given)


def executor_at(address: str, patience: float = 10.0) -> Executor:
    """The executor of the Dask cluster at an address such as tcp://host:8786. patience: seconds to wait for it.

    Raises MissingPackageError where Dask is not installed, OptionError where no cluster answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingPackageError("--executor needs Dask.", 'Install it: pip install "ganaug[cluster]".') from error
    try:
        found: Executor = Client(address, timeout=patience, set_as_default=False).get_executor(pure=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise OptionError(
            f"No cluster answers at {address}: {error}.", "Start one: dask scheduler, dask worker."
        ) from error
    return found
