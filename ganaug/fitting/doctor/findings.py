"""What check-ups and losses mean: each finding names what is wrong, in which classes, and the knob to turn.

One function under `@ailment` is all that there is to a finding. The limits below were set on small fits of two data
sets with planted faults, and counted on those of a third one: `scripts/studies/doctor.py`, docs/doctor.md. They are
silent rather than wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ganaug.fitting.doctor.ailments import AILMENTS as AILMENTS
from ganaug.fitting.doctor.ailments import SETTLED, Evidence, Open, Past, Slower, ailment
from ganaug.fitting.doctor.labels import FEW, MEANWHILE, OF_LABELS
from ganaug.reporting import listed

FAR_TOO_FEW = 0.10  # of the advised rounds, below
FLAT = 0.20  # contrast of samples over that of real items, below
CHEQUERED = 0.50  # share of samples, above
CROSS_ENTROPIES = ("nonsaturating", "minimax", "relativistic")
NEAR_ZERO = 0.10  # a cross-entropy discriminator's loss, below
RESTLESS = 1.20  # median movement of class means between late check-ups over the spread of real items, above
BY_HEART = 0.90  # chance that the discriminator prefers a training item to a held-out one, above
LOST = 0.98  # chance that the discriminator prefers a held-out item to a sample, above

COPIED = 0.10  # share of samples that are copies, above
LEAKING = 0.40  # of the way from real items to what the discriminator is shown, above
COLLAPSED = 0.20  # spread of samples over that of real items, below
EARLY = 1 / 5  # of a fit after which a collapse is told at once

UNSCORED = "no settled check-up had scores of a discriminator, which is not kept after a fit."
COLLAPSES = ("mode collapse", "mode collapse within classes")
LOOKS = (*OF_LABELS, *COLLAPSES, "flat samples", "chequered or noisy samples")  # what is seen of samples
ALL_SLOWER = Slower("all learning rates are cut to a quarter", 0.25)
HALVED = Slower("the discriminator's learning rate is halved", 0.5, ("discriminator",))
WEAKER = Slower("the discriminator's learning rate is cut to a quarter", 0.25, ("discriminator",))


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run.

    Attributes
    ----------
    name, severity : str
        Of the ailment; the severity is "fault" or "warning".
    text : str
        The evidence in a sentence.
    knob : str
        What to try.
    classes : tuple of str
        The classes meant; () is all.
    """

    name: str
    severity: str
    text: str
    knob: str
    classes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Question:
    """What could not be told: names of ailments that may be there, the reason, the classes meant; () is all."""

    names: tuple[str, ...]
    why: str
    classes: tuple[str, ...] = ()

    def __str__(self) -> str:
        of = f", of {listed(self.classes)}" if self.classes else ""
        return f"{', '.join(self.names)}{of}: {self.why}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def findings(past: Past) -> tuple[Finding, ...]:
    """All that is wrong, faults first; what follows from another finding is told with it."""
    found = []
    for name, one in AILMENTS.items():
        for told in one.look(past):
            if not isinstance(told, Open):
                text, meant = (told, ()) if isinstance(told, str) else told
                found.append(Finding(name, one.severity, text, _knob(one.knob, past.what), meant))
    return tuple(sorted(_causes(found), key=lambda finding: finding.severity != "fault"))


def _knob(words: str, what: str) -> str:
    """What to try, of images; in the words of rows and series, which have no pictures and no size."""
    if what == "images":
        return words
    words = words.replace("Look at the samples (ganaug preview) and let", "Let").replace(
        "more, or larger, real", "more"
    )
    return words.replace("look at the samples (ganaug preview); ", "").replace("images", what)


def unanswered(past: Past) -> tuple[Question, ...]:
    """What check-ups could not tell, by reason; () where there are none, which tell nothing at all."""
    names: dict[Open, list[str]] = {}
    for name, one in AILMENTS.items():
        for told in one.look(past) if past.checkups else ():
            if isinstance(told, Open):
                names.setdefault(told, []).append(name)
    return tuple(Question(tuple(of), one.why, one.classes) for one, of in names.items())


def _causes(found: Sequence[Finding]) -> Iterator[Finding]:
    """The findings that do not follow from another one, which tells of them."""

    def comes_with(one: Finding, cause: Finding) -> bool:
        inside = not cause.classes or bool(one.classes) and set(one.classes) <= set(cause.classes)
        return one.name in AILMENTS[cause.name].brings and inside

    causes = [one for one in found if not any(comes_with(one, cause) and not comes_with(cause, one) for cause in found)]
    for cause in causes:
        others = [one.name for one in found if one not in causes and comes_with(one, cause)]
        yield replace(cause, text=f"{cause.text} With it come: {', '.join(others)}.") if others else cause


