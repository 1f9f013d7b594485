import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset, random_split
from torchvision import transforms as v1
from torchvision import tv_tensors
from torchvision.datasets import VisionDataset
from torchvision.transforms import v2

from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.data.duplicates.likeness import likeness
from ganaug.errors import (
    ArtefactError,
    DataError,
    IncompatibleLoaderError,
    LabelMismatchError,
    LeakError,
    NoVerdictError,
    OptionError,
    SeenImagesWarning,
)
from ganaug.files.integrity import sealed
from ganaug.mixing.build import mix
from ganaug.mixing.dataset import MixedDataset
from ganaug.mixing.leaks import unseen
from ganaug.mixing.loader import augment_loader
from ganaug.mixing.sampler import EpochIndex
from tests.toys import mixing as toy


def served(dataset, epoch):
    """Items of one epoch: pixels, labels, which are synthetic."""
    dataset.set_epoch(epoch)
    items = [dataset[i] for i in range(len(dataset))]
    pixels = np.stack([np.asarray(image).squeeze() for image, _ in items])
    return pixels, np.array([label for _, label in items]), np.array([toy.is_synthetic(p) for p in pixels])


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.25, 0.5, 0.77, 1.0])
def test_replace_serves_the_exact_share_with_the_labels_of_the_real_items(run, ratio):
    real = toy.Pictures(61)
    dataset = mix(real, run, ratio=ratio)
    assert len(dataset) == 61
    assert dataset.targets == real.targets
    seen = []
    for epoch in range(3):
        pixels, labels, synthetic = served(dataset, epoch)
        assert labels.tolist() == real.targets
        assert synthetic.sum() == round(ratio * 61)
        assert np.array_equal(np.flatnonzero(synthetic), dataset.synthetic_indices(epoch))
        for c in range(3):  # stratified: each class gives its share, rounded down or up
            share = round(ratio * 61) * real.targets.count(c) / 61
            assert abs(synthetic[labels == c].sum() - share) < 1
        levels = np.array([toy.LEVELS[toy.CLASSES[label]] for label in labels])
        assert (abs(pixels.reshape(61, -1)[:, 2:].mean(1) - levels) < 9).all()  # synthetic images show that class
        for i in np.flatnonzero(~synthetic):
            assert np.array_equal(pixels[i], toy.real_pixels(i, labels[i]))
        seen.append(pixels)
    assert ratio == 0 or not np.array_equal(seen[0], seen[1])


def test_what_is_mixed_already_is_not_mixed_again(run):
    mixed = mix(toy.Pictures(20), run, ratio=0.5)
    for dataset in (mixed, Subset(mixed, range(10)), ConcatDataset([toy.Pictures(4), Subset(mixed, [1, 2])])):
        with pytest.raises(IncompatibleLoaderError, match="mixed with synthetic images already"):
            mix(dataset, run, classes=toy.CLASSES)


def test_no_row_comes_again_before_all_have_been_shown(run):
    dataset = mix(toy.Pictures(60), run, ratio=0.5, pool_epochs=4)
    shown = [served(dataset, epoch) for epoch in range(4)]
    synthetic = [pixels[is_synthetic].tobytes() for pixels, _, is_synthetic in shown]
    assert len(set(synthetic)) == 4
    images = np.concatenate([pixels[is_synthetic].reshape(-1, 64) for pixels, _, is_synthetic in shown])
    assert len(np.unique(images, axis=0)) == len(images) == 4 * 30


def test_a_small_pool_repeats_evenly(run):
    dataset = mix(toy.Pictures(3000), run, ratio=0.5, pool_epochs=1)
    table = dataset._table(0)
    rows, times = np.unique(table[table >= 0], return_counts=True)
    assert times.max() - times.min() <= 1


