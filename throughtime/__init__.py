"""Gradients of recurrent networks: derived, proved, generated as NumPy code, and verified.

This package is the front: every public name, loaded when it is first used.
Importing it is instant.

    >>> import throughtime
    >>> lstm = throughtime.load("lstm")
    >>> print(lstm.derive().text())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from throughtime._version import __version__

if TYPE_CHECKING:
    from derive.errors import (
        ArgumentError,
        CellError,
        LanguageError,
        NotVerifiedError,
        ShapeError,
        ThroughtimeError,
        UnknownCellError,
    )
    from derive.language import timed
    from numeric.watch import Watch
    from proofs.check import check
    from proofs.claims.court import judge
    from throughtime.bounding import bounds, recheck_bound
    from throughtime.exchange import load_weights
    from throughtime.listing import shipped
    from throughtime.model import Model, from_sympy, load, read
    from throughtime.verifying import verify_file

__all__ = [
    "ArgumentError",
    "CellError",
    "LanguageError",
    "Model",
    "NotVerifiedError",
    "ShapeError",
    "ThroughtimeError",
    "UnknownCellError",
    "Watch",
    "__version__",
    "bounds",
    "check",
    "from_sympy",
    "judge",
    "load",
    "load_weights",
    "read",
    "recheck_bound",
    "shipped",
    "timed",
    "verify_file",
]

_HOME = {
    "timed": "derive.language",
    "Watch": "numeric.watch",
    "check": "proofs.check",
    "judge": "proofs.claims.court",
    "load_weights": "throughtime.exchange",
    **dict.fromkeys(("bounds", "recheck_bound"), "throughtime.bounding"),
    "shipped": "throughtime.listing",
    "verify_file": "throughtime.verifying",
    **dict.fromkeys(("Model", "from_sympy", "load", "read"), "throughtime.model"),
    **dict.fromkeys(
        (
            "ArgumentError",
            "CellError",
            "LanguageError",
            "NotVerifiedError",
            "ShapeError",
            "ThroughtimeError",
            "UnknownCellError",
        ),
        "derive.errors",
    ),
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
