"""Images from anywhere: mutants of every format, and oddities made by hand."""

from __future__ import annotations

import csv
import io
import os
import struct
import time
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.pictures.images import FORMATS, decode_image
from ganaug.data.quarantine import quarantine
from ganaug.errors import OptionError, OutputInUseError, UnreadableImageError
from tests.fuzz.images import Outcome, decode, encoded, run, seeds

SEEDS = seeds()
COLOUR = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8))


@pytest.mark.parametrize("name", SEEDS)
def test_every_seed_is_sound(name):
    outcome = Outcome()
    decode(SEEDS[name], outcome)
    assert outcome.decoded == 1


def test_ten_thousand_mutants_give_a_picture_or_a_reason(monkeypatch):
    for kind in set(Image.OPEN) - {*FORMATS, "MPO"}:  # no other decoder may so much as look at a file
        monkeypatch.setitem(Image.OPEN, kind, (lambda *_, kind=kind: pytest.fail(kind), None))
    outcome = run(10_000, seed=0)
    assert outcome.decoded + outcome.refused == 10_000
    assert min(outcome.decoded, outcome.refused) > 1000  # neither too tame nor too wild
    assert outcome.slowest < 10


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def tiff(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """(tag, type, count, value) of one directory at byte 8; `following` is where the next one is said to be."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", following) + bytes(64)


def bmp(width: int, height: int, bits: int, compression: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 2000, 0, 0, 1078 if bits == 8 else 54) + header


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", data)
    return file.getvalue()


def many_scans(times: int) -> bytes:
    data = encoded(Image.new("RGB", (640, 640), (9, 200, 3)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + times * last + data[-2:]


GREY_8 = [
    (256, 3, 1, 8),
    (257, 3, 1, 8),
    (258, 3, 1, 8),
    (259, 3, 1, 1),
    (262, 3, 1, 1),
    (273, 4, 1, 100),
    (277, 3, 1, 1),
]
REFUSED = {
    "nothing": b"",
    "zeros": bytes(5000),
    "text": b"just text, whatever its name",
    "a script": b"#!/bin/sh\nrm -rf /\n",
    "a program": b"\x7fELF" + bytes(200),
    "a pickle": b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
    "a web page": b"<!DOCTYPE html><script>alert(1)</script>",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "SVG with entities": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">]><svg>&a;&a;&a;</svg>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file",
    "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
    "GIF": encoded(COLOUR.convert("P"), "GIF"),
    "ICO": encoded(COLOUR, "ICO"),
    "TGA": encoded(COLOUR, "TGA"),
    "a zip archive": zipped(SEEDS["PNG"]),
    "HEIC": b"\x00\x00\x00\x18ftypheic" + bytes(100),
    "PNG of 4 gigapixels": png(65_535, 65_535, chunk(b"IDAT", zlib.compress(b""))),
    "PNG of 2^31 px": png(2**31 - 1, 2**31 - 1),
    "PNG of no width": png(0, 10, chunk(b"IDAT", zlib.compress(b""))),
    "PNG without data": png(9, 9),
    "PNG, wrong sum": SEEDS["PNG"].replace(b"IHDR", b"IHDr"),
    "PNG, half": SEEDS["PNG"][: len(SEEDS["PNG"]) // 2],
    "PNG, bomb of pixels": png(50_000, 50_000, chunk(b"IDAT", zlib.compress(bytes(10**7), 9)), depth=1, colour=0),
    "PNG, bomb of text": png(9, 9, chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(10**8), 9))),
    "PNG, bombs of text": png(9, 9, *[chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(10**6), 9))] * 90),
    "BMP of 2^31 px": bmp(2**31 - 1, -(2**31) + 1, 24, 0) + bytes(200),
    "BMP, runs without end": bmp(99, 99, 8, 1) + bytes(1024) + b"\x00\x02\x00\x00" * 50,
    "PPM of many px": b"P6 99999999 99999999 255\n" + bytes(100),
    "PPM, a number without end": b"P3 " + b"9" * 10_000,
    "PPM, a comment without end": b"P6 #" + b"a" * 10_000,
    "PPM, too few": b"P6 9 9 255\n" + bytes(10),
    "PFM of NaN": b"Pf 4 4 -1.0\n" + np.full(16, np.nan, np.float32).tobytes(),
    "TIFF of NaN": encoded(Image.fromarray(np.full((8, 8), np.nan, np.float32)), "TIFF"),
    "TIFF of one NaN": encoded(Image.fromarray(np.array([[np.nan, 0.5], [0.5, 1]], np.float32)), "TIFF"),
    "TIFF of infinities": encoded(Image.fromarray(np.full((8, 8), np.inf, np.float32)), "TIFF"),
    "TIFF of 2^31 px": tiff((256, 4, 1, 2**31), (257, 4, 1, 2**31), *GREY_8[2:]),
    "TIFF of 2^32 numbers": tiff((256, 3, 2**32 - 1, 8), *GREY_8[1:]),
    "TIFF without a directory": b"II*\x00\xff\xff\xff\xff",
    "TIFF that is its own directory": tiff(*GREY_8, (330, 4, 1, 8), following=8)[:120],
    "JPEG header": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20),
    "JPEG of many scans": many_scans(200),
    "JPEG, cut": SEEDS["JPEG"][:-200],
    "WEBP, cut": SEEDS["WEBP"][:60],
    "WEBP of 2^32 bytes": SEEDS["WEBP"][:4] + b"\xff" * 4 + SEEDS["WEBP"][8:40],
    "1 px": encoded(Image.new("RGB", (1, 1)), "PNG"),
    "a line": encoded(Image.new("L", (900, 1)), "PNG"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_oddities_are_refused_with_a_reason_and_in_time(name):
    began = time.process_time()
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(REFUSED[name])
    assert caught.value.cause
    assert caught.value.fix
    assert time.process_time() - began < 3


READ = {
    "PNG, then a zip archive": SEEDS["PNG"] + zipped(b"hidden"),
    "JPEG, then a script": SEEDS["JPEG"] + b"<script>alert(1)</script>",
    "JPEG, damaged EXIF": SEEDS["JPEG"].replace(b"Exif\x00\x00II*\x00\x08", b"Exif\x00\x00II*\x00\xff"),
    "JPEG, EXIF that leads to itself": encoded(
        COLOUR,
        "JPEG",
        exif=b"Exif\x00\x00" + tiff((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0x0112, 3, 1, 6), following=8),
    ),
    "JPEG, EXIF orientation 99": encoded(COLOUR, "JPEG", exif=b"Exif\x00\x00" + tiff((0x0112, 3, 1, 99))),
    "JPEG, damaged colour profile": encoded(COLOUR, "JPEG", icc_profile=b"no profile" * 20),
    "PNG, damaged colour profile": encoded(COLOUR, "PNG", icc_profile=b"no profile" * 20),
    "progressive JPEG": SEEDS["JPEG progressive"],
    "animation": SEEDS["PNG animated"],
}


@pytest.mark.parametrize("name", READ)
def test_oddities_around_a_sound_picture_do_no_harm(name):
    assert decode_image(READ[name]).mode in ("L", "RGB")


def test_limits_of_bytes_and_what_is_no_file(tmp_path):
    large = tmp_path / "large.png"
    large.write_bytes(SEEDS["PNG"])
    with pytest.raises(UnreadableImageError, match="above the limit of 100"):
        decode_image(large, byte_limit=100)
    with pytest.raises(UnreadableImageError, match="above the limit of 100"):
        decode_image(SEEDS["PNG"], byte_limit=100)
    os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for ever
    for odd in (tmp_path, tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(UnreadableImageError, match="not a file"):
            decode_image(odd)


@pytest.fixture
def mixed(tmp_path):
    """Two classes of six good files, and five bad ones of sorts."""
    for name in ("ant", "bee"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(6):
            pixels = np.random.default_rng(i + 10 * (name == "bee")).integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{i}.png")
    bad = ("text", "GIF", "PNG, half", "PNG of 4 gigapixels", "nothing")
    for i, name in enumerate(bad):
        (tmp_path / "data" / "ant" / f"bad {i}.jpg").write_bytes(REFUSED[name])
    return tmp_path / "data"


def test_skip_names_every_bad_file_and_stop_the_first(mixed):
    images = load_images(mixed)
    assert len(images) == 12
    assert [name for name, _ in images.unreadable] == [f"ant/bad {i}.jpg" for i in range(5)]
    assert all(reason for _, reason in images.unreadable)
    with pytest.raises(UnreadableImageError, match=r"ant/bad 0\.jpg cannot be read"):
        load_images(mixed, strict=True)


def test_quarantine_moves_them_and_keeps_a_list(mixed, tmp_path):
    unreadable = check(mixed).unreadable
    contents = {name: (mixed / name).read_bytes() for name, _ in unreadable}
    moved = quarantine(mixed, unreadable, tmp_path / "bad")
    assert {str(place.relative_to(tmp_path / "bad")): place.read_bytes() for place in moved} == contents
    with (tmp_path / "bad" / "unreadable.csv").open(newline="") as file:
        assert [tuple(row) for row in csv.reader(file)] == [("name", "reason"), *unreadable]
    after = check(mixed)
    assert (after.total, after.unreadable) == (12, ())
    assert quarantine(mixed, after.unreadable, tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_quarantine_touches_nothing_where_it_cannot_be_right(mixed, tmp_path):
    before = sorted(mixed.rglob("*"))
    unreadable = check(mixed).unreadable
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").touch()
    for into, kind in ((mixed / "bad", OptionError), (mixed, OptionError), (tmp_path / "used", OutputInUseError)):
        with pytest.raises(kind):
            quarantine(mixed, unreadable, into)
    with pytest.raises(OptionError, match="not a folder"):
        quarantine(tmp_path / "x.npz", unreadable, tmp_path / "bad")
    with pytest.raises(OptionError, match="leads out"):
        quarantine(mixed, [("../used/thesis.txt", "no reason")], tmp_path / "bad")
    assert sorted(mixed.rglob("*")) == before
    assert (tmp_path / "used" / "thesis.txt").exists()
