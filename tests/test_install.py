"""What a user installs: the built wheel in an environment that has never seen this folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.long
def test_the_wheel_alone_does_the_main_job(tmp_path):
    """Dependencies come from the packages of this environment, ganaug itself only from the wheel."""
    wheels, home = tmp_path / "wheels", tmp_path / "env"
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, ROOT], **quiet)
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    (wheel,) = wheels.glob("ganaug-*.whl")
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel], **quiet)
    dependencies = os.pathsep.join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    environment = {**os.environ, "PYTHONPATH": dependencies, "OMP_NUM_THREADS": "1"}

    def run(*arguments):
        done = subprocess.run([python, *arguments], capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    assert str(home) in run("-c", "import ganaug; print(ganaug.__file__)")
    run("-m", "ganaug", "fit", "digits", "--limit", "10", "--steps", "2", "--out", "run")
    run("-m", "ganaug", "augment", "run", "--per-class", "2", "--out", "synth")
    few = "limit=10, quick=True, seeds=2, steps=5, model='small', remedies='none', ratios=(0.5,), uses=('plain',)"
    run("-c", f"import ganaug; ganaug.bench('digits', run='run', out='bench', {few})")
    assert (tmp_path / "bench" / "report.html").stat().st_size > 10_000
