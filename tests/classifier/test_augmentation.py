"""Augmentations beside the library that it is taken from."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms import v2

from ganaug.classifier.augmentation import augmentation_named, instead_of, keeps_labels, randaugment, usable
from ganaug.errors import OptionError
from ganaug.networks.changes import CHANGES, allowed


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


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (None, None),
        ("none", ()),
        ((), ()),
        ("noise, flip-x", ("flip-x", "noise")),
        (["noise,flip-x", "noise"], ("flip-x", "noise")),
    ],
)
def test_allowed_changes_are_written_in_several_ways(given, names):
    assert allowed(given) == names


def test_a_change_or_an_augmentation_that_there_is_not_is_refused():
    with pytest.raises(OptionError, match=r"no change 'flip'.*flip-x"):
        allowed("flip")
    for given in ("none,flip-x", ["noise", "none"]):
        with pytest.raises(OptionError, match=r"Nothing is allowed \(none\), and (flip-x|noise)\. Leave out none"):
            allowed(given)
    for name in ("flip-x+", "flip-x+blur", "flips+noise", ""):
        with pytest.raises(OptionError, match="no augmentation"):
            augmentation_named(name)


def test_no_usual_augmentation_makes_a_change_that_it_does_not_tell_of():
    """Of a picture that a change cannot alter, an augmentation that makes no other one changes nothing."""
    rows = torch.arange(32, dtype=torch.uint8).view(1, 1, 32, 1).mul(8).expand(16, 3, 32, 32).contiguous()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, sideways in (("none", True), ("crops", False), ("flips", False), ("shift-x", True), ("flip-x", True)):
            seen = augmentation_named(name)(rows).float()
            assert torch.allclose(seen, rows.float(), atol=1e-2) == sideways, name


def test_only_what_is_allowed_is_usable():
    usual = ("none", "crops", "affine", "flips", "trivial", "randaugment")
    assert usable(usual, None) == usual
    assert usable(usual, ()) == ("none",)
    assert usable(usual, ("shift-x", "shift-y", "noise")) == (
        "none", "crops", "shift-x+shift-y", "shift-x+shift-y+noise",
    )  # fmt: skip
    everything = usable(usual, tuple(CHANGES))
    assert everything[:4] == usual[:4]
    assert not {"trivial", "randaugment"} & {*everything}  # they make changes that nobody can name one by one
    for allow in ((), ("noise",), tuple(CHANGES)):
        assert all(keeps_labels(name, allow) for name in usable(usual, allow))
    assert [instead_of("affine", allow) for allow in (None, (), ("turn", "noise"))] == ["affine", "none", "turn+noise"]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_drawn_for_each_image_from_torchs_random_stream(name):
    pixels = torch.randint(0, 256, (16, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    seen = []
    with torch.random.fork_rng():
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            seen.append(augmentation_named(name)(pixels))
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
    assert seen[0].shape == pixels.shape
    assert 0 <= seen[0].min() <= seen[0].max() <= 255
    assert (seen[0] - pixels).abs().flatten(1).amax(1).gt(1).sum() > 4
