"""What a bench found, once it is played: the two answers, and the evidence beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.classifier.use import use_named
from ganaug.data.spec import KINDS
from ganaug.evaluation.bench import record
from ganaug.evaluation.bench.contenders import Arena, Contender, best, seeds_of
from ganaug.evaluation.bench.design import RUNGS
from ganaug.evaluation.bench.keeping import earlier_benches, enough, identity, looks, notes_on_earlier
from ganaug.evaluation.bench.ladder import Ladder
from ganaug.evaluation.bench.results import most_sentence, next_step, sentence
from ganaug.evaluation.bench.sets import Sets, distinct_rows, group_numbers
from ganaug.evaluation.bench.verdict import HELPS, Interval, decide, holm, paired_interval, reasons_to_withhold
from ganaug.evaluation.trials.parts import TEST, Parts
from ganaug.evaluation.trials.trial import Answers
from ganaug.generator.folder import Fitted, hash_of, run_folder
from ganaug.options import as_text


@dataclass(frozen=True)
class Compared:
    """A contender and what it says of the test images, with each seed."""

    contender: Contender
    answers: Sequence[Answers]


@dataclass(frozen=True)
class Played:
    """A bench after its last trial. as_it_is: the classifier that the bench is about; rest: the best without synthetic
    images; mixed: the best with those of each source. judged: what one network of `rest` says of the synthetic images
    of each source. home: of the verdict, None without a run."""

    sets: Sets
    parts: Parts
    arena: Arena
    ladder: Ladder
    as_it_is: Compared
    rest: Compared
    mixed: dict[str, Compared]
    rungs: list[Compared | None]
    judged: dict[str, Answers]
    home: Path | None

    @property
    def labels(self) -> np.ndarray:
        """Of the test images, int64 (N,)."""
        return self.parts.test.labels.numpy()

    @property
    def seeds(self) -> list[int]:
        return seeds_of(self.arena.design, "test", self.arena.design.seeds)

    def most(self, helping: Sequence[str]) -> Compared:
        """The best on validation of what is without synthetic images, and with those that help on top of it."""
        sides = {self.ladder.rest: self.rest, **{self.ladder.mixed[name]: self.mixed[name] for name in helping}}
        return sides[best([*sides])]

    def gain(self, one: Compared, other: Compared) -> np.ndarray:
        """(seeds, N): 1 where only `other` is right, -1 where only `one` is, else 0."""
        before, after = (
            np.array([said.predictions == self.labels for said in side.answers], dtype=float) for side in (one, other)
        )
        return after[: len(before)] - before[: len(after)]

    def change(self, one: Compared, other: Compared) -> Interval:
        """Of the mean gain in the primary metric."""
        design = self.arena.design
        return paired_interval(
            self.gain(one, other), self.labels, balanced=design.unequal, groups=group_numbers(self.sets.test),
            seed=design.seed,
        )  # fmt: skip

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """Of each source of synthetic images, over the best of the rest."""
        return {name: self.change(self.rest, side) for name, side in self.mixed.items()}

    @cached_property
    def earlier(self) -> list[dict[str, Any]]:
        """Benches of this generator before this one."""
        if self.home is None:
            return []
        design, first = self.arena.design, next(iter(self.intervals.values()))
        return earlier_benches(self.home, identity(asdict(design), design.metric, len(self.labels), asdict(first)))


def play(sets: Sets, parts: Parts, arena: Arena, ladder: Ladder, home: Path | None) -> Played:
    """Everything that was selected, on the test set, with seeds that the selection has not seen."""
    seeds = seeds_of(arena.design, "test", arena.design.seeds)
    sides = [ladder.as_it_is, ladder.rest, *ladder.mixed.values()]
    found = arena.on(TEST, [side.contender for side in sides], seeds)
    rungs = [rung.tried.contender for rung in ladder.rungs if rung.tried is not None]
    said = iter(arena.on(TEST, rungs, seeds[:RUNGS]))
    as_it_is, rest, *mixed = (Compared(side.contender, own) for side, own in zip(sides, found, strict=True))
    first = replace(ladder.rest.contender, members=ladder.rest.contender.members[:1], strength=0.0)
    judged = {name: arena.on(name, [first], [arena.design.seed])[0][0] for name in parts.made}
    return Played(
        sets, parts, arena, ladder, as_it_is, rest, dict(zip(ladder.mixed, mixed, strict=True)),
        [None if rung.tried is None else Compared(rung.tried.contender, next(said)) for rung in ladder.rungs],
        judged, home,
    )  # fmt: skip


def reasons_against(sets: Sets, parts: Parts, design: Any) -> list[str]:
    """Why no verdict may be given, whatever is found."""
    once = distinct_rows(sets.test)
    groups = None if sets.test.groups is None else np.asarray(sets.test.groups)[once]
    return [
        *reasons_to_withhold(
            parts.test.labels.numpy()[once], sets.train.classes, design.seeds, groups,
            parts.validation.labels.numpy(), balanced=design.unequal, items=KINDS[len(sets.train.spec.shape)],
            usual=" (default 10, 5 with --quick)",
        ),
        *sets.doubts,
    ]  # fmt: skip


def failures(arena: Arena) -> tuple[list[str], list[str]]:
    """What is told of trainings that failed: notes, and reasons why no verdict may be given."""
    failed = [outcome for outcome in arena.laboratory.outcomes.values() if outcome.diverged]
    if not failed:
        return [], []
    tested = sum(TEST in outcome.trial.on for outcome in failed)
    note = f"{len(failed)} trainings failed, and count as guesses: {failed[0].trial}: {failed[0].diverged}"
    return [note], [f"{tested} trainings of what is compared on the test images failed."] if tested else []


def verdict(played: Played, reasons: list[str]) -> dict[str, Any]:
    """Both answers, what "auto" is to use, and what they rest on."""
    design = played.arena.design
    times = looks(played.earlier, design.quick) * max(1, len(played.mixed))
    sources = {name: _answer(played, name, reasons, times) for name in played.mixed}
    common = {
        "format": 4,
        "metric": design.metric,
        "metric reason": record.metric_reason(design, played.sets),
        "reasons": reasons,
        "most": _most(played, reasons, [name for name, one in sources.items() if one["verdict"] == HELPS]),
        "ladder": _ladder(played),
        "sources": sources,
        "looks": times,
        "classifier": record.classifier(played.arena, played.rest.contender),
        "asked": record.classifier(played.arena, played.as_it_is.contender),
    }
    if not sources:
        return common | {"verdict": None, "ratio": 0.0}
    return common | next(iter(sources.values()))


def _answer(played: Played, name: str, reasons: list[str], times: int) -> dict[str, Any]:
    """Whether the synthetic images of a source help on top of the best of the rest."""
    interval, mixed, design = played.intervals[name], played.mixed[name], played.arena.design
    word = decide(interval, reasons, enough=enough(interval, times))
    arms = {"without": record.side(played, played.rest), "with": record.side(played, mixed)}
    used = arms["with" if word == HELPS else "without"]
    return {
        "verdict": word,
        "mode": "replace",
        "ratio": used["ratio"],
        "use": used["use"],
        "use settings": asdict(use_named(used["use"])),
        "augmentation": used["augmentation"],
        "difference": asdict(interval),
        "power": record.power(
            interval, design.seeds, f"{len(played.labels)} test {KINDS[len(played.sets.train.spec.shape)]}",
            design.metric,
        ),
        "auto": record.recommendation(used, interval),
        "arms": arms,
        "measures": record.measures(played.rest.answers, mixed.answers),
        "recall": _recall(played, played.rest, mixed),
        "agreement": record.agreement(played.judged[name], played.parts.n_classes),
    }  # fmt: skip


def _most(played: Played, reasons: list[str], helping: Sequence[str]) -> dict[str, Any]:
    """What helps most, over the classifier as it is: one comparison, of what validation selected. helping: sources of
    synthetic images that were found to help."""
    side = played.most(helping)
    interval = played.change(played.as_it_is, side)
    same = side.contender == played.as_it_is.contender
    return {
        "verdict": decide(interval, reasons),
        "remedies": [*side.contender.remedies, *(["synthetic"] if side.contender.mixed else [])],
        "none": same,
        "difference": asdict(interval),
        "arms": {"as it is": record.side(played, played.as_it_is), "best": record.side(played, side)},
        "recall": _recall(played, played.as_it_is, side),
        "cost": record.cost(played, side),
    }


def _recall(played: Played, one: Compared, other: Compared) -> list[dict[str, float] | None]:
    """The change of each class."""
    return record.recall_changes(
        played.gain(one, other), played.labels, group_numbers(played.sets.test), played.parts.n_classes,
        played.arena.design.seed,
    )  # fmt: skip


def _ladder(played: Played) -> list[dict[str, Any]]:
    """Every remedy: what it does over the classifier as it is, on the test set."""
    found = [
        None if one is None else played.change(played.as_it_is, one) for one in played.rungs
    ]  # fmt: skip
    corrected = iter(holm([one.p for one in found[1:] if one is not None]))
    rows = []
    for place, (rung, side, change) in enumerate(zip(played.ladder.rungs, played.rungs, found, strict=True)):
        row: dict[str, Any] = {"rung": rung.remedy, "why not": rung.why_not}
        if side is not None and change is not None and rung.tried is not None:
            row |= {
                **record.named(side.contender),
                "validation": rung.tried.validation,
                "crosswise": rung.tried.crosswise,
                "test": record.means(side.answers),
                "difference": asdict(change),
                "p corrected": 1.0 if place == 0 else next(corrected),
                "in the best": _in_the_best(played, rung.remedy, side.contender),
                "cost": record.cost(played, side),
            }
        rows.append(row)
    return rows


def _in_the_best(played: Played, remedy: str, contender: Contender) -> bool:
    """Whether a remedy is part of what was chosen, for the kinds of classifiers that it was tried with."""
    rest = played.rest.contender
    own = tuple(one for one in rest.members if one.arm.classifier in contender.kinds)
    if not {*contender.kinds} <= {*rest.kinds}:
        return False
    parts = [rest] if own == rest.members else [
        one.contender for one in played.ladder.candidates if one.contender.members == own
    ]  # fmt: skip
    return any(remedy in part.remedies for part in parts)


def evidence(played: Played) -> dict[str, Any]:
    """All else that the trials showed, and of which images."""
    sets = played.sets
    return {
        "measure names": list(record.MEASURES),
        "validation": [record.on_validation(one, played.ladder) for one in played.ladder.candidates],
        "classes": list(sets.train.classes),
        "data": record.facts(sets, played.parts),
        "dropped": list(sets.dropped),
        "notes": [*sets.notes, *played.arena.notes],
        "settings": asdict(played.arena.design),
    }


def tell(found: dict[str, Any], played: Played, fitted: Fitted | None) -> None:
    """Add to what was found whose verdict it is, the sentences, and what earlier benches make of it."""
    whole = None if fitted is None else run_folder(fitted)
    found["generator"] = None if fitted is None else fitted.hash
    found["run generator"] = None if whole is None else hash_of(whole)
    found["most"]["sentence"] = most_sentence(found)
    for name, answer in found["sources"].items():
        answer["sentence"] = sentence(found | answer, name if len(found["sources"]) > 1 else "")
    found["sentence"] = next((one["sentence"] for one in found["sources"].values()), "")
    run = "" if played.home is None else as_text(played.home)
    found["next"], found["next command"] = next_step(found, run)
    if played.home is not None:
        found["notes"] += notes_on_earlier(played.home, found, played.earlier)
