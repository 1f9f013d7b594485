"""Synthetic images as a folder that torchvision, timm and Hugging Face read: OUT/CLASS/000000.png,
OUT/metadata.jsonl.
"""

from __future__ import annotations

import itertools
import json
import shutil
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ganaug.data.sources.folder import file_of
from ganaug.data.sources.source import ImageSource
from ganaug.errors import NumberingWarning, UnreadableImageError, UnreadableWarning
from ganaug.generator.card import Card
from ganaug.reporting import listed
from ganaug.samples.exports.formats import Wanted, export_format

METADATA = "metadata.jsonl"
_KNOWN_TO_ALL = frozenset({".png", ".jpg", ".jpeg"})  # suffixes that torchvision, timm and Hugging Face read
SHOWN = 10  # classes in a warning
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@export_format("a folder OUT/CLASS/*.png with metadata.jsonl", "images", numbered=True)
def png(wanted: Wanted, out: Path) -> None:
    """PNG files in the mode and size of the real ones. Each line of the metadata holds file_name and the facts of the
    image; of a real image beside them file_name, class and its name as "real"."""
    real = wanted.real
    named = [] if real is None else [wanted.fitted.spelled(name) for name in real.classes]
    there = set(wanted.plan) | (set() if real is None else {named[label] for label in real.labels})
    known = [*wanted.fitted.card.classes, *named]
    folders = folder_names([name for name in dict.fromkeys(known) if name in there])
    out.mkdir()
    with (out / METADATA).open("w", encoding="utf-8") as metadata:
        for name, row, file in wanted.images():
            (out / folders[name]).mkdir(exist_ok=True)
            place = f"{folders[name]}/{row:0{max(6, len(str(wanted.plan[name] - 1)))}d}.png"
            (out / place).write_bytes(file)
            metadata.write(json.dumps({"file_name": place, **wanted.facts(name, row)}, ensure_ascii=False) + "\n")
        for entry in [] if real is None else _copies(real, named, folders, out):
            metadata.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _copies(real: ImageSource, named: list[str], folders: dict[str, str], where: Path) -> Iterator[dict[str, Any]]:
    """Write the real images, files that all readers know byte by byte and others as PNG, and give their lines of the
    metadata. named: the name of each label, as the generator writes it."""
    unreadable = []
    for index, (label, source) in enumerate(zip(real.labels, real.names, strict=True)):
        name = named[label]
        own = file_of(real, index)
        try:
            picture = real.read(index)  # a file that is none would stop whoever trains on the folder
        except UnreadableImageError as error:
            unreadable.append(f"{source}: {error.cause}")
            continue
        (where / folders[name]).mkdir(exist_ok=True)
        known = own is not None and own.suffix.lower() in _KNOWN_TO_ALL
        file = f"{folders[name]}/real-{index:06d}{own.suffix if own is not None and known else '.png'}"
        if own is not None and known:
            shutil.copyfile(own, where / file)
        else:
            picture.save(where / file, compress_level=3)
        yield {"file_name": file, "class": name, "real": source}
    if unreadable:
        warnings.warn(
            f"{len(unreadable)} of {len(real)} real images cannot be read, and are not among those in the folder: "
            f"{listed(unreadable, SHOWN)}",
            UnreadableWarning,
            stacklevel=2,
        )


def _numbered(card: Card) -> list[str]:
    """The classes in the order in which the data of the fit number them, those included that the fit left out."""
    every = [*card.classes, *card.skipped]
    return sorted(every) if list(card.classes) == sorted(card.classes) else every


def warn_of_numbers(card: Card, plan: Collection[str], out: Path, depth: int) -> None:
    """Say so where readers, who number the classes that are there in the order of their folders, number them
    otherwise than the data of the fit, or may do so."""
    if card.described:
        warnings.warn(
            f"torchvision, timm and Hugging Face number the classes in {out} from 0, in the order of its folders; they "
            "are described, and not known to be those of any data. Write the real images beside them "
            "(--with-real DATA), or give them the labels of their names.",
            NumberingWarning,
            stacklevel=depth,
        )
        return
    classes = _numbered(card)
    folders = folder_names([name for name in card.classes if name in plan])
    read = sorted(folders, key=lambda name: folders[name])
    numbers = [classes.index(name) for name in read]
    if numbers == list(range(len(numbers))):
        return
    listed = ", ".join(f"{number} for {name!r}" for number, name in list(zip(numbers, read, strict=True))[:SHOWN])
    warnings.warn(
        f"torchvision, timm and Hugging Face number the classes in {out} from 0, in the order of its "
        f"folders; the data of the fit have the labels {listed}{', ...' * (len(read) > SHOWN)}. Write the real images "
        f"beside them (--with-real DATA), or read it by ImageFolder({str(out)!r}, "
        f"target_transform={numbers}.__getitem__).",
        NumberingWarning,
        stacklevel=depth,
    )


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
