"""Samples as files: one function a format. A function under `@export_format`, in any file of this folder, is one."""

import importlib
import pkgutil

from ganaug.samples.exports.formats import FORMATS as FORMATS
from ganaug.samples.exports.formats import format_for as format_for

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
