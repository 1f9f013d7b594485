"""Images that somebody else made, in the place of a run: `mix` and `augment_loader` serve them like samples."""

from __future__ import annotations

import shutil
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

import ganaug
from ganaug.errors import (
    DataError,
    LabelMismatchError,
    LeakError,
    NoVerdictError,
    OptionError,
    SeenImagesWarning,
    UnreadableImageError,
    WithheldWarning,
)
from ganaug.mixing.build import mix
from ganaug.mixing.leaks import unseen
from ganaug.mixing.loader import augment_loader
from tests.toys import mixing as toy

COUNTS = {"ant": 20, "bee": 10, "cow": 6}
MODES = {"ant": "L", "bee": "RGB", "cow": "RGBA"}


def made(root, counts=COUNTS, size=(8, 8), mode="L"):
    """ROOT/CLASS/i.png, of the brightness of the class, with noise that says which it is."""
    for name, n in counts.items():
        (root / name).mkdir(parents=True)
        for i in range(n):
            picture(name, i, size if isinstance(size, tuple) else size[i % len(size)], mode).save(
                root / name / f"{i:02}.png"
            )
    return root


def picture(name, i, size, mode="L"):
    rng = np.random.default_rng([toy.LEVELS.get(name, 0), i])
    noise = rng.integers(-30, 31, size=(size[1], size[0]))
    return Image.fromarray((toy.LEVELS.get(name, 0) + noise).clip(0, 255).astype(np.uint8)).convert(mode)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("made") / "folder")


def shown(dataset, epoch):
    """Of an epoch, the synthetic pictures by class, and how many there are."""
    dataset.set_epoch(epoch)
    return [(np.asarray(dataset[i][0]).tobytes(), dataset[i][1]) for i in dataset.synthetic_indices(epoch).tolist()]


def test_the_exact_share_is_served_and_all_are_before_one_comes_again(folder):
    real = toy.Pictures(60)
    mixed = mix(real, folder, ratio=0.25)
    assert mixed.targets == real.targets
    files = {picture(name, i, (8, 8)).tobytes(): label
             for label, (name, n) in enumerate(COUNTS.items()) for i in range(n)}  # fmt: skip
    seen = Counter()
    for epoch in range(2):
        items = shown(mixed, epoch)
        assert len(items) == 15
        assert all(files[pixels] == label for pixels, label in items)
        seen.update(pixels for pixels, _ in items)
    assert max(seen.values()) == 1
    assert shown(mix(real, folder, ratio=0.25), 1) == items
    assert shown(mix(real, folder, ratio=0.25, seed=1), 1) != items


@pytest.mark.parametrize(("workers", "start"), [(0, None), (2, None), (1, "spawn")])
def test_workers_change_nothing(folder, workers, start):
    real = toy.Pictures(36, transform=toy.as_tensor)
    how = {"num_workers": workers, "multiprocessing_context": start, "persistent_workers": bool(workers)}
    loader = augment_loader(DataLoader(real, batch_size=9, shuffle=True, **how), folder)
    expected = mix(real, folder)
    for epoch in range(2):
        batches = list(loader)
        images, labels = (torch.cat(part) for part in zip(*batches, strict=True))
        synthetic = [image.numpy().tobytes() for image in images if toy.is_synthetic(image)]
        assert len(labels) == 36
        assert sorted(synthetic) == sorted(pixels for pixels, _ in shown(expected, epoch))


def test_added_pictures_come_several_times_where_they_are_few(folder):
    mixed = mix(toy.Pictures(60), folder, mode="balance")
    assert np.bincount(mixed.targets).tolist() == [30, 30, 30]
    times = Counter(pixels for pixels, label in shown(mixed, 0) if label == 2)
    assert sorted(times.values()) == [3, 3, 3, 3, 4, 4]
    assert len(mix(toy.Pictures(60), folder, mode="append", ratio=0.5)) == 120


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "1"])
def test_they_come_in_the_mode_of_the_real_ones(tmp_path, mode):
    for name, own in MODES.items():
        made(tmp_path, {name: 3}, mode=own)
    real = toy.Pictures(12, mode=mode)
    if mode == "I;16":
        real = [(Image.fromarray(np.full((8, 8), 40_000 + i, np.uint16)), y) for i, y in enumerate(toy.labels(12))]
    mixed = mix(real, tmp_path, ratio=1.0, classes=toy.CLASSES)
    assert {(image.mode, image.size) for image, _ in mixed} == {(mode, (8, 8))}
    assert len(mixed.synthetic_indices()) == 12


