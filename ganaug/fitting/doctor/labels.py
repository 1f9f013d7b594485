"""What check-ups mean for labels: whether samples show their class, and whether that can be judged at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ganaug.fitting.doctor.ailments import SETTLED, Evidence, Open, Past, ailment

FEW = 20  # images of a class
CONFUSED, STRANGE = 0.50, 0.20  # agreement over that of held-out items, below; the rest is not of its class at all
ONE_CLASS, MOSTLY = 0.40, 0.50  # share of samples that are taken for one other class, above
JUDGED = 0.50  # of the way from chance to certainty that held-out items of a class must go, to judge samples by it
TELLING = 0.10  # above chance: share of held-out items of any class that the judge must get right, to be one
NOTHING = 0.25  # of the way from chance to that share: fewer samples of any class that are right show no class
LEAST = 4  # held-out images of a class, to judge a class by them

OF_LABELS = ("labels swapped", "labels leak", "unrealistic samples", "samples at chance")
MEANWHILE = "do not mix in these classes meanwhile."
CHECK_LABELS = "Check the labels of the real images; more steps; a recipe with a projection discriminator (small)."


class _Judged(NamedTuple):
    """own, other: shares of samples of each class taken for it, and for the one other class that most are. expected:
    of held-out items. error: standard error of that. judged: whether its samples can be. chance: of a guess."""

    own: np.ndarray
    other: np.ndarray
    expected: np.ndarray
    error: np.ndarray
    judged: np.ndarray
    chance: float

    @property
    def telling(self) -> bool:
        """Whether the judge tells classes apart at all, all of them together."""
        right = np.nanmean(self.expected) - 2 * np.sqrt(np.nanmean(self.error**2) / np.isfinite(self.expected).sum())
        return bool(right > self.chance and np.nanmean(self.expected) > self.chance + TELLING)


def _judged(past: Past) -> _Judged | None:
    """None before a settled check-up, where there is one class only, and where nothing was held out."""
    recent = past.after(SETTLED)[-3:]
    if not recent or len(past.classes) < 2 or not np.isfinite(recent[-1].agreement_of_unseen).any():
        return None
    own, other = (np.mean([getattr(c, name) for c in recent], 0) for name in ("agreement", "mistaken"))
    expected = np.array(recent[-1].agreement_of_unseen)
    chance = 1 / len(past.classes)
    asked = np.maximum(1, np.round(past.held_out * np.array([past.counts.get(name, 0) for name in past.classes])))
    error = np.sqrt(np.maximum(0, expected * (1 - expected)) / asked)
    judged = (expected - error > chance + JUDGED * (1 - chance)) & (asked >= LEAST)
    return _Judged(own, other, expected, error, judged, chance)


def _open(past: Past) -> Iterator[Open]:
    """Of which classes samples cannot be judged, and why."""
    if len(past.classes) < 2:
        return
    found = _judged(past)
    if found is None:
        yield Open("no settled check-up had held-out items to judge the judge by.")
    elif not found.judged.all():
        named = tuple(name for name, yes in zip(past.classes, found.judged, strict=True) if not yes)
        right = np.nan_to_num(found.expected[~found.judged])
        shares = f"{right.min():.0%}" + (f" to {right.max():.0%}" if right.max() > right.min() else "")
        yield Open(
            f"the doctor's judge takes {shares} of their held-out items for their class, too few, or of too few items; "
            f"{found.chance:.0%} is chance.", named,
        )  # fmt: skip


@ailment("judge at chance", "warning", knob=
    "Look at the samples (ganaug preview) and let ganaug bench decide; more, or larger, real images.")  # fmt: skip
def _blind(past: Past) -> Iterator[Evidence]:
    found = _judged(past)
    if found is not None and not found.telling:
        right = f"{np.nanmean(found.expected):.0%} of held-out items right, where {found.chance:.0%} is chance"
        yield f"The doctor's own judge guesses: it gets {right}. Whether samples show their class cannot be told."


@ailment("samples at chance", "fault", brings=["unrealistic samples", "labels leak"], knob=
    "More steps; look at the samples (ganaug preview); do not use them.")  # fmt: skip
def _at_chance(past: Past) -> Iterator[Evidence]:
    found = _judged(past)
    if found is not None and found.telling and np.isfinite(found.own).any():
        own, expected = np.nanmean(found.own), np.nanmean(found.expected)
        if own < found.chance + NOTHING * (expected - found.chance) and not _doubted(past)[0]:
            yield (f"A judge that takes {expected:.0%} of held-out items for their class takes {own:.0%} of samples "
                   f"for theirs, where {found.chance:.0%} is chance.")  # fmt: skip


@ailment("labels swapped", "fault", CHECK_LABELS, brings=["mode collapse within classes"])  # of the other
def _swapped(past: Past) -> Iterator[Evidence]:
    yield from _likenesses(past, _doubted(past)[0])
    yield from _open(past)


@ailment("labels leak", "warning", CHECK_LABELS)
def _labels_leak(past: Past) -> Iterator[Evidence]:
    yield from _likenesses(past, _doubted(past)[1])
    yield from _open(past)


@ailment("unrealistic samples", "warning", f"More steps, or more real images of these classes; {MEANWHILE}")
def _unrealistic(past: Past) -> Iterator[Evidence]:
    if named := tuple(past.classes[c] for c in _doubted(past)[2]):
        all_of = ", ".join(map(repr, named))
        yield f"Samples do not look like their class, nor like another one in its place: {all_of}.", named
    yield from _open(past)


def _likenesses(past: Past, worst: Mapping[int, int]) -> Iterator[Evidence]:
    if worst:
        pairs = ", ".join(f"{past.classes[a]!r} looks like {past.classes[b]!r}" for a, b in worst.items())
        yield f"Samples look like another class than their label: {pairs}.", tuple(past.classes[c] for c in worst)


def _doubted(past: Past) -> tuple[dict[int, int], dict[int, int], list[int]]:
    """Classes whose labels are swapped, and leak, with what their samples look like; and those that look like none."""
    found = _judged(past)
    if found is None:
        return {}, {}, []
    own, other, judged = found.own, found.other, found.judged
    ratio = own / np.maximum(found.expected, 1e-9)
    strange = judged & (ratio < STRANGE)
    confused = judged & (ratio < CONFUSED) & (other > np.maximum(own, ONE_CLASS))
    recent = past.after(SETTLED)[-3:]
    worst = {c: max(recent, key=lambda one: one.mistaken[c]).mistaken_for[c] for c in np.flatnonzero(confused).tolist()}
    if 2 * confused.sum() > judged.sum() and len(set(worst.values())) < len(worst):  # no swap: nothing is learned yet
        return {}, {}, np.flatnonzero((strange | confused) & np.isfinite(other)).tolist()
    swapped = confused & strange & (other > MOSTLY)
    like, leak = ({c: one for c, one in worst.items() if swapped[c] == yes} for yes in (True, False))
    return like, leak, np.flatnonzero(strange & ~confused & np.isfinite(other)).tolist()
