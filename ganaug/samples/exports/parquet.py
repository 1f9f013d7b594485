"""Synthetic images as a Parquet file with the columns that Hugging Face's `datasets` knows as an image and a class."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from ganaug.errors import MissingPackageError
from ganaug.samples.exports.formats import Wanted, export_format

GROUP = 256  # rows that are read at once


@export_format("a .parquet file of Hugging Face (image, label)", "images", ".parquet", mixed=True)
def parquet(wanted: Wanted, out: Path) -> None:
    """image: the PNG file and a name. label: the number of the class in the order of the generator, with all names.
    facts: as JSON, what it takes to make the image again. Raises MissingPackageError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        fix = "pip install 'ganaug[parquet]' (or pip install pyarrow)."
        raise MissingPackageError("Writing .parquet files needs pyarrow.", fix) from error
    classes = wanted.fitted.card.classes

    def line(name: str, row: int, image: bytes) -> dict[str, Any]:
        label = classes.index(name)
        named = {"bytes": image, "path": f"{label:04}-{row:09}.png"}
        return {"image": named, "label": label, "facts": json.dumps(wanted.facts(name, row), ensure_ascii=False)}

    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(classes), "_type": "ClassLabel"},
        "facts": {"dtype": "string", "_type": "Value"},
    }
    file = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    schema = pyarrow.schema(
        [("image", file), ("label", pyarrow.int64()), ("facts", pyarrow.string())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    images = wanted.images()
    with pyarrow.parquet.ParquetWriter(
        out, schema, compression="none", use_dictionary=False, write_statistics=["label"]
    ) as writer:
        while lines := [line(*image) for image in itertools.islice(images, GROUP)]:
            writer.write_table(pyarrow.Table.from_pylist(lines, schema))
