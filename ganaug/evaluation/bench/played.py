"""What a bench found, once it is played: the verdict, and the evidence beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.classifier.use import use_named
from ganaug.evaluation.bench import record
from ganaug.evaluation.bench.arms import Design
from ganaug.evaluation.bench.keeping import earlier_benches, enough, identity, looks, notes_on_earlier
from ganaug.evaluation.bench.results import sentence
from ganaug.evaluation.bench.selection import Selection
from ganaug.evaluation.bench.sets import Sets, distinct_rows, group_numbers
from ganaug.evaluation.bench.trial import Outcome, Parts
from ganaug.evaluation.bench.verdict import HELPS, Interval, decide, paired_interval, reasons_to_withhold
from ganaug.generator.folder import Fitted, hash_of, run_folder


@dataclass(frozen=True)
class Played:
    """A bench after its last trial. without, mixed: outcomes of the two selected arms on the test set, paired by
    position. judged: what the arm without synthetic images says of these. home: of the verdict, None for a folder."""

    sets: Sets
    parts: Parts
    design: Design
    selection: Selection
    without: Sequence[Outcome]
    mixed: Sequence[Outcome]
    judged: Outcome
    home: Path | None

    @property
    def labels(self) -> np.ndarray:
        """Of the test images, int64 (N,)."""
        return self.parts.test.labels.numpy()

    @cached_property
    def gain(self) -> np.ndarray:
        """(seeds, N): 1 where only the arm with synthetic images is right, -1 where only the other is, else 0."""
        right = ([outcome.predictions == self.labels for outcome in side] for side in (self.mixed, self.without))
        mixed, without = (np.array(side, dtype=float) for side in right)
        return mixed - without

    @cached_property
    def interval(self) -> Interval:
        """Of the mean gain in the primary metric."""
        units = group_numbers(self.sets.test)
        return paired_interval(
            self.gain, self.labels, balanced=self.design.unequal, groups=units, seed=self.design.seed
        )

    @cached_property
    def earlier(self) -> list[dict[str, Any]]:
        """Benches of this generator before this one."""
        this = identity(asdict(self.design), self.design.metric, len(self.labels), asdict(self.interval))
        return [] if self.home is None else earlier_benches(self.home, this)


def reasons_against(sets: Sets, parts: Parts, design: Design) -> list[str]:
    """Why no verdict may be given, whatever is found."""
    once = distinct_rows(sets.test)
    groups = None if sets.test.groups is None else np.asarray(sets.test.groups)[once]
    return [
        *reasons_to_withhold(
            parts.test.labels.numpy()[once], sets.train.classes, design.seeds, groups,
            parts.validation.labels.numpy(), balanced=design.unequal,
        ),
        *sets.doubts,
    ]  # fmt: skip


def verdict(played: Played, reasons: list[str]) -> dict[str, Any]:
    """The word, what "auto" is to use, and what they rest on."""
    design, interval = played.design, played.interval
    times = looks(played.earlier, design.quick)
    word = decide(interval, reasons, enough=enough(interval, times))
    arms = {
        "without": record.side(played.selection.without, played.without),
        "with": record.side(played.selection.synthetic, played.mixed),
    }
    used = arms["with" if word == HELPS else "without"]
    return {
        "format": 3,
        "verdict": word,
        "mode": "replace",
        "ratio": used["ratio"],
        "use": used["use"],
        "use settings": asdict(use_named(used["use"])),
        "augmentation": used["augmentation"],
        "reasons": reasons,
        "metric": design.metric,
        "metric reason": record.metric_reason(design, played.sets),
        "difference": asdict(interval),
        "power": record.power(interval, design.seeds, len(played.labels), design.metric),
        "auto": record.recommendation(used, interval),
        "arms": arms,
        "looks": times,
    }


def evidence(played: Played) -> dict[str, Any]:
    """All else that the trials showed, and of which images."""
    sets, n_classes, seed = played.sets, played.parts.n_classes, played.design.seed
    synthetic = played.parts.synthetic.labels.numpy()
    return {
        "measures": record.measures(played.without, played.mixed),
        "recall": record.recall_changes(played.gain, played.labels, group_numbers(sets.test), n_classes, seed),
        "validation": [record.on_validation(candidate, played.selection) for candidate in played.selection.candidates],
        "agreement": record.agreement(played.judged, synthetic, n_classes),
        "classes": list(sets.train.classes),
        "data": record.facts(sets, np.bincount(synthetic, minlength=n_classes).tolist()),
        "dropped": list(sets.dropped),
        "notes": list(sets.notes),
        "settings": asdict(played.design),
    }


def tell(found: dict[str, Any], played: Played, fitted: Fitted | None) -> None:
    """Add to what was found whose verdict it is, the sentence, and what earlier benches make of it."""
    whole = None if fitted is None else run_folder(fitted)
    found["generator"] = None if fitted is None else fitted.hash
    found["run generator"] = None if whole is None else hash_of(whole)
    found["sentence"] = sentence(found)
    if played.home is not None:
        found["notes"] += notes_on_earlier(played.home, found, played.earlier)
