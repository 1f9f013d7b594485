"""Samples in shards: pure functions of their number, whole or made again, and read by other people's loaders."""

import gc
import importlib.util
import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
from collections import Counter
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from torchvision.datasets import ImageFolder

import ganaug
from ganaug.cli.group import cli
from ganaug.data.sources.source import open_source
from ganaug.errors import (
    ArtefactError,
    DiskFullError,
    ExecutorError,
    MissingPackageError,
    OptionError,
    OutputInUseError,
)
from ganaug.samples.augment import augment
from ganaug.samples.blocks import BLOCK
from ganaug.samples.exports.formats import FORMATS
from ganaug.samples.run import load
from tests.toys import mixing as toy
from tests.toys.mixing import render
from tests.toys.translators import names_of, pictures, save_translator

PLAN = {"ant": 100, "bee": 70, "cow": 40}
ROWS = sorted((name, row) for name, n in PLAN.items() for row in range(n))
BLOCKS = 4 + 3 + 2
pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
EACH = pytest.mark.parametrize("kind", ["png", "tar", pytest.param("parquet", marks=pyarrow)])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return toy.save_generator(tmp_path_factory.mktemp("sharding") / "generator")


def contents(out: Path) -> dict[str, bytes]:
    return {str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*") if file.is_file()}


def in_tar(file: Path) -> list[tuple[dict, int, np.ndarray]]:
    """Facts, label and pixels of each sample, by the standard library; three members of one key make a sample."""
    with tarfile.open(file) as archive:
        members = [(member.name.split("."), archive.extractfile(member).read()) for member in archive]
    found = []
    for (a, label), (b, facts), (c, image) in zip(members[::3], members[1::3], members[2::3], strict=True):
        assert (a[1], b[1], c[1]) == ("cls", "json", "png")
        assert a[0] == b[0] == c[0]
        found.append((json.loads(facts), int(label), np.asarray(Image.open(io.BytesIO(image)))))
    return found


class Elsewhere(Executor):
    """Hands calls on as bytes, as processes and clusters do. lose: after so many, the workers are gone."""

    def __init__(self, lose: int | None = None):
        self.calls, self.lose = 0, lose

    def submit(self, call, /, *args, **options):
        self.calls += 1
        future = Future()
        if self.lose is not None and self.calls > self.lose:
            future.set_exception(BrokenExecutor("a worker died"))
            return future
        call, args, options = pickle.loads(pickle.dumps((call, args, options)))
        try:
            future.set_result(call(*args, **options))
        except Exception as error:
            future.set_exception(error)
        return future


@EACH
def test_a_shard_has_the_same_bytes_whoever_makes_it(run, tmp_path, kind):
    whole = contents(augment(run, PLAN, tmp_path / "at once", format=kind, shards=4, seed=3))
    for number in (2, 0, 3, 1):
        augment(run, dict(reversed(PLAN.items())), tmp_path / "one by one", format=kind, shards=4, shard=number, seed=3)
    assert contents(tmp_path / "one by one") == whole
    sent = Elsewhere()
    assert contents(augment(run, PLAN, tmp_path / "sent", format=kind, shards=4, seed=3, executor=sent)) == whole
    assert sent.calls == 4
    with ThreadPoolExecutor(2) as threads:
        loaded = load(run)
        made = augment(loaded, PLAN, tmp_path / "threads", format=kind, shards=4, seed=3, executor=threads)
    assert contents(made) == whole


@pytest.mark.parametrize("shards", [1, 2, BLOCKS])
def test_shards_share_the_plan_evenly_and_mix_the_classes(run, tmp_path, shards):
    out, fitted = augment(run, PLAN, tmp_path / "out", format="tar", shards=shards, seed=5), load(run)
    files = sorted(out.glob("*.tar"))
    assert [file.name for file in files] == [f"synthetic-{i:05}-of-{shards:05}.tar" for i in range(shards)]
    samples = [in_tar(file) for file in files]
    assert sorted((facts["class"], facts["index"]) for shard in samples for facts, _, _ in shard) == ROWS
    for shard in samples:
        assert len(shard) <= BLOCK * -(-BLOCKS // shards)
        for facts, label, pixels in shard[:8]:
            assert fitted.classes[label] == facts["class"]
            assert facts["generator"] == fitted.hash
            assert np.array_equal(pixels, render(fitted, label, [facts["index"]], seed=facts["seed"])[0, 0])
    if shards < BLOCKS:
        labels = [label for _, label, _ in samples[0]]
        assert sum(map(int.__ne__, labels, labels[1:])) > len(labels) / 4  # classes come by turns


def test_a_single_file_has_the_images_of_one_shard(run, tmp_path):
    alone = augment(run, PLAN, tmp_path / "all.tar")
    augment(run, PLAN, tmp_path / "out", format="tar", shards=1)
    assert (tmp_path / "out" / "synthetic-00000-of-00001.tar").read_bytes() == alone.read_bytes()
    with tarfile.open(alone) as archive:
        assert {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member in archive} == {
            (0, 0, 0, "", 0o644)
        }
    with pytest.raises(OutputInUseError, match="exists"):
        augment(run, PLAN, alone)
    assert augment(run, {"ant": 1}, tmp_path / "without an end", format="tar").is_file()


@EACH
def test_what_is_missing_or_damaged_is_made_again_alone(run, tmp_path, kind):
    out = augment(run, PLAN, tmp_path / "out", format=kind, shards=3)
    whole = contents(out)
    manifest = out / "synthetic-00001-of-00003.manifest"
    name = sorted(json.loads(manifest.read_text())["files"])[0]

    def cut():
        (out / name).write_bytes(whole[name][:-1])

    def flip():
        data = bytearray(whole[name])
        data[len(data) // 2] ^= 1
        (out / name).write_bytes(data)

    def leave_half():
        manifest.unlink()
        (out / ".synthetic-00001-of-00003.part").mkdir()
        (out / ".synthetic-00001-of-00003.part" / "rest").write_text("of a killed process")

    def spoil_the_manifest():
        manifest.write_bytes(whole[manifest.name].replace(b'"shard": 1', b'"shard": 2'))

    def take_another_manifest():
        manifest.write_bytes(whole["synthetic-00000-of-00003.manifest"])
        (out / name).unlink()

    others = {file: file.stat().st_mtime_ns for file in out.rglob("*00-of*") if file.is_file()}
    told: list[tuple] = []
    harms = (cut, flip, leave_half, spoil_the_manifest, take_another_manifest, (out / name).unlink, manifest.unlink)
    for damage in harms:
        damage()
        told.clear()
        augment(run, PLAN, out, format=kind, shards=3, report=lambda *said: told.append(said))
        assert [said[3] for said in told if said[0] == "shards"] == ["kept: it is whole", "made", "kept: it is whole"]
        assert contents(out) == whole
    assert others == {file: file.stat().st_mtime_ns for file in others}


@EACH
def test_another_set_in_the_folder_is_refused_and_left_alone(run, tmp_path, kind):
    out = augment(run, PLAN, tmp_path / "out", format=kind, shards=3, shard=1)
    before = contents(out)
    other = toy.save_generator(tmp_path / "other", skipped=("asp",))
    ask = {"format": kind, "shards": 3}
    for samples, plan, how, word in (
        (run, PLAN, ask | {"seed": 1}, "seed"),
        (run, PLAN, ask | {"shards": 4}, "shards"),
        (run, PLAN | {"ant": 99}, ask, "plan"),
        (run, PLAN, ask | {"truncation": 0.5}, "truncation"),
        (run, PLAN, ask | {"format": "tar" if kind == "png" else "png"}, "format"),
        (other, PLAN, ask, "generator"),
    ):
        with pytest.raises(OutputInUseError, match=rf"another set: its {word} differ"):
            augment(samples, plan, out, **how)
    assert contents(out) == before
    (out / "shards.manifest").write_bytes(before["shards.manifest"].replace(b'"seed": 0', b'"seed": 7'))
    with pytest.raises(ArtefactError, match="altered"):
        augment(run, PLAN, out, **ask)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(OutputInUseError, match="other things than shards"):
        augment(run, PLAN, tmp_path / "mine", **ask)


def test_shards_that_there_cannot_be_are_refused(run, tmp_path, monkeypatch):
    real = toy.write_folder(tmp_path / "real", {"ant": 5, "bee": 2, "cow": 3})
    for how, words in (
        ({"shards": 4, "shard": 4}, r"no shard 4 of 4. .* 0 to 3 \(sbatch --array=0-3\)"),
        ({"shards": 4, "shard": -1}, "no shard -1"),
        ({"shards": 0}, "shards is 0"),
        ({"shard": 1}, "one of several"),
        ({"executor": Elsewhere()}, "one of several"),
        ({"shards": 4, "shard": 1, "executor": Elsewhere()}, "makes all shards"),
        ({"shards": 4, "executor": 8}, "is a int, no concurrent.futures.Executor"),
        ({"shards": BLOCKS + 1}, f"210 images do not fill {BLOCKS + 1} shards.* {BLOCKS} shards at most"),
        ({"shards": 2, "with_real": real}, "not written into shards"),
        ({"shards": 2, "format": "csv"}, "'csv' is not a format of images. There are: parquet, png, tar"),
        ({"format": "webp"}, "not a format of images"),
    ):
        with pytest.raises(OptionError, match=words):
            augment(run, PLAN, tmp_path / "out", **how)
    with pytest.raises(OptionError, match="lies in"):
        augment(run, PLAN, real / "out", format="tar", shards=2)
    with pytest.raises(DiskFullError):
        augment(run, {"ant": 10**13}, tmp_path / "out", format="tar", shards=2, shard=1)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match=r"ganaug\[parquet\]"):
        augment(run, PLAN, tmp_path / "one.parquet")
    assert {path.name for path in tmp_path.iterdir()} <= {"real", "out"}
    assert not list((tmp_path / "out").glob("synthetic*"))


def test_an_executor_that_loses_its_workers_keeps_what_is_whole(run, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ExecutorError, match="before all 4 shards.* a worker died"):
        augment(run, PLAN, out, format="tar", shards=4, executor=Elsewhere(lose=2))
    kept = contents(out)
    assert len([name for name in kept if name.endswith(".tar")]) == 2
    augment(run, PLAN, out, format="tar", shards=4, executor=Elsewhere())
    assert kept.items() <= contents(out).items()
    assert len(list(out.glob("*.tar"))) == 4
    other = {"format": "tar", "shards": 4, "seed": 1}
    with pytest.raises(OutputInUseError, match="seed"):
        augment(run, PLAN, out, **other, executor=Elsewhere())


def test_the_command_takes_the_number_of_a_task_of_slurm(run, tmp_path):
    out = tmp_path / "out"

    def said(*more, task, code=0):
        ask = ["augment", str(run), "--per-class", "64", "--out", str(out), *map(str, more), "--quiet"]
        done = CliRunner().invoke(cli, ask, env={"SLURM_ARRAY_TASK_ID": task})
        assert done.exit_code == code or isinstance(done.exception, OptionError), done.output
        return done.output + str(done.exception)

    assert "in 3 shards, of which number 2 is there" in said("--format", "tar", "--shards", 3, task="2")
    assert [file.name for file in out.glob("*.tar")] == ["synthetic-00002-of-00003.tar"]
    assert "no shard 3 of 3" in said("--format", "tar", "--shards", 3, task="3", code=2)
    assert "not the number of a shard" in said("--format", "tar", "--shards", 3, task="two", code=2)
    said("--format", "tar", "--shards", 3, "--shard", 0, task="2")
    assert len(list(out.glob("*.tar"))) == 2
    assert '"shards": 3, "shard": null' in said("--format", "tar", "--shards", 3, "--json", task="")
    assert len(list(out.glob("*.tar"))) == 3
    out = tmp_path / "folder"
    assert "192 images in" in said(task="2")  # without shards, a task is nothing to us
    assert len(ImageFolder(out)) == 192


def test_folders_of_all_shards_are_one_folder_to_its_readers(run, tmp_path):
    out, fitted = augment(run, PLAN, tmp_path / "out", shards=4, seed=2), load(run)
    folder, source = ImageFolder(out), open_source(out)
    assert folder.classes == list(source.classes) == sorted(PLAN)
    assert Counter(folder.classes[label] for label in folder.targets) == PLAN
    assert len(source) == 210
    lines = [json.loads(line) for file in sorted(out.glob("*.jsonl")) for line in file.read_text().splitlines()]
    assert sorted((line["class"], line["index"]) for line in lines) == ROWS
    for line in lines[::10]:
        made = render(fitted, fitted.classes.index(line["class"]), [line["index"]], seed=2)[0, 0]
        assert np.array_equal(np.asarray(Image.open(out / line["file_name"])), made)


def test_variants_of_images_come_in_shards_too(tmp_path):
    x, y, _ = pictures(40)
    data = (x, names_of(y))
    run, plan = save_translator(tmp_path / "run", "toy_fill"), {"dark": 70, "light": 40}
    whole = contents(augment(run, plan, tmp_path / "at once", format="tar", shards=2, data=data))
    for number in (1, 0):
        augment(run, plan, tmp_path / "one by one", format="tar", shards=2, shard=number, data=data)
    assert contents(tmp_path / "one by one") == whole
    facts = [facts for file in (tmp_path / "at once").glob("*.tar") for facts, _, _ in in_tar(file)]
    assert Counter(one["class"] for one in facts) == plan
    assert all(names_of(y)[int(one["made_from"].split()[1])] == one["class"] for one in facts)
    with pytest.raises(OutputInUseError, match="its data differ"):
        augment(run, plan, tmp_path / "at once", format="tar", shards=2, data=(255 - x, names_of(y)))


@pyarrow
def test_parquet_has_the_schema_of_hugging_face_and_our_own_reader_takes_it(run, tmp_path):
    import pyarrow.parquet

    out, fitted = augment(run, PLAN, tmp_path / "out", format="parquet", shards=2, seed=2), load(run)
    first = out / "synthetic-00000-of-00002.parquet"
    schema = pyarrow.parquet.read_schema(first)
    assert str(schema.field("image").type) == "struct<bytes: binary, path: string>"
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["label"] == {"names": list(fitted.classes), "_type": "ClassLabel"}
    source, rows = open_source(first), pyarrow.parquet.ParquetDataset(sorted(out.glob("*.parquet"))).read().to_pylist()
    assert len(source) == len(rows) == 210
    for i in range(0, 210, 10):
        facts = json.loads(rows[i]["facts"])
        assert source.classes[source.labels[i]] == fitted.classes[rows[i]["label"]] == facts["class"]
        made = render(fitted, fitted.classes.index(facts["class"]), [facts["index"]], seed=2)[0, 0]
        assert np.array_equal(np.asarray(source.read(i)), made)


HUGGING_FACE = """
import json, socket, sys, numpy
socket.socket.connect = socket.create_connection = None  # whoever needs the network fails
from datasets import load_dataset
found = {}
for kind, image, label in (("parquet", "image", "label"), ("tar", "png", "cls"), ("png", "image", "label")):
    images = load_dataset(f"{sys.argv[1]}/{kind}")["train"]
    names = getattr(images.features[label], "names", None)
    found[kind] = names, sorted([row[label], numpy.ravel(row[image]).tolist()] for row in images)
images = load_dataset(f"{sys.argv[1]}/parquet", streaming=True)["train"]
found["streamed"] = None, sorted([row["label"], numpy.ravel(row["image"]).tolist()] for row in images)
print(json.dumps(found))
"""


@pyarrow
@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="Hugging Face datasets is not installed")
def test_hugging_face_reads_all_shards_by_the_name_of_their_folder(run, tmp_path):
    plan = {"ant": 33, "bee": 8, "cow": 3}
    for kind in ("parquet", "tar", "png"):
        augment(run, plan, tmp_path / kind, format=kind, shards=3, seed=4)
    offline = {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", HUGGING_FACE, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, **offline},
    )
    assert done.returncode == 0, done.stderr
    found, fitted = json.loads(done.stdout), load(run)
    classes = list(fitted.classes)
    expected = sorted(
        [classes.index(name), pixels.flatten().tolist()]
        for name, n in plan.items()
        for pixels in render(fitted, classes.index(name), range(n), seed=4)
    )
    assert {kind: rows for kind, (_, rows) in found.items()} == dict.fromkeys(found, expected)
    assert found["parquet"][0] == found["png"][0] == classes


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves files open
def test_webdataset_reads_tar_shards(run, tmp_path):
    webdataset = pytest.importorskip("webdataset")
    out, fitted = augment(run, PLAN, tmp_path / "out", format="tar", shards=3, seed=6), load(run)
    names = str(out / "synthetic-{00000..00002}-of-00003.tar")
    read = webdataset.WebDataset(names, shardshuffle=False).decode("l8").to_tuple("png", "cls", "json")
    rows = []
    for pixels, label, facts in read:
        rows.append((facts["class"], facts["index"]))
        assert fitted.classes[label] == facts["class"]
        assert np.array_equal(pixels, render(fitted, label, [facts["index"]], seed=6)[0, 0])
    assert sorted(rows) == ROWS
    gc.collect()


def test_formats_are_named_as_their_files_are():
    assert set(FORMATS) >= {"png", "tar", "parquet", "csv", "npz"}
    assert ganaug.augment is augment
