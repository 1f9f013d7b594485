"""GAN data augmentation for image classifiers: fit a generator on labelled images, mix its samples into the DataLoaders
you have, and find out whether it helped.

The public names are loaded when they are first used, so that `import ganaug` imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ganaug import metrics as metrics
    from ganaug.benchmark import bench as bench
    from ganaug.data.load import load_images as load_images
    from ganaug.data.sources.source import open_source as open_source
    from ganaug.errors import GanaugError as GanaugError
    from ganaug.fitting.doctor.doctor import doctor as doctor
    from ganaug.fitting.fit import fit as fit
    from ganaug.measuring.run import measure as measure
    from ganaug.mixing import albumentations as albumentations
    from ganaug.mixing.build import mix as mix
    from ganaug.mixing.imbalanced import GANSampler as GANSampler
    from ganaug.mixing.loader import augment_loader as augment_loader
    from ganaug.mixing.reimagine import Inpaint as Inpaint
    from ganaug.mixing.reimagine import Reimagine as Reimagine
    from ganaug.mixing.reimagine import Translate as Translate
    from ganaug.mixing.synthetic import SyntheticDataset as SyntheticDataset
    from ganaug.mixing.transforms import SynthMix as SynthMix
    from ganaug.mixing.variants import variants as variants
    from ganaug.probing import features as features
    from ganaug.probing.backbones import backbone as backbone
    from ganaug.samples.augment import export as export
    from ganaug.samples.choose import choose as choose
    from ganaug.samples.choosing.rules import Rules as Rules
    from ganaug.samples.pictures import preview as preview
    from ganaug.samples.run import Run as Run
    from ganaug.samples.run import load as load

_HOMES = {
    "GANSampler": "ganaug.mixing.imbalanced",
    "GanaugError": "ganaug.errors",
    "Inpaint": "ganaug.mixing.reimagine",
    "Reimagine": "ganaug.mixing.reimagine",
    "Rules": "ganaug.samples.choosing.rules",
    "Run": "ganaug.samples.run",
    "SynthMix": "ganaug.mixing.transforms",
    "SyntheticDataset": "ganaug.mixing",
    "Translate": "ganaug.mixing.reimagine",
    "augment_loader": "ganaug.mixing",
    "backbone": "ganaug.probing",
    "bench": "ganaug.benchmark",
    "choose": "ganaug.samples.choose",
    "doctor": "ganaug.fitting.doctor.doctor",
    "export": "ganaug.samples.augment",
    "features": "ganaug.probing",
    "fit": "ganaug.fitting.fit",
    "load": "ganaug.samples.run",
    "load_images": "ganaug.data.load",
    "measure": "ganaug.measuring",
    "mix": "ganaug.mixing",
    "open_source": "ganaug.data.sources.source",
    "preview": "ganaug.samples.pictures",
    "variants": "ganaug.mixing.variants",
}

__all__ = sorted([*_HOMES, "albumentations", "metrics"])


def __getattr__(name: str) -> Any:
    if name == "albumentations":
        return importlib.import_module("ganaug.mixing.albumentations")
    if name == "metrics":
        return importlib.import_module("ganaug.metrics")
    if name in _HOMES:
        value = vars(importlib.import_module(_HOMES[name]))[name]
        globals()[name] = value
        return value
    raise AttributeError(f"module 'ganaug' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
