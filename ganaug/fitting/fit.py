"""From labelled images, rows or series to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganaug.data.outputs import refuse_within, require_outside
from ganaug.defaults import usual_defaults
from ganaug.errors import OptionError, OutputInUseError
from ganaug.files.integrity import writing
from ganaug.files.lock import sole_writer
from ganaug.fitting.follow import dismiss, follow, prepare_alike
from ganaug.fitting.journal import Track, untracked
from ganaug.fitting.place import is_finished, require_place
from ganaug.fitting.play import Play
from ganaug.fitting.prepare import FitSettings
from ganaug.fitting.settings_file import finished_steps
from ganaug.game.ranks import ranks_of
from ganaug.options import merged
from ganaug.reporting import Report, automatic, shows_progress
from ganaug.samples.run import Run


@shows_progress
@usual_defaults()
def fit(
    data: Any,
    out: str | Path,
    settings: FitSettings | None = None,
    *,
    resume: bool = False,
    fork: str | Path | Run | None = None,
    report: Report = automatic,
    track: Track = untracked,
    **options: Any,
) -> Run:
    """Train a class-conditional generator on labelled images, rows of a table, or series.

    A share of the data (20 % by default; whole groups, where groups are given) is held out, recorded in the card of the
    generator, and never trained on. Where a number stops being finite, the fit goes back to an earlier state and on
    with other random numbers, twice at most; metrics.jsonl and the card tell of it.

    Parameters
    ----------
    data : str, path, tuple, data set, DataFrame or LabelledImages
        Images: a folder of class folders, a .npz file, (X, y), a map-style data set, a name such as "digits", or what
        `ganaug.load_images` gives; see `ganaug.open_source`. A table: a .csv file or a pandas DataFrame, with `target`,
        the column of classes. Series: a .npz file or (X, y) whose X is (N, T), or (N, C, T) with `kind="series"`.
    out : str or path
        The run folder. It must not exist or be empty, unless the fit resumes.
    settings : FitSettings, optional
        Recipe, budget, size and others.
    resume : bool, default False
        Go on with what `out` holds. It must have been started with the same settings and data. A finished run stays as
        it is; a folder without a saved state starts anew. On the same machine, torch build and number of threads, the
        result has the bytes of an uninterrupted fit.
    fork : str, path or Run, optional
        A run whose last state is where this one begins, with other settings (of the recipe, steps or budget) and the
        same data and seed. `steps` counts its rounds too; a budget is added to them. Learning rates that change with
        the progress go by the new number of rounds; networks that have grown stay so.
    report : callable, optional
        Shows the progress to people: called as `report(phase, done, total, text)`. By default there is a bar with the
        time left on a terminal and in a notebook, and nothing elsewhere; `ganaug.silent` shows nothing.
    track : callable, optional
        Hands the values to a program, such as TensorBoard or MLflow: called as `track(step, values)` for each line of
        metrics.jsonl, with floats (the mean loss of each term, "steps_per_second") or, as dicts, what a check-up found;
        and for each grid of samples with {"grid": a PIL image}. Rounds that are played again are told again.
    **options
        Settings by name, over those of `settings`: see `FitSettings`.

    Returns
    -------
    Run
        The run folder, which `ganaug.mix`, `ganaug.bench` and the others take.

    Raises
    ------
    OptionError
        A setting does not exist or cannot take this value.
    DataError
        The data cannot be used; kinds of it say why, such as `TooFewImagesError`.
    OutputInUseError
        `out` holds other things, or another process writes into it.
    DiskFullError, UnwritableError
        There is no room, or no right, to write.
    DivergedError, OutOfMemoryError
        The training failed. The last good state is kept.
    TrackerError
        `track` failed. The state is kept, and `resume` goes on with it.
    RankError
        Processes of one fit were given different things, or one of them has ended.
    KeyboardInterrupt
        Ctrl-C, after the state was saved.

    See Also
    --------
    ganaug.preview : Look at the samples.
    ganaug.doctor : Find out what is wrong with a run.
    ganaug.bench : Find out whether the samples help a classifier.

    Notes
    -----
    With `slices`, processes that torchrun started (or that share a torch.distributed group) play one fit together. All
    of them call this function with the same arguments; process 0 alone reports, and writes into `out`.

    Examples
    --------
    >>> import ganaug
    >>> run = ganaug.fit("digits", "runs/short", steps=12, limit=30)  # far too short; the default budget is 10 minutes
    >>> run
    Run('runs/short', 10 classes, 12 steps of small, not benched)

    The same with settings, and values for a tracker:

    >>> settings = ganaug.FitSettings(limit=30, options={"lr": 0.001})
    >>> kept = []
    >>> run = ganaug.fit("digits", "runs/tracked", settings, steps=2, track=lambda step, values: kept.append(step))
    >>> max(kept)
    2
    """
    if resume and fork is not None:
        raise OptionError("A fit either resumes or forks.", "To go on with a forked run, give --resume alone.")
    settings = merged(FitSettings, settings, options)
    folder = Path(out)
    require_outside(folder, data, settings.pairs, settings.unlabelled)
    refuse_within(settings.unlabelled, data, settings)
    source_run = Path(fork.path if isinstance(fork, Run) else fork) if fork is not None else None
    with ranks_of(settings.slices) as ranks:
        if ranks.leads:
            require_place(folder, resume)
        began = folder if resume else source_run
        prepared, digest = prepare_alike(ranks, data, settings, report, began, resume=resume, fork=fork is not None)
        if not ranks.leads:
            follow(ranks, prepared)
        elif is_finished(folder):
            report("fit", 1, 1, f"already finished, {finished_steps(folder, prepared.settings, digest)} steps")
            dismiss(ranks)
        else:
            with writing(folder), sole_writer(folder):
                if is_finished(folder):
                    raise OutputInUseError(f"{folder} was finished by another process.", "Choose another folder.")
                Play(folder, prepared, digest, ranks, report, track).go(resume, source_run)
            dismiss(ranks)
    return Run(folder)
