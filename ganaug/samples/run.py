"""A run, and its generator as it is to be served: with the choice among its samples, where one is named. Or else images
that were made elsewhere, where a path or an object is one of these."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganaug.data.sources.kinds import is_text
from ganaug.data.sources.source import ImageSource, is_source, open_source
from ganaug.data.spec import ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.errors import ArtefactError, DataError, TranslatorError
from ganaug.files.integrity import MANIFEST, read_whole, sha256, unsealed
from ganaug.game import Source
from ganaug.generator.folder import CARD, Fitted, OwnRecipe, choice_folder, path_of, read_generator, rules_of
from ganaug.reporting import Report, silent

MOST_VERDICT = 1 << 28  # bytes of verdict.json
_OF_A_RUN = ("fit.json", MANIFEST, CARD, f"generator/{MANIFEST}", f"generator/{CARD}")  # one of these is in the folder


@dataclass(frozen=True)
class Run:
    """A run folder, as `ganaug.fit` returns it."""

    path: Path

    def load(self) -> Fitted:
        return load(self.path)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the generator."""
        return self.load().classes

    @property
    def verdict(self) -> dict[str, Any] | None:
        """What `ganaug bench` found about this run, or None if it was not benchmarked."""
        file = self.path / "verdict.json"
        if not os.path.lexists(file):
            return None
        try:
            verdict = unsealed(read_whole(file, MOST_VERDICT), file)
            if verdict.get("verdict") not in ("helps", "no evidence", "harms", "withheld"):
                raise ValueError("it names no verdict")
            return verdict
        except (OSError, ValueError, RecursionError) as error:
            cause = error.cause if isinstance(error, ArtefactError) else f"{file} cannot be read: {error}."
            raise ArtefactError(cause, "Run `ganaug bench` again.") from error


Loadable = str | Path | Run | Fitted
Samples = Loadable | Any  # or images that were made elsewhere, as `open_source` takes them


@usual_defaults()
def load(run: str | Path | Run, *, recipe: OwnRecipe | None = None) -> Fitted:
    """Load the generator of a run folder, of a generator folder, or of RUN/choice. Runs no code from the files.

    recipe: needed only if the run was fitted with a recipe from a file of the user's own: the recipe, or a function of
    the settings that the card tells. Raises ArtefactError for anything missing, altered or unknown.
    """
    named = path_of(run)
    chosen = choice_folder(named)
    if chosen is not None:
        return _with_choice(load(chosen.parent, recipe=recipe), chosen, recipe)
    return read_generator(named, recipe)


def _with_choice(fitted: Fitted, folder: Path, recipe: OwnRecipe | None) -> Fitted:
    from ganaug.samples.choosing.files import read_choice  # it needs a classifier, which other runs do not

    if not isinstance(fitted.card.codec, ImageCodec) or fitted.starts_from is not None:
        raise ArtefactError(f"{folder} is beside a run among whose samples nothing is chosen.", "Name the run itself.")
    rules = rules_of(fitted.card, recipe)
    choice, digest = read_choice(
        folder, fitted.hash, fitted.card, lambda role: rules.networks(fitted.card.spec, fitted.card.prior)[role]
    )
    return replace(fitted, hash=sha256(f"{fitted.hash} {digest}".encode()), path=folder, choice=choice)


def as_fitted(run: Loadable) -> Fitted:
    """A path, a Run or an already loaded generator, as a loaded generator of images.

    Raises DataError for a generator of rows or series: whoever serves those too calls `as_loaded`.
    """
    fitted = as_loaded(run)
    if isinstance(fitted.card.codec, ImageCodec):
        return fitted
    kind, file = ("rows of a table", "OUT.csv") if len(fitted.card.shape) == 1 else ("series", "OUT.npz")
    raise DataError(
        f"The generator at {fitted.path} makes {kind}, and this works on images.",
        f"Write its samples to a file: ganaug augment RUN --balance --out {file} (ganaug.augment in Python).",
    )


def made_elsewhere(samples: Samples, report: Report = silent) -> ImageSource | None:
    """Images that no generator of ours made (in a folder of class folders, or any other source), to be read one by one;
    None for a run or a generator, and for a path where nothing is."""
    if isinstance(samples, (Run, Fitted)):
        return None
    if is_text(samples) and (any((Path(samples) / name).exists() for name in _OF_A_RUN) or not is_source(samples)):
        return None
    return open_source(samples, report=report)


def as_loaded(run: Loadable) -> Fitted:
    """A path, a Run or an already loaded generator, as a loaded generator of whatever it makes."""
    return run if isinstance(run, Fitted) else load(run)


def withheld(fitted: Fitted) -> tuple[str, ...]:
    """Classes that the choice among the samples does not serve; none where there is no choice."""
    return () if fitted.choice is None else fitted.choice.withheld


def from_noise(run: Loadable) -> Fitted:
    """A generator of images from noise; raises TranslatorError for one that starts from an image."""
    fitted = as_fitted(run)
    if fitted.starts_from is not None:
        transform = "Translate" if fitted.starts_from is Source.OTHER_CLASS else "Reimagine"
        raise TranslatorError(
            f"The generator of the recipe {fitted.card.recipe} starts from {fitted.starts_from.value}: without images "
            "it makes none.",
            f"Use ganaug.variants(train_set, run) or the transform ganaug.{transform}(run); `ganaug augment` and "
            "`ganaug preview` need --data DATA (data=... in Python).",
        )
    return fitted
