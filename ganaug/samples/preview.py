"""`ganaug preview`: samples of every class, beside real images where these are given, and the walk."""

from __future__ import annotations

import base64
import contextlib
import io
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image, ImageOps

from ganaug.data.labels.classes import place_of
from ganaug.data.outputs import require_outside
from ganaug.data.passed_over import none_of
from ganaug.data.sources.source import ImageSource, open_source
from ganaug.defaults import usual_defaults
from ganaug.errors import LabelMismatchError, OptionError, TooFewImagesError, UnreadableImageError
from ganaug.files.integrity import write_atomically, writing
from ganaug.game import Source
from ganaug.generator.folder import Fitted
from ganaug.keys import permutation
from ganaug.reporting import listed, printable
from ganaug.samples.blocks import Renderer
from ganaug.samples.pictures import MOST_ROWS, in_proportion, latent_walk, sample_grid, save_picture, tile
from ganaug.samples.run import Samples, as_fitted, from_noise, made_elsewhere, withheld
from ganaug.samples.variants import images_for, translation_grid, translator

HIGH = 64  # px of pictures on the page
MOST_SIDE = 128  # px of a cell that shows an image that was made elsewhere


class _Row(NamedTuple):
    """Pictures of a class, uint8 (n, 1 or 3, H, W); real: none where there are no real images of it."""

    name: str
    made: np.ndarray
    real: np.ndarray | None = None


@overload
def preview(
    run: Samples, out: str | Path, *, columns: int = ..., frames: int | None = ..., seed: int = ...,
    truncation: float | None = ..., data: Any = ..., pairs: Any = ...,
) -> list[Path]: ...  # fmt: skip


@overload
def preview(
    run: Samples, out: None = ..., *, columns: int = ..., frames: int | None = ..., seed: int = ...,
    truncation: float | None = ..., data: Any = ..., pairs: Any = ...,
) -> Image.Image: ...  # fmt: skip


@usual_defaults()
def preview(
    run: Samples,
    out: str | Path | None = None,
    *,
    columns: int = 10,
    frames: int | None = None,
    seed: int = 0,
    truncation: float | None = None,
    data: Any = None,
    pairs: Any = None,
) -> list[Path] | Image.Image:
    """Show samples of every class: as a picture, or as a folder with a page and a walk through latent space.

    The page has a row for every class, with its whole name; pictures have the first 32 classes.

    Parameters
    ----------
    run : str, path, Run, Fitted or any source
        A run, or images that were made elsewhere (a folder, or whatever `ganaug.open_source` takes). Of RUN/choice,
        what is served is shown; the walk shows the generator.
    out : str or Path, optional
        Folder for `grid.png`, `index.html`, `walk.png` (the path laid out) and `walk.gif` (the path in motion); made if
        need be. Images that were made elsewhere have no walk. Without `out`, nothing is written.
    columns : int, default 10
        Samples of each class, and real images beside them.
    frames : int, optional
        Pictures of the walk; 48 by default.
    seed : int, default 0
        Of latents, and of which images are shown.
    truncation : float, optional
        Draw latents within this bound, see `Prior.draw`.
    data : any source, optional
        Real images, which are shown beside the samples of their class. A generator that translates images needs them:
        the grid alone then shows, row by row, what it starts from, two answers and the image itself, for `columns`
        images of each class; where it translates to another class: image, translation, the way back, and an image of
        that class.
    pairs : path or array, optional
        Paired images of `data`, where the generator learned from pairs.

    Returns
    -------
    PIL.Image.Image or list of Path
        The grid; with `out`, the files that were written, `grid.png` first.

    Raises
    ------
    OptionError
        A count is below 1, or something would change nothing.
    LabelMismatchError
        `data` have none of the classes.
    TooFewImagesError
        A choice withholds every class, so that there is no picture.
    ArtefactError
        The run cannot be loaded.

    Examples
    --------
    >>> import ganaug
    >>> ganaug.preview("runs/digits", columns=4).size
    (250, 582)
    >>> [file.name for file in ganaug.preview("runs/digits", "pictures", columns=4, frames=2)]
    ['grid.png', 'index.html', 'walk.png', 'walk.gif']
    """
    if columns < 1 or (frames is not None and frames < 1):
        raise OptionError("A preview needs at least one column and one frame.", "Give counts of 1 or more.")
    if out is None and frames is not None:
        raise OptionError("A walk is written to files.", "Give out=, or leave out frames=.")
    folder = None if out is None else Path(out)
    made = made_elsewhere(run)
    if made is not None:
        if frames is not None or pairs is not None or truncation is not None:
            raise OptionError("Images that were made elsewhere have no walk, and start from nothing.",
                              "Leave out --frames, --pairs and --truncation.")  # fmt: skip
        rows = _with_real(_rows_of(made, columns, seed), data, columns, seed)
        if folder is None:
            return _grid(rows)
        require_outside(folder, run, data)
        return _written(folder, rows, "images that were made elsewhere")
    fitted = as_fitted(run)
    if folder is not None:
        require_outside(folder, data, pairs, classes=fitted.card.classes)
    fitted.refuse_idle(pairs=pairs, truncation=truncation)
    if fitted.starts_from is not None and data is not None:
        if frames is not None:
            raise OptionError(
                "--frames counts the pictures of a walk through latents, and this run has no such walk.",
                "Leave it out.",
            )
        grid = _translated(translator(fitted), fitted.starts_from, columns, seed, data, pairs)
        return grid if folder is None else [_saved(grid, folder)]
    fitted = from_noise(fitted)
    rows = _with_real(_served(fitted, columns, seed, truncation), data, columns, seed)
    if folder is None:
        return _grid(rows)
    return _written(folder, rows, fitted.card.recipe) + _walk(fitted, folder, frames or 48, seed, truncation)


