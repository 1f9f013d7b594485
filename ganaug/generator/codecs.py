"""Codecs as JSON, checked field by field when read: nothing else than these three kinds is accepted."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from ganaug.data.pictures.images import PIXEL_LIMIT
from ganaug.data.rows.columns import Category, Column, Constant, Number
from ganaug.data.rows.dates import UNITS, Moments
from ganaug.data.rows.numerals import GROUPS, Numerals
from ganaug.data.rows.series_codec import SeriesCodec
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.spec import ImageCodec
from ganaug.files.checked import bounded, fields_of, finite, is_, text, texts

Codec = ImageCodec | TableCodec | SeriesCodec
_KNOTS = 4096  # at most so many of a column


def codec_to_json(codec: Codec) -> dict[str, Any]:
    """A codec as plain values, `kind` among them."""
    if isinstance(codec, TableCodec):
        columns = [{"kind": type(column).__name__.lower(), **asdict(column)} for column in codec.columns]
        return {"kind": "table", **asdict(codec), "columns": columns}
    return {"kind": "series" if isinstance(codec, SeriesCodec) else "image", **asdict(codec)}


def codec_from_json(value: Any) -> Codec:
    """Raises TypeError, ValueError or KeyError for anything but a well-formed codec."""
    kind = is_(value, dict).get("kind")
    if kind == "image":
        return _image(value)
    if kind == "series":
        return _series(value)
    if kind == "table":
        return _table(value)
    raise ValueError(f"{kind!r} is not a kind of data")


def _image(value: dict[str, Any]) -> ImageCodec:
    fields_of(value, {"kind", "mode", "size", "range"})
    if value["mode"] not in ("L", "RGB"):
        raise ValueError(f"{value['mode']!r} is not an image format")
    span = None if value["range"] is None else _numbers(value["range"])
    if span is not None and (len(span) != 2 or span[0] >= span[1] or not math.isfinite(span[1] - span[0])):
        raise ValueError("the range of the pixels is not a range")
    if value["size"] is None:
        return ImageCodec(value["mode"], None, span)
    height, width = (bounded(side, 1, 65_536) for side in is_(value["size"], list))
    if height * width > PIXEL_LIMIT:
        raise ValueError(f"images of {height} x {width} px are above the limit of {PIXEL_LIMIT:,} px")
    return ImageCodec(value["mode"], (height, width), span)


def _series(value: dict[str, Any]) -> SeriesCodec:
    fields_of(value, {"kind", "low", "high", "flat"})
    low, high = _numbers(value["low"]), _numbers(value["high"])
    if len(low) != len(high) or any(a > b for a, b in zip(low, high, strict=True)):
        raise ValueError("the ranges of the channels are not ranges")
    if is_(value["flat"], bool) and len(low) != 1:
        raise ValueError("series of several channels are not flat")
    return SeriesCodec(low, high, value["flat"])


def _table(value: dict[str, Any]) -> TableCodec:
    fields_of(value, {"kind", "columns", "target", "place", "delimiter"})
    columns = tuple(_column(column) for column in is_(value["columns"], list))
    codec = TableCodec(columns, text(value["target"]), bounded(value["place"], 0, len(columns)), value["delimiter"])
    if codec.delimiter not in (",", ";", "\t", "|"):
        raise ValueError(f"{codec.delimiter!r} does not separate columns")
    if len(set(codec.header)) != len(codec.header):
        raise ValueError("names of columns repeat")
    return codec


def _column(value: Any) -> Column:
    kind = is_(value, dict).get("kind")
    if kind == "number":
        return _number(value)
    if kind == "category":
        fields_of(value, {"kind", "name", "values"})
        values = texts(value["values"])
        if not 2 <= len(values) <= 1024 or len(set(values)) != len(values):
            raise ValueError("the categories of a column repeat, or are fewer than two")
        return Category(text(value["name"]), values)
    fields_of(value, {"kind", "name", "value"})
    if kind != "constant":
        raise ValueError(f"{kind!r} is not a kind of column")
    return Constant(text(value["name"]), text(value["value"]))


def _number(value: dict[str, Any]) -> Number:
    fields_of(value, {"kind", "name", "knots", "form", "missing"})
    knots = _numbers(value["knots"])
    if not 2 <= len(knots) <= _KNOTS or any(a > b for a, b in zip(knots, knots[1:], strict=False)):
        raise ValueError("the knots of a column do not rise")
    form = _moments(value["form"], knots) if "pattern" in is_(value["form"], dict) else _numerals(value["form"])
    missing = None if value["missing"] is None else text(value["missing"])
    return Number(text(value["name"]), knots, form, missing)


def _numerals(value: dict[str, Any]) -> Numerals:
    fields_of(value, {"whole", "decimals", "least", "point", "thousands", "prefix", "suffix", "plus"})
    if value["point"] not in (".", ",") or value["thousands"] not in ("", ".", ",", *GROUPS):
        raise ValueError("a column is written in an unknown form")
    decimals = bounded(value["decimals"], -1, 15)
    if value["thousands"] and (decimals < 0 or value["thousands"] == value["point"]):
        raise ValueError("thousands of a column are parted by its point")
    least = bounded(value["least"], 0, max(decimals, 0))
    around = text(value["prefix"]), text(value["suffix"])
    whole, plus = is_(value["whole"], bool), is_(value["plus"], bool)
    return Numerals(whole, decimals, least, value["point"], value["thousands"], *around, plus)


def _moments(value: dict[str, Any], knots: tuple[float, ...]) -> Moments:
    fields_of(value, {"pattern", "unit", "twelve"})
    if value["unit"] not in UNITS:
        raise ValueError("dates of a column are counted in an unknown unit")
    moments = Moments(text(value["pattern"]), value["unit"], is_(value["twelve"], bool))
    if not moments.covers(knots[0], knots[-1]):
        raise ValueError("dates are not of the years 1 to 9999")
    return moments


def _numbers(value: Any) -> tuple[float, ...]:
    found = tuple(finite(item) for item in is_(value, list))
    if not found or not math.isfinite(found[-1] - found[0]):
        raise ValueError("a list of numbers is empty or too wide")
    return found
