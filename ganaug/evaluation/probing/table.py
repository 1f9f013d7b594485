"""Features of labelled images, as one table: .npz, or .parquet where pyarrow is installed."""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.data.load import LabelledImages, load_images
from ganaug.data.outputs import require_outside
from ganaug.data.spec import ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.errors import DataError, MissingPackageError, OptionError
from ganaug.evaluation.probing.backbones import Backbone, backbone
from ganaug.files.integrity import write_atomically
from ganaug.generator.folder import OwnRecipe
from ganaug.generator.parts import FitParts, reading_like
from ganaug.options import Reading, merged
from ganaug.reporting import Report, silent
from ganaug.samples.run import Loadable, as_fitted

CHUNK = 256  # images per forward pass
FORMS = (".npz", ".parquet")


@dataclass(frozen=True, eq=False)
class Features:
    """What a run knows about labelled images.

    Attributes
    ----------
    values : ndarray
        float32 (N, D).
    images : LabelledImages
        The images themselves, at the size of the run.
    seen : ndarray
        bool (N,): whether gradients of the fit saw the image.
    part : str
        Where the features come from, as in `ganaug.backbone`.
    generator : str
        Hash of the run's generator.
    """

    values: np.ndarray
    images: LabelledImages
    seen: np.ndarray
    part: str
    generator: str

    def __repr__(self) -> str:
        return f"Features({len(self.values)} images, {self.values.shape[1]} values of the {self.part})"

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,); label i means `images.classes[i]`."""
        return self.images.labels.numpy()

    def save(self, file: str | Path) -> Path:
        """Write the table to a file.

        Parameters
        ----------
        file : str or Path
            A .npz file (features, labels, classes, names, seen, part, generator), or a .parquet file (one column for
            each feature, then class, name, seen).

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OptionError
            The suffix is another one.
        MissingPackageError
            Parquet without pyarrow.
        """
        file = checked(file)
        require_outside(file, classes=self.images.classes)
        write_atomically(file, self._npz() if file.suffix == ".npz" else self._parquet())
        return file

    def _npz(self) -> bytes:
        target = io.BytesIO()
        np.savez_compressed(
            target, features=self.values, labels=self.labels, classes=np.array(self.images.classes),
            names=np.array(self.images.names), seen=self.seen, part=np.array(self.part),
            generator=np.array(self.generator),
        )  # fmt: skip
        return target.getvalue()

    def _parquet(self) -> bytes:
        arrow, parquet = _pyarrow()
        columns = {f"feature_{i}": column for i, column in enumerate(self.values.T)}
        columns["class"] = [self.images.classes[label] for label in self.labels]
        columns |= {"name": list(self.images.names), "seen": self.seen}
        target = io.BytesIO()
        table = arrow.table(columns).replace_schema_metadata({"part": self.part, "generator": self.generator})
        parquet.write_table(table, target)
        return target.getvalue()


@usual_defaults()
def features(
    run: Loadable,
    data: Any,
    reading: Reading | None = None,
    *,
    part: str = "auto",
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    recipe: OwnRecipe | None = None,
    report: Report = silent,
    **given: Any,
) -> Features:
    """Give what a run knows about labelled images: those it was fitted on, or others of the kind.

    The classes may differ. The same images give the same bytes on one machine.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run of images.
    data : any source or LabelledImages
        The images, in any form that `ganaug.load_images` takes.
    reading : Reading, optional
        How they are read.
    part : str, default "auto"
        Where the features come from, as in `ganaug.backbone`.
    limit : int, optional
        At most so many images of each class.
    seed : int, default 0
        Chooses among the images where there is a limit.
    device : str, default "cpu"
        Where the network runs.
    recipe : Recipe or callable, optional
        The recipe, or a function of the settings that gives it, for a run that was fitted with one of your own.
    report : callable, optional
        Called as `report(phase, done, total, text)`.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    Features
        Values float32 (N, D), labels, and which images the fit saw; `save(file)` writes .npz or .parquet.

    Raises
    ------
    OptionError
        The run has no such part.
    ArtefactError
        Weights are missing.
    DataError
        The images cannot be used, or have another size than those of the run.

    Examples
    --------
    >>> import ganaug
    >>> table = ganaug.features("runs/digits", "digits", limit=5)
    >>> table.values.shape[0], table.labels.shape
    (50, (50,))
    """
    fitted = as_fitted(run)
    knows = backbone(fitted, part, recipe=recipe)
    channels, _, side = fitted.card.shape
    images = data
    if not isinstance(data, LabelledImages):
        images = load_images(
            data, reading_like(fitted.card, data, merged(Reading, reading, given)), size=side, channels=channels,
            proportion=fitted.card.codec.size, limit=limit, seed=seed, at_least=0, report=report,
        )  # fmt: skip
    if images.spec.shape != fitted.card.shape:
        raise DataError(
            f"The images are {images.spec.shape}, the run was fitted on {fitted.card.shape} (channels, height, width).",
            "Give the source of the images, which are then resized.",
        )
    values = _values(knows, images, device, report)
    return Features(values, images, FitParts(images, fitted.card).inside, knows.part, fitted.hash)


@torch.inference_mode()
def _values(knows: Backbone, images: LabelledImages, device: str, report: Report) -> np.ndarray:
    knows = knows.to(device)
    parts = []
    for start in range(0, len(images), CHUNK):
        pixels = images.stored[start : start + CHUNK].to(device)
        parts.append(knows(ImageCodec.encode(pixels)).float().cpu())
        report("features", min(start + CHUNK, len(images)), len(images), knows.part)
    return torch.cat(parts).numpy()


def checked(file: str | Path) -> Path:
    """The file, if features can be written in its form."""
    file = Path(file)
    if file.suffix not in FORMS:
        raise OptionError(
            f"Features cannot be written as {file.name!r}.", f"Give a name that ends in {' or '.join(FORMS)}."
        )
    if file.suffix == ".parquet":
        _pyarrow()
    return file


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingPackageError(
            "pyarrow, which writes .parquet files, is not installed.",
            "Install pyarrow, or give a name that ends in .npz.",
        ) from error
