"""Generator folders and run folders: save, read, and what a path given by a user means.

A run folder holds `generator/` (this alone is what one shares), `metrics.jsonl`, `samples/`, `state/`, `pool/` and,
after a bench, `verdict.json`. A generator folder holds `card.json`, `model.safetensors` and `manifest.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ganaug.data.labels.classes import place_of, spelled
from ganaug.defaults import usual_defaults
from ganaug.errors import ArtefactError, GanaugError, LabelMismatchError, OptionError
from ganaug.files.integrity import MANIFEST, read_verified, read_whole, write_manifest
from ganaug.files.tensors import check_fit, from_bytes, load_strictly, to_bytes
from ganaug.game import Prior, Recipe, Source
from ganaug.generator.card import Card
from ganaug.generator.described import require_words
from ganaug.generator.state import SavedState, require_finite

CARD, WEIGHTS = "card.json", "model.safetensors"
_FILLS = (Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_)  # needless here
CHOICE_FOLDER = "choice"  # of a run folder: what is chosen among its samples; can be named in place of the run


class Chooser(Protocol):
    """What is served of a generator's samples (`ganaug.choose`). spread: standard deviation of the latents to draw.
    withheld: names of the classes that are not served."""

    @property
    def spread(self) -> float: ...

    @property
    def withheld(self) -> tuple[str, ...]: ...

    def accepts(self, images: np.ndarray, label: int) -> np.ndarray:
        """Which of images uint8 (N, C, H, W) of a class are kept: bool (N,)."""
        ...


class Placed(Protocol):
    """Whatever lies in a folder: a run, a loaded generator."""

    @property
    def path(self) -> Path: ...


Place = str | Path | Placed


class ByName(Protocol):
    """Samples whose classes have names: a generator, or images that were made elsewhere. `Fitted` says what these
    are."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def codec(self) -> Any: ...
    def spelled(self, name: str) -> str: ...
    def serves(self, name: str) -> bool: ...
    def places(self, names: Iterable[str]) -> list[int]: ...


@dataclass(frozen=True)
class Fitted:
    """A trained generator, ready to sample: `generator(z (n, D), y (n,))` gives items (n, ...) in [-1, 1].

    Attributes
    ----------
    networks : dict of str to torch.nn.Module
        All that the recipe keeps, by role: the generator, and an encoder or another head where there is one.
    card : Card
        What it is and was made from.
    hash : str
        SHA-256 of the manifest: the identity of the generator. It includes the choice.
    path : Path
        The generator folder, or that of the choice.
    starts_from : Source or None
        What the generator, (source, z, y) -> x, translates; None for one from noise, (z, y) -> x.
    choice : Chooser or None
        What is served of its samples; None for all of them.
    """

    networks: Mapping[str, nn.Module]
    card: Card
    hash: str
    path: Path
    starts_from: Source | None = None
    choice: Chooser | None = None

    def __repr__(self) -> str:
        chosen = "" if self.choice is None else ", a choice"
        return f"Fitted({str(self.path)!r}, {self.card.facts}{chosen})"

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the card."""
        return self.card.classes

    @property
    def codec(self) -> Any:
        """The way from what it makes to the user's own form."""
        return self.card.codec

    def places(self, names: Iterable[str]) -> list[int]:
        """Its labels of these classes, by name. Raises LabelMismatchError for one that it does not know."""
        asked = list(names)
        at = [place_of(name, self.card.classes) for name in asked]
        unknown = [name for name, place in zip(asked, at, strict=True) if place < 0]
        if unknown:
            raise LabelMismatchError(
                f"The generator has not learned {', '.join(map(repr, unknown))}.",
                f"Its classes are {', '.join(map(repr, self.card.classes))}.",
            )
        return at

    def spelled(self, name: str) -> str:
        """The class as the card writes it; a name that it does not know stays as it is."""
        return spelled(name, self.card.classes)

    def serves(self, name: str) -> bool:
        """Whether samples of a class are served: no choice withholds it, and the fit did not leave it out."""
        withheld = () if self.choice is None else self.choice.withheld
        return self.spelled(name) not in (*withheld, *self.card.skipped)

    def refuse_idle(self, *, pairs: Any = None, truncation: float | None = None) -> None:
        """Raises OptionError for what would change nothing: paired images where it does not start from them, a
        truncation where no normal latent is drawn from within it."""
        if pairs is not None and self.starts_from is not Source.PAIR:
            start = "noise" if self.starts_from is None else self.starts_from.value
            raise OptionError(
                f"The run starts from {start}: paired images would change nothing.", "Leave out --pairs (pairs=)."
            )
        if truncation is not None and (self.starts_from is not None or not self.prior.dim):
            raise OptionError(
                "This run draws no latents, so a truncation would change nothing.", "Leave out --truncation."
            )

    @property
    def generator(self) -> nn.Module:
        return self.networks["generator"]

    @property
    def prior(self) -> Prior:
        return self.card.prior


def save(folder: Path, networks: Mapping[str, nn.Module], card: Card) -> str:
    """Write a generator folder of the networks that the recipe keeps, by role; gives its hash. Raises DivergedError,
    before anything is written, if a weight is not finite."""
    tensors = nn.ModuleDict(dict(networks)).state_dict()
    require_finite(SavedState(card.steps, tensors))
    return write_manifest(folder, {CARD: card.to_json().encode(), WEIGHTS: to_bytes(tensors)})


OwnRecipe = Recipe | Callable[[dict[str, Any]], Recipe]


