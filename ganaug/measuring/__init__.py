"""What the samples of a run are like: all of `ganaug.metrics` on a generator and real images."""

from ganaug.measuring.figures import Figure as Figure
from ganaug.measuring.measurement import Measurement as Measurement
from ganaug.measuring.run import measure as measure
