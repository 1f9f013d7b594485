"""Every study can be imported, and says how it is run."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
MODULES = sorted(
    ".".join(file.relative_to(SCRIPTS.parent).with_suffix("").parts)
    for file in SCRIPTS.rglob("*.py")
    if file.name != "__init__.py"
)


@pytest.mark.parametrize("name", MODULES)
def test_imports(name: str):
    module = importlib.import_module(name)
    if hasattr(module, "main"):
        assert "python -m scripts." in (module.__doc__ or ""), name
