"""Pictures of samples: a grid with one row a class; of a generator also a walk through latent space."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor, nn

from ganaug.data.outputs import require_outside
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.errors import DataError, OptionError, UnreadableImageError
from ganaug.files.integrity import write_atomically, writing
from ganaug.game import Prior
from ganaug.generator.folder import Fitted
from ganaug.keys import permutation, torch_stream
from ganaug.reporting import printable
from ganaug.samples.blocks import Renderer
from ganaug.samples.run import Samples, as_fitted, from_noise, made_elsewhere, withheld
from ganaug.samples.variants import images_for, translation_grid, translator

MOST_ROWS = 32  # a grid of more classes than this shows the first ones
MOST_SIDE = 128  # px of a cell that shows an image that was made elsewhere


@torch.inference_mode()
def sample_grid(
    generator: nn.Module,
    prior: Prior,
    classes: int,
    *,
    columns: int = 8,
    seed: int = 0,
    truncation: float | None = None,
) -> Tensor:
    """uint8 (rows, columns, C, H, W): one row for each class, the same latents in every row and at every call.

    truncation: of the latents (`Prior.draw`).
    """
    device = next(generator.parameters()).device
    rows = min(classes, MOST_ROWS)
    z = prior.draw(columns, torch_stream(seed, "grid"), truncation).to(device)
    images = [generator(z, torch.full((columns,), label, device=device)) for label in range(rows)]
    return ImageCodec.decode(torch.stack(images)).cpu()


def tile(grid: Tensor | np.ndarray, *, names: tuple[str, ...] = (), enlarge: int = 0) -> Image.Image:
    """A picture of (rows, columns, C, H, W) uint8 images, with the rows' names on the left if given.

    enlarge: whole-number zoom; 0 chooses one that makes an image about 56 px high.
    """
    cells, pad = np.asarray(grid), 2
    rows, columns, channels, height, width = cells.shape
    zoom = enlarge or max(1, round(56 / height))
    cells = cells.repeat(zoom, 3).repeat(zoom, 4)
    height, width = height * zoom, width * zoom
    canvas = np.full((rows * (height + pad) + pad, columns * (width + pad) + pad, 3), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            y, x = pad + row * (height + pad), pad + column * (width + pad)
            canvas[y : y + height, x : x + width] = np.moveaxis(cells[row, column], 0, 2)  # grey broadcasts to RGB
    picture = Image.fromarray(canvas)
    return _with_names(picture, names[:rows], height + pad) if names else picture


def _with_names(picture: Image.Image, names: tuple[str, ...], step: int) -> Image.Image:
    shown = [printable(name).encode("ascii", "backslashreplace").decode()[:20] for name in names]
    margin = 8 + max(int(ImageDraw.Draw(picture).textlength(name)) for name in shown)
    wide = Image.new("RGB", (picture.width + margin, picture.height), "white")
    wide.paste(picture, (margin, 0))
    draw = ImageDraw.Draw(wide)
    for row, name in enumerate(shown):
        draw.text((4, row * step + step // 2), name, fill="black", anchor="lm")
    return wide


@torch.inference_mode()
def latent_walk(
    generator: nn.Module,
    prior: Prior,
    classes: int,
    *,
    frames: int = 48,
    stops: int = 4,
    seed: int = 0,
    truncation: float | None = None,
) -> Tensor:
    """uint8 (frames, rows, C, H, W): each row a class, along a closed path through `stops` latents on the sphere that
    the prior's samples are near to (spherical interpolation)."""
    device = next(generator.parameters()).device
    rows = min(classes, MOST_ROWS)
    y = torch.arange(rows, device=device)
    z = prior.draw(stops, torch_stream(seed, "walk"), truncation)
    pictures = []
    for frame in range(frames):
        position = frame / frames * stops
        a, b, share = int(position), (int(position) + 1) % stops, position % 1
        point = _slerp(z[a], z[b], share).expand(rows, -1).to(device)
        pictures.append(ImageCodec.decode(generator(point, y)).cpu())
    return torch.stack(pictures)


def _slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    angle = torch.arccos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    if angle.sin() < 1e-6:
        return torch.lerp(a, b, share)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / angle.sin()


def save_picture(image: Image.Image, file: Path, **how: Any) -> None:
    """Write a picture whole or not at all; a link in its place is replaced, not followed. how: as `Image.save` takes
    it. Raises DiskFullError, UnwritableError."""
    content = io.BytesIO()
    image.save(content, file.suffix[1:].upper(), **how)
    write_atomically(file, content.getvalue())


