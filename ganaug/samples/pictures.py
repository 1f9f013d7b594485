"""Pictures of samples: a grid with one row a class, and a walk through latent space."""

from __future__ import annotations

import io
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

from ganaug.data.spec import ImageCodec
from ganaug.files.integrity import write_atomically
from ganaug.game import Prior
from ganaug.keys import torch_stream
from ganaug.reporting import printable

MOST_ROWS = 32  # a grid of more classes than this shows the first ones
FONTS = (  # by the names that they have on Linux, Windows and macOS: first of many scripts, then of East Asian ones
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "segoeui.ttf", "Arial Unicode.ttf", "Nirmala.ttf",
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf",
    "msyh.ttc", "msgothic.ttc", "malgun.ttf", "PingFang.ttc", "AppleSDGothicNeo.ttc",
)  # fmt: skip


@torch.inference_mode()
def sample_grid(
    generator: nn.Module,
    prior: Prior,
    classes: int,
    *,
    start: int = 0,
    columns: int = 8,
    seed: int = 0,
    truncation: float | None = None,
) -> Tensor:
    """uint8 (rows, columns, C, H, W): one row for each class from `start` on, at most `MOST_ROWS`, the same latents in
    every row and at every call.

    truncation: of the latents (`Prior.draw`).
    """
    device = next(generator.parameters()).device
    labels = range(start, min(classes, start + MOST_ROWS))
    z = prior.draw(columns, torch_stream(seed, "grid"), truncation).to(device)
    images = [generator(z, torch.full((columns,), label, device=device)) for label in labels]
    return ImageCodec.decode(torch.stack(images)).cpu()


def in_proportion(grid: Tensor | np.ndarray, codec: ImageCodec) -> np.ndarray:
    """uint8 (..., C, H, W) squares -> the same in the proportion in which they are served: the longer side grows."""
    cells = np.asarray(grid)
    height, width = codec.size or cells.shape[-2:]
    side, least = cells.shape[-1], min(height, width)
    size = round(side * width / least), round(side * height / least)
    if size == (side, side):
        return cells
    flat = cells.reshape(-1, side, side)
    shown = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC)) for one in flat]
    return np.stack(shown).reshape(*cells.shape[:-2], *size[::-1])


def tile(
    grid: Tensor | np.ndarray,
    *,
    names: tuple[str, ...] = (),
    enlarge: int = 0,
    beside: Tensor | np.ndarray | None = None,
) -> Image.Image:
    """A picture of (rows, columns, C, H, W) uint8 images, with the rows' names on the left if given.

    enlarge: whole-number zoom; 0 chooses one that makes an image about 56 px high. beside: as many rows of others, of
    the same size, on the right behind a gap.
    """
    cells, pad = np.asarray(grid), 2
    zoom = enlarge or max(1, round(56 / cells.shape[3]))
    picture = _cells(cells, zoom, pad)
    if beside is not None:
        right = _cells(np.asarray(beside), zoom, pad)
        left, gap = picture, 6 * pad
        picture = Image.new("RGB", (left.width + gap + right.width, left.height), "black")
        picture.paste(left, (0, 0))
        picture.paste(right, (left.width + gap, 0))
    return _with_names(picture, names[: len(cells)], cells.shape[3] * zoom + pad) if names else picture


def _cells(cells: np.ndarray, zoom: int, pad: int) -> Image.Image:
    rows, columns, _, height, width = cells.shape
    cells = cells.repeat(zoom, 3).repeat(zoom, 4)
    height, width = height * zoom, width * zoom
    canvas = np.full((rows * (height + pad) + pad, columns * (width + pad) + pad, 3), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            y, x = pad + row * (height + pad), pad + column * (width + pad)
            canvas[y : y + height, x : x + width] = np.moveaxis(cells[row, column], 0, 2)  # grey broadcasts to RGB
    return Image.fromarray(canvas)


def _with_names(picture: Image.Image, names: tuple[str, ...], step: int) -> Image.Image:
    """Whole names, over as many lines as have room beside a row."""
    size = max(8, min(13, step - 4))
    most = max(1, step // (size + 3))  # lines
    drawn = []
    for name in map(printable, names):
        font = font_for(name, size)
        shown = name if font else name.encode("ascii", "backslashreplace").decode()
        drawn.append(("\n".join(wrap(shown, max(24, -(-len(shown) // most)))), font or font_for("a", size)))
    pen = ImageDraw.Draw(picture)
    margin = 8 + max(int(pen.multiline_textbbox((0, 0), text, font=font)[2]) for text, font in drawn)
    wide = Image.new("RGB", (picture.width + margin, picture.height), "white")
    wide.paste(picture, (margin, 0))
    pen = ImageDraw.Draw(wide)
    for row, (text, font) in enumerate(drawn):
        pen.multiline_text((4, row * step + step // 2), text, fill="black", anchor="lm", font=font)
    return wide


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont | None:
    """A font that has every character: Pillow's own, or one of the usual ones of this system; None if none has."""
    for name in ("", *FONTS):
        try:
            font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
        except OSError:
            continue
        if isinstance(font, ImageFont.FreeTypeFont):
            none = bytes(font.getmask("\uffff"))  # what it draws where it has no glyph
            if all(one.isspace() or bytes(font.getmask(one)) != none for one in set(text)):
                return font
    return None


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
