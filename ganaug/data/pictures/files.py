"""Whatever file an image may be in: picture files, arrays (`.npy`), DICOM (with pydicom)."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from ganaug.data.pictures.convert import to_picture
from ganaug.data.pictures.depth import (
    Range,
    Stored,
    floats_to_8_bits,
    noted,
    off_scale,
    stored_in,
    unfit,
    whole_to_8_bits,
)
from ganaug.data.pictures.images import BYTE_LIMIT, PIXEL_LIMIT, as_unreadable, check_size, decode_image, opened_file
from ganaug.data.pictures.images import SUFFIXES as PICTURES
from ganaug.errors import DataError, MissingPackageError, UnreadableImageError

DICOM = frozenset({".dcm", ".dicom"})
SUFFIXES = PICTURES | {".npy"} | DICOM
WITHOUT_PYDICOM = "DICOM, which needs pip install 'ganaug[dicom]'"
_MAGIC = b"\x93NUMPY"


def read_image(path: str | Path, mode: str | None = "RGB", range: Range | None = None) -> Image.Image:
    """Read one image file as `ganaug.fit` learns it.

    The image is set upright, transparency is laid on white, and deep values are brought over one scale. As the `loader`
    of a torchvision data set this serves the pictures that were learned.

    Parameters
    ----------
    path : str or Path
        A picture file, a `.npy` array, or DICOM (with pydicom).
    mode : {"RGB", "L"} or None, default "RGB"
        Mode of the image; None for grey where it is stored as grey.
    range : (float, float), optional
        What is black and what is white, of values of more than 8 bits.

    Returns
    -------
    PIL.Image.Image
        The image, 8 bits a channel.

    Raises
    ------
    UnreadableImageError
        The file is no whole image; `cause` says why.
    DataError
        Values are on no usual scale, and there is no range.

    Examples
    --------
    >>> import ganaug
    >>> from PIL import Image
    >>> Image.new("L", (32, 24), 200).save("grey.png")
    >>> ganaug.read_image("grey.png").size
    (32, 24)

    In torchvision: `ImageFolder(root, loader=ganaug.read_image)`.
    """
    image = read_file(path, range)
    deep = stored_in(image).deep
    if range is None and deep is not None and off_scale(deep):
        raise DataError(*(unfit({str(path): deep}) or ("", "")))
    return image if mode is None else image.convert(mode)


def read_file(path: str | Path, span: Range | None = None, at_least: int | None = None) -> Image.Image:
    """A file as a PIL image, mode "L" or "RGB", with what it was (`depth.stored_in`). span: the declared range.
    at_least: see `decode_image`.

    Raises UnreadableImageError for what is no whole image, MissingPackageError for DICOM without pydicom.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        with as_unreadable(), opened_file(path) as file:
            return _of_values(_array_in(file), span)
    if suffix in DICOM:
        with as_unreadable(), opened_file(path) as file:
            return _of_dicom(file, span)
    return decode_image(path, span, at_least=at_least)


def has_pydicom() -> bool:
    """Whether DICOM can be read."""
    try:
        require_pydicom()
    except MissingPackageError:
        return False
    return True


def require_pydicom() -> Any:
    """The module; raises MissingPackageError, with the extra that brings it."""
    try:
        import pydicom
    except ImportError as error:
        raise MissingPackageError("Reading DICOM files needs pydicom.", "pip install 'ganaug[dicom]'") from error
    return pydicom


def _array_in(file: IO[bytes]) -> np.ndarray:
    """The array of a `.npy` file. Its head is looked at first: nothing is unpickled, and nothing huge is made."""
    read = np.lib.format
    if file.read(len(_MAGIC)) != _MAGIC:
        raise UnreadableImageError("it is not a .npy file.", "Save it again with numpy.save.")
    file.seek(0)
    version = read.read_magic(file)
    shape, _, dtype = (read.read_array_header_1_0 if version == (1, 0) else read.read_array_header_2_0)(file)
    if dtype.hasobject:
        raise UnreadableImageError("it holds Python objects, which are never unpickled.", "Save plain numbers.")
    if dtype.kind not in "buif" or len(shape) not in (2, 3):
        cause = f"an array of {dtype} of shape {shape} is not an image."
        raise UnreadableImageError(cause, "Save numbers as (H, W), (H, W, C) or (C, H, W).")
    if min(shape) < 0 or dtype.itemsize * int(np.prod(shape, dtype=np.int64)) > BYTE_LIMIT:
        raise UnreadableImageError(f"an array of shape {shape} is above the limit.", "Make it smaller, or remove it.")
    file.seek(0)
    return np.load(file, allow_pickle=False)


def _of_values(values: np.ndarray, span: Range | None) -> Image.Image:
    """An array of a file: as arrays of a data set are, but values on an unknown scale are left to a look at the set."""
    if values.dtype.kind in "iuf" and values.dtype != np.uint8:
        if not np.isfinite(values).all():
            raise UnreadableImageError("it holds NaN or infinite values.", "Repair or remove it.")
        wide = values.astype(np.float32) if values.dtype == np.float16 else values
        known = floats_to_8_bits(wide, span) if values.dtype.kind == "f" else whole_to_8_bits(wide, span, small=False)
        return noted(_in_form(known[0]), Stored(deep=known[1]))
    return _in_form(values)


def _in_form(values: np.ndarray) -> Image.Image:
    try:
        image = to_picture(values, "it")
    except DataError as error:
        raise UnreadableImageError(f"{error.cause[:1].lower()}{error.cause[1:]}", error.fix) from error
    check_size(*image.size)
    return image


def _of_dicom(file: IO[bytes], span: Range | None) -> Image.Image:
    """Stored values become those of the modality (slope and intercept); MONOCHROME1 is inverted; the first frame is
    read."""
    found = require_pydicom().dcmread(file)
    check_size(int(found.Columns), int(found.Rows))
    frames = int(getattr(found, "NumberOfFrames", None) or 1)
    if frames * int(found.Columns) * int(found.Rows) > 4 * PIXEL_LIMIT:
        raise UnreadableImageError(f"{frames} frames are above the limit.", "Save the frames one by one.")
    values = np.asarray(found.pixel_array)
    values = values[0] if frames > 1 else values
    kind = str(found.PhotometricInterpretation)
    if kind.startswith("YBR") or kind.startswith("PALETTE"):
        raise UnreadableImageError(f"its colours are stored as {kind}.", "Convert it to RGB or MONOCHROME2.")
    slope = float(getattr(found, "RescaleSlope", None) or 1)
    intercept = float(getattr(found, "RescaleIntercept", None) or 0)
    if (slope, intercept) != (1, 0):
        values = values * slope + intercept
        values = np.rint(values).astype(np.int64) if slope.is_integer() and intercept.is_integer() else values
    image = _of_values(values, span)
    stored = stored_in(image)
    if kind == "MONOCHROME1":
        image = Image.fromarray(255 - np.asarray(image))
    return noted(image, Stored(stored.traits | ({"frames"} if frames > 1 else set()), stored.deep))
