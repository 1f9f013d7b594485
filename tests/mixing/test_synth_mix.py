import copy
import pickle

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot
from torch.utils.data import DataLoader, default_collate
from torchvision import tv_tensors
from torchvision.transforms import v2

from ganaug.errors import (
    IncompatibleLoaderError,
    LabelMismatchError,
    NoVerdictError,
    OptionError,
    UseWarning,
)
from ganaug.files.integrity import sealed
from ganaug.mixing.build import mix
from ganaug.mixing.transforms import SynthMix
from tests.toys import mixing as toy


def batch(n=24, channels=1, side=8, dtype=torch.float32):
    """Flat images of the brightness of their class, so that synthetic ones can be told."""
    y = torch.tensor(toy.labels(n))
    level = torch.tensor([toy.LEVELS[name] for name in toy.CLASSES], dtype=torch.float32)[y]
    x = level[:, None, None, None].expand(n, channels, side, side)
    return (x if dtype == torch.uint8 else x / 255).to(dtype), y


def changed(x, mixed):
    return (x != mixed).flatten(1).any(1)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float16, torch.float64])
def test_a_share_becomes_synthetic_of_the_same_class(run, dtype, live):
    x, y = batch(dtype=dtype)
    mixed, labels = SynthMix(run, ratio=0.5, live=live, classes=toy.CLASSES)(x, y)
    assert mixed.dtype == dtype
    assert mixed.shape == x.shape
    assert torch.equal(labels, y)
    assert changed(x, mixed).sum() == 12
    difference = (mixed.double() - x.double()).flatten(1).mean(1).abs() * (1 if dtype == torch.uint8 else 255)
    assert (difference < 16).all()
    assert torch.equal(x, batch(dtype=dtype)[0])  # the input is not written to


def test_the_share_is_right_on_average(run):
    transform, (x, y) = SynthMix(run, ratio=0.3, classes=toy.CLASSES), batch(8)
    counts = [int(changed(x, transform(x, y)[0]).sum()) for _ in range(200)]
    assert set(counts) == {2, 3}
    assert abs(np.mean(counts) - 2.4) < 0.1
    assert not changed(x, SynthMix(run, ratio=0, classes=toy.CLASSES)(x, y)[0]).any()
    assert changed(x, SynthMix(run, ratio=1, classes=toy.CLASSES)(x, y)[0]).all()


def test_places_are_scattered_and_draws_differ(run):
    transform, (x, y) = SynthMix(run, ratio=0.5, classes=toy.CLASSES), batch()
    calls = [transform(x, y)[0] for _ in range(30)]
    places = torch.stack([changed(x, mixed) for mixed in calls])
    assert len(places.unique(dim=0)) > 25
    assert (places.sum(0) > 0).all()
    images = torch.cat([mixed[changed(x, mixed)] for mixed in calls])
    assert len(images.unique(dim=0)) > len(images) / 2


def test_calls_are_repeatable(run):
    one, two = (SynthMix(run, ratio=0.5, seed=3, classes=toy.CLASSES) for _ in range(2))
    x, y = batch()
    first = [one(x, y)[0] for _ in range(3)]
    assert all(torch.equal(a, two(x, y)[0]) for a in first)
    assert not torch.equal(first[0], SynthMix(run, ratio=0.5, seed=4, classes=toy.CLASSES)(x, y)[0])
    one.set_epoch(1)
    later = [one(x, y)[0] for _ in range(2)]
    two.set_epoch(1)
    assert torch.equal(later[0], two(x, y)[0])
    assert not torch.equal(later[0], first[0])


def test_channels_and_size_are_those_of_the_batch(run, tmp_path):
    x, y = batch(channels=3, side=12)
    mixed, _ = SynthMix(run, ratio=1.0, classes=toy.CLASSES)(x, y)
    assert mixed.shape == (24, 3, 12, 12)
    assert (mixed[:, 0] == mixed[:, 2]).all()
    x, y = batch()
    colour = toy.save_generator(tmp_path, channels=3)
    assert SynthMix(colour, ratio=1.0, classes=toy.CLASSES)(x, y)[0].shape == (24, 1, 8, 8)


