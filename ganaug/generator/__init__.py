"""What a fit leaves behind: a card (JSON), weights (safetensors), and a manifest that vouches for both."""

from ganaug.game import Source as Source
from ganaug.generator.card import Card as Card
from ganaug.generator.folder import CHOICE_FOLDER as CHOICE_FOLDER
from ganaug.generator.folder import Fitted as Fitted
from ganaug.generator.folder import Loadable as Loadable
from ganaug.generator.folder import Run as Run
from ganaug.generator.folder import as_fitted as as_fitted
from ganaug.generator.folder import as_loaded as as_loaded
from ganaug.generator.folder import from_noise as from_noise
from ganaug.generator.folder import hash_of as hash_of
from ganaug.generator.folder import load as load
from ganaug.generator.folder import rules_of as rules_of
from ganaug.generator.folder import run_folder as run_folder
from ganaug.generator.folder import save as save
from ganaug.generator.folder import serving_folder as serving_folder
