"""Run folders as an attacker would make them. Each attack changes a copy of a sound run; where it is about the content
of a file, the manifest is made to fit it."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import ganaug
from ganaug.files.integrity import _manifest, sealed, sha256, unsealed
from ganaug.generator.state import load_state

CANARY = "canary"
ATTACKS: dict[str, Callable[[Path], None]] = {}
ON_STATE: set[str] = set()


def attack(name: str, *, state: bool = False):
    def add(function: Callable[[Path], None]) -> Callable[[Path], None]:
        ATTACKS[name] = function
        if state:
            ON_STATE.add(name)
        return function

    return add


def plant(run: Path, place: Path) -> dict[str, Path]:
    """Every attack in a folder of its name."""
    (place / CANARY).write_text("sings")
    folders = {}
    for name, change in ATTACKS.items():
        folders[name] = place / name
        (place / name).mkdir()
        shutil.copytree(run / "generator", place / name / "generator")
        shutil.copytree(run / "state", place / name / "state")
        change(place / name)
    return folders


def load_attack(name: str, folder: Path) -> Any:
    return load_state(folder / "state") if name in ON_STATE else ganaug.load(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "generator" / name).read_bytes() for name in ("card.json", "model.safetensors")}


def sign(folder: Path, **contents: bytes) -> None:
    """Put these files there, with a manifest that fits."""
    files = {**files_of(folder), **{name.replace("__", "."): data for name, data in contents.items()}}
    for name, data in files.items():
        (folder / "generator" / name).write_bytes(data)
    listed = {name: (len(data), sha256(data)) for name, data in files.items()}
    (folder / "generator" / "manifest.json").write_bytes(_manifest(listed))


def card_with(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        card = json.loads(files_of(folder)["card.json"])
        sign(folder, card__json=json.dumps(card | changes).encode())

    return change


def card_text(change: Callable[[str], str]) -> Callable[[Path], None]:
    return lambda folder: sign(folder, card__json=change(files_of(folder)["card.json"].decode()).encode())


def card_bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda folder: sign(folder, card__json=change(files_of(folder)["card.json"]))


def weights(make: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda folder: sign(folder, model__safetensors=make(files_of(folder)["model.safetensors"]))


class Payload:
    """What would run if somebody unpickled it."""

    def __init__(self, place: str):
        self.place = place

    def __reduce__(self):
        return os.system, (f"echo dead > {self.place}",)


def pickled(folder: Path) -> bytes:
    return pickle.dumps(Payload(str(folder.parent / CANARY)))


# Code where data should be.


@attack("pickle as weights")
def _(folder):
    sign(folder, model__safetensors=pickled(folder))


@attack("pickle as card")
def _(folder):
    sign(folder, card__json=pickled(folder))


@attack("pickle as manifest")
def _(folder):
    (folder / "generator" / "manifest.json").write_bytes(pickled(folder))


@attack("torch checkpoint as weights")
def _(folder):
    file = io.BytesIO()
    torch.save({"a": torch.ones(3)}, file)
    sign(folder, model__safetensors=file.getvalue())


@attack("torch checkpoint with a payload as weights")
def _(folder):
    file = io.BytesIO()
    torch.save({"a": Payload(str(folder.parent / CANARY))}, file)
    sign(folder, model__safetensors=file.getvalue())


@attack("old torch checkpoint as weights")
def _(folder):
    file = io.BytesIO()
    torch.save({"a": torch.ones(3)}, file, _use_new_zipfile_serialization=False)
    sign(folder, model__safetensors=file.getvalue())


@attack("npy of objects as weights")
def _(folder):
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(127) + b"\n"
    sign(folder, model__safetensors=header + pickled(folder))


@attack("zip bomb as weights")
def _(folder):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bytes(20_000_000))
    sign(folder, model__safetensors=file.getvalue())


@attack("zip bomb as card")
def _(folder):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../card.json", bytes(20_000_000))
    sign(folder, card__json=file.getvalue())


@attack("safetensors, then a zip archive")
def _(folder):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("evil.py", "import os")
    sign(folder, model__safetensors=files_of(folder)["model.safetensors"] + file.getvalue())


@attack("safetensors, then a pickle")
def _(folder):
    sign(folder, model__safetensors=files_of(folder)["model.safetensors"] + pickled(folder))


@attack("a script as card")
def _(folder):
    sign(folder, card__json=b"#!/usr/bin/env python\nimport os; os.system('true')\n")


@attack("YAML as card")
def _(folder):
    sign(folder, card__json=b"!!python/object/apply:os.system ['true']\n")


# Names that would become code.

for _name, _recipe in {
    "card names a recipe file": "evil.py:recipe",
    "card names a recipe file by a path": "/tmp/evil.py:recipe",
    "card names a recipe file by a relative path": "../../evil.py:recipe",
    "card names a function by its dotted name": "os.system",
    "card names a function of builtins": "builtins.eval",
    "card names a class of ours": "ganaug.recipes.modern.small",
    "card names a private function": "__import__",
    "card names a recipe with a line break": "small\n",
    "card names a recipe in other letters": "ѕmall",  # a Cyrillic letter
    "card names a recipe with an invisible letter": "small\u200b",
    "card names a recipe in capitals": "SMALL",
    "card names no recipe": "",
}.items():
    ATTACKS[_name] = card_with(recipe=_recipe)
for _name, _settings in {
    "settings that name a target": {"_target_": "os.system", "command": "true"},
    "settings with a dunder": {"__class__": "os.system"},
    "settings of a huge width": {"width": 10**9},
    "settings of a large width": {"width": 2**20},
    "settings of width zero": {"width": 0},
    "settings of a negative width": {"width": -8},
    "settings of a fractional width": {"width": 4.5},
    "settings of a true width": {"width": True},
    "settings in settings": {"width": {"a": 1}},
    "settings as text": {"width": "__import__('os').system('true')"},
    "settings as a list": {"width": [4]},
    "settings that are unknown": {"evil": 1},
}.items():
    ATTACKS[_name] = card_with(settings=_settings)
ATTACKS["many codes in a recipe with codes"] = card_with(recipe="infogan", settings={"codes": 2**24})
ATTACKS["depth without end"] = card_with(recipe="stylegan2", settings={"depth": 2**24})

# Cards that lie.

for _name, _changes in {
    "shape of a wall": {"shape": [1024, 1024, 1024]},
    "shape without end": {"shape": [3, 10**12, 10**12]},
    "shape of nothing": {"shape": [0, 0, 0]},
    "shape with a negative side": {"shape": [1, -8, -8]},
    "shape of text": {"shape": ["1", "8", "8"]},
    "shape of other images": {"shape": [3, 8, 8]},
    "another schema": {"schema": 999},
    "schema as text": {"schema": "4"},
    "a change that there is not": {"allow": ["blur"]},
    "changes as text": {"allow": "turn"},
    "an unknown field": {"__metadata__": "import os"},
    "classes twice": {"classes": ["0", "0"]},
    "no classes": {"classes": [], "counts": {}},
    "more classes than weights": {"classes": ["0", "1", "2"], "counts": {"0": 1, "1": 1, "2": 1}},
    "a class that is half a character": {"classes": ["0", "\ud800"], "counts": {"0": 1, "\ud800": 1}},
    "a class that is a number": {"classes": [0, 1]},
    "steps as a float": {"steps": 1e308},
    "a negative seed": {"seed": -1},
    "a huge latent": {"prior": {"dim": 65_536, "categories": [], "uniform": 0}},
    "a prior of another kind": {"prior": {"dim": 8, "categories": [], "uniform": 0, "code": "import os"}},
    "a codec of another kind": {"codec": {"kind": "pickle"}},
    "a codec without end": {"codec": {"kind": "image", "mode": "L", "size": [10**9, 10**9]}},
    "fingerprints as text": {"fingerprints": "abc"},
    "versions that are no text": {"versions": {"torch": {"__reduce__": "os.system"}}},
    "an intervention of another kind": {"interventions": [{"kind": "run", "step": 1, "start": 0, "cause": "x"}]},
    "everything null": {name: None for name in ("recipe", "settings", "classes", "codec", "prior")},
}.items():
    ATTACKS[_name] = card_with(**_changes)

# JSON that is not.

ATTACKS["a field twice"] = card_text(lambda text: text.replace("{", '{"recipe": "evil.py:recipe", ', 1))
ATTACKS["a field twice, deeper"] = card_text(lambda text: text.replace('"dim":', '"dim": 1, "dim":', 1))
ATTACKS["NaN in the card"] = card_text(lambda text: text.replace('"steps": 3', '"steps": NaN'))
ATTACKS["infinity in the card"] = card_text(lambda text: text.replace('"lr"', '"x"').replace(": 3", ": Infinity", 1))
ATTACKS["a number of ten thousand digits"] = card_text(
    lambda text: text.replace('"steps": 3', '"steps": ' + "9" * 10_000)
)
ATTACKS["a million brackets"] = lambda folder: sign(folder, card__json=b"[" * 10**6)
ATTACKS["a hundred thousand objects"] = lambda folder: sign(folder, card__json=b'{"a":' * 10**5 + b"1" + b"}" * 10**5)
ATTACKS["the card in UTF-16"] = lambda folder: sign(
    folder, card__json=files_of(folder)["card.json"].decode().encode("utf-16")
)
ATTACKS["the card after a byte order mark"] = lambda folder: sign(
    folder, card__json=b"\xef\xbb\xbf" + files_of(folder)["card.json"]
)
ATTACKS["text after the card"] = lambda folder: sign(folder, card__json=files_of(folder)["card.json"] + b"{}")
ATTACKS["no card"] = lambda folder: sign(folder, card__json=b"")
ATTACKS["a list as card"] = lambda folder: sign(folder, card__json=b"[]")

# Weights that lie.


def header(change: Callable[[dict], Any], body: Callable[[bytes], bytes] = lambda data: data):
    def make(data: bytes) -> bytes:
        size = int.from_bytes(data[:8], "little")
        values = json.loads(data[8 : 8 + size])
        values = change(values) or values
        text = json.dumps(values).encode()
        return struct.pack("<Q", len(text)) + text + body(data[8 + size :])

    return weights(make)


def first(values: dict) -> dict:
    return values[sorted(values)[0]]


ATTACKS["NaN weights"] = header(lambda h: None, lambda b: b"\x00\x00\xc0\x7f" * (len(b) // 4))
ATTACKS["one infinite weight"] = header(lambda h: None, lambda b: b[:-4] + b"\x00\x00\x80\x7f")
ATTACKS["code in the header"] = header(lambda h: h | {"__metadata__": {"code": "__import__('os').system('true')"}})
ATTACKS["a header of 2^64 bytes"] = weights(lambda data: b"\xff" * 8 + data[8:])
ATTACKS["a header of 100 MB"] = weights(lambda data: struct.pack("<Q", 100_000_000) + data[8:])
ATTACKS["a header longer than the file"] = weights(lambda data: struct.pack("<Q", len(data)) + data[8:])
ATTACKS["a header of a hundred thousand tensors"] = header(
    lambda h: h | {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(100_000)}
)
ATTACKS["a tensor of 2^64 numbers"] = header(lambda h: first(h).update(shape=[2**32, 2**32]))
ATTACKS["a tensor of another type"] = header(lambda h: first(h).update(dtype="I32"))
ATTACKS["a tensor of an unknown type"] = header(lambda h: first(h).update(dtype="O"))
ATTACKS["a tensor in eight bits"] = header(lambda h: first(h).update(dtype="F8_E4M3"))
ATTACKS["tensors that overlap"] = header(
    lambda h: [t.update(data_offsets=first(h)["data_offsets"]) for t in h.values()] and None
)
ATTACKS["bytes that nobody owns"] = header(lambda h: None, lambda b: b + b"hidden!!")
ATTACKS["a tensor too many"] = header(
    lambda h: (
        h
        | {"evil": {"dtype": "F32", "shape": [0], "data_offsets": [max(t["data_offsets"][1] for t in h.values())] * 2}}
    )
)
ATTACKS["a tensor of another name"] = header(lambda h: {f"{name}_": entry for name, entry in h.items()})
ATTACKS["a tensor with a path as its name"] = header(lambda h: {f"../{name}": entry for name, entry in h.items()})
ATTACKS["offsets that run backwards"] = header(lambda h: first(h).update(data_offsets=[100, 0]))
ATTACKS["half of the weights"] = weights(lambda data: data[: len(data) // 2])
ATTACKS["no weights"] = weights(lambda data: b"")

# Manifests and files.


def manifest(change: Callable[[dict], Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        file = folder / "generator" / "manifest.json"
        values = json.loads(file.read_bytes())
        change(values)
        file.write_bytes(json.dumps(values, indent=1).encode())

    return write


ATTACKS["a manifest that lists a path out of the folder"] = manifest(
    lambda m: m["files"].update({"../../canary": {"bytes": 5, "sha256": sha256(b"sings")}})
)
ATTACKS["a manifest that lists a file of the system"] = manifest(
    lambda m: m["files"].update({"/etc/passwd": m["files"].pop("card.json")})
)
ATTACKS["a manifest without hashes"] = manifest(lambda m: [entry.pop("sha256") for entry in m["files"].values()])
ATTACKS["a manifest of negative lengths"] = manifest(lambda m: m["files"]["card.json"].update(bytes=-1))
ATTACKS["a manifest of 2^63 bytes"] = manifest(lambda m: m["files"]["model.safetensors"].update(bytes=2**63))
ATTACKS["a manifest with a field more"] = manifest(lambda m: m.update(run="evil.py"))
ATTACKS["a manifest that lists nothing"] = manifest(lambda m: m.update(files={}))
ATTACKS["a manifest of the future"] = manifest(lambda m: m.update(schema=2))


def replaced(name: str, make: Callable[[Path, Path], None]) -> Callable[[Path], None]:
    """A file moved elsewhere, and something else at its place: (place, where the file is now)."""

    def change(folder: Path) -> None:
        file, moved = folder / "generator" / name, folder / f"moved {name}"
        os.replace(file, moved)
        make(file, moved)

    return change


for _file in ("card.json", "model.safetensors", "manifest.json"):
    ATTACKS[f"a link as {_file}"] = replaced(_file, lambda place, moved: place.symlink_to(moved))
    ATTACKS[f"a pipe as {_file}"] = replaced(_file, lambda place, moved: os.mkfifo(place))
ATTACKS["a link without end"] = replaced("card.json", lambda place, moved: place.symlink_to(place))
ATTACKS["a device as weights"] = replaced("model.safetensors", lambda place, moved: place.symlink_to("/dev/zero"))
ATTACKS["a folder as card"] = replaced("card.json", lambda place, moved: place.mkdir())
ATTACKS["a sparse terabyte as weights"] = replaced(
    "model.safetensors", lambda place, moved: (place.touch(), os.truncate(place, 2**40))
)
ATTACKS["a sparse terabyte as manifest"] = replaced(
    "manifest.json", lambda place, moved: (place.touch(), os.truncate(place, 2**40))
)

# Saved states.


def listed(change: Callable[[dict], Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        file = folder / "state" / "states.json"
        values = unsealed(file.read_bytes(), file)
        change(values)
        file.write_bytes(sealed(values))

    return write


def entry(**changes: Any) -> Callable[[Path], None]:
    return listed(lambda values: values.update(states=[values["states"][0] | changes]))


def note(**changes: Any) -> Callable[[Path], None]:
    return listed(lambda values: values["states"][0]["notes"].update(changes))


@attack("a state that is a pickle", state=True)
def _(folder):
    data = pickled(folder)
    name = f"step-000000003-{sha256(data)[:12]}.safetensors"
    (folder / "state" / name).write_bytes(data)
    entry(file=name, bytes=len(data), sha256=sha256(data))(folder)


for _name, _attack in {
    "a state of another name": entry(file="../../../etc/passwd"),
    "a state of another length": entry(bytes=10**12),
    "a state with a field more": entry(code="import os"),
    "states as a pickle": lambda folder: (folder / "state" / "states.json").write_bytes(pickled(folder)),
    "states without their seal": lambda folder: (folder / "state" / "states.json").write_bytes(
        b'{"schema": 2, "states": []}'
    ),
    "a state of a negative step": note(step=-1),
    "a log of a negative length": note(log_bytes=-1),
    "sums that are no numbers": note(sums={"loss": ["os.system"]}),
    "an environment that is no text": note(environment={"torch": 1}),
    "an intervention that is none": note(interventions=[{"kind": "exec"}]),
    "states that are no list": listed(lambda values: values.update(states={"a": 1})),
    "states of the future": listed(lambda values: values.update(schema=3)),
}.items():
    ATTACKS[_name] = _attack
    ON_STATE.add(_name)
