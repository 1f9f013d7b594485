"""Sets that lie in several files, of which one name stands for all."""

from __future__ import annotations

import re
from pathlib import Path

from ganaug.errors import DataError

_OF = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.\w+)", re.DOTALL)
_FROM_TO = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST = 100_000  # files of a set


def shard_names(name: str) -> list[str]:
    """All parts of a set: of one that is called "train-00000-of-00002.parquet", the others with it; of
    "train-{000..011}.tar", as WebDataset writes it, those from the first number to the last; else the name itself."""
    if match := _OF.fullmatch(name):
        stem, _, count, suffix = match.groups()
        return [f"{stem}-{number:05}-of-{count}{suffix}" for number in range(int(count))]
    if match := _FROM_TO.search(name):
        first, last = map(int, match.groups())
        if not 0 <= last - first < _MOST:
            raise DataError(f"{name} names no files: from {first} to {last}.", "Write {000..011}, the lowest first.")
        width = len(match[1])
        return [f"{name[: match.start()]}{number:0{width}}{name[match.end() :]}" for number in range(first, last + 1)]
    return [name]


def shards_of(path: Path) -> list[Path]:
    """The files of a set; DataError if one is missing."""
    names = shard_names(path.name)
    parts = [path.parent / name for name in names]
    gone = [part.name for part in parts if not part.is_file()]
    if gone and len(names) > 1:
        cause = f"{path} is a set of {len(names)} parts, of which {gone[0]} is missing."
        raise DataError(cause, "Put all parts into one folder, or rename one to read it alone.")
    return parts


def are_shards(data: Path, suffix: str) -> bool:
    """Whether a path names files of this suffix with braces, of which one is there."""
    found = data.suffix.lower() == suffix and _FROM_TO.search(data.name)
    return bool(found) and any((data.parent / name).is_file() for name in shard_names(data.name))