def _translated(fitted: Fitted, source: Source, columns: int, seed: int, data: Any, pairs: Any) -> Image.Image:
    images = images_for(fitted, data, pairs).in_order(fitted.card.classes, "The data")
    rows = columns * len(images.classes)
    grid = translation_grid(fitted.networks, source, fitted.prior, images, rows=rows, seed=seed)
    return tile(in_proportion(grid, fitted.card.codec))


def _saved(grid: Image.Image, out: Path) -> Path:
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        save_picture(grid, out / "grid.png")
    return out / "grid.png"


def _served(fitted: Fitted, columns: int, seed: int, truncation: float | None) -> list[_Row]:
    """Samples of every class, as they are served where there is a choice among them, in the proportion of the real
    images."""
    names, codec = fitted.card.classes, fitted.card.codec
    if fitted.choice is not None:
        renderer = Renderer(fitted, seed, truncation=truncation)
        kept = [label for label, name in enumerate(names) if name not in withheld(fitted)]
        return [_Row(names[label], in_proportion(renderer.rows(label, range(columns)), codec)) for label in kept]
    grids = [
        sample_grid(
            fitted.generator, fitted.prior, len(names), start=start, columns=columns, seed=seed, truncation=truncation
        )
        for start in range(0, len(names), MOST_ROWS)
    ]
    return [_Row(name, made) for name, made in zip(names, in_proportion(torch.cat(grids), codec), strict=True)]


def _pictures(source: ImageSource, label: int, columns: int, seed: int) -> list[Image.Image]:
    """Some images of a class, by key; fewer where there are not so many."""
    own = np.flatnonzero(source.labels == label)
    found: list[Image.Image] = []
    for place in permutation(len(own), seed, "preview", source.classes[label]):
        with contextlib.suppress(UnreadableImageError):
            found.append(source.read(int(own[place])).convert("RGB"))
        if len(found) == columns:
            break
    return found


def _fitted_in(pictures: list[Image.Image], columns: int, height: int, width: int) -> np.ndarray:
    """(columns, 3, height, width): whole, and on white where they have another shape or there are fewer."""
    cells = np.full((columns, 3, height, width), 255, np.uint8)
    for cell, picture in zip(cells, pictures, strict=False):
        cell[:] = np.asarray(ImageOps.pad(picture, (width, height), color="white")).transpose(2, 0, 1)
    return cells