def test_every_class_gets_its_share_over_the_epochs(run):
    """A class too small for one synthetic image an epoch is not passed over."""
    dataset = mix(toy.Pictures(12), run, ratio=0.25)  # 3 of 12; 2 cows: half an image an epoch
    counts = np.zeros(3)
    for epoch in range(200):
        counts += np.bincount(np.array(dataset.targets)[dataset.synthetic_indices(epoch)], minlength=3)
    assert np.allclose(counts / 200, [1.5, 1.0, 0.5], atol=0.12)


def test_append_and_balance_add_behind_the_real_items(run):
    real = toy.Pictures(60)
    appended, balanced = mix(real, run, mode="append", ratio=0.25), mix(real, run, mode="balance")
    assert len(appended) == 80
    assert np.bincount(balanced.targets).tolist() == [30, 30, 30]
    for dataset in (appended, balanced):
        pixels, labels, synthetic = served(dataset, 0)
        assert not synthetic[:60].any()
        assert synthetic[60:].all()
        assert labels.tolist() == dataset.targets
        assert dataset.synthetic_indices().tolist() == list(range(60, len(dataset)))
        assert len(np.unique(pixels[60:].reshape(-1, 64), axis=0)) == len(dataset) - 60
        assert not np.array_equal(pixels, served(dataset, 1)[0])
        levels = np.array([toy.LEVELS[toy.CLASSES[label]] for label in labels])
        assert (abs(pixels.reshape(len(labels), -1)[:, 2:].mean(1) - levels) < 9).all()


def test_draws_depend_on_seed_epoch_and_index_only(run):
    one, two = mix(toy.Pictures(), run, seed=3), mix(toy.Pictures(), run, seed=3)
    forwards = [np.asarray(one[i][0]) for i in range(60)]
    backwards = [np.asarray(two[i][0]) for i in reversed(range(60))][::-1]
    assert np.array_equal(forwards, backwards)
    assert not np.array_equal(forwards, [np.asarray(image) for image, _ in mix(toy.Pictures(), run, seed=4)])
    late = [np.asarray(two[EpochIndex(i, 5)][0]) for i in range(60)]  # an index may carry its epoch
    assert np.array_equal(late, served(one, 5)[0])
    two.set_epoch(1)
    assert np.array_equal(late, [np.asarray(two[EpochIndex(i, 5)][0]) for i in range(60)])


def test_a_batch_is_its_items_in_order(run):
    dataset = mix(toy.Pictures(transform=v2.ToImage()), run, ratio=0.5)
    wanted = [7, 3, 59, 3, 0]
    for (x, y), i in zip(dataset.__getitems__(wanted), wanted, strict=True):
        assert torch.equal(x, dataset[i][0])
        assert y == dataset[i][1]
    assert dataset.__getitems__([]) == []
    mixed_epochs = dataset.__getitems__([EpochIndex(7, 0), EpochIndex(7, 9)])
    assert torch.equal(mixed_epochs[0][0], dataset[7][0])
    assert np.array_equal(np.asarray(dataset[-1][0]), np.asarray(dataset[59][0]))
    with pytest.raises(IndexError):
        dataset[60]


def test_classes_are_matched_by_name(run):
    real = toy.Pictures()
    real.classes = ["cow", "ant", "bee"]  # label 0 is cow here, ant in the generator
    for x, y in (dataset := mix(real, run, ratio=1.0)):
        assert abs(np.asarray(x).mean() - toy.LEVELS[real.classes[y]]) < 9
    assert dataset.class_to_idx == {"cow": 0, "ant": 1, "bee": 2}
    real.classes = ["cow", "ant", "dog"]
    with pytest.raises(LabelMismatchError, match="dog"):
        mix(real, run)
    named = mix(real, run, classes=["cow", "ant", "bee"], ratio=1.0)
    assert abs(np.asarray(named[0][0]).mean() - toy.LEVELS["cow"]) < 9
    with pytest.raises(LabelMismatchError, match="classes="):
        mix(toy.Arrays(), run)


