"""What an expression needs besides ``derive.nodes`` where vectors are rows: stacking, slicing and diagonals of rows.

expr ::= Beside(expr, …) | Columns(expr, start, stop) | RowDiag(expr)
       | BlockAcross(u, v) | ThroughTime(words)                 leaves
"""

from __future__ import annotations

from sympy import S

from derive.nodes import Block, Concat, Diag, Rows


class Beside(Concat):
    """Operands side by side: [a, b]."""

    @property
    def shape(self):
        """(the operands' common rows, sum of their columns)."""
        return (self.args[0].shape[0], sum((a.shape[1] for a in self.args), S.Zero))


class Columns(Rows):
    """Columns start ≤ j < stop of the operand."""

    @property
    def shape(self):
        """(rows, stop − start)."""
        return (self.args[0].shape[0], self.stop - self.start)


class RowDiag(Diag):
    """The diagonal matrix of a row vector."""

    @property
    def shape(self):
        """(n, n) for an operand (1, n)."""
        return (self.args[0].shape[1], self.args[0].shape[1])


class BlockAcross(Block):
    """∂u/∂v with the entries of u as columns: the transpose of ``Block``, (rows of v, rows of u)."""

    @property
    def shape(self):
        """(rows of v, rows of u), for the columns u and v of the house's layout."""
        return (self.by.shape[0], self.of.shape[0])
