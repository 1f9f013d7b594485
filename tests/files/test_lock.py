"""Two at once: one wins, the other says who holds the folder; a dead holder holds nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ganaug.errors import OutputInUseError
from ganaug.files.lock import LOCK, sole_writer

HOLD = """
import sys, time
from pathlib import Path
from ganaug.files.lock import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_writer_is_told_who_holds_the_folder(holder, tmp_path):
    before = (tmp_path / LOCK).read_bytes()
    with pytest.raises(OutputInUseError, match=f"process {holder.pid} on"), sole_writer(tmp_path):
        pass
    assert (tmp_path / LOCK).read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_holder_leaves_the_folder_free(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    time.sleep(0.01)
    with sole_writer(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()


def test_it_can_be_held_again_and_within_a_process_too(tmp_path):
    for _ in range(2):
        with sole_writer(tmp_path / "new"), pytest.raises(OutputInUseError), sole_writer(tmp_path / "new"):
            pass


def test_rubbish_in_the_file_is_no_obstacle(tmp_path):
    (tmp_path / LOCK).write_bytes(b"\xff{" * 999)
    with sole_writer(tmp_path), pytest.raises(OutputInUseError, match="process"), sole_writer(tmp_path):
        pass
