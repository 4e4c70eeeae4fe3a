"""What the libraries leave untyped, in one place: SymPy's scalars and matrix nodes, and mpmath."""

from __future__ import annotations

from typing import Any

import mpmath as _mpmath  # pyright: ignore[reportMissingTypeStubs] - it ships none
import sympy as _sympy  # pyright: ignore[reportMissingTypeStubs] - it ships none
from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - as above
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

sympy: Any = _sympy
mpmath: Any = _mpmath

__all__ = [
    "HadamardPower",
    "HadamardProduct",
    "Identity",
    "MatAdd",
    "MatMul",
    "MatrixSymbol",
    "OneMatrix",
    "Transpose",
    "ZeroMatrix",
    "mpmath",
    "sympy",
]