def test_labels_without_names_stand_for_themselves(tmp_path, monkeypatch):
    for name, level in {"0": 40, "1": 128, "2": 220}.items():
        monkeypatch.setitem(toy.LEVELS, name, level)
    folder = toy.save_generator(tmp_path / "generator", ("0", "1", "2"))
    dataset = mix(toy.Arrays(), folder, ratio=1.0)
    assert all(abs(x.mean() - toy.LEVELS[str(y)]) < 9 for x, y in dataset)


def test_a_subset_of_a_subset(run):
    real = toy.Pictures(60)
    inner = Subset(Subset(real, list(range(0, 60, 2))), list(range(5, 25)))
    dataset = mix(inner, run, ratio=0.5)
    pixels, labels, synthetic = served(dataset, 0)
    assert synthetic.sum() == 10
    assert labels.tolist() == [real.targets[2 * i] for i in range(5, 25)]
    for position in np.flatnonzero(~synthetic):
        assert pixels[position][0, 1] == 2 * (position + 5)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_synthetic_pil_images_have_mode_and_size_of_the_real_ones(run, mode):
    dataset = mix(toy.Pictures(mode=mode), run, ratio=0.5)
    assert {(image.mode, image.size) for image, _ in dataset} == {(mode, (8, 8))}
    larger = mix(toy.Pictures(side=12), run, ratio=0.5)
    assert {image.size for image, _ in larger} == {(12, 12)}


@pytest.mark.parametrize(("mode", "white"), [("I;16", 65535), ("I", 65535), ("F", 1.0), ("F", 255.0)])
def test_synthetic_images_of_many_bits_are_as_bright_as_real_ones(run, mode, white):
    class Deep(torch.utils.data.Dataset):
        targets, classes = toy.labels(30), list(toy.CLASSES)

        def __len__(self):
            return 30

        def __getitem__(self, index):
            values = toy.real_pixels(index, self.targets[index], 8).astype(np.float32) / 255 * white
            image = Image.fromarray(values if mode == "F" else values.astype(np.uint16))
            return (image if image.mode == mode else image.convert(mode)), self.targets[index]

    dataset = mix(Deep(), run, ratio=0.5)
    assert {image.mode for image, _ in dataset} == {mode}
    for image, label in dataset:
        level = toy.LEVELS[toy.CLASSES[label]] / 255 * white
        assert abs(np.asarray(image, dtype=np.float64)[2:].mean() - level) < 0.08 * white


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_arrays_are_served_as_arrays(run, dtype):
    dataset = mix(toy.Arrays(dtype=dtype), run, ratio=0.5, classes=toy.CLASSES)
    assert {(type(x), x.dtype.name, x.shape) for x, _ in dataset} == {(np.ndarray, np.dtype(dtype).name, (8, 8, 1))}
    for x, y in dataset:
        assert abs(x.reshape(-1)[2:].mean() * (1 if dtype == np.uint8 else 255) - toy.LEVELS[toy.CLASSES[y]]) < 9
    next(iter(DataLoader(dataset, batch_size=60)))


def tensors(n=60):
    y = toy.labels(n)
    x = torch.from_numpy(np.stack([toy.real_pixels(i, c) for i, c in enumerate(y)]))[:, None] / 255
    return TensorDataset(x, torch.tensor(y))


def test_tensor_items_need_a_transform(run):
    with pytest.raises(IncompatibleLoaderError, match="transform="):
        mix(tensors(), run, classes=toy.CLASSES)
    to_float = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    dataset = mix(tensors(), run, classes=toy.CLASSES, transform=to_float, ratio=0.5)
    x, y = next(iter(DataLoader(dataset, batch_size=60)))
    assert x.dtype == torch.float32
    assert x.shape == (60, 1, 8, 8)
    assert y.tolist() == toy.labels(60)
    assert mix(tensors(), run, classes=toy.CLASSES, ratio=0).synthetic_indices().tolist() == []  # nothing to transform


