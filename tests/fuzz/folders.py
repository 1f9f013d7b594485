"""Mutations of generator folders and of saved states. Tests and long soaks call `run(count, seed, source, work)`.

Every mutant must be refused with an ArtefactError. One whose manifest was made to fit it, as an attacker would, may be
another sound file: then it loads, and holds finite weights of the very names, shapes and types that its card describes.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ganaug
from ganaug.errors import ArtefactError
from ganaug.files.integrity import _manifest, sealed, sha256, unsealed
from ganaug.game import Recipe
from ganaug.game.train import train
from ganaug.generator.state import _file_name, load_state
from tests.fuzz.audit import watched
from tests.fuzz.images import mutate

SETTINGS = {"width": 4, "widest": 8, "latent": 8, "batch": 8}
NAMES = ("card.json", "model.safetensors", "manifest.json")
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 7, 10**9, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**400, 0.0, -0.5, 1e308, "", "a",
    "../../etc/passwd", "os.system", "evil.py:recipe", "builtins.eval", "\u202egnp.exe", "a\x00b", "\ud800", "x" * 5000,
    [], [[]], [0], [1, 2, 3], [-1, -1, -1], [10**9] * 3, [1024, 1024, 1024], {}, {"a": 1}, {"__class__": "os.system"},
    {"_target_": "os.system"}, [[[[[[[[]]]]]]]], [None], ["a"] * 300,
)  # fmt: skip


@dataclass
class Outcome:
    """refused, loaded: how many; executed: what the watch noted; silent: mutants without a fitting manifest that were
    loaded; crashed: other exceptions; slowest: seconds of processor time; kinds: how often each was tried."""

    refused: int = 0
    loaded: int = 0
    silent: list[str] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)


def source(folder: Path) -> Path:
    """A small finished run, with its state."""
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2
    return ganaug.fit(data, folder, options=SETTINGS, steps=3).path


def change_json(value: Any, rng: np.random.Generator) -> Any:
    """A copy with one field anywhere changed, removed, added or renamed."""
    value = json.loads(json.dumps(value))
    places = list(_containers(value))
    place = places[rng.integers(len(places))]
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    hostile = HOSTILE[rng.integers(len(HOSTILE))]
    kind = rng.integers(5)
    if not keys or kind == 0:
        if isinstance(place, dict):
            place[str(rng.choice(["extra", "", "__metadata__", "a", "schema"]))] = hostile
        else:
            place.append(hostile)
        return value
    key = keys[rng.integers(len(keys))]
    if kind == 1:
        del place[key]
    elif kind == 2 and isinstance(place, dict):
        place[f"{key}x"] = place.pop(key)
    else:
        place[key] = hostile
    return value


def _containers(value: Any):
    yield value
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, (dict, list)):
            yield from _containers(child)


def change_text(data: bytes, rng: np.random.Generator) -> bytes:
    """JSON that is not what it seems: repeated fields, constants, nesting, other encodings, trailing text."""
    kind = rng.integers(8)
    if kind == 0:
        return data.replace(b"{", b'{"schema": 1, ', 1)
    if kind == 1:
        fields = [f for f in data.split(b",") if b":" in f]
        return data.replace(b"{", b"{" + fields[rng.integers(len(fields))].strip(b"{}[] \n") + b", ", 1)
    if kind == 2:
        numbers = [b" 0", b" 1", b" 2", b" 3", b" 8"]
        return data.replace(numbers[rng.integers(5)], [b" NaN", b" Infinity", b" -Infinity"][rng.integers(3)], 1)
    if kind == 3:
        return b"[" * 100_000 + data
    if kind == 4:
        return data.decode().encode(["utf-16", "utf-8-sig", "utf-32"][rng.integers(3)])
    if kind == 5:
        return data + [b"{}", b"\x00", b"garbage", data][rng.integers(4)]
    if kind == 6:
        return data.replace(b'"', b"'")
    return data.replace(b": ", b": " + b"9" * 5000, 1)


def change_header(data: bytes, rng: np.random.Generator) -> bytes:
    """Safetensors whose header lies."""
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    names = list(header)
    entry = header[names[rng.integers(len(names))]]
    kind = rng.integers(12)
    if kind == 0:
        lengths = [0, 1, size - 1, size + 1, 2**31, 2**63 - 1, 2**64 - 1, len(data), 100_000_001]
        return struct.pack("<Q", lengths[rng.integers(len(lengths))]) + data[8:]
    if kind == 1:
        entry["dtype"] = str(rng.choice(["F64", "F16", "BF16", "I32", "U8", "BOOL", "F8_E4M3", "C64", "x", ""]))
    elif kind == 2:
        entry["shape"] = [[], [2**32, 2**32], [-1], [0], entry["shape"][::-1], [*entry["shape"], 1], [10**30]][
            rng.integers(7)
        ]
    elif kind == 3:
        at = entry["data_offsets"]
        entry["data_offsets"] = [[0, at[1]], [at[0], at[1] + 4], at[::-1], [at[0]], [0, 2**63], [-4, at[1]]][
            rng.integers(6)
        ]
    elif kind == 4:
        other = header[names[rng.integers(len(names))]]
        entry["data_offsets"], other["data_offsets"] = other["data_offsets"], entry["data_offsets"]
    elif kind == 5:
        del header[names[rng.integers(len(names))]]
    elif kind == 6:
        header["extra"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(body), len(body) + 4]}
        body += bytes(4)
    elif kind == 7:
        header["__metadata__"] = {"format": "pt", "code": "__import__('os').system('true')"}
    elif kind == 8:
        body = body[: rng.integers(len(body))] if rng.integers(2) else body + rng.bytes(8)
    elif kind == 9:
        at = 4 * int(rng.integers(len(body) // 4))
        body = (
            body[:at]
            + [b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff"][rng.integers(3)]
            + body[at + 4 :]
        )
    elif kind == 10:
        return data[:8] + change_text(data[8 : 8 + size], rng)[:size].ljust(size) + body
    else:
        header = change_json(header, rng)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def change_files(folder: Path, rng: np.random.Generator) -> str:
    """A file that is missing, or is no file."""
    file = folder / NAMES[rng.integers(3)]
    kind = str(rng.choice(["missing", "folder", "link", "link to itself", "pipe", "empty", "device"]))
    target = folder.parent / f"target {file.name}"
    os.replace(file, target)
    if kind == "folder":
        file.mkdir()
    elif kind == "link":
        file.symlink_to(target)
    elif kind == "link to itself":
        file.symlink_to(file)
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "empty":
        file.touch()
    elif kind == "device":
        file.symlink_to("/dev/zero")
    return f"file: {kind}"


class Mutants:
    """Draws mutants of one run into `work`, and loads them."""

    def __init__(self, run: Path, work: Path):
        self.work = work / "generator"
        self.states = work / "state"
        self.whole = {name: (run / "generator" / name).read_bytes() for name in NAMES}
        self.list = (run / "state" / "states.json").read_bytes()
        self.step = next((run / "state").glob("step-*"))
        self.step_data = self.step.read_bytes()
        self.game = self._game(run)
        self.sound = {self.work / name: data for name, data in self.whole.items()}
        self.sound |= {self.states / "states.json": self.list, self.states / self.step.name: self.step_data}
        self.changed, self.others = set(), True  # others: files that came or went
        self.restore()
        ganaug.load(self.work)

    def _game(self, run: Path) -> Callable[[Any], None]:
        """Restores a state into the very game that the run was."""
        from ganaug.data.batches import ClassBalancedBatches
        from ganaug.data.spec import DataSpec
        from ganaug.recipes import make

        recipe: Recipe = make("small", SETTINGS)
        pixels = torch.zeros((4, 1, 8, 8), dtype=torch.uint8)
        data = ClassBalancedBatches(pixels, torch.arange(4) % 2, DataSpec((1, 8, 8), ("0", "1")))
        at = next(train(recipe, data, steps=3))
        return at._game.restore

    def restore(self) -> None:
        """Only what was changed: most mutants touch one file."""
        if self.others:
            for folder in (self.work, self.states):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
            self.changed = set(self.sound)
        for path in self.changed:
            if path in self.sound:
                path.write_bytes(self.sound[path])
            else:
                path.unlink()
        self.changed, self.others = set(), False

    def write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.changed.add(path)

    def draw(self, rng: np.random.Generator) -> tuple[str, bool, Callable[[], Any]]:
        """Its kind, whether it was made to fit its manifest, and how to load it."""
        kind = rng.integers(20)
        if kind == 0:
            self.others = True
            return change_files(self.work, rng), False, self.load
        if kind <= 5:
            return *self._state(kind, rng), self.load_state
        name = NAMES[rng.integers(3)]
        if kind <= 11:  # without a fitting manifest
            other = self.whole[NAMES[rng.integers(3)]]
            data = mutate(self.whole[name], other, rng)
            self.write(self.work / name, data)
            return f"bytes of {name}", data == self.whole[name], self.load
        files = {name: self.whole[name] for name in NAMES[:2]}
        if kind <= 14:
            card = json.loads(files["card.json"])
            files["card.json"] = json.dumps(change_json(card, rng)).encode()
            what = "fields of the card"
        elif kind == 15:
            files["card.json"] = change_text(files["card.json"], rng)
            what = "text of the card"
        elif kind <= 18:
            files["model.safetensors"] = change_header(files["model.safetensors"], rng)
            what = "header of the weights"
        else:
            return self._manifest_of(files, rng)
        for file, data in files.items():
            self.write(self.work / file, data)
        self.write(self.work / "manifest.json", _manifest({f: (len(d), sha256(d)) for f, d in files.items()}))
        return what, True, self.load

    def _manifest_of(self, files: dict[str, bytes], rng: np.random.Generator):
        manifest = json.loads(self.whole["manifest.json"])
        data = (
            json.dumps(change_json(manifest, rng), indent=1).encode()
            if rng.integers(2)
            else change_text(self.whole["manifest.json"], rng)
        )
        self.write(self.work / "manifest.json", data)
        return "the manifest", data == self.whole["manifest.json"], self.load

    def _state(self, kind: int, rng: np.random.Generator) -> tuple[str, bool]:
        if kind == 1:
            data = mutate(self.list, self.step_data, rng)
            self.write(self.states / "states.json", data)
            return "bytes of the list of states", data == self.list
        if kind == 2:
            data = mutate(self.step_data, self.list, rng)
            self.write(self.states / self.step.name, data)
            return "bytes of a state", data == self.step_data
        values = unsealed(self.list, self.states)
        if kind == 3:
            self.write(self.states / "states.json", sealed(change_json(values, rng)))
            return "fields of the list of states", True
        data = change_header(self.step_data, rng)
        entry = values["states"][0]
        entry.update(bytes=len(data), sha256=sha256(data), file=_file_name(entry["notes"]["step"], sha256(data)))
        self.write(self.states / entry["file"], data)
        self.write(self.states / "states.json", sealed({**values, "states": [entry]}))
        return "header of a state", True

    def load(self) -> None:
        fitted = ganaug.load(self.work)
        for tensor in fitted.networks["generator"].state_dict().values():
            assert tensor.isfinite().all()

    def load_state(self) -> None:
        saved = load_state(self.states)
        if saved is None:
            raise ArtefactError("There is none.")
        self.game(saved.tensors)


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder in memory, where there is one: mutants are written and read by the thousand."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def run(
    count: int, seed: int, source_run: Path, work: Path, tick: Callable[[int], None] = lambda done: None
) -> Outcome:
    """Load `count` mutants; the same (count, seed) give the same mutants."""
    rng, outcome = np.random.default_rng(seed), Outcome()
    mutants = Mutants(source_run, work)
    for done in range(-300, count):  # the first ones warm up: what is imported late is imported then
        if done == 0:
            rng, outcome = np.random.default_rng(seed), Outcome()
        if done % 256 == 0:
            tick(done)
        kind, fits, load = mutants.draw(rng)
        outcome.kinds[kind] += 1
        began = time.process_time()
        with watched() as watch:
            try:
                load()
            except ArtefactError:
                outcome.refused += 1
            except Exception as error:
                outcome.crashed.append(f"{kind}: {type(error).__name__}: {str(error)[:300]}")
            else:
                outcome.loaded += 1
                if not fits:
                    outcome.silent.append(kind)
        outcome.slowest = max(outcome.slowest, time.process_time() - began)
        outcome.executed += [f"{kind}: {what}" for what in watch.seen]
        mutants.restore()
    return outcome
