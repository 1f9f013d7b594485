"""Images without labels are read flat from whatever holds images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, Subset, TensorDataset

from ganaug.classifier.pictures import rows_in
from ganaug.data.load import load_images
from ganaug.data.unlabelled import load_unlabelled, open_unlabelled
from ganaug.errors import DataError, OptionError
from ganaug.options import Reading
from tests.toys.images import picture

N = 6


@pytest.fixture(scope="module")
def like():
    """Labelled images of 12 px, in colour."""
    return load_images([(picture(100 + i), i % 2) for i in range(8)])


@pytest.fixture
def pool(tmp_path):
    """Six pictures in a folder, at three depths, one folder called like a part, and what is no image."""
    root = tmp_path / "pool"
    for i, name in enumerate(("a.png", "b.png", "test/c.png", "test/d.png", "more/and/e.png", "f.png")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(i).save(root / name)
    (root / "notes.txt").write_text("no image")
    return root


def pixels():
    return np.stack([np.asarray(picture(i)) for i in range(N)])


class Alone(Dataset):
    """Pictures by themselves, which a transform would change."""

    transform = staticmethod(lambda image: image.resize((5, 5)))

    def __len__(self):
        return N

    def __getitem__(self, index):
        image = picture(index)
        return image if self.transform is None else self.transform(image)


def holders(pool, tmp_path):
    """The same six pictures in every form."""
    x = pixels()
    np.savez(tmp_path / "one.npz", x)
    np.savez(tmp_path / "x.npz", x=x, group=np.arange(N) // 2)
    np.savez(tmp_path / "labelled.npz", x_train=x, y_train=np.arange(N) % 3, x_test=x[:1], y_test=[0])
    names = sorted(str(path.relative_to(pool)) for path in pool.rglob("*.png"))
    (pool / "list.csv").write_text("picture\n" + "".join(f"{name}\n" for name in names))
    (pool / "labels.csv").write_text("picture,label\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(names)))
    images = [picture(i) for i in range(N)]
    return {
        "folder": pool,
        "list": pool / "list.csv",
        "list with labels": pool / "labels.csv",
        "npz of one array": tmp_path / "one.npz",
        "npz": tmp_path / "x.npz",
        "npz with labels": tmp_path / "labelled.npz",
        "array": x,
        "tensor": torch.from_numpy(x).permute(0, 3, 1, 2),
        "(X, y)": (x, np.arange(N)),
        "pictures": images,
        "pairs": [(image, i) for i, image in enumerate(images)],
        "pairs without labels": [(image, None) for image in images],
        "dicts": [{"image": image} for image in images],
        "dicts with labels": [{"image": image, "label": i} for i, image in enumerate(images)],
        "data set": Alone(),
        "subset": Subset(Alone(), range(N)),
        "tensors": TensorDataset(torch.from_numpy(x).permute(0, 3, 1, 2)),
        "images in memory": load_images([(image, i % 2) for i, image in enumerate(images)]),
    }


def test_every_holder_gives_the_same_images(pool, tmp_path, like):
    expected = {image.tobytes() for image in pixels()}
    for form, holder in holders(pool, tmp_path).items():
        found = load_unlabelled(holder, like)
        assert found.classes == ("all",), form
        assert found.labels.tolist() == [0] * N, form
        assert found.pixels.shape == (N, 3, 12, 12), form
        assert {image.permute(1, 2, 0).numpy().tobytes() for image in found.pixels} == expected, form
        assert len(set(found.fingerprints)) == len(set(found.names)) == len(set(found.likenesses)) == N, form
        few = load_unlabelled(holder, like, limit=2, seed=1)
        assert len(few) == 2, form
        assert set(few.fingerprints) < set(found.fingerprints), form


def test_a_folder_is_read_flat_whatever_its_folders_are_called(pool, like):
    seen = []
    found = load_unlabelled(pool, like, report=lambda *event: seen.append(event))
    assert found.names == ("a.png", "b.png", "f.png", "more/and/e.png", "test/c.png", "test/d.png")
    assert ("passed over", 0, 0, "1 x not an image: notes.txt") in seen
    (pool / "broken.png").write_bytes(b"no picture")
    assert [name for name, _ in load_unlabelled(pool, like).unreadable] == ["broken.png"]


def test_a_list_chooses_among_the_images_of_a_folder(pool, tmp_path, like):
    file = tmp_path / "some.csv"
    file.write_text("image,split\na,train\nmore/and/e,train\nf,test\n")
    assert load_unlabelled(pool, like, labels=file).names == ("a.png", "more/and/e.png")
    assert load_unlabelled(pool, like, labels=file, split="test").names == ("f.png",)
    file.write_text("image\na\nnowhere\n")
    with pytest.raises(DataError, match="1 are not in"):
        load_unlabelled(pool, like, labels=file)


def test_size_channels_and_range_are_those_of_the_labelled_images(pool, tmp_path):
    grey = load_images([(picture(i, (9, 9), "L"), i % 2) for i in range(4)])
    found = load_unlabelled(pool, grey)
    assert found.pixels.shape == (N, 1, 9, 9)
    theirs = load_images([(picture(0).resize((9, 9), Image.Resampling.BICUBIC), 0)] * 2, channels=1, at_least=0)
    assert torch.equal(found.pixels[0], theirs.pixels[0])
    x = np.random.default_rng(0).integers(0, 4096, (8, 9, 9), dtype=np.uint16)
    deep = load_images((x, np.arange(8) % 2), range=(0, 4095))
    for holder in (x, (tmp_path / "x.npz")):
        np.savez(tmp_path / "x.npz", x=x)
        assert torch.equal(load_unlabelled(holder, deep).pixels, deep.pixels)
    with pytest.raises(DataError, match="no value above"):
        load_unlabelled(x, grey)


def test_groups_go_with_their_images(tmp_path, like):
    np.savez(tmp_path / "x.npz", x=pixels(), group=np.arange(N) // 2)
    assert load_unlabelled(tmp_path / "x.npz", like).groups == ("0", "0", "1", "1", "2", "2")
    assert load_unlabelled(pixels(), like, groups=list("abcabc")).groups == tuple("abcabc")


def test_a_set_that_is_read_with_its_labels_loses_them():
    digits = load_images("digits", limit=5)
    found = load_unlabelled("digits", digits, limit=7)
    assert (len(found), found.classes) == (7, ("all",))
    assert len(load_unlabelled("digits", digits, split="test")) == len(load_images("digits", split="test"))


def test_an_open_source_is_read_as_what_it_was_opened_from(pool, tmp_path, like):
    for form, holder in holders(pool, tmp_path).items():
        if form == "images in memory":
            continue
        opened = open_unlabelled(holder)
        found, expected = load_unlabelled(opened, like), load_unlabelled(holder, like)
        assert opened.classes == ("all",), form
        assert (found.names, found.fingerprints) == (expected.names, expected.fingerprints), form
        assert rows_in(opened, found).tolist() == list(range(N)), form
    x = np.random.default_rng(0).integers(0, 4096, (8, 9, 9), dtype=np.uint16)
    deep = load_images((x, np.arange(8) % 2), range=(0, 4095))
    opened = open_unlabelled(x, Reading(range=(0, 4095)))
    assert torch.equal(load_unlabelled(opened, deep).pixels, deep.pixels)


def test_a_source_of_the_users_own_loses_its_labels(like):
    class Own:
        classes, names, groups, array = ("a", "b"), [f"own {i}" for i in range(N)], None, None
        labels, ignored = np.arange(N) % 2, {"too dark": ["own 9"]}

        def __len__(self):
            return N

        def read(self, index):
            return picture(index)

    found = load_unlabelled(Own(), like)
    assert found.names == tuple(Own.names)
    assert found.counts() == {"all": N}


def test_what_holds_no_images_is_refused(tmp_path, pool, like):
    (tmp_path / "empty" / "a").mkdir(parents=True)
    (tmp_path / "empty" / "a" / "notes.txt").write_text("")
    with pytest.raises(DataError, match="no image in .*empty.*1 x not an image"):
        load_unlabelled(tmp_path / "empty", like)
    (tmp_path / "empty" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="No image of these can be read: 1 that cannot be read .first: broken.png"):
        load_unlabelled(tmp_path / "empty", like)
    (tmp_path / "list.csv").write_text("image\n")
    np.savez(tmp_path / "two.npz", a=pixels(), b=pixels())
    run = tmp_path / "run"
    run.mkdir()
    for name in ("fit.json", "metrics.jsonl"):
        (run / name).write_text("{}")
    for holder, words in {
        tmp_path / "nowhere": "no file or folder",
        tmp_path / "list.csv": "not a list of images",
        tmp_path / "two.npz": "no part 'train': its keys are a, b",
        run: "a run that ganaug made",
        pool / "a.png": "kind that is not read",
    }.items():
        with pytest.raises(DataError, match=words):
            load_unlabelled(holder, like)
    for other, words in (([], "no items"), (np.zeros((3, 4)), "does not hold images"), ([3, 4], "not an image"),
                         (load_images("digits", limit=2), "8 px with 1 channels")):  # fmt: skip
        with pytest.raises(DataError, match=words):
            load_unlabelled(other, like)


@pytest.mark.parametrize("said", [{"target": "label"}, {"depth": 2}, {"skip_small": 2}, {"classes": ["a"]}])
def test_what_is_about_labels_would_change_nothing(pool, like, said):
    for holder in (pool, pixels(), [picture(0)]):
        with pytest.raises(OptionError, match="would change nothing"):
            load_unlabelled(holder, like, **said)


def test_pictures_that_change_at_each_reading_are_refused(like):
    class Shaken(Alone):
        transform = None

        def __getitem__(self, index):
            return picture(int(np.random.randint(1000)))  # noqa: NPY002

    with pytest.raises(DataError, match="changes its items at random"):
        load_unlabelled(Shaken(), like)
