"""Generators on the Hugging Face Hub, which a server on this machine stands for; its client is the real one."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import yaml

import ganaug
from ganaug.errors import ArtefactError, HarmfulError, HubError, OptionError, OutputInUseError, SeenImagesWarning
from ganaug.files.integrity import sealed
from ganaug.samples.hub import page
from tests.toys import mixing as toy
from tests.toys.mixing import render

COMMIT = "c" * 40


class Hub(BaseHTTPRequestHandler):
    """As much of the API as is asked for here. repositories: name -> files; asked: what was asked of it."""

    repositories: dict[str, dict[str, bytes]] = {}
    private: dict[str, bool] = {}

    def log_message(self, *args):
        pass

    def answer(self, data=b"", code=200, **headers):
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        place = self.path.removeprefix("/api/")
        if place == "repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization') or 'me'}/{asked['name']}"
            if name.startswith("theirs/"):
                return self.answer({"error": "You may not write here"}, 403)
            self.repositories.setdefault(name, {})
            self.private.setdefault(name, asked.get("private", asked.get("visibility") == "private"))
            return self.answer({"url": f"http://{self.headers['Host']}/{name}"})
        if place == "validate-yaml":  # the head of the page
            head = yaml.safe_load(json.loads(body)["content"].split("---")[1])
            return self.answer({"errors": [] if head["library_name"] == "ganaug" else ["no head"], "warnings": []})
        if "/preupload/" in place:
            files = json.loads(body)["files"]
            return self.answer(
                {"files": [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]}
            )
        if "/commit/" in place:
            name = place.removeprefix("models/").split("/commit/")[0]
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.repositories[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            host = self.headers["Host"]
            return self.answer({"commitUrl": f"http://{host}/{name}/commit/{COMMIT}", "commitOid": COMMIT})
        return self.answer({"error": f"no {place}"}, 404)

    def do_GET(self):
        place = self.path.lstrip("/")
        if place.startswith("api/models/"):
            name = place.removeprefix("api/models/").split("?")[0].split("/revision/")[0]
            if name not in self.repositories:
                return self.answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")
            files = [{"rfilename": file, "size": len(data)} for file, data in self.repositories[name].items()]
            return self.answer({"id": name, "sha": COMMIT, "siblings": files})
        name, _, file = place.partition(f"/resolve/{COMMIT}/")
        if name not in self.repositories:
            return self.answer({"error": f"no {place}"}, 404)
        data = self.repositories[name][file]
        mark = hashlib.sha256(data).hexdigest()
        return self.answer(data, ETag=f'"{mark}"', X_Repo_Commit=COMMIT)

    do_HEAD = do_GET


@pytest.fixture
def hub(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    monkeypatch.setattr(Hub, "repositories", {})
    monkeypatch.setattr(Hub, "private", {})
    near = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", near)
    files = near + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield Hub
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path):
    toy.save_generator(tmp_path / "run" / "generator", likenesses=("0" * 64,))
    return ganaug.Run(tmp_path / "run")


def judge(run, word, **more):
    facts = {
        "generator": run.load().hash,
        "verdict": word,
        "sentence": f"It {word}. <b>",
        "ratio": 0.25,
        "mode": "replace",
    }
    (run.path / "verdict.json").write_bytes(sealed({**facts, "command": f"ganaug bench {run.path}", **more}))


def test_what_is_shared_is_fetched_whole(hub, run, tmp_path):
    judge(run, "helps")
    address = ganaug.to_hub(run, "me/leaves", token="hf_x")
    assert address.endswith("/me/leaves")
    files = hub.repositories["me/leaves"]
    assert sorted(files) == [
        "README.md", "generator/card.json", "generator/manifest.json", "generator/model.safetensors", "grid.png",
        "verdict.json",
    ]  # fmt: skip
    assert hub.private == {"me/leaves": True}
    assert not [name for name, data in files.items() if str(tmp_path).encode() in data]  # no paths of this machine
    fetched = ganaug.from_hub("me/leaves", tmp_path / "new" / "run", token="hf_x")
    assert sorted(file.name for file in fetched.path.iterdir()) == ["generator", "verdict.json"]
    assert sorted(path.name for path in fetched.path.parent.iterdir()) == ["run"]
    assert fetched.load().hash == run.load().hash
    assert np.array_equal(render(fetched.load(), 1, range(3)), render(run.load(), 1, range(3)))
    assert fetched.verdict["verdict"] == "helps"
    with pytest.warns(SeenImagesWarning, match="came without its run folder"):  # likenesses are not shared
        mixed = ganaug.mix(toy.Arrays(), fetched, ratio="auto", classes=toy.CLASSES)
    assert "60 items, 15 of them synthetic" in repr(mixed)


def test_what_was_found_to_harm_stays_guarded(hub, run, tmp_path):
    judge(run, "harms")
    ganaug.to_hub(run, "me/leaves", private=False, token="hf_x")
    assert hub.private == {"me/leaves": False}
    with pytest.raises(HarmfulError):
        ganaug.augment(ganaug.from_hub("me/leaves", tmp_path / "got"), {"ant": 1}, tmp_path / "out")


@pytest.mark.parametrize("name", ["card.json", "model.safetensors", "manifest.json"])
def test_what_was_altered_is_refused_and_leaves_nothing(hub, run, tmp_path, name):
    ganaug.to_hub(run, "me/leaves", token="hf_x")
    files = hub.repositories["me/leaves"]
    data = bytearray(files[f"generator/{name}"])
    data[len(data) // 2] ^= 1
    files[f"generator/{name}"] = bytes(data)
    with pytest.raises(ArtefactError):
        ganaug.from_hub("me/leaves", tmp_path / "got")
    del files[f"generator/{name}"]
    with pytest.raises(ArtefactError, match=f"no generator of ganaug: generator/{name} is missing"):
        ganaug.from_hub("me/leaves", tmp_path / "got")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_altered_verdict_is_refused(hub, run, tmp_path):
    judge(run, "harms")
    ganaug.to_hub(run, "me/leaves", token="hf_x")
    files = hub.repositories["me/leaves"]
    files["verdict.json"] = files["verdict.json"].replace(b"harms", b"helps")
    with pytest.raises(ArtefactError, match="altered"):
        ganaug.from_hub("me/leaves", tmp_path / "got")


def test_what_the_hub_refuses_is_told(hub, run, tmp_path, monkeypatch):
    with pytest.raises(HubError, match="You may not write here|403"):
        ganaug.to_hub(run, "theirs/leaves", token="hf_x")
    with pytest.raises(HubError, match="me/nothing.*RepositoryNotFound"):
        ganaug.from_hub("me/nothing", tmp_path / "got")
    for name in ("a name with blanks", "../up", "me/le/aves", 'x"); import os'):
        with pytest.raises(HubError, match="cannot be reached"):
            ganaug.to_hub(run, name, token="hf_x")
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputInUseError):
        ganaug.from_hub("me/leaves", tmp_path / "there")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(HubError, match="network"):
        ganaug.from_hub("me/leaves", tmp_path / "got")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "there"]


def test_names_become_no_markup(tmp_path, monkeypatch):
    names = ("<script>alert(1)</script>", "[x](http://y)", "a|b", "`c`", "\x1b[31mred", "new\nline")
    for name in names:
        monkeypatch.setitem(toy.LEVELS, name, 100)
    fitted = ganaug.load(toy.save_generator(tmp_path / "g", names))
    text = page(fitted, "me/leaves", None, grid=True)
    rows = [line for line in text.splitlines() if line.endswith("| 10 |")]
    assert len(rows) == len(names)
    assert not any(set(row.removeprefix("| ").removesuffix(" | 10 |")) & set("<>[]()`|*_\x1b") for row in rows)
    assert "not benchmarked" in text


def test_a_choice_is_not_shared(run):
    from dataclasses import replace

    class Chosen:
        withheld, spread = (), 1.0

    with pytest.raises(OptionError, match="Name the run itself"):
        ganaug.to_hub(replace(run.load(), choice=Chosen()), "me/leaves")
