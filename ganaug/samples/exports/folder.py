"""Synthetic images as a folder that torchvision, timm and Hugging Face read: OUT/CLASS/000000.png,
OUT/metadata.jsonl.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from urllib.parse import quote

from ganaug.errors import OutputInUseError
from ganaug.files.integrity import need_space, writing
from ganaug.files.lock import sole_maker
from ganaug.samples.exports.formats import Wanted, export_format

METADATA = "metadata.jsonl"
_OVERHEAD = 512  # bytes a file beyond its pixels: PNG chunks, a line of metadata, rounding up by the file system
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@export_format("a folder OUT/CLASS/*.png with metadata.jsonl", "images")
def folder(wanted: Wanted, out: Path) -> None:
    """PNG files in the mode and size of the real ones. Each line of the metadata holds file_name, class, seed, index
    and the generator's hash. Raises OutputInUseError if `out` exists and is not an empty folder, DiskFullError."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputInUseError(f"{out} exists and is not empty.", "Choose a new folder, or empty this one.")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    channels, height, width = wanted.fitted.card.shape
    height, width = wanted.codec.size or (height, width)
    need_space(out.parent, sum(wanted.plan.values()) * (channels * height * width + _OVERHEAD))
    folders = folder_names(list(wanted.plan))
    with writing(out), sole_maker(out) as partial:
        partial.mkdir()
        with (partial / METADATA).open("w", encoding="utf-8") as metadata:
            written = dict.fromkeys(folders, 0)
            for name, images in wanted:
                (partial / folders[name]).mkdir(exist_ok=True)
                digits = max(6, len(str(wanted.plan[name] - 1)))
                for index, pixels in enumerate(images, written[name]):
                    file = f"{folders[name]}/{index:0{digits}d}.png"
                    wanted.codec.to_image(pixels).save(partial / file, compress_level=3)
                    entry = {"file_name": file, "class": name, "seed": wanted.seed, "index": index}
                    if wanted.truncation is not None:
                        entry["truncation"] = wanted.truncation
                    if name in wanted.made_from:
                        entry["made_from"] = wanted.made_from[name][index]
                    entry["generator"] = wanted.fitted.hash
                    metadata.write(json.dumps(entry, ensure_ascii=False) + "\n")
                written[name] += len(images)
        if out.exists():
            out.rmdir()
        os.replace(partial, out)


def folder_names(classes: list[str]) -> dict[str, str]:
    """A folder name for each class: its own name where that is a safe one on every system, else an escaped form."""
    taken = {name.casefold(): name for name in reversed(classes) if _is_safe(name)}
    folders = {}
    for name in classes:
        if taken.get(name.casefold()) == name:
            folders[name] = name
            continue
        stem = quote(name, safe=" ()+,=@'&!#").replace(".", "%2E").strip()[:100]
        stem = f"%{ord(stem[0]):02X}{stem[1:]}" if stem[:1] in ("-", "~") else stem or "class"
        numbers = itertools.count(2)
        folder = stem if _is_safe(stem) else f"{stem}-{next(numbers)}"
        while folder.casefold() in taken:
            folder = f"{stem}-{next(numbers)}"
        taken[folder.casefold()] = name
        folders[name] = folder
    return folders


def _is_safe(name: str) -> bool:
    """Whether `name` can be a folder on any usual file system, is not hidden, and is not read as an option or a
    path.
    """
    return (
        name == name.strip()
        and 0 < len(name.encode("utf-8", errors="replace")) <= 120
        and name[0] not in ".-~"
        and name[-1] != "."
        and name.isprintable()
        and not set(name) & set('/\\:*?"<>|')
        and name.split(".")[0].casefold() not in _RESERVED
        and name != METADATA
    )
