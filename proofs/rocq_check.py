"""Certificates checked by Rocq: the compiler found, the library built once, a file's verdict and its assumptions."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from derive.errors import ThroughtimeError

LIBRARY = Path(__file__).parent / "rocq"
FILES = (
    "hadamard.v",
    "mxring.v",
    "tangents.v",
    "functions.v",
    "curves.v",
    "through_time.v",
    "certificate.v",
)
"""The library, in the order in which it is compiled."""
PACKAGES = (
    "coq",
    "libcoq-mathcomp-algebra",
    "libcoq-mathcomp-algebra-tactics",
    "libcoq-mathcomp-analysis",
)
"""Debian's packages that a check needs."""
CLASSICAL = (
    "boolp.constructive_indefinite_description",
    "boolp.functional_extensionality_dep",
    "boolp.propositional_extensionality",
)
"""The axioms of mathcomp-classical, on which its real numbers rest."""
_WARNINGS = "-notation-overridden,-ambiguous-paths,-redundant-canonical-projection"
_INSTALL = f"On Debian or Ubuntu: apt-get install {' '.join(PACKAGES)}"

Say = Callable[[str], None]


class RocqError(ThroughtimeError, RuntimeError):
    """Rocq could not be run, or gave no answer in time."""


class RocqMissingError(RocqError):
    """There is no coqc, or it lacks the libraries."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Rocq says of a certificate.

    Args:
        accepted: whether its kernel accepted every line, and the theorem rests on no other axioms than ``CLASSICAL``.
        assumptions: what the theorem rests on: the names of axioms, sorted; empty for a refused file.
        lemma: the lemma at which it stopped, empty if it accepted.
        message: what it said there.
        seconds: how long it took; no part of the verdict's comparison or of any file.
    """

    accepted: bool
    assumptions: tuple[str, ...] = ()
    lemma: str = ""
    message: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """The verdict as plain data, without the time."""
        return {
            "accepted": self.accepted,
            "assumptions": list(self.assumptions),
            "lemma": self.lemma,
            "message": self.message,
        }


def find_coqc() -> str:
    """The path of coqc.

    Raises:
        RocqMissingError: it is not on the PATH.
    """
    found = shutil.which("coqc")
    if found is None:
        raise RocqMissingError("A check needs Rocq, and coqc is not on the PATH.", _INSTALL)
    return found


