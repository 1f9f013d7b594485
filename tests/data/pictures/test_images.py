import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ganaug.data.load import load_images
from ganaug.data.pictures.images import FORMATS, decode_image, size_of_file
from ganaug.errors import DataError, UnreadableImageError
from tests.toys.images import picture


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "PPM", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossless_formats_give_back_their_pixels(kind, mode):
    options = {"lossless": True} if kind == "WEBP" else {}
    image = picture(1, (9, 14), mode)
    read = decode_image(encoded(image, kind, **options))
    assert read.mode == ("RGB" if kind == "WEBP" else mode)
    assert np.array_equal(np.asarray(read.convert(mode)), np.asarray(image))


def test_a_path_and_its_bytes_read_the_same(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(picture(2, (20, 30)), "JPEG"))
    assert decode_image(path).tobytes() == decode_image(path.read_bytes()).tobytes()


def test_a_jpeg_may_come_smaller_and_nothing_else_does():
    image = picture(3, (8, 11)).resize((440, 320), Image.Resampling.BICUBIC)
    for kind, sizes in (("JPEG", {41: (110, 80), 40: (55, 40), 160: (220, 160), 161: (440, 320), 999: (440, 320)}),
                        ("PNG", {40: (440, 320)})):  # fmt: skip
        data = encoded(image, kind)
        for at_least, size in sizes.items():
            read = decode_image(data, at_least=at_least)
            assert read.size == size
            nearby = np.asarray(decode_image(data).resize(read.size, Image.Resampling.BOX), np.int16)
            assert np.abs(nearby - np.asarray(read)).mean() < 1.5
    turned = Image.Exif()
    turned[0x0112] = 6
    assert decode_image(encoded(image, "JPEG", exif=turned), at_least=40).size == (40, 55)


