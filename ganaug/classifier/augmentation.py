"""Augmentations (a batch of real pixels in, the same batch seen differently out) and blends,
which mix the images of a batch, and their labels, with each other.

An augmentation maps uint8 (B, C, H, W) to uint8 or float of the same shape on the same 0..255 scale. It draws from
torch's global random stream, so that torchvision's own can stand beside ours; the classifier calls it inside
`torch.random.fork_rng()` with a keyed seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad
from torchvision.transforms import v2

from ganaug.errors import OptionError
from ganaug.networks.changes import AFFINE, CHANGES, changes_named
from ganaug.networks.eyes import AffineEye

Augmentation = Callable[[Tensor], Tensor]
Blend = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

SHIFT = 1 / 8  # of the side: the largest shift of `crops`, `flips` and (half of it) of `affine`
TURN = 10.0  # degrees: the largest rotation of `affine`
SCALE = 0.1  # the largest change of size of `affine`
MOVED = 0.8  # how likely each of the changes is that the user allows


def none(pixels: Tensor) -> Tensor:
    """The images as they are."""
    return pixels


def crops(pixels: Tensor) -> Tensor:
    """Pad each side by an eighth (edge pixels repeated) and crop back at a random place, drawn per image."""
    batch, _, height, width = pixels.shape
    reach = max(1, round(SHIFT * min(height, width)))
    padded = pad(pixels.float(), (reach,) * 4, mode="replicate").to(pixels.dtype)
    top = torch.randint(0, 2 * reach + 1, (batch,)).to(pixels.device)
    left = torch.randint(0, 2 * reach + 1, (batch,)).to(pixels.device)
    rows = top[:, None] + torch.arange(height, device=pixels.device)
    columns = left[:, None] + torch.arange(width, device=pixels.device)
    items = torch.arange(batch, device=pixels.device)
    cropped = padded[items[:, None, None], :, rows[:, :, None], columns[:, None, :]]  # (B, H, W, C)
    return cropped.permute(0, 3, 1, 2)


def flips(pixels: Tensor) -> Tensor:
    """`crops`, then each image mirrored left to right with probability 1/2."""
    mirrored = (torch.rand(len(pixels)) < 0.5).to(pixels.device)
    cropped = crops(pixels)
    return torch.where(mirrored[:, None, None, None], cropped.flip(3), cropped)


def affine(pixels: Tensor) -> Tensor:
    """Light rotation (10 degrees), scaling (10 %) and shift (1/16 of the side), uniform, drawn per image."""
    batch = len(pixels)
    turn, scale, right, down = (torch.rand(4, batch) * 2 - 1).to(pixels.device)
    angle = turn * (TURN * torch.pi / 180)
    size = 1 + scale * SCALE
    cosine, sine = angle.cos() / size, angle.sin() / size
    top, bottom = torch.stack([cosine, -sine, right * SHIFT], 1), torch.stack([sine, cosine, down * SHIFT], 1)
    theta = torch.stack([top, bottom], 1)
    grid = affine_grid(theta, list(pixels.shape), align_corners=False)
    return grid_sample(pixels.float(), grid, padding_mode="border", align_corners=False)


class _RandAugment(v2.RandAugment):
    """torchvision's, of a batch: each image has its own operations, and those that share one get it in one call.

    It draws as torchvision does for one image after the other, and gives the same bytes, with at most 38 calls for a
    batch in place of two an image; at 8 to 64 px most of the time goes into calls, not into pixels. (It needs two parts
    of torchvision that are not public, as no public one applies a given operation; the test against torchvision would
    tell.)
    """

    def of_batch(self, pixels: Tensor) -> Tensor:
        """uint8 (B, C, H, W) -> likewise."""
        height, width = pixels.shape[2:]
        operations = {
            name: (strengths(self.num_magnitude_bins, height, width), signed)
            for name, (strengths, signed) in self._AUGMENTATION_SPACE.items()
        }
        names = tuple(operations)
        rounds: list[dict[tuple[str, float], list[int]]] = [{} for _ in range(self.num_ops)]
        for row in range(len(pixels)):
            for alike in rounds:
                name = names[int(torch.randint(len(names), ()))]
                strengths, signed = operations[name]
                strength = 0.0 if strengths is None else float(strengths[self.magnitude])
                if strengths is not None and signed and torch.rand(()) <= 0.5:
                    strength = -strength
                alike.setdefault((name, strength), []).append(row)
        seen = pixels.clone()
        for alike in rounds:
            for (name, strength), members in alike.items():
                rows = torch.tensor(members, device=pixels.device)
                seen[rows] = self._apply_image_or_video_transform(
                    seen[rows], name, strength, interpolation=self.interpolation, fill=self._fill
                )
        return seen


_TRIVIAL = v2.TrivialAugmentWide()
_RANDAUGMENT = _RandAugment(num_ops=2, magnitude=7)


def trivial(pixels: Tensor) -> Tensor:
    """torchvision's `TrivialAugmentWide` (arXiv 2103.10158): one random operation of random strength per image."""
    return torch.stack([_TRIVIAL(image) for image in pixels])


