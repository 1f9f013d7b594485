"""What studies keep: lines that are whole or absent, whoever puts them there, and packed answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.studies.lib.results import (
    ROOT,
    find,
    pack_flags,
    pack_numbers,
    put,
    read,
    unpack_flags,
    unpack_numbers,
    write,
)


def test_lines_are_sorted_and_one_takes_the_place_of_another(tmp_path):
    file = tmp_path / "cell.jsonl"
    assert read(file) == []
    for line in ({"draw": 10}, {"draw": 2, "found": "a"}, {"kind": "tuned"}, {"draw": 2, "found": "b"}):
        put(file, line, "draw")
    assert [(line.get("draw"), line.get("found")) for line in read(file)] == [(None, None), (2, "b"), (10, None)]
    assert find(file, draw=2, found="b")
    assert find(file, draw=2, found="a") is None
    assert [one.name for one in tmp_path.iterdir()] == ["cell.jsonl"]  # neither a lock nor a part is left


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b'{"format":2}', b"\xff"])
def test_anything_else_is_refused_and_named(tmp_path, text):
    write(file := tmp_path / "cell.jsonl", [{"draw": 0}])
    file.write_bytes(file.read_bytes() + text + b"\n")
    with pytest.raises(ValueError, match=r"Line 2 of .*cell.jsonl is no result of a study: .* run the study again"):
        read(file)


PUTTING = """
import sys
from pathlib import Path
from scripts.studies.lib.results import put
for number in range(int(sys.argv[2]), 60, 3):
    put(Path(sys.argv[1]), {"draw": number}, "draw")
"""


def test_processes_put_lines_into_one_file_and_none_is_lost(tmp_path):
    file = tmp_path / "cell.jsonl"
    running = [subprocess.Popen([sys.executable, "-c", PUTTING, str(file), str(first)], cwd=ROOT) for first in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert [line["draw"] for line in read(file)] == list(range(60))


def test_what_a_killed_process_left_stops_nobody(tmp_path):
    file: Path = tmp_path / "cell.jsonl"
    (tmp_path / ".cell.jsonl.lock").touch()
    (tmp_path / ".cell.jsonl.abc.part").write_text("half a li")
    put(file, {"draw": 0}, "draw")
    assert [one.name for one in tmp_path.iterdir()] == ["cell.jsonl"]


def test_packed_answers_come_back():
    rng = np.random.default_rng(0)
    flags, numbers = rng.random(101) < 0.9, rng.integers(0, 300, 57)
    assert np.array_equal(unpack_flags(pack_flags(flags), 101), flags)
    assert np.array_equal(unpack_numbers(pack_numbers(numbers)), numbers)
    with pytest.raises(ValueError, match="104 flags are packed, 105 are needed"):
        unpack_flags(pack_flags(flags), 105)