def test_label_types_and_target_transforms_are_those_of_the_real_items(run):
    reverse = mix(toy.Pictures(target_transform=lambda y: 2 - y), run, ratio=0.5)
    assert [y for _, y in reverse] == [2 - y for y in toy.labels(60)]
    for x, y in reverse:
        assert abs(np.asarray(x).reshape(-1)[2:].mean() - toy.LEVELS[toy.CLASSES[2 - y]]) < 9
    to_float = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    dataset = mix(tensors(), run, classes=toy.CLASSES, transform=to_float, ratio=0.5)
    assert {(y.dtype, y.shape) for _, y in dataset} == {(torch.int64, ())}


class Named(toy.Pictures):
    """Calls its transform as albumentations' users do."""

    def __getitem__(self, index):
        label = self.targets[index]
        return self.transform(image=toy.real_pixels(index, label)[..., None])["image"], label


def darker(image):
    return {"image": image // 2}


def test_a_transform_called_by_name(run):
    dataset = mix(Named(transform=darker), run, ratio=0.5)
    for x, y in dataset:
        assert x.shape == (8, 8, 1)
        assert abs(x.reshape(-1)[2:].mean() - toy.LEVELS[toy.CLASSES[y]] // 2) < 6


def test_the_transform_can_be_set_later_for_real_and_synthetic_alike(run):
    real = toy.Pictures()
    dataset = mix(Subset(real, range(50)), run, ratio=0.5)
    dataset.transform = toy.as_tensor
    assert dataset.transform is toy.as_tensor
    assert real.transform is None
    assert next(iter(DataLoader(dataset, batch_size=50)))[0].shape == (50, 1, 8, 8)
    dataset.target_transform = str
    assert {y for _, y in dataset} == {"0", "1", "2"}

    class Bare(toy.Pictures):
        def __init__(self):
            super().__init__()
            del self.transform

        def __getitem__(self, index):
            return Image.fromarray(toy.real_pixels(index, self.targets[index])), self.targets[index]

    bare = mix(Bare(), run, ratio=0.5)
    bare.transform = toy.as_tensor
    assert next(iter(DataLoader(bare, batch_size=60)))[0].shape == (60, 1, 8, 8)


class Pair(VisionDataset):
    """Items through the pair of both transforms, as some of torchvision's data sets have it."""

    def __init__(self, **transforms):
        super().__init__("", **transforms)
        self.targets, self.classes = toy.labels(60), list(toy.CLASSES)

    def __len__(self):
        return 60

    def __getitem__(self, index):
        item = Image.fromarray(toy.real_pixels(index, self.targets[index])), self.targets[index]
        return item if self.transforms is None else self.transforms(*item)


class Around(torch.utils.data.Dataset):
    """A wrapper whose properties reach the data set inside."""

    def __init__(self, inner, hold=lambda inner: inner):
        self.held, self.targets, self.classes = hold(inner), inner.targets, inner.classes

    @property
    def inner(self):
        return self.held[0] if isinstance(self.held, (list, tuple)) else self.held

    transform = property(lambda self: self.inner.transform, lambda self, t: setattr(self.inner, "transform", t))
    target_transform = property(
        lambda self: self.inner.target_transform, lambda self, t: setattr(self.inner, "target_transform", t)
    )

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, index):
        return self.inner[index]


class Secretive:
    """Holds a data set where nobody looks."""

    def __init__(self, inner):
        self.of = lambda: inner


def dark(image):
    return Image.new("L", image.size, 1)


KINDS = {
    "plain": toy.Pictures,
    "pair": Pair,
    "pair that is set": lambda: Pair(transform=v1.RandomHorizontalFlip(0.0), target_transform=int),
    "around": lambda: Around(toy.Pictures()),
    "around in a list": lambda: Around(toy.Pictures(), lambda inner: [inner]),
    "around a pair": lambda: Around(Around(Pair())),
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_other_half_changes_when_a_transform_is_set(run, kind):
    whole = KINDS[kind]()
    train, other = random_split(whole, [40, 20], generator=torch.Generator().manual_seed(0))
    before = [(np.asarray(image), label) for image, label in other]
    dataset = mix(train, run, ratio=0.5)
    dataset.transform, dataset.target_transform = dark, str
    assert {(np.asarray(image).max(), type(label)) for image, label in dataset} == {(1, str)}
    assert (dataset.transform, dataset.target_transform) == (dark, str)
    for (image, label), (image_before, label_before) in zip(other, before, strict=True):
        assert np.array_equal(np.asarray(image), image_before)
        assert (label, type(label)) == (label_before, type(label_before))
    assert train.dataset is whole
    assert whole.transform is not dark
    dataset.transform = toy.as_tensor  # once more
    assert isinstance(dataset[0][0], torch.Tensor)
    assert not any(isinstance(image, torch.Tensor) for image, _ in other)


def test_a_transform_that_cannot_be_set_apart_is_refused(run):
    hidden = Around(toy.Pictures(), lambda inner: [inner])
    hidden.__class__ = type("Hidden", (Around,), {"inner": property(lambda self: self.secret.of())})
    hidden.secret = Secretive(toy.Pictures())
    dataset = mix(hidden, run, ratio=0.5)
    with pytest.raises(IncompatibleLoaderError, match="before the data set is mixed"):
        dataset.transform = toy.as_tensor
    assert hidden.transform is None

    class Deaf(toy.Pictures):
        def __getitem__(self, index):
            return Image.fromarray(toy.real_pixels(index, self.targets[index])), self.targets[index]

    for real, cause in ((Deaf(), "does not call"), (Pair(transforms=lambda x, y: (x, y)), "joint transforms")):
        with pytest.raises(IncompatibleLoaderError, match=cause):
            mix(real, run, classes=toy.CLASSES).transform = toy.as_tensor


CHAINS = {
    "v1": v1.Compose([v1.ToTensor(), v1.Normalize(0.3, 0.2)]),
    "v1 uint8": v1.Compose([v1.PILToTensor(), v1.ConvertImageDtype(torch.float64)]),
    "v2": v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.7])]),
    "v2 pure": v2.Compose([v2.PILToTensor(), v2.Compose([v2.ToDtype(torch.float16, scale=True)]), v2.ToPureTensor()]),
    "image": v2.ToImage(),
    "one": v1.ToTensor(),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_batch_transform_gives_the_bytes_of_single_calls(run, name):
    from ganaug.mixing.vectorise import batched

    pixels = np.random.default_rng(0).integers(0, 256, (37, 1, 9, 7), dtype=np.uint8)
    together = batched(CHAINS[name])(torch.from_numpy(pixels))
    for one, image in zip(together, pixels, strict=True):
        alone = CHAINS[name](Image.fromarray(image[0]))
        assert type(one) is type(alone)
        assert one.dtype == alone.dtype
        assert torch.equal(one, alone)
    assert isinstance(together[0], tv_tensors.Image) == (name == "v2" or name == "image")


