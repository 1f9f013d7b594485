"""`ganaug check`: what is in a data set, what is wrong with it, and what to do about it; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ganaug.data.advice import WHAT_HELPS, advice_for
from ganaug.data.beside import both_readings, lacks_test, to_bench, to_split
from ganaug.data.check_report import Check, Needs
from ganaug.data.duplicates.seen import Known, seen_as
from ganaug.data.duplicates.views import Reduced, reduced
from ganaug.data.gathered import auto_side
from ganaug.data.group_facts import group_facts
from ganaug.data.labelled import label_counts
from ganaug.data.labels.classes import place_of
from ganaug.data.passed_over import passed_over
from ganaug.data.required import refuse_depth, refuse_unsteady, require_counts
from ganaug.data.sources.folder import nesting
from ganaug.data.sources.kinds import is_text
from ganaug.data.sources.source import ImageSource, open_source
from ganaug.data.spec import DataSpec
from ganaug.data.subjects import alike, copies, survey_with_pairs
from ganaug.data.survey import Survey, survey
from ganaug.data.unlabelled_facts import unlabelled_facts
from ganaug.errors import DataError, OptionError
from ganaug.options import Reading, merged
from ganaug.reporting import Report, silent


def check(
    source: Any,
    reading: Reading | None = None,
    *,
    other: Any = None,
    unlabelled: Any = None,
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    needs: Needs | Callable[[DataSpec], Needs] | None = None,
    budget: float | None = None,
    report: Report = silent,
    **given: Any,
) -> Check:
    """Say what is in a data set, what is wrong with it, and what to do about it.

    Every image is read once. Nothing is written.

    Parameters
    ----------
    source : any source
        Labelled images in any form that `ganaug.open_source` takes.
    reading : Reading, optional
        How they are read.
    other : any source, optional
        A second set, for instance the test set, to compare classes with and to look for copies in.
    unlabelled : any source, optional
        Images without labels to learn from, which are looked for in both sets.
    limit : int, optional
        At most so many images of each class.
    seed : int, default 0
        Chooses among the images where there is a limit.
    device : str, default "cpu"
        Where a fit would run, for the size that it would choose.
    needs : Needs or callable, optional
        What good samples take, or a function of the `DataSpec` that gives it.
    budget : float, optional
        Seconds after which a fit stops by itself.
    report : callable, optional
        Called as `report(phase, done, total, text)`.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    Check
        What was found; `lines()` is for people, `to_json()` for programs.

    Raises
    ------
    DataError
        The source cannot be opened at all. What would stop a fit otherwise is listed in `problems`.

    Examples
    --------
    >>> import ganaug
    >>> found = ganaug.check("digits", limit=20)
    >>> found.total, found.shape, found.problems
    (200, (1, 8, 8), ())
    """
    reading = merged(Reading, reading, given)
    reading, of_other = both_readings(reading, source, other)
    opened = open_source(source, reading, report=report)
    found, pairs = survey_with_pairs(opened, limit=limit, seed=seed, report=report)
    counts = _counts(opened, found)
    second = None if other is None else open_source(other, of_other, report=report)
    there: list[Reduced] = []  # pictures of the second set
    beside = Survey() if second is None else survey(second, visit=lambda _, p: there.append(reduced(p)), report=report)
    side, depth = auto_side(found, device), 3 if found.in_colour() else 1
    spec = DataSpec((depth, side, side), opened.classes)
    same = copies(opened, found)
    sure, unsure = ((), ()) if second is None else _nearly(opened, found, second, beside, there, report)
    groups = group_facts(opened, found)
    problems = _problems(opened, found, counts, reading)
    problems = problems or ((groups.problem,) if groups and groups.problem else ())
    loose = None
    if unlabelled is not None:
        test = None if second is None else (second, beside)
        loose = unlabelled_facts(unlabelled, reading, (opened, found), test, seed, report)
        problems += (loose.problem,) if loose.problem else ()
    result = Check(
        counts=counts,
        sizes=_sizes(found),
        modes=_modes(found),
        grey=sum(not image.colour for image in found.images),
        shape=spec.shape,
        unreadable=(*found.unreadable, *beside.unreadable),
        ignored={reason: tuple(names) for reason, names in opened.ignored.items()},
        nested=nesting(opened),
        groups=groups,
        duplicates_within=tuple(names for names, labels in same if labels == 1),
        duplicates_across=tuple(names for names, labels in same if labels > 1),
        duplicates_between=() if second is None else _between(opened, found, second, beside),
        near_duplicates=pairs or (),
        compared=pairs is not None,
        near_duplicates_between=sure,
        alike_between=unsure,
        other_counts={} if second is None else _in_words_of(opened.classes, _counts(second, beside)),
        unlabelled=loose,
        problems=problems,
        advice=(),
        needs=needs(spec) if callable(needs) else needs,
        budget=budget,
        grouping=alike(opened, found, pairs or ()),
        read_as=found.read_as(reading.range),
    )
    lost, told = (0, "") if second is None else passed_over(second)
    lost_there = f"{lost} images of the other set are not looked at: {told}" if lost else ""
    advice = advice_for(result, other_sizes=_sizes(beside), other_modes=_modes(beside), other_lost=lost_there)
    if not result.problems:
        advice += _next(source, reading, other, unlabelled, limit, clean=not advice)
    return replace(result, advice=advice)


def _next(
    source: Any, reading: Reading, other: Any, unlabelled: Any, limit: int | None, *, clean: bool
) -> tuple[str, ...]:
    """What to type next, where it can be typed."""
    if other is None and is_text(source) and lacks_test(source):
        return (f"There is no test set. Before a fit, divide these images: {to_split(source, reading)}",)
    if not all(one is None or is_text(one) for one in (source, other, unlabelled)):
        return ()
    out = WHAT_HELPS if unlabelled is None else "bench"
    typed = to_bench(source, reading, out, other, limit=limit, unlabelled=unlabelled)
    if typed is None:
        return ()
    if unlabelled is not None:
        return (f"Find out what the unlabelled images are worth: {typed}",)
    return (f"{'No problem found. ' if clean else ''}Next: {typed}",)


def _in_words_of(classes: Sequence[str], counts: dict[str, int]) -> dict[str, int]:
    """Counts of another set, with classes that are in both written as here."""
    at = {name: place_of(name, classes) for name in counts}
    return {name if at[name] < 0 else classes[at[name]]: n for name, n in counts.items()}


def _sizes(found: Survey) -> dict[str, int]:
    return dict(Counter(f"{image.size[0]} x {image.size[1]}" for image in found.images).most_common())


def _modes(found: Survey) -> dict[str, int]:
    return dict(Counter(image.mode for image in found.images).most_common())


def _counts(source: ImageSource, found: Survey) -> dict[str, int]:
    return label_counts(source.labels[found.rows], source.classes)


def _problems(source: ImageSource, found: Survey, counts: dict[str, int], reading: Reading) -> tuple[str, ...]:
    try:
        require_counts(source.classes, counts, 2, source.ignored, found.unreadable)
        refuse_depth(source, found, reading.range, needed=True)
        refuse_unsteady(source, reading.as_served, needed=True)
    except (DataError, OptionError) as error:
        return (str(error),)
    pictures = {(image.fingerprint, int(source.labels[image.index])) for image in found.images}
    if len(pictures) <= len(source.classes):
        return ("Each class is one picture, again and again: nothing can be held out, and nothing learned.",)
    return ()


def _between(source: ImageSource, found: Survey, second: ImageSource, beside: Survey) -> tuple[tuple[str, str], ...]:
    there = {image.fingerprint: second.names[image.index] for image in reversed(beside.images)}
    pairs = ((source.names[image.index], there.get(image.fingerprint)) for image in found.images)
    return tuple((here, name) for here, name in pairs if name is not None)


def _nearly(
    source: ImageSource, found: Survey, second: ImageSource, beside: Survey, pictures: list[Reduced], report: Report
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Pairs of a picture here and one in the other set, nearly identical: beyond doubt; as alike as others here."""
    exact = {*found.images.fingerprints}
    rest = [row for row, image in enumerate(beside.images) if image.fingerprint not in exact]
    names = {image.likeness: source.names[image.index] for image in reversed(found.images)}
    likenesses = [beside.images[row].likeness for row in rest]
    known = Known(frozenset(), frozenset(names))
    marks = seen_as([""] * len(rest), likenesses, [pictures[row] for row in rest], known, report)
    others = [second.names[beside.images[row].index] for row in rest]
    return tuple(
        tuple((names[mark], other) for mark, other in zip(part, others, strict=True) if mark)
        for part in (marks.sure, marks.unsure)
    )