@ailment("far too few steps", "fault", "More steps (--steps, --budget); do not use the samples.", brings=LOOKS)
def _too_short(past: Past) -> Iterator[Evidence]:
    if past.steps < FAR_TOO_FEW * past.advised:
        yield f"{past.steps} steps were trained; good samples took about {past.advised} in our studies."


@ailment("too few images", "warning", "More real images of these classes help more than any generator.")
def _too_few(past: Past) -> Iterator[Evidence]:
    if few := {name: n for name, n in past.counts.items() if 0 < n < FEW}:
        told = listed(f"{name!r} there are {n} {past.what}" for name, n in sorted(few.items(), key=lambda one: one[1]))
        yield f"Of {told}.", tuple(few)


@ailment("not finite", "warning", "A smaller learning rate (--set lr=...), or a stronger gradient penalty.")
def _not_finite(past: Past) -> Iterator[Evidence]:
    if retries := [one for one in past.interventions if one.kind == "retry"]:
        yield f"{retries[0].cause} The fit went back {len(retries)} times, and on with other random numbers."


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
        yield Open("four check-ups, late in a fit, are needed.")
        return
    centres = np.array([c.centres for c in checkups])  # (T, K, d)
    moves = np.linalg.norm(np.diff(centres, axis=0), axis=2).mean(1) / max(checkups[-1].scale, 1e-9)
    moved = np.median(moves[len(moves) // 2 :])
    if moved > RESTLESS:
        far = f"moves by {moved:.2f} of the spread of real items from one check-up to the next"
        yield f"The mean sample of a class {far}: the players chase each other."


@ailment("discriminator overfits", "warning", fix=HALVED, knob=
    "Move more of the images that the discriminator sees (--set eye=0.8, where the recipe has it), fewer steps, or "
    "more real images.")  # fmt: skip
def _overfits(past: Past) -> Iterator[Evidence]:
    p = past.typical("prefers_seen")
    if math.isnan(p):
        yield Open(UNSCORED)
    elif p > BY_HEART:
        yield f"It scores a training item above a held-out one {p:.0%} of the time; 50 % is nothing learned by heart."


@ailment("discriminator saturated", "warning", brings=OF_LABELS, fix=WEAKER, knob=
    "A smaller learning rate of the discriminator, a stronger gradient penalty, or a larger generator.")  # fmt: skip
def _saturated(past: Past) -> Iterator[Evidence]:
    real = past.typical("prefers_real")
    if math.isnan(real):
        yield Open(UNSCORED)
    elif real > LOST and not past.typical("prefers_seen") > BY_HEART:
        yield f"It scores a real item that it never saw above a sample {real:.1%} of the time: its gradients are weak."


@ailment("copies of training images", "fault", knob=
    "Fewer steps, a smaller network, or more real images; look at the pairs with `ganaug measure RUN DATA "
    "--json`.")  # fmt: skip
def _copies(past: Past) -> Iterator[Evidence]:
    share = past.typical("copies")
    if math.isnan(share):
        yield Open("no settled check-up had enough different real items to know which distances are usual.")
    elif share > COPIED:
        yield f"{share:.0%} of the samples are nearer to a training item than 99 % of real items are to another one."


@ailment("augmentation leaks", "warning", brings=OF_LABELS, knob=
    "Move fewer of the images that the discriminator sees (--set eye=0.3, where the recipe has it), real and synthetic "
    "ones alike.")  # fmt: skip
def _augmentation_leaks(past: Past) -> Iterator[Evidence]:
    if past.what != "images":  # which alone have poses
        return
    amount = past.typical("leaking")
    if math.isnan(amount):
        yield Open("what the discriminator is shown was not seen, or its poses are changed too little to be followed.")
    elif amount > LEAKING:
        yield f"Samples look augmented: {amount:.0%} of the way from real images to what the discriminator is shown."


@ailment("flat samples", "fault", "More steps, a larger learning rate or a larger generator; do not use the samples.")
def _flat(past: Past) -> Iterator[Evidence]:
    for one in past.after(EARLY)[-1:]:
        bad = [c for c, share in enumerate(one.contrast) if share < FLAT]
        if bad:
            shares = ", ".join(f"{past.classes[c]!r} {one.contrast[c]:.2f}" for c in bad[:5])
            meant = tuple(past.classes[c] for c in bad) if len(bad) < len(past.classes) else ()
            yield f"Samples are nearly of one value: their contrast over that of real items is {shares}.", meant


@ailment("chequered or noisy samples", "fault", brings=OF_LABELS, knob=
    "More steps; a larger generator or batch; look at the samples (ganaug preview); do not use them.")  # fmt: skip
def _chequered(past: Past) -> Iterator[Evidence]:
    share = past.typical("chequered")
    if share > CHEQUERED:
        yield f"{share:.0%} of the samples alternate from pixel to pixel as 99 % of real images do not."


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
