"""From labelled images, rows or series to a run folder."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.budget import parse_seconds, seconds_per_step, steps_in
from ganaug.data import LabelledImages
from ganaug.data.spec import ImageCodec
from ganaug.device import environment
from ganaug.errors import ArtefactError, OptionError, OutputInUseError
from ganaug.generator import Card, Run, save
from ganaug.generator.integrity import need_space, sha256, write_atomically
from ganaug.generator.known import keep_likenesses
from ganaug.generator.lock import LOCK, sole_writer
from ganaug.generator.state import load_state, save_state
from ganaug.interrupt import interruptible
from ganaug.pictures import sample_grid, tile
from ganaug.preparing import FitSettings, Prepared, prepare
from ganaug.reporting import Report, silent
from ganaug.train import Progress, train
from ganaug.translating import translation_grid

SAVE_SECONDS = 20.0  # a state is committed at least this often
GRIDS = 20  # sample grids over a fit
DEFAULT_BUDGET = 600.0  # seconds, where neither a budget nor steps are given
LOG_LINES = 500  # lines of metrics.jsonl over a fit


def fit(
    data: Any,
    out: str | Path,
    *,
    recipe: str = "auto",
    options: Mapping[str, Any] | None = None,
    budget: float | str | None = None,
    steps: int | None = None,
    size: int | str = "auto",
    channels: int | str = "auto",
    limit: int | None = None,
    seed: int = 0,
    device: str = "auto",
    resume: bool = False,
    root: str | Path | None = None,
    split: str = "train",
    groups: Any = None,
    strict: bool = False,
    kind: str = "auto",
    label: str | None = None,
    drop: Sequence[str] = (),
    source: Any = None,
    report: Report = silent,
) -> Run:
    """Train a class-conditional generator on labelled images, rows of a table, or series, into the run folder `out`.

    data: images: a folder of class folders, a .npz file, (X, y), a map-style data set, a name, or LabelledImages. A
    table: a .csv file or a pandas DataFrame, with `label`, the column of classes; `drop` leaves columns out. Series: a
    .npz file or (X, y) whose X is (N, T); (N, C, T) needs kind="series". recipe: "auto" is small for images, wgan_gp
    for tables, rcgan for series. budget: seconds, or text like "10m" (default 10 minutes); or give `steps`. 20 % of the
    images (whole groups, where given) are held out, recorded in the card, and never trained on. source: the paired
    image of each item, for recipes that learn from pairs: a folder with files of the same names, or an array (an .npz
    file brings its own). resume: go on with what `out` holds; does nothing if it is finished, starts anew if it holds
    no saved state.

    Raises OptionError, DataError and its kinds, OutputInUseError, DivergedError; KeyboardInterrupt after the state was
    saved.
    """
    settings = FitSettings(
        recipe, dict(options or {}), _seconds(budget, steps), steps, size, channels, limit, seed=seed, device=device,
        kind=kind, label=label, drop=list(drop),
    )  # fmt: skip
    folder = Path(out)
    if is_finished(folder):
        if resume:
            report("fit", 1, 1, "already finished")
            return Run(folder)
        raise OutputInUseError(f"{folder} holds a finished run.", "Choose another folder.")
    _check_out(folder, resume)
    prepared = prepare(
        data, settings, root=root, split=split, groups=groups, strict=strict, source=source, report=report
    )
    with sole_writer(folder):
        if is_finished(folder):
            raise OutputInUseError(f"{folder} was finished by another process.", "Choose another folder.")
        return _Fit(folder, prepared, report).go(resume)


def _seconds(budget: float | str | None, steps: int | None) -> float | None:
    if budget is not None:
        return parse_seconds(budget)
    return None if steps is not None else DEFAULT_BUDGET


def _check_out(folder: Path, resume: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputInUseError(f"{folder} is not a folder.", "Choose another name.")
    if not resume and folder.exists() and any(entry.name != LOCK for entry in folder.iterdir()):
        raise OutputInUseError(f"{folder} is not empty.", "Choose another folder, or go on with --resume.")


class _Fit:
    """One fit on its way: consumes the loop's iterator, and logs, draws and saves."""

    def __init__(self, folder: Path, prepared: Prepared, report: Report):
        self.settings, self.folder, self.report = prepared.settings, folder, report
        self.recipe, self.device, self.batches = prepared.recipe, prepared.device, prepared.batches
        self.training, self.validation = prepared.training, prepared.validation
        self.log = folder / "metrics.jsonl"
        self.sums: dict[str, list[float]] = {}

    def go(self, resume: bool) -> Run:
        torch.set_flush_denormal(True)  # denormal numbers slow a CPU down several times
        need_space(self.folder, 200 << 20)
        steps = self._planned_steps(resume)
        saved = load_state(self.folder / "state") if resume else None
        start = saved.step if saved else 0
        if resume:
            self.report("fit", 0, 0, f"resumed at step {start}")
        self._cut_log(saved.log_bytes if saved else 0)
        what = {"table": "rows"}.get(self.settings.kind, self.settings.kind)
        parts = f"{len(self.training)} {what} to train on, {len(self.validation)} held out"
        self.report("set-up", 1, 1, f"{self.device}, {'x'.join(map(str, self.training.spec.shape))}, {parts}")
        loop = train(
            self.recipe, self.batches, steps=steps, seed=self.settings.seed, device=self.device, start=start,
            state=saved.tensors if saved else None,
        )  # fmt: skip
        last = self._consume(loop, start, steps)
        save(self.folder / "generator", last.averages(), self._card(steps))
        return Run(self.folder)

    def _consume(self, loop: Iterator[Progress], start: int, steps: int) -> Progress:
        began = saved_at = time.monotonic()
        each_log, each_grid = max(1, steps // LOG_LINES), max(1, steps // GRIDS)
        progress = next(loop)
        with interruptible() as asked, self.log.open("a", encoding="utf-8") as log:
            for progress in loop:
                step = progress.step
                for name, value in progress.losses.items():
                    self.sums.setdefault(name, []).append(value)
                speed = (step - start) / max(time.monotonic() - began, 1e-9)
                if step % each_log == 0 or step == steps:
                    self._write_log(log, step, speed)
                if step % each_grid == 0 or step == steps:
                    self._draw(progress)
                detail = "  ".join(f"{_short(name)} {value:.2f}" for name, value in progress.losses.items())
                self.report("fit", step, steps, f"{speed:.1f} steps/s  {detail}")
                if asked.is_set() or step == steps or time.monotonic() - saved_at > SAVE_SECONDS:
                    log.flush()
                    save_state(self.folder / "state", step, progress.state(), log.tell())
                    saved_at = time.monotonic()
                if asked.is_set() and step < steps:
                    raise KeyboardInterrupt(f"stopped at step {step} of {steps}; the state is saved")
        return progress

    def _planned_steps(self, resume: bool) -> int:
        """The number of steps and all settings, stored before step 0; a resume must agree with what is stored."""
        file = self.folder / "fit.json"
        wanted = {**dataclasses.asdict(self.settings), "data": self._digest()}
        if resume and file.exists():
            try:
                stored = json.loads(file.read_bytes())
                steps = stored.pop("planned_steps")
            except (OSError, ValueError, KeyError) as error:
                raise ArtefactError(f"{file} cannot be read: {error}.", "Start anew in another folder.") from error
            changed = sorted(k for k in wanted.keys() | stored.keys() if wanted.get(k) != stored.get(k))
            changed = [k for k in changed if k != "device"]
            if changed:
                raise OptionError(
                    f"The run was started with other settings: {', '.join(changed)}.",
                    "Resume with the same settings and images, or fit into another folder.",
                )
            return steps
        steps = self.settings.steps
        if steps is None:
            self.report("warm-up", 0, 1, "")
            pace = seconds_per_step(self.recipe, self.batches, self.device)
            steps = steps_in(self.settings.budget or DEFAULT_BUDGET, pace)
            self.report("warm-up", 1, 1, f"{steps} steps")
        write_atomically(file, json.dumps({**wanted, "planned_steps": steps}, indent=1).encode())
        return steps

    def _digest(self) -> str:
        marks = [*self.training.fingerprints, *self.validation.fingerprints]
        for part in (self.training, self.validation):
            if isinstance(part, LabelledImages) and part.sources is not None:
                marks.append(sha256(part.sources.numpy().tobytes()))
        return sha256("\n".join(marks).encode())

    def _cut_log(self, size: int) -> None:
        """Forget lines of metrics.jsonl about steps that will be played again."""
        if self.log.exists():
            with self.log.open("r+b") as log:
                log.truncate(min(size, self.log.stat().st_size))

    def _write_log(self, log: Any, step: int, speed: float) -> None:
        line = {"step": step, "steps_per_second": round(speed, 3)}
        log.write(json.dumps({**line, **{name: float(np.mean(v)) for name, v in self.sums.items()}}) + "\n")
        self.sums.clear()

    def _draw(self, progress: Progress) -> None:
        if not isinstance(self.training.codec, ImageCodec):
            return
        kept = progress.averages()
        if isinstance(self.validation, LabelledImages) and self.recipe.wiring.from_source:
            grid = translation_grid(kept, self.recipe.source, self.recipe.prior, self.validation)
        else:
            grid = sample_grid(kept["generator"], self.recipe.prior, len(self.training.classes))
        samples = self.folder / "samples"
        samples.mkdir(parents=True, exist_ok=True)
        tile(grid).save(samples / f"step-{progress.step:09d}.png")

    def _card(self, steps: int) -> Card:
        parts = [part for part in (self.training, self.validation) if isinstance(part, LabelledImages)]
        likenesses = [alike for part in parts for alike in part.likenesses]
        return Card(
            recipe=self.settings.recipe,
            settings=self.settings.options,
            classes=self.training.classes,
            shape=self.training.spec.shape,
            source=self.training.spec.source,
            codec=self.training.codec,
            prior=self.recipe.prior,
            steps=steps,
            seed=self.settings.seed,
            counts={name: n + self.validation.counts()[name] for name, n in self.training.counts().items()},
            fingerprints=self.training.fingerprints,
            held_out=self.validation.fingerprints,
            versions=environment(self.device),
            likenesses=keep_likenesses(self.folder, likenesses) if likenesses else "",
        )


def is_finished(folder: Path) -> bool:
    """Whether a generator was written there."""
    return (folder / "generator" / "manifest.json").exists()


def _short(name: str) -> str:
    """ "discriminator/relativistic.discriminator" -> "discriminator"; "discriminator/r1" -> "r1"."""
    return name.split("/")[-1].split(".")[-1]