def test_at_the_size_of_the_real_ones_nothing_is_squeezed(tmp_path):
    """A picture of another proportion is cut at its margins."""
    made(tmp_path, dict.fromkeys(toy.CLASSES, 4), size=[(24, 16), (8, 8), (16, 40)])
    mixed = mix(toy.Pictures(12), tmp_path, ratio=1.0)
    expected = {
        ImageOps.fit(picture(name, i, size), (8, 8), Image.Resampling.BICUBIC).tobytes()
        for name in toy.CLASSES
        for i, size in enumerate([(24, 16), (8, 8), (16, 40), (24, 16)])
    }
    assert {pixels for pixels, _ in shown(mixed, 0)} <= expected
    batch = next(iter(DataLoader(mix(toy.Pictures(12, transform=toy.as_tensor), tmp_path, ratio=1.0), batch_size=12)))
    assert batch[0].shape == (12, 1, 8, 8)


def test_among_photographs_of_different_sizes_they_keep_their_own(tmp_path):
    sizes = [(64, 48), (40, 60), (33, 35)]
    made(tmp_path / "real", dict.fromkeys(toy.CLASSES, 5), size=[(50, 40), (40, 50), (70, 30)], mode="RGB")
    made(tmp_path / "made", dict.fromkeys(toy.CLASSES, 6), size=sizes, mode="RGB")
    plain = mix(ImageFolder(tmp_path / "real"), tmp_path / "made", ratio=1.0)
    assert {image.size for image, _ in plain} == set(sizes)
    crop = v2.Compose([v2.RandomResizedCrop(16), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    loader = DataLoader(ImageFolder(tmp_path / "real", crop), batch_size=5, shuffle=True)
    for images, labels in augment_loader(loader, tmp_path / "made"):
        assert images.shape == (5, 3, 16, 16)
        assert len(labels) == 5
    own = mix(ImageFolder(tmp_path / "real", crop), tmp_path / "made", ratio=1.0, transform=np.asarray)
    assert {image.shape[1::-1] for image, _ in own} == set(sizes)


def test_real_ones_stay_where_nobody_made_any(tmp_path):
    made(tmp_path, {"ant": 4, "cow": 4})
    (tmp_path / "bee").mkdir()
    real = toy.Pictures(60)
    with pytest.warns(WithheldWarning, match=r"no synthetic image of 1 class \(bee\)"):
        mixed = mix(real, tmp_path, ratio=1.0)
    kinds = [real.targets[i] for i in mixed.synthetic_indices()]
    assert Counter(kinds) == {0: 30, 2: 10}
    with pytest.warns(WithheldWarning, match="bee"):
        mixed = mix(real, tmp_path, mode="balance")
    assert np.bincount(mixed.targets).tolist() == [30, 20, 30]
    assert len(mix(real, tmp_path, ratio=0).synthetic_indices()) == 0


def test_classes_are_matched_by_name_and_others_are_refused(tmp_path, folder):
    items = [(Image.fromarray(toy.real_pixels(i, y)), {0: 2, 1: 0, 2: 1}[y]) for i, y in enumerate(toy.labels(24))]
    mixed = mix(items, folder, ratio=1.0, classes=["bee", "cow", "ant"])
    for image, label in mixed:
        assert abs(np.asarray(image).mean() - toy.LEVELS[mixed.classes[label]]) < 20
    made(tmp_path, {"ant": 2, "dog": 2})
    with pytest.raises(LabelMismatchError, match="'dog', a class that the data set lacks"):
        mix(toy.Pictures(12), tmp_path)
    with pytest.raises(LabelMismatchError, match="labels stand for themselves.*give classes="):
        mix(items, folder)


def test_a_broken_file_is_left_out_and_named(tmp_path, folder):
    shutil.copytree(folder, tmp_path / "made")
    (tmp_path / "made" / "cow" / "00.png").write_bytes(b"no image")
    (tmp_path / "made" / "cow" / "01.png").write_bytes((folder / "cow" / "01.png").read_bytes()[:70])
    with pytest.warns(UserWarning, match="2 images of the synthetic ones.*cow/00.png"):
        mixed = mix(toy.Pictures(60), tmp_path / "made", ratio=1.0)
    assert len(shown(mixed, 0)) == 60
    for file in (tmp_path / "made" / "ant").iterdir():
        file.unlink()
    with pytest.raises(UnreadableImageError, match=r"ant/\d\d.png can no longer be read: the file is gone"):
        shown(mixed, 0)


def test_copies_of_evaluation_and_training_images_are_said(tmp_path, folder):
    evaluation = [(picture("ant", i + 100, (8, 8)), 0) for i in range(99)]
    leaked = [*evaluation, (ImageOps.mirror(picture("ant", 3, (8, 8))), 0)]
    with pytest.warns(SeenImagesWarning, match="1 of 100 images of evaluation set 0 were found among the synthetic"):
        mix(toy.Pictures(12), folder, evaluation=[leaked])
    with pytest.raises(LeakError, match="8 of 8.*Give synthetic images that are not used for evaluation"):
        mix(toy.Pictures(12), folder, evaluation=[[(picture("cow", i % 6, (8, 8)), 2) for i in range(8)]])
    assert len(unseen(leaked, folder)) == 99
    training = [(picture(toy.CLASSES[y], i, (8, 8)), y) for i, y in enumerate(toy.labels(36))]
    n = sum(i < COUNTS[toy.CLASSES[y]] for i, y in enumerate(toy.labels(36)))
    with pytest.warns(SeenImagesWarning, match=f"{n} of 36 items of the data set that were compared are among"):
        mix(training, folder, classes=toy.CLASSES)


def test_what_is_of_a_run_alone_is_refused(folder):
    real = toy.Pictures(12)
    with pytest.raises(NoVerdictError, match=r"made elsewhere.*--synthetic.*results\.json"):
        mix(real, folder, ratio="auto")
    for how in ({"fresh": True}, {"pool_epochs": 2}):
        with pytest.raises(OptionError, match="no others can be rendered"):
            mix(real, folder, **how)


def test_a_batch_transform_serves_them_with_a_use(tmp_path):
    """Loss weights of synthetic images have no place in items of a data set."""
    made(tmp_path, {"ant": 3, "cow": 5}, size=[(24, 16), (8, 8)], mode="RGB")
    images = torch.full((40, 1, 8, 8), 7, dtype=torch.uint8)
    labels = torch.arange(40) % 3
    with pytest.warns(WithheldWarning, match="bee"):
        serve = ganaug.SynthMix(tmp_path, ratio=1.0, classes=toy.CLASSES, seed=3)
    mixed, targets = serve(images, labels)
    assert torch.equal(targets, labels)
    assert mixed.dtype == torch.uint8
    for image, label in zip(mixed.numpy(), labels.tolist(), strict=True):
        name = toy.CLASSES[label]
        assert (image == 7).all() if name == "bee" else abs(image.mean() - toy.LEVELS[name]) < 20
    assert len({image.numpy().tobytes() for image in mixed}) == 3 + 5 + 1
    serve.set_epoch(0)
    assert torch.equal(serve(images, labels)[0], mixed)
    floats, soft = ganaug.SynthMix(tmp_path, ratio=0.5, classes=["ant", "cow"], use="light")(
        images[:20].float().div(255), labels[:20] % 2
    )
    assert floats.max() <= 1
    assert soft.shape == (20, 2)
    assert soft.sum().item() == pytest.approx(20)
    assert len(soft.sum(1).unique()) == 2
    for how in ({"live": True}, {"pool_per_class": 9}):
        with pytest.raises(OptionError, match="no others can be rendered"):
            ganaug.SynthMix(tmp_path, classes=["ant", "cow"], **how)
    with pytest.raises(NoVerdictError, match="use='auto'"):
        ganaug.SynthMix(tmp_path, ratio=0.5, classes=["ant", "cow"], use="auto")


def test_any_source_will_do(folder, tmp_path):
    expected = shown(mix(toy.Pictures(24), folder, ratio=1.0), 0)
    read = ganaug.load_images(folder)
    X, y = read.pixels[:, 0].numpy(), read.labels.numpy()
    np.savez(tmp_path / "made.npz", x=X, y=y, classes=list(read.classes))
    for source in (tmp_path / "made.npz", ImageFolder(folder), ganaug.open_source(folder)):
        assert shown(mix(toy.Pictures(24), source, ratio=1.0), 0) == expected
    named = ganaug.open_source((X, y), classes=read.classes)
    assert shown(mix(toy.Pictures(24), named, ratio=1.0), 0) == expected

    class Random(ImageFolder):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image.rotate(torch.randint(360, ()).item()), label

    with pytest.raises(DataError, match="at random"):
        mix(toy.Pictures(24), Random(folder))
