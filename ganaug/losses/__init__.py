"""Objectives and penalties: pure functions of a round, to be weighed and added up."""

from ganaug.losses.energy import energy as energy
from ganaug.losses.objectives import minimax as minimax
from ganaug.losses.objectives import nonsaturating as nonsaturating
from ganaug.losses.objectives import relativistic as relativistic
from ganaug.losses.objectives import wasserstein as wasserstein
from ganaug.losses.penalties import gradient_penalty as gradient_penalty
from ganaug.losses.penalties import r1 as r1
from ganaug.losses.penalties import r2 as r2
from ganaug.losses.unroll import unroll as unroll
