"""Settings as frozen dataclasses: one declaration serves the function, the command line and the file of options."""

from __future__ import annotations

import dataclasses
import difflib
import math
import numbers
import operator
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ganaug.errors import OptionError

Settings = TypeVar("Settings")
IMAGES, TABLE, SERIES = DATA_KINDS = ("images", "table", "series")  # kinds of data


def option(
    default: Any,
    help: str | Callable[[], str] = "",
    *,
    metavar: str | None = None,
    choices: Sequence[str] = (),
    least: int | None = None,
    path: str = "",
    flag: str = "",
    recorded: bool = True,
) -> Any:
    """A field of settings, and how the command line shows it.

    default: a tuple makes the option repeatable, False a flag. help: "" leaves it out of the command line; a function
    is asked only where help is shown. metavar: what stands for its value; by default N where `least`, the smallest
    whole number, is given. path: "file", "folder" or "any", for what names one. flag: how it is typed, by default after
    the name of the field. recorded: whether it is part of what a resumed fit must agree with."""
    facts = {
        "help": help, "metavar": metavar, "choices": tuple(choices), "least": least, "path": path, "flag": flag,
        "recorded": recorded,
    }  # fmt: skip
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=facts)
    return dataclasses.field(default=default, metadata=facts)


@dataclasses.dataclass(frozen=True)
class Reading:
    """How labelled images are read.

    Whatever takes images takes these settings by name, or one `Reading`. A setting that has nothing to do with the
    kind of the data raises an OptionError.

    Parameters
    ----------
    root : path, optional
        Folder that holds a torchvision or timm data set, which is given by name.
    split : str, default "train"
        Part of a .npz file, of "digits", of a named data set, or of a list with a column of parts.
    depth : int, default 1
        In a folder: the level of the folders that name the classes.
    groups : path or sequence, optional
        The subject of each item, which a split never divides: a CSV file with the columns item and group, or one value
        for each item.
    labels : path, optional
        The CSV file of images and labels of a folder without class folders.
    image, target : str, optional
        The column, or the key of an item, that holds the image (or its path) and its class, where they are not found.
    skip_small : int, optional
        Leave out classes of fewer images than this.
    follow_links : bool, default False
        Follow links that lead out of the folder. Do so for your own data only.
    range : (float, float), optional
        What is black and what is white, in pictures of more than 8 bits.
    targets : sequence of int, optional
        Labels in place of those of data in memory.
    classes : sequence of str, optional
        Class names in place of those of data in memory.
    as_served : bool, default False
        Learn items that a data set changes at random (its own augmentation) as it serves them, instead of refusing.

    Raises
    ------
    OptionError
        `range` is not two increasing numbers.

    Examples
    --------
    >>> import ganaug
    >>> reading = ganaug.Reading(split="test")
    >>> len(ganaug.open_source("digits", reading))
    539
    """

    root: Any = option(None, "Folder of a torchvision or timm data set given by name.", path="any", recorded=False)
    split: str = option("train", "Part of a .npz file, named set or list.", metavar="NAME", recorded=False)
    depth: int = option(1, "Level of the folders that name the classes.", least=1, recorded=False)
    groups: Any = option(
        None,
        "CSV of image and group (images of one object or person); a group stays in one part.",
        path="file",
        recorded=False,
    )
    labels: Any = option(None, "CSV: image, label, of a folder without class folders.", path="file", recorded=False)
    image: str | None = option(None, "Column of images or of their paths, if not found.", metavar="COL", recorded=False)
    target: str | None = option(None, "Column of classes.", metavar="COL")
    skip_small: int | None = option(None, "Leave out classes of fewer than N images.", least=2, recorded=False)
    follow_links: bool = option(False, "Follow links out of a folder, if it is your own.", recorded=False)
    range: tuple[float, float] | None = option(
        None, "Black and white of pictures of more than 8 bits.", metavar="LOW HIGH", recorded=False
    )
    targets: Any = option(None, recorded=False)
    classes: Any = option(None, recorded=False)
    as_served: bool = option(False, recorded=False)

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _as_declared(field, getattr(self, field.name)))
        if self.range is not None:
            object.__setattr__(self, "range", _range(self.range))

    @property
    def reading(self) -> Reading:
        """These fields alone, of settings that have others besides."""
        return Reading(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Reading)})

    def said(self) -> list[str]:
        """List what is not as it is by default.

        Returns
        -------
        list of str
            The names of these fields.
        """
        return [field.name for field in dataclasses.fields(Reading) if is_given(self, field)]

    def of_test(self, groups: Any = None) -> Reading:
        """Give the way in which a test set beside these data is read: alike, but for what belongs to single items.

        Parameters
        ----------
        groups : path or sequence, optional
            The subjects of the test images.

        Returns
        -------
        Reading
            The same with the split "test".
        """
        own = {"groups": groups, "targets": None, "labels": None, "skip_small": None}
        return dataclasses.replace(self.reading, split="test", **own)


