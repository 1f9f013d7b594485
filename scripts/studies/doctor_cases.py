"""Small fits, healthy ones and ones with a planted fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganaug.data.load import LabelledImages
from ganaug.data.pixels import Pixels
from ganaug.data.spec import ImageCodec
from ganaug.game import Adam, Networks, Recipe
from ganaug.keys import torch_stream
from ganaug.networks.eyes import AffineEye, OpenEye
from ganaug.recipes import make

EACH, STEPS = 60, 500
OF_NOISE = ("chequered or noisy samples", "flat samples", "samples at chance", "unrealistic samples")
LITTLE: Mapping[str, Any] = {"width": 12, "widest": 48, "batch": 32}  # settings of the recipe small


@dataclass(frozen=True)
class Case:
    """One small fit. expected: findings of which one must be made, () if it is healthy; the others are no mistake
    either, nor are those of also. counted: whether the doctor knows how many rounds the recipe takes; else it has the
    samples alone to go by. classes: the first so many. shown: what gradients see, in place of the training
    images. spoil: what is done to the networks before a check-up looks at them."""

    recipe: Recipe
    expected: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    steps: int = STEPS
    each: int = EACH
    classes: int = 10
    counted: bool = True
    shown: Callable[[LabelledImages, int], LabelledImages] = lambda images, seed: images
    spoil: Callable[[Networks, LabelledImages], Networks] = lambda nets, images: nets


class Spoiled(nn.Module):
    """A generator of which `change` alters latent and label on their way in."""

    def __init__(self, generator: nn.Module, change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]):
        super().__init__()
        self.generator, self.change = generator, change

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.generator(*self.change(z, y))


class Copying(nn.Module):
    """A generator that answers with training images and a little noise, every second time."""

    def __init__(self, generator: nn.Module, images: LabelledImages):
        super().__init__()
        self.generator, self.images = generator, images

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        x = self.generator(z, y)
        for i in range(0, len(x), 2):
            rows = (self.images.labels == y[i]).nonzero()[:, 0]
            x[i] = ImageCodec.encode(self.images.pixels[rows[i % len(rows)]]) + 0.02 * z[i, 0].tanh()
        return x


def narrow(z: Tensor) -> Tensor:
    """Latents of nearly one length and direction, whatever is drawn."""
    return 1 + 0.02 * z


def with_generator(recipe: Recipe, change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Recipe:
    def networks(spec, prior):
        nets = recipe.networks(spec, prior)
        return {**nets, "generator": Spoiled(nets["generator"], change)}

    return replace(recipe, networks=networks)


def with_eye(recipe: Recipe, eye: nn.Module) -> Recipe:
    return replace(recipe, networks=lambda spec, prior: {**recipe.networks(spec, prior), "eye": eye})


def with_rates(recipe: Recipe, discriminator: Adam, generator: Adam) -> Recipe:
    """Optimisers of the two players."""
    d, g = recipe.players
    return replace(recipe, players=(replace(d, optimiser=discriminator), replace(g, optimiser=generator)))


def noisy_labels(images: LabelledImages, seed: int) -> LabelledImages:
    """Three classes whose labels are those of the next class, two times in three."""
    rng = torch_stream(seed, "noisy labels")
    wrong = (images.labels < 3) & (torch.rand(len(images), generator=rng) < 0.67)
    return replace(images, labels=torch.where(wrong, (images.labels + 1) % 3, images.labels))


def augmented(images: LabelledImages, seed: int) -> LabelledImages:
    """Each image eight times as a strong eye sees it."""
    eye, rng = AffineEye(shift=0.2, turn=25, zoom=0.25, p=1.0), torch_stream(seed, "augmented")
    seen = [ImageCodec.decode(eye(ImageCodec.encode(images.pixels), rng)) for _ in range(8)]
    marks = tuple(f"{mark} {i}" for i in range(8) for mark in images.fingerprints)
    return replace(
        images, stored=Pixels.of(torch.cat(seen)), labels=images.labels.repeat(8), fingerprints=marks, names=marks,
        likenesses=(),
    )  # fmt: skip


def cases() -> dict[str, Case]:
    small = make("small", LITTLE)
    bare = make("small", {**LITTLE, "gamma": 0.0})
    swapped = lambda z, y: (z, torch.where(y < 2, 1 - y, y))  # noqa: E731
    return {
        "healthy: small": Case(small),
        "healthy: small, wider": Case(make("small", {**LITTLE, "width": 16})),
        "healthy: aae": Case(make("aae", {})),
        "healthy: wgan_gp": Case(make("wgan_gp", {}), steps=STEPS // 2),
        "hardly trained": Case(
            make("r3gan", {"width": 8}), OF_NOISE, steps=STEPS // 5,
        ),
        "5 % of the advised steps": Case(small, ("far too few steps",), steps=small.advised // 20),
        "5 % of the advised steps, by samples alone": Case(
            small, OF_NOISE, also=("mode collapse", "mode collapse within classes"), steps=small.advised // 20,
            counted=False,
        ),
        "20 steps, by samples alone": Case(
            small, OF_NOISE, also=("mode collapse", "mode collapse within classes"), steps=20, counted=False,
        ),
        "collapse": Case(with_generator(small, lambda z, y: (narrow(z), y)), ("mode collapse",)),
        "collapse of two classes": Case(
            with_generator(small, lambda z, y: (torch.where(y[:, None] < 2, narrow(z), z), y)),
            ("mode collapse within classes",),
        ),
        "learned by heart": Case(
            with_eye(make("small", {**LITTLE, "gamma": 0.02, "width": 24}), OpenEye()),
            ("discriminator overfits", "copies of training images"), each=8, steps=2 * STEPS,
        ),
        "discriminator too fast": Case(
            with_rates(bare, Adam(2e-3, (0.0, 0.99)), Adam(1e-5, (0.0, 0.99))),
            ("discriminator saturated", "no convergence"),
        ),
        "no convergence": Case(
            with_rates(make("gan", {}), Adam(2e-3, (0.5, 0.99)), Adam(2e-5, (0.5, 0.99))),
            ("no convergence", "discriminator saturated"), also=("mode collapse", "mode collapse within classes"),
        ),
        "players chase each other": Case(
            with_rates(bare, Adam(1e-2, (0.9, 0.99)), Adam(1e-2, (0.9, 0.99))),
            ("oscillation", "no convergence", "mode collapse", "mode collapse within classes"),
            also=("discriminator saturated", "unrealistic samples"),
        ),
        "labels swapped": Case(
            small, ("labels swapped",),
            spoil=lambda nets, images: {**nets, "generator": Spoiled(nets["generator"], swapped)},
        ),
        "labels of two classes swapped": Case(
            small, ("labels swapped",), classes=2,
            spoil=lambda nets, images: {**nets, "generator": Spoiled(nets["generator"], swapped)},
        ),
        "labels leak": Case(small, ("labels leak", "labels swapped"), shown=noisy_labels),
        "augmentation leaks": Case(
            with_eye(small, OpenEye()), ("augmentation leaks",), shown=augmented,
            spoil=lambda nets, images: {**nets, "eye": AffineEye(shift=0.2, turn=25, zoom=0.25, p=1.0)},
        ),
        "copies": Case(
            small, ("copies of training images",),
            spoil=lambda nets, images: {**nets, "generator": Copying(nets["generator"], images)},
        ),
        "not finite": Case(
            with_rates(bare, Adam(1e20, (0.0, 0.99)), Adam(1e20, (0.0, 0.99))), ("not finite",),
        ),
    }  # fmt: skip