@usual_defaults()
def preview(
    run: Samples,
    out: Path,
    *,
    columns: int = 10,
    frames: int | None = None,
    seed: int = 0,
    truncation: float | None = None,
    data: Any = None,
    pairs: Any = None,
) -> list[Path]:
    """Write `grid.png`, `walk.png` (the path laid out) and `walk.gif` (the path in motion, by default 48 `frames`) into
    `out`.

    For a generator that translates images, give `data` (and `pairs`, their paired images, where it learned from
    pairs): `grid.png` then shows, row by row, what it starts from, two answers and the image itself, for `columns`
    images of each class; where it translates to another class: image, translation, the way back, and an image of that
    class.

    Of RUN/choice, the grid shows what is served; the walk shows the generator. Of images that were made elsewhere (a
    folder, or whatever `open_source` takes), there is the grid alone.

    Raises OptionError for counts below 1, ArtefactError if the run cannot be loaded.
    """
    if columns < 1 or (frames is not None and frames < 1):
        raise OptionError("A preview needs at least one column and one frame.", "Give counts of 1 or more.")
    made = made_elsewhere(run)
    if frames is not None and (data is not None or made is not None):
        raise OptionError("--frames is of a walk through latents, and there is none.", "Leave it out.")
    if made is not None:
        if data is not None or pairs is not None or truncation is not None:
            raise OptionError("Images that were made elsewhere start from nothing that is known here.",
                              "Leave out --data, --pairs and --truncation.")  # fmt: skip
        require_outside(out, run)
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
        save_picture(_grid_of(made, columns, seed), out / "grid.png")
        return [out / "grid.png"]
    fitted = as_fitted(run)
    require_outside(out, data, pairs, classes=fitted.card.classes)
    fitted.refuse_idle(pairs=pairs, truncation=truncation)
    if data is not None:
        fitted = translator(fitted)
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
        images = images_for(fitted, data, pairs).in_order(fitted.card.classes, "The data")
        assert fitted.starts_from is not None
        rows = columns * len(images.classes)
        grid = translation_grid(fitted.networks, fitted.starts_from, fitted.prior, images, rows=rows, seed=seed)
        with writing(out):
            save_picture(tile(grid), out / "grid.png")
        return [out / "grid.png"]
    fitted = from_noise(fitted)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        return _drawn(fitted, out, columns, frames or 48, seed, truncation)


def _grid_of(made: ImageSource, columns: int, seed: int) -> Image.Image:
    """Some images of each class, by key, whole and on white where they are not square."""
    rows: dict[str, list[Image.Image]] = {}
    for label, name in enumerate(made.classes):
        own = np.flatnonzero(made.labels == label)
        found: list[Image.Image] = []
        for place in permutation(len(own), seed, "preview", name) if len(rows) < MOST_ROWS else ():
            with contextlib.suppress(UnreadableImageError):
                found.append(made.read(int(own[place])).convert("RGB"))
            if len(found) == columns:
                break
        if found:
            rows[name] = found
    if not rows:
        raise DataError("No image can be read.", "Give images of a supported format.")
    side = min(MOST_SIDE, max(max(image.size) for found in rows.values() for image in found))
    grid = np.full((len(rows), columns, 3, side, side), 255, np.uint8)
    for row, found in enumerate(rows.values()):
        for column, image in enumerate(found):
            grid[row, column] = np.asarray(ImageOps.pad(image, (side, side), color="white")).transpose(2, 0, 1)
    return tile(grid, names=tuple(rows))


def _drawn(fitted: Fitted, out: Path, columns: int, frames: int, seed: int, truncation: float | None) -> list[Path]:
    """The grid, the path laid out, and the path in motion."""
    names = fitted.card.classes
    if fitted.choice is None:
        grid = sample_grid(
            fitted.generator, fitted.prior, len(names), columns=columns, seed=seed, truncation=truncation
        )
        save_picture(tile(grid, names=names), out / "grid.png")
    else:
        renderer = Renderer(fitted, seed, truncation=truncation)
        served = [label for label, name in enumerate(names) if name not in withheld(fitted)][:MOST_ROWS]
        rows = [renderer.rows(label, range(columns)) for label in served]
        (out / "grid.png").unlink(missing_ok=True)
        if rows:
            save_picture(tile(np.stack(rows), names=tuple(names[label] for label in served)), out / "grid.png")
    walk = latent_walk(fitted.generator, fitted.prior, len(names), frames=frames, seed=seed, truncation=truncation)
    save_picture(tile(walk[:: max(1, frames // 12)].transpose(0, 1), names=names), out / "walk.png")
    per_row = min(walk.shape[1], 10)
    missing = -walk.shape[1] % per_row
    padded = torch.cat([walk, torch.full((frames, missing, *walk.shape[2:]), 255, dtype=torch.uint8)], 1)
    pictures = [tile(frame.unflatten(0, (-1, per_row))) for frame in padded]
    motion = {"save_all": True, "append_images": pictures[1:], "duration": 80, "loop": 0}
    save_picture(pictures[0], out / "walk.gif", **motion)
    return [file for file in (out / "grid.png", out / "walk.png", out / "walk.gif") if file.exists()]
