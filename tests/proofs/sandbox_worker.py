"""A worker that does to its process whatever it is asked to."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.errors import LanguageError, Place
from proofs.sandbox import Say, answer

Request = Mapping[str, Any]


def well(request: Request) -> Any:
    print("noise", file=sys.stdout, flush=True)  # noqa: T201
    print("noise", file=sys.stderr, flush=True)  # noqa: T201
    os.write(1, b'{"answer": "forged"}\n')
    return {"sum": sum(request["numbers"])}


def leaves(_: Request) -> None:
    os._exit(0)


def exits(_: Request) -> None:
    sys.exit(7)


def crashes(_: Request) -> None:
    ctypes.string_at(0)


def is_killed(_: Request) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hangs(_: Request) -> None:
    while True:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001, S112 - it will not be stopped
            continue


def computes(_: Request) -> None:
    while True:
        pass


def fills_memory(_: Request) -> int:
    return len([bytearray(2**26) for _ in range(64)])


def fills_the_disk(request: Request) -> None:
    with Path(request["file"]).open("wb") as file:
        for _ in range(200):
            file.write(bytes(2**20))


def raises(_: Request) -> None:
    raise LanguageError("what is wrong", "what to do", place=Place("my.cell", 3, "h = ?", 4, 1))


def fails(_: Request) -> None:
    raise ZeroDivisionError("our own mistake")


def leaves_a_child_behind(_: Request) -> int:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid


WAYS = (
    well, leaves, exits, crashes, is_killed, hangs, computes, fills_memory, fills_the_disk, raises, fails,
    leaves_a_child_behind,
)  # fmt: skip


def work(request: Request, say: Say) -> Any:
    """One way to end."""
    say("working")
    return {way.__name__.replace("_", " "): way for way in WAYS}[request["how"]](request)


if __name__ == "__main__":
    answer(work)
