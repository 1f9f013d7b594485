"""One fit on its way: consumes the loop, and logs, draws and saves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from ganaug.data.load import LabelledImages
from ganaug.data.spec import KINDS, ImageCodec
from ganaug.defaults import torch_threads
from ganaug.device import environment
from ganaug.errors import DivergedError
from ganaug.files.integrity import clear_parts, need_space, own_folders
from ganaug.fitting.course import Course, every
from ganaug.fitting.doctor.checkup import Examiner
from ganaug.fitting.doctor.history import read_history
from ganaug.fitting.doctor.watch import Watch, mended
from ganaug.fitting.follow import any_asked, round_ends, tell
from ganaug.fitting.interrupt import interruptible, stopped
from ganaug.fitting.journal import Track
from ganaug.fitting.planned import planned
from ganaug.fitting.prepare import Prepared
from ganaug.fitting.remarks import find_slicewise, list_skipped, list_unreadable, skipped
from ganaug.fitting.settings_file import forked, store
from ganaug.fitting.unlabelled import keep_labels
from ganaug.game.batches import batches_for
from ganaug.game.ranks import Ranks
from ganaug.game.train import Progress, train
from ganaug.generator.card import Card
from ganaug.generator.folder import save
from ganaug.generator.interventions import retries
from ganaug.generator.known import keep_likenesses
from ganaug.generator.state import SavedState, load_state, save_state
from ganaug.reporting import Report
from ganaug.samples.pictures import in_proportion, sample_grid, save_picture, tile
from ganaug.samples.variants import translation_grid

SAVE_SECONDS = 20.0  # a state is committed at least this often
GRIDS = 20  # sample grids over a fit
LOG_LINES = 500  # lines of metrics.jsonl over a fit


class Play:
    """One fit on its way: consumes the loop's iterator, and logs, draws and saves."""

    def __init__(self, folder: Path, prepared: Prepared, digest: str, ranks: Ranks, report: Report, track: Track):
        self.settings, self.folder, self.report, self.prepared = prepared.settings, folder, report, prepared
        self.recipe, self.device, self.batches = prepared.recipe, prepared.device, prepared.batches
        self.training, self.validation, self.beside = prepared.training, prepared.validation, prepared.beside
        self.digest, self.ranks = digest, ranks
        self.course = Course(folder, prepared.device, report, track)

    def go(self, resume: bool, fork: Path | None) -> None:
        torch.set_flush_denormal(True)  # denormal numbers slow a CPU down several times
        own_folders(self.folder, ("state", "samples", "generator"))
        need_space(self.folder, 200 << 20)
        for place in (self.folder, self.folder / "generator", self.folder / "samples"):
            clear_parts(place)
        with self.course.memory_named(self.recipe.batch), contextlib.closing(self.course.journal), torch_threads():
            saved = self._saved(resume, fork)
            self.time = planned(self.folder, self.prepared, self.digest, resume, saved, self.ranks.world, self.report)
            steps = self.time.plan.steps
            begin = self.course.begin(saved)
            self.course.find_anchor(begin, steps)
            loop = self._loop(begin, steps)
            what = KINDS[len(self.training.spec.shape)]
            held_out = len(self.validation) / (len(self.training) + len(self.validation))
            self.watch = Watch(
                self.folder, self._counts(), steps, self.recipe.advised, self._examiner, self.report, what, held_out
            )
            first = next(loop)  # a state that does not fit is refused here, before anything is written
            if self.beside is not None:
                keep_labels(self.folder, self.beside)
            store(self.folder, self.settings, self.digest, self.time.plan, forked=fork is not None)
            if fork is not None:
                save_state(self.course.states, begin, begin)
            parts = f"{len(self.training)} {what} to train on, {len(self.validation)} held out"
            parts += f", {len(self.beside)} that had no label to train on, too" if self.beside else ""
            self.report("set-up", 1, 1, f"{self.device}, {'x'.join(map(str, self.training.spec.shape))}, {parts}")
            list_unreadable(self.folder, self.training, self.report)
            list_skipped(self.folder, self.training, self.report)
            self.slicewise = find_slicewise(self.prepared, self.report)
            self.course.journal.begin(begin.log_bytes, begin.sums)
            read_history(self.folder)  # a past that was altered is refused, and not played on
            last = self._play(first, loop, steps)
            save(self.folder / "generator", last.averages(), self._card(last.step))

    def _counts(self) -> dict[str, int]:
        """Items of each class, held-out ones included."""
        return {name: n + self.validation.counts()[name] for name, n in self.training.counts().items()}

    def _examiner(self) -> Examiner:
        validation = batches_for(self.recipe, self.validation, self.device)
        return Examiner(self.recipe, self.batches, validation, self.settings.seed, self.device)

    def _saved(self, resume: bool, fork: Path | None) -> SavedState:
        if fork is not None:
            return forked(fork, self.settings, self.digest)
        saved = (load_state(self.course.states) if resume else None) or SavedState()
        if resume:
            self.report("fit", 0, 0, f"resumed at step {saved.step}")
        return saved

    def _loop(self, begin: SavedState, steps: int) -> Iterator[Progress]:
        interventions = self.course.interventions
        tell(self.ranks, replace(begin, interventions=interventions), steps)
        return train(
            mended(self.recipe, interventions), self.batches, steps=steps, seed=self.settings.seed,
            device=self.device, start=begin.step, state=begin.tensors or None, retry=retries(interventions),
            slices=self.settings.slices, ranks=self.ranks,
        )  # fmt: skip

    def _play(self, progress: Progress, loop: Iterator[Progress], steps: int) -> Progress:
        while True:
            try:
                progress = self._consume(progress, loop, steps)
                if progress.step == self.time.end:
                    return progress
                begin = SavedState(progress.step, progress.state())  # a knob was turned
            except DivergedError as error:
                begin = self.course.go_back(error)
            loop = self._loop(begin, steps)
            progress = next(loop)

    def _consume(self, progress: Progress, loop: Iterator[Progress], steps: int) -> Progress:
        """To the last round, or to one at which a knob is turned."""
        began = wrote_at = saved_at = time.monotonic()
        start = wrote = progress.step
        journal = self.course.journal
        with interruptible() as asked:
            for progress in loop:
                self.course.step = step = progress.step
                last = self.time.is_last(step)
                journal.add(progress.losses)
                now = time.monotonic()
                if step % every(steps, LOG_LINES) == 0 or last:
                    journal.write(step, (step - wrote) / max(now - wrote_at, 1e-9))
                    wrote, wrote_at = step, now
                if step % every(steps, GRIDS) == 0 or last:
                    self._draw(progress)
                fix = self._look(progress) if self.watch.due(step) else None
                detail = "  ".join(f"{_short(name)} {value:.2f}" for name, value in progress.losses.items())
                speed = (step - start) / max(now - began, 1e-9)
                self.report("fit", step, steps, f"{speed:.1f} steps/s  {detail}")
                stop = any_asked(self.ranks, progress, asked) and not last  # once: a signal may come at any instant
                due = stop or last or time.monotonic() - saved_at > SAVE_SECONDS
                with round_ends(self.ranks, leaves=bool(fix) or (last and step < steps)):
                    self.course.keep(progress, due)
                saved_at = time.monotonic() if due else saved_at
                if stop:
                    raise stopped(step, steps)
                if fix or last:
                    break
        return progress

    def _look(self, progress: Progress) -> bool:
        """The doctor's look at the fit; whether a knob is turned after this round."""
        found = self.watch.look(progress, self.course.journal)
        if not self.settings.auto_fix or progress.step == self.time.end:
            return False
        fix = self.watch.fix(progress.step, found, self.course.interventions)
        if fix is None:
            return False
        self.course.interventions += (fix,)
        self.course.journal.note({"step": fix.step, "intervention": fix.to_json()})
        return True

    def _draw(self, progress: Progress) -> None:
        if not isinstance(self.training.codec, ImageCodec):
            return
        kept = progress.averages()
        if isinstance(self.validation, LabelledImages) and self.recipe.wiring.from_source:
            grid = translation_grid(kept, self.recipe.source, self.recipe.prior, self.validation)
        else:
            grid = sample_grid(kept["generator"], self.recipe.prior, len(self.training.classes))
        picture = tile(in_proportion(grid, self.training.codec))
        save_picture(picture, self.folder / "samples" / f"step-{progress.step:09d}.png")
        self.course.journal.tell(progress.step, {"grid": picture})

    def _card(self, steps: int) -> Card:
        all_parts = self.training, self.validation, self.beside
        parts = [part for part in all_parts if isinstance(part, LabelledImages)]
        likenesses = [part.likenesses for part in parts]
        return Card(
            recipe=self.settings.recipe,
            settings=self.settings.options,
            classes=self.training.classes,
            shape=self.training.spec.shape,
            pair=self.training.spec.pair,
            allow=self.training.spec.allow,
            words=self.training.spec.words,
            codec=self.training.codec,
            prior=self.recipe.prior,
            steps=steps,
            seed=self.settings.seed,
            counts=self._counts(),
            fingerprints=tuple(self.training.fingerprints),
            unlabelled=() if self.beside is None else tuple(self.beside.fingerprints),
            held_out=tuple(self.validation.fingerprints),
            versions=environment(self.device),
            interventions=self.course.interventions,
            slices=self.settings.slices,
            slicewise=self.slicewise,
            skipped=skipped(self.training),
            likenesses=keep_likenesses(self.folder, *likenesses) if any(likenesses) else "",
        )


def _short(name: str) -> str:
    """ "discriminator/relativistic.discriminator" -> "discriminator"; "discriminator/r1" -> "r1"."""
    return name.split("/")[-1].split(".")[-1]