def user_cache() -> Path:
    """Where the user's caches are kept: below XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "throughtime"


def cache_folder() -> Path:
    """Where compiled libraries are kept."""
    return user_cache() / "rocq"


def build_library(folder: Path | None = None, say: Say | None = None) -> Path:
    """Compile the library, once for each state of its text and version of Rocq.

    Args:
        folder: where compiled libraries are kept; the user's cache if left out.
        say: called with the name of each file as it begins.

    Returns:
        The folder of the compiled library.

    Raises:
        RocqMissingError: coqc or one of the libraries that it needs is not installed.
        RocqError: it does not compile, or the folder cannot be written.
    """
    coqc, root = find_coqc(), folder or cache_folder()
    target = root / _state(coqc)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root / "lock"):
            if not target.is_dir():
                _compile_all(coqc, root, target, say or _silent)
    except OSError as error:
        raise RocqError(
            f"The library cannot be compiled in {root}: {error.strerror or error}.",
            "Set XDG_CACHE_HOME to a folder that can be written.",
        ) from error
    return target


def _state(coqc: str) -> str:
    """A name for the library's text and the compiler's version."""
    digest = hashlib.sha256(_run([coqc, "--version"], LIBRARY, 60.0).stdout.encode())
    for name in FILES:
        digest.update((LIBRARY / name).read_bytes())
    return digest.hexdigest()[:20]


@contextmanager
def _alone(lock: Path) -> Generator[None]:
    """One process at a time, where the system has such locks; without them the library is at worst built twice."""
    with lock.open("w") as held:
        with suppress(ImportError):
            from fcntl import LOCK_EX, flock

            flock(held, LOCK_EX)
        yield


def _compile_all(coqc: str, root: Path, target: Path, say: Say) -> None:
    with tempfile.TemporaryDirectory(dir=root) as name:
        work = Path(name) / "library"
        work.mkdir()
        for file in FILES:
            shutil.copyfile(LIBRARY / file, work / file)
        for file in FILES:
            say(f"compiling the library: {file}")
            done = _run([coqc, "-w", _WARNINGS, "-Q", ".", "throughtime", file], work, 600.0)
            if done.returncode != 0:
                raise _not_compiled(file, done.stdout + done.stderr)
        work.rename(target)


def _not_compiled(file: str, said: str) -> RocqError:
    if "Cannot find a physical path" in said or "Unable to locate library" in said:
        return RocqMissingError("Rocq is installed without a library that a check needs.", _INSTALL)
    return RocqError(f"{file} of the library does not compile: {_message(said)}")


def check_certificate(
    text: str, *, folder: Path | None = None, timeout: float | None = 600.0, say: Say | None = None
) -> Verdict:
    """Have Rocq check a certificate.

    Args:
        text: the file.
        folder: where compiled libraries are kept; the user's cache if left out.
        timeout: seconds after which the check is stopped; never if ``None``.
        say: called with the name of each stage as it begins.

    Raises:
        RocqMissingError: coqc or one of the libraries that it needs is not installed.
        RocqError: it gave no answer in time.
    """
    library, coqc = build_library(folder, say), find_coqc()
    with tempfile.TemporaryDirectory(prefix="throughtime-rocq-") as name:
        work = Path(name)
        (work / "cell.v").write_text(text, encoding="utf-8")
        (say or _silent)("checking the certificate")
        begun = monotonic()
        done = _run(
            [coqc, "-w", _WARNINGS, "-Q", str(library), "throughtime", "cell.v"], work, timeout
        )
        seconds = monotonic() - begun
    if done.returncode == 0:
        return _judged(_assumptions(done.stdout), seconds)
    said = done.stdout + done.stderr
    return Verdict(False, (), _lemma(text, said), _message(said), seconds)


def _judged(assumptions: tuple[str, ...], seconds: float) -> Verdict:
    """The verdict on a file that was accepted under these assumptions."""
    foreign = [name for name in assumptions if name not in CLASSICAL]
    said = f"It assumes {', '.join(foreign)}." if foreign else ""
    return Verdict(not foreign, assumptions, "", said, seconds)


def _run(
    command: list[str], folder: Path, timeout: float | None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - coqc from the PATH, with arguments written here
            command, cwd=folder, capture_output=True, text=True, encoding="utf-8",
            timeout=timeout, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RocqError(
            f"Rocq gave no answer within {timeout:g} seconds.", "Allow it more by timeout=."
        ) from None


def _assumptions(said: str) -> tuple[str, ...]:
    """The names in the answers to ``Print Assumptions``: where it was asked several times, in any of them."""
    listed = said.partition("Axioms:\n")[2]
    found = re.findall(r"(?m)^([\w.']+)(?=\s*:|$)", listed)
    if not found and "Closed under the global context" in said:
        return ()
    if not found:
        raise RocqError(f"Rocq named no assumptions; it said: {said.strip() or 'nothing'}")
    return tuple(sorted(set(found)))


def _lemma(text: str, said: str) -> str:
    """The lemma within which a file was refused."""
    place = re.search(r'"[^"]*cell\.v", line (\d+)', said)
    before = "\n".join(text.split("\n")[: int(place[1])]) if place else ""
    found = re.findall(r"(?m)^(?:Lemma|Theorem|Definition|Record|Fixpoint) ([\w']+)", before)
    return found[-1] if found else ""


def _message(said: str) -> str:
    """The first lines of an error, without the context in which it arose."""
    error = said.partition("Error:")[2] or said
    lines = [line.strip() for line in error.strip().splitlines() if line.strip()]
    return " ".join(lines[:3])[:300]


def _silent(stage: str) -> None:
    """Nothing is said."""
