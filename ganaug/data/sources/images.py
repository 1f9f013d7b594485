"""Image files -> grey or RGB pixels: an own reader with an allow-list of formats, and limits on pixels and bytes.

What it decides, so that every part of ganaug sees the same picture:

- Only JPEG, PNG, BMP, WEBP, PPM/PGM/PBM and TIFF are decoded, whatever the extension says; no other parser is started.
- The EXIF orientation is applied. Of several frames or pages, the first is read.
- Grey stays grey (mode "L"); everything else becomes 8-bit "RGB" (CMYK, YCbCr, Lab and palettes are converted).
- Transparency is laid on white, as most viewers show it; dropping it would bring hidden colours to light.
- 16-bit grey is divided by 257 (65535 -> 255), the same for every image, so that brightness stays comparable.
- Images above the pixel limit or under 2 px a side are refused before their pixels are decoded, files above the byte
  limit and what is no regular file (pipes, devices) before they are read, JPEGs of more than 100 scans (each costs as
  much as a whole image) before they are decoded.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps

from ganaug.errors import UnreadableImageError

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "TIFF")
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff"}
)
PIXEL_LIMIT = 64_000_000  # px; an RGB image of this size takes 192 MB
BYTE_LIMIT = 256 << 20  # of a file
SCAN_LIMIT = 100  # of a JPEG; cameras and converters write at most 12
MIN_SIDE = 2  # px

_GREY = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_FOREIGN = (  # first bytes of common files that wear an image's extension
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"PK\x03\x04", "a zip archive"),
    (b"<svg", "an SVG"),
    (b"<?xml", "XML or SVG"),
    (b"<!DOC", "a web page"),
    (b"<html", "a web page"),
)
_FIX = "Save it again as PNG or JPEG, or remove it."


def decode_image(
    source: str | Path | bytes, *, pixel_limit: int = PIXEL_LIMIT, byte_limit: int = BYTE_LIMIT
) -> Image.Image:
    """Decode one image file (path, or the bytes of the file) to a loaded PIL image of mode "L" or "RGB".

    pixel_limit: largest width * height that is decoded. byte_limit: largest file that is read. Raises
    UnreadableImageError, whose `cause` is the reason, for anything that is not a whole image of an allowed format, and
    never another exception because of what the file holds.
    """
    try:
        if isinstance(source, bytes):
            _check_bytes(len(source), byte_limit)
            return _decode(io.BytesIO(source), pixel_limit)
        found = os.stat(source)
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableImageError("it is a folder, a pipe or a device, not a file.", "Remove it.")
        _check_bytes(found.st_size, byte_limit)
        with open(source, "rb") as file:
            return _decode(file, pixel_limit)
    except UnreadableImageError:
        raise
    except Exception as error:  # decoders meet arbitrary bytes here, and raise almost anything
        raise UnreadableImageError(f"{_reason(error)}.", _FIX) from error


def to_grey_or_rgb(image: Image.Image) -> Image.Image:
    """Any PIL image -> mode "L" or "RGB" by the rules above. An image that is already so is returned as it is."""
    mode, transparent = image.mode, image.has_transparency_data
    if mode in ("L", "RGB") and not transparent:
        return image
    if mode.startswith("I"):
        return Image.fromarray(from_16_bit(np.asarray(image).clip(0, 65535)))
    if mode == "F":
        return Image.fromarray(_from_float(np.asarray(image)))
    if transparent:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
        image = image.convert("RGB")
    return image.convert("L" if mode in _GREY else "RGB")


def _check_bytes(size: int, limit: int) -> None:
    if size > limit:
        raise UnreadableImageError(
            f"{size:,} bytes are above the limit of {limit:,}.", "Make it smaller, or remove it."
        )


def _check_scans(file: IO[bytes]) -> None:
    """A JPEG of a few hundred kilobytes can ask for hours of decoding by repeating scans."""
    file.seek(0)
    scans = file.read().count(b"\xff\xda")
    if scans > SCAN_LIMIT:
        raise UnreadableImageError(f"it has {scans} scans, at most {SCAN_LIMIT} are decoded.", _FIX)


def _decode(file: IO[bytes], pixel_limit: int) -> Image.Image:
    head = file.read(16)
    if not head:
        raise UnreadableImageError("the file is empty (0 bytes).", "Remove it.")
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata is no reason to bother anyone; sizes are checked here
        try:
            image = Image.open(file, formats=FORMATS)
        except Image.UnidentifiedImageError as error:
            raise UnreadableImageError(f"{_what_instead(head)}.", _FIX) from error
        width, height = image.size
        if width * height > pixel_limit:
            cause = f"{width} x {height} px is above the limit of {pixel_limit:,} px."
            raise UnreadableImageError(cause, "Make it smaller, or remove it.")
        if min(width, height) < MIN_SIDE:
            cause = f"{width} x {height} px is too small to show anything (at least {MIN_SIDE} px a side)."
            raise UnreadableImageError(cause, "Remove it.")
        if image.format in ("JPEG", "MPO"):
            _check_scans(file)
        image.load()
        with contextlib.suppress(Exception):  # unreadable EXIF: the picture itself is fine
            ImageOps.exif_transpose(image, in_place=True)
        return to_grey_or_rgb(image)


def from_16_bit(values: np.ndarray) -> np.ndarray:
    """0..65535 -> uint8."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _from_float(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 255):  # also false for NaN
        raise UnreadableImageError(f"floating-point pixels from {low:g} to {high:g} are outside 0..255.", _FIX)
    return np.rint(values * 255 if high <= 1 else values).astype(np.uint8)


def _what_instead(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "it is a HEIC, AVIF or video file, which is not read"
    for magic, name in _FOREIGN:
        if head.lstrip()[: len(magic)].lower() == magic.lower():
            return f"it is {name} file, which is not read" if name.startswith("a") else f"it is {name}, not an image"
    return f"not an image of a supported format ({', '.join(FORMATS)}), or damaged at its beginning"


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return "it claims far more pixels than the limit"
    if isinstance(error, FileNotFoundError):
        return "the file is gone"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    text = " ".join(str(error).split()).rstrip(".")
    return f"the file is damaged: {text or type(error).__name__}"
