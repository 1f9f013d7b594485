"""What docs/scale.md says of two processes, in processes that are started as it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ganaug.samples.run import load
from tests.fitting.test_ranks import contents, lines

PAGE = (Path(__file__).parents[1] / "docs" / "scale.md").read_text()
SHORT = ["--limit", "10", "--steps", "3"]
PROGRAMS = {"torchrun": "torch.distributed.run", "dask": "dask", "ganaug": "ganaug"}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
LONG = 1200  # seconds after which a command hangs; busy neighbours may slow it down ten times


def environment(**more: object) -> dict[str, str]:
    """That of a shell, with a port of its own for torchrun, which takes the same one each time otherwise."""
    ours = {"OMP_NUM_THREADS": "1", "NO_ALBUMENTATIONS_UPDATE": "1", "PET_MASTER_PORT": free_port(), **more}
    return {**os.environ, **{name: str(value) for name, value in ours.items()}}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ended(*processes: subprocess.Popen) -> list[str]:
    """What each printed. All must end well."""
    said = []
    for process in processes:
        try:
            said.append(process.communicate(timeout=LONG)[0])
        finally:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(said)
    return said


def started(command: list[str], **more: object) -> subprocess.Popen:
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(**more)
    )


def typed(beginning: str, **words: object) -> list[str]:
    """The command of the page that begins so, by the Python of the tests, with other words in place of some."""
    [line] = {
        line.split("#")[0] for line in re.findall(rf"(?:^    |`)({re.escape(beginning)}[^`\n]*)", PAGE, re.MULTILINE)
    }
    for word, other in words.items():
        line = re.sub(rf"\b{word}\b", str(other), line)
    program, *rest = shlex.split(line)
    return [sys.executable, "-m", PROGRAMS[program], *rest]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """What one process makes of two slices. Do not write to it."""
    out = tmp_path_factory.mktemp("whole") / "run"
    ended(started([sys.executable, "-m", "ganaug", "fit", "digits", "--out", out, "--slices", "2", *SHORT]))
    return out


def same(run: Path, whole: Path) -> bool:
    assert contents(run) == contents(whole)
    assert lines(run) == lines(whole)
    return load(run).card.slices == 2


@pytest.mark.long
def test_torchrun_on_one_machine(whole, tmp_path):
    run = tmp_path / "run"
    command = typed("torchrun --nproc-per-node 2 -m ganaug fit DATA", DATA="digits", RUN=run)
    [dry] = ended(started([*command, *SHORT, "--dry-run"]))
    assert dry.count("fit: recipe small") == 1
    assert not run.exists()
    [said] = ended(started([*command, *SHORT]))
    assert said.count(f"{run}: 3 steps") == 1
    assert same(run, whole)


@pytest.mark.soak
def test_torchrun_on_two_machines_which_are_one_here(whole, tmp_path):
    run, port = tmp_path / "run", free_port()
    command = typed("torchrun --nnodes 2", DATA="digits", RUN=run, HOST="localhost")
    changed = {"4": "1", "8": "2", "localhost:29500": f"localhost:{port}"}  # processes a machine, slices, port
    command = [changed.get(word, word) for word in command] + SHORT
    said = ended(started(command), started(command))
    assert sum(text.count(f"{run}: 3 steps") for text in said) == 1
    assert same(run, whole)


@pytest.mark.soak
def test_one_task_of_slurm_a_process(whole, tmp_path):
    run, port = tmp_path / "run", free_port()
    command = [sys.executable, "-m", "ganaug", "fit", "digits", "--out", run, "--slices", "2", *SHORT]
    place = {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ended(*(started(command, RANK=rank, LOCAL_RANK=rank, **place) for rank in range(2)))
    assert same(run, whole)


OWN = """
import sys
import torch.distributed as dist
import ganaug

