import os

import pytest

from ganaug.data import store
from ganaug.data.pictures import files as picture_files
from ganaug.data.sources import folder as folders
from tests.toys.images import picture


@pytest.fixture
def tree(tmp_path):
    """Three classes of four 12 x 12 PNG files."""
    for c, name in enumerate(("ant", "bee", "cat")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(4):
            picture(10 * c + i).save(tmp_path / "data" / name / f"{i}.png")
    return tmp_path / "data"


@pytest.fixture
def little_memory(monkeypatch, tmp_path):
    """Gives a function that lets memory hold no pixels, or all again; and the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GANAUG_CACHE_GIB", raising=False)
    monkeypatch.setattr(store, "BLOCK", 8)

    def allow(room):
        monkeypatch.setattr("ganaug.data.store.memory_for_pixels", lambda: room)

    allow(0)
    allow.cache = tmp_path / "cache" / "ganaug" / "pixels"
    return allow


@pytest.fixture
def reads(monkeypatch):
    """The files that are decoded, as they are."""
    found = []

    def read(path, *more):
        found.append(os.path.basename(path))
        return picture_files.read_file(path, *more)

    monkeypatch.setattr(folders, "read_file", read)
    return found
