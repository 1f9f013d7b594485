"""What check-ups and losses mean: each finding names what is wrong, in which classes, and the knob to turn.

The limits below were set on small fits of two data sets with planted faults, and counted on those of a third one:
`scripts/studies/doctor.py`, docs/doctor.md. They are silent rather than wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ganaug.fitting.doctor.checkup import Checkup
from ganaug.generator.interventions import Intervention

FEW = 20  # images of a class

COLLAPSED = 0.20  # spread of samples over that of real items, below
COPIED = 0.10  # share of samples that are copies, above
BY_HEART = 0.90  # chance that the discriminator prefers a training item to a held-out one, above
LOST = 0.98  # chance that the discriminator prefers a held-out item to a sample, above
LEAKING = 0.40  # of the way from real items to what the discriminator is shown, above
CONFUSED = 0.50  # agreement over that of held-out items, below
ONE_CLASS = 0.40  # share of samples that are taken for one other class, above
STRANGE = 0.20  # like `CONFUSED`, where the rest is not of its class at all
MOSTLY = 0.50  # like `ONE_CLASS`
JUDGED = 0.50  # of the way from chance to certainty that held-out items of a class must go, to judge samples by it
HELD_OUT = 0.2  # of the images of a class, about
RESTLESS = 1.20  # median movement of class means between late check-ups over the spread of real items, above
CROSS_ENTROPIES = ("nonsaturating", "minimax", "relativistic")
NEAR_ZERO = 0.10  # a cross-entropy discriminator's loss, below
SETTLED = 1 / 3  # of a fit after which it is judged
EARLY = 1 / 5  # of a fit after which a collapse is told at once
LABELS = {"labels swapped", "labels leak", "unrealistic samples"}
FOLLOWS = {
    "no convergence": LABELS | {"discriminator saturated", "mode collapse", "mode collapse within classes"},
    "oscillation": LABELS | {"discriminator saturated"},
    "mode collapse": LABELS,
    "mode collapse within classes": LABELS,
    "discriminator saturated": LABELS,
    "labels swapped": {"mode collapse within classes"},  # the spread is that of the other class
    "augmentation leaks": LABELS,
}
"""What comes with a finding in the same classes, and is told with it."""


@dataclass(frozen=True)
class Finding:
    """name: what is wrong, in the field's words. severity: "fault" (do not use the samples of these classes, or of the
    run) or "warning". text: the evidence in a sentence. knob: what to turn. classes: the classes meant; () is all."""

    name: str
    severity: str
    text: str
    knob: str
    classes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def findings(
    classes: Sequence[str],
    counts: Mapping[str, int],
    checkups: Sequence[Checkup],
    losses: Sequence[Mapping[str, Any]],
    steps: int,
    interventions: Sequence[Intervention] = (),
) -> tuple[Finding, ...]:
    """All that is wrong, faults first.

    counts: real images of each class. checkups: in the order of their steps. losses: lines of metrics.jsonl, each with
    "step" and means of terms by "player/term". steps: of the whole fit, of which the past may be a part. interventions:
    of which those count that went back because a number was not finite.
    """
    found = [*_too_few(counts), *_not_finite(interventions), *_not_converging(losses, steps)]
    settled = [c for c in checkups if c.step >= SETTLED * steps]
    if settled:
        found += [*_restless(settled), *_discriminator(settled), *_labels(settled, classes, counts), *_copied(settled)]
        found += _leaking(settled)
    if early := [c for c in checkups if c.step >= EARLY * steps]:
        found += _collapsed(early[-2:], classes)
    return tuple(sorted(_causes(found), key=lambda finding: finding.severity != "fault"))


def _causes(found: Sequence[Finding]) -> Iterator[Finding]:
    """The findings that do not follow from another one, which tells of them."""

    def comes_with(one: Finding, cause: Finding) -> bool:
        inside = not cause.classes or bool(one.classes) and set(one.classes) <= set(cause.classes)
        return one.name in FOLLOWS.get(cause.name, ()) and inside

    causes = [one for one in found if not any(comes_with(one, cause) and not comes_with(cause, one) for cause in found)]
    for cause in causes:
        others = [one.name for one in found if one not in causes and comes_with(one, cause)]
        yield replace(cause, text=f"{cause.text} With it come: {', '.join(others)}.") if others else cause


def _too_few(counts: Mapping[str, int]) -> Iterator[Finding]:
    few = {name: n for name, n in counts.items() if n < FEW}
    if few:
        yield Finding(
            "too few images",
            "warning",
            "Of " + ", ".join(f"{name!r} there are {n} images" for name, n in few.items()) + ".",
            "More real images of these classes help more than any generator.",
            tuple(few),
        )


def _not_finite(interventions: Sequence[Intervention]) -> Iterator[Finding]:
    retries = [one for one in interventions if one.kind == "retry"]
    if retries:
        yield Finding(
            "not finite",
            "warning",
            f"{retries[0].cause} The fit went back {len(retries)} times, and on with other draws.",
            "A smaller learning rate (--set lr=...), or a stronger gradient penalty.",
        )


def _not_converging(losses: Sequence[Mapping[str, Any]], steps: int) -> Iterator[Finding]:
    """The loss of a cross-entropy discriminator near zero while the generator's rises."""
    d, g = (_series(losses, player, CROSS_ENTROPIES) for player in ("discriminator/", "generator/"))
    if len(d) < 9 or len(g) < 9 or losses[-1]["step"] < SETTLED * steps:
        return
    third = len(g) // 3
    early, late = float(np.median(g[:3])), float(np.median(g[-third:]))
    rises = late > 1.5 * early if early > 0 else late > early / 1.5  # minimax: from -log 2 towards 0
    if np.median(d[-third:]) < NEAR_ZERO and rises:
        yield Finding(
            "no convergence",
            "fault",
            f"The discriminator's loss is near zero ({np.median(d[-third:]):.2g}) while the generator's rises "
            f"({early:.2g} to {late:.2g}): its gradients say nothing any more.",
            "A smaller learning rate of the discriminator, or a recipe with a gradient penalty (small, r3gan).",
        )


