"""The public names, in the groups in which the site shows them. A group is a room; its title is said here."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import ganaug
import ganaug.game
import ganaug.metrics

GROUPS = {
    "data": "Look at your data",
    "fitting": "Fit a generator",
    "samples": "Samples of a run",
    "mixing": "Mix them into a training",
    "evaluation": "Find out whether it helps",
    "options": "Settings and errors",
    "reporting": "Settings and errors",
    "errors": "Settings and errors",
}
RESULTS = (  # what public functions give
    "ganaug.data.check_report.Check", "ganaug.data.load.LabelledImages", "ganaug.data.sources.source.ImageSource",
    "ganaug.data.split_report.Split", "ganaug.evaluation.bench.comparison.Comparison",
    "ganaug.evaluation.bench.results.Results", "ganaug.evaluation.measuring.figures.Figure",
    "ganaug.evaluation.measuring.measurement.Measurement", "ganaug.evaluation.probing.backbones.Backbone",
    "ganaug.evaluation.probing.table.Features", "ganaug.fitting.doctor.doctor.Diagnosis",
    "ganaug.fitting.doctor.findings.Finding", "ganaug.generator.card.Card", "ganaug.generator.folder.Fitted",
    "ganaug.mixing.albumentations.SynthSample", "ganaug.mixing.dataset.MixedDataset",
    "ganaug.samples.choosing.chosen.Chosen",
)  # fmt: skip


def value_of(name: str) -> Any:
    """What a full name means."""
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def documented(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def public(module: Any) -> list[str]:
    """The classes and functions of a façade, by full name."""
    names = vars(module).get("__all__") or sorted(name for name in vars(module) if not name.startswith("_"))
    return [f"{module.__name__}.{name}" for name in names if documented(getattr(module, name))]


def by_group() -> dict[str, list[str]]:
    """Title -> full names; every public name is in one group."""
    stub = ast.parse(Path(ganaug.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    rooms = {f"ganaug.{name.name}": f"{node.module}.".split(".")[1] for node in imports for name in node.names}
    found: dict[str, list[str]] = {title: [] for title in GROUPS.values()}
    for name in public(ganaug):
        found[GROUPS[rooms[name]]].append(name)
    return found | {
        "What they give": list(RESULTS),
        "Metrics (ganaug.metrics)": public(ganaug.metrics),
        "The parts of a GAN (ganaug.game)": public(ganaug.game),
    }
