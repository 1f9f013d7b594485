"""What a recipe draws from."""

from __future__ import annotations

import torch

from ganaug.data.batches import ClassBalancedBatches, EncodedBatches, OtherClassBatches
from ganaug.data.load import LabelledImages
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.game.recipe import Recipe, Source
from ganaug.game.train import Batches


def batches_for(recipe: Recipe, images: LabelledImages | LabelledVectors, device: torch.device) -> Batches:
    """What the loop draws from, for a recipe that fits the data."""
    if isinstance(images, LabelledVectors):
        return EncodedBatches(images.items, images.labels, images.spec, device)
    if recipe.source is Source.OTHER_CLASS:
        return OtherClassBatches(images.stored, images.labels, images.spec, device)
    return ClassBalancedBatches(images.stored, images.labels, images.spec, device, pairs=images.stored_pairs)