@usual_defaults()
def read_generator(named: Path, recipe: OwnRecipe | None = None) -> Fitted:
    """The generator of a run folder or of a generator folder; runs no code from the files. See `ganaug.load`."""
    if named.is_file():
        raise ArtefactError(f"{named} is a file, not a run.", "Name the folder that `ganaug fit --out` made.")
    folder = _generator_folder(named)
    contents, digest = read_verified(folder, (CARD, WEIGHTS))
    card = Card.from_json(contents[CARD])
    tensors = from_bytes(contents[WEIGHTS])
    if recipe is None:
        _check_claims(lambda: _build(card, rules_of(card)), tensors, str(folder / WEIGHTS))
    rules = rules_of(card, recipe)
    networks = _build(card, rules)
    load_strictly(networks, tensors, str(folder / WEIGHTS))
    require_words(networks, card, str(folder))
    networks.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    starts_from = rules.source if rules.wiring.from_source else None
    place = folder.absolute()  # wherever the process goes
    return Fitted(dict(networks.items()), card, digest, place, starts_from)


def card_of(place: Place) -> Card:
    """The card alone, without a look at the weights. Raises ArtefactError where there is none that can be read."""
    try:
        return Card.from_json(read_whole(_generator_folder(path_of(place)) / CARD))
    except OSError as error:
        raise ArtefactError(f"The card of {path_of(place)} cannot be read: {error}.", "Fit it again.") from error


def path_of(place: Place) -> Path:
    """Where a run or a generator lies."""
    return Path(place) if isinstance(place, (str, Path)) else place.path


def run_folder(run: Place) -> Path | None:
    """The run folder; None for a generator folder on its own."""
    path = path_of(run)
    chosen = choice_folder(path)
    if chosen is not None:
        path = chosen.parent
    elif path.exists() and path.resolve().name == "generator" and (path / MANIFEST).exists():
        path = path.resolve().parent
    return path if (path / "generator" / MANIFEST).exists() else None


def hash_of(run: Path) -> str:
    """Of the generator of a run folder, without building it. Raises ArtefactError as `load` does."""
    return read_verified(run / "generator", (CARD, WEIGHTS))[1]


def serving_folder(run: Place) -> Path | None:
    """What holds `pool/` and `verdict.json` of these samples: the run folder, or RUN/choice for chosen ones."""
    chosen = choice_folder(path_of(run))
    return run_folder(run) if chosen is None else chosen


def choice_folder(path: Path) -> Path | None:
    """The folder RUN/choice that a path means, however it is written ("." in it, or a link to it); None for others."""
    path = path.resolve() if path.exists() else path
    beside = (path.parent / "generator").is_dir()
    return path if path.name == CHOICE_FOLDER and (path / MANIFEST).exists() and beside else None


def _generator_folder(path: Path) -> Path:
    if not path.exists():
        raise ArtefactError(f"{path} does not exist.", "Fit a generator first: `ganaug fit DATA --out RUN`.")
    if (path / "generator").is_dir():
        return path / "generator"
    if not (path / MANIFEST).exists() and ((path / "state").is_dir() or (path / "fit.json").is_file()):
        raise ArtefactError(f"The run {path} is not finished.", "Go on with `ganaug fit ... --resume`.")
    return path


def rules_of(card: Card, recipe: OwnRecipe | None = None) -> Recipe:
    """The recipe that the generator was made by; `recipe`, if it is one of the user's own."""
    from ganaug.recipes import RECIPES, make

    if callable(recipe):
        recipe = recipe(card.settings)
    if recipe is None:
        if card.recipe not in RECIPES:
            raise ArtefactError(
                f"The generator was made by the recipe {card.recipe!r}, which is not one of ganaug's.",
                "Pass the recipe: ganaug.load(run, recipe=...), or --recipe file.py:function.",
            )
        try:
            recipe = make(card.recipe, card.settings)
        except GanaugError as error:
            raise ArtefactError(f"The card's settings do not fit: {error}", "Fit it again.") from error
    if why := recipe.unfit_for(card.spec):
        raise ArtefactError(f"The card does not fit its recipe. {why}", "Fetch or fit it again.")
    return recipe


def _build(card: Card, recipe: Recipe) -> nn.ModuleDict:
    """The networks that the recipe keeps, untrained."""
    with torch.random.fork_rng(devices=[]):  # weights that are drawn, and then replaced
        networks = recipe.networks(card.spec, card.prior)
    return nn.ModuleDict({name: networks[name] for name in recipe.keeps})


class _Sparing(TorchFunctionMode):
    """Stops whoever calls torch more often than `calls` times."""

    def __init__(self, calls: int):
        super().__init__()
        self.calls = calls

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls -= 1
        if self.calls < 0:
            raise ArtefactError("It claims more layers than there are weights for.", "Fetch or fit it again.")
        given = kwargs or {}
        filled = args[0] if args else given.get("tensor")
        if function in _FILLS and isinstance(filled, Tensor) and filled.is_meta:
            return filled
        if function in (torch.randn, torch.rand):
            function, kwargs = torch.empty, {name: value for name, value in given.items() if name in ("size", "dtype")}
        return function(*args, **(kwargs or {}))


def _check_claims(build: Callable[[], nn.Module], tensors: Mapping[str, Tensor], what: str) -> None:
    """Build the networks that a card describes without memory for their weights, and compare them with those that are
    there. Raises ArtefactError if they differ, or cannot be built."""
    try:
        with torch.device("meta"), _Sparing(10_000 + 500 * len(tensors)):
            expected = build().state_dict()
    except ArtefactError:
        raise
    except Exception as error:  # settings of any value go into the code of a recipe
        cause = f"The card of {what} describes no networks: {type(error).__name__}: {str(error)[:200]}"
        raise ArtefactError(f"{cause.rstrip('.')}.", "Fetch or fit it again.") from error
    check_fit(expected, tensors, what)
