"""Choosing among samples, between the generator and whoever is served: what is kept, what is left out, and which
classes are not served at all."""

from ganaug.choosing.choice import Choice as Choice
from ganaug.choosing.rules import Rules as Rules
