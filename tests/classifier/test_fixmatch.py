"""FixMatch: what is learned from unlabelled images, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from ganaug.classifier.augmentation import AUGMENTATIONS, none
from ganaug.classifier.fixmatch import FixMatch
from ganaug.classifier.small import Training, train_classifier
from ganaug.data.load import load_images
from ganaug.errors import OptionError, TooFewImagesError

SHORT = Training(steps=3, batch=8, augmentation="affine")
CPU = torch.device("cpu")


def noise(n: int, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 1, 8, 8), generator=rng, dtype=torch.uint8)


def trained(unlabelled, training=SHORT, seed=0):
    return train_classifier(noise(30), torch.arange(30) % 3, 3, training=training, seed=seed, unlabelled=unlabelled)


def test_the_loss_is_the_cross_entropy_of_strong_views_with_sure_answers_to_weak_ones():
    weak = torch.tensor([[5.0, 0, 0], [0, 4.0, 0], [1.0, 0, 0], [0, 0, 9.0]])
    strong = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    both = torch.cat([weak, strong]).requires_grad_()
    loss = FixMatch(noise(1), weight=2.0).loss(both)
    expected = cross_entropy(strong, torch.tensor([0, 1, 0, 2]), reduction="none")[[0, 1, 3]].sum() / 4
    assert loss.item() == pytest.approx(2 * expected.item())
    loss.backward()
    assert not both.grad[:4].any()  # labels are not learned through
    assert not both.grad[6].any()  # it was not sure of that one
    assert both.grad[[4, 5, 7]].abs().sum(1).all()


def test_views_are_of_the_same_images_and_a_function_of_seed_and_step():
    pixels = noise(50)
    found = FixMatch(pixels, strong="none", times=3)
    weak, strong = found.views(none, 8, 0, 0, CPU).chunk(2)
    assert weak.shape == (24, 1, 8, 8)
    assert torch.equal(weak, strong)
    known = {image.numpy().tobytes() for image in pixels.float()}
    assert {image.numpy().tobytes() for image in weak} <= known
    assert torch.equal(found.views(none, 8, 0, 0, CPU), found.views(none, 8, 0, 0, CPU))
    for seed, step in ((0, 1), (1, 0)):
        assert not torch.equal(found.views(none, 8, seed, step, CPU), found.views(none, 8, 0, 0, CPU))
    seen = {int(i) for step in range(40) for i in found.views(lambda x: x, 8, 0, step, CPU)[:24, 0, 0, 0]}
    assert seen == set(pixels[:, 0, 0, 0].tolist())


@pytest.mark.parametrize("strong", AUGMENTATIONS)
def test_a_training_is_a_function_of_its_seed_and_leaves_the_global_stream_alone(strong):
    unlabelled = FixMatch(noise(20, 1), strong=strong, times=2, threshold=0.0)
    before = torch.get_rng_state()
    first, second, other = trained(unlabelled), trained(unlabelled), trained(unlabelled, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(first.losses, second.losses)
    assert torch.equal(first.predict(noise(9)), second.predict(noise(9)))
    assert not np.array_equal(first.losses, other.losses)


def test_what_it_is_not_sure_of_is_in_no_loss():
    """With a threshold that nothing reaches, the first loss is of the labelled images alone."""
    plain = Training(steps=1, batch=8)
    never, always = (trained(FixMatch(noise(20, 1), threshold=t), plain).losses for t in (0.999999, 0.0))
    assert always[0] > never[0] > 0
    assert torch.equal(trained(None).predict(noise(5)), trained(None).predict(noise(5)))


def test_it_says_the_same_of_strong_views_and_is_sure_of_it():
    """After two labelled images a class, and all others without labels."""
    digits = load_images("digits", limit=40)
    few = digits.limited(2, 0)
    training = Training(steps=40, batch=16, lr=5e-3)
    seen = FixMatch(digits.pixels, strong="affine", threshold=0.0)
    views = seen.views(none, 200, 1, 0, CPU)

    def found(unlabelled):
        classifier = train_classifier(few.pixels, few.labels, 10, training=training, seed=0, unlabelled=unlabelled)
        weak, strong = classifier.predict(views).softmax(1).chunk(2)
        return float((weak.argmax(1) == strong.argmax(1)).double().mean()), float(strong.max(1).values.mean())

    (alike, sure), (without, unsure) = found(seen), found(None)
    assert alike > without
    assert sure > unsure + 0.1


def test_settings_that_mean_nothing_are_refused():
    for wrong in ({"times": 0}, {"threshold": 1.0}, {"threshold": -0.1}, {"weight": 0.0}):
        with pytest.raises(OptionError, match="FixMatch has"):
            FixMatch(noise(1), **wrong)
    with pytest.raises(OptionError, match="no augmentation 'shake'"):
        FixMatch(noise(1), strong="shake")
    with pytest.raises(TooFewImagesError, match="no unlabelled images"):
        FixMatch(noise(0))
