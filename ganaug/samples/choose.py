"""Make a choice: train judges on the images of the fit, set limits on real images that they did not see, and find out
how many samples pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.classifier.judge import FOLDS, crosswise, folds
from ganaug.classifier.small import Classifier
from ganaug.data.load import LabelledImages
from ganaug.defaults import usual_defaults
from ganaug.errors import ArtefactError, OptionError
from ganaug.generator.folder import CHOICE_FOLDER, Fitted, OwnRecipe, rules_of, run_folder
from ganaug.generator.last import last_network
from ganaug.generator.parts import all_parts, images_like
from ganaug.keys import torch_stream
from ganaug.options import Reading, merged
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import BLOCK, Renderer
from ganaug.samples.choosing.choice import Choice
from ganaug.samples.choosing.files import Known, keep, scorers_of
from ganaug.samples.choosing.rules import Rules
from ganaug.samples.choosing.scorers import Realism, Scorer
from ganaug.samples.run import Loadable, Run, from_noise, load

FEW = 10  # held-out images of a class, below which a limit that is set on them alone says little
TRIED = 8 * BLOCK  # samples of each class that are looked at


@dataclass(frozen=True)
class Chosen:
    """What `choose` found. folder: to be given wherever a run is: it serves what the choice lets through.

    accepted: class name -> share of its samples that every rule accepts. refused: class name -> rule -> share that
    this rule refuses. withheld: classes that are not served. notes: what to know of the limits.
    """

    folder: Path
    rules: Rules
    accepted: dict[str, float]
    refused: dict[str, dict[str, float]]
    withheld: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder), "rules": vars(self.rules), "accepted": self.accepted, "refused": self.refused,
            "withheld": list(self.withheld), "notes": list(self.notes),
        }  # fmt: skip

    def lines(self) -> list[str]:
        names = list(next(iter(self.refused.values())))
        lines = [f"{'class':<24}{'accepted':>10}" + "".join(f"{name:>10}" for name in names) + "   (refused by)"]
        for label, share in self.accepted.items():
            cells = "".join(f"{value:>10.1%}" for value in self.refused[label].values())
            lines.append(f"{label[:23]:<24}{share:>10.1%}{cells}{'   not served' if label in self.withheld else ''}")
        lines += self.notes
        if len(self.withheld) == len(self.accepted):
            lines.append("No class passes, so nothing is served: choose less strictly, or fit for longer.")
        else:
            lines.append(f"Serve them by naming {self.folder} in place of the run.")
        return lines


@usual_defaults()
def choose(
    run: Loadable,
    data: Any,
    rules: Rules | None = None,
    reading: Reading | None = None,
    *,
    seed: int = 0,
    recipe: OwnRecipe | None = None,
    report: Report = silent,
    **given: Any,
) -> Chosen:
    """Choose among the samples of a run, and keep the choice in RUN/choice.

    data, reading, given: what the run was fitted on, and how it is read, as `ganaug.fit` takes them. Its training part
    trains the judges, crosswise; limits are quantiles of real images that the judge in question (for copies: the set
    compared with) does not hold. recipe: needed only for a run of a recipe from a file. The folder RUN/choice can be
    given wherever a run is: to `mix`, `augment_loader`, `SynthMix`, `export`, `bench` and the others. Choosing is a
    guard: of the rules here none made a classifier better in docs/study.md, and the default ones withhold classes whose
    samples have wrong labels.

    Raises ArtefactError for a generator without its run folder, TooFewImagesError where the training part is not in
    `data` or a class has too few images or groups in it, TranslatorError for a generator that starts from images,
    OptionError for a spread where a generator does not mind the length of its latents (`small` does not).
    """
    judged = Judged(run, data, merged(Reading, reading, given), seed=seed, recipe=recipe, report=report)
    return judged.choose(Rules() if rules is None else rules)


class Judged:
    """A run, the images of its fit, and judges of them, for one choice or several. Arguments as of `choose`."""

    def __init__(
        self,
        run: Loadable,
        data: Any,
        reading: Reading | None = None,
        *,
        seed: int = 0,
        recipe: OwnRecipe | None = None,
        report: Report = silent,
    ):
        home = run_folder(run)
        if home is None:
            raise ArtefactError(
                f"{run.path if isinstance(run, (Fitted, Run)) else run} is not a run folder, where a choice is kept.",
                "Name the folder that `ganaug fit` made, not its generator alone.",
            )
        self.home, self.seed, self.recipe, self.report = home, seed, recipe, report
        self.fitted = from_noise(load(home, recipe=recipe))
        card = self.fitted.card
        parts = all_parts(card, images_like(card, data, reading, report=report))
        self.seen, self.unseen = parts.seen, parts.held_out
        self.fold = folds(self.seen, seed)

    @cached_property
    def judges(self) -> list[Classifier]:
        """Trained at the first choice whose rules the generator and its discriminator can follow."""
        return crosswise(self.seen, self.fold, self.seed, self.report)

    def choose(self, rules: Rules) -> Chosen:
        """Set limits, find out how many samples pass, and write RUN/choice in the place of an earlier one."""
        fitted, seen = self.fitted, self.seen
        if rules.spread != 1 and not _minds_length(fitted):
            raise OptionError(
                f"The generator of {fitted.card.recipe} looks at the direction of a latent only, so a spread of "
                f"{rules.spread:g} would change nothing.",
                "Leave --spread at 1.",
            )
        discriminator = None
        if rules.realism:
            discriminator = last_network(fitted, "discriminator", rules_of(fitted.card, self.recipe))
            Realism(discriminator, seen.pixels, seen.labels)(seen.pixels[:2], int(seen.labels[0]))
        mine = self.fold != 0  # what the first judge was trained on
        known = Known(
            tuple(self.judges), discriminator,
            self.judges[0].features(seen.pixels[mine]), seen.labels[mine], seen.pixels, seen.labels,
        )  # fmt: skip
        scorers = scorers_of(rules, known)
        limits = {name: _limits(name, scorers, rules, seen, self.unseen, self.fold, known) for name in scorers}
        choice = Choice(rules, fitted.card.classes, scorers, limits, (1.0,) * len(fitted.card.classes))
        accepted, refused = _tried(fitted, choice, self.seed, self.report)
        choice = replace(choice, accepted=tuple(accepted.values()))
        folder = self.home / CHOICE_FOLDER
        keep(folder, fitted.hash, choice, known)
        path = load(folder, recipe=self.recipe).path
        return Chosen(path, rules, accepted, refused, choice.withheld, self._notes(rules))

    def _notes(self, rules: Rules) -> tuple[str, ...]:
        """What a limit of few images is worth."""
        few = [f"{name!r} ({n})" for name, n in self.unseen.counts().items() if n < FEW]
        if not rules.realism or not few:
            return ()
        return (
            f"The limit of realism is set on held-out images alone, which are few of {', '.join(few)}; where there is "
            "none, no sample is refused by it.",
        )


@torch.inference_mode()
def _minds_length(fitted: Fitted) -> bool:
    """Whether a latent twice as long makes another image; not where the generator normalises latents."""
    z = fitted.prior.draw(8, torch_stream("choosing", "length"))
    y = torch.arange(8) % len(fitted.card.classes)
    return not torch.allclose(fitted.generator(z, y), fitted.generator(2 * z, y), atol=1e-3)


def _limits(
    name: str,
    scorers: dict[str, Scorer],
    rules: Rules,
    seen: LabelledImages,
    unseen: LabelledImages,
    fold: np.ndarray,
    known: Known,
) -> np.ndarray:
    """The quantile of every class, float64 (K,), of scores of real images by a scorer that does not know them."""
    left_out = torch.from_numpy(fold)
    limits = np.full(len(seen.classes), -np.inf)
    for label in range(len(seen.classes)):
        own = seen.labels == label
        scores = [scorers[name](unseen.pixels[unseen.labels == label], label)]
        if name == "manifold":
            scores.append(scorers[name](seen.pixels[own & (left_out == 0)], label))
        for out in range(FOLDS):
            images = seen.pixels[own & (left_out == out)]
            if name in ("label", "copies"):
                scores.append(scorers_of(rules, known.without(out, left_out))[name](images, label))
        found = np.concatenate(scores)
        if len(found):
            limits[label] = np.quantile(found, rules.share(name))
    return limits


def _tried(
    fitted: Fitted, choice: Choice, seed: int, report: Report
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Of the first samples of each class, the share that is accepted, and the share that each rule refuses."""
    renderer = Renderer(fitted, seed, spread=choice.spread)
    accepted, refused = {}, {}
    for label, name in enumerate(choice.classes):
        report("samples", label, len(choice.classes), name)
        passes = choice.passes(np.concatenate(list(renderer.stream(label, TRIED))), label)
        every = np.logical_and.reduce([np.ones(TRIED, dtype=bool), *passes.values()])
        accepted[name] = float(every.mean())
        refused[name] = {rule: float(1 - kept.mean()) for rule, kept in passes.items()}
    report("samples", len(choice.classes), len(choice.classes), "")
    return accepted, refused