def randaugment(pixels: Tensor) -> Tensor:
    """torchvision's `RandAugment` (arXiv 1909.13719), two operations of magnitude 7 per image."""
    return _RANDAUGMENT.of_batch(pixels)


@dataclass(frozen=True)
class Changed:
    """Some of `CHANGES`, as strong as the discriminator of a fit sees them."""

    changes: tuple[str, ...]

    def __call__(self, pixels: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        seen = AffineEye(allow=self.changes, p=MOVED)(pixels.float() / 127.5 - 1, rng)
        return ((seen + 1) * 127.5).clamp(0, 255)


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": none,
    "crops": crops,
    "affine": affine,
    "flips": flips,
    "trivial": trivial,
    "randaugment": randaugment,
}
NEEDS = {"none": "", "crops": "shift-x shift-y", "affine": "turn scale shift-x shift-y",
         "flips": "flip-x shift-x shift-y"}  # the changes that it makes, where these are all of `CHANGES`  # fmt: skip


@cache
def augmentation_named(name: str) -> Augmentation:
    """The augmentation of this name, or of changes whose names are joined by "+". Raises OptionError, listing the
    names, when there is none."""
    if name in AUGMENTATIONS:
        return AUGMENTATIONS[name]
    parts = name.split("+")
    if not set(parts) <= set(CHANGES):
        raise OptionError(
            f"There is no augmentation {name!r}.",
            f"Choose one of: {', '.join(AUGMENTATIONS)}; or join by + some of: {', '.join(CHANGES)}.",
        )
    return Changed(changes_named(parts))


def keeps_labels(name: str, allow: Collection[str] | None) -> bool:
    """Whether an augmentation makes only changes that are allowed (None: nobody said which)."""
    if allow is None:
        return True
    changes = NEEDS[name].split() if name in NEEDS else () if name in AUGMENTATIONS else name.split("+")
    return name == "none" or (bool(changes) and set(changes) <= set(allow))


def usable(usual: Sequence[str], allow: Collection[str] | None) -> tuple[str, ...]:
    """Of the usual augmentations those that are allowed; where somebody said what is, also all that moves an image, and
    all of it at once."""
    kept = [name for name in usual if keeps_labels(name, allow)]
    moves = [name for name in allow or () if name in AFFINE or name.startswith("flip")]
    return tuple(dict.fromkeys([*kept, *("+".join(some) for some in (moves, allow) if some)]))


def instead_of(usual: str, allow: Collection[str] | None) -> str:
    """The usual augmentation, where nobody said what is allowed; else all that is, at once."""
    return usual if allow is None else "+".join(allow) or "none"


_MIXUP, _CUTMIX = v2.MixUp(alpha=0.2), v2.CutMix(alpha=1.0)


def apart(pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The batch as it is."""
    return pixels, targets


def mixup(pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """torchvision's `MixUp` (arXiv 1710.09412), alpha 0.2: each image is averaged with its neighbour in the batch."""
    return _MIXUP(pixels.float(), targets)


def cutmix(pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """torchvision's `CutMix` (arXiv 1905.04899), alpha 1: a box of each image comes from its neighbour in the batch."""
    return _CUTMIX(pixels.float(), targets)


# pixels (B, C, H, W) and targets (B, K), weights of the classes -> both, blended alike
BLENDS: dict[str, Blend] = {"none": apart, "mixup": mixup, "cutmix": cutmix}


def blend_named(name: str) -> Blend:
    """The blend of this name. Raises OptionError, listing the names, when there is none."""
    if name not in BLENDS:
        raise OptionError(f"There is no blend {name!r}.", f"Choose one of: {', '.join(BLENDS)}.")
    return BLENDS[name]
