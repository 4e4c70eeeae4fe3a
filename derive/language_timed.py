"""Quantities that change with time, for cells built in Python."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer

from derive.errors import ArgumentError
from derive.expressions import Timed


@dataclass(frozen=True, slots=True)
class TimedName:
    """A quantity that changes with time: ``h[0]`` is h at t, ``h[-1]`` is h at t−1."""

    name: str
    rows: Expr
    cols: Expr

    def __getitem__(self, step: int) -> Timed:
        """The quantity ``step`` steps from the present; the past is negative.

        Raises:
            ArgumentError: the step is no whole number, or lies in the future.
        """
        if isinstance(step, bool) or not isinstance(step, int) or step > 0:
            raise ArgumentError(
                f"{self.name}[{step}] is no present or past step.",
                f"Write {self.name}[0] or {self.name}[-1].",
            )
        return Timed(self.name, -step, self.rows, self.cols)


def timed(name: str, rows: Expr | int, cols: Expr | int = 1) -> TimedName:
    """A quantity that changes with time, for cells built in Python.

    Args:
        name: its name.
        rows: number of rows: a whole number or a SymPy symbol.
        cols: number of columns; 1 is a column vector.
    """
    return TimedName(name, _integer(rows), _integer(cols))


def _integer(size: Expr | int) -> Expr:
    return Integer(size) if isinstance(size, int) else size
