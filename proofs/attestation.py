"""The certificate that a verified file carries: what was checked, and the digest of the very code that was.

It stands as comments at the end of the file, so the file stays a plain NumPy module. It proves nothing by itself:
whoever doubts it runs the checks again, which read the equations in the file and know nothing of the generator.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

from derive.errors import ArgumentError
from proofs.table import Verification

HEADING = "# throughtime certificate"
TOOLS = ("throughtime", "numpy", "sympy")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a file stands to the certificate in it.

    Args:
        code: the file without the certificate.
        verdict: ``certified``, ``changed``, ``unreadable`` or ``none``.
        data: the certificate; empty if there is none that can be read.
    """

    code: str
    verdict: str
    data: Mapping[str, object]

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return {
            "certified": "certificate: the code is the one that was certified",
            "changed": "certificate: the code is NOT the one that was certified; it was changed since",
            "unreadable": "certificate: it cannot be read",
            "none": "certificate: the file carries none",
        }[self.verdict]


def digest(code: str) -> str:
    """SHA-256 of the code as UTF-8, without blank lines at its end."""
    return hashlib.sha256(code.rstrip("\n").encode()).hexdigest()


def certified(code: str, verification: Verification) -> str:
    """The code with a certificate of its checks behind it.

    Args:
        code: the code that was verified.
        verification: its outcome.

    Raises:
        ValueError: a check failed, so there is nothing to certify.
    """
    if not verification.ok:
        raise ValueError("a certificate needs a verification in which every check ran and held")
    data = {
        "sha256": digest(code),
        "seed": verification.seed,
        "versions": {
            "python": platform.python_version(),
            **{tool: version(tool) for tool in TOOLS},
        },
        "checks": [_row(check.to_dict()) for check in verification.checks],
    }
    body = json.dumps(data, indent=1, ensure_ascii=True)
    comment = "\n".join(f"# {line}" for line in body.splitlines())
    return f"{code.rstrip()}\n\n\n{HEADING}\n{comment}\n"


def _row(check: Mapping[str, object]) -> dict[str, object]:
    """What a check did, without what it measured: that differs in the last digits between machines."""
    kept = ("name", "what", "sizes", "bound", "unit", "verdict")
    return {key: check[key] if check[key] == check[key] else None for key in kept}


def standing(source: str) -> Standing:
    """A file taken apart into code and certificate, and whether they belong together."""
    code, heading, tail = source.rpartition(f"\n{HEADING}\n")
    if not heading:
        return Standing(source, "none", {})
    code = code.rstrip("\n") + "\n"
    lines = tail.rstrip("\n").split("\n")
    if not all(line.startswith("# ") for line in lines):
        return Standing(source, "changed", {})
    try:
        data: object = json.loads("\n".join(line[2:] for line in lines))
    except (ValueError, RecursionError):
        return Standing(code, "unreadable", {})
    if not isinstance(data, dict) or not isinstance(
        cast("dict[str, object]", data).get("sha256"), str
    ):
        return Standing(code, "unreadable", {})
    known = cast("dict[str, object]", data)
    return Standing(code, "certified" if known["sha256"] == digest(code) else "changed", known)


def read_source(path: Path) -> str:
    """The text of a generated file.

    Raises:
        ArgumentError: there is none, or it is no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ArgumentError(
            f"{path} cannot be read: {error.strerror}.", "Check the path."
        ) from None
    except UnicodeDecodeError:
        raise ArgumentError(
            f"{path} is not UTF-8 text.", "Give a file that throughtime generated."
        ) from None
