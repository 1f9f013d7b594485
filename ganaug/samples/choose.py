"""Make a choice: train judges on the images of the fit, set limits on real images that they did not see, and find out
how many samples pass."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.data.load import load_images
from ganaug.data.outputs import require_outside
from ganaug.data.sources.folder import file_of
from ganaug.data.sources.source import ImageSource
from ganaug.defaults import usual_defaults
from ganaug.errors import ArtefactError, DataError, OptionError, OutputInUseError
from ganaug.files.integrity import csv_text, write_atomically
from ganaug.generator.folder import CHOICE_FOLDER, Fitted, OwnRecipe, rules_of, run_folder
from ganaug.generator.last import last_network
from ganaug.generator.parts import all_parts, images_like
from ganaug.keys import torch_stream
from ganaug.options import Reading, merged
from ganaug.reporting import Report, automatic, shows_progress, silent
from ganaug.samples.blocks import BLOCK, Renderer
from ganaug.samples.choosing.choice import Choice
from ganaug.samples.choosing.chosen import Chosen
from ganaug.samples.choosing.files import keep
from ganaug.samples.choosing.judges import Judges
from ganaug.samples.choosing.rules import Rules
from ganaug.samples.choosing.scorers import Realism
from ganaug.samples.run import Loadable, Run, Samples, from_noise, load, made_elsewhere

FEW = 10  # held-out images of a class, below which a limit that is set on them alone says little
TRIED = 8 * BLOCK  # samples of each class that are looked at


@shows_progress
@usual_defaults()
def choose(
    run: Samples,
    data: Any,
    rules: Rules | None = None,
    reading: Reading | None = None,
    *,
    seed: int = 0,
    recipe: OwnRecipe | None = None,
    report: Report = automatic,
    out: str | Path | None = None,
    **given: Any,
) -> Chosen:
    """Choose among samples: refuse those that are hardly of their class, or copies of training images.

    For a run, the choice is kept in RUN/choice, which can be given wherever a run is: to `ganaug.mix`,
    `ganaug.augment`, `ganaug.bench` and the others. For images that were made elsewhere, a list of those that pass is
    written. Choosing is a guard: none of these rules made a classifier better in docs/study.md, and the default ones
    withhold classes whose samples have wrong labels.

    Parameters
    ----------
    run : str, path, Run, Fitted or any source
        A run folder, or images that were made elsewhere: a folder, or a list of files.
    data : any source
        What the run was fitted on, as `ganaug.fit` takes it. Its training part trains the judges, crosswise; limits are
        quantiles of real images that the judge in question (for copies: the set compared with) does not hold.
    rules : Rules, optional
        How strict the choice is.
    reading : Reading, optional
        How the data are read.
    seed : int, default 0
        Of the judges.
    recipe : Recipe or callable, optional
        The recipe, for a run that was fitted with one from a file of your own.
    report : callable, optional
        Shows the progress: called as `report(phase, done, total, text)`. By default there is a bar with the time left
        on a terminal and in a notebook, and nothing elsewhere; `ganaug.silent` shows nothing.
    out : str or path, optional
        For images that were made elsewhere: the CSV file to write, which can be given wherever these images are.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    Chosen
        Shares that pass, class by class, and the folder or list to serve from.

    Raises
    ------
    ArtefactError
        A generator comes without its run folder.
    TooFewImagesError
        The training part is not in `data`, or a class of it has too few images or groups.
    TranslatorError
        The generator starts from images.
    OptionError
        There is a spread, and the generator does not mind the length of its latents ("small" does not).

    Examples
    --------
    >>> import ganaug
    >>> chosen = ganaug.choose("runs/digits", "digits", ganaug.Rules(label=0, copies=0.01))
    >>> chosen.folder.name, sorted(chosen.refused["3"])
    ('choice', ['copies'])
    """
    rules = Rules() if rules is None else rules
    made = made_elsewhere(run, report)
    if made is not None:
        if recipe is not None or out is None:
            cause = "Images that were made elsewhere have no recipe, and no folder of a run to keep a choice in."
            raise OptionError(cause, "Leave out recipe=, and name the list to write: --out KEPT.csv (out=).")
        return _kept_of(made, data, rules, merged(Reading, reading, given), out=Path(out), seed=seed, report=report)
    if out is not None:
        raise OptionError("The choice among the samples of a run is kept in RUN/choice.", "Leave out --out (out=).")
    judged = Judged(run, data, merged(Reading, reading, given), seed=seed, recipe=recipe, report=report)
    return judged.choose(rules)


class Judged(Judges):
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
            if not isinstance(run, Fitted):
                load(run, recipe=recipe)  # which knows of more that may be wrong
            raise ArtefactError(
                f"{run.path if isinstance(run, (Fitted, Run)) else run} is not a run folder, where a choice is kept.",
                "Name the folder that `ganaug fit` made, not its generator alone.",
            )
        self.home, self.recipe = home, recipe
        self.fitted = from_noise(load(home, recipe=recipe))
        card = self.fitted.card
        parts = all_parts(card, images_like(card, data, reading, report=report))
        super().__init__(parts.seen, parts.held_out, seed, report)

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
            Realism(discriminator, seen.pixels, seen.labels)(seen.stored[:2], int(seen.labels[0]))
        known = self.known(discriminator)
        scorers, limits = self.limits(rules, known)
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


def _tried(
    fitted: Fitted, choice: Choice, seed: int, report: Report
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Of the first samples of each class, the share that is accepted, and the share that each rule refuses."""
    renderer = Renderer(fitted, seed, spread=choice.spread)
    accepted, refused = {}, {}
    for label, name in enumerate(choice.classes):
        report("samples", label, len(choice.classes), name)
        kept, refused[name] = choice.judged(np.concatenate(list(renderer.stream(label, TRIED))), label)
        accepted[name] = float(kept.mean())
    report("samples", len(choice.classes), len(choice.classes), "")
    return accepted, refused


