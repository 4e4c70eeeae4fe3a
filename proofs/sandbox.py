"""Work on a stranger's code in a process of its own: limited in time and memory, and every way of ending told apart.

The limits stop mistakes: code that hangs, crashes, fills the memory or leaves. They are no jail: the process runs with
the rights of whoever started it, and code that means harm can do it, or lie.

The two processes speak JSON, a message a line: the request goes to standard input; stages, and one answer, come back.
What the code prints goes nowhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import IO, Any, cast

from derive import errors
from derive.errors import Place, ThroughtimeError

Say = Callable[[str], None]
Work = Callable[[Mapping[str, Any], Say], Any]

SECONDS, GIB = 600.0, 4.0
"""What the process may use if nothing is said."""
LONGEST = 64 * 2**20
"""Bytes that an answer may have, and a file that the process writes."""
GRACE = 10.0
"""Seconds that a process has to end once it has closed its side."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use.

    Args:
        seconds: of time, by the clock, and of computing time.
        gib: of memory, in units of 2³⁰ bytes, where the system can limit it (Linux).
    """

    seconds: float = SECONDS
    gib: float = GIB

    def __str__(self) -> str:
        return f"at most {self.seconds:g} s and {self.gib:g} GiB"


class EndedError(Exception):
    """The process ended without an answer; the message says how."""


def apart(worker: str, request: Mapping[str, Any], limits: Limits, say: Say) -> Any:
    """The answer of a worker in a process of its own.

    Args:
        worker: a module that calls ``answer`` when it is run.
        request: what it is to do, as JSON knows it.
        limits: of the process and of whatever it starts.
        say: told the stages that the worker tells.

    Raises:
        EndedError: it ended otherwise than with an answer.
        ThroughtimeError: the one that the worker raised.
        RuntimeError: the worker failed: a bug, with its traceback.
    """
    process = _started(worker)
    late = threading.Event()
    timer = threading.Timer(limits.seconds, lambda: (late.set(), _kill(process)))
    timer.start()
    stage = [""]
    try:
        with suppress(BrokenPipeError), process.stdin as pipe:  # type: ignore[union-attr]
            pipe.write(json.dumps({"limits": asdict(limits), "request": request}).encode())
        found = _answer(process.stdout, say, stage)  # type: ignore[arg-type]
        if found is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
        code = process.poll()
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]
    if found is None:
        how = f"it ran for more than {limits.seconds:g} s" if late.is_set() else _how(code)
        raise EndedError(f"{how}{f', during: {stage[0]}' if stage[0] else ''}")
    return _unpacked(found, limits)


def answer(work: Work) -> None:
    """The worker's side: reads the request, does the work within the limits, sends the answer, and is gone.

    Args:
        work: takes the request and someone to tell stages; what it returns is sent back as JSON.
    """
    given = json.loads(sys.stdin.buffer.read())
    with os.fdopen(os.dup(1), "wb", buffering=0) as out:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        limit(Limits(**given["limits"]))

        def send(kind: str, what: Any) -> None:
            out.write(json.dumps({kind: what}).encode() + b"\n")

        try:
            send("answer", work(given["request"], lambda stage: send("stage", stage)))
        except ThroughtimeError as error:
            send("error", _packed(error))
        except MemoryError:
            send("memory", "")
        except Exception:  # noqa: BLE001 - whatever it is, the other side shall hear of it
            send("bug", traceback.format_exc())
    os._exit(0)  # threads that the code started, and what it does at exit, are not waited for


def limit(limits: Limits) -> None:
    """Limits this process, as far as the system can."""
    try:
        import resource
    except ImportError:
        return  # Windows: the clock is watched from outside
    size, seconds = int(limits.gib * 2**30), ceil(limits.seconds)
    wanted = {"RLIMIT_AS": size, "RLIMIT_CPU": seconds, "RLIMIT_FSIZE": LONGEST, "RLIMIT_CORE": 0}
    for name, most in wanted.items():
        with suppress(AttributeError, ValueError, OSError):
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            free = hard == resource.RLIM_INFINITY
            least = most if free else min(most, hard)
            last = least + (name == "RLIMIT_CPU")  # a second after the signal that tells why
            resource.setrlimit(which, (least, last if free else min(last, hard)))


def _started(worker: str) -> subprocess.Popen[bytes]:
    """The process; it finds this very package, and no module that lies where it is started."""
    root = str(Path(__file__).resolve().parents[1])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    one = dict.fromkeys(THREADS, "1")
    return subprocess.Popen(  # noqa: S603 - this interpreter, a module of this package
        [sys.executable, "-P", "-m", worker],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **one, "PYTHONPATH": paths},
        start_new_session=True,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _answer(stream: IO[bytes], say: Say, stage: list[str]) -> dict[str, Any] | None:
    """The first message that is no stage; ``None`` if there is none, or what is said is no message."""
    left = LONGEST
    while left > 0 and (line := stream.readline(left)):
        left -= len(line)
        try:
            found = json.loads(line)
        except ValueError:
            return None
        if not isinstance(found, dict):
            return None
        message = cast("dict[str, Any]", found)
        if "stage" not in message:
            return message
        stage[0] = str(message["stage"])
        say(stage[0])
    return None


def _how(code: int | None) -> str:
    """How a process ended that gave no answer."""
    if code is None:
        return "it gave no answer"
    if code >= 0:
        return f"it left with exit code {code} before the work was done"
    with suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it was ended by signal {-code}"


def _packed(error: ThroughtimeError) -> dict[str, Any]:
    place = None if error.place is None else asdict(error.place)
    kind = next(c.__name__ for c in type(error).__mro__ if hasattr(errors, c.__name__))
    return {"kind": kind, "problem": error.problem, "remedy": error.remedy, "place": place}


def _unpacked(message: Mapping[str, Any], limits: Limits) -> Any:
    """What was answered, or raised.

    Raises:
        EndedError: the memory did not suffice, or the message is none that a worker sends.
        ThroughtimeError: the one that was raised.
        RuntimeError: something else was raised.
    """
    if "answer" in message:
        return message["answer"]
    if "memory" in message:
        raise EndedError(f"it needed more than {limits.gib:g} GiB of memory")
    if "bug" in message:
        raise RuntimeError(str(message["bug"]))
    told = message.get("error", {})
    kind = getattr(errors, str(told.get("kind")), None)
    if not (isinstance(kind, type) and issubclass(kind, ThroughtimeError)):
        raise EndedError("it gave no answer")
    place = told.get("place")
    raise kind(told["problem"], told["remedy"], place=Place(**place) if place else None)
