"""Images behind URLs, without a network: fsspec's file systems in memory and of this machine."""

import io

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, DiskFullError, MissingPackageError, OptionError, UnreadableImageError
from ganaug.files import integrity
from tests.data.sources.test_tar import encoded, items, write
from tests.toys.images import picture


@pytest.fixture
def remote(monkeypatch, tmp_path):
    """An empty file system elsewhere; fetched files go below tmp_path."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    return fsspec.filesystem("memory")


def fill(system, root="/data/train", n=8):
    for i in range(n):
        system.pipe_file(f"{root}/{'ab'[i % 2]}/{i:03}.png", encoded(i))


def test_a_folder_elsewhere_is_read_file_by_file(remote):
    fill(remote)
    remote.pipe_file("/data/train/loose.png", encoded(1))
    remote.pipe_file("/data/train/a/notes.txt", b"text")
    remote.pipe_file("/data/train/.git/x.png", encoded(1))
    source = open_source("memory://data/train")
    assert source.classes == ("a", "b")
    assert source.names[:2] == ["a/000.png", "a/002.png"]
    assert source.read(1).tobytes() == picture(2).tobytes()
    assert source.ignored == {
        "hidden file": [".git/x.png"],
        "not an image": ["a/notes.txt"],
        "image outside the class folders": ["loose.png"],
    }
    assert load_images("memory://data/train", limit=3).counts() == {"a": 3, "b": 3}


def test_what_is_damaged_or_gone_is_told_and_a_lost_connection_loses_no_image(remote, monkeypatch):
    fill(remote)
    remote.pipe_file("/data/train/a/000.png", encoded(0)[:50])
    source = open_source("memory://data/train")
    remote.rm("/data/train/b/003.png")
    images = load_images(source)
    assert [name for name, _ in images.unreadable] == ["a/000.png", "b/003.png"]

    def lost(*given, **named):
        raise TimeoutError("no answer")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", lost)
    with pytest.raises(DataError, match="004.png cannot be fetched: TimeoutError: no answer"):
        source.read(2)
    monkeypatch.setattr(MemoryFileSystem, "find", lost)
    with pytest.raises(DataError, match="cannot be listed: TimeoutError"):
        open_source("memory://data/train")
    monkeypatch.setattr(MemoryFileSystem, "isdir", lost)
    with pytest.raises(DataError, match="cannot be read: TimeoutError"):
        open_source("memory://data/train")


def test_a_folder_without_class_folders_and_what_is_not_there_are_refused(remote):
    remote.pipe_file("/flat/1.png", encoded(1))
    with pytest.raises(DataError, match="no images in class folders"):
        open_source("memory://flat")
    with pytest.raises(DataError, match="There is no folder memory://nowhere"):
        open_source("memory://nowhere")
    with pytest.raises(DataError, match="There is no file or folder memory://nowhere/a.tar"):
        open_source("memory://nowhere/a.tar")
    fill(remote)
    with pytest.raises(OptionError, match="split would change nothing"):
        open_source("memory://data/train", split="test")


def test_a_file_elsewhere_is_fetched_once_and_again_when_it_changed(remote, tmp_path, monkeypatch):
    fetched = []
    get = MemoryFileSystem.get_file

    def counted(self, path, *more, **named):
        fetched.append(path)
        return get(self, path, *more, **named)

    monkeypatch.setattr(MemoryFileSystem, "get_file", counted)
    for number in range(2):
        remote.pipe_file(f"/s-{number}.tar", write(tmp_path / "a.tar", items()).read_bytes())
    for _ in range(2):
        assert len(open_source("memory://s-{0..1}.tar")) == 16
    assert fetched == ["/s-0.tar", "/s-1.tar"]
    remote.pipe_file("/s-1.tar", write(tmp_path / "a.tar", items([0, 1])).read_bytes())
    assert len(open_source("memory://s-{0..1}.tar")) == 10
    assert not list((tmp_path / "cache").rglob(".fetched*"))
    with pytest.raises(OptionError, match="split"):
        open_source("memory://s-0.tar", split="test")


def test_arrays_elsewhere(remote):
    file = io.BytesIO()
    x = np.random.default_rng(0).integers(0, 256, (8, 16, 16), dtype=np.uint8)
    np.savez(file, x_train=x, y_train=np.arange(8) % 2)
    remote.pipe_file("/a.npz", file.getvalue())
    assert (load_images("memory://a.npz").pixels[:, 0].numpy() == x).all()


def test_a_file_that_is_cut_off_on_its_way_is_not_kept(remote, tmp_path, monkeypatch):
    content = write(tmp_path / "a.tar", items()).read_bytes()
    remote.pipe_file("/a.tar", content)

    def half(self, path, to, **named):
        with open(to, "wb") as file:
            file.write(content[:3000])

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "get_file", half)
        with pytest.raises(DataError, match="cut off while it was fetched"):
            open_source("memory://a.tar")
    with monkeypatch.context() as patch:
        patch.setattr(integrity, "free_space", lambda path: 0)
        with pytest.raises(DiskFullError):
            open_source("memory://a.tar")
    assert len(open_source("memory://a.tar")) == 8


@pytest.mark.parametrize(("address", "extra"), [("s3://bucket/train", "s3"), ("gs://bucket/train", "gs")])
def test_a_missing_backend_is_named(remote, monkeypatch, address, extra):
    def missing(*given, **named):
        raise ImportError("Install it")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(MissingPackageError) as told:
        open_source(address)
    assert f"pip install 'fsspec[{extra}]'" in str(told.value)


def test_a_protocol_that_nobody_knows_is_told(remote):
    with pytest.raises(DataError, match="protocol that is not known, 'htps'"):
        open_source("htps://host/train")


def test_a_folder_of_this_machine_by_url_is_the_folder(tmp_path, remote):
    for i in range(8):
        path = tmp_path / "data" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(i).save(path)
    one, other = (load_images(where) for where in (tmp_path / "data", f"file://{tmp_path / 'data'}"))
    assert (one.pixels == other.pixels).all()
    assert list(one.names) == list(other.names)
    assert one.fingerprints == other.fingerprints


def test_an_image_that_is_too_large_is_told_and_not_fetched(remote, monkeypatch):
    fill(remote)
    source = open_source("memory://data/train")
    fetched = []
    cat = MemoryFileSystem.cat_file
    monkeypatch.setattr(
        MemoryFileSystem, "cat_file", lambda self, path, *a, **k: fetched.append(path) or cat(self, path)
    )
    monkeypatch.setattr("ganaug.data.sources.urls.BYTE_LIMIT", source.sizes[0] - 1)
    with pytest.raises(UnreadableImageError, match="above the limit"):
        source.read(0)
    assert fetched == []
