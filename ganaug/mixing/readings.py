"""How one file can be read in two ways: which change of ganaug's reading gives what somebody else's loader serves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from ganaug.data.pictures.images import as_stored, to_grey_or_rgb
from ganaug.errors import GanaugError

SAME = 2.0  # grey levels on average: decoders of JPEG differ so much
RESIZED = 10.0  # grey levels on average, between two ways to resize
_SIDE = 96  # px at which changes are tried
_ALIKE = 0.98  # correlation of two pictures that differ by their values alone
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

# kind -> what it is, and the fix; "" for reading files as ganaug does
OTHERWISE: dict[str, tuple[str, str]] = {
    "transparent": ("transparent pixels were learned on white, and are served in another colour", ""),
    "turned": ("files that EXIF turns were learned upright, and are served as they are stored", ""),
    "deep": ("pixels of more than 8 bits were learned over one scale, and are served over another", ""),
    "blue and red": ("blue and red are exchanged, as cv2.imread gives them",
                     "Exchange them where files are read: cv2.cvtColor(image, cv2.COLOR_BGR2RGB)."),
    "inverted": ("light and dark are exchanged", ""),
    "mirrored": ("they are mirrored or turned", ""),
    "grey": ("colour was learned, and grey is served", ""),
    "values": ("the same pictures are served darker, brighter or with another contrast", ""),
    "other": ("another part of the picture is served (a crop, a border), or another picture", ""),
}  # fmt: skip


def other_reading(path: str, own: np.ndarray, served: np.ndarray) -> tuple[str, ...]:
    """How `served` differs from `own`, ganaug's reading of the file: kinds of `OTHERWISE`, none where it does not.

    Pictures of other sizes are compared at that of `served`."""
    same_size = own.shape[:2] == served.shape[:2]
    if same_size and np.array_equal(_rgb(own), _rgb(served)):
        return ()
    height, width = (min(side, _SIDE) for side in served.shape[:2])
    wanted, small = _reduced(served, height, width), _reduced(own, height, width)
    plain = _distance(small, wanted)
    if served.ndim == 2 and _distance(_grey(small), wanted) <= RESIZED:
        return ()  # synthetic ones become grey as well
    best, kinds = plain, tuple[str, ...]()
    for read_as, picture in [*_other_readers(path), ((), own)]:
        reading, lying = _reduced(picture, height, width), _reduced(picture, width, height)
        ways: list[tuple[tuple[str, ...], np.ndarray]] = [((), reading)]
        for way, one in [*changed(reading), *(() if height == width else changed(lying))]:
            ways += [((way,), one)] if one.shape == wanted.shape else []
        for way, one in ways:
            distance = _distance(one, wanted)
            if distance < best:
                best, kinds = distance, (*read_as, *way)
    if kinds and best <= RESIZED and best < plain / 2:
        return kinds
    if plain <= (SAME if same_size else RESIZED):
        return ()
    correlated = np.corrcoef(_grey(small)[..., 0].ravel(), _grey(wanted)[..., 0].ravel())[0, 1]
    return ("values",) if correlated > _ALIKE else ("other",)


def changed(pixels: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """A picture (H, W) or (H, W, 3) under each change that a loader can make, with its kind."""
    found = [("inverted", 255 - pixels)]
    turns = [np.rot90(pixels, n) for n in range(4)]
    found += [("mirrored", one) for turn in turns for one in (turn, turn[:, ::-1])][1:]
    if pixels.ndim == 3:
        found += [("blue and red", pixels[..., ::-1]), ("grey", _grey(pixels).astype(pixels.dtype))]
    return [(kind, np.ascontiguousarray(picture)) for kind, picture in found]


def _other_readers(path: str) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """What readers give that do not turn, or lay on white, or take values of more than 8 bits otherwise."""
    try:
        stored = as_stored(path)
    except GanaugError:  # no picture file
        return
    upright = ImageOps.exif_transpose(stored)
    turned = stored.getexif().get(274, 1) != 1
    if stored.mode.startswith("I") or stored.mode == "F":
        values = np.asarray(upright).astype(np.float64)
        low, high = float(values.min()), float(values.max())
        scales = {(0, 255), (0, 65535), (0, 1), (low, high), (0, high)}
        for bottom, top in sorted(scale for scale in scales if scale[0] < scale[1]):
            yield ("deep",), ((values - bottom) * (255 / (top - bottom))).clip(0, 255).astype(np.uint8)
        yield ("deep",), (values.astype(np.int64) & 255).astype(np.uint8)
        return
    if turned:
        yield ("turned",), np.asarray(to_grey_or_rgb(stored))
    if stored.has_transparency_data:
        for kinds, image in ((("transparent",), upright), (("transparent", "turned"), stored)):
            layer = image.convert("RGBA")
            black = Image.new("RGBA", layer.size, "black")
            black.alpha_composite(layer)
            yield kinds, np.asarray(layer)[..., :3]
            yield kinds, np.asarray(black)[..., :3]


def _reduced(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32 (height, width, 3), averaged over areas."""
    image = Image.fromarray(pixels)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BOX)
    return _rgb(np.asarray(image))


def _rgb(pixels: np.ndarray) -> np.ndarray:
    wide = pixels.astype(np.float32)
    return np.repeat(wide[..., None], 3, axis=2) if wide.ndim == 2 else wide


def _grey(pixels: np.ndarray) -> np.ndarray:
    """The same without colour, still (H, W, 3)."""
    return np.repeat((pixels @ _LUMA)[..., None], 3, axis=2)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())