def test_normalised_batches(run):
    x, y = batch()
    plain, _ = SynthMix(run, ratio=1.0, classes=toy.CLASSES)(x, y)
    normalised, _ = SynthMix(run, ratio=1.0, normalize=([0.5], [0.2]), classes=toy.CLASSES)((x - 0.5) / 0.2, y)
    assert torch.allclose(normalised, (plain - 0.5) / 0.2, atol=1e-6)


def test_structure_is_kept(run):
    transform, (x, y) = SynthMix(run, ratio=0.5, classes=toy.CLASSES), batch()
    assert isinstance(transform([x, y]), list)
    assert isinstance(transform((x, y)), tuple)
    assert isinstance(transform(x, y), tuple)
    assert type(transform(tv_tensors.Image(x), y)[0]) is tv_tensors.Image


def test_it_composes_with_mixup_and_cutmix(run):
    x, y = batch()
    chain = v2.Compose(
        [
            SynthMix(run, ratio=0.5, classes=toy.CLASSES),
            v2.RandomChoice([v2.MixUp(num_classes=3), v2.CutMix(num_classes=3)]),
        ]
    )
    mixed, soft = chain(x, y)
    assert mixed.shape == x.shape
    assert soft.shape == (24, 3)
    with pytest.raises(IncompatibleLoaderError, match="before MixUp"):
        SynthMix(run, classes=toy.CLASSES)(*v2.MixUp(num_classes=3)(x, y))


class Collate:
    def __init__(self, transform):
        self.transform = transform

    def __call__(self, items):
        return self.transform(*default_collate(items))


def test_in_workers_nothing_repeats(run):
    """Each worker, and each epoch, draws its own."""
    data = toy.Pictures(48, transform=v2.ToImage())
    collate = Collate(SynthMix(run, ratio=1.0, pool_per_class=4096, classes=toy.CLASSES))
    seeds = torch.Generator().manual_seed(0)  # the loader takes the seeds of its workers from here
    loader = DataLoader(data, batch_size=12, num_workers=2, collate_fn=collate, generator=seeds)
    shown = torch.cat([x for _ in range(2) for x, _ in loader]).flatten(1)
    assert len(shown.unique(dim=0)) >= 94  # of 96; two equal draws from 4,096 may happen


def test_it_is_no_part_of_a_model(run):
    for live in (False, True):
        transform = SynthMix(run, ratio=0.5, live=live, classes=toy.CLASSES)
        x, y = batch()
        transform(x, y)
        assert not list(transform.parameters())
        assert not list(transform.buffers())
        assert not list(transform.children())
        assert not transform.state_dict()
        assert len(pickle.dumps(transform)) < 5000
        assert torch.equal(copy.deepcopy(transform)(x, y)[0], transform(x, y)[0])


def test_it_prints_its_settings(run):
    assert "ratio=0.5" in repr(SynthMix(run, ratio=0.5, classes=toy.CLASSES))


def test_labels_are_matched_by_name(run):
    x, y = batch()
    mixed, _ = SynthMix(run, ratio=1.0, classes=["cow", "bee", "ant"])(x, y)
    want = torch.tensor([toy.LEVELS[name] for name in ("cow", "bee", "ant")])[y] / 255
    assert ((mixed.flatten(1).mean(1) - want).abs() < 16 / 255).all()
    with pytest.raises(LabelMismatchError, match="classes="):
        SynthMix(run, classes=toy.CLASSES)(x, y + 1)
    with pytest.raises(LabelMismatchError, match="dog"):
        SynthMix(run, classes=["dog"])


def test_what_is_not_a_batch_is_refused(run):
    transform, (x, y) = SynthMix(run, classes=toy.CLASSES), batch()
    for inputs in (
        (x[0], y),
        (x, y[:3]),
        (x, y.float()),
        (x,),
        (x, y, y),
        (x, y.tolist()),
        ("x", y),
        (x[:, :, :, 0], y),
    ):
        with pytest.raises(IncompatibleLoaderError):
            transform(*inputs)
    with pytest.raises(OptionError):
        SynthMix(run, ratio=2, classes=toy.CLASSES)
    with pytest.raises(OptionError):
        SynthMix(run, pool_per_class=0, classes=toy.CLASSES)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bool])
