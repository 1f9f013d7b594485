"""What docs/scale.md says of two processes, in processes that are started as it says."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
LONG = 120  # seconds that a command may take beside others


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
    assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(said)
    return said


def started(command: list[str], **more: object) -> subprocess.Popen:
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(**more)
    )


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
