"""What a frozen network of timm makes of pictures: computed once, and kept on disk by what it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganaug.classifier.augmentation import augmentation_named
from ganaug.classifier.finetuned import Finetuned
from ganaug.classifier.pictures import BLOCK, Frame
from ganaug.classifier.pretrained import PRETRAINED, config_of, network
from ganaug.classifier.refusals import BROKEN_WEIGHTS
from ganaug.defaults import usual_defaults
from ganaug.errors import WeightsError
from ganaug.files.imagemap import ImageMap
from ganaug.files.integrity import read_whole
from ganaug.keys import seed_layers
from ganaug.reporting import Report, renamed, silent

VERSION = 2  # changes whenever the same pictures would have other features
BATCH = 16  # pictures per forward pass, halved where memory does not suffice
MOST = 1 << 28  # bytes of a file that vouches for features


@dataclass(frozen=True)
class View:
    """How pictures are seen: the augmentation, the number of the view, and the seed that both are drawn by."""

    augmentation: str = "none"
    number: int = 0
    seed: int = 0

    @property
    def identity(self) -> list[Any]:
        """Equal for views in which all is equal: without an augmentation there is one only."""
        if self.augmentation == "none":
            return ["none"]
        return [self.augmentation, self.number, int(self.seed)]


class Backbone:
    """A network of timm that only looks: features are what its last layer is given.

    name: as timm has it. frame: how it takes pictures. width: number of features. digest: what it is, as a name: equal
    for equal names, weights and configurations.
    """

    def __init__(self, name: str, weights: str | Path = PRETRAINED, *, device: torch.device | str = "cpu"):
        """Raises OptionError for an unknown name, WeightsError where there are no weights; see `pretrained.network`."""
        with torch.random.fork_rng(devices=[]):
            seed_layers(torch.device("cpu"), 0, "backbone")  # the same ones each time, where they are drawn
            found: Any = network(name, weights).requires_grad_(False)
        config = config_of(found)
        self.name, self.device, self.frame = name, torch.device(device), Frame.of(config)
        self.digest = _digest(name, found, config)
        self._tuned = Finetuned.of(found, self.device, BATCH)
        channels, *size = self.frame.shape
        nothing = np.zeros((1, *size, channels), dtype=np.uint8)
        self.width = self._tuned.features(nothing).shape[1]  # networks with hidden layers in their heads tell another

    def features(self, pictures: np.ndarray, report: Report = silent) -> np.ndarray:
        """Of uint8 (N, H, W, C) as `frame` lays them out, float32 (N, D).

        Raises OutOfMemoryError where not even one picture has room, WeightsError for features that are not finite.
        """
        if not len(pictures):
            return np.empty((0, self.width), dtype=np.float32)
        found = self._tuned.features(pictures, renamed("features", report))
        if not np.isfinite(found).all():
            raise WeightsError(f"{self.name} gives features that are not finite.", BROKEN_WEIGHTS)
        if len(found) > 1 and not np.ptp(found, 0).any() and np.ptp(pictures, 0).any():
            raise WeightsError(f"{self.name} gives all pictures the same features.", BROKEN_WEIGHTS)
        return found


def features_of(
    backbone: Backbone, pictures: ImageMap, folder: Path, *, view: View | None = None, report: Report = silent
) -> np.ndarray:
    """The features of pictures in one view.

    Parameters
    ----------
    backbone
        The network. Features of two networks, or of one with other weights, lie in files of their own.
    pictures
        As `backbone.frame` lays them out.
    folder
        Where the files lie.
    view
        An augmentation of `AUGMENTATIONS`, drawn for each picture by what it shows and by the view's seed and number,
        is applied first; None for the pictures as they are.

    Returns
    -------
    numpy.ndarray
        float32 (N, D). No picture that is in a file of the folder, whatever set it came with, is looked at again; a
        damaged file is made again.
    """
    view = view or View()
    what = {
        "features": VERSION, "network": backbone.digest, "view": view.identity, "torch": torch.__version__,
        "device": backbone.device.type,
    }  # fmt: skip
    keys = [hashlib.sha256(picture).hexdigest() for picture in pictures.images]
    found = _on_disk(Path(folder), what, set(keys), backbone.width)
    lacking = {key: row for row, key in enumerate(keys) if key not in found}
    if lacking:
        file = ImageMap(Path(folder), {**what, "of": list(lacking)}, (len(lacking), 4 * backbone.width))  # float32
        rows = list(lacking.values())
        file.write(_blocks(backbone, pictures.images, keys, rows, view, report), renamed("features", report))
        found |= dict(zip(lacking, file.images.view(np.float32), strict=True))
    return np.stack([found[key] for key in keys]) if keys else np.empty((0, backbone.width), dtype=np.float32)


def _on_disk(folder: Path, what: dict[str, Any], wanted: set[str], width: int) -> dict[str, np.ndarray]:
    """Features of the wanted pictures that lie in whole files of the folder, by the hash of the picture."""
    found: dict[str, np.ndarray] = {}
    for manifest in sorted(folder.glob("*.json")):
        try:
            identity = json.loads(read_whole(manifest, MOST))["identity"]
            of = identity.pop("of")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if identity != json.loads(json.dumps(what)) or not wanted.intersection(of) - found.keys():
            continue
        file = ImageMap(folder, {**what, "of": of}, (len(of), 4 * width))
        if file.complete():
            rows = zip(of, file.images.view(np.float32), strict=True)
            found |= {key: row for key, row in rows if key in wanted}
    return found


def _blocks(
    backbone: Backbone, images: np.ndarray, keys: Sequence[str], rows: Sequence[int], view: View, report: Report
) -> Iterator[tuple[np.ndarray, str]]:
    change = augmentation_named(view.augmentation)
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        block = images[some]
        if view.augmentation != "none":
            block = np.stack([_changed(image, change, view, keys[row]) for image, row in zip(block, some, strict=True)])
        yield backbone.features(block, report).view(np.uint8), view.augmentation


@usual_defaults()
def _changed(image: np.ndarray, change: Callable[[Tensor], Tensor], view: View, key: str) -> np.ndarray:
    """A picture in a view, uint8 (H, W, C): a function of the view and of what it shows alone."""
    with torch.random.fork_rng(devices=[]):
        seed_layers(torch.device("cpu"), view.seed, "view", view.augmentation, view.number, key)
        seen = change(torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    if seen.is_floating_point():
        seen = seen.round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(seen.permute(1, 2, 0).numpy())


def _digest(name: str, found: nn.Module, config: dict[str, Any]) -> str:
    hashed = hashlib.sha256(json.dumps([name, config], sort_keys=True).encode())
    for key, values in sorted(found.state_dict().items()):
        hashed.update(f"{key} {values.dtype} {tuple(values.shape)}".encode())
        hashed.update(values.detach().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()
