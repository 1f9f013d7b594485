"""Image files -> grey or RGB pixels: an own reader with an allow-list of formats, and limits on pixels and bytes.

What it decides, so that every part of ganaug sees the same picture:

- Only JPEG, PNG, BMP, WEBP, PPM/PGM/PBM and TIFF are decoded, whatever the extension says; no other parser is started.
- The EXIF orientation is applied. Of several frames or pages, the first is read.
- Bands beside grey or colour that a TIFF does not declare as alpha are ignored.
- Grey stays grey (mode "L"); everything else becomes 8-bit "RGB" (CMYK, YCbCr, Lab and palettes are converted).
- Transparency is laid on white, as most viewers show it; dropping it would bring hidden colours to light.
- 16-bit grey is divided by 257 (65535 -> 255), the same for every image, so that brightness stays comparable; where a
  range is declared, its ends are 0 and 255. Sets that leave the upper half of 16 bits empty are refused (`depth`).
- What was done to a file is noted on the picture (`depth.stored_in`), so that it can be counted and said.
- Images above the pixel limit or under 2 px a side are refused before their pixels are decoded, files above the byte
  limit and what is no regular file (pipes, devices) before they are read, JPEGs of more than 100 scans (each costs as
  much as a whole image) before they are decoded.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps

from ganaug.data.pictures.depth import (
    WHOLE,
    Deep,
    Range,
    Stored,
    floats_to_8_bits,
    in_words,
    noted,
    stored_in,
    whole_to_8_bits,
)
from ganaug.errors import MissingPackageError, UnreadableImageError

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "TIFF")
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff"}
)
PIXEL_LIMIT = 64_000_000  # px; an RGB image of this size takes 192 MB
BYTE_LIMIT = 256 << 20  # of a file
SCAN_LIMIT = 100  # of a JPEG; cameras and converters write at most 12
MIN_SIDE = 2  # px
_ORIENTATION, _SAMPLES, _EXTRA = 274, 277, 338  # tags of EXIF and TIFF

TRAITS = {  # what a file may be, and what the reader does to it
    "transparent": "transparent: laid on white",
    "turned": "turned by EXIF: set upright",
    "frames": "of several pages or frames: the first is read",
    "bands": "with bands beside grey or colour: those are ignored",
    "odd alpha": "with an alpha band that looks like data, not like transparency: laid on white all the same",
    "other colours": "CMYK, YCbCr or Lab: converted to RGB",
}

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
    source: str | Path | bytes,
    span: Range | None = None,
    *,
    pixel_limit: int = PIXEL_LIMIT,
    byte_limit: int = BYTE_LIMIT,
    at_least: int | None = None,
) -> Image.Image:
    """Decode one image file (path, or the bytes of the file) to a loaded PIL image of mode "L" or "RGB".

    span: the declared range of values of more than 8 bits. pixel_limit: largest width * height that is decoded.
    byte_limit: largest file that is read. at_least: a JPEG may come 2, 4 or 8 times smaller, as long as no side is
    below so many px: much quicker, and not the same pixels. Raises UnreadableImageError, whose `cause` is the reason,
    for anything that is not a whole image of an allowed format, and never another exception because of what the file
    holds.
    """
    with as_unreadable(), opened_file(source, byte_limit) as file:
        return _decode(file, span, pixel_limit, at_least)


@contextlib.contextmanager
def as_unreadable() -> Iterator[None]:
    """Whatever goes wrong with a file is an UnreadableImageError, whose cause is the reason."""
    try:
        yield
    except (UnreadableImageError, MissingPackageError):
        raise
    except Exception as error:  # decoders meet arbitrary bytes here, and raise almost anything
        raise UnreadableImageError(f"{_reason(error)}.", _FIX) from error


@contextlib.contextmanager
def opened_file(source: str | Path | bytes, byte_limit: int = BYTE_LIMIT) -> Iterator[IO[bytes]]:
    """A regular file of bounded size, or bytes, to read from."""
    if isinstance(source, bytes):
        check_bytes(len(source), byte_limit)
        yield io.BytesIO(source)
        return
    found = os.stat(source)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableImageError("it is a folder, a pipe or a device, not a file.", "Remove it.")
    check_bytes(found.st_size, byte_limit)
    with open(source, "rb") as file:
        yield file


def content_of(source: str | Path, byte_limit: int = BYTE_LIMIT) -> bytes:
    """SHA-256 of a file; nothing where it cannot be read, or is larger than that."""
    hashed = hashlib.sha256()
    with contextlib.suppress(UnreadableImageError, OSError), opened_file(source, byte_limit) as file:
        while data := file.read(1 << 20):
            hashed.update(data)
        return hashed.digest()
    return b""


def to_grey_or_rgb(image: Image.Image, span: Range | None = None) -> Image.Image:
    """Any PIL image -> mode "L" or "RGB" by the rules above. An image that is already so is returned as it is; what
    another one was is noted on what is returned."""
    mode, transparent = image.mode, image.has_transparency_data
    if mode in ("L", "RGB") and not transparent:
        return image
    if mode.startswith("I") or mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise UnreadableImageError("it holds NaN or infinite values.", _FIX)
        pixels, deep = floats_to_8_bits(values, span) if mode == "F" else whole_to_8_bits(values, span, small=False)
        return noted(Image.fromarray(pixels), Stored(deep=deep))
    traits = set()
    if transparent:
        layer = image.convert("RGBA")
        traits = _of_alpha(layer)
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
        image = image.convert("RGB")
    elif mode not in _GREY and mode not in ("P", "RGBX"):
        traits = {"other colours"}
    return noted(image.convert("L" if mode in _GREY else "RGB"), Stored(frozenset(traits)))


def as_stored(source: str | Path) -> Image.Image:
    """The picture of a file that `decode_image` takes, as Pillow gives it, neither turned nor converted."""
    with as_unreadable(), opened_file(source) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(file, formats=FORMATS)
        image.load()
        return image


def head_of(source: str | Path) -> set[str]:
    """What other readers may take otherwise, by the head of a file, no pixel of which is decoded: "transparent",
    "turned", "deep"."""
    with as_unreadable(), opened_file(source) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(file, formats=FORMATS)
        found = {
            "transparent": image.has_transparency_data,
            "turned": image.getexif().get(_ORIENTATION, 1) != 1,
            "deep": image.mode.startswith("I") or image.mode == "F",
        }
        return {kind for kind, so in found.items() if so}
    return set()


def size_of_file(source: str | Path) -> tuple[int, int] | None:
    """(height, width) by the head of a file, as the image will be turned; None for what Pillow does not open."""
    try:
        with as_unreadable(), opened_file(source) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=FORMATS)
            lying = image.getexif().get(_ORIENTATION, 1) in range(5, 9) and image.format != "TIFF"  # turned by Pillow
            return image.size if lying else image.size[::-1]
    except UnreadableImageError:
        return None


def _of_alpha(layer: Image.Image) -> set[str]:
    """Traits of an RGBA image: whether anything shines through, and whether that looks like transparency."""
    levels = np.asarray(layer.getchannel("A").histogram())
    if not levels[:255].sum():
        return set()
    clear = (levels[0] + levels[255]) / levels.sum()
    return {"odd alpha"} if clear < 0.1 and np.count_nonzero(levels) > 32 else {"transparent"}


def check_bytes(size: int, limit: int) -> None:
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


def _decode(file: IO[bytes], span: Range | None, pixel_limit: int, at_least: int | None) -> Image.Image:
    head = file.read(16)
    if not head:
        raise UnreadableImageError("the file is empty (0 bytes).", "Remove it.")
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata is no reason to bother anyone; sizes are checked here
        try:
            image: Image.Image = Image.open(file, formats=FORMATS)
        except Image.UnidentifiedImageError as error:
            raise UnreadableImageError(f"{_what_instead(head)}.", _FIX) from error
        check_size(*image.size, pixel_limit)
        if image.format in ("JPEG", "MPO"):
            _check_scans(file)
            if at_least is not None:
                image.draft(None, (at_least, at_least))
        traits, upper_byte = _of_file(image)
        image.load()
        if "bands" in traits and image.mode in ("RGBA", "LA"):
            bands = image.split()[:-1]
            image = bands[0] if len(bands) == 1 else Image.merge("RGB", bands)
        with contextlib.suppress(Exception):  # unreadable EXIF: the picture itself is fine
            turned = image.getexif().get(_ORIENTATION, 1) in range(2, 9)
            ImageOps.exif_transpose(image, in_place=True)
            traits |= {"turned"} if turned else set()
        read = to_grey_or_rgb(image, span)
        stored = stored_in(read)
        deep = _of_upper_byte(read, span) if upper_byte else stored.deep
        return noted(read, Stored(stored.traits | traits, deep))


def check_size(width: int, height: int, pixel_limit: int = PIXEL_LIMIT) -> None:
    """Raises UnreadableImageError for a picture that is too large or too small."""
    if width * height > pixel_limit:
        cause = f"{width} x {height} px is above the limit of {pixel_limit:,} px."
        raise UnreadableImageError(cause, "Make it smaller, or remove it.")
    if min(width, height) < MIN_SIDE:
        cause = f"{width} x {height} px is too small to show anything (at least {MIN_SIDE} px a side)."
        raise UnreadableImageError(cause, "Remove it.")


def _of_file(image: Any) -> tuple[set[str], bool]:
    """Traits of a file that was opened and not yet decoded; whether it is colour of 16 bits, of which Pillow decodes
    the upper byte."""
    traits = set()
    if image.format != "MPO" and getattr(image, "is_animated", False):
        traits.add("frames")
    if image.format == "TIFF":
        count, more = image.tag_v2.get(_SAMPLES, 1), image.tag_v2.get(_EXTRA, ())
        alpha = {1, 2} & set(more if isinstance(more, tuple) else (more,))
        spare = count - len(image.getbands()) + (image.mode in ("RGBA", "LA") and not alpha)
        if spare > 0:
            traits.add("bands")
    return traits, image.mode in ("RGB", "RGBA", "LA") and any(";16" in str(tile[3]) for tile in image.tile)


def _of_upper_byte(read: Image.Image, span: Range | None) -> Deep:
    low, high = (257.0 * end for end in (np.asarray(read).min(), np.asarray(read).max()))
    if span in (None, WHOLE):
        return Deep(low, high, "upper byte" if span is None else "range")
    cause = f"colour of 16 bits is read at its upper 8 bits, and not over {in_words(span or WHOLE)}."
    raise UnreadableImageError(cause, "Save it as .npy, (H, W, 3).")


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
