"""How parameters start: by what the cell's author declared, and else by the field's habit.

Square matrices start orthogonal (Saxe et al., 2014), other matrices uniform by Glorot and Bengio (2010),
vectors at zero and scalars at one.
"""

from __future__ import annotations

from fractions import Fraction

from derive.cell import Quantity
from derive.expressions import is_column, is_scalar
from numeric.arrays import trailing


def initial_value(q: Quantity, declared: str | None, dim) -> str:
    """The expression with which one parameter starts."""
    axes = trailing(q.symbol, dim)
    shape = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
    rows, cols = dim(q.shape[0]), dim(q.shape[1])
    how = declared or _habit(q)
    table = {
        "zeros": f"np.zeros({shape}, dtype)",
        "ones": f"np.ones({shape}, dtype)",
        "identity": f"np.eye({rows}, {cols}, dtype=dtype)",
        "orthogonal": f"orthogonal(rng, {rows}, {cols}, dtype)",
        "glorot": f"glorot(rng, {rows}, {cols}, dtype)",
    }
    value = table.get(how) or f"np.full({shape}, {float(Fraction(how))!r}, dtype)"
    flat = how in ("orthogonal", "glorot") and is_column(q.symbol)
    return f"{value}.reshape({shape})" if flat else value


def _habit(q: Quantity) -> str:
    rows, cols = q.shape
    if is_scalar(q.symbol):
        return "ones"
    if is_column(q.symbol):
        return "zeros"
    return "orthogonal" if rows == cols else "glorot"
