"""Folders that ganaug made, known by what is in them: met among data, they are no classes."""

from __future__ import annotations

import contextlib
import json
import os

SAMPLES = "samples of a generator"
MADE = "folder that ganaug made"  # why it is passed over
_HOLD = {  # what -> files and folders by which it is known
    "a run": ("fit.json", "metrics.jsonl"),
    "a generator": ("card.json", "manifest.json", "model.safetensors"),
    "a choice": ("choice.json", "choice.safetensors"),
    "a bench": ("trials", ".lock"),
    "the results of a bench": ("results.json", "report.html"),
    "a preview": ("grid.png", "walk.png", "walk.gif"),
}
SHARDS = "shards.manifest"  # of a folder of shards: what all of them are made from
_METADATA = "metadata.jsonl"
_LINE = {"file_name", "class", "seed", "index", "generator"}  # fields of a line of ours


def made_here(folder: str) -> str | None:
    """What of ganaug's a folder is: "a run", ..., or None; nothing but names and one line is looked at."""
    for what, names in _HOLD.items():
        if all(os.path.lexists(os.path.join(folder, name)) for name in names):
            return what
    if os.path.isfile(os.path.join(folder, SHARDS)):
        return SAMPLES
    with contextlib.suppress(OSError, ValueError, RecursionError):
        metadata = os.path.join(folder, _METADATA)
        if os.path.isfile(metadata):
            with open(metadata, encoding="utf-8") as file:
                line = json.loads(file.readline(1 << 16))
            if isinstance(line, dict) and line.keys() >= _LINE:
                return SAMPLES
    return None


def classes_written(folder: str) -> dict[str, str]:
    """Folder -> name of its class, where samples were written into folders, which not every name can be of; {} for
    any other folder."""
    found: dict[str, str] = {}
    if made_here(folder) != SAMPLES:
        return found
    with (
        contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError),
        open(os.path.join(folder, _METADATA), encoding="utf-8") as file,
    ):
        for line in file:
            entry = json.loads(line)
            found[entry["file_name"].split("/")[0]] = str(entry["class"])
    return found
