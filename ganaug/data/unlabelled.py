"""Images without labels, to be learned from beside labelled ones: whatever holds images is read flat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from ganaug.data.labels.csv_rows import SUFFIXES
from ganaug.data.labels.groups import with_groups
from ganaug.data.load import LabelledImages, load_images, read_opened
from ganaug.data.pictures.files import WITHOUT_PYDICOM, require_pydicom
from ganaug.data.sources.arrays import from_arrays, from_npz
from ganaug.data.sources.datasets import from_dataset, require_map_style
from ganaug.data.sources.dicts import as_pairs, part_of
from ganaug.data.sources.folder import FolderSource, images_below
from ganaug.data.sources.kinds import SOURCES, is_file, is_text
from ganaug.data.sources.links import DEAD, FETCH, NOT_FOLLOWED
from ganaug.data.sources.listed import from_list
from ganaug.data.sources.lists import read_list
from ganaug.data.sources.ours import SAMPLES, made_here
from ganaug.data.sources.places import folder_of_list
from ganaug.data.sources.small import Larger
from ganaug.data.sources.source import ImageSource, open_source, refuse_idle
from ganaug.defaults import usual_defaults
from ganaug.errors import DataError
from ganaug.options import Reading, merged
from ganaug.reporting import Report, silent

CLASS = "all"
MOST = 4000  # that are looked at by a fit, a bench or a check


@usual_defaults()
def load_unlabelled(
    source: Any,
    like: LabelledImages,
    *,
    limit: int | None = None,
    seed: int = 0,
    report: Report = silent,
    reading: Reading | None = None,
    **given: Any,
) -> LabelledImages:
    """Read images without labels into memory, at the size and with the channels of labelled ones.

    Parameters
    ----------
    source
        A folder with images anywhere below it, whatever its folders are called; with `labels`, the images of it that a
        CSV file lists; such a file by itself; an `.npz` file, or an array or tensor, (N, H, W[, C]); a data set, or a
        list, of images; or anything that `load_images` reads, whose labels are not looked at.
    like
        The labelled images that they go beside.
    limit
        At most so many images, chosen by `seed`.
    report
        Hears of the progress, and of what is passed over.
    reading, given
        How it is read, see `Reading`; by default values of more than 8 bits have the range of `like`.

    Returns
    -------
    LabelledImages
        All of the one class "all". What cannot be read is listed as `unreadable`. Images that are also among `like`, or
        in a test set, are not left out: fingerprints and likenesses find them.

    Raises
    ------
    DataError
        Where there is no image, or none can be read, or values are on an unknown scale.
    OptionError
        For a way of reading that would change nothing.
    """
    reading = merged(Reading, reading, given)
    depth, side = like.spec.shape[:2]
    if isinstance(source, LabelledImages):
        return load_images(source, reading, size=side, channels=depth, at_least=0).unlabelled().limited(limit, seed)
    opened, reading = open_like(source, like, reading, report)
    return read_opened(
        opened, reading, side=side, depth=depth, proportion=like.codec.size, limit=limit, seed=seed, report=report
    )


def open_like(
    source: Any, like: LabelledImages, reading: Reading, report: Report = silent
) -> tuple[ImageSource, Reading]:  # fmt: skip
    """The open source, and how it is read: values of more than 8 bits have the range of labelled images, by default."""
    scaled = isinstance(source, ImageSource) and not hasattr(source, "span")  # its values have 8 bits already
    if reading.range is None and not scaled:
        reading = replace(reading, range=like.codec.range)
    return open_unlabelled(source, reading, report=report), reading


def links_as(source: Any, reading: Reading) -> Reading:
    """How unlabelled images are read beside labelled ones: links are followed alike, where there can be any."""
    place = Path(source).expanduser() if is_text(source) else None
    linked = place is not None and (place.is_dir() or is_file(place, *SUFFIXES))
    return Reading(follow_links=reading.follow_links and linked)


def open_unlabelled(source: Any, reading: Reading | None = None, *, report: Report = silent) -> ImageSource:
    """Anything that holds images as an `ImageSource` of the one class "all".

    Raises what `load_unlabelled` does, before any image is opened.
    """
    how = Reading() if reading is None else reading
    if isinstance(source, ImageSource):
        return _of_one_class(open_source(source, how))
    path = Path(source).expanduser() if is_text(source) else Path()
    if is_text(source) and path.is_dir() and how.labels is None:
        return _with(how, _flat(path, how), "a folder of images", "follow_links")
    if is_text(source) and (path.is_dir() or is_file(path, *SUFFIXES)):
        return _with(how, _listed(path, how, report), "a list of images", "follow_links", "labels", "image", "split")
    if is_file(source, ".npz"):
        npz = from_npz(path, split=how.split, span=how.range, labelled=False)
        return _with(how, npz, "an .npz file of images", "split")
    if is_text(source):
        return _of_one_class(open_source(source, how, report=report))
    if isinstance(source, (np.ndarray, Tensor)):
        labels = np.zeros(len(source), np.int64)
        return _with(how, from_arrays(source, labels, classes=(CLASS,), span=how.range), "an array of images")
    if SOURCES["arrays"].takes(source):  # (X, y)
        return open_unlabelled(source[0], how, report=report)
    return _with(how, _items(source, how, report), "a data set of images", "split", "image", "as_served")


def _with(how: Reading, opened: Any, words: str, *used: str) -> ImageSource:
    """With its groups. Raises OptionError for what was said of the reading, and is not `used`."""
    refuse_idle(how, ("groups", "range", *used), words)
    return with_groups(opened, how.groups)


def _of_one_class(opened: Any) -> ImageSource:
    """The same without its labels."""
    labels = np.zeros(len(opened), np.int64)
    if is_dataclass(opened) and not isinstance(opened, type):
        return replace(opened, labels=labels, classes=(CLASS,))  # type: ignore[return-value]
    return Larger(opened, np.arange(len(opened)), labels, (CLASS,), opened.names, {}, opened.ignored, opened.groups,
                  opened.array)  # fmt: skip


def _flat(root: Path, how: Reading) -> FolderSource:
    """Every image below a folder."""
    made = made_here(str(root))
    if made not in (None, SAMPLES):
        raise DataError(f"{root} is {made} that ganaug made, not a folder of images.", "Give the folder of the images.")
    files, ignored = images_below(root, how.follow_links)
    if not files and ignored.get(WITHOUT_PYDICOM):
        require_pydicom()
    if not files:
        passed = "".join(f" Passed over: {len(names)} x {why}." for why, names in ignored.items())
        fix = "Give a folder with images of a supported format."
        if ignored.get(NOT_FOLLOWED):
            fix = "If the links lead to images of your own, add --follow-links (follow_links=True)."
        raise DataError(f"There is no image in {root}.{passed}", FETCH if ignored.get(DEAD) else fix)
    names = [file.encode("utf-8", "backslashreplace").decode() for file in files]
    return FolderSource(root, files, np.zeros(len(files), np.int64), (CLASS,), names, ignored, span=how.range)


def _listed(path: Path, how: Reading, report: Report) -> FolderSource:
    """The images that a CSV file lists, which is `path` or is given for this folder."""
    file = path if how.labels is None else Path(how.labels).expanduser()
    root = path if path.is_dir() else folder_of_list(path, how.image, listing=read_list(path, 1))
    assert root is not None  # a list that names no images was refused
    return from_list(root, file, how, labelled=False, report=report)


def _items(data: Any, how: Reading, report: Report) -> Any:
    """A data set of images, of (image, anything), or of dicts."""
    data = part_of(data, how.split) if isinstance(data, Mapping) else data
    require_map_style(data)
    pairs = as_pairs(data, how.image, labelled=True)
    pairs = pairs if _in_pairs(pairs) else _Alone(pairs)
    labels = np.zeros(len(pairs), np.int64)
    return from_dataset(pairs, targets=labels, classes=(CLASS,), span=how.range, report=report)


def _in_pairs(data: Any) -> bool:
    try:
        item = data[0]
    except Exception:  # other people's __getitem__ may fail in any way; who reads the item says so
        return True
    return isinstance(item, (tuple, list)) and len(item) > 1


class _Alone(Dataset):
    """Images, or tuples of one, as items (image, 0)."""

    def __init__(self, dataset: Any):
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        item = self.dataset[index]
        return item[0] if isinstance(item, (tuple, list)) else item, 0
