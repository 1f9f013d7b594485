"""What a run knows about images: features of its encoder, reader or discriminator, and how far a few labels carry on
them.
"""

from ganaug.probing.backbones import Backbone as Backbone
from ganaug.probing.backbones import backbone as backbone
from ganaug.probing.probes import Probe as Probe
from ganaug.probing.probes import probe as probe
from ganaug.probing.table import Features as Features
from ganaug.probing.table import features as features