def test_what_is_random_or_unknown_is_not_batched():
    from ganaug.mixing.vectorise import batched

    for transform in (None, toy.as_tensor, v2.RandomHorizontalFlip(), v2.Compose([v2.ToImage(), v2.Resize(4)])):
        assert batched(transform) is None
    assert batched(v2.Compose([v2.ToImage(), v2.ToDtype({tv_tensors.Image: torch.float32})])) is None
    assert batched(v1.Compose([])) is None


def test_a_copy_sent_to_another_process_is_small_and_serves_the_same(run):
    dataset = mix(toy.Pictures(), run, ratio=0.5)
    dataset.set_epoch(3)
    sent = pickle.dumps(dataset)
    assert len(sent) < 10_000
    copy = pickle.loads(sent)
    assert isinstance(copy, MixedDataset)
    assert np.array_equal(served(copy, 3)[0], served(dataset, 3)[0])


def test_fresh_images_every_epoch(tmp_path):
    toy.save_generator(tmp_path / "generator")
    dataset = mix(toy.Pictures(), tmp_path, ratio=1.0, fresh=True)
    copy = pickle.loads(pickle.dumps(dataset))
    shown = [served(dataset, epoch)[0].reshape(60, -1) for epoch in range(6)]
    assert len(np.unique(np.concatenate(shown), axis=0)) == 6 * 60
    assert len(list((tmp_path / "pool").glob("*.npy"))) <= 3
    assert np.array_equal(served(dataset, 0)[0].reshape(60, -1), shown[0])  # rendered again
    assert np.array_equal(served(copy, 5)[0].reshape(60, -1), shown[5])


