"""Fixtures that several parts share: no network, real data where it is, and one small finished run."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import ganaug
from ganaug.keys import key
from tests.commands import Programs

torch.set_num_threads(min(2, torch.get_num_threads()))


NEAR = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "")


class Network(AssertionError):
    """Something in a test wanted to talk to another machine."""


def near(address: object) -> bool:
    """Whether an address is of this machine: a path, or loopback."""
    return not isinstance(address, tuple) or str(address[0]) in NEAR or str(address[0]).startswith("127.")


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Over the whole suite, nothing talks to another machine, or asks for its name."""
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    lookup = socket.getaddrinfo

    def guarded(method):
        def call(self, *arguments):
            if not near(arguments[-1]):
                raise Network(f"a connection to {arguments[-1]}")
            return method(self, *arguments)

        return call

    def guarded_lookup(host, *arguments, **options):
        if host is not None and not near((host if isinstance(host, str) else host.decode(),)):
            raise Network(f"a look-up of {host!r}")
        return lookup(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name, method in {"connect": connect, "connect_ex": connect_ex, "sendto": sendto}.items():
            patch.setattr(socket.socket, name, guarded(method))
        patch.setattr(socket, "getaddrinfo", guarded_lookup)
        yield


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """Variables that a library sets when it is imported (Lightning's change what torch does) end with the test."""
    before = dict(os.environ)
    yield
    if before != os.environ:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real image sets; the test is skipped where GANAUG_DATA does not name one."""
    folder = os.environ.get("GANAUG_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data are absent: set GANAUG_DATA to a folder with mnist.npz and others")
    return Path(folder)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> ganaug.Run:
    """A finished run on the embedded digits, 30 a class, of a few steps: poor samples. Do not write to it."""
    return ganaug.fit("digits", tmp_path_factory.mktemp("digits") / "run", steps=12, limit=30)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Runs `ganaug` commands and scripts, each in a process of its own, which starts at once."""
    started = Programs(tmp_path_factory.mktemp("printed"))
    yield started
    started.close()


@pytest.fixture
def toy_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes of the toy generators are known by name, for one test."""
    from ganaug.recipes import RECIPES
    from tests.toys import mixing, translators

    for name, recipe in {"toy": mixing.recipe, **translators.TOYS}.items():
        monkeypatch.setitem(RECIPES, name, recipe)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", metavar="SEED", help="run modules, and the tests of each, in a random order")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order that --shuffle asks for; tests of a module stay together, since they share what is slow to make."""
    seed = config.getoption("--shuffle")
    if seed is not None:
        items.sort(key=lambda item: (key(seed, item.location[0]), key(seed, item.nodeid)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What draws from the global streams (weights of a network that a test makes) is the same in any order."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.default_generator.manual_seed(0)  # `torch.manual_seed` looks for a GPU too


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a soak counted, kind by kind."""
    totals: dict[str, dict[str, float]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for kind, counts in (value for name, value in report.user_properties if name == "soak"):
                mine = totals.setdefault(kind, {})
                for name, value in {"cells": 1, "minutes": report.duration / 60, **counts}.items():
                    mine[name] = mine.get(name, 0) + value
    for kind, counts in totals.items():
        said = ", ".join(
            f"{name} {value:,.1f}" if name == "minutes" else f"{name} {value:,}" for name, value in counts.items()
        )
        terminalreporter.write_line(f"soak | {kind} | {said}")
