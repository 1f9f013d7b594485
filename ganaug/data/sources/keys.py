"""Which key of an item, or column of a file, holds the image, and which its class: by what they hold, then by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ganaug.errors import DataError, OptionError

IMAGES = frozenset({"image", "img", "picture", "photo", "pixels", "pixel_values", "x"})
LABELS = frozenset({"label", "labels", "class", "target", "category", "y", "class_id", "class_name"})


def image_key(kinds: Mapping[str, str], named: str | None) -> str:
    """kinds: name -> what it holds: "Image" for one that is an image for sure. named: the key, if the user said so.

    Raises OptionError for a key that there is not, DataError if none or several may be meant.
    """
    if named is not None:
        return _there(named, kinds)
    images = [name for name, kind in kinds.items() if kind in ("Image", "PngImageFile", "JpegImageFile")]
    return _one(images or _called(kinds, IMAGES), list(kinds), "the image", "image", IMAGES)


def label_key(kinds: Mapping[str, str], image: str, named: str | None) -> str:
    """kinds: "ClassLabel" for one that is a class for sure. image: the key that is taken already."""
    if named is not None:
        return _there(named, kinds)
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    called = [name for name in _called(kinds, LABELS) if name != image]
    found = list(dict.fromkeys([*classes, *called]))
    if not found and len(kinds) == 2:
        found = [name for name in kinds if name != image]
    return _one(found, [name for name in kinds if name != image], "the class", "target", LABELS)


def _called(kinds: Mapping[str, str], names: Collection[str]) -> list[str]:
    return [name for name in kinds if name.lower() in names]


def _there(name: str, kinds: Mapping[str, str]) -> str:
    if name not in kinds:
        raise OptionError(f"There is no {name!r}.", f"There are: {', '.join(map(repr, kinds))}.")
    return name


def _one(found: list[str], others: list[str], what: str, option: str, words: frozenset[str]) -> str:
    """The only one that was found. others: those that it may be, if none was; first those that have one of the words in
    their names."""
    if len(found) != 1:
        which = f"{', '.join(map(repr, found))} may all be" if found else f"none of {', '.join(map(repr, others))} is"
        like = [name for name in others if not words.isdisjoint(name.lower().replace("-", "_").split("_"))]
        give = " or ".join(f"{option}={name!r}" for name in (found or like or others)[:3])
        raise DataError(
            f"Of an item, {which} {what}.", f"Name it where {option}= can be given ({give}), or leave the others out."
        )
    return found[0]