def _series(losses: Sequence[Mapping[str, Any]], player: str, kinds: tuple[str, ...]) -> np.ndarray:
    rows = [
        sum(v for name, v in line.items() if name.startswith(player) and any(kind in name for kind in kinds))
        for line in losses
        if any(name.startswith(player) and any(kind in name for kind in kinds) for name in line)
    ]
    return np.array(rows, dtype=float)


def _collapsed(checkups: Sequence[Checkup], classes: Sequence[str]) -> Iterator[Finding]:
    spread = np.max([c.spread for c in checkups], 0)  # not for a moment only
    bad = [c for c in range(len(classes)) if spread[c] < COLLAPSED]
    if not bad:
        return
    whole = 2 * len(bad) > len(classes)
    named = tuple(classes[c] for c in bad)
    worst = ", ".join(f"{classes[c]!r} {spread[c]:.2f}" for c in sorted(bad, key=lambda c: spread[c])[:5])
    yield Finding(
        "mode collapse" if whole else "mode collapse within classes",
        "fault",
        f"Samples of one class are nearly alike: their spread over that of real items is {worst}.",
        "The recipe small, whose discriminator sees the spread within a class; a smaller learning rate; more steps."
        if whole
        else "More real images of these classes, or more steps; do not mix in these classes meanwhile.",
        () if whole else named,
    )


