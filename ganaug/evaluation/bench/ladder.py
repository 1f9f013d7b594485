"""What validation decides: which remedy, or which of them on top of each other, is the best without synthetic images,
and how these would be used on top of it.

The classifier that the bench is about is climbed first, one step after the other, each on top of those before where it
did better: as it is, its numbers tuned; the augmentation; MixUp, CutMix or neither; the learning rate, for the best so
far and for the best of another augmentation or blend, so that none wins by a rate that happens to suit it; the other
numbers; balancing and a shift of the logits, where classes are unequal; longer training; the mean of several networks.
Then the other kinds of classifiers, each with a shorter climb; unlabelled images, on top of the best of each kind; and
the mean of all kinds. Where one network will be used by itself, it is chosen from what was tried with it alone, and the
best of all teaches it. Then the synthetic share and the use of synthetic images, over the best of all that. So the
baseline is tuned at least as hard as what challenges it, and nothing is tuned for the challenger alone but how it uses
its synthetic images.

What is compared with and without synthetic images differs in these only. Otherwise, where the validation part is too
small to tell augmentations apart, one that the baseline happens to lack would be counted as a gain by the synthetic
images (`scripts/studies/sanity.py` has shown that: images with shuffled labels then "helped").
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganaug.evaluation.bench.contenders import Arena, Contender, Member, Tried, best
from ganaug.evaluation.bench.results import the
from ganaug.evaluation.bench.teaching import distil, label_unlabelled
from ganaug.evaluation.trials.arms import DISTILLED, FIXMATCH, PSEUDO, TAUGHT, Arm
from ganaug.evaluation.trials.learner import Learner

AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Rung:
    """A remedy, and the best that was found with it. why_not: why it was not tried, in a sentence."""

    remedy: str
    tried: Tried | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Ladder:
    """What was selected. rungs: in the order of trying, the first one being the classifier as it is. rest: the best
    without synthetic images. mixed: the best with those of each source, by its name. candidates: all that were tried,
    in the order of trying."""

    rungs: tuple[Rung, ...]
    rest: Tried
    mixed: dict[str, Tried]
    candidates: tuple[Tried, ...]

    @property
    def as_it_is(self) -> Tried:
        first = self.rungs[0].tried
        assert first is not None
        return first


def climb_all(arena: Arena, sources: Sequence[str], left_out: dict[str, str], named: Container[str] = ()) -> Ladder:
    """Run the validation trials and select. The first learner is the one that the bench is about; the name of each
    other one is that of a remedy. sources: names of the synthetic parts. left_out: why a remedy cannot be tried.
    named: remedies that the user asked for by name, of which each is told of."""
    wanted = arena.design.remedies
    first, *others = arena.learners.values()
    rungs = climb(arena, first)
    found = [best([rung.tried for rung in rungs if rung.tried is not None])]
    for learner in others:
        steps = [rung.tried for rung in climb(arena, learner, (learner.name,)) if rung.tried is not None]
        rungs.append(Rung(learner.name, best(steps)))
        found.append(best(steps))
    if arena.laboratory.parts.unlabelled is not None:
        rungs += _learn_unlabelled(arena, found, left_out)
    if others and "mean" in wanted:
        members = tuple(member for one in found for member in one.contender.members)
        names = dict.fromkeys(name for one in found for name in one.contender.remedies)
        every = Contender(members, best(found).contender.strength, (*names, "mean"))
        [together] = arena.attempt(every)
        rungs.append(Rung("mean", together))
        found.append(together)
    if arena.design.deploy:
        if DISTILLED in wanted and DISTILLED not in left_out:
            rungs.append(_distilled(arena, found[0], best(found)))
        found = [one for one in arena.tried if one.contender.kinds == (first.name,) and not one.contender.mixed]
    rest = best(found)
    rungs += [Rung(name, why_not=why) for name, why in left_out.items()]
    told = {rung.remedy for rung in rungs}
    rungs += [Rung(one, why_not=_why_not(arena, one)) for one in wanted if one in named and one not in told]
    mixed = {name: mix_into(arena, rest, name) for name in sources}
    return Ladder(tuple(rungs), rest, mixed, tuple(arena.tried))


def _why_not(arena: Arena, remedy: str) -> str:
    """Why a remedy was not tried that the classifier of the bench knows nothing of."""
    first = next(iter(arena.learners.values()))
    if remedy == first.name:
        return "The bench is about it, as it is."
    if remedy == "mean" and arena.design.deploy:
        return "One network will be used by itself (--deploy)."
    if remedy == "mean":
        return f"All trainings of {the(first.words)} give the same classifier."
    if remedy == "augmentation" and (first.menu.augmentations or first.menu.blends):
        return "No augmentation was to be tried."
    if remedy == "augmentation" and arena.design.allow == ():
        return "No change of an image is allowed (--allow none)."
    return f"There is no such change of {the(first.words)}."


def _learn_unlabelled(arena: Arena, found: list[Tried], left_out: Container[str]) -> list[Rung]:
    """Each kind of classifier with unlabelled images, too. found: the best of each kind; replaced where these did
    better."""
    rungs, new, wanted = [], [[one] for one in found], arena.design.remedies
    if PSEUDO in wanted and PSEUDO not in left_out:
        arena.notes.append(label_unlabelled(arena, best(found).contender))
        if len(arena.laboratory.parts.taught[PSEUDO].rows):
            for place, one in enumerate(found):
                new[place] += arena.attempt(_with(one.contender, PSEUDO, taught=PSEUDO))
            rungs.append(Rung(PSEUDO, best([each[-1] for each in new])))
        else:
            rungs.append(Rung(PSEUDO, why_not=arena.notes[-1]))
    if FIXMATCH in wanted:
        able = [i for i, one in enumerate(found) if arena.learners[one.arm.classifier].menu.fixmatch]
        for place in able:
            new[place] += arena.attempt(_with(found[place].contender, FIXMATCH, taught=FIXMATCH))
        none = (
            "It trains a network, and all that were tried are frozen: --remedies small,fixmatch or finetune,fixmatch."
            if arena.design.allow != ()
            else "It compares an image with changed ones, and no change is allowed (--allow none)."
        )
        top = best([new[place][-1] for place in able]) if able else None
        rungs.append(Rung(FIXMATCH, top, "" if able else none))
    found[:] = [best(each) for each in new]
    return rungs


def _distilled(arena: Arena, student: Tried, teacher: Tried) -> Rung:
    """The network that will be used, taught by the best of all."""
    if teacher.contender == student.contender:
        return Rung(DISTILLED, why_not="Nothing that was tried is better than the network itself.")
    arena.notes.append(distil(arena, teacher.contender))
    options = [{}, {"longer": True}] if arena.learners[student.arm.classifier].menu.longer else [{}]
    remedies = tuple(name for name in student.contender.remedies if name not in TAUGHT)  # it is taught in one way
    base = replace(student.contender, remedies=remedies)
    new = arena.attempt(*(
        _with(base, DISTILLED, taught=DISTILLED, **option) for option in options
        if not (option and student.arm.longer)
    ))  # fmt: skip
    return Rung(DISTILLED, best(new))


def climb(arena: Arena, learner: Learner, remedies: tuple[str, ...] = ()) -> list[Rung]:
    """One kind of classifier. remedies: what it is itself."""
    menu, wanted = learner.menu, arena.design.remedies

    def changed(base: Tried, remedy: str, field: str, options: Sequence[Any]) -> list[Tried]:
        return arena.attempt(*(_with(base.contender, remedy, **{field: option}) for option in options))

    def tuned(rivals: Sequence[Tried], names: Sequence[str]) -> list[Tried]:
        return arena.attempt(*(
            _at(rival.contender, name, value) for rival in rivals for name in names for value in menu.knobs[name][1:]
        ))  # fmt: skip

    start = Contender((Member(Arm(classifier=learner.name), menu.start),), remedies=remedies)
    numbers = list(menu.knobs)
    plain = base = best([*(new := arena.attempt(start)), *tuned(new, numbers[:1])])
    rungs = [Rung(AS_IT_IS, base)]
    if "augmentation" in wanted and (menu.augmentations or menu.blends):
        before = [one for one in arena.tried if one.arm.classifier == learner.name]
        seen = [*before, *changed(plain, "augmentation", "augmentation", _others(menu.augmentations))]
        seen += changed(best(seen), "augmentation", "blend", _others(menu.blends))
        top = best(seen)
        rivals = [one for one in (top, *runner_up(seen, top)) if one.arm != plain.arm]
        seen += tuned(rivals, numbers[:1])
        base = best(seen)
        if policy := [one for one in seen if one.arm.kind == "real+augmentation"]:
            rungs.append(Rung("augmentation", best(policy)))
    base = best([base, *tuned([base], numbers[1:])])
    for name in menu.remedies:
        [one] = changed(base, name, "remedy", [name])
        rungs.append(Rung(name, one))
    base = best([base, *(rung.tried for rung in rungs[1:] if rung.tried is not None)])

    def attempt(remedy: str, change: Callable[[Contender], Contender]) -> None:
        nonlocal base
        [new] = arena.attempt(change(base.contender))
        rungs.append(Rung(remedy, new))
        base = best([base, new])

    if "longer" in wanted and menu.longer:
        attempt("longer", lambda one: _with(one, "longer", longer=True))
    if "shift" in wanted and arena.laboratory.parts.fold is not None:
        attempt("shift", lambda one: replace(arena.shifted(one), remedies=(*one.remedies, "shift")))
    if "mean" in wanted and menu.copies > 1:
        attempt("mean", lambda one: copied(one, menu.copies))
    return rungs


def mix_into(arena: Arena, rest: Tried, source: str) -> Tried:
    """The best share and use of synthetic images, on top of what is best without. Where that is a mean of networks,
    they are chosen for one network of each kind."""
    design, contender = arena.design, rest.contender
    chosen: dict[str, Arm] = {}
    for kind in contender.kinds:
        first, *others = arena.learners[kind].menu.uses
        [side] = [one for one in contender.members if one.arm.classifier == kind and not one.copy]

        def mixed(uses: Sequence[str], ratios: Sequence[float], side: Member = side) -> list[Tried]:
            alone = replace(contender, members=(side,))
            arms = [{"use": use, "ratio": ratio, "made": source} for use in uses for ratio in ratios]
            return arena.attempt(*(alone.with_arms(**arm) for arm in arms))

        tried = mixed([first, *others] if design.grid else [first], design.ratios)
        if not design.grid:
            tried += mixed(others, [best(tried).arm.ratio])
        chosen[kind] = best(tried).arm
    together = tuple(
        replace(one, arm=replace(one.arm, **_served(chosen[one.arm.classifier]))) for one in contender.members
    )
    if len(together) == 1:
        return best([one for one in arena.tried if one.contender == replace(contender, members=together)])
    return arena.attempt(replace(contender, members=together))[0]


def _served(arm: Arm) -> dict[str, Any]:
    return {"ratio": arm.ratio, "use": arm.use, "made": arm.made}


def copied(contender: Contender, count: int) -> Contender:
    """The mean of so many networks that differ in their seeds."""
    [member] = contender.members
    members = tuple(replace(member, copy=i) for i in range(count))
    return replace(contender, members=members, remedies=(*contender.remedies, "mean"))


def runner_up(tried: Sequence[Tried], base: Tried) -> list[Tried]:
    """The best one with another augmentation or blend than the base; [] if nothing else was tried."""
    others = [one for one in tried if (one.arm.augmentation, one.arm.blend) != (base.arm.augmentation, base.arm.blend)]
    return [best(others)] if others else []


def _with(contender: Contender, remedy: str, /, **changes: Any) -> Contender:
    remedies = tuple(dict.fromkeys((*contender.remedies, remedy)))
    return replace(contender.with_arms(**changes), remedies=remedies)


def _at(contender: Contender, name: str, value: float) -> Contender:
    """With another value of one of its numbers."""
    members = tuple(
        replace(one, knobs=tuple((own, value if own == name else old) for own, old in one.knobs))
        for one in contender.members
    )
    return replace(contender, members=members)


def _others(names: Sequence[str]) -> list[str]:
    return [name for name in names if name != "none"]