@pytest.mark.parametrize("width", [3, 5])
def test_one_hot_labels_come_out_as_they_were(run, dtype, width):
    (x, y), names = batch(), ["cow", "bee", "ant"]
    vectors = one_hot(y, width).to(dtype)
    plain, hot = (SynthMix(run, ratio=0.5, classes=names) for _ in range(2))
    (mixed, _), (same, labels) = plain(x, y), hot(x, vectors)
    assert torch.equal(mixed, same)
    assert labels.dtype == dtype
    assert torch.equal(labels, vectors)
    light, soft = (SynthMix(run, ratio=0.5, use="light", classes=names)(x, given)[1] for given in (y, vectors))
    assert soft.shape == (24, width)
    assert soft.dtype == (dtype if dtype.is_floating_point else torch.float32)
    assert torch.equal(soft.argmax(1), y)
    if width == 3:
        assert torch.allclose(soft.to(torch.float32), light)


def test_vectors_that_are_not_one_hot_are_refused(run):
    (x, y), transform = batch(), SynthMix(run, classes=toy.CLASSES)
    vectors = one_hot(y, 3).float()
    for bad in (vectors * 0.9 + 0.1 / 3, vectors * 2, vectors * 0, vectors.logical_not().float(), vectors[:, :1]):
        with pytest.raises(IncompatibleLoaderError, match="before MixUp"):
            transform(x, bad)


def test_a_use_puts_weight_and_smoothing_into_the_labels(run):
    x, y = torch.rand(12, 1, toy.SIDE, toy.SIDE), torch.arange(12) % 3
    images, targets = SynthMix(run, ratio=0.5, use="light", classes=toy.CLASSES)(x, y)
    assert targets.shape == (12, 3)
    assert targets.sum().item() == pytest.approx(12)
    synthetic = (images != x).flatten(1).any(1)
    assert synthetic.sum() == 6
    totals = targets.sum(1)
    assert (totals[synthetic] / totals[~synthetic].mean()).tolist() == pytest.approx([0.3] * 6)
    assert torch.equal(targets.argmax(1), y)
    share = targets[synthetic].max(1).values / totals[synthetic]
    assert share.tolist() == pytest.approx([0.8 + 0.2 / 3] * 6)
    logits = torch.randn(12, 3)
    each = torch.stack([cross_entropy(logits[i], y[i], label_smoothing=0.2 * bool(synthetic[i])) for i in range(12)])
    weights = torch.where(synthetic, 0.3, 1.0)
    assert cross_entropy(logits, targets).item() == pytest.approx(
        ((each * weights).sum() / weights.sum()).item(), rel=1e-5
    )


def test_uses_that_a_batch_cannot_follow_are_refused(run):
    for name in ("rare", "light+fixed", "nosuch"):
        with pytest.raises(OptionError):
            SynthMix(run, use=name, classes=toy.CLASSES)
    with pytest.raises(NoVerdictError):
        SynthMix(run, use="auto", classes=toy.CLASSES)


def test_real_only_last_epochs_are_left_to_the_user_with_a_warning(run):
    with pytest.warns(UseWarning, match="last 20%"):
        assert SynthMix(run, use="light+finish", classes=toy.CLASSES).use.weight == 0.3


def test_auto_follows_the_bench_where_labels_can_and_warns_where_they_cannot(tmp_path):
    toy.save_generator(tmp_path / "generator")
    verdict = {"verdict": "helps", "mode": "replace", "ratio": 0.5, "use": "light"}
    (tmp_path / "verdict.json").write_bytes(sealed(verdict))
    made = SynthMix(tmp_path, ratio="auto", use="auto", classes=toy.CLASSES)
    assert (made.ratio, made.use.weight, made.use.smoothing) == (0.5, 0.3, 0.2)
    with pytest.warns(UseWarning, match=r"'light' of synthetic images: loss weight 0\.3, label smoothing 0\.2"):
        mix(toy.Pictures(), tmp_path, ratio="auto")
    mix(toy.Pictures(), tmp_path, ratio=0.5)
    balanced = {**verdict, "use": "plain", "arms": {"with": {"remedy": "sampling"}}}
    (tmp_path / "verdict.json").write_bytes(sealed(balanced))
    with pytest.warns(UseWarning, match="measured with balanced sampling"):
        mix(toy.Pictures(), tmp_path, ratio="auto")
    verdict = {"verdict": "helps", "mode": "replace", "ratio": 0.5, "use": "plain"}
    (tmp_path / "verdict.json").write_bytes(sealed(verdict))
    mix(toy.Pictures(), tmp_path, ratio="auto")
