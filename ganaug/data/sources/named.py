"""Data sets by name: torchvision's class names, and the names that timm's `create_dataset` knows.

Nothing is downloaded. The table is explicit: a name never becomes a class in any other way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganaug.data.sources.datasets import from_dataset
from ganaug.data.sources.kinds import Asked, source
from ganaug.errors import DataError, OptionError

# name -> the keyword that chooses the part, and torchvision's word for each part that can be asked for
_TRAIN_TEST = {"train": "train", "test": "test"}
_TRAIN_VAL_TEST = {"train": "train", "val": "val", "test": "test"}
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    **dict.fromkeys(
        ("MNIST", "FashionMNIST", "KMNIST", "QMNIST", "USPS", "CIFAR10", "CIFAR100"),
        ("train", {"train": True, "test": False}),
    ),
    **dict.fromkeys(("STL10", "GTSRB", "Food101", "StanfordCars", "FER2013"), ("split", _TRAIN_TEST)),
    **dict.fromkeys(("DTD", "Flowers102", "PCAM", "RenderedSST2"), ("split", _TRAIN_VAL_TEST)),
    **dict.fromkeys(("Imagenette", "ImageNet"), ("split", {"train": "train", "val": "val", "test": "val"})),
    **dict.fromkeys(("EuroSAT", "Caltech101", "Caltech256", "SUN397", "SEMEION"), ("", {"train": None})),
    "SVHN": ("split", {**_TRAIN_TEST, "extra": "extra"}),
    "FGVCAircraft": ("split", {**_TRAIN_VAL_TEST, "trainval": "trainval"}),
    "CLEVRClassification": ("split", {"train": "train", "val": "val"}),
    "Country211": ("split", {"train": "train", "val": "valid", "test": "test"}),
    "OxfordIIITPet": ("split", {"train": "trainval", "test": "test"}),
    "LFWPeople": ("split", {**_TRAIN_TEST, "10fold": "10fold"}),
    "Places365": ("split", {"train": "train-standard", "val": "val", "test": "val"}),
}
_TIMM = ("torch/", "hfds/")
_STREAMED = ("hfids/", "tfds/", "wds/")


def _is_name(text: Any) -> bool:
    """Whether it names a data set of torchvision ("CIFAR10", any case) or timm ("torch/cifar10", "hfds/beans")."""
    if not isinstance(text, str) or Path(text).expanduser().exists():
        return False
    return _torchvision_name(text) is not None or text.lower().startswith(_TIMM + _STREAMED)


def _has_test_part(text: str) -> bool:
    known = _torchvision_name(text)
    return known is None or "test" in PARTS[known][1]


@source(
    "the name of a torchvision or timm data set (with --root)",
    takes=_is_name,
    parts=_has_test_part,
    reads=("root", "classes"),
)
def named(asked: Asked) -> Any:
    how = asked.reading
    return from_dataset(open_named(asked.data, root=how.root, split=how.split), classes=how.classes, span=how.range)


def open_named(name: str, *, root: str | Path | None, split: str = "train") -> Any:
    """The data set called `name`, found under `root`, never downloaded.

    split: "train", "test", or another part that it has. Raises OptionError without `root` or for an unknown part,
    DataError where the files are not there.
    """
    if name.lower().startswith(_STREAMED):
        raise DataError(f"{name} is streamed and has no items by index.", "Export it to a folder ROOT/CLASS/*.png.")
    if root is None:
        raise OptionError(f"{name} needs the folder that holds its files.", "Give --root FOLDER (root= in Python).")
    known = _torchvision_name(name)
    try:
        if known is None:
            import timm.data

            return timm.data.create_dataset(name, root=str(root), split=split, download=False, input_img_mode="")
        return _from_torchvision(known, Path(root), split)
    except OptionError:
        raise
    except (RuntimeError, OSError, AssertionError, ValueError, ImportError) as error:
        cause = f"{name} cannot be opened in {root}: {' '.join(str(error).split()) or type(error).__name__}"
        fix = f"Download it there first, for instance torchvision.datasets.{known or 'CIFAR10'}(root, download=True)."
        raise DataError(cause.rstrip(".") + ".", fix) from error


def _from_torchvision(name: str, root: Path, split: str) -> Any:
    import torchvision.datasets

    keyword, parts = PARTS[name]
    if split not in parts:
        raise OptionError(f"{name} has no part {split!r}.", f"It has: {', '.join(parts)}.")
    chosen = {keyword: parts[split]} if keyword else {}
    return getattr(torchvision.datasets, name)(root, **chosen)


def _torchvision_name(text: str) -> str | None:
    return next((name for name in PARTS if name.lower() == text.lower()), None)
