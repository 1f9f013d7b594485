"""Networks that turn images into features and scores. The network is part of every figure, so it has a name.

The default is a classifier of the user's own real images: it needs no download, and fits grey 28 px pictures, which
networks trained on photographs do not. Features of two extractors cannot be compared with one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.transforms.v2.functional import normalize

from ganaug.classifier.pretrained import PRETRAINED, config_of, network
from ganaug.classifier.small import Classifier
from ganaug.errors import MissingPackageError, WeightsError

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
    try:
        body: Any = network(name, PRETRAINED if weights is None else weights).requires_grad_(False).to(device)
    except WeightsError as error:
        raise WeightsError(error.cause, f"{error.fix} Or use --extractor own.") from error
    config = config_of(body)

    def of(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda pixels: _in_chunks(pixels, lambda x: forward(_ready(x, config, device)))

    features = of(lambda x: body.forward_head(body.forward_features(x), pre_logits=True))
    return Extractor(f"timm {name}", features, of(body))


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
        body: nn.Module = FeatureExtractorInceptionV3("inception-v3-compat", list(layers), verbose=False)
    except OSError as error:
        raise WeightsError(
            f"The weights of Inception cannot be fetched: {error}.",
            "Run it once with a network connection, or use --extractor own.",
        ) from error
    body = body.eval().requires_grad_(False).to(device)

    def layer(number: int) -> Callable[[Tensor], Tensor]:
        return lambda pixels: _in_chunks(pixels, lambda x: body(_in_colour(x).to(device))[number])

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
