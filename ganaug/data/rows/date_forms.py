"""In which form a column writes dates and times, found from its texts, and what had to be guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from ganaug.data.rows.dates import TURN, Moments, Unit
from ganaug.errors import DataError

PLAUSIBLE = range(1900, 2101)  # years of dates that are written as whole numbers
OPEN_END = 9999  # the year of "for ever" in many databases
ENOUGH = 3  # different whole numbers that are all dates: fewer may be so by chance
ENOUGH_SHORT = 5  # the same for years of two digits: 1 in 30 numbers of six digits is a date
NEAR, MOST_ODD = 10, 0.1  # of so many texts, so many may be no dates where the others are: mistakes

_PARTED = re.compile(
    r"(?:(?P<date>.+?)(?P<join>T|, | {1,2}|:))??"
    r"(?P<clock>(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?P<fraction>[.,][0-9]{1,9})?)?)"
    r"(?P<half>[ \u00a0\u202f]?(?:[AP]M|[ap]m))?"
    r"(?P<zone> ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_NUMERIC = re.compile(r"[+-]?[0-9]*[.,]?[0-9]*")
_WAY_OUT = "Write them as 2024-01-31 to settle it."


@dataclass(frozen=True)
class Dates:
    """moments: the form. notes: what was guessed, as sentences."""

    moments: Moments
    notes: tuple[str, ...] = ()


def find_dates(name: str, texts: Sequence[str]) -> Dates | None:
    """The form in which all these different texts of a column are dates or times; None where there is none, or where so
    few whole numbers may be dates by chance. Raises DataError where offsets from UTC differ."""
    parted = []
    for text in texts:
        match = _PARTED.fullmatch(text)
        if match is None:
            break
        parted.append(match)
    else:
        return _with_clock(name, parted)
    if _NUMERIC.fullmatch(texts[0]):
        return _compact(name, texts)
    return _spelled(name, texts) or _compact(name, texts)


def nearly_dates(texts: Sequence[str]) -> tuple[str, list[str]] | None:
    """What nearly all of these different texts are, and those that are not."""
    sample = texts[:: max(1, len(texts) // 200)]
    if sum(bool(_PARTED.fullmatch(text)) for text in sample) > len(sample) / 2:
        days = {text: match["date"] or "" for text in texts if (match := _PARTED.fullmatch(text))}
        dated = [day for day in dict.fromkeys(days.values()) if day]
        bare = sum(not day for day in days.values()) > len(days) / 2
        near = nearly_dates(dated) if dated and not bare else None
        wrong = set(dated) if bare else {"", *(near[1] if near else ())}
        odd = [text for text in texts if days.get(text) in (None, *wrong)]
        return ("times", odd) if 0 < len(odd) <= MOST_ODD * len(texts) else None
    numeric = sum(bool(_NUMERIC.fullmatch(text)) for text in sample) > len(sample) / 2
    patterns = [one for order in (_COMPACT if numeric else _ORDERS).values() for one in order]
    readers = {one.pattern: _reader(one, numeric) for one in patterns if "YYYY" in one.pattern or not numeric}
    pattern, reads = max(readers.items(), key=lambda pair: sum(map(pair[1], sample)))
    odd = [text for text in texts if not reads(text)] if any(map(reads, sample)) else []
    return (f"dates, as {pattern}", odd) if odd and len(texts) >= NEAR and len(odd) <= MOST_ODD * len(texts) else None


def _with_clock(name: str, parted: list[re.Match[str]]) -> Dates | None:
    joins, zones = ({match[part] or "" for match in parted} for part in ("join", "zone"))
    if len(joins) > 1:
        return None
    if len(zones) > 1:
        listed = ", ".join(repr(zone.strip() or "none") for zone in sorted(zones)[:4])
        cause = f"Column {name!r} holds times with different offsets from UTC: {listed}."
        raise DataError(cause, 'Write all of them in one, for instance UTC (pandas: column.dt.tz_convert("UTC")).')
    days = list(dict.fromkeys(match["date"] or "" for match in parted))
    join, zone = joins.pop(), zones.pop()
    if not join:
        dates: Dates | None = Dates(Moments("", "second"))
    else:
        dates = _spelled(name, days) or _compact(name, days, told=False)
    clock = _clock(parted)
    if dates is None or clock is None:
        return None
    unit: Unit = "fraction" if "f" in clock else "second"
    moments = Moments(dates.moments.pattern + join + clock + zone, unit, dates.moments.twelve)
    texts = [match[0] for match in parted]
    return Dates(moments.coarsest(texts), dates.notes) if all(map(_reader(moments), texts)) else None


def _clock(parted: list[re.Match[str]]) -> str | None:
    """The pattern of the times of day."""
    halves = {(half[: -len(half.strip())], half.isupper()) if half else None for half in (m["half"] for m in parted)}
    seconds = {match["clock"].count(":") == 2 for match in parted}
    if len(seconds) > 1 or len(halves) > 1:
        return None
    half = halves.pop()
    hour = "h" if half else "H"
    padded = all(match["clock"][2] == ":" for match in parted)
    fractions = {match["fraction"] or "" for match in parted}
    longest = max(fractions, key=len)
    fraction = longest[:1] + "f" * (len(longest) - 1)
    fraction = f"[{fraction}]" if fraction and "" in fractions else fraction
    end = half[0] + ("AM" if half[1] else "am") if half else ""
    return (2 * hour if padded else hour) + ":mm" + (":ss" if True in seconds else "") + fraction + end


def _spelled(name: str, texts: Sequence[str]) -> Dates | None:
    fitting = _fitting(_ORDERS, texts, numeric=False)
    return _chosen(name, fitting, texts) if fitting else None


def _compact(name: str, texts: Sequence[str], told: bool = True) -> Dates | None:
    """Dates written as whole numbers, of plausible years. told: they are not, so to speak, next to a time."""
    fitting = _fitting(_COMPACT, texts, numeric=True)
    short = all("YYYY" not in moments.pattern for moments in fitting.values())
    if not fitting or (told and len(texts) < (ENOUGH_SHORT if short else ENOUGH)):
        return None
    dates = _chosen(name, fitting, texts)
    note = f"Column {name!r} holds numbers that are all dates, and is read as {dates.moments.pattern}. "
    note += f"If they are not dates, leave the column out: --drop {name}."
    return Dates(dates.moments, (*((note,) if told else ()), *dates.notes))


def _fitting(orders: dict[str, list[Moments]], texts: Sequence[str], *, numeric: bool) -> dict[str, Moments]:
    """By order of its parts, the first pattern that all texts are written in."""
    fitting = {}
    for order, patterns in orders.items():
        for moments in patterns:
            if all(map(_reader(moments, numeric), texts)):
                fitting[order] = moments
                break
    return fitting


def _chosen(name: str, fitting: dict[str, Moments], texts: Sequence[str]) -> Dates:
    """One of the orders that fit, and what had to be guessed. Years come first where they have four digits."""
    notes = []
    four = {order: moments for order, moments in fitting.items() if "y" not in order}
    if "YM" in four or "YMD" in four:
        moments = four.get("YMD") or four["YM"]
    elif four:
        moments, *others = four.values()
        if others and {"DMY", "MDY"} <= set(four):
            moments, why = _day_or_month(four["DMY"], four["MDY"], texts)
            notes.append(f"Column {name!r} {why} {_WAY_OUT}")
    else:
        moments = min(fitting.values(), key=lambda one: len({_year_of(one, text) for text in texts}))
        rivals = [one.pattern for order, one in fitting.items() if (order == "yMD") != (moments == fitting.get("yMD"))]
        if moments != fitting.get("yMD") and {"DMy", "MDy"} <= set(fitting):
            moments, why = _day_or_month(fitting["DMy"], fitting["MDy"], texts)
            notes.append(f"Column {name!r} {why} {_WAY_OUT}")
        years = [_year_of(moments, text) for text in texts]
        notes.append(
            f"Column {name!r} has years of two digits: they are read as {min(years)} to {max(years)}, from {TURN} on "
            f"as 19.., and the dates as {moments.pattern}{''.join(f', not {one}' for one in rivals)}. {_WAY_OUT}"
        )
    return Dates(moments.coarsest(texts), tuple(notes))


def _day_or_month(day_first: Moments, month_first: Moments, texts: Sequence[str]) -> tuple[Moments, str]:
    """Which of the two it is where no number above 12 tells, and why."""
    months = ("year", "quarter", "month")
    firsts = day_first.coarsest(texts).unit in months, month_first.coarsest(texts).unit in months
    if firsts == (True, False):
        return day_first, "is read with the day first, since the first number is 1 in every date."
    if firsts == (False, True):
        return month_first, "is read with the month first, since the second number is 1 in every date."
    why = "does not tell day from month: none is above 12. It is read with the"
    if "." in day_first.pattern:
        return day_first, f"{why} day first, as is usual with points."
    twelve = Moments(month_first.pattern, "day", twelve=True)
    return twelve, f"{why} month first, and no day after the 12th is made, so that it is a date either way."


def _year_of(moments: Moments, text: str) -> int:
    return 1970 + Moments(moments.pattern, "year").read(text)


def _reader(moments: Moments, plausible: bool = False) -> Callable[[str], bool]:
    """Whether a text is written so. plausible: its year is, too."""

    def reads(text: str) -> bool:
        try:
            year = 1970 + years.read(text)
        except ValueError:
            return False
        return not plausible or year in PLAUSIBLE or year == OPEN_END

    years = Moments(moments.pattern, "year", moments.twelve)
    return reads


def _orders() -> Iterable[tuple[str, str]]:
    """Orders and patterns, the most usual first; day and month padded, or not, or one of them."""
    for sep, (day, month) in product("-/. ", (("DD", "MM"), ("D", "M"), ("DD", "M"), ("D", "MM"))):
        yield from (
            ("YMD", sep.join(("YYYY", month, day))), ("YDM", sep.join(("YYYY", day, month))),
            ("DMY", sep.join((day, month, "YYYY"))), ("MDY", sep.join((month, day, "YYYY"))),
            ("DMy", sep.join((day, month, "YY"))), ("MDy", sep.join((month, day, "YY"))),
            ("yMD", sep.join(("YY", month, day))),
        )  # fmt: skip
        if sep in "-/":
            yield from (("YM", f"YYYY{sep}{month}"), ("MY", f"{month}{sep}YYYY"))
    for month, day in product(("Mon", "Month", "MON", "MONTH"), ("DD", "D")):
        yield from (("named", sep.join((day, month, "YYYY"))) for sep in ("-", " ", "/", ".", ""))
        yield from (("named y", sep.join((day, month, "YY"))) for sep in ("-", " ", "/", ".", ""))
        yield from (
            ("named", f"{month} {day}, YYYY"),
            ("named", f"{month} {day} YYYY"),
            ("named", f"{day}. {month} YYYY"),
        )
        yield from (("named", f"YYYY-{month}-{day}"), ("named", f"{month} YYYY"), ("named", f"{month}-YYYY"))
        yield ("named y", f"{month}-YY")
    yield from (("quarters", pattern) for pattern in ("YYYYQq", "YYYY-Qq", "YYYY Qq", "Qq YYYY", "Qq-YYYY", "Qq/YYYY"))


def _listed(pairs: Iterable[tuple[str, str]]) -> dict[str, list[Moments]]:
    orders: dict[str, list[Moments]] = {}
    for order, pattern in pairs:
        one = Moments(pattern, "second" if "H" in pattern else "day")
        if one not in orders.setdefault(order, []):
            orders[order].append(one)
    return orders


_ORDERS = _listed(_orders())
_COMPACT = _listed(
    (order, pattern + end)
    for end in ("", ".0")  # what numbers with missing cells among them become in pandas
    for order, patterns in {
        "YMD": "YYYYMMDD YYYYMMDDHHmm YYYYMMDDHHmmss YYYYMMDDTHHmm YYYYMMDDTHHmmss YYYYMMDDTHHmmssZ",
        "YDM": "YYYYDDMM", "DMY": "DDMMYYYY DMMYYYY", "MDY": "MMDDYYYY MDDYYYY",
        "YM": "YYYYMM YYYY.MM", "MY": "MMYYYY MM.YYYY", "DMy": "DDMMYY", "MDy": "MMDDYY", "yMD": "YYMMDD",
    }.items()
    for pattern in patterns.split()
)  # fmt: skip
