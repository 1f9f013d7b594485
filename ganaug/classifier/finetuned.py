"""A network of timm, trained as a whole or frozen: what it makes of pictures, as many at once as there is room for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax
from torchvision.transforms.v2.functional import normalize

from ganaug.classifier.pretrained import config_of
from ganaug.classifier.probe import FLOOR, Probe
from ganaug.defaults import usual_defaults
from ganaug.device import as_memory_allows
from ganaug.errors import DataError
from ganaug.metrics.classification import recalls
from ganaug.reporting import Report, silent

PHASE = "fine-tuning"  # in reports


@dataclass(eq=False)
class Finetuned:
    """A network on its device; pictures are uint8 (N, H, W, C).

    batch: pictures that are in the network at a time, fewer than asked for where memory was short. layout: of values in
    memory. losses: float32
    (steps,), the training loss of every step. watched: accuracy on the validation images, before the first epoch and
    after each; empty without them. kept: the epoch after which the network was as it is; 0 for before the first.
    """

    network: Any
    device: torch.device
    batch: int
    layout: torch.memory_format = torch.contiguous_format
    losses: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    watched: tuple[float, ...] = ()
    kept: int = 0

    @staticmethod
    def of(network: nn.Module, device: torch.device, batch: int, *, safely: bool = False) -> Finetuned:
        """A network, moved there. safely: in the usual layout on CPUs, where torch 2.14 ends the process that trains
        some networks (fastvit_t8, mobileone_s0) with channels last."""
        deep = any(values.ndim > 4 for values in network.parameters())  # for which there is no such layout
        plain = deep or (safely and device.type == "cpu")
        layout = torch.contiguous_format if plain else torch.channels_last
        return Finetuned(network.to(device).to(memory_format=layout), device, batch, layout)

    def predict(self, images: np.ndarray, report: Report = silent) -> np.ndarray:
        """Log-probabilities, float64 (N, K); each row's probabilities sum to 1."""
        logits = self._seen(images, self.network, report)
        return log_softmax(logits.double(), 1).numpy() if len(images) else np.empty((0, self.network.num_classes))

    def features(self, images: np.ndarray, report: Report = silent) -> np.ndarray:
        """What the last layer is given, float32 (N, D), of one picture or more."""

        def looks(x: Tensor) -> Tensor:
            return self.network.forward_head(self.network.forward_features(x), pre_logits=True).flatten(1)

        return self._seen(images, looks, report).numpy()

    def logits(self, pixels: Tensor) -> Tensor:
        """Of pixels (n, C, H, W) on the 0..255 scale, float32 (n, K) on the device."""
        return self.network(self._normalised(pixels)).float()

    def learns(self, statistics: bool) -> None:
        """Training mode; the statistics of batch norm move as well, or not."""
        self.network.train()
        for layer in self.network.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and not statistics:
                layer.eval()

    def end_in(self, probe: Probe) -> bool:
        """The last layer becomes a probe of its features; False, where there is no single linear one: it stays."""
        slopes = probe.slopes / probe.spread[:, None]
        offsets = probe.offsets - probe.mean @ slopes
        known = np.isfinite(offsets)
        offsets[~known] = offsets[known].min() + np.log(FLOOR)  # a class without images
        layer = self.network.get_classifier()
        if not isinstance(layer, nn.Linear | nn.Conv2d) or layer.weight.numel() != slopes.size or layer.bias is None:
            return False
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(slopes.T).reshape(layer.weight.shape))
            layer.bias.copy_(torch.from_numpy(offsets))
        return True

    def refuse_other_than(self, shape: tuple[int, ...]) -> None:
        """Raises DataError where the network cannot look at pictures of this shape (H, W, C)."""
        channels, height, width = self._config["input_size"]
        try:
            if shape[-1] != channels:
                raise ValueError(f"it takes {channels} channels")  # one would be taken for all of them
            self.predict(np.zeros((1, *shape), dtype=np.uint8))
        except (AssertionError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split()).rstrip(".")[:300]
            raise DataError(
                f"The network cannot take pictures of {' x '.join(map(str, shape))}: {reason}.",
                f"Lay them out by its `Frame`: {height} x {width} x {channels}.",
            ) from error

    @usual_defaults()
    @torch.inference_mode()
    def _seen(self, images: np.ndarray, looks: Callable[[Tensor], Tensor], report: Report) -> Tensor:
        """What the network in evaluation mode makes of pictures, on the CPU; of none, nothing."""
        self.network.eval()

        def all_of(batch: int) -> Tensor:
            parts = (on_top(np.array(images[start : start + batch])) for start in range(0, len(images), batch))
            seen = [looks(self._normalised(part)).float().cpu() for part in parts]
            return torch.cat(seen) if seen else torch.empty(0)

        found, self.batch = as_memory_allows(all_of, self.batch, partial(report, PHASE, 0, len(images)))
        return found

    def _normalised(self, pixels: Tensor) -> Tensor:
        x = normalize(pixels.to(self.device).float() / 255, list(self._config["mean"]), list(self._config["std"]))
        return x.contiguous(memory_format=self.layout)

    @cached_property
    def _config(self) -> dict[str, Any]:
        return config_of(self.network)


def on_top(images: np.ndarray) -> Tensor:
    """(N, H, W, C) -> (N, C, H, W), channels last, as stored."""
    return torch.from_numpy(images).permute(0, 3, 1, 2)


class Best:
    """The weights that do best on validation images, out of those that were looked at."""

    def __init__(self, tuned: Finetuned, images: np.ndarray, labels: np.ndarray, n_classes: int, report: Report):
        self.tuned, self.images, self.labels = tuned, images, np.asarray(labels, dtype=np.int64)
        self.n_classes, self.report = n_classes, report
        self.epoch, self.rank = 0, (-1.0, 0.0)
        self.look(0)

    def look(self, epoch: int) -> int:
        """How many epochs ago it was best."""
        logs = self.tuned.predict(self.images, self.report)
        said = logs.argmax(1)
        self.tuned.watched += (float((said == self.labels).mean()),)
        recall = float(np.nanmean(recalls(self.labels, said, self.n_classes)))
        rank = (recall, float(logs[np.arange(len(said)), self.labels].mean()))
        if rank > self.rank:
            self.epoch, self.rank = epoch, rank
            self.state = copy.deepcopy(self.tuned.network.state_dict())
        return epoch - self.epoch

    def restore(self) -> None:
        """To the network."""
        self.tuned.network.load_state_dict(self.state)
        self.tuned.kept = self.epoch
