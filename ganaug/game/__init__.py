"""The vocabulary of a game. No GAN is named here."""

from ganaug.game.loss import Loss as Loss
from ganaug.game.loss import Schedule as Schedule
from ganaug.game.loss import Term as Term
from ganaug.game.loss import Weight as Weight
from ganaug.game.loss import term as term
from ganaug.game.loss import value_at as value_at
from ganaug.game.optimisers import Adam as Adam
from ganaug.game.optimisers import Optimiser as Optimiser
from ganaug.game.optimisers import RMSProp as RMSProp
from ganaug.game.prior import Prior as Prior
from ganaug.game.recipe import Networks as Networks
from ganaug.game.recipe import Player as Player
from ganaug.game.recipe import Recipe as Recipe
from ganaug.game.recipe import Source as Source
from ganaug.game.round import Nets as Nets
from ganaug.game.round import Round as Round
from ganaug.game.round import Seen as Seen
from ganaug.game.wirings import CycleRound as CycleRound
from ganaug.game.wirings import JointRound as JointRound
from ganaug.game.wirings import LatentRound as LatentRound
from ganaug.game.wirings import NoiseRound as NoiseRound
from ganaug.game.wirings import StackedRound as StackedRound
from ganaug.game.wirings import TranslationRound as TranslationRound
