"""What is measured: samples of every class."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganaug.errors import TooFewImagesError
from ganaug.evaluation.measuring.sides import Sides
from ganaug.generator.folder import Fitted
from ganaug.reporting import Report
from ganaug.samples.blocks import Renderer
from ganaug.samples.variants import Variants


def samples_of(
    fitted: Fitted, parts: Sides, count: int, seed: int, device: torch.device, report: Report
) -> tuple[tuple[Tensor, Tensor], tuple[str, ...]]:
    """uint8 (N, C, H, W), class after class, `count` of each where there are so many; labels int64 (N,); notes."""
    classes = fitted.card.classes
    images = []
    notes: tuple[str, ...] = ()
    if fitted.starts_from is None:
        renderer = Renderer(fitted, seed, device=device)
        for label, name in enumerate(classes):
            images.append(np.concatenate(list(renderer.stream(label, count))))
            report("render", label + 1, len(classes), name)
    else:
        variants = Variants(fitted, parts.seen, seed, device=device)
        for label, name in enumerate(classes):
            from_own = sum(variants.label(int(own)) == label for own in parts.seen.labels)
            if not from_own:
                raise TooFewImagesError(f"There is no image to make {name!r} from.", "Give data with every class.")
            rows, numbers = variants.making(name, count if variants.several else min(count, from_own))
            images.append(np.concatenate(list(variants.stream(rows, numbers))))
            report("render", label + 1, len(classes), name)
        notes = (
            f"Samples are made from the {len(parts.seen)} images of the fit "
            f"({fitted.starts_from.value}), so their number says little of how many different ones there are.",
        )
    labels = torch.arange(len(classes)).repeat_interleave(torch.tensor([len(part) for part in images]))
    return (torch.from_numpy(np.concatenate(images)), labels), notes
