"""What a training loop meets: synthetic images in data sets, loaders, batches, pipelines and arrays.

Three modules are loaded on first use, since they import large packages, and every data loader worker that is started
afresh imports this one: `transforms` (torchvision), `imbalanced` (scikit-learn) and `albumentations`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ganaug.mixing.build import mix as mix
from ganaug.mixing.dataset import MixedDataset as MixedDataset
from ganaug.mixing.leaks import unseen as unseen
from ganaug.mixing.loader import augment_loader as augment_loader
from ganaug.mixing.synthetic import SyntheticDataset as SyntheticDataset

if TYPE_CHECKING:
    from ganaug.mixing.imbalanced import GANSampler as GANSampler
    from ganaug.mixing.transforms import SynthMix as SynthMix

_LATER = {"GANSampler": "ganaug.mixing.imbalanced", "SynthMix": "ganaug.mixing.transforms"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return vars(importlib.import_module(_LATER[name]))[name]
    raise AttributeError(f"module 'ganaug.mixing' has no attribute {name!r}")