def _rows_of(made: ImageSource, columns: int, seed: int) -> list[_Row]:
    """Of images that were made elsewhere, at one size."""
    found = {name: _pictures(made, label, columns, seed) for label, name in enumerate(made.classes)}
    if not any(found.values()):
        raise none_of(made, "these")
    side = min(MOST_SIDE, max(max(image.size) for some in found.values() for image in some))
    return [_Row(name, _fitted_in(some, columns, side, side)) for name, some in found.items() if some]


def _with_real(rows: list[_Row], data: Any, columns: int, seed: int) -> list[_Row]:
    """The rows with real images of the same classes, if any are given, at the size of the samples."""
    if data is None or not rows:
        return rows
    source = open_source(data)
    places = [place_of(row.name, source.classes) for row in rows]
    if max(places) < 0:
        raise LabelMismatchError(
            f"The data have none of the classes: they have {listed(source.classes)}.", "Give images of these classes."
        )
    height, width = rows[0].made.shape[2:]
    real = [_pictures(source, place, columns, seed) if place >= 0 else [] for place in places]
    return [
        row._replace(real=_fitted_in(some, columns, height, width)) if some else row
        for row, some in zip(rows, real, strict=True)
    ]


def _written(out: Path, rows: list[_Row], of: str) -> list[Path]:
    """The grid of the first classes, and the page of all of them."""
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / "grid.png").unlink(missing_ok=True)
        if rows:
            save_picture(_grid(rows), out / "grid.png")
        write_atomically(out / "index.html", _page(rows, of).encode())
    return [file for file in (out / "grid.png", out / "index.html") if file.exists()]


def _grid(rows: list[_Row]) -> Image.Image:
    """The first classes, with real images beside them if there are any."""
    if not rows:
        raise TooFewImagesError("The choice withholds every class: there is nothing to show.", "Choose less strictly.")
    first, real = rows[:MOST_ROWS], None
    made = np.stack([np.broadcast_to(row.made, (len(row.made), 3, *row.made.shape[2:])) for row in first])
    if any(row.real is not None for row in first):
        real = np.stack([np.full_like(made[0], 255) if row.real is None else row.real for row in first])
    return tile(made, names=tuple(row.name for row in first), beside=real)


def _page(rows: list[_Row], of: str) -> str:
    environment = Environment(
        loader=PackageLoader("ganaug.samples", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    real = any(row.real is not None for row in rows)
    shown = [
        {"name": printable(row.name), "made": _strip(row.made), "real": "" if row.real is None else _strip(row.real)}
        for row in rows
    ]
    words = "Real images are at the size of the samples, whole." if real else "--data DATA shows real images beside."
    return environment.get_template("preview.html.jinja").render(
        title=f"Samples: {printable(of)}", rows=shown, real=real, words=words, height=HIGH
    )


def _strip(cells: np.ndarray) -> str:
    """Pictures side by side, as the text of a PNG."""
    content = io.BytesIO()
    tile(cells[None], enlarge=1).convert("L" if cells.shape[1] == 1 else "RGB").save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def _walk(fitted: Fitted, out: Path, frames: int, seed: int, truncation: float | None) -> list[Path]:
    """The path laid out, and in motion."""
    names = fitted.card.classes
    path = latent_walk(fitted.generator, fitted.prior, len(names), frames=frames, seed=seed, truncation=truncation)
    walk = in_proportion(path, fitted.card.codec)
    per_row = min(walk.shape[1], 10)
    missing = -walk.shape[1] % per_row
    padded = np.concatenate([walk, np.full((frames, missing, *walk.shape[2:]), 255, np.uint8)], 1)
    pictures = [tile(frame.reshape(-1, per_row, *frame.shape[1:])) for frame in padded]
    motion = {"save_all": True, "append_images": pictures[1:], "duration": 80, "loop": 0}
    with writing(out):
        save_picture(tile(walk[:: max(1, frames // 12)].swapaxes(0, 1), names=names), out / "walk.png")
        save_picture(pictures[0], out / "walk.gif", **motion)
    return [out / "walk.png", out / "walk.gif"]
