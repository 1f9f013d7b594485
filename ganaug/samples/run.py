"""A run, and its generator as it is to be served: with the choice among its samples, where one is named. Or else images
that were made elsewhere, where a path or an object is one of these."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from ganaug.data.sources.kinds import is_text
from ganaug.data.sources.source import ImageSource, is_source, open_source
from ganaug.data.spec import ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.errors import ArtefactError, DataError, GanaugError, TranslatorError
from ganaug.files.integrity import MANIFEST, read_whole, sha256, unsealed
from ganaug.game import Source
from ganaug.generator.folder import (
    CARD,
    Fitted,
    OwnRecipe,
    card_of,
    choice_folder,
    path_of,
    read_generator,
    rules_of,
)
from ganaug.options import at_least
from ganaug.reporting import Report, silent
from ganaug.reporting.notebook import block

MOST_VERDICT = 1 << 28  # bytes of verdict.json
_OF_A_RUN = ("fit.json", MANIFEST, CARD, f"generator/{MANIFEST}", f"generator/{CARD}")  # one of these is in the folder


@dataclass(frozen=True)
class Run:
    """A run folder, as `ganaug.fit` returns it. In a notebook it shows its samples and its verdict.

    Parameters
    ----------
    path : path
        The folder. Nothing is read before it is asked for.

    Examples
    --------
    >>> import ganaug
    >>> run = ganaug.Run("runs/digits")
    >>> run
    Run('runs/digits', 10 classes, 12 steps of small, not benched)
    >>> images, labels = run.sample(4)
    >>> images.shape, labels[:5].tolist()
    (torch.Size([40, 1, 8, 8]), [0, 0, 0, 0, 1])
    """

    path: Path

    def __post_init__(self):
        object.__setattr__(self, "path", Path(self.path))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self._facts()})"

    def _facts(self) -> str:
        try:
            facts = card_of(self.path).facts
        except ArtefactError:
            begun = (self.path / "state").is_dir() and not (self.path / "generator" / CARD).exists()
            return "no generator yet" if begun else "no generator"
        try:
            found = self.verdict
        except ArtefactError:
            return f"{facts}, a verdict that cannot be read"
        return f"{facts}, {'not benched' if found is None else found['verdict']}"

    def _repr_html_(self) -> str:
        try:
            verdict = self.verdict or {}
            return block(repr(self), [verdict.get("sentence", "")] if verdict else [], picture=self.show(columns=8))
        except GanaugError:  # no images, none from noise, or nothing to show yet
            return block(repr(self))

    def load(self) -> Fitted:
        """Load the generator, see `ganaug.load`.

        Returns
        -------
        Fitted
            Networks, card and hash.
        """
        return load(self.path)

    def sample(self, per_class: int = 8, *, seed: int = 0, force: bool = False) -> tuple[Tensor, Tensor]:
        """Draw images of every class that is served.

        Parameters
        ----------
        per_class : int, default 8
            Images of each class, 1 or more.
        seed : int, default 0
            Of the images: the same ones come with the same seed, here and in `ganaug.augment`.
        force : bool, default False
            Draw them also where the verdict is "harms".

        Returns
        -------
        images : Tensor
            Pixels, uint8 (N, C, H, W), class after class, at the size of the generator.
        labels : Tensor
            Classes, int64 (N,); label i means `run.classes[i]`.

        Raises
        ------
        HarmfulError
            The verdict is "harms", without `force`.
        TranslatorError
            The generator starts from images, see `ganaug.variants`.
        DataError
            The run is of a table or of series, see `ganaug.augment`.
        """
        from ganaug.samples.blocks import Renderer
        from ganaug.samples.verdict import refuse_harmful

        per_class, fitted = at_least("per_class", per_class, 1), from_noise(self)
        refuse_harmful(fitted, force)
        renderer = Renderer(fitted, seed)
        served = [label for label, name in enumerate(fitted.classes) if name not in withheld(fitted)]
        images = [torch.from_numpy(renderer.rows(label, range(per_class))) for label in served]
        labels = torch.tensor(served, dtype=torch.int64).repeat_interleave(per_class)
        return torch.cat([torch.empty((0, *fitted.card.shape), dtype=torch.uint8), *images]), labels

    def show(self, columns: int = 10, *, seed: int = 0, data: Any = None) -> Image:
        """Give a picture of samples, a class a row. A notebook shows it; in a script, `run.show().show()` does.

        Parameters
        ----------
        columns : int, default 10
            Samples of each class.
        seed : int, default 0
            Of the samples.
        data : any source, optional
            Real images to show beside them, see `ganaug.preview`.

        Returns
        -------
        PIL.Image.Image
            The grid.
        """
        from ganaug.samples.preview import preview

        return preview(self, columns=columns, seed=seed, data=data)

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
    """Load the generator of a run. No code from its files is run.

    Parameters
    ----------
    run : str, path or Run
        A run folder, a generator folder, or RUN/choice.
    recipe : Recipe or callable, optional
        The recipe, for a run that was fitted with one from a file of your own, or a function that makes it of the
        settings.

    Returns
    -------
    Fitted
        The networks, the card that describes them, and a hash: the identity of the generator.

    Raises
    ------
    ArtefactError
        A file is missing, altered or unknown.
    DataError
        It is something else than a run.

    Examples
    --------
    >>> import ganaug
    >>> fitted = ganaug.load("runs/digits")
    >>> fitted.card.recipe, fitted.card.steps, fitted.classes[:2]
    ('small', 12, ('0', '1'))
    """
    if not isinstance(run, (str, Path, Run, Fitted)):
        raise DataError(f"A {type(run).__name__} is no run.", "Give the path of a run, or what ganaug.fit gives.")
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


def fitted_again(path: Path, digest: str) -> Fitted:
    """The generator that lay there, loaded in another process or later. Raises ArtefactError where another one does."""
    fitted = as_fitted(path)
    if fitted.hash != digest:
        raise ArtefactError(
            f"The generator at {path} is another one than the one whose images were mixed.",
            "Mix again, or put the run back.",
        )
    return fitted


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
        paired = fitted.starts_from is Source.PAIR
        transform = "Translate" if fitted.starts_from is Source.OTHER_CLASS else "Reimagine"
        raise TranslatorError(
            f"The generator of the recipe {fitted.card.recipe} starts from {fitted.starts_from.value}: without images "
            "it makes none.",
            f"Use ganaug.variants(train_set, run) or the transform ganaug.{transform}(run); `ganaug augment` and "
            f"`ganaug preview` need --data DATA{' and --pairs FOLDER' * paired} (data=... in Python).",
        )
    return fitted
