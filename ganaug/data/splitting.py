"""`ganaug split`: a test part out of data that have none, before anything is fitted."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.data.advice import WHAT_HELPS
from ganaug.data.beside import SHARE
from ganaug.data.labelled import Labelled, label_counts
from ganaug.data.outputs import require_outside
from ganaug.data.required import refuse_depth, refuse_unsteady, require_counts
from ganaug.data.sources.kinds import is_text
from ganaug.data.sources.small import Larger
from ganaug.data.sources.source import brings_test_part, open_source
from ganaug.data.split import held_out_rows
from ganaug.data.split_files import require_free, write_parts
from ganaug.data.split_report import Split
from ganaug.data.subjects import copies, grouped, short_marks, survey_with_pairs
from ganaug.defaults import usual_defaults
from ganaug.errors import DataError, FewImagesWarning, OptionError
from ganaug.options import Reading, as_text, merged, typed
from ganaug.reporting import Report, listed, silent

_SUBJECTS = "If images that only look alike were kept together, name the subjects: --groups FILE.csv (groups=)."


@usual_defaults()
def split(
    data: Any,
    out: str | Path | None = None,
    reading: Reading | None = None,
    *,
    test: float = SHARE,
    seed: int = 0,
    report: Report = silent,
    **given: Any,
) -> Split:
    """Divide labelled images into a part to train on and a part to test on, before anything is fitted.

    Every class is divided in the same proportion. What belongs together stays on one side: the images of a group, exact
    copies, and near-duplicates (flipped, slightly shifted, recompressed, brighter or resized), also by a chain. Among
    more than 10,000 images near-duplicates are not looked for. The same seed gives the same parts.

    Parameters
    ----------
    data : any source
        Labelled images in any form that `ganaug.open_source` takes.
    out : str or Path, optional
        Folder to write the parts into; without it nothing is written. Images that are files become two lists of them,
        `train.csv` and `test.csv`, with the columns image, label, and group where groups are known or near-duplicates
        were found; no image is copied. A Parquet or Arrow file becomes `train.parquet` and `test.parquet`, anything
        else `train.npz` and `test.npz`. Each is a source by itself.
    reading : Reading, optional
        How the data are read.
    test : float, default 0.25
        Share of each class for the test part, above 0 and below 1. A class has at least one image in it if it can: if
        its images are not all of one group, or copies of one.
    seed : int, default 0
        Of the choice.
    report : callable, optional
        Called as `report(phase, done, total, text)`.
    **given
        Fields of `Reading` by name: `groups="groups.csv"`.

    Returns
    -------
    Split
        The rows of both parts, counts, and the files that were written.

    Raises
    ------
    OptionError
        A share is out of range, or `out` lies in the data.
    DataError
        The data are no labelled images of two classes, nothing can be held out, or no such file can hold the images.
    OutputInUseError
        A file is in the way.

    Warns
    -----
    FewImagesWarning
        A class is in the training part only.

    Examples
    --------
    >>> import ganaug, numpy as np
    >>> images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    >>> parts = ganaug.split((images, np.arange(40) % 2), test=0.25)
    >>> len(parts.train), len(parts.test), parts.counts
    (30, 10, {'0': (15, 5), '1': (15, 5)})
    """
    reading = merged(Reading, reading, given)
    if not 0 < test < 1:
        raise OptionError(f"The test share cannot be {test:g}.", "Choose a number between 0 and 1, such as 0.25.")
    folder = None if out is None else Path(out).expanduser()
    if folder is not None:
        require_outside(folder, data)
    source = open_source(data, reading, report=report)
    if folder is not None:
        require_free(folder, source)
    require_counts(source.classes, label_counts(source.labels, source.classes), 0)
    refuse_unsteady(source, reading.as_served, needed=True)

    found, pairs = survey_with_pairs(source, report=report)
    if not found.images:
        raise DataError("No image can be read.", "Give images of a supported format.")
    refuse_depth(source, found, reading.range, needed=True)
    rows = np.array([image.index for image in found.images], dtype=np.int64)
    labels, names = source.labels[rows], tuple(source.names[row] for row in rows)
    known = None if source.groups is None else tuple(source.groups[row] for row in rows)
    alike = [*(same for same, _ in copies(source, found)), *((pair.first, pair.second) for pair in pairs or ())]
    marks = short_marks(found)
    of_name = grouped(names, known or marks, alike)
    blocks = tuple(of_name[name] for name in names)
    items = Labelled(
        labels=torch.from_numpy(labels.copy()), classes=source.classes, names=names, groups=blocks,
        fingerprints=found.images.fingerprints,
    )  # fmt: skip
    by_likeness = known is None and bool(pairs)
    try:
        held = held_out_rows(items, fraction=test, seed=seed)
    except DataError as error:
        raise DataError(error.cause, _SUBJECTS if by_likeness else error.fix) from None

    in_data = source.rows if isinstance(source, Larger) and reading.skip_small is not None else np.arange(len(source))
    whole, of_test = label_counts(labels, source.classes), label_counts(labels[held], source.classes)
    sets = [n for n in Counter(grouped(names, marks, alike).values()).values() if n > 1]
    parts = Split(
        train=in_data[rows[~held]],
        test=in_data[rows[held]],
        counts={name: (n - of_test[name], of_test[name]) for name, n in whole.items()},
        groups=None if known is None else (_distinct(known, ~held), _distinct(known, held)),
        together=(len(sets), sum(sets)),
        compared=pairs is not None,
        unreadable=tuple(found.unreadable),
        remark=_remark(data),
    )
    if folder is not None:
        groups = dict(zip(rows.tolist(), blocks, strict=True)) if known is not None or pairs else None
        files, how = write_parts(data, source, found, (rows[~held], rows[held]), groups, reading, folder)
        lone = any(train == 1 for train, _ in parts.counts.values())  # a fit needs two images of a class
        parts = replace(parts, files=files, steps=_steps(data, files, replace(how, skip_small=2 if lone else None)))
    if parts.train_only:
        warnings.warn(
            f"There is no test image of {listed(parts.train_only)}: a class of one image, or one group or picture, "
            f"stays in the training part.{f' {_SUBJECTS}' * by_likeness}",
            FewImagesWarning,
            stacklevel=3,
        )
    return parts


def _distinct(groups: Sequence[str], chosen: np.ndarray) -> int:
    return len({group for group, one in zip(groups, chosen, strict=True) if one})


def _steps(data: Any, files: Sequence[Path], how: Reading) -> tuple[str, ...]:
    """What to type next."""
    name = (Path(data).stem or Path(data).resolve().stem) if is_text(data) else "mine"
    train, test, run = map(as_text, (*files, f"runs/{name}"))
    options = "".join(f" {one}" for one in typed(how)[0])
    return (
        f"ganaug bench {train} --test {test}{options} --out {WHAT_HELPS}",
        f"ganaug fit {train}{options} --out {run}",
    )


def _remark(data: Any) -> str:
    if not brings_test_part(data):
        return ""
    whose = as_text(data) if is_text(data) else "The data set"
    return f"{whose} has a test part already, which was not touched: without --test, ganaug bench asks that one."