def whole(name: str, value: Any) -> int | None:
    """A whole number as Python's own; None as it is. Raises OptionError for anything else. name: of the setting."""
    if value is None:
        return None
    try:
        if not isinstance(value, bool):
            return int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        pass
    raise OptionError(f"{name} is {value!r}.", "Give a whole number.")


def at_least(name: str, value: Any, least: int) -> int:
    """A whole number as Python's own. Raises OptionError for anything else, and for one below `least`."""
    number = whole(name, value)
    if number is None or number < least:
        raise OptionError(f"{name} is {value!r}.", f"Give a whole number, {least} or more.")
    return number


def share(name: str, value: Any) -> float:
    """A number from 0 to 1 as Python's own. Raises OptionError for anything else."""
    if 0 <= (number := real(name, value)) <= 1:
        return number
    raise OptionError(f"{name} is {value!r}.", "Give a number from 0 to 1.")


def real(name: str, value: Any) -> float:
    """A number as Python's own. Raises OptionError for anything else, text and infinity included."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise OptionError(f"{name} is {value!r}.", "Give a number.")


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Several names as a tuple; one alone is one of them. Raises OptionError for anything else."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Collection) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise OptionError(f"{name} is {value!r}.", "Give names, as a tuple of texts.")


def _as_declared(field: dataclasses.Field[Any], value: Any) -> Any:
    """The value of a setting as Python's own, if it is of the type that the field declares; OptionError if it is not.
    What its own settings read, such as a time or shares, and what may be anything, is left as it is."""
    kind, name = str(field.type), field.name
    kinds = kind.split(" | ")
    if kind == "Any" or kind.startswith(("tuple[float", "float | str")) or (value is None and "None" in kinds):
        return value
    if value is None:
        raise OptionError(f"{name} is None.", "Leave it out, or give a value.")
    if kind.startswith("tuple[str"):
        return texts(name, value)
    if "int" in kinds:
        return value if isinstance(value, str) and value == field.default else whole(name, value)
    if kind == "float":
        return real(name, value)
    if kind == "bool" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if kind == "dict[str, Any]" and isinstance(value, Mapping):
        return dict(value)
    if "str" in kinds and (name == "device" or isinstance(value, (str, Path))):
        return str(value)
    wanted = {"bool": "True or False", "dict[str, Any]": "a dict of names and values"}.get(kind, "a text")
    raise OptionError(f"{name} is {value!r}.", f"Give {wanted}.")


def _range(value: Any) -> tuple[float, float]:
    """A range as two floats. Raises OptionError for what is none."""
    try:
        low, high = (float(end) for end in ([] if isinstance(value, str) else value))
        if math.isfinite(high - low) and low < high:
            return low, high
    except (TypeError, ValueError):
        pass
    raise OptionError(
        f"{value!r} is not a range.", "Give two numbers, black and white: --range 0 4095, range=(0, 4095)."
    )


def merged(kind: type[Settings], settings: Settings | None, given: Mapping[str, Any]) -> Settings:
    """Settings of a kind, with those that were given by name over those of `settings`.

    Raises OptionError, with the names that there are, for one that does not exist.
    """
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise OptionError(
                f"There is no setting {name!r}.",
                f"Did you mean {near[0]}?" if near else f"The settings are: {', '.join(known)}.",
            )
    if settings is None:
        return kind(**given)
    return dataclasses.replace(settings, **given)  # type: ignore[type-var]


def same(value: Any, default: Any) -> bool:
    """Whether a value is the default; arrays and other things of the user's are not compared."""
    return value is default or (type(value) is type(default) and bool(value == default))


def is_given(settings: Any, field: dataclasses.Field[Any]) -> bool:
    """Whether a setting is not as it is by default."""
    factory = field.default_factory
    default = field.default if factory is dataclasses.MISSING else factory()
    return not same(getattr(settings, field.name), default)


def flag_of(field: dataclasses.Field[Any]) -> str:
    """How an option is typed: "--test-groups"."""
    return field.metadata["flag"] or f"--{field.name.replace('_', '-')}"


def is_pair(field: dataclasses.Field[Any]) -> bool:
    """Whether an option takes two numbers."""
    return str(field.type).startswith("tuple[float, float]")


def typed(settings: Any) -> tuple[list[str], list[str]]:
    """Settings that are not the default, as one types them; and those that no option has, as "name=value"."""
    options, others = [], []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if value is None or not is_given(settings, field):
            continue
        if not field.metadata["help"] and field.name != "seed":
            others.append(f"{field.name}={as_text(value)}")
        elif isinstance(value, bool):
            options.append(flag_of(field))
        elif is_pair(field):
            options.append(" ".join([flag_of(field), *(f"{end:.15g}" for end in value)]))
        else:
            values = (value or ("none",)) if isinstance(value, tuple) else (value,)
            options += [f"{flag_of(field)} {as_text(one)}" for one in values]
    return options, others


def as_text(value: Any) -> str:
    """A value as one would type it; the name of its type for what cannot be typed."""
    path = getattr(value, "path", value)
    if isinstance(path, float):
        return f"{path:g}"
    return shlex.quote(str(path)) if isinstance(path, (str, Path, int)) else f"<{type(value).__name__}>"