def _restless(checkups: Sequence[Checkup]) -> Iterator[Finding]:
    if len(checkups) < 4:
        return
    centres = np.array([c.centres for c in checkups])  # (T, K, d)
    moves = np.linalg.norm(np.diff(centres, axis=0), axis=2).mean(1) / max(checkups[-1].scale, 1e-9)
    moves = moves[len(moves) // 2 :]
    if np.median(moves) > RESTLESS:
        yield Finding(
            "oscillation",
            "fault",
            f"The mean sample of a class moves by {np.median(moves):.2f} of the spread of real items from one check-up "
            "to the next: the players chase each other.",
            "A smaller learning rate, beta1 0, or a gradient penalty (small, wgan_gp, r3gan).",
        )


def _discriminator(checkups: Sequence[Checkup]) -> Iterator[Finding]:
    seen = _typical([c.prefers_seen for c in checkups[-3:]])
    real = _typical([c.prefers_real for c in checkups[-3:]])
    if seen > BY_HEART:
        yield Finding(
            "discriminator overfits",
            "warning",
            f"It scores a training item above a held-out one {seen:.0%} of the time; 50 % is nothing learned by heart.",
            "A stronger eye (augmentation of what the discriminator sees), fewer steps, or more real images.",
        )
    elif real > LOST:
        yield Finding(
            "discriminator saturated",
            "warning",
            f"It scores a real item that it never saw above a sample {real:.1%} of the time: its gradients are weak.",
            "A smaller learning rate of the discriminator, a stronger gradient penalty, or a larger generator.",
        )


def _labels(checkups: Sequence[Checkup], classes: Sequence[str], counts: Mapping[str, int]) -> Iterator[Finding]:
    recent = checkups[-3:]
    own, other = (np.mean([getattr(c, name) for c in recent], 0) for name in ("agreement", "mistaken"))
    expected = np.array(recent[-1].agreement_of_unseen)
    chance = 1 / max(len(classes), 1)
    asked = np.maximum(1.0, HELD_OUT * np.array([counts.get(name, 0) for name in classes]))
    sure = expected - np.sqrt(np.maximum(0, expected * (1 - expected)) / asked)  # with its standard error
    judged, ratio = sure > chance + JUDGED * (1 - chance), own / np.maximum(expected, 1e-9)
    judged &= asked >= HELD_OUT * FEW
    strange = judged & (ratio < STRANGE)
    confused = judged & (ratio < CONFUSED) & (other > np.maximum(own, ONE_CLASS))
    worst = {c: max(recent, key=lambda one: one.mistaken[c]).mistaken_for[c] for c in np.flatnonzero(confused).tolist()}
    if 2 * confused.sum() > judged.sum() and len(set(worst.values())) < len(worst):  # no swap: nothing is learned yet
        strange, confused = strange | confused, np.zeros_like(confused)
    swapped = confused & strange & (other > MOSTLY)
    for bad, name, severity in (
        (swapped, "labels swapped", "fault"),
        (confused & ~swapped, "labels leak", "warning"),
    ):
        if rows := np.flatnonzero(bad).tolist():
            pairs = ", ".join(f"{classes[c]!r} looks like {classes[worst[c]]!r}" for c in rows)
            yield Finding(
                name,
                severity,
                f"Samples look like another class than their label: {pairs}.",
                "Check the labels of the real images; more steps; a recipe with a projection discriminator (small).",
                tuple(classes[c] for c in rows),
            )
    if rows := np.flatnonzero(strange & ~confused & np.isfinite(other)).tolist():
        yield Finding(
            "unrealistic samples",
            "warning",
            "Samples do not look like their class, nor like another one in its place: "
            + ", ".join(repr(classes[c]) for c in rows)
            + ".",
            "More steps, or more real images of these classes; do not mix in these classes meanwhile.",
            tuple(classes[c] for c in rows),
        )


def _copied(checkups: Sequence[Checkup]) -> Iterator[Finding]:
    share = _typical([c.copies for c in checkups[-3:]])
    if share > COPIED:
        yield Finding(
            "copies of training images",
            "fault",
            f"{share:.0%} of the samples are nearer to a training image than 99 % of real images are to another one.",
            "Fewer steps, a smaller network, or more real images; look at the pairs with `ganaug measure`.",
        )


def _leaking(checkups: Sequence[Checkup]) -> Iterator[Finding]:
    amount = _typical([c.leaking for c in checkups[-3:]])
    if amount > LEAKING:
        yield Finding(
            "augmentation leaks",
            "warning",
            f"Samples look augmented: {amount:.0%} of the way from real images to what the discriminator is shown.",
            "A weaker eye, or one whose operations are applied to real and fake images alike.",
        )


def _typical(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else float("nan")
