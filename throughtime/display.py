"""How what is generated looks in Jupyter, and how it is written to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from derive.errors import ArgumentError, NotVerifiedError

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.network_derivation import NetworkDerivation
    from proofs.rocq_check import Verdict
    from proofs.table import Verification


@dataclass(frozen=True, slots=True)
class Code:
    """Generated code.

    Args:
        source: the text of the file.
    """

    source: str

    def __str__(self) -> str:
        return self.source

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source}```\n"

    def write(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the file, whole or not at all.

        Args:
            path: where.
            force: replace a file that is there.

        Raises:
            OutputError: it cannot be written, or it is there and ``force`` is false.
        """
        return _written(self.source, Path(path), force=force)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for Rocq.

    Args:
        source: the text of the file.
    """

    source: str

    def __str__(self) -> str:
        return self.source

    def _repr_markdown_(self) -> str:
        return f"```coq\n{self.source}```\n"

    def check(
        self, *, timeout: float | None = 600.0, on_progress: Callable[[str], None] | None = None
    ) -> Verdict:
        """Have Rocq check it; the first check compiles the library, which takes half a minute.

        Args:
            timeout: seconds after which the check is stopped; never if ``None``.
            on_progress: called with the name of each stage as it begins.

        Raises:
            RocqMissingError: coqc or one of the libraries that it needs is not installed.
            RocqError: it gave no answer in time.
        """
        from proofs.rocq_check import check_certificate

        return check_certificate(self.source, timeout=timeout, say=on_progress)

    def write(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the file, whole or not at all.

        Args:
            path: where.
            force: replace a file that is there.

        Raises:
            OutputError: it cannot be written, or it is there and ``force`` is false.
        """
        return _written(self.source, Path(path), force=force)


def _written(source: str, target: Path, *, force: bool) -> Path:
    from reports.files import write_files

    return write_files(target.parent, {target.name: source.encode()}, force=force)[0]


def code_with(
    derivation: Derivation | NetworkDerivation,
    truncation: tuple[int, int] | None,
    checkpoint: bool,
    scan: bool,
    real_time: bool,
    portable: bool,
    optimize: str = "readable",
    backend: str = "numpy",
    *,
    threads: bool = False,
) -> Code:
    """The code of a cell or a network with what is asked for besides forward and backward pass.

    Raises:
        ArgumentError: it makes no sense for this cell or network.
    """
    from numeric.additions import Additions, generate_with

    for what, value, known in (
        ("optimize", optimize, ("readable", "speed", "size")),
        ("backend", backend, ("numpy", "numba")),
    ):
        if value not in known:
            raise ArgumentError(
                f"{what} is {value!r}: expected {', '.join(known[:-1])} or {known[-1]}.",
                f"Give one of these as {what}.",
            )
    compiled = backend == "numba"
    size = optimize == "size"
    speed = optimize == "speed" or (compiled and not size)
    wanted = Additions(
        truncation, checkpoint, scan, real_time, portable, speed, compiled, size, threads
    )
    code = Code(
        generate_with(derivation, wanted)
    )  # what makes no sense is refused before what is missing
    if compiled and find_spec("numba") is None:
        raise ArgumentError(
            "The backend numba needs Numba, which is not installed: its code could not be verified.",
            "Install it: python -m pip install 'throughtime[fast]'.",
        )
    return code


def certified_code(name: str, source: str, verification: Verification) -> Code:
    """Code with the certificate of its checks behind it.

    Raises:
        NotVerifiedError: a check failed.
    """
    from proofs.attestation import certified

    if not verification.ok:
        failed = ", ".join(check.name for check in verification.failures)
        raise NotVerifiedError(
            f"The code for {name} is not verified; failed: {failed}.", "See verify().table()."
        )
    return Code(certified(source, verification))
