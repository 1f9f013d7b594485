"""Synthetic images as a folder that torchvision, timm and Hugging Face read: OUT/CLASS/000000.png,
OUT/metadata.jsonl.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ganaug.data.spec import ImageCodec
from ganaug.errors import OptionError, OutputInUseError
from ganaug.files.integrity import need_space, writing
from ganaug.files.lock import sole_maker
from ganaug.generator.folder import Fitted
from ganaug.reporting import Report, silent
from ganaug.samples.plan import Plan
from ganaug.samples.pool import Renderer, served
from ganaug.samples.run import Loadable, as_loaded
from ganaug.samples.variants import Variants, images_for
from ganaug.samples.vectors import write_vectors
from ganaug.samples.verdict import refuse_harmful

METADATA = "metadata.jsonl"
_OVERHEAD = 512  # bytes a file beyond its pixels: PNG chunks, a line of metadata, rounding up by the file system
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def augment(
    run: Loadable,
    plan: Plan,
    out: str | Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    truncation: float | None = None,
    data: Any = None,
    pairs: Any = None,
    force: bool = False,
    report: Report = silent,
) -> Path:
    """Write `plan[name]` synthetic images of each class as PNG files, in the mode and size of the real ones; rows of a
    table as a CSV file, series as an .npz file (see `write_vectors`).

    A class name that is a safe folder name is used as it is (spaces kept), others are escaped. Each line of
    `metadata.jsonl` holds file_name, class, seed, index and the generator's hash: what it takes to make the image
    again. The folder appears at once, when everything is in it; an interruption leaves nothing behind. Gives the
    folder.

    Hugging Face's `load_dataset("imagefolder", data_dir=...)` gives the lines of the metadata as columns;
    `.class_encode_column("class")` turns the names into labels.

    truncation: draws latents within this bound (`Prior.draw`), more typical and less varied images; in the metadata if
    given.

    data: the images to start from, for a generator that translates images (anything that `load_images` takes); source:
    their paired images, where it learned from pairs. The metadata then name the image that each was made from.

    force: write images of a run whose verdict is `harms` all the same. Of a class that a choice (`ganaug.choose`)
    withholds, none are written.

    Raises OutputInUseError if `out` exists and is not an empty folder, DiskFullError, LabelMismatchError for a class
    that the generator does not know, OptionError for a plan without images, HarmfulError.
    """
    fitted, out = as_loaded(run), Path(out)
    refuse_harmful(fitted, force)
    fitted.require_learned(plan)
    plan = served(fitted, plan)
    total = sum(plan.values())
    if total < 1 or min(plan.values()) < 0:
        raise OptionError("The plan asks for nothing.", "Every class is full already, or the number is 0.")
    if not isinstance(fitted.card.codec, ImageCodec):
        return write_vectors(fitted, plan, out, seed=seed, device=device, report=report)
    streams = _streams(fitted, plan, seed, device, truncation, data, pairs, report)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputInUseError(f"{out} exists and is not empty.", "Choose a new folder, or empty this one.")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    channels, height, width = fitted.card.shape
    height, width = fitted.card.codec.size or (height, width)
    need_space(out.parent, total * (channels * height * width + _OVERHEAD))
    folders = folder_names([name for name, n in plan.items() if n])
    with writing(out), sole_maker(out) as partial:
        partial.mkdir()
        done = 0
        with (partial / METADATA).open("w", encoding="utf-8") as metadata:
            for name, folder in folders.items():
                (partial / folder).mkdir()
                digits = max(6, len(str(plan[name] - 1)))
                index = 0
                blocks, origins = streams[name]
                for images in blocks:
                    for pixels in images:
                        file = f"{folder}/{index:0{digits}d}.png"
                        fitted.card.codec.to_image(pixels).save(partial / file, compress_level=3)
                        entry = {"file_name": file, "class": name, "seed": seed, "index": index}
                        if truncation is not None:
                            entry["truncation"] = truncation
                        if origins:
                            entry["made_from"] = origins[index]
                        metadata.write(json.dumps(entry | {"generator": fitted.hash}, ensure_ascii=False) + "\n")
                        index += 1
                    done += len(images)
                    report("augment", done, total, f"class {name}")
        if out.exists():
            out.rmdir()
        os.replace(partial, out)
    return out


def _streams(
    fitted: Fitted, plan: Plan, seed: int, device: str, truncation: float | None, data: Any, pairs: Any, report: Report
) -> dict[str, tuple[Iterator[np.ndarray], list[str]]]:
    """For each class its images, block by block, and the names of the images that they are made from, if any."""
    wanted = {name: n for name, n in plan.items() if n}
    if data is None:
        renderer = Renderer(fitted, seed, device=device, truncation=truncation)
        return {name: (renderer.stream(fitted.card.classes.index(name), n), []) for name, n in wanted.items()}
    variants = Variants(fitted, images_for(fitted, data, pairs, report), seed, device=device)
    chosen = {name: variants.making(name, n) for name, n in wanted.items()}
    return {
        name: (variants.stream(rows, numbers), [variants.images.names[row] for row in rows])
        for name, (rows, numbers) in chosen.items()
    }


def folder_names(classes: list[str]) -> dict[str, str]:
    """A folder name for each class: its own name where that is a safe one on every system, else an escaped form."""
    taken = {name.casefold(): name for name in reversed(classes) if _is_safe(name)}
    folders = {}
    for name in classes:
        if taken.get(name.casefold()) == name:
            folders[name] = name
            continue
        stem = quote(name, safe=" ()+,=@'&!#").replace(".", "%2E").strip()[:100]
        stem = f"%{ord(stem[0]):02X}{stem[1:]}" if stem[:1] in ("-", "~") else stem or "class"
        numbers = itertools.count(2)
        folder = stem if _is_safe(stem) else f"{stem}-{next(numbers)}"
        while folder.casefold() in taken:
            folder = f"{stem}-{next(numbers)}"
        taken[folder.casefold()] = name
        folders[name] = folder
    return folders


def _is_safe(name: str) -> bool:
    """Whether `name` can be a folder on any usual file system, is not hidden, and is not read as an option or a
    path.
    """
    return (
        name == name.strip()
        and 0 < len(name.encode("utf-8", errors="replace")) <= 120
        and name[0] not in ".-~"
        and name[-1] != "."
        and name.isprintable()
        and not set(name) & set('/\\:*?"<>|')
        and name.split(".")[0].casefold() not in _RESERVED
        and name != METADATA
    )
