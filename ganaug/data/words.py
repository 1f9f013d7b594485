"""Words that say what the classes are: what a recipe that draws from words learns, and what can be asked of it."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganaug.errors import DataError, LabelMismatchError, OptionError
from ganaug.files.checked import fields_of, is_, text, texts

if TYPE_CHECKING:
    from torch import Tensor

COLUMN = "class"  # of a file of words; those of all other columns are the words
_BY_FILE = " (--words FILE, or words={class: text})"
_MOST = 1 << 28  # classes times words, at most


@dataclass(frozen=True)
class Words:
    """vocabulary: all words that were learned, each once. of: of each class, by name, its words, without order."""

    vocabulary: tuple[str, ...]
    of: tuple[tuple[str, tuple[str, ...]], ...]

    @staticmethod
    def from_json(values: Any, classes: tuple[str, ...]) -> Words:
        """What `dataclasses.asdict` made of one. Raises KeyError, TypeError or ValueError for anything else."""
        fields_of(is_(values, dict), {"vocabulary", "of"})
        vocabulary = texts(values["vocabulary"])
        of = tuple((text(name), texts(words)) for name, words in is_(values["of"], list))
        if tuple(name for name, _ in of) != classes or len(set(vocabulary)) != len(vocabulary):
            raise ValueError("the words are not those of the classes")
        if len(vocabulary) * len(of) > _MOST:
            raise ValueError("there are too many words")
        if not all(words and set(words) <= set(vocabulary) for _, words in of):
            raise ValueError("there are words that no vocabulary has")
        return Words(vocabulary, of)

    @staticmethod
    def of_classes(classes: Iterable[str], told: Mapping[str, str] | None = None) -> Words:
        """The words of each class, which `told` tells; by default those of its name. Raises DataError for a class
        without words and for two of the same words, LabelMismatchError for one of which nothing is told."""
        names = list(classes)
        known = {_alike(name): text for name, text in (told or {}).items()}
        if told is not None and (missing := [name for name in names if _alike(name) not in known]):
            others = sorted(known.keys() - set(map(_alike, names)))
            there = f" There are some of {_shown(others)}." if others else ""
            raise LabelMismatchError(
                f"No words are given of {_shown(missing)}.{there}",
                "Give words of every class of the data, by the names of their classes.",
            )
        of = {name: words_in(name if told is None else known[_alike(name)]) for name in names}
        _require_told_apart(of)
        return Words(tuple(sorted(set().union(*of.values()))), tuple(of.items()))

    def described(self, descriptions: Mapping[str, str]) -> Words:
        """The same vocabulary, and the words of other classes. Raises OptionError for a word that was not learned,
        DataError as `of_classes`."""
        of = {name: words_in(told) for name, told in descriptions.items()}
        for word in sorted(set().union(*of.values()) - set(self.vocabulary)):
            near = difflib.get_close_matches(word, self.vocabulary, n=3)
            known = near or list(self.vocabulary[:20]) + ["..."] * (len(self.vocabulary) > 20)
            raise OptionError(
                f"The generator has not learned the word {word!r}.",
                f"{'Near ones are' if near else 'Its words are'}: {', '.join(known)}.",
            )
        _require_told_apart(of)
        return Words(self.vocabulary, tuple(of.items()))

    def rows(self, classes: Iterable[str]) -> Tensor:
        """float32 (K, V): 1 where a class has the word, else 0."""
        import torch  # not for a help text, which names settings only

        of, place = dict(self.of), {word: number for number, word in enumerate(self.vocabulary)}
        named = list(classes)
        has = [(row, place[word]) for row, name in enumerate(named) for word in of[name]]
        rows = torch.zeros(len(named), len(place))
        rows[[row for row, _ in has], [column for _, column in has]] = 1.0
        return rows


def words_in(told: str) -> tuple[str, ...]:
    """The words of a text, each once, in small letters, sorted: letters and digits, of any script, with their marks."""
    plain = unicodedata.normalize("NFC", told).casefold()
    spaced = (c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in plain)  # M: vowel signs
    return tuple(sorted({word for word in "".join(spaced).split() if any(map(str.isalnum, word))}))


def words_told(given: Any) -> dict[str, str] | None:
    """The words of classes as {class: text}: from a mapping, or from a CSV file with a column `class`, whose other
    columns hold words. Raises OptionError for anything else."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        if not given or not all(isinstance(part, str) for pair in given.items() for part in pair):
            raise OptionError("Words are given as {class: text}.", "Give a text for the name of each class.")
        _require_once(list(given), "the words")
        return dict(given)
    from ganaug.data.sources.lists import read_list  # likewise

    try:
        listing = read_list(Path(given), what="classes and words")
        names = listing.column(COLUMN)
    except (DataError, OptionError, TypeError) as error:
        why = error.__cause__ or getattr(error, "cause", error)
        cause = f"The words cannot be read from {given}: {why}"
        fix = "Give a CSV file in UTF-8 with a column `class` and columns of words"
        raise OptionError(cause, f"{fix}; cells that hold the delimiter stand in double quotes.") from error
    _require_once(names, given)
    cells = zip(*(listing.column(name) for name in listing.header if name != COLUMN), strict=True)
    return {name: " ".join(row) for name, row in zip(names, cells, strict=True)}


def _alike(name: str) -> str:
    """As `ganaug.data.labels.classes.alike`, which a help text does not wait for."""
    return unicodedata.normalize("NFC", name)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:10])) + " ..." * (len(names) > 10)


def _require_once(names: Sequence[str], where: Any) -> None:
    times = Counter(map(_alike, names))
    if twice := next((name for name in names if times[_alike(name)] > 1), None):
        raise OptionError(f"The class {twice!r} is there twice in {where}.", "Write each class once.")


def _require_told_apart(of: Mapping[str, tuple[str, ...]]) -> None:
    first: dict[tuple[str, ...], str] = {}
    for name, words in of.items():
        if not words:
            raise DataError(f"There are no words in {name!r}.", f"Say what it is in letters or digits{_BY_FILE}.")
        if words in first:
            raise DataError(
                f"{first[words]!r} and {name!r} have the same words: {' '.join(words)}.",
                f"A generator that draws from words cannot tell them apart: give each its own{_BY_FILE}.",
            )
        first[words] = name
