"""Seeds of every image format that is read, and mutations of them. Tests and long soaks call `run(count, seed)`.

Every mutant must give a picture or an UnreadableImageError with a reason: no other exception, no crash of the process,
no warning, and within a time limit.
"""

from __future__ import annotations

import faulthandler
import io
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ganaug.data.pictures.images import decode_image
from ganaug.errors import UnreadableImageError

HANG = 120  # seconds: a decoder that takes longer ends the process, with a traceback
_NUMBERS = (b"\x00", b"\xff", b"\x7f\xff", b"\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x01\x00\x00")


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def seeds() -> dict[str, bytes]:
    """Small sound files, by name: every format, mode, depth and compression that our decoders know."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (13, 11, 3), np.uint8).repeat(2, 0).repeat(2, 1))
    grey, alpha = colour.convert("L"), colour.convert("RGBA")
    alpha.putalpha(grey)
    deep = Image.fromarray(rng.integers(0, 65536, (16, 12), np.uint16))
    floats = Image.fromarray(rng.random((16, 12), np.float32))
    palette, bilevel, cmyk = colour.quantize(16), grey.convert("1"), colour.convert("CMYK")
    frames = {"save_all": True, "append_images": [colour.rotate(90), colour.rotate(180)]}
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010F: "maker", 0x0132: "2020:01:01 00:00:00"})
    found = {
        "JPEG grey": encoded(grey, "JPEG"),
        "JPEG": encoded(colour, "JPEG", exif=exif, quality=90),
        "JPEG progressive": encoded(colour, "JPEG", progressive=True),
        "JPEG CMYK": encoded(cmyk, "JPEG"),
        "PNG 1": encoded(bilevel, "PNG"),
        "PNG grey": encoded(grey, "PNG"),
        "PNG grey, alpha": encoded(alpha.convert("LA"), "PNG"),
        "PNG 16": encoded(deep, "PNG"),
        "PNG palette": encoded(palette, "PNG", transparency=3),
        "PNG": encoded(colour, "PNG", exif=exif),
        "PNG key": encoded(colour, "PNG", transparency=(1, 2, 3)),
        "PNG alpha": encoded(alpha, "PNG"),
        "PNG animated": encoded(colour, "PNG", **frames),
        "WEBP": encoded(colour, "WEBP", exif=exif),
        "WEBP lossless": encoded(colour, "WEBP", lossless=True),
        "WEBP alpha": encoded(alpha, "WEBP"),
        "WEBP animated": encoded(colour, "WEBP", **frames),
        "TIFF 16": encoded(deep, "TIFF"),
        "TIFF floats": encoded(floats, "TIFF"),
        "TIFF pages": encoded(colour, "TIFF", **frames),
        "TIFF LAB": encoded(Image.new("LAB", (9, 8), (120, 90, 140)), "TIFF"),
        "PPM plain": b"P3\n# by hand\n3 2\n255\n" + b" ".join(b"%d" % v for v in range(18)),
        "PPM 16": b"P5 3 2 65535\n" + bytes(range(12)),
        "PBM plain": b"P1\n4 2\n1 0 1 0\n0 1 0 1\n",
        "PFM": b"Pf\n3 2\n-1.0\n" + np.linspace(0, 1, 6, dtype=np.float32).tobytes(),
    }
    for name, image in {"1": bilevel, "grey": grey, "palette": palette, "colour": colour, "alpha": alpha}.items():
        found[f"BMP {name}"] = encoded(image, "BMP")
        if name not in ("palette", "alpha"):
            found[f"PPM {name}"] = encoded(image, "PPM")
        for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits"):
            found[f"TIFF {name} {compression}"] = encoded(image, "TIFF", compression=compression)
    for compression in ("jpeg", "group4"):
        found[f"TIFF {compression}"] = encoded(
            bilevel if compression == "group4" else colour, "TIFF", compression=compression
        )
    found["TIFF CMYK"] = encoded(cmyk, "TIFF")
    return found


def mutate(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One to four random changes; `other` is what pieces are taken from."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not changed:
            break
        # Headers decide most: half of the changes fall into the first 100 bytes.
        at = int(rng.integers(min(len(changed), 100) if rng.integers(2) else len(changed)))
        length = int(rng.integers(1, 33))
        kind = rng.integers(8)
        if kind == 0:
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            changed[at] = int(rng.integers(256))
        elif kind == 2:
            number = _NUMBERS[rng.integers(len(_NUMBERS))]
            changed[at : at + len(number)] = number
        elif kind == 3:
            del changed[at:]
        elif kind == 4:
            del changed[at : at + length]
        elif kind == 5:
            changed[at:at] = rng.bytes(length)
        elif kind == 6:
            changed[at:at] = changed[at : at + length] * int(rng.integers(1, 20))
        else:
            start = int(rng.integers(len(other)))
            changed[at : at + length] = other[start : start + length]
    return bytes(changed)


@dataclass
class Outcome:
    """decoded, refused: how many; slowest: seconds of processor time; reasons: their first words -> how often."""

    decoded: int = 0
    refused: int = 0
    slowest: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)


def decode(data: bytes, outcome: Outcome) -> None:
    """Decode and count. Raises AssertionError for whatever is neither a picture nor a reason."""
    began = time.process_time()
    try:
        image = decode_image(data)
    except UnreadableImageError as error:
        assert error.cause.isprintable() and error.cause, repr(error.cause)  # noqa: PT017, PT018
        outcome.refused += 1
        outcome.reasons[" ".join(error.cause.split()[:5])] += 1
    else:
        assert image.mode in ("L", "RGB")
        assert np.asarray(image).dtype == np.uint8
        outcome.decoded += 1
    outcome.slowest = max(outcome.slowest, time.process_time() - began)


def run(count: int, seed: int, tick: Callable[[int], None] = lambda done: None) -> Outcome:
    """Decode `count` mutants; the same (count, seed) give the same mutants."""
    rng, files, outcome = np.random.default_rng(seed), list(seeds().values()), Outcome()
    for done in range(count):
        if done % 256 == 0:
            faulthandler.dump_traceback_later(HANG, exit=True)
            tick(done)
        one, other = rng.integers(len(files), size=2)
        decode(mutate(files[one], files[other], rng), outcome)
    faulthandler.cancel_dump_traceback_later()
    return outcome
