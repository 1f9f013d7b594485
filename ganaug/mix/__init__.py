"""What a training loop meets: synthetic images in data sets, loaders, batches, pipelines and arrays."""

from ganaug.mix.dataset import MixedDataset as MixedDataset
from ganaug.mix.loader import augment_loader as augment_loader
from ganaug.mix.mixing import mix as mix
