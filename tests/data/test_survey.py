"""One pass over a source, with one thread or several."""

import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from ganaug.data.sources.folder import FolderSource, from_folder
from ganaug.data.survey import survey
from ganaug.errors import UnreadableImageError
from ganaug.files.machine import readers
from tests.data.test_store import a_folder


@pytest.fixture
def threads(monkeypatch):
    """Gives a function that sets how many threads read a folder."""

    def use(number):
        monkeypatch.setattr(FolderSource, "threads", number)

    return use


@pytest.mark.parametrize("limit", [None, 11])
def test_several_threads_see_what_one_sees_in_the_same_order(tmp_path, threads, limit):
    root = a_folder(tmp_path / "data", sizes=((40, 30), (8, 8)), colour={3, 5})
    for name in ("a/004.png", "a/006.png", "b/009.png"):
        (root / name).write_bytes(b"no image")
    passes = []
    for number in (1, 2, 5):
        threads(number)
        visited = []
        found = survey(
            from_folder(root), limit=limit, visit=lambda seen, pixels, to=visited: to.append((seen, pixels.sum()))
        )
        passes.append((list(found.images), found.unreadable, visited))
    assert passes[0] == passes[1] == passes[2]
    assert len(passes[0][0]) == (37 if limit is None else 22)  # a spare stands in for what cannot be read


def test_images_are_read_at_once(tmp_path, threads, monkeypatch):
    source = from_folder(a_folder(tmp_path / "data"))
    threads(3)
    together = threading.Barrier(3, timeout=30)
    image = Image.fromarray(np.zeros((8, 8), np.uint8))
    first = iter(range(3))

    def read(self, index):
        if next(first, None) is not None:
            together.wait()
        return image

    monkeypatch.setattr(FolderSource, "read", read)
    assert len(survey(source).images) == 40


def test_an_error_in_a_thread_ends_the_reading_and_warnings_are_heard_again(tmp_path, threads, monkeypatch):
    root = a_folder(tmp_path / "data")
    (root / "a" / "008.png").write_bytes(b"no image")
    threads(4)
    before, running = list(warnings.filters), threading.active_count()
    with pytest.raises(UnreadableImageError, match="a/008.png cannot be read"):
        survey(from_folder(root), strict=True)
    assert warnings.filters == before
    assert threading.active_count() == running

    def stopped(self, index):
        raise KeyboardInterrupt

    monkeypatch.setattr(FolderSource, "read", stopped)
    with pytest.raises(KeyboardInterrupt):
        survey(from_folder(root))
    assert warnings.filters == before
    assert threading.active_count() == running


def test_large_files_are_read_by_several_threads_and_small_ones_by_one(monkeypatch):
    monkeypatch.setattr("ganaug.files.machine.usable_cores", lambda: 4)
    assert [readers(sizes) for sizes in ([], [1500] * 3, [57_000] * 3, [1500, 57_000, 60_000])] == [1, 1, 4, 4]
    monkeypatch.setattr("ganaug.files.machine.usable_cores", lambda: 64)
    assert readers([57_000]) == 8
