"""Players and recipes: everything that distinguishes one model from another, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from torch import nn

from ganaug.data.spec import DataSpec
from ganaug.game.loss import Loss
from ganaug.game.optimisers import Optimiser
from ganaug.game.prior import Prior
from ganaug.game.round import Round
from ganaug.game.wirings import NoiseRound

Networks = dict[str, nn.Module]


class Source(Enum):
    """What a translator starts from; games from noise never look at it.

    Examples
    --------
    >>> from ganaug.game import Source
    >>> Source.PAIR.value
    'the paired image'
    """

    ITSELF = "the image itself"
    PAIR = "the paired image"
    OTHER_CLASS = "an image of another class"


def nothing(nets: Mapping[str, nn.Module]) -> None:
    """The default of `Player.after`."""


@dataclass(frozen=True)
class Player:
    """Who moves: the networks it owns, the loss it lowers, with which optimiser and how often.

    Parameters
    ----------
    name : str
        What it is called.
    owns : tuple of str
        Networks, by role, whose parameters it changes.
    loss : Loss
        What it lowers.
    optimiser : Optimiser
        By what.
    moves : int, default 1
        How often it moves in a round.
    after : callable, optional
        Runs on the networks after each move (weight clipping, for instance).

    Examples
    --------
    >>> from ganaug.game import Adam, Player
    >>> from ganaug.losses import least_squares
    >>> Player("generator", ("generator",), least_squares.generator, Adam(lr=2e-4)).moves
    1
    """

    name: str
    owns: tuple[str, ...]
    loss: Loss
    optimiser: Optimiser
    moves: int = 1
    after: Callable[[Mapping[str, nn.Module]], None] = nothing


def as_it_is(nets: Mapping[str, nn.Module], progress: float) -> None:
    """The default of `Recipe.before`."""


AXES = {1: "rows of a table", 2: "series", 3: "images"}


@dataclass(frozen=True)
class Recipe:
    """The rules of one game: everything that distinguishes one GAN from another.

    Parameters
    ----------
    networks : callable
        Builds the networks by role ("generator", "discriminator", "eye", ...) for a data set: of a `DataSpec` and a
        `Prior`.
    players : tuple of Player
        In the order in which they move.
    prior : Prior, default Prior()
        The distribution of the latent.
    wiring : type of Round, default NoiseRound
        What the discriminator is shown.
    memory : float, default 0.0
        Half-life, in items, of the moving average of the networks in `keeps`; 0 keeps the last weights.
    keeps : tuple of str, default ("generator",)
        The networks that are averaged and saved.
    batch : int, default 64
        Items of a move.
    before : callable, optional
        Runs on the networks before each round, with the progress in [0, 1] (growth, for instance).
    source : Source, default Source.ITSELF
        What a translator starts from.
    labelled : bool, default True
        False plays without labels, and the samples have none.
    axes : tuple of int, default (3,)
        Numbers of axes of an item that the networks can make: 1 rows, 2 series (C, T), 3 images (C, H, W).
    classes : int, default 0
        Exactly so many classes are needed; 0 for any number.
    advised : int, default 0
        Rounds after which samples were good in our studies; 0 where that is not known.
    words : bool, default False
        The networks draw from the words of the classes (`DataSpec.words`).

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ganaug.recipes import make
    >>> print(replace(make("dcgan", {}), batch=32))
    discriminator ×1: nonsaturating.discriminator
    generator     ×1: nonsaturating.generator
    """

    networks: Callable[[DataSpec, Prior], Networks]
    players: tuple[Player, ...]
    prior: Prior = Prior()
    wiring: type[Round] = NoiseRound
    memory: float = 0.0
    keeps: tuple[str, ...] = ("generator",)
    batch: int = 64
    before: Callable[[Mapping[str, nn.Module], float], None] = as_it_is
    source: Source = Source.ITSELF
    labelled: bool = True
    axes: tuple[int, ...] = (3,)
    classes: int = 0
    advised: int = 0
    words: bool = False

    def __str__(self) -> str:
        width = max(len(player.name) for player in self.players)
        return "\n".join(f"{p.name:<{width}} ×{p.moves}: {p.loss}" for p in self.players)

    def unfit_for(self, spec: DataSpec) -> str:
        """Say why the recipe cannot be played on such data.

        Parameters
        ----------
        spec : DataSpec
            Shape and classes of the data.

        Returns
        -------
        str
            A sentence; empty if it can.
        """
        if len(spec.shape) not in self.axes:
            return f"It makes {' or '.join(AXES[n] for n in self.axes)}, and these are {AXES[len(spec.shape)]}."
        if self.source is Source.PAIR and not spec.pair:
            return "It learns from pairs of images, and these have none."
        if self.source is Source.OTHER_CLASS and len(spec.classes) < 2:
            return "It translates between classes, and there is one only."
        if self.classes and len(spec.classes) != self.classes:
            return f"It needs {self.classes} classes, and there are {len(spec.classes)}."
        return ""
