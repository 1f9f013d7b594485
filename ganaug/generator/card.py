"""The card of a generator: what it was made from and how, as JSON that is checked field by field when read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from ganaug.data.rows.series_codec import SeriesCodec
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.spec import DataSpec
from ganaug.data.words import Words
from ganaug.errors import ArtefactError, GanaugError
from ganaug.files.checked import bounded, fields_of, finite, is_, strict_json, text, texts
from ganaug.game import Prior
from ganaug.generator.codecs import codec_from_json, codec_to_json
from ganaug.generator.interventions import Intervention
from ganaug.networks.changes import changes_named
from ganaug.reporting import counted

SCHEMA = 9
_MOST = 2**24  # a setting that is a whole number, at most


@dataclass(frozen=True)
class Card:
    """What a generator is and was made from. Nothing in it depends on the clock or on a path.

    Attributes
    ----------
    recipe, settings : str, dict
        They rebuild the networks.
    classes : tuple of str
        The names of the classes.
    shape : tuple of int
        Of a generated item: (C, H, W), (C, T) or (F,).
    codec : ImageCodec, TableCodec or SeriesCodec
        The way to the user's own form.
    prior : Prior
        The distribution of the latent.
    steps, seed : int
        Of the fit.
    counts : dict of str to int
        Items of each class, held-out ones included.
    fingerprints, held_out : tuple of str
        Hashes of the labelled items that gradients saw, and of the validation part.
    versions : dict of str to str
        Libraries, threads and device of the fit.
    pair : tuple of int
        Shape of the paired images that a translator starts from; () for others.
    allow : tuple of str or None
        Changes of an image that keep its label, which were all that the discriminator saw; None where nobody said.
    words : Words or None
        Of the classes, where the recipe draws from words.
    unlabelled : tuple of str
        Hashes of the images that gradients saw besides, which had no label.
    likenesses : str
        Hash of the file of the run folder by which near-duplicates are found; "" where there is none.
    skipped : tuple of str
        Classes of the data that were left out as too small.
    interventions : tuple of Intervention
        What befell the fit.
    slices : int
        Parts into which each batch was divided.
    slicewise : tuple of str
        Players to whom that makes a difference: batch statistics are those of a slice.
    """

    recipe: str
    settings: dict[str, Any]
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    codec: Any
    prior: Prior
    steps: int
    seed: int
    counts: dict[str, int]
    fingerprints: tuple[str, ...]
    held_out: tuple[str, ...]
    versions: dict[str, str]
    pair: tuple[int, ...] = ()
    allow: tuple[str, ...] | None = None
    words: Words | None = None
    unlabelled: tuple[str, ...] = ()
    likenesses: str = ""
    skipped: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    slices: int = 1
    slicewise: tuple[str, ...] = ()

    @property
    def spec(self) -> DataSpec:
        blocks = self.codec.blocks if isinstance(self.codec, TableCodec) else ()
        return DataSpec(self.shape, self.classes, self.pair, blocks, self.allow, self.words)

    @property
    def described(self) -> bool:
        """Whether its classes are described, so that there was no image of them."""
        return self.words is not None and not any(self.counts.values())

    def __repr__(self) -> str:
        return f"Card({self.facts})"

    @property
    def facts(self) -> str:
        """What the generator is, in a few words."""
        steps = f"{self.steps:,} step{'s' * (self.steps != 1)}"
        return f"{counted(len(self.classes), 'class')}, {steps} of {self.recipe}"

    def to_json(self) -> str:
        values = {**asdict(self), "schema": SCHEMA, "codec": codec_to_json(self.codec)}
        return json.dumps(values, indent=1, sort_keys=True)

    @staticmethod
    def from_json(data: str | bytes) -> Card:
        """Raises ArtefactError for anything but a well-formed card of this schema: unknown, missing or repeated fields,
        wrong types."""
        try:
            return _checked(strict_json(data))
        except (KeyError, TypeError, ValueError, GanaugError) as error:
            raise ArtefactError(f"card.json cannot be read: {error}.", "Fetch or fit the generator again.") from error


def _checked(values: Any) -> Card:
    if type(values) is not dict:
        raise TypeError("it is not an object")
    if values.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {values.get('schema')!r}, this version of ganaug reads {SCHEMA}")
    fields_of(values, {field.name for field in fields(Card)} | {"schema"})
    card = Card(
        recipe=text(values["recipe"]),
        settings={text(name): _setting(value) for name, value in is_(values["settings"], dict).items()},
        classes=texts(values["classes"]),
        shape=_shape(values["shape"]),
        codec=codec_from_json(values["codec"]),
        prior=_prior(values["prior"]),
        steps=bounded(values["steps"], 0, 2**53),
        seed=bounded(values["seed"], 0, 2**53),
        counts={text(name): bounded(n, 0, 2**53) for name, n in is_(values["counts"], dict).items()},
        fingerprints=texts(values["fingerprints"]),
        held_out=texts(values["held_out"]),
        versions={text(k): text(v) for k, v in is_(values["versions"], dict).items()},
        pair=_shape(values["pair"], least=0),
        allow=None if values["allow"] is None else changes_named(texts(values["allow"])),
        words=None if values["words"] is None else Words.from_json(values["words"], texts(values["classes"])),
        unlabelled=texts(values["unlabelled"]),
        likenesses=text(values["likenesses"]),
        skipped=texts(values["skipped"]),
        interventions=tuple(Intervention.from_json(one) for one in is_(values["interventions"], list)),
        slices=bounded(values["slices"], 1, _MOST),
        slicewise=texts(values["slicewise"]),
    )
    if set(card.counts) != set(card.classes):
        raise ValueError("counts and classes name different classes")
    card.spec  # noqa: B018 (checks the class names, and that columns and shape agree)
    axes = {TableCodec: 1, SeriesCodec: 2}.get(type(card.codec), 3)
    if len(card.shape) != axes or (axes == 2 and card.shape[0] != len(card.codec.low)):
        raise ValueError(f"items of shape {card.shape} are not of the kind that the codec says")
    if axes == 1 and not card.spec.blocks:
        raise ValueError("a table without columns")
    return card


def _setting(value: Any) -> Any:
    """A plain value; whether a recipe has such a setting is found out later."""
    if type(value) is int:
        return bounded(value, -_MOST, _MOST)
    if type(value) not in (bool, float, str):
        raise TypeError(f"a setting is a {type(value).__name__}")
    return finite(value) if type(value) is float else value


def _shape(value: Any, least: int = 1) -> tuple[int, ...]:
    if not least <= len(is_(value, list)) <= 3:
        raise ValueError(f"{value} is not the shape of an item")
    return tuple(bounded(side, 1, 1024) for side in value)


def _prior(value: Any) -> Prior:
    if set(is_(value, dict)) != {"dim", "categories", "uniform"}:
        raise ValueError(f"{value!r} is not a prior")
    categories = tuple(bounded(k, 2, 4096) for k in is_(value["categories"], list)[:64])
    return Prior(bounded(value["dim"], 1, 65_536), categories, bounded(value["uniform"], 0, 4096))