def upright(image, orientation):
    """The pixels of an image of this orientation, set upright."""
    a = np.asarray(image)
    turned = {
        1: a,
        2: a[:, ::-1],
        3: a[::-1, ::-1],
        4: a[::-1],
        5: a.transpose(1, 0, 2),
        6: np.rot90(a, -1),
        7: a[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(a),
    }
    return turned[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    image = picture(3, (10, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "TIFF"):
        read = np.asarray(decode_image(encoded(image, kind, exif=exif)))
        assert np.array_equal(read, upright(image, orientation))


@pytest.mark.parametrize("orientation", range(5, 9))
def test_a_folder_of_turned_tiff_files_is_one_of_upright_pictures(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for i in range(4):
        image, name = picture(i, (12, 20)), f"{'ab'[i % 2]}/{i}"
        for kind, stored in (("tiff", image), ("png", Image.fromarray(upright(image, orientation).copy()))):
            place = tmp_path / kind / f"{name}.{kind}"
            place.parent.mkdir(parents=True, exist_ok=True)
            stored.save(place, **({"exif": exif} if kind == "tiff" else {}))
        assert size_of_file(tmp_path / "tiff" / f"{name}.tiff") == size_of_file(tmp_path / "png" / f"{name}.png")
    turned, plain = (load_images(tmp_path / kind) for kind in ("tiff", "png"))
    assert turned.codec == plain.codec
    assert turned.pixels.equal(plain.pixels)


def test_16_bit_grey_keeps_one_scale_for_all_images():
    bright = np.full((5, 5), 65535, np.uint16)
    dim = np.full((5, 5), 257 * 10, np.uint16)
    for kind in ("PNG", "TIFF"):
        read = [decode_image(encoded(Image.fromarray(a), kind)) for a in (bright, dim)]
        assert [image.mode for image in read] == ["L", "L"]
        assert [int(np.asarray(image)[0, 0]) for image in read] == [255, 10]


def test_cmyk_palette_and_bilevel_become_8_bit():
    colour = Image.new("RGB", (8, 8), (200, 30, 90))
    cmyk = decode_image(encoded(colour.convert("CMYK"), "JPEG", quality=100, subsampling=0))
    assert cmyk.mode == "RGB"
    assert np.abs(np.asarray(cmyk).astype(int) - np.asarray(colour)).max() <= 4
    assert np.array_equal(np.asarray(decode_image(encoded(colour.quantize(4)))), np.asarray(colour))
    bilevel = decode_image(encoded(Image.new("1", (8, 8), 1)))
    assert (bilevel.mode, bilevel.getextrema()) == ("L", (255, 255))


def test_transparency_is_laid_on_white():
    rgba = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert decode_image(encoded(rgba)).getpixel((0, 0)) == (255, 255, 255)
    half = Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    assert decode_image(encoded(half)).getpixel((0, 0)) == pytest.approx((255, 127, 127), abs=1)
    grey = decode_image(encoded(Image.new("LA", (8, 8), (0, 0))))
    assert (grey.mode, grey.getpixel((0, 0))) == ("L", 255)
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([9, 9, 9, 255, 0, 0] + [0] * 750)
    assert decode_image(encoded(palette, transparency=1)).getpixel((0, 0)) == (255, 255, 255)
    keyed = decode_image(encoded(Image.new("RGB", (8, 8), (1, 2, 3)), transparency=(1, 2, 3)))
    assert keyed.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"not an image at all", "not an image of a supported format"),
        (b"GIF89a" + bytes(40), "GIF"),
        (b"%PDF-1.7" + bytes(40), "PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (bytes(4) + b"ftypheic" + bytes(40), "HEIC"),
    ],
)
def test_what_is_no_image_is_named(data, reason):
    with pytest.raises(UnreadableImageError, match=reason) as caught:
        decode_image(data)
    assert caught.value.fix


def test_a_real_gif_is_not_decoded_whatever_its_extension(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(picture(1, mode="L"), "GIF"))
    assert "GIF" not in FORMATS
    with pytest.raises(UnreadableImageError, match="GIF"):
        decode_image(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "PPM", "TIFF"])
def test_truncated_files_are_refused_with_the_reason(kind):
    data = encoded(picture(5, (40, 40)), kind)
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(data[: len(data) * 6 // 10])
    assert caught.value.cause


def test_single_pixels_and_enormous_images_are_refused_before_decoding():
    with pytest.raises(UnreadableImageError, match="1 x 1 px is too small"):
        decode_image(encoded(Image.new("L", (1, 1))))
    with pytest.raises(UnreadableImageError, match="above the limit"):
        decode_image(encoded(Image.new("L", (300, 200))), pixel_limit=59_999)
    bomb = b"\x89PNG\r\n\x1a\n"
    for chunk in (b"IHDR" + struct.pack(">IIBBBBB", 200_000, 200_000, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b"")):
        bomb += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableImageError, match=r"pixels|px"):
            decode_image(bomb)


def test_a_missing_file_is_typed(tmp_path):
    with pytest.raises(UnreadableImageError, match="gone"):
        decode_image(tmp_path / "nothing.png")


SEEDS = [
    encoded(picture(7, (10, 10)), "PNG"),
    encoded(picture(7, (10, 10)), "JPEG"),
    encoded(picture(7, (10, 10), "L"), "BMP"),
    encoded(picture(7, (10, 10)), "WEBP"),
    encoded(picture(7, (10, 10)), "TIFF"),
    encoded(Image.fromarray(np.arange(100, dtype=np.uint16).reshape(10, 10)), "PNG"),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
    st.integers(0, 400),
)
def test_damaged_bytes_give_an_image_or_a_data_error(data, changes, cut):
    damaged = bytearray(data[: max(len(data) - cut, 0)])
    for place, value in changes:
        if damaged:
            damaged[place % len(damaged)] = value
    try:
        image = decode_image(bytes(damaged))
    except DataError as error:
        assert error.cause  # noqa: PT017
    else:
        assert image.mode in ("L", "RGB")
