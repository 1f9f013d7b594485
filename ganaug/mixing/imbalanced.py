"""Over-sampling of image arrays in the manner of imbalanced-learn, whose own samplers take tables only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from ganaug.data.labels.classes import Classes, check_names
from ganaug.data.pictures.convert import refuse_masked
from ganaug.errors import DataError, OptionError
from ganaug.mixing.labels import class_of
from ganaug.mixing.leaks import warn_of_more_seen
from ganaug.mixing.native import Native
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.pool import Pool, served
from ganaug.samples.run import Loadable, from_noise
from ganaug.samples.verdict import refuse_harmful, warn_of_withheld

# Whether a class of n images is filled up, where the smallest has `least`; the largest gets none in any case.
STRATEGIES: dict[str, Callable[[int, int], bool]] = {
    "auto": lambda n, least: True,
    "minority": lambda n, least: n == least,
    "not majority": lambda n, least: True,
    "not minority": lambda n, least: n != least,
    "all": lambda n, least: True,
}
Counts = dict[Any, int]  # label as it is in y -> number


class GANSampler(BaseEstimator):
    """Add synthetic images of the smaller classes to arrays, in the manner of imbalanced-learn.

    Inside a cross-validation it sees the training images of a fold only: a SeenImagesWarning tells where the generator
    saw more than these.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run folder or a generator folder.
    sampling_strategy : str, float, dict or callable, default "auto"
        As in imbalanced-learn: "auto" or "not majority" (every class up to the largest), "minority", "not minority",
        "all"; a float, for two classes, the wanted ratio of the smaller to the larger; a dict {label: wanted number};
        or a function from y to such a dict.
    random_state : int, RandomState or None, default 0
        Seed of the synthetic images; None is another one in every call.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i where y holds integers. It may be left out where the classes of the generator are
        called by numbers. Labels that are strings are names themselves.
    layout : {"auto", "NHWC", "NCHW"}, default "auto"
        Order of the axes of X; "auto" is channels last, unless only the second axis can be channels.
    force : bool, default False
        Add images of a run whose verdict is "harms".

    Attributes
    ----------
    sampling_strategy_ : dict of label to int
        After `fit_resample`: the number of images that each label got; none for one that a choice withholds.

    Examples
    --------
    >>> import ganaug, numpy as np
    >>> X = np.zeros((30, 8, 8), np.uint8)
    >>> y = np.repeat([0, 1], [20, 10])
    >>> X2, y2 = ganaug.GANSampler("runs/digits").fit_resample(X, y)
    >>> X2.shape, np.bincount(y2)
    ((40, 8, 8), array([20, 20]))
    """

    def __init__(
        self,
        run: Loadable,
        *,
        sampling_strategy: str | float | Mapping[Any, int] | Callable = "auto",
        random_state: Any = 0,
        classes: Classes | None = None,
        layout: str = "auto",
        force: bool = False,
    ):
        self.run = run
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state
        self.classes = classes
        self.layout = layout
        self.force = force

    def fit_resample(self, X: np.ndarray, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Add images to an array.

        Parameters
        ----------
        X : ndarray
            Images, uint8 (N, H, W), (N, H, W, C) or (N, C, H, W), C 1 or 3.
        y : array_like, (N,)
            Labels: integers or names.

        Returns
        -------
        X : ndarray
            The originals, unchanged and first, then the synthetic images, label after label.
        y : ndarray
            Their labels.

        Raises
        ------
        DataError
            The arrays are no images, or there is not one label for each.
        LabelMismatchError
            The generator does not know a label.
        OptionError
            The strategy does not fit the labels.
        HarmfulError
            The verdict of the run is "harms", without `force`.
        """
        refuse_masked(X)
        refuse_masked(y)
        images, labels = np.asarray(X), np.asarray(y)
        axes = _axes(images, self.layout)
        if labels.shape != (len(images),) or labels.dtype.kind not in "iuUOS":
            raise DataError(
                f"Labels of {labels.dtype} and shape {labels.shape} for {len(images)} images.",
                "Give one integer or name for each image.",
            )
        counts = _counted(labels)
        fitted = from_noise(self.run)
        known, skipped = fitted.card.classes, fitted.card.skipped
        refuse_harmful(fitted, self.force)
        self.sampling_strategy_ = added(self.sampling_strategy, counts, labels)
        wanted = [label for label, n in self.sampling_strategy_.items() if n]
        asked = {label: class_of(label, known, skipped, self.classes, "GANSampler") for label in wanted}
        warn_of_withheld(fitted, asked.values())
        plan = served(fitted, {name: self.sampling_strategy_[label] for label, name in asked.items()})
        self.sampling_strategy_ |= {label: plan[name] for label, name in asked.items()}
        if not any(plan.values()):
            return images.copy(), labels.copy()
        warn_of_more_seen(fitted, images.transpose(0, 2, 3, 1) if axes == "CHW" else images)
        size = images.shape[1 + axes.index("H")], images.shape[1 + axes.index("W")]
        warn_of_enlarged(fitted, size, at=size, depth=2)
        plan = {name: n for name, n in plan.items() if name in known}
        seed = self.random_state
        if seed is None or isinstance(seed, np.random.RandomState):
            seed = check_random_state(seed).randint(2**31)
        pool = Pool.open(self.run, plan, seed=seed)
        mode = "RGB" if "C" in axes and images.shape[1 + axes.index("C")] == 3 else "L"
        native = Native("array", mode, size, axes, images.dtype, "never")
        new_images, new_labels = [images], [labels]
        for label, name in asked.items():
            if name not in plan:
                continue
            start = int(pool.offsets[pool.classes.index(name)])
            pixels = pool.images[start : start + plan[name]]
            new_images += [native.image(one, fitted.card.codec)[None] for one in pixels]
            new_labels.append(np.full(plan[name], label, dtype=labels.dtype))
        return np.concatenate(new_images), np.concatenate(new_labels)


