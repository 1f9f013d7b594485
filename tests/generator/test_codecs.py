"""A table's codec is the same after it was written into a card and read again."""

from __future__ import annotations

import json

import pytest

from ganaug.data.rows.kinds import column_of
from ganaug.data.rows.table_codec import TableCodec
from ganaug.generator.codecs import codec_from_json, codec_to_json

COLUMNS = {
    "day": [f"{d:02}.{m:02}.2024" for d in range(1, 28) for m in range(1, 13)],
    "stamp": [f"20240131{hour:02}{minute:02}" for hour in range(24) for minute in range(0, 60, 5)],
    "either": [f"{a}/{b}/2024" for a in range(1, 13) for b in range(1, 13)],
    "ever": [f"20{y}0131" for y in range(10, 60)] + ["99991231"] * 3,
    "price": [f"${7 * i * i:,}.50" for i in range(60)],
    "share": [f"{i},25 %" for i in range(60)] + [""],
    "kind": ["a", "b"] * 30,
    "unit": ["kg"] * 60,
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_the_same_after_a_card(name):
    codec = TableCodec((column_of(name, tuple(COLUMNS[name])),), "class", 1)
    assert codec_from_json(json.loads(json.dumps(codec_to_json(codec)))) == codec
