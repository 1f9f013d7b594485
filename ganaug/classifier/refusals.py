"""What several trainings refuse in the same words."""

from __future__ import annotations

from typing import Any

from ganaug.errors import OptionError

BROKEN_WEIGHTS = "Fetch the weights again (--weights FILE), or choose another network (--model)."
NO_SYNTHETIC = "Pass synthetic=, or set ratio=0."


def refuse_fields(what: str, settings: Any, **checks: tuple[bool, str]) -> None:
    """Raise OptionError for the first field that is out of range. checks: by field, whether it is fine, and its range
    in words."""
    for name, (fine, wanted) in checks.items():
        if not fine:
            raise OptionError(f"{what} has {name}={getattr(settings, name)}.", f"Set {name} to {wanted}.")
