"""Augmentations beside the library that it is taken from."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms import v2

from ganaug.classifier.augmentation import randaugment


@pytest.mark.parametrize("shape", [(64, 1, 8, 8), (33, 3, 28, 28), (7, 1, 64, 48), (1, 3, 16, 16)])
def test_randaugment_of_a_batch_is_torchvisions_of_one_image_after_the_other(shape):
    """The same draws, the same bytes, and the random stream at the same place; the batch itself is left alone."""
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    before = pixels.clone()
    alone = v2.RandAugment(num_ops=2, magnitude=7)
    with torch.random.fork_rng():
        for seed in range(6):
            torch.manual_seed(seed)
            expected, after = torch.stack([alone(image) for image in pixels]), torch.get_rng_state()
            torch.manual_seed(seed)
            assert torch.equal(randaugment(pixels), expected)
            assert torch.equal(torch.get_rng_state(), after)
    assert torch.equal(pixels, before)