def test_evaluation_images_that_the_fit_saw_are_refused(tmp_path):
    real = toy.Pictures(20)
    prints = [fingerprint(real[i][0]) for i in range(20)]
    folder = toy.save_generator(tmp_path / "generator", fingerprints=tuple(prints[:5]), held_out=(prints[5],))
    unseen, held_out = Subset(real, range(6, 20)), Subset(real, [5])
    mix(real, folder, evaluation=[unseen, DataLoader(unseen)])
    for leaking in (held_out, DataLoader(Subset(real, [4, 7])), real):
        with pytest.raises(LeakError, match="used to fit"):
            mix(real, folder, evaluation=[leaking])


def textured(rows):
    """Pictures (24, 24) that differ from each other, as (image, label) pairs."""
    return [(np.random.default_rng(row).integers(0, 256, (24, 24), np.uint8), row % 3) for row in rows]


def test_a_few_evaluation_images_that_the_fit_saw_are_listed_and_can_be_left_out(tmp_path):
    seen, fresh = textured(range(8)), textured(range(8, 68))
    prints = tuple(fingerprint(image) for image, _ in seen)
    alike = tuple(likeness(image) for image, _ in seen)
    folder = toy.save_generator(tmp_path / "generator", fingerprints=prints[:5], held_out=prints[5:], likenesses=alike)
    turned = [(np.ascontiguousarray(seen[0][0][:, ::-1]), 0)]  # flipped
    moved = [(np.pad(seen[6][0], 2)[:24, :24] // 2 + 40, 0)]  # moved by 2 px, and another brightness
    leaking = [*fresh[:30], *turned, *fresh[30:], *moved, seen[2]]
    with pytest.warns(SeenImagesWarning, match=r"3 of 63 images of evaluation set 0 .*'item 30', 'item 61', 'item 62'"):
        mix(toy.Pictures(), folder, evaluation=[leaking])
    assert set(range(63)) - set(unseen(leaking, folder).indices) == {30, 61, 62}
    mix(toy.Pictures(), folder, evaluation=[unseen(leaking, folder), DataLoader(fresh)])
    with pytest.raises(LeakError, match=r"3 of 53 .*flipped"):
        augment_loader(DataLoader(toy.Pictures(), shuffle=True), folder, evaluation=[fresh, leaking[10:]])


def test_a_generator_that_is_shared_alone_says_that_it_finds_exact_copies_only(tmp_path):
    seen, fresh = textured(range(8)), textured(range(8, 68))
    prints = tuple(fingerprint(image) for image, _ in seen)
    folder = toy.save_generator(
        tmp_path / "run" / "generator", fingerprints=prints, likenesses=tuple(likeness(image) for image, _ in seen)
    )
    shared = shutil.copytree(folder, tmp_path / "shared")
    assert not any(likeness(image) in (shared / "card.json").read_text() for image, _ in seen)
    turned = [(np.ascontiguousarray(image[:, ::-1]), label) for image, label in seen]
    with pytest.warns(SeenImagesWarning, match="exact copies"):
        mix(toy.Pictures(), shared, evaluation=[[*turned, *fresh]])
    with pytest.warns(SeenImagesWarning, match="exact copies"), pytest.raises(LeakError, match="used to fit"):
        mix(toy.Pictures(), shared, evaluation=[seen])
    kept = tmp_path / "run" / "likenesses.txt"
    kept.write_bytes(kept.read_bytes().replace(b"A", b"B", 1))
    with pytest.raises(ArtefactError, match="altered"):
        mix(toy.Pictures(), tmp_path / "run", evaluation=[fresh])


def test_auto_reads_the_verdict(run, tmp_path):
    toy.save_generator(tmp_path / "generator")
    with pytest.raises(NoVerdictError, match="ganaug bench"):
        mix(toy.Pictures(), tmp_path, ratio="auto")
    with pytest.raises(NoVerdictError, match="ganaug bench"):
        mix(toy.Pictures(), toy.save_generator(tmp_path / "alone"), ratio="auto")
    (tmp_path / "verdict.json").write_bytes(sealed({"verdict": "helps", "mode": "replace", "ratio": 0.5}))
    assert len(mix(toy.Pictures(), tmp_path, ratio="auto").synthetic_indices()) == 30
    with pytest.raises(OptionError, match="replace"):
        mix(toy.Pictures(), tmp_path, mode="append", ratio="auto")
    (tmp_path / "verdict.json").write_bytes(sealed({"verdict": "harms", "mode": "replace", "ratio": 0}))
    assert len(mix(toy.Pictures(), tmp_path, ratio="auto").synthetic_indices()) == 0
    (tmp_path / "verdict.json").write_bytes(sealed({"verdict": "helps", "mode": "replace", "ratio": "lots"}))
    with pytest.raises(NoVerdictError):
        mix(toy.Pictures(), tmp_path, ratio="auto")


@pytest.mark.parametrize(
    "options",
    [{"ratio": 1.5}, {"ratio": -0.1}, {"ratio": float("nan")}, {"ratio": "half"}, {"mode": "swap"},
     {"mode": "append", "ratio": 1}, {"mode": "balance", "ratio": 0.5}],
)  # fmt: skip
def test_impossible_options(run, options):
    with pytest.raises(OptionError):
        mix(toy.Pictures(), run, **options)


class Triples(toy.Pictures):
    def __getitem__(self, index):
        return *super().__getitem__(index), index


class Stream(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter(toy.Pictures())


def test_data_sets_that_cannot_be_mixed_are_refused(run):
    frame = pd.DataFrame({"image": ["a.png"], "label": [0]})
    for dataset in (Triples(), Stream(), iter(toy.Pictures()), frame, toy.Pictures):
        with pytest.raises(IncompatibleLoaderError):
            mix(dataset, run)
    for wrong in (frame, toy.Pictures):
        with pytest.raises(DataError, match="is a table|is a class"):
            mix(toy.Pictures(), run, evaluation=[wrong])
        with pytest.raises(DataError, match="is a table|is a class"):
            mix(toy.Pictures(), wrong)
    for name in ("digits", Path("here"), (np.zeros((4, 8, 8), np.uint8), np.arange(4)), frame):
        with pytest.raises(IncompatibleLoaderError, match=r"no data set|not a data set|is a table"):
            unseen(name, run)


def test_joint_transforms_of_a_mixed_data_set_are_refused(run):
    dataset = mix(toy.Pictures(), run, ratio=0.5, classes=toy.CLASSES)
    assert not hasattr(dataset, "transforms")
    with pytest.raises(IncompatibleLoaderError, match=r"no \.transforms .*Set its \.transform"):
        dataset.transforms = v2.RandomHorizontalFlip()


def test_concatenated_data_sets(run):
    dataset = mix(ConcatDataset([toy.Pictures(30), toy.Pictures(30)]), run, ratio=0.5, classes=toy.CLASSES)
    assert served(dataset, 0)[2].sum() == 30
    assert "30 of them" in repr(dataset)
