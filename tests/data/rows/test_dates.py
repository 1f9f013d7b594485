"""Dates and times: every form comes back letter for letter, and whatever a model makes is a date of the form."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganaug.data.rows.columns import Category, Number
from ganaug.data.rows.dates import Moments
from ganaug.data.rows.kinds import column_of, find_column
from ganaug.errors import DataError

FORMS = {  # of Python -> ours
    "%Y-%m-%d": "YYYY-MM-DD",
    "%Y/%m/%d": "YYYY/MM/DD",
    "%Y-%d-%m": "YYYY-DD-MM",
    "%d.%m.%Y": "DD.MM.YYYY",
    "%m/%d/%Y": "MM/DD/YYYY",
    "%d/%m/%Y": "DD/MM/YYYY",
    "%Y-%m-%d %H:%M:%S": "YYYY-MM-DD HH:mm:ss",
    "%Y-%m-%dT%H:%M:%SZ": "YYYY-MM-DDTHH:mm:ssZ",
    "%Y-%m-%dT%H:%M:%S+01:00": "YYYY-MM-DDTHH:mm:ss+01:00",
    "%Y-%m-%d %H:%M:%S.%f": "YYYY-MM-DD HH:mm:ss.ffffff",
    "%Y-%m-%d %H:%M:%S,%f": "YYYY-MM-DD HH:mm:ss,ffffff",
    "%d.%m.%Y %H:%M": "DD.MM.YYYY HH:mm",
    "%m/%d/%Y, %I:%M:%S %p": "MM/DD/YYYY, hh:mm:ss AM",
    "%H:%M": "HH:mm",
    "%H:%M:%S": "HH:mm:ss",
    "%d %b %Y": "DD Mon YYYY",
    "%B %d, %Y": "Month DD, YYYY",
    "%d%b%Y:%H:%M:%S": "DDMonYYYY:HH:mm:ss",
    "%Y-%m": "YYYY-MM",
    "%m/%Y": "MM/YYYY",
    "%Y%m%d": "YYYYMMDD",
    "%Y%m%d.0": "YYYYMMDD.0",
    "%Y%m": "YYYYMM",
    "%m.%Y": "MM.YYYY",
    "%d%m%Y": "DDMMYYYY",
    "%Y%m%d%H%M%S": "YYYYMMDDHHmmss",
    "%Y%m%d %H:%M:%S": "YYYYMMDD HH:mm:ss",
}


def texts(form: str, n: int = 80, first=(2019, 1, 1), days: int = 1500, seed: int = 0) -> tuple[str, ...]:
    rng = np.random.default_rng(seed)
    start = datetime(*first)
    moves = zip(rng.integers(days * 86_400, size=n).tolist(), rng.integers(10**6, size=n).tolist(), strict=True)
    return tuple((start + timedelta(seconds=s, microseconds=us)).strftime(form) for s, us in moves)


def made(column: Number, seed: int = 0, n: int = 300) -> list[str]:
    """What a model could make, beyond the bounds too."""
    return column.decode(np.random.default_rng(seed).uniform(-1.2, 1.2, (n, sum(column.blocks))))


def unpadded(form: str, padded: tuple[str, ...]) -> tuple[str, ...]:
    parsed = [datetime.strptime(text, form) for text in padded]
    return tuple(f"{t.month}/{t.day}/{t.year} {t.hour}:{t.minute:02}" for t in parsed)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_kept_and_made(form):
    cells = texts(form)
    column = column_of("when", cells)
    assert isinstance(column, Number)
    assert column.form.pattern == FORMS[form]
    assert tuple(column.decode(column.encode(cells))) == cells
    for cell in made(column):
        assert datetime.strptime(cell, form).strftime(form) == cell
    assert len(set(made(column))) > 30
    low, high = (datetime.strptime(column.form.write(knot), form) for knot in (column.knots[0], column.knots[-1]))
    assert low == min(datetime.strptime(cell, form) for cell in cells)
    assert high == max(datetime.strptime(cell, form) for cell in cells)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(FORMS)),
    st.integers(0, 10**6),
    st.integers(400, 60_000),
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=1, max_size=30),
)
def test_dates_of_any_column_come_back_and_any_output_is_a_date(form, seed, days, outputs):
    cells = texts(form, first=(1930, 1, 1), days=days, seed=seed)
    column = column_of("when", cells)
    assert tuple(column.decode(column.encode(cells))) == cells
    for cell in column.decode(np.array(outputs)[:, None]):
        assert datetime.strptime(cell, form).strftime(form) == cell


PATTERNS = (
    "YYYY-MM-DD",
    "D.M.YYYY H:mm",
    "MONTH D, YYYY h:mm:ss am",
    "YYYY-MM-DDTHH:mm:ss[.fff]Z",
    "YYYYQq",
    "DDMONYYYY",
)


@settings(deadline=None)
@given(st.sampled_from(PATTERNS), st.sampled_from(["month", "day", "second", "fraction"]), st.integers(-10_000, 10_000))
def test_what_is_written_is_read_as_it_was(pattern, unit, count):
    for twelve in (False, True):
        moments = Moments(pattern, unit, twelve)
        text = moments.write(count)
        assert moments.write(moments.read(text)) == text


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2023-02-29", "2024-13-01", "2024-1-01", "2024-01-01 ", "0000-01-01", "2024-01-3\u0661", ""]
)
def test_no_day_of_the_calendar_is_read(text):
    with pytest.raises(ValueError, match="calendar|written"):
        Moments("YYYY-MM-DD", "day").read(text)


def test_days_and_hours_without_zeros_in_front_stay_so():
    cells = unpadded("%Y-%m-%d %H:%M", texts("%Y-%m-%d %H:%M"))
    column = column_of("when", cells)
    assert column.form.pattern == "M/D/YYYY H:mm"
    assert tuple(column.decode(column.encode(cells))) == cells


@pytest.mark.parametrize(
    ("form", "ends"),
    [
        ("%Y-%m-01", "-01"),
        ("01.%m.%Y", ""),
        ("%Y-%m-%d 00:00:00", " 00:00:00"),
        ("%Y-%m-%dT%H:00:00Z", ":00:00Z"),
        ("%H:%M:00", ":00"),
    ],
)
def test_only_what_varies_is_counted(form, ends):
    column = column_of("when", texts(form))
    start = "01." if form.startswith("01") else ""
    assert all(cell.startswith(start) and cell.endswith(ends) for cell in made(column))


def test_a_fraction_that_is_left_out_where_it_is_zero():
    cells = tuple(f"2024-01-03 10:{i:02}:07" + (".250000" if i % 3 else "") for i in range(60))
    column = column_of("when", cells)
    assert tuple(column.decode(column.encode(cells))) == cells
    assert all("." not in cell or len(cell.partition(".")[2]) == 6 for cell in made(column))


def test_missing_dates_are_missing():
    cells = ("", *texts("%d.%m.%Y"), "")
    column = column_of("when", cells)
    assert column.blocks == (1, 2)
    assert tuple(column.decode(column.encode(cells))) == cells


def ambiguous(sep: str, years: str = "%Y") -> tuple[str, ...]:
    """No number above 12, so that nothing tells day from month."""
    rng = np.random.default_rng(0)
    days = [datetime(y, m, d) for y, m, d in rng.integers((2019, 1, 1), (2024, 13, 13), (90, 3)).tolist()]
    return tuple(day.strftime(f"%d{sep}%m{sep}{years}") for day in days)


@pytest.mark.parametrize("sep", ["/", "-", ""])
def test_where_day_and_month_cannot_be_told_both_readings_of_what_is_made_are_dates(sep):
    found = find_column("when", ambiguous(sep))
    assert any("does not tell day from month" in note and "2024-01-31" in note for note in found.notes)
    for cell in made(found.column):
        for form in (f"%d{sep}%m{sep}%Y", f"%m{sep}%d{sep}%Y"):
            assert 2019 <= datetime.strptime(cell, form).year <= 2023


@pytest.mark.parametrize(
    ("cells", "pattern", "words"),
    [
        (ambiguous("."), "DD.MM.YYYY", "day first"),
        (texts("01/%m/%Y"), "DD/MM/YYYY", "first number is 1"),
        (texts("%m/01/%Y"), "MM/DD/YYYY", "second number is 1"),
        (texts("%d.%m.%y"), "DD.MM.YY", "two digits: they are read as 2019 to 2023.*not YY.MM.DD"),
        (texts("%y-%m-%d"), "YY-MM-DD", "not DD-MM-YY"),
        (texts("%m/%d/%y"), "MM/DD/YY", "two digits"),
        (texts("%b-%y"), "Mon-YY", "two digits"),
        (texts("%y%m%d"), "YYMMDD", "leave the column out"),
        (texts("%Y%m%d"), "YYYYMMDD", "leave the column out"),
        ((*texts("%Y%m%d"), "99991231"), "YYYYMMDD", "stands for none"),
        (tuple(str(int(text)) for text in texts("%d%m%Y")), "DMMYYYY", "numbers that are all dates"),
    ],
)
def test_what_was_guessed_is_said(cells, pattern, words):
    import re

    found = find_column("when", cells)
    assert isinstance(found.column, Number)
    assert found.column.form.pattern == pattern
    assert re.search(words, " ".join(found.notes))
    assert all("'when'" in note for note in found.notes)
    assert tuple(found.column.decode(found.column.encode(cells))) == cells


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%H:%M", "%Y-%m-%dT%H:%M:%SZ", "%d %b %Y"])
def test_where_the_data_decide_nothing_is_said(form):
    assert find_column("when", texts(form)).notes == ()


@pytest.mark.parametrize(
    "cells",
    [
        tuple(str(i) for i in np.random.default_rng(0).integers(10**7, 10**8, 60)),  # identifiers of eight digits
        tuple(str(20_190_100 + 7 * i % 199) for i in range(199)),  # some of these are days
        tuple(str(i) for i in np.random.default_rng(0).integers(190_000, 210_000, 60)),  # prices
        tuple(str(i) for i in range(1950, 2024)[::-1]),  # years
        ("20240131", "20240213"),  # too few to tell
    ],
)
def test_numbers_that_are_not_all_dates_stay_numbers(cells):
    column = column_of("x", cells)
    assert isinstance(column, Number)
    assert column.form.words == "whole numbers"


@pytest.mark.parametrize("since", [1.5e9, 1.5e12, 1.5e15])
def test_times_since_1970_are_numbers_and_said(since):
    cells = tuple(str(int(since * (1 + i / 1000))) for i in np.random.default_rng(0).permutation(80))
    found = find_column("stamp", cells)
    assert found.column.form.words == "whole numbers"
    assert "since 1970" in found.notes[0]


def test_few_different_dates_are_categories():
    cells = ("31.01.2024", "29.02.2024", "31.03.2024") * 20
    assert isinstance(column_of("when", cells), Category)
    assert isinstance(column_of("when", tuple(c[6:] + c[3:5] + c[:2] for c in cells)), Category)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ((*texts("%Y-%m-%d"), "2024-02-30"), r"dates, as YYYY-MM-DD, but 1 of 81 rows do not \(row 81: '2024-02-30'\)"),
        ((*texts("%d.%m.%Y"), "soon"), "row 81: 'soon'"),
        ((*texts("%Y%m%d"), "0"), "dates, as YYYYMMDD, but 1 of .*row 81: '0'"),
        ((*texts("%Y-%m-%d %H:%M"), "2024-02-30 10:00"), "row 81"),
        ((*texts("%H:%M"), "24:60"), "times, but 1 of 81"),
        ((*texts("%H:%M"), "24:10:10"), "times, but 1 of 81"),
        (texts("%Y-%m-%d %H:%M+01:00") + texts("%Y-%m-%d %H:%M+02:00"), r"different offsets.*\+01:00.*\+02:00"),
        (tuple(f"{i} days 00:00:05" for i in range(40)), "durations"),
        (texts("%Y-%m-%d", 40) + texts("%d.%m.%Y", 40), "different texts"),
    ],
)
def test_columns_that_mix_forms_are_refused_with_the_fix(cells, words):
    with pytest.raises(DataError, match=words) as caught:
        column_of("when", tuple(cells))
    assert "'when'" in caught.value.cause
    assert caught.value.fix
