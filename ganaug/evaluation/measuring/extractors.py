"""Networks that turn images into features and scores. The network is part of every figure, so it has a name.

The default is a classifier of the user's own real images: it needs no download, and fits grey 28 px pictures, which
networks trained on photographs do not. Features of two extractors cannot be compared with one another.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import resolve_model_data_config
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.transforms.v2.functional import normalize

from ganaug.classifier.small import Classifier
from ganaug.errors import MissingPackageError, OptionError, WeightsError

OWN = "own classifier"
CHUNK = 64  # images per forward pass of a large network


@dataclass(frozen=True)
class Extractor:
    """name: what is printed beside a figure. features, scores: uint8 (N, C, H, W) -> float32 (N, D), (N, K), CPU.

    K are the extractor's own classes: those of the data for `own`, else those of ImageNet.
    """

    name: str
    features: Callable[[Tensor], Tensor]
    scores: Callable[[Tensor], Tensor]


def own(classifier: Classifier) -> Extractor:
    """The classifier trained on the user's own real images."""
    return Extractor(OWN, classifier.features, classifier.predict)


def from_timm(name: str, weights: str | Path | None = None, device: torch.device | str = "cpu") -> Extractor:
    """A pretrained timm model: images are resized to its input size, grey ones repeated to three channels.

    weights: a safetensors file of this model's weights; without it they are fetched, or found where they were fetched
    to before. Raises OptionError for an unknown name, WeightsError where there are no weights.
    """
    if not timm.is_model(name.split(".")[0]):
        near = difflib.get_close_matches(name, timm.list_models(), 3)
        raise OptionError(f"timm has no model {name!r}.", f"Did you mean {' or '.join(near)}?" if near else "")
    try:
        with _silent_hub():
            model = timm.create_model(name, pretrained=weights is None)
        if weights is not None:
            from safetensors.torch import load_file

            model.load_state_dict(load_file(weights))
    except Exception as error:  # whatever a download, a cache or a file can raise
        raise WeightsError(
            f"The weights of timm's {name} cannot be had: {str(error).rstrip('.') or type(error).__name__}.",
            "Give a network connection, a file (timm:NAME@weights.safetensors), or use --extractor own.",
        ) from error
    network: Any = model.eval().requires_grad_(False).to(device)
    config = resolve_model_data_config(network)

    def of(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda pixels: _in_chunks(pixels, lambda x: forward(_ready(x, config, device)))

    features = of(lambda x: network.forward_head(network.forward_features(x), pre_logits=True))
    return Extractor(f"timm {name}", features, of(network))


@contextmanager
def _silent_hub() -> Iterator[None]:
    """Without a line of the hub's log for each of ten tries: the error says it once."""
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def inception(device: torch.device | str = "cpu") -> Extractor:
    """The Inception network of the published FID and Inception score, by torch-fidelity, which fetches its weights.

    Raises MissingPackageError without torch-fidelity, WeightsError without network or fetched weights.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MissingPackageError("Inception comes with torch-fidelity.", "pip install torch-fidelity") from error
    layers = ("2048", "logits_unbiased")
    try:
        network: nn.Module = FeatureExtractorInceptionV3("inception-v3-compat", list(layers), verbose=False)
    except OSError as error:
        raise WeightsError(
            f"The weights of Inception cannot be fetched: {error}.",
            "Run it once with a network connection, or use --extractor own.",
        ) from error
    network = network.eval().requires_grad_(False).to(device)

    def layer(number: int) -> Callable[[Tensor], Tensor]:
        return lambda pixels: _in_chunks(pixels, lambda x: network(_in_colour(x).to(device))[number])

    return Extractor("inception-v3-compat (torch-fidelity)", layer(0), layer(1))


@torch.inference_mode()
def _in_chunks(pixels: Tensor, forward: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.cat([forward(part).flatten(1).float().cpu() for part in pixels.split(CHUNK)])


def _in_colour(pixels: Tensor) -> Tensor:
    return pixels.expand(-1, 3, -1, -1) if pixels.shape[1] == 1 else pixels


def _ready(pixels: Tensor, config: dict[str, Any], device: torch.device | str) -> Tensor:
    """uint8 (n, C, H, W) as the network saw its own training images."""
    x = _in_colour(pixels).to(device).float() / 255
    x = interpolate(x, config["input_size"][1:], mode="bicubic", antialias=True).clamp(0, 1)
    return normalize(x, list(config["mean"]), list(config["std"]))
