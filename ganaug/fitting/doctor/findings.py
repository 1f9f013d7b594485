"""What check-ups and losses mean: each finding names what is wrong, in which classes, and the knob to turn.

One function under `@ailment` is all that there is to a finding. The limits below were set on small fits of two data
sets with planted faults, and counted on those of a third one: `scripts/studies/doctor.py`, docs/doctor.md. They are
silent rather than wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ganaug.fitting.doctor.ailments import AILMENTS as AILMENTS
from ganaug.fitting.doctor.ailments import SETTLED, Evidence, Past, Slower, ailment
from ganaug.generator.interventions import Intervention

if TYPE_CHECKING:
    from ganaug.fitting.doctor.checkup import Checkup

FEW = 20  # images of a class
CROSS_ENTROPIES = ("nonsaturating", "minimax", "relativistic")
NEAR_ZERO = 0.10  # a cross-entropy discriminator's loss, below
RESTLESS = 1.20  # median movement of class means between late check-ups over the spread of real items, above
BY_HEART = 0.90  # chance that the discriminator prefers a training item to a held-out one, above
LOST = 0.98  # chance that the discriminator prefers a held-out item to a sample, above

CONFUSED, STRANGE = 0.50, 0.20  # agreement over that of held-out items, below; the rest is not of its class at all
ONE_CLASS, MOSTLY = 0.40, 0.50  # share of samples that are taken for one other class, above
JUDGED = 0.50  # of the way from chance to certainty that held-out items of a class must go, to judge samples by it
HELD_OUT = 0.2  # of the images of a class, about
COPIED = 0.10  # share of samples that are copies, above
LEAKING = 0.40  # of the way from real items to what the discriminator is shown, above
COLLAPSED = 0.20  # spread of samples over that of real items, below
EARLY = 1 / 5  # of a fit after which a collapse is told at once

COLLAPSES = ("mode collapse", "mode collapse within classes")
OF_LABELS = ("labels swapped", "labels leak", "unrealistic samples")
CHECK_LABELS = "Check the labels of the real images; more steps; a recipe with a projection discriminator (small)."
MEANWHILE = "do not mix in these classes meanwhile."
ALL_SLOWER = Slower("all learning rates are cut to a quarter", 0.25)
HALVED = Slower("the discriminator's learning rate is halved", 0.5, ("discriminator",))
WEAKER = Slower("the discriminator's learning rate is cut to a quarter", 0.25, ("discriminator",))


@dataclass(frozen=True)
class Finding:
    """name, severity, knob: of the ailment. text: the evidence in a sentence. classes: the classes meant; () is all."""

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
    """All that is wrong, faults first; what follows from another finding is told with it. Arguments as of `Past`."""
    past = Past(classes, counts, checkups, losses, steps, interventions)
    found = []
    for name, one in AILMENTS.items():
        for told in one.look(past):
            text, meant = (told, ()) if isinstance(told, str) else told
            found.append(Finding(name, one.severity, text, one.knob, meant))
    return tuple(sorted(_causes(found), key=lambda finding: finding.severity != "fault"))


def _causes(found: Sequence[Finding]) -> Iterator[Finding]:
    """The findings that do not follow from another one, which tells of them."""

    def comes_with(one: Finding, cause: Finding) -> bool:
        inside = not cause.classes or bool(one.classes) and set(one.classes) <= set(cause.classes)
        return one.name in AILMENTS[cause.name].brings and inside

    causes = [one for one in found if not any(comes_with(one, cause) and not comes_with(cause, one) for cause in found)]
    for cause in causes:
        others = [one.name for one in found if one not in causes and comes_with(one, cause)]
        yield replace(cause, text=f"{cause.text} With it come: {', '.join(others)}.") if others else cause


@ailment("too few images", "warning", "More real images of these classes help more than any generator.")
def _too_few(past: Past) -> Iterator[Evidence]:
    if few := {name: n for name, n in past.counts.items() if n < FEW}:
        yield "Of " + ", ".join(f"{name!r} there are {n} images" for name, n in few.items()) + ".", tuple(few)


@ailment("not finite", "warning", "A smaller learning rate (--set lr=...), or a stronger gradient penalty.")
def _not_finite(past: Past) -> Iterator[Evidence]:
    if retries := [one for one in past.interventions if one.kind == "retry"]:
        yield f"{retries[0].cause} The fit went back {len(retries)} times, and on with other draws."


@ailment("no convergence", "fault", brings=(*OF_LABELS, *COLLAPSES, "discriminator saturated"), fix=WEAKER, knob=
    "A smaller learning rate of the discriminator, or a recipe with a gradient penalty (small, r3gan).")  # fmt: skip
def _no_convergence(past: Past) -> Iterator[Evidence]:
    d, g = (_cross_entropies(past, player) for player in ("discriminator", "generator"))
    if len(d) < 9 or len(g) < 9 or past.losses[-1]["step"] < SETTLED * past.steps:
        return
    third = len(g) // 3
    early, late, last = (float(np.median(part)) for part in (g[:3], g[-third:], d[-third:]))
    rises = late > 1.5 * early if early > 0 else late > early / 1.5  # minimax: from -log 2 towards 0
    if last < NEAR_ZERO and rises:
        near = f"near zero ({last:.2g}) while the generator's rises ({early:.2g} to {late:.2g})"
        yield f"The discriminator's loss is {near}: its gradients say nothing any more."


def _cross_entropies(past: Past, player: str) -> list[float]:
    """Their sum in each line of losses that has one of this player."""
    meant = re.compile(f"{player}/.*({'|'.join(CROSS_ENTROPIES)})", re.DOTALL)
    terms = ([value for name, value in line.items() if meant.match(name)] for line in past.losses)
    return [float(sum(values)) for values in terms if values]


@ailment("oscillation", "fault", brings=(*OF_LABELS, "discriminator saturated"), fix=ALL_SLOWER, knob=
    "A smaller learning rate, beta1 0, or a gradient penalty (small, wgan_gp, r3gan).")  # fmt: skip
def _oscillation(past: Past) -> Iterator[Evidence]:
    checkups = past.after(SETTLED)
    if len(checkups) < 4:
        return
    centres = np.array([c.centres for c in checkups])  # (T, K, d)
    moves = np.linalg.norm(np.diff(centres, axis=0), axis=2).mean(1) / max(checkups[-1].scale, 1e-9)
    moved = np.median(moves[len(moves) // 2 :])
    if moved > RESTLESS:
        far = f"moves by {moved:.2f} of the spread of real items from one check-up to the next"
        yield f"The mean sample of a class {far}: the players chase each other."


@ailment("discriminator overfits", "warning", fix=HALVED, knob=
    "A stronger eye (augmentation of what the discriminator sees), fewer steps, or more real images.")  # fmt: skip
def _overfits(past: Past) -> Iterator[Evidence]:
    p = past.typical("prefers_seen")
    if p > BY_HEART:
        yield f"It scores a training item above a held-out one {p:.0%} of the time; 50 % is nothing learned by heart."


@ailment("discriminator saturated", "warning", brings=OF_LABELS, fix=WEAKER, knob=
    "A smaller learning rate of the discriminator, a stronger gradient penalty, or a larger generator.")  # fmt: skip
def _saturated(past: Past) -> Iterator[Evidence]:
    real = past.typical("prefers_real")
    if real > LOST and not past.typical("prefers_seen") > BY_HEART:
        yield f"It scores a real item that it never saw above a sample {real:.1%} of the time: its gradients are weak."


@ailment("labels swapped", "fault", CHECK_LABELS, brings=["mode collapse within classes"])  # of the other
def _swapped(past: Past) -> Iterator[Evidence]:
    yield from _likenesses(past, _doubted(past)[0])


@ailment("labels leak", "warning", CHECK_LABELS)
def _labels_leak(past: Past) -> Iterator[Evidence]:
    yield from _likenesses(past, _doubted(past)[1])


@ailment("unrealistic samples", "warning", f"More steps, or more real images of these classes; {MEANWHILE}")
def _unrealistic(past: Past) -> Iterator[Evidence]:
    if named := tuple(past.classes[c] for c in _doubted(past)[2]):
        all_of = ", ".join(map(repr, named))
        yield f"Samples do not look like their class, nor like another one in its place: {all_of}.", named


def _likenesses(past: Past, worst: Mapping[int, int]) -> Iterator[Evidence]:
    if worst:
        pairs = ", ".join(f"{past.classes[a]!r} looks like {past.classes[b]!r}" for a, b in worst.items())
        yield f"Samples look like another class than their label: {pairs}.", tuple(past.classes[c] for c in worst)


def _doubted(past: Past) -> tuple[dict[int, int], dict[int, int], list[int]]:
    """Classes whose labels are swapped, and leak, with what their samples look like; and those that look like none."""
    recent = past.after(SETTLED)[-3:]
    if not recent:
        return {}, {}, []
    own, other = (np.mean([getattr(c, name) for c in recent], 0) for name in ("agreement", "mistaken"))
    expected = np.array(recent[-1].agreement_of_unseen)
    chance = 1 / max(len(past.classes), 1)
    asked = np.maximum(1.0, HELD_OUT * np.array([past.counts.get(name, 0) for name in past.classes]))
    sure = expected - np.sqrt(np.maximum(0, expected * (1 - expected)) / asked)  # with its standard error
    judged, ratio = sure > chance + JUDGED * (1 - chance), own / np.maximum(expected, 1e-9)
    judged &= asked >= HELD_OUT * FEW
    strange = judged & (ratio < STRANGE)
    confused = judged & (ratio < CONFUSED) & (other > np.maximum(own, ONE_CLASS))
    worst = {c: max(recent, key=lambda one: one.mistaken[c]).mistaken_for[c] for c in np.flatnonzero(confused).tolist()}
    if 2 * confused.sum() > judged.sum() and len(set(worst.values())) < len(worst):  # no swap: nothing is learned yet
        return {}, {}, np.flatnonzero((strange | confused) & np.isfinite(other)).tolist()
    swapped = confused & strange & (other > MOSTLY)
    like, leak = ({c: one for c, one in worst.items() if swapped[c] == yes} for yes in (True, False))
    return like, leak, np.flatnonzero(strange & ~confused & np.isfinite(other)).tolist()


@ailment("copies of training images", "fault", knob=
    "Fewer steps, a smaller network, or more real images; look at the pairs with `ganaug measure`.")  # fmt: skip
def _copies(past: Past) -> Iterator[Evidence]:
    share = past.typical("copies")
    if share > COPIED:
        yield f"{share:.0%} of the samples are nearer to a training image than 99 % of real images are to another one."


@ailment("augmentation leaks", "warning", brings=OF_LABELS, knob=
    "A weaker eye, or one whose operations are applied to real and fake images alike.")  # fmt: skip
def _augmentation_leaks(past: Past) -> Iterator[Evidence]:
    amount = past.typical("leaking")
    if amount > LEAKING:
        yield f"Samples look augmented: {amount:.0%} of the way from real images to what the discriminator is shown."


@ailment("mode collapse", "fault", brings=OF_LABELS, knob=
    "The recipe small, whose discriminator sees the spread within a class; a smaller learning rate; more steps."
)  # fmt: skip
def _collapse(past: Past) -> Iterator[Evidence]:
    yield from (text for text, named in _alike(past) if 2 * len(named) > len(past.classes))


@ailment("mode collapse within classes", "fault", brings=OF_LABELS, knob=
    f"More real images of these classes, or more steps; {MEANWHILE}")  # fmt: skip
def _collapse_within(past: Past) -> Iterator[Evidence]:
    yield from ((text, named) for text, named in _alike(past) if 2 * len(named) <= len(past.classes))


def _alike(past: Past) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Evidence of classes of nearly one sample."""
    spreads = [c.spread for c in past.after(EARLY)[-2:]] or [(np.inf,) * len(past.classes)]
    spread = np.max(spreads, 0)  # not for a moment only
    bad = [c for c in range(len(past.classes)) if spread[c] < COLLAPSED]
    worst = ", ".join(f"{past.classes[c]!r} {spread[c]:.2f}" for c in sorted(bad, key=lambda c: spread[c])[:5])
    if bad:
        text = f"Samples of one class are nearly alike: their spread over that of real items is {worst}."
        yield text, tuple(past.classes[c] for c in bad)
