"""Dates and times as text: patterns like DD.MM.YYYY HH:mm, and whole numbers of days, months or seconds and back.

A pattern is made of the parts below; every other character stands for itself. Parts of two letters are padded with a
zero, parts of one letter are not. A reading is strict: only text that the pattern would write again is read.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

Unit = Literal["year", "quarter", "month", "day", "hour", "minute", "second", "fraction"]
UNITS: tuple[Unit, ...] = ("year", "quarter", "month", "day", "hour", "minute", "second", "fraction")
FIRST_DAY = date(1970, 1, 1).toordinal()
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
TURN = 69  # two digits of a year: from here on of the 1900s, below of the 2000s

_PARTS = {
    "YYYY": r"[0-9]{4}", "YY": r"[0-9]{2}", "q": r"[1-4]",
    "MONTH": "|".join(MONTHS).upper(), "MON": "|".join(name[:3] for name in MONTHS).upper(),
    "Month": "|".join(MONTHS), "Mon": "|".join(name[:3] for name in MONTHS),
    "MM": r"0[1-9]|1[0-2]", "M": r"[1-9]|1[0-2]",
    "DD": r"0[1-9]|[12][0-9]|3[01]", "D": r"[1-9]|[12][0-9]|3[01]",
    "HH": r"[01][0-9]|2[0-3]", "H": r"[0-9]|1[0-9]|2[0-3]",
    "hh": r"0[1-9]|1[0-2]", "h": r"[1-9]|1[0-2]", "AM": "AM|PM", "am": "am|pm",
    "mm": r"[0-5][0-9]", "ss": r"[0-5][0-9]",
}  # fmt: skip
_TOKEN = re.compile(r"\[[.,]f{1,9}\]|f{1,9}|" + "|".join(_PARTS) + "|.", re.DOTALL)
_FRACTION = re.compile(r"f+")


@dataclass(frozen=True)
class Moments:
    """A way to write dates, times of day, or both, and to count them.

    pattern: see above; "[.fff]" is a fraction that is left out where it is zero. unit: what is counted, from 1970; a
    date is the first day of its month where months are counted. twelve: no day is after the 12th, so that what is
    written is a date whichever of day and month stands first.
    """

    pattern: str
    unit: Unit
    twelve: bool = False

    def read(self, text: str) -> int:
        """How many units since 1970. ValueError for text of another form, or no day of the calendar."""
        found = self._regex.fullmatch(text)
        parts = {name: value for name, value in (found.groupdict() if found else {}).items() if value is not None}
        if found is None:
            raise ValueError(f"{text[:40]!r} is not written as {self.pattern}")
        year, month, day = _year(parts), _month(parts), int(parts.get("DD") or parts.get("D") or 1)
        if not 1 <= year <= 9999 or day > (12 if self.twelve else monthrange(year, month)[1]):
            raise ValueError(f"{text[:40]!r} is not a day of the calendar")
        seconds = 3600 * _hour(parts) + 60 * int(parts.get("mm", 0)) + int(parts.get("ss", 0))
        return self._count(year, month, day, seconds, int(parts.get("f", 0)))

    def write(self, value: float) -> str:
        """The nearest whole count of units as text."""
        year, month, day, seconds, fraction = self._fields(round(value))
        hour = seconds // 3600
        values = {
            "YYYY": f"{year:04}", "YY": f"{year % 100:02}", "q": f"{(month + 2) // 3}",
            "MONTH": MONTHS[month - 1].upper(), "MON": MONTHS[month - 1][:3].upper(),
            "Month": MONTHS[month - 1], "Mon": MONTHS[month - 1][:3],
            "MM": f"{month:02}", "M": f"{month}", "DD": f"{day:02}", "D": f"{day}",
            "HH": f"{hour:02}", "H": f"{hour}", "hh": f"{(hour - 1) % 12 + 1:02}", "h": f"{(hour - 1) % 12 + 1}",
            "AM": "PM" if hour >= 12 else "AM", "am": "pm" if hour >= 12 else "am",
            "mm": f"{seconds // 60 % 60:02}", "ss": f"{seconds % 60:02}",
        }  # fmt: skip
        return "".join(self._written(token, values, fraction) for token in _TOKEN.findall(self.pattern))

    def coarsest(self, texts: Sequence[str]) -> Moments:
        """The same pattern, with the largest unit of which all these texts are whole counts."""
        for unit in UNITS[UNITS.index("month" if "DD" in self.pattern or "D" in self.pattern else "year") :]:
            coarse = Moments(self.pattern, unit, self.twelve)
            if all(coarse.write(coarse.read(text)) == text for text in texts):
                return coarse
        return self

    def covers(self, low: float, high: float) -> bool:
        """Whether the pattern can be read, and all counts between these are of the years 1 to 9999."""
        try:
            years = [self._fields(round(count))[0] for count in (low, high)]
            return self._regex.groups > 0 and 1 <= min(years) <= max(years) <= 9999
        except (ValueError, OverflowError, re.error):
            return False

    @property
    def words(self) -> str:
        """What is written so, for people."""
        parts = set(_TOKEN.findall(self.pattern))
        dated, timed = parts & {"YYYY", "YY"}, parts & {"HH", "H", "hh", "h"}
        return f"{'dates with times' if dated and timed else 'dates' if dated else 'times of day'}, as {self.pattern},"

    @property
    def digits(self) -> int:
        """Of the fraction of a second."""
        found = _FRACTION.search(self.pattern)
        return len(found[0]) if found else 0

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("".join(map(_as_regex, _TOKEN.findall(self.pattern))))

    def _count(self, year: int, month: int, day: int, seconds: int, fraction: int) -> int:
        months = 12 * (year - 1970) + month - 1
        if self.unit in ("year", "quarter", "month"):
            return months // {"year": 12, "quarter": 3, "month": 1}[self.unit]
        days = 12 * months + day - 1 if self.twelve else date(year, month, day).toordinal() - FIRST_DAY
        if self.unit == "fraction":
            return (86_400 * days + seconds) * 10**self.digits + fraction
        return (86_400 * days + seconds) // _SECONDS[self.unit]

    def _fields(self, count: int) -> tuple[int, int, int, int, int]:
        """Year, month, day, second of the day, fraction."""
        if self.unit in ("year", "quarter", "month"):
            years, month = divmod(count * {"year": 12, "quarter": 3, "month": 1}[self.unit], 12)
            return 1970 + years, month + 1, 1, 0, 0
        if self.unit == "fraction":
            total, fraction = divmod(count, 10**self.digits)
        else:
            total, fraction = count * _SECONDS[self.unit], 0
        days, seconds = divmod(total, 86_400)
        if self.twelve:
            months, day = divmod(days, 12)
            return 1970 + months // 12, months % 12 + 1, day + 1, seconds, fraction
        day_of = date.fromordinal(days + FIRST_DAY)
        return day_of.year, day_of.month, day_of.day, seconds, fraction

    def _written(self, token: str, values: dict[str, str], fraction: int) -> str:
        if token[0] == "[":
            return f"{token[1]}{fraction:0{self.digits}}" if fraction else ""
        return f"{fraction:0{self.digits}}" if token[0] == "f" else values.get(token, token)


_SECONDS = {"day": 86_400, "hour": 3600, "minute": 60, "second": 1}


def _as_regex(token: str) -> str:
    if token[0] == "[":
        digits = len(token) - 3
        return rf"(?:{re.escape(token[1])}(?!0{{{digits}}})(?P<f>[0-9]{{{digits}}}))?"
    if token[0] == "f":
        return rf"(?P<f>[0-9]{{{len(token)}}})"
    return f"(?P<{token}>{_PARTS[token]})" if token in _PARTS else re.escape(token)


def _year(parts: dict[str, str]) -> int:
    if "YY" in parts:
        short = int(parts["YY"])
        return short + (1900 if short >= TURN else 2000)
    return int(parts.get("YYYY", 1970))


def _month(parts: dict[str, str]) -> int:
    for token in ("MONTH", "MON", "Month", "Mon"):
        if token in parts:
            return next(i for i, name in enumerate(MONTHS, 1) if name[:3].upper() == parts[token][:3].upper())
    if "q" in parts:
        return 3 * int(parts["q"]) - 2
    return int(parts.get("MM") or parts.get("M") or 1)


def _hour(parts: dict[str, str]) -> int:
    if "HH" in parts or "H" in parts:
        return int(parts.get("HH") or parts["H"])
    short = int(parts.get("hh") or parts.get("h") or 0)
    half = (parts.get("AM") or parts.get("am") or "").lower()
    return short % 12 + (12 if half == "pm" else 0) if half else short
