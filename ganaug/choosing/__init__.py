"""Choosing among samples, between the generator and whoever is served: what is kept, what is left out, and which
classes are not served at all."""

from ganaug.choosing.choice import Choice as Choice
from ganaug.choosing.files import load_chosen as load_chosen
from ganaug.choosing.making import Chosen as Chosen
from ganaug.choosing.making import choose as choose
from ganaug.choosing.rules import Rules as Rules