def _counted(labels: np.ndarray) -> Counts:
    """Raises DataError for labels of several kinds, and for names that differ in how accents are encoded only."""
    try:
        found, counts = np.unique(labels, return_counts=True)
    except TypeError as error:
        cause = "The labels have no order: they are of several kinds, or of a class of your own."
        raise DataError(cause, "Give one integer or name for each image.") from error
    if all(isinstance(label, str) for label in found.tolist()):
        check_names(found.tolist())
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def added(strategy: Any, counts: Counts, y: np.ndarray) -> Counts:
    """How many images each label gets under a sampling strategy; raises OptionError for one that does not fit
    `counts`.
    """
    most, least = max(counts.values()), min(counts.values())
    if callable(strategy):
        strategy = strategy(y)
    if isinstance(strategy, Mapping):
        return _up_to(strategy, counts)
    if isinstance(strategy, (int, float)) and not isinstance(strategy, bool):
        if len(counts) != 2 or not 0 < strategy <= 1:
            raise OptionError(
                f"sampling_strategy={strategy} with {len(counts)} classes.",
                "A number is for two classes, above 0 and at most 1; use a dict for more.",
            )
        wanted = math.floor(strategy * most)
        if wanted < least:
            raise OptionError(
                f"The smaller class is more than {strategy} of the larger already.", "Give a larger number."
            )
        return {label: wanted - n if n == least and most > least else 0 for label, n in counts.items()}
    if not isinstance(strategy, str) or strategy not in STRATEGIES:
        raise OptionError(f"There is no sampling strategy {strategy!r}.", f"Choose one of: {', '.join(STRATEGIES)}.")
    return {label: most - n if STRATEGIES[strategy](n, least) else 0 for label, n in counts.items()}


def _up_to(wanted: Mapping[Any, int], counts: Counts) -> Counts:
    unknown = [label for label in wanted if label not in counts]
    if unknown:
        raise OptionError(f"sampling_strategy names labels that are not in y: {unknown}.", "Name labels of y.")
    fewer = [label for label, n in wanted.items() if n < counts[label]]
    if fewer:
        raise OptionError(f"sampling_strategy asks for fewer images of {fewer} than there are.", "Ask for more.")
    return {label: int(wanted.get(label, n)) - n for label, n in counts.items()}


def _axes(images: np.ndarray, layout: str) -> str:
    """ "HW", "HWC" or "CHW"."""
    if layout not in ("auto", "NHWC", "NCHW"):
        raise OptionError(f"There is no layout {layout!r}.", "Choose 'auto', 'NHWC' or 'NCHW'.")
    if images.dtype == np.uint8 and images.ndim == 3:
        return "HW"
    if images.dtype == np.uint8 and images.ndim == 4:
        for axes, axis in (("HWC", 3), ("CHW", 1)):
            if images.shape[axis] in (1, 3) and layout in ("auto", f"N{axes}"):
                return axes
    raise DataError(
        f"X is {images.dtype} of shape {images.shape}, not images.",
        "Give uint8 images (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels.",
    )
