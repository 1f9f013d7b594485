"""Several processes that work together, as torchrun starts them: they start at once, forked from one that has imported
everything."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

LATE = ["ganaug.reporting.console", "ganaug.cli.fit", "ganaug.cli.load", "ganaug.fitting.fit", "tests.toys.games"]
LATE += ["sklearn.datasets", "torch._dynamo"]
WAIT = 60  # seconds for an answer, at most


class Ended(NamedTuple):
    """value: what the work gave. error: the name of what it raised, said: its words; "killed" where it was."""

    value: Any = None
    error: str = ""
    said: str = ""


def together(world: int, work: Callable[..., Any], *arguments: Any) -> list[Ended]:
    """What `work(*arguments)` comes to in each of so many processes; alone, it knows nothing of others."""
    context = get_context("forkserver")
    context.set_forkserver_preload(LATE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for rank in range(world):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_become, args=(rank, world, port, there, work, arguments))
        process.start()
        there.close()
        started.append((process, here))
    ends = [_heard(here) for _, here in started]
    for process, here in started:
        process.join(WAIT)
        here.close()
    assert all(process.exitcode is not None for process, _ in started)
    return ends


def _heard(here: Connection) -> Ended:
    try:
        return Ended(*here.recv()) if here.poll(WAIT) else Ended(error="silent")
    except EOFError:
        return Ended(error="killed")


def _become(rank: int, world: int, port: int, there: Connection, work: Callable[..., Any], arguments: Any) -> None:
    import torch

    torch.set_num_threads(1)
    if world > 1:
        os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    try:
        there.send((work(*arguments), "", ""))
    except BaseException as error:
        traceback.print_exc()
        there.send((None, type(error).__name__, str(error)))
