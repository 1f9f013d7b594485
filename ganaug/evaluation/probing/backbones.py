"""What a run knows about images, as a frozen network with the methods of a timm model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from ganaug.defaults import usual_defaults
from ganaug.errors import OptionError
from ganaug.game import CycleRound, JointRound, NoiseRound, Recipe
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted, OwnRecipe, rules_of
from ganaug.generator.last import last_network
from ganaug.networks.comparing import in_groups_of
from ganaug.networks.equalised import EqualConv, EqualLinear
from ganaug.samples.run import Loadable, as_fitted

PENULTIMATE = "encoder-penultimate"
WEIGHING = (nn.Linear, nn.modules.conv._ConvNd, EqualLinear, EqualConv)


class Backbone(nn.Module):
    """A frozen network that turns images into features, with the methods of a timm model.

    Images are float (N, C, H, W) in [-1, 1], of the size at which the run was fitted. All but the head is frozen.
    Without a head (`num_classes` 0) a call gives the features.

    Parameters
    ----------
    known : torch.nn.Module
        The network.
    part : str
        Where the features come from.
    input_size : tuple of int
        (C, H, W).
    num_classes : int, default 0
        Outputs of a new linear head.

    Attributes
    ----------
    num_features : int
        Length of the features.
    pretrained_cfg : dict
        For timm's transforms (mean and standard deviation 0.5).
    """

    def __init__(self, known: nn.Module, part: str, input_size: tuple[int, ...], num_classes: int = 0):
        super().__init__()
        self.known = known.requires_grad_(False).eval()
        self.part, self.input_size = part, input_size
        with torch.no_grad():
            self.num_features: int = known(torch.zeros(2, *input_size)).shape[1]
        self.pretrained_cfg = {
            "input_size": input_size, "fixed_input_size": True, "interpolation": "bicubic", "crop_pct": 1.0,
            "mean": (0.5,) * input_size[0], "std": (0.5,) * input_size[0],
        }  # fmt: skip
        self.reset_classifier(num_classes)

    def reset_classifier(self, num_classes: int) -> None:
        """Put a new linear head on; 0 takes it off."""
        self.num_classes = num_classes
        self.head: nn.Module = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def get_classifier(self) -> nn.Module:
        return self.head

    def forward_features(self, x: Tensor) -> Tensor:
        """(N, num_features)."""
        return self.known(x)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        return features if pre_logits else self.head(features)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def train(self, mode: bool = True) -> Backbone:
        """Only the head is ever in training mode: what is frozen answers the same in both."""
        super().train(mode)
        self.known.eval()
        return self


@usual_defaults()
def backbone(run: Loadable, part: str = "auto", *, recipe: OwnRecipe | None = None) -> Backbone:
    """Give what a run knows about images, as a frozen network with the methods of a timm model.

    Where a network wants a label, the features are the mean over all labels: no label is given away.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run of images.
    part : str, default "auto"
        Where the features come from:

        - "encoder": the mean code of an image (BiGAN, adversarial and variational autoencoder);
        - "encoder-penultimate": what goes into the encoder's last layer;
        - "reader": what InfoGAN reads off an image: the probability of each value of its one-hot codes, then its
          uniform codes;
        - "discriminator": what goes into its last layer, with its last weights, which are in the run folder; BiGAN's is
          shown the image with its code;
        - "auto": the encoder, else the reader, else the discriminator.
    recipe : Recipe or callable, optional
        The recipe, or a function of the settings that gives it, for a run that was fitted with one of your own.

    Returns
    -------
    Backbone
        Images float (N, C, H, W) in [-1, 1] -> features (N, num_features).

    Raises
    ------
    OptionError
        The run has no such part.
    ArtefactError
        Weights are missing.

    References
    ----------
    Donahue et al. 2017, "Adversarial feature learning", 1605.09782, section 4.3.

    Examples
    --------
    >>> import ganaug, torch
    >>> known = ganaug.backbone("runs/digits")
    >>> known.part, known(torch.zeros(2, 1, 8, 8)).shape[0]
    ('discriminator', 2)
    """
    fitted = as_fitted(run)
    game = rules_of(fitted.card, recipe)
    has = [name for name in ("encoder", "reader") if name in fitted.networks]
    if (game.wiring in (NoiseRound, CycleRound) and not has) or (game.wiring is JointRound and has):
        has.append("discriminator")
    if "encoder" in has:
        has.append(PENULTIMATE)
    chosen = part if part != "auto" else next(iter(has), "")
    if chosen not in has:
        raise OptionError(
            f"A run of the recipe {fitted.card.recipe} has no part {part!r} that knows about single images.",
            f"It has: {', '.join(has)}." if has else "Use a run of another recipe: bigan, infogan, aae, vae, or a GAN.",
        )
    return Backbone(_known(fitted, chosen, game), chosen, fitted.card.shape)


def _known(fitted: Fitted, part: str, recipe: Recipe) -> nn.Module:
    if part == "encoder":
        return _AnyLabel(_Code(fitted.networks["encoder"]), fitted.card)
    if part == PENULTIMATE:
        return _AnyLabel(_Penultimate(fitted.networks["encoder"]), fitted.card)
    if part == "reader":
        return _Read(fitted.networks["eye"], fitted.networks["reader"])
    judge: nn.Module = last_network(fitted, part, recipe)
    if recipe.wiring is JointRound:
        judge = _OfPair(judge, fitted.networks["encoder"])
    return _AnyLabel(_Penultimate(judge), fitted.card)


class _AnyLabel(nn.Module):
    """(x, y) -> features as x -> features: the mean over all labels, or one of them where the label plays no part."""

    def __init__(self, known: nn.Module, card: Card):
        super().__init__()
        self.known, self.count = known, len(card.classes)
        x = torch.linspace(-1, 1, 2 * torch.Size(card.shape).numel()).view(2, *card.shape)
        with torch.no_grad():
            first = known(x, torch.zeros(2, dtype=torch.int64))
            others = (known(x, torch.full((2,), label)) for label in range(1, self.count))
            if all(torch.allclose(first, other, atol=1e-6) for other in others):
                self.count = 1

    def forward(self, x: Tensor) -> Tensor:
        total = self.known(x, torch.zeros(len(x), dtype=torch.int64, device=x.device))
        for label in range(1, self.count):
            total = total + self.known(x, torch.full((len(x),), label, device=x.device))
        return total / self.count


class _Code(nn.Module):
    """The mean code."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.encoder(x, y)[0]


