"""An albumentations transform that puts a synthetic image of the same class in the place of a real one.

Reached as `ganaug.albumentations`. Importing it imports albumentations, whose call to the package index is switched
off.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from torch.utils.data import get_worker_info

from ganaug.data.labels.classes import Classes, numbered
from ganaug.errors import DataError, MissingPackageError
from ganaug.generator.folder import Fitted
from ganaug.keys import numpy_stream
from ganaug.mixing.labels import class_of
from ganaug.mixing.native import Native, in_unit, span_of
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.plan import per_class
from ganaug.samples.pool import Pool
from ganaug.samples.run import Loadable, Run, as_fitted
from ganaug.samples.verdict import refuse_harmful

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
try:
    from albumentations.core.transforms_interface import BaseTransformInitSchema, ImageOnlyTransform
    from pydantic import field_validator
except ImportError as error:
    raise MissingPackageError(
        "albumentations is not installed.", "Install it: pip install 'albumentations>=2.0.8,<3'."
    ) from error


class SynthSample(ImageOnlyTransform):
    """Replace the image by a synthetic one of its class, of the same height, width, channels and dtype.

    Images are (H, W) or (H, W, 1 or 3), uint8 or floats in 0..1; other targets (masks, boxes) stay as they are. Whether
    an image is replaced and by which one depends on (seed, worker, number of the call), not on albumentations' own
    random state, which version 2.0.8 copies into every worker.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run or generator folder; its path is all the state there is, so that `to_dict` and `from_dict` work.
    label_key : str, default "label"
        The argument of the call that holds the label, a class name or an integer.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i. It may be left out for names, and where the classes of the generator are called by
        numbers.
    pool_per_class : int, default 256
        Images of each class, rendered once.
    seed : int, default 0
        Of all random numbers.
    p : float, default 0.25
        Share of images that are replaced.
    force : bool, default False
        Serve images of a run whose verdict is "harms".

    Raises
    ------
    LabelMismatchError
        A label has no class of that name.
    DataError
        The generator's images cannot take the form of the image.
    HarmfulError
        The verdict is "harms", without `force`.

    Examples
    --------
    >>> import albumentations as A, ganaug, numpy as np
    >>> pipeline = A.Compose([ganaug.albumentations.SynthSample("runs/digits", p=1.0, pool_per_class=16)])
    >>> pipeline(image=np.zeros((8, 8), np.uint8), label=3)["image"].shape
    (8, 8)
    """

    class InitSchema(BaseTransformInitSchema):
        run: Any
        label_key: str
        classes: Any
        pool_per_class: int
        seed: int
        force: bool

        @field_validator("run")
        @classmethod
        def path_of(cls, run: Any) -> Any:
            """The path alone: pydantic would take a dataclass apart."""
            return str(run.path) if isinstance(run, (Run, Fitted)) else run

    def __init__(
        self,
        run: Loadable,
        label_key: str = "label",
        classes: Classes | None = None,
        pool_per_class: int = 256,
        seed: int = 0,
        p: float = 0.25,
        force: bool = False,
    ):
        super().__init__(p=p)
        fitted = as_fitted(run)
        refuse_harmful(fitted, force)
        warn_of_enlarged(fitted, depth=2)
        self.run = str(run.path if isinstance(run, (Run, Fitted)) else run)
        self.label_key, self.pool_per_class = label_key, pool_per_class
        self.classes = None if classes is None else {name: label for label, name in numbered(classes).items()}
        self._known, self._skipped = fitted.card.classes, fitted.card.skipped
        self._codec = fitted.card.codec
        self._seed, self._calls, self.force = seed, 0, force
        self._pool = Pool.open(run, per_class(self._known, pool_per_class), seed=seed)

    def should_apply(self, force_apply: bool = False) -> bool:
        self._calls += 1
        return force_apply or self._stream("apply").random() < self.p

    @property
    def targets_as_params(self) -> list[str]:
        return [self.label_key]

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        name = class_of(data[self.label_key], self._known, self._skipped, self.classes, "SynthSample")
        if name not in self._known:  # the fit left it out
            return {"synthetic": None}
        label = self._known.index(name)
        start, end = self._pool.offsets[label : label + 2]
        if start == end:  # a choice withholds this class
            return {"synthetic": None}
        row = int(start) + int(self._stream("row").integers(self.pool_per_class))
        return {"synthetic": self._pool.read(np.array([row]))[0]}

    def apply(self, img: np.ndarray, synthetic: np.ndarray | None, **params: Any) -> np.ndarray:
        if synthetic is None:
            return img
        channels = 1 if img.ndim == 2 else img.shape[2]
        span = span_of(img, self._codec)
        if channels not in (1, 3) or not (img.dtype == np.uint8 or span or (img.dtype.kind == "f" and in_unit(img))):
            raise DataError(
                f"An image of {channels} channels and {img.dtype} has no synthetic counterpart.",
                "Use uint8 or floats in 0..1, with 1 or 3 channels; or fit with the range of their values, range=(LOW, "
                "HIGH).",
            )
        axes = "HW" if img.ndim == 2 else "HWC"
        native = Native("array", "L" if channels == 1 else "RGB", img.shape[:2], axes, img.dtype, "named", span=span)
        return native.image(synthetic, self._codec)

    def get_transform_init_args(self) -> dict[str, Any]:
        names = "run", "label_key", "classes", "pool_per_class", "force"
        return {name: getattr(self, name) for name in names} | {"seed": self._seed}

    def _stream(self, purpose: str) -> np.random.Generator:
        worker = get_worker_info()
        place = worker.seed if worker else "main"
        rank = os.environ.get("RANK", "0")  # processes that train together may have one torch seed
        return numpy_stream(self._seed, "synthsample", rank, place, self._calls, purpose)
