"""docs/reference.md: everything of which there is a list, in the words of the lists themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ganaug.classifier.augmentation import AUGMENTATIONS, BLENDS
from ganaug.classifier.remedies import REMEDIES
from ganaug.classifier.use import USES, use_named
from ganaug.data.sources.source import SOURCES
from ganaug.fitting.doctor.findings import AILMENTS
from ganaug.metrics.suite import METRICS
from ganaug.networks.changes import CHANGES
from ganaug.recipes import RECIPES
from ganaug.samples.exports import FORMATS
from scripts.studies.lib.words import PAGES, table


def _first(thing: Callable[..., Any]) -> str:
    """The first sentence of a docstring, on one line."""
    text = " ".join(inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")


def _parts(parts: bool | Callable[[Any], bool]) -> str:
    return "if they say so" if callable(parts) else "yes" if parts else "no"


def render() -> str:
    """The page."""
    parts = {
        "Recipes": (("recipe", "what it is"), [(name, _first(maker)) for name, maker in RECIPES.items()]),
        "Metrics": (
            ("metric", "what it is", "best", "bounds"),
            [(n, _first(one.function), one.best, f"{one.low:g} to {one.high:g}") for n, one in METRICS.items()],
        ),
        "Augmentations": (("augmentation", "what it does"), [(n, _first(one)) for n, one in AUGMENTATIONS.items()]),
        "Changes that may keep the label (`--allow`)": (("change", "an image is"), list(CHANGES.items())),
        "Blends": (("blend", "what it does"), [(name, _first(one)) for name, one in BLENDS.items()]),
        "Uses of synthetic images": (("use", "synthetic images count"), [(n, str(use_named(n))) for n in USES]),
        "Remedies": (("remedy", "in a bench"), [(name, one.words) for name, one in REMEDIES.items()]),
        "Sources": (
            ("source", "what it is", "has a test part"),
            [(name, one.words, _parts(one.parts)) for name, one in SOURCES.items()],
        ),
        "Ailments that the doctor looks for": (
            ("ailment", "severity", "knob"),
            [(name, one.severity, one.knob.replace("|", "\\|")) for name, one in AILMENTS.items()],
        ),
        "Export formats": (
            ("format", "of", "as"),
            [(name, one.kind, one.words) for name, one in FORMATS.items()],
        ),
    }
    lines = ["# Reference\n", f"This page is written by `{PAGES}` from the code.\n"]
    for title, (header, rows) in parts.items():
        lines += [f"## {title}\n", table(header, [(f"`{row[0]}`", *row[1:]) for row in rows])]
    return "\n".join(lines)
