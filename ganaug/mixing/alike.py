"""Do real and synthetic items reach the classifier in the same way? What a data set does to its items anywhere but in
its `.transform` would be seen on real images alone, and tell a classifier which is which."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganaug.data.labels.unwrap import has_transform, inside, standard_transforms, without_transforms
from ganaug.data.pictures.convert import to_picture
from ganaug.data.sources.steady import global_streams
from ganaug.errors import DataError, GanaugError, IncompatibleLoaderError, OtherPicturesWarning
from ganaug.mixing.before import fetched

SOME = 4  # real and synthetic items that are compared
_THUMBNAIL = 16, 16  # px
_LEVELS = 4.0  # grey levels, in the mean, between thumbnails of one image at two sizes; more is another image
_EDGE = 0.05  # beyond 0..1, where a scale is another one
_OWN = "Give transform=, a function from a PIL image to the first part of an item, for the synthetic images"


def refuse_hidden_changes(dataset: Any, images: Mapping[int, Any], *, call: str) -> None:
    """Raises IncompatibleLoaderError for a data set (not a Subset) that changes its items by a transform that synthetic
    images would not go through: of a data set inside, a joint one of image and label, or one that made what is kept.

    images: some items by index, without what `.transform` does. call: how that is called, as `Native` has it.
    """
    own = getattr(dataset, "transform", None)
    if call == "never" and own is not None and not inspect.ismethod(own):
        raise IncompatibleLoaderError(
            f"{type(dataset).__name__} has a .transform, but does not call it for the items that were looked at: they "
            "may be kept from an earlier call.",
            f"Mix before items are kept. {_OWN}.",
        )
    if standard_transforms(dataset) and not any(map(has_transform, inside(dataset))):
        return
    stored = without_transforms(dataset)
    if any(_differ(image, stored[index][0]) for index, image in images.items()):
        where = "a data set inside it" if standard_transforms(dataset) else "its joint transforms"
        raise IncompatibleLoaderError(
            f"{type(dataset).__name__} changes its images by {where}, which synthetic ones do not go through.",
            f"{_OWN}, that does the same.",
        )


def _differ(served: Any, stored: Any) -> bool:
    """Whether it is another image, at any size."""
    try:
        one, other = (to_picture(image).convert("L").resize(_THUMBNAIL) for image in (served, stored))
    except DataError:
        return True
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean()) > _LEVELS


def compare_served(mixed: Any, key: Any) -> None:
    """Compare some images of a `MixedDataset`, real and synthetic ones, as they are served. key: of an item's image.

    Raises IncompatibleLoaderError where synthetic ones are of another type, dtype or shape than real ones, or cannot be
    made; OtherPicturesWarning tells of another scale.
    """
    made = mixed.synthetic_indices(0)
    if len(made) == len(mixed):
        return
    places = [np.linspace(0, n - 1, min(SOME, n)).astype(int) for n in (len(mixed.dataset), len(made))]
    if not all(map(len, places)):
        return
    with global_streams(0):
        try:
            real = [item[key] for item in fetched(mixed.dataset, places[0].tolist())]
        except Exception:  # somebody else's items, of which a loader will tell
            return
        try:
            synthetic = [item[key] for item in mixed.items(0, made[places[1]].tolist())]
        except GanaugError:
            raise
        except Exception as error:
            raise IncompatibleLoaderError(
                f"The transform fails on a synthetic image: {type(error).__name__}: {error}",
                "It is given what items of the data set are before their transform; transform=, PIL images.",
            ) from error
    _require_alike(real, synthetic)


def _require_alike(real: Sequence[Any], synthetic: Sequence[Any]) -> None:
    first, other = _form(real[0]), _form(synthetic[0])
    alike = len({_form(image) for image in real}) == 1
    if first[:2] != other[:2] or (alike and any(_form(image) != first for image in synthetic)):
        raise IncompatibleLoaderError(
            f"Synthetic images are served as {_words(other)}, and real ones as {_words(first)}.",
            "Make transform= give what items of the data set have; it is given a PIL image.",
        )
    if "float" in first[1] and (_unusual(real) != _unusual(synthetic)) and (_usual(real) or _usual(synthetic)):
        told = [f"{min(map(_low, some)):.3g} to {max(map(_high, some)):.3g}" for some in (synthetic, real)]
        warnings.warn(
            f"Synthetic images have values from {told[0]}, and real ones from {told[1]}: another scale tells a "
            "classifier which is which. Normalise both in the same way: in transform=, or in the data set's own.",
            OtherPicturesWarning,
            stacklevel=5,
        )


def _form(image: Any) -> tuple[str, str, tuple[int, ...]]:
    """Its type, dtype, and shape."""
    if isinstance(image, Image.Image):
        return "PIL images", "", ()
    if isinstance(image, (torch.Tensor, np.ndarray)):
        kind = "tensors" if isinstance(image, torch.Tensor) else "arrays"
        return kind, str(image.dtype).removeprefix("torch."), tuple(image.shape)
    return type(image).__name__, "", ()


def _words(form: tuple[str, str, tuple[int, ...]]) -> str:
    return " ".join(str(part) for part in form if part)


def _low(image: Any) -> float:
    return float(image.min())


def _high(image: Any) -> float:
    return float(image.max())


def _usual(images: Sequence[Any]) -> bool:
    """Whether all lie in 0..1."""
    return all(_low(image) >= 0 and _high(image) <= 1.001 for image in images)


def _unusual(images: Sequence[Any]) -> bool:
    """Whether each goes beyond 0..1."""
    return all(_low(image) < -_EDGE or _high(image) > 1 + _EDGE for image in images)
