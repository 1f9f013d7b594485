"""Numbers as people write them come back letter for letter; codes are no numbers, and what was guessed is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganaug.data.rows.columns import Category, Number
from ganaug.data.rows.kinds import column_of, find_column
from ganaug.errors import DataError

AMOUNTS = np.random.default_rng(0).lognormal(7, 2, 80).tolist()


def german(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}".translate({ord(","): ".", ord("."): ","})


FORMS = {
    "thousands": lambda v: f"{v:,.2f}",
    "german": german,
    "swiss": lambda v: f"{v:,.2f}".replace(",", "'"),
    "french": lambda v: f"{v:,.1f}".translate({ord(","): "\u202f", ord("."): ","}),
    "millions": lambda v: f"{1000 * v + 1e6:,.0f}",
    "percent": lambda v: f"{v % 100:.1f}%",
    "apart": lambda v: f"{v % 100:.2f} %",
    "dollars": lambda v: f"{'-' if v < 500 else ''}${v:,.2f}",
    "euros": lambda v: f"{german(v)} €",
    "code": lambda v: f"EUR {v:.2f}",
    "unit": lambda v: f"{v:.1f} kg",
    "signed": lambda v: f"{v - 1000:+.2f}",
    "decimal comma": lambda v: f"{v:.2f}".replace(".", ","),
    "three digits": lambda v: f"{v:.3f}",
    "three digits, comma": lambda v: f"{v:.3f}".replace(".", ","),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_kept_and_made(form):
    cells = tuple(map(FORMS[form], AMOUNTS))
    found = find_column("x", cells)
    assert isinstance(found.column, Number)
    assert found.notes == ()
    assert tuple(found.column.decode(found.column.encode(cells))) == cells
    again = found.column.decode(np.linspace(-1.2, 1.2, 60)[:, None])
    assert column_of("x", tuple(again)).form == found.column.form
    assert found.column.form.read(again[0]) == min(map(found.column.form.read, cells))


@given(st.sampled_from(sorted(FORMS)), st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=1, max_size=20))
def test_what_is_written_is_read_as_it_was(form, outputs):
    column = column_of("x", tuple(map(FORMS[form], AMOUNTS)))
    for cell in column.decode(np.array(outputs)[:, None]):
        assert column.form.write(column.form.read(cell)) == cell


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (("999", "120", "87", "1,234", "2,500", "9,001"), 1234),
        (("999", "120", "87", "1.234", "2.500", "9.001"), 1234),
        (("999", "120", "1,234"), 1.234),
        (("12345", "12000", "87000", "1,234", "2,500", "9,001"), 1.234),
    ],
)
def test_thousands_that_may_be_decimals_are_said(cells, value):
    found = find_column("x", cells)
    assert "does not tell thousands from decimals" in found.notes[0]
    assert found.column.form.read(next(cell for cell in cells if cell[1] in ",.")) == value


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (tuple(f"{i % 40:05}" for i in range(200)), Category),  # postal codes
        (("007", "042", "100") * 20, Category),
        (("True", "False", "") * 20, Category),
        (("yes", "no") * 20, Category),
        (("", "NA") * 20, Category),
        (tuple(f"{i % 30:02}" for i in range(1, 90)), Category),
    ],
)
def test_texts_that_look_like_numbers_stay_as_they_are(cells, kind):
    column = column_of("x", cells)
    assert isinstance(column, kind)
    assert tuple(column.decode(column.encode(cells))) == cells


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (tuple(f"{i * 37:05}" for i in range(250)), "codes with zeros in front"),
        (tuple(f"+49{10**9 + i * 7919}" for i in range(60)), "different texts"),
        (tuple(f"({v:.2f})" if v < 900 else f"{v:.2f}" for v in AMOUNTS), "different texts|numbers, but"),
        (tuple(f"{i}\u0661" for i in range(60)), "different texts"),
        (tuple(f"{v:.1f} kg" if i % 9 else f"{v:.1f} lb" for i, v in enumerate(AMOUNTS)), "different texts"),
    ],
)
def test_what_cannot_be_written_again_is_refused(cells, words):
    with pytest.raises(DataError, match=words) as caught:
        column_of("x", cells)
    assert "--drop x" in caught.value.fix or "Mend" in caught.value.fix


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("Yes", "yes", "no") * 20, "capital letters only: 'Yes', 'yes'"),
        (tuple(str(i % 40) for i in range(199)) + ("unknown",), r"row 200: 'unknown'.*41 categories"),
        (tuple(str(i) for i in np.random.default_rng(0).permutation(1000)[:80]), "another whole number in every row"),
    ],
)
def test_what_may_be_meant_otherwise_is_said(cells, words):
    import re

    (note,) = find_column("x", cells).notes
    assert re.search(words, note)
