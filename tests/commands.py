"""Programs in processes of their own that start at once: each is forked from one that has imported everything.

A Python that imports torch, timm and albumentations takes seconds, most of what a short command takes; here it is done
once. `Programs` starts that process (this file, run as a program), and asks it for a process for each command. Where
forks are not safe (anywhere but Linux), a command is started in the ordinary way.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = "ganaug"  # in place of a file: the command line, as `python -m ganaug` starts it
LATE = ("albumentations", "matplotlib.pyplot", "scipy.stats", "sklearn.datasets", "timm", "torchvision.transforms.v2")


@dataclass(frozen=True)
class Done:
    """What `subprocess.run` would tell. returncode: minus the signal that ended it."""

    returncode: int
    stdout: str
    stderr: str


def run_alone(program: str, *arguments: object) -> Done:
    """As `Programs.run`, by a Python that imports everything itself, as a user's does."""
    done = subprocess.run(
        [sys.executable, *(["-m", COMMAND] if program == COMMAND else [program]), *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


class Programs:
    """Runs programs one after the other. folder: for what they print."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._origin: subprocess.Popen[str] | None = None
        if sys.platform == "linux":
            self._origin = subprocess.Popen(
                [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "NO_ALBUMENTATIONS_UPDATE": "1"},
            )  # fmt: skip

    def run(self, program: str, *arguments: object) -> Done:
        """program: a file, or `COMMAND`. It has the directory and the variables that this process has."""
        if self._origin is None:
            return run_alone(program, *arguments)
        request = {
            "program": program, "arguments": [str(argument) for argument in arguments], "folder": str(self.folder),
            "directory": os.getcwd(), "variables": {**os.environ, "OMP_NUM_THREADS": "1"},
        }  # fmt: skip
        assert self._origin.stdin is not None
        assert self._origin.stdout is not None
        self._origin.stdin.write(json.dumps(request) + "\n")
        self._origin.stdin.flush()
        code = int(self._origin.stdout.readline())
        return Done(code, (self.folder / "stdout").read_text(), (self.folder / "stderr").read_text())

    def close(self) -> None:
        if self._origin is not None:
            self._origin.communicate()


def serve() -> None:
    """Fork a child for every request; its end is the answer."""
    import_all()
    gc.freeze()  # else the end of every child looks through all of it
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(request)
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def import_all() -> None:
    import ganaug

    for module in pkgutil.walk_packages(ganaug.__path__, "ganaug."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)


def become(request: dict[str, Any]) -> None:
    """The program itself: its output, directory, variables and arguments; it ends as a Python of its own does."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        path = os.devnull if number == 0 else str(Path(request["folder"]) / name)
        file = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["variables"])
    program = request["program"]
    sys.argv = [program, *request["arguments"]]
    if program == COMMAND:
        sys.path[0] = request["directory"]
        runpy.run_module("ganaug", run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(program).parent)
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    serve()