def _kept_of(
    made: ImageSource, data: Any, rules: Rules, reading: Reading, *, out: Path, seed: int, report: Report
) -> Chosen:
    """Judge every image that was made elsewhere, and write the list of those that pass."""
    if rules.realism or rules.spread != 1:
        raise OptionError("Images that were made elsewhere come without a discriminator and without latents.",
                          "Leave out --realism and --spread.")  # fmt: skip
    found = [file_of(made, index) for index in range(len(made))]
    files = {name: file for name, file in zip(made.names, found, strict=True) if file is not None}
    if len(files) < len(made) or out.suffix.lower() != ".csv":
        raise DataError("What is kept is a list of image files, and these are none, or the list is no .csv file.",
                        "Give a folder of images, or a list of them, and --out KEPT.csv (out=).")  # fmt: skip
    require_outside(out, made, data)
    if out.exists():
        raise OutputInUseError(f"{out} exists.", "Choose a new name.")
    real = load_images(data, reading, report=report)
    channels, side, _ = real.spec.shape
    images = load_images(made, size=side, channels=channels, proportion=real.codec.size, at_least=0, report=report)
    images = images.in_order(real.classes, "The samples", "the data")

    judges = Judges(real, real.take([]), seed, report)
    scorers, limits = judges.limits(rules, judges.known())
    choice = Choice(rules, real.classes, scorers, limits)
    base, rows, accepted, refused = out.parent.resolve(), [["image", "class"]], {}, {}
    for label, name in enumerate(real.classes):
        own = np.flatnonzero(images.labels.numpy() == label)
        kept, refused[name] = choice.judged(images.take(own).pixels.numpy(), label)
        accepted[name] = float(kept.mean()) if len(own) else 0.0
        if accepted[name] >= rules.gate:
            rows += [[os.path.relpath(files[images.names[row]], base), name] for row in own[kept].tolist()]
    write_atomically(out, csv_text(rows).encode())
    withheld = tuple(name for name, share in accepted.items() if share < rules.gate)
    notes = (f"{len(images.unreadable)} of {len(made)} images cannot be read.",) if images.unreadable else ()
    return Chosen(out, rules, accepted, refused, withheld, notes)
