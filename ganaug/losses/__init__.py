"""Objectives and penalties: pure functions of a round, to be weighed and added up."""

from ganaug.losses.described import conditioning as conditioning
from ganaug.losses.described import matching as matching
from ganaug.losses.energy import energy as energy
from ganaug.losses.likeness import cycle as cycle
from ganaug.losses.likeness import identity as identity
from ganaug.losses.likeness import kept_identity as kept_identity
from ganaug.losses.likeness import likeness as likeness
from ganaug.losses.likeness import pathways as pathways
from ganaug.losses.likeness import recognition as recognition
from ganaug.losses.likeness import refill as refill
from ganaug.losses.likeness import sameness as sameness
from ganaug.losses.likeness import symmetry as symmetry
from ganaug.losses.likeness import total_variation as total_variation
from ganaug.losses.objectives import least_squares as least_squares
from ganaug.losses.objectives import minimax as minimax
from ganaug.losses.objectives import nonsaturating as nonsaturating
from ganaug.losses.objectives import relativistic as relativistic
from ganaug.losses.objectives import wasserstein as wasserstein
from ganaug.losses.penalties import gradient_penalty as gradient_penalty
from ganaug.losses.penalties import r1 as r1
from ganaug.losses.penalties import r2 as r2
from ganaug.losses.unroll import unroll as unroll
