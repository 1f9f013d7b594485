"""How the numbers of a column are written: points, thousands, signs, currency, percent and units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

GROUPS = " \u00a0\u202f'\u2019_"  # between thousands, besides "," and "."
PHONE = 8  # digits after a plus, where no number has a minus, make no amount
SEVERAL = 3  # numbers with a separator before three digits, and as many without one, tell thousands from decimals

_CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|BRL|MXN|KRW|ZAR"
_MONEY = "[$€£¥₹₽₩₺]"
_AFFIXED = re.compile(
    rf"(?P<sign>[+-]?)(?P<prefix>(?:{_CODES}|[A-Z]{{0,2}}{_MONEY})[ \u00a0\u202f]?)?"
    rf"(?P<core>(?:[0-9.,]|(?<=[0-9])[{GROUPS}](?=[0-9]))+(?:[eE][+-]?[0-9]{{1,3}})?)"
    rf"(?P<suffix>[ \u00a0\u202f]?(?:[%‰]|{_MONEY}|°[CF]?|[A-Za-zµ][A-Za-zµ/]{{0,7}}[²³]?))?"
)


@dataclass(frozen=True)
class Numerals:
    """A way to write numbers.

    decimals, least: digits after the point, at most, -1 for as many as it takes, and at least; point: "." or ",";
    thousands: what parts groups of three digits; prefix, suffix: around every number; plus: positive ones have a sign.
    """

    whole: bool = False
    decimals: int = -1
    least: int = 0
    point: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""
    plus: bool = False

    @property
    def words(self) -> str:
        """What is written so, for people."""
        return "whole numbers" if self.whole else "numbers"

    def core(self, text: str) -> str:
        """The number of a text as Python writes it. ValueError for another prefix or suffix."""
        sign = text[:1] if text[:1] in ("+", "-") else ""
        if not (text.startswith(self.prefix, len(sign)) and text.endswith(self.suffix)):
            raise ValueError(f"{text[:40]!r} is not written like {self.prefix}1{self.suffix}")
        core = text[len(sign) + len(self.prefix) : len(text) - len(self.suffix)]
        return sign + (core.replace(self.thousands, "") if self.thousands else core).replace(self.point, ".")

    def read(self, text: str) -> float:
        return float(self.core(text))

    def write(self, value: float) -> str:
        if self.whole:
            value = round(value)
        text = repr(value) if self.decimals < 0 else f"{value:{',' if self.thousands else ''}.{self.decimals}f}"
        if self.decimals > self.least:
            kept = len(text) - self.decimals + self.least  # zeros after this place are left out
            text = (text[:kept] + text[kept:].rstrip("0")).removesuffix(".")
        sign, digits = ("-", text[1:]) if text[0] == "-" else ("+" if self.plus else "", text)
        if float(digits.replace(",", "")) == 0:
            sign = ""
        return sign + self.prefix + digits.translate({ord(","): self.thousands, ord("."): self.point}) + self.suffix


def find_numerals(name: str, texts: Sequence[str]) -> tuple[Numerals, tuple[str, ...]] | None:
    """How these different texts write numbers, without digits after the point, and what was guessed, as sentences; None
    where they are no numbers of one form. Codes with zeros in front are no numbers."""
    found = [_AFFIXED.fullmatch(text) for text in texts]
    around = {(match["prefix"] or "", match["suffix"] or "") if match else None for match in found}
    if len(around) > 1 or None in around:
        return None
    (prefix, suffix), *_ = (pair for pair in around if pair)
    signs = {match["sign"] for match in found if match}
    cores = [match["core"] for match in found if match]
    split = _separators(cores)
    if split is None:
        return None
    point, thousands, sure = split
    if not all(map(_form(point, thousands).fullmatch, cores)):
        return None
    numerals = Numerals(point=point, thousands=thousands, prefix=prefix, suffix=suffix)
    if "+" in signs:
        bare = [text for text in texts if text[0] not in "+-" and numerals.read(text)]
        if bare or (signs == {"+"} and max(map(len, cores)) >= PHONE):
            return None
        numerals = replace(numerals, plus=True)
    note = () if sure else (_guess(name, texts, numerals),)
    return numerals, note


def _separators(cores: list[str]) -> tuple[str, str, bool] | None:
    """The point, what parts thousands, and whether that is sure."""
    groups = {char for core in cores for char in core if char in GROUPS}
    marks = [mark for mark in ",." if any(mark in core for core in cores)]
    if groups:
        return (marks[0] if marks else ".", groups.pop(), True) if len(groups) == 1 and len(marks) < 2 else None
    if len(marks) == 2:
        fitting = [p for p in ".," if all(map(_form(p, ",.".replace(p, "")).fullmatch, cores))]
        return (fitting[0], ",.".replace(fitting[0], ""), True) if len(fitting) == 1 else None
    if not marks:
        return ".", "", True
    mark, other = (",", ".") if marks == [","] else (".", ",")
    parted = [core for core in cores if mark in core]
    grouped = all(map(_form(other, mark).fullmatch, cores))
    if grouped and any(core.count(mark) > 1 for core in parted):
        return other, mark, True
    if len(parted) == len(cores) or not all(map(re.compile(rf"[1-9][0-9]*[{mark}][0-9]{{3}}").fullmatch, parted)):
        return mark, "", True  # where all have three digits after it, both readings write the same
    if grouped and min(len(parted), len(cores) - len(parted)) >= SEVERAL:
        return other, mark, False
    return mark, "", False


def _form(point: str, thousands: str) -> re.Pattern[str]:
    """A number without a sign, and without a zero in front."""
    whole = rf"[1-9][0-9]{{0,2}}(?:{re.escape(thousands)}[0-9]{{3}})+|[1-9][0-9]{{0,2}}" if thousands else "[1-9][0-9]*"
    power = "" if thousands else "(?:[eE][+-]?[0-9]{1,3})?"
    return re.compile(rf"(?:(?:{whole}|0)(?:{re.escape(point)}[0-9]*)?|{re.escape(point)}[0-9]+){power}")


def _guess(name: str, texts: Sequence[str], numerals: Numerals) -> str:
    mark = numerals.thousands or numerals.point
    example = next(text for text in texts if mark in text)
    return (
        f"Column {name!r} does not tell thousands from decimals: {example!r} is read as {numerals.core(example)}. "
        "Write numbers without separators of thousands to settle it."
    )
