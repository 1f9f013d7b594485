"""Everything that decides what a fit gives, apart from the data: one dataclass for Python, command line and file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ganaug.data.words import words_told
from ganaug.errors import OptionError
from ganaug.networks.changes import ALLOW, allowed
from ganaug.options import Reading, at_least, option, real

DEFAULT_BUDGET = 600.0  # seconds, where neither a budget nor steps are given
RECIPES_OF = {"images": "small", "table": "wgan_gp", "series": "rcgan"}  # kind of data -> its default recipe


@dataclass(frozen=True)
class FitSettings(Reading):
    """What a fit is asked for, besides the data and the folder.

    Each setting is also an option of `ganaug fit` and an argument of `ganaug.fit`. `Reading` has further ones, which
    say how the data are read.

    Parameters
    ----------
    recipe : str, default "auto"
        A name that `ganaug recipes` lists, "file.py:function", or "auto": "small" for images, "wgan_gp" for tables,
        "rcgan" for series.
    options : dict of str to value, default {}
        Settings of the recipe.
    budget : float or str, optional
        Time to train: seconds, or text like "90s", "10m", "1.5h"; by default 10 minutes. It is turned into a number of
        steps before the first round; the warm-up is part of it, and the fit ends when its time is over.
    steps : int, optional
        Rounds of the game, in place of a budget.
    size : int or "auto", default "auto"
        Side of the generated images, in px. "auto": see `ganaug.load_images`.
    channels : 1, 3 or "auto", default "auto"
        Grey or colour.
    limit : int, optional
        At most so many items of each class.
    validation : float, default 0.2
        Share of the data that is held out, above 0 and below 1.
    seed : int, default 0
        Of all random numbers, from 0 to 2**53 - 1.
    device : str, default "auto"
        "cpu", "cuda", "cuda:1", ...; "auto" is CUDA where there is a GPU.
    kind : {"auto", "images", "table", "series"}, default "auto"
        What the data are. Only series (N, C, T) need it.
    drop : tuple of str, default ()
        Columns of a table to leave out.
    auto_fix : bool, default False
        Turn a knob once, half-way, where the check-ups find a fault that this helps.
    slices : int, default 1
        Equal parts of each batch, whose gradients are averaged: one after the other, which takes less memory, or shared
        by the processes that torchrun started, which takes less time. Another number of slices gives another fit;
        another number of processes does not.
    allow : tuple of str, optional
        Changes that keep the label of your images, as names or "flip-x,noise": the discriminator sees these and no
        others. () allows none. By default what the recipe does.
    words : path or dict of str to str, optional
        The words of each class, for a recipe that draws from words: a CSV file with a column `class` and columns of
        words, or {class: text}. By default those of the class names.
    pairs : path or array, optional
        The paired image of each item, for recipes that learn from pairs: a folder with files of the same names, or an
        array.
    unlabelled : str, path, array or data set, optional
        Images without labels. Those that can be given a label surely enough are learned too.
    strict : bool, default False
        Stop at the first unreadable image instead of skipping it.

    Raises
    ------
    OptionError
        A value is out of range, or both `budget` and `steps` are given.

    Examples
    --------
    >>> import ganaug
    >>> settings = ganaug.FitSettings(budget="1.5h", size=64, options={"lr": 0.001})
    >>> settings.seconds
    5400.0
    """

    recipe: str = option(
        "auto",
        "A name (`ganaug recipes`) or file.py:function; auto is small, for tables wgan_gp, for series rcgan.",
        metavar="NAME",
    )
    options: dict[str, Any] = option({}, "A setting of the recipe; repeatable.", metavar="NAME=VALUE", flag="--set")
    budget: float | str | None = option(None, "Training time, like 90s, 10m or 1.5h.  [default: 10m]", metavar="TIME")
    steps: int | None = option(None, "Steps of training, in place of a budget.", least=1)
    size: int | str = option("auto", "Side of the generated images.", metavar="PX")
    channels: int | str = option("auto", "1 grey, 3 RGB.", choices=("auto", "1", "3"))
    limit: int | None = option(None, "At most N items a class.", least=2)
    validation: float = option(0.2)
    seed: int = option(0)
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...", metavar="NAME")
    kind: str = option("auto", "What DATA holds; only series (N, C, T) need it.", choices=("auto", *RECIPES_OF))
    drop: tuple[str, ...] = option((), "Column of a table to leave out; repeatable.", metavar="COL")
    auto_fix: bool = option(
        False,
        "Cut learning rates once, half-way, where the doctor finds no convergence, oscillation, or a discriminator "
        "that is saturated or overfits.",
    )
    slices: int = option(1, "Equal parts of each batch; processes (torchrun) share them.", least=1)
    allow: tuple[str, ...] | None = option(None, f"{ALLOW}The discriminator sees these alone.", metavar="NAMES")
    words: Any = option(
        None, "CSV of class and words of it, for a recipe that draws from words.", metavar="FILE", path="file"
    )
    pairs: Any = option(
        None, "Paired images (masks), of the same names as DATA's.", metavar="FOLDER", path="any", recorded=False
    )
    unlabelled: Any = option(
        None,
        "More images, without labels; those whose class classifiers agree on are learned, too.",
        metavar="DATA",
        recorded=False,
    )
    strict: bool = option(False, "Stop at the first unreadable image.", recorded=False)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "options", {name: _plain(value) for name, value in self.options.items()})
        object.__setattr__(self, "allow", allowed(self.allow))
        object.__setattr__(self, "words", words_told(self.words))
        if self.budget is not None:
            object.__setattr__(self, "budget", parse_seconds(self.budget))
            if self.steps is not None:
                raise OptionError("Both a budget and steps are given.", "Give one of them.")
            if not 0 < self.seconds < float("inf"):
                raise OptionError(f"The budget is {self.budget} seconds.", "Give a time above 0, like 10m.")
        if self.steps is not None:
            at_least("steps", self.steps, 1)
        at_least("slices", self.slices, 1)
        if not 0 < self.validation < 1:
            raise OptionError(f"The validation share is {self.validation}.", "Give a share between 0 and 1.")
        if not 0 <= self.seed < 2**53:
            raise OptionError(f"The seed is {self.seed}.", "Give a whole number, 0 or more.")
        if self.kind not in ("auto", *RECIPES_OF):
            raise OptionError(
                f"There is no kind of data {self.kind!r}.", f"Choose one of: auto, {', '.join(RECIPES_OF)}."
            )

    @property
    def seconds(self) -> float:
        """The budget in seconds."""
        return DEFAULT_BUDGET if self.budget is None else float(self.budget)

    def recorded(self) -> dict[str, Any]:
        """What a resumed fit must agree with.

        Returns
        -------
        dict of str to value
            Settings by name, as plain values.
        """
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.metadata["recorded"]}
        return {**named, "drop": list(self.drop)}


def parse_seconds(text: float | str) -> float:
    """Seconds from a number or from text like "90s", "10m", "1.5h"; raises OptionError otherwise."""
    if not isinstance(text, str):
        return real("budget", text)
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    try:
        return float(text[:-1]) * units[text[-1]] if text and text[-1] in units else float(text)
    except ValueError as error:
        raise OptionError(f"{text!r} is not a time.", "Write it like 90s, 10m or 1.5h.") from error


def _plain(value: Any) -> Any:
    """A number of numpy's as Python's own."""
    return value.item() if getattr(value, "ndim", None) == 0 else value