class _Read(nn.Module):
    """Probabilities of the one-hot codes, then the uniform codes."""

    def __init__(self, eye: nn.Module, reader: nn.Module):
        super().__init__()
        self.eye, self.reader = eye, reader

    def forward(self, x: Tensor) -> Tensor:
        logits, means = self.reader(self.eye(x, torch.Generator()))
        return torch.cat([*(part.softmax(1) for part in logits), means], 1)


class _OfPair(nn.Module):
    """The score of an image and its mean code."""

    def __init__(self, discriminator: nn.Module, encoder: nn.Module):
        super().__init__()
        self.encoder, self.discriminator = encoder, discriminator

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.discriminator(x, self.encoder(x, y)[0], y)


class _Penultimate(nn.Module):
    """What goes into the last linear or convolutional layer that a network of images and labels runs, flattened.

    Layers that compare the items of a batch compare each with itself: what is known about an image depends on no other.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network = in_groups_of(network, 1)  # a copy: it will be listened to
        self.inputs: list[Tensor] = []
        for layer in network.modules():
            if isinstance(layer, WEIGHING):
                layer.register_forward_pre_hook(cast(Callable[..., Any], self._note))

    def _note(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.inputs.append(inputs[0])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        self.inputs.clear()
        self.network(x, y)
        features = self.inputs[-1].flatten(1)
        self.inputs.clear()
        return features
