"""The public names, and where each one lives."""

from ganaug import metrics as metrics
from ganaug.data.check import check as check
from ganaug.data.load import load_images as load_images
from ganaug.data.pictures.files import read_image as read_image
from ganaug.data.sources.source import open_source as open_source
from ganaug.data.splitting import split as split
from ganaug.errors import GanaugError as GanaugError
from ganaug.evaluation.bench.comparison import compare as compare
from ganaug.evaluation.bench.run import bench as bench
from ganaug.evaluation.bench.settings import BenchSettings as BenchSettings
from ganaug.evaluation.measuring.run import measure as measure
from ganaug.evaluation.probing.backbones import backbone as backbone
from ganaug.evaluation.probing.table import features as features
from ganaug.fitting.doctor.doctor import doctor as doctor
from ganaug.fitting.fit import fit as fit
from ganaug.fitting.settings import FitSettings as FitSettings
from ganaug.mixing import albumentations as albumentations
from ganaug.mixing.build import mix as mix
from ganaug.mixing.imbalanced import GANSampler as GANSampler
from ganaug.mixing.leaks import unseen as unseen
from ganaug.mixing.loader import augment_loader as augment_loader
from ganaug.mixing.reimagine import Inpaint as Inpaint
from ganaug.mixing.reimagine import Reimagine as Reimagine
from ganaug.mixing.reimagine import Translate as Translate
from ganaug.mixing.synthetic import SyntheticDataset as SyntheticDataset
from ganaug.mixing.transforms import SynthMix as SynthMix
from ganaug.mixing.variants import variants as variants
from ganaug.options import Reading as Reading
from ganaug.reporting import silent as silent
from ganaug.samples.augment import augment as augment
from ganaug.samples.choose import choose as choose
from ganaug.samples.choosing.rules import Rules as Rules
from ganaug.samples.describe import describe as describe
from ganaug.samples.hub import from_hub as from_hub
from ganaug.samples.hub import to_hub as to_hub
from ganaug.samples.preview import preview as preview
from ganaug.samples.run import Run as Run
from ganaug.samples.run import load as load

__version__: str