dist.init_process_group("gloo")
ganaug.fit("digits", sys.argv[1], slices=2, limit=10, steps=3)
dist.barrier()  # the group is still the program's own
"""


@pytest.mark.soak
def test_a_program_whose_group_exists(whole, tmp_path):
    script, run = tmp_path / "own.py", tmp_path / "run"
    script.write_text(OWN)
    ended(started([*TORCHRUN, "--nproc-per-node", "2", script, run]))
    assert same(run, whole)


@contextmanager
def running(*commands: list[str]) -> Iterator[None]:
    """Commands that do not end by themselves."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(list(map(str, command)), env=environment(), **quiet) for command in commands]
    try:
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(LONG)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:Port 8787 is already in use")
def test_a_bench_on_a_dask_cluster(tmp_path):
    distributed = pytest.importorskip("distributed")
    digits, port, out = load_digits(), free_port(), tmp_path / "bench"
    parts = {"train": slice(0, 60), "test": slice(60, 120)}
    pixels = {f"x_{part}": (digits.images[rows] * (255 / 16)).astype(np.uint8) for part, rows in parts.items()}
    np.savez(tmp_path / "digits.npz", **pixels, **{f"y_{part}": digits.target[rows] for part, rows in parts.items()})
    at = {"HOST": "127.0.0.1", "8786": port}
    scheduler = [*typed("dask scheduler"), "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    worker = [{"4": "2"}.get(word, word) for word in typed("dask worker", **at)] + ["--no-dashboard"]
    bench = typed("ganaug bench", DATA=tmp_path / "digits.npz", TEST=tmp_path / "digits.npz", OUT=out, **at)
    with running(scheduler, worker), distributed.Client(f"tcp://127.0.0.1:{port}", timeout=LONG) as client:
        client.wait_for_workers(2, timeout=LONG)
        [said] = ended(started([*bench, "--quick", "--seeds", "2", "--remedies", "mean"]))
        used = client.run(lambda: "ganaug.evaluation.trials.executor" in sys.modules)
    assert list(used.values()) == [True, True]
    assert json.loads((out / "results.json").read_text())["trained"] > 0
    assert "trained at home" not in said


@pytest.mark.soak
def test_two_processes_write_the_shards_of_samples(digits_run, tmp_path):
    out = tmp_path / "shards"
    command = [sys.executable, "-m", *typed("ganaug augment RUN", RUN=digits_run.path, N=2)[2:]]
    command += ["--per-class", "4", "--format", "tar", "--out", out]
    ended(*(started([*command, "--shard", str(shard)]) for shard in range(2)))
    assert len(list(out.glob("*.tar"))) == 2


MIXED = """
import hashlib, json, sys
import numpy as np, torch.distributed as dist
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader
from torchvision.transforms.v2.functional import pil_to_tensor, to_pil_image
import ganaug

class Digits:
    images, targets = (load_digits().images[:200] * (255 / 16)).astype("uint8"), load_digits().target[:200].tolist()
    classes, transform = list(map(str, range(10))), staticmethod(pil_to_tensor)

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return self.transform(to_pil_image(self.images[index])), self.targets[index]

def digest(items):
    hashed = hashlib.sha256()
    for image, label in items:
        hashed.update(np.ascontiguousarray(image).tobytes() + np.asarray(label).tobytes())
    return hashed.hexdigest()

dist.init_process_group("gloo")
data, rendered, given = Digits(), [], {"ratio": 0.5, "seed": 3}
dist.barrier()
mixed = ganaug.mix(data, sys.argv[1], report=lambda phase, done, total, detail: rendered.append(total), **given)
loader = ganaug.augment_loader(DataLoader(data, batch_size=40), sys.argv[1], **given)
found = {"rendered": max(rendered, default=0), "mixed": [], "loaded": [digest(loader) for epoch in range(2)]}
for epoch in range(2):
    mixed.set_epoch(epoch)
    found["mixed"].append(digest(mixed[i] for i in range(len(mixed))))
everyone = [None] * dist.get_world_size()
dist.all_gather_object(everyone, found)
if dist.get_rank() == 0:
    print("found", json.dumps(everyone))
"""


@pytest.mark.long
def test_of_two_ranks_one_renders_the_pool_and_both_serve_the_same_bytes(digits_run, tmp_path: Path):
    script, run = tmp_path / "mixed.py", tmp_path / "run"
    script.write_text(MIXED)
    shutil.copytree(digits_run.path, run, ignore=shutil.ignore_patterns("pool"))
    [said] = ended(started([*TORCHRUN, "--nproc-per-node", "2", script, run]))
    [line] = [line for line in said.splitlines() if line.startswith("found ")]
    first, second = json.loads(line.removeprefix("found "))
    assert sorted([first.pop("rendered") > 0, second.pop("rendered") > 0]) == [False, True]
    assert first == second
    assert len({*first["mixed"]}) == len({*first["loaded"]}) == 2  # each epoch is another
    assert len(list((run / "pool").glob("*.npy"))) == 1
