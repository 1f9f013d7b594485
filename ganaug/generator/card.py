"""The card of a generator: what it was made from and how, as JSON that is checked field by field when read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from ganaug.data.spec import DataSpec, ImageCodec
from ganaug.errors import ArtefactError, GanaugError
from ganaug.game import Prior

SCHEMA = 2


@dataclass(frozen=True)
class Card:
    """recipe, settings: rebuild the networks. counts: images of each class, held-out ones included.

    shape: of a generated item, (C, H, W) for images. source: of what a translator starts from, () for others.
    fingerprints, held_out: of the items that gradients saw, and of the validation part (`sha256:likeness`, the latter
    a 16 x 16 grey picture of the item by which near-duplicates are found).
    versions: libraries, threads and device of the fit. Nothing here depends on the clock or on a path.
    """

    recipe: str
    settings: dict[str, Any]
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    codec: ImageCodec
    prior: Prior
    steps: int
    seed: int
    counts: dict[str, int]
    fingerprints: tuple[str, ...]
    held_out: tuple[str, ...]
    versions: dict[str, str]
    source: tuple[int, ...] = ()

    @property
    def spec(self) -> DataSpec:
        return DataSpec(self.shape, self.classes, self.source)

    def to_json(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["codec"] = {"mode": self.codec.mode, "size": self.codec.size}
        values["prior"] = asdict(self.prior)
        return json.dumps({"schema": SCHEMA, **values}, indent=1, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Card:
        """Raises ArtefactError for anything but a well-formed card of this schema: unknown, missing or repeated fields,
        wrong types."""
        try:
            values = json.loads(text, object_pairs_hook=_no_repeats)
            return _checked(values)
        except (KeyError, TypeError, ValueError, GanaugError) as error:
            raise ArtefactError(f"card.json cannot be read: {error}.", "Fetch or fit the generator again.") from error


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a field is repeated")
    return values


def _checked(values: Any) -> Card:
    if type(values) is not dict:
        raise TypeError("it is not an object")
    if values.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {values.get('schema')!r}, this version of ganaug reads {SCHEMA}")
    names = {field.name for field in fields(Card)} | {"schema"}
    if set(values) != names:
        raise ValueError(f"its fields are not the expected ones: {sorted(set(values) ^ names)}")
    card = Card(
        recipe=_is(values["recipe"], str),
        settings=_is(values["settings"], dict),
        classes=_texts(values["classes"]),
        shape=_shape(values["shape"]),
        codec=_codec(values["codec"]),
        prior=_prior(values["prior"]),
        steps=_bounded(values["steps"], 0, 2**53),
        seed=_bounded(values["seed"], 0, 2**53),
        counts={_is(name, str): _bounded(n, 0, 2**53) for name, n in _is(values["counts"], dict).items()},
        fingerprints=_texts(values["fingerprints"]),
        held_out=_texts(values["held_out"]),
        versions={_is(k, str): _is(v, str) for k, v in _is(values["versions"], dict).items()},
        source=_shape(values["source"], least=0),
    )
    if set(card.counts) != set(card.classes):
        raise ValueError("counts and classes name different classes")
    card.spec  # noqa: B018 (checks the class names)
    return card


def _is(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _bounded(value: Any, least: int, most: int) -> int:
    if not least <= _is(value, int) <= most:
        raise ValueError(f"{value} is not within {least}..{most}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_is(item, str) for item in _is(value, list))


def _shape(value: Any, least: int = 1) -> tuple[int, ...]:
    if not least <= len(_is(value, list)) <= 3:
        raise ValueError(f"{value} is not the shape of an item")
    return tuple(_bounded(side, 1, 1024) for side in value)


def _prior(value: Any) -> Prior:
    if set(_is(value, dict)) != {"dim", "categories", "uniform"}:
        raise ValueError(f"{value!r} is not a prior")
    categories = tuple(_bounded(k, 2, 4096) for k in _is(value["categories"], list)[:64])
    return Prior(_bounded(value["dim"], 1, 65_536), categories, _bounded(value["uniform"], 0, 4096))


def _codec(value: Any) -> ImageCodec:
    if set(_is(value, dict)) != {"mode", "size"} or value["mode"] not in ("L", "RGB"):
        raise ValueError(f"{value!r} is not an image format")
    if value["size"] is None:
        return ImageCodec(value["mode"], None)
    height, width = (_bounded(side, 1, 65_536) for side in _is(value["size"], list))
    return ImageCodec(value["mode"], (height, width))
