"""Where image sets lie, and on what, and when, a study ran."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import torch

from ganaug.device import environment
from ganaug.errors import DataError


class AbsentError(DataError):
    """An image set is not there."""


def image_set(name: str) -> str:
    """What to load: "digits" and .npz files as they are, of other names NAME.npz in the folder GANAUG_DATA.

    Raises AbsentError where it is not there.
    """
    if name == "digits" or name.endswith(".npz"):
        return name
    folder = os.environ.get("GANAUG_DATA")
    if not folder:
        raise AbsentError(f"{name} cannot be found.", "Set GANAUG_DATA to the folder of mnist.npz and the others.")
    file = Path(folder) / f"{name}.npz"
    if not file.exists():
        raise AbsentError(f"{file} does not exist.", "Put it there, or set GANAUG_DATA to another folder.")
    return str(file)


def image_folder(name: str) -> Path:
    """Where the files of an image set lie: the folder folders/NAME of GANAUG_DATA. Raises AbsentError likewise."""
    folder = Path(os.environ.get("GANAUG_DATA") or "", "folders", name)
    if not folder.is_dir():
        raise AbsentError(f"{folder} does not exist.", "Set GANAUG_DATA to the folder that holds folders/.")
    return folder


def machine(device: str = "cpu") -> dict[str, Any]:
    """What a study ran on, and under."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    gpu = torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else ""
    return {"cpu": model, "cores": os.cpu_count(), "gpu": gpu, **environment(torch.device(device))}


def today() -> str:
    return time.strftime("%Y-%m-%d")


def now() -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
