"""Synthetic images as a tar file in the convention of WebDataset: KEY.cls, KEY.json, KEY.png."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from ganaug.samples.exports.formats import Wanted, export_format


@export_format("a .tar file of WebDataset (png, cls, json)", "images", ".tar", mixed=True)
def tar(wanted: Wanted, out: Path) -> None:
    """cls: the number of the class in the order of the generator. json: what it takes to make the image again. Headers
    hold no time and no owner, so that the same images are the same bytes."""
    classes = wanted.fitted.card.classes
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, row, image in wanted.images():
            label = classes.index(name)
            facts = json.dumps(wanted.facts(name, row), ensure_ascii=False)
            for end, data in (("cls", str(label).encode()), ("json", facts.encode()), ("png", image)):
                member = tarfile.TarInfo(f"{label:04}-{row:09}.{end}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
