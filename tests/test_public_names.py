"""The façade: exactly these names, loaded when used, and no torch before."""

from __future__ import annotations

import subprocess
import sys

import ganaug


def test_every_public_name_is_there_and_documented():
    assert ganaug.__all__ == sorted(
        ["BenchSettings", "FitSettings", "GANSampler", "GanaugError", "Inpaint", "Reading", "Reimagine",
         "Rules", "Run", "SynthMix", "SyntheticDataset", "Translate", "albumentations", "augment",
         "augment_loader", "backbone", "bench", "check", "choose", "compare", "describe", "doctor", "features",
         "fit", "from_hub", "load", "load_images", "measure", "metrics", "mix", "open_source", "preview",
         "read_image", "silent", "split", "to_hub", "unseen", "variants"]
    )  # fmt: skip
    for name in ganaug.__all__:
        assert getattr(ganaug, name).__doc__, name


def test_public_functions_stay_functions_whatever_was_imported_before():
    code = (
        "import ganaug.fitting.doctor.doctor, ganaug.mixing, ganaug.evaluation.bench.run, ganaug.fitting.fit\n"
        "import ganaug.samples.augment, ganaug.samples.pictures\n"
        "import ganaug\n"
        "assert all(callable(getattr(ganaug, n)) for n in ganaug.__all__ if n not in ('albumentations', 'metrics'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_ganaug_or_asking_for_help_imports_no_torch_and_opens_no_socket():
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse\n"
        "import ganaug\n"
        "from ganaug.cli.group import cli\n"
        "for arguments in (['--help'], ['--version']):\n"
        "    try: cli(arguments)\n"
        "    except SystemExit as stop: assert not stop.code\n"
        "heavy = {'torch', 'torchvision', 'timm', 'albumentations', 'numpy', 'PIL', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_fit_and_a_choice_begin_without_scikit_learn():
    """It takes as long to import as torch, and is wanted for check-ups and tables alone."""
    code = "import sys, ganaug; ganaug.fit, ganaug.choose; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
