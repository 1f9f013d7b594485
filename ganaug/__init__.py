"""GAN data augmentation for image classifiers: fit a generator on labelled images, mix its samples into the DataLoaders
you have, and find out whether it helped.

The public names stand in `__init__.pyi`, each once with its home. They are loaded when they are first used, so that
`import ganaug` imports no torch.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

_STUB = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
_HOMES = {name.name: node.module for node in _STUB.body if isinstance(node, ast.ImportFrom) for name in node.names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'ganaug' has no attribute {name!r}")
    module = importlib.import_module(home)
    value = vars(module)[name] if name in vars(module) else importlib.import_module(f"{home}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
