"""What a cell's equations are worth, and their derivatives by complex steps: the oracle of the tests.

It evaluates each node by its definition, over stacks of matrices (…, rows, columns) whose leading axes broadcast.
It knows the cell's own equations only: no normal form, no rule, no program, no generated code. A complex step
f(x + ih) = f(x) + ih f′(x) + O(h²) with h = 1e-200 subtracts nothing, so its derivatives are right to the last digits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sympy.matrices.expressions import MatrixSymbol

from derive import expressions as ex
from derive.cell import Cell, Quantity

H = 1e-200
SIZES = (3, 2, 4, 5, 6, 7, 8, 9)
"""What the free sizes of a cell are set to, in order: all different, none of them 1."""

Look = Callable[[ex.MatrixExpr], np.ndarray]


# ── expressions ─────────────────────────────────────────────────────────────────────────────────────


def _where(condition, a, b):
    return np.where(condition, a, b)


ENTRYWISE: dict[str, Callable] = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: _where(a.real > 0, a, 0),
    "softplus": lambda a: np.log(1 + np.exp(a)),
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "abs": lambda a: _where(a.real < 0, -a, a),
    "step": lambda a: (a.real > 0) * 1.0,
    "sign": lambda a: np.sign(a.real),
}


def sizes_of(cell: Cell) -> dict:
    """A different number for every free size of the cell."""
    return dict(zip(cell.dims, SIZES, strict=False))


def shape_of(expr, sizes: Mapping) -> tuple[int, int]:
    """(rows, columns) as numbers."""
    rows, cols = (int(size.subs(sizes)) for size in expr.shape)
    return rows, cols


def worth(expr, look: Look, sizes: Mapping) -> np.ndarray:
    """An expression's value, given those of its leaves."""
    if not isinstance(expr, (*_CONSTANTS, *_NODES)):
        return look(expr)
    if isinstance(expr, _CONSTANTS):
        return _constant(expr, *shape_of(expr, sizes))
    parts = [worth(part, look, sizes) for part in ex.operands(expr)]
    return _NODES[type(expr)](expr, sizes, *parts)


_CONSTANTS = (ex_ones, ex_zeros, ex_identity) = (
    type(ex.ones(2, 3)),
    type(ex.zeros_like(ex.ones(2, 3))),
    type(ex.diag(ex.ones(2, 1))),
)


def _constant(expr, rows: int, cols: int) -> np.ndarray:
    if isinstance(expr, ex_identity):
        return np.eye(rows)
    return np.full((rows, cols), 1.0 if isinstance(expr, ex_ones) else 0.0)


def _product(expr, sizes, *parts):
    factor = ex.split_coefficient(expr)[0].subs(sizes)
    return float(factor) * functools.reduce(np.matmul, parts)


def _concat(expr, sizes, *parts):
    front = np.broadcast_shapes(*(p.shape[:-2] for p in parts))
    return np.concatenate([np.broadcast_to(p, (*front, *p.shape[-2:])) for p in parts], axis=-2)


def _softmax(expr, sizes, a):
    return np.exp(a) / np.exp(a).sum(axis=-2, keepdims=True)


def _rows(expr, sizes, a):
    start, stop = (int(row.subs(sizes)) for row in (expr.start, expr.stop))
    return a[..., start:stop, :]


_NODES: dict[type, Callable] = {
    ex.MatAdd: lambda e, s, *parts: functools.reduce(np.add, parts),
    ex.MatMul: _product,
    ex.HadamardProduct: lambda e, s, *parts: functools.reduce(np.multiply, parts),
    ex.HadamardPower: lambda e, s, a: a ** float(e.args[1]),
    ex.Transpose: lambda e, s, a: np.swapaxes(a, -1, -2),
    ex.Elementwise: lambda e, s, a: ENTRYWISE[e.function](a),
    ex.Softmax: _softmax,
    ex.LogSumExp: lambda e, s, a: np.log(np.exp(a).sum(axis=-2, keepdims=True)),
    ex.Concat: _concat,
    ex.Rows: _rows,
    ex.Broadcast: lambda e, s, a: np.broadcast_to(a, (*a.shape[:-2], *shape_of(e, s))),
    ex.Total: lambda e, s, a: a.sum(axis=(-2, -1), keepdims=True),
    ex.Diag: lambda e, s, a: a * np.eye(a.shape[-2]),
}


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, repr=False)
class Sample:
    """A cell with numbers: B samples over T steps, and a loss linear in the outputs and the final state.

    Args:
        cell: the cell.
        sizes: its free sizes.
        T: steps.
        B: samples.
        fixed: parameters, (rows, columns).
        consts: constants, (1, 1).
        series: inputs, (T, B, rows, columns).
        initial: states and inputs with memory, (depth, B, rows, columns), the oldest first.
        outputs_bar: ∂L/∂ of each output, (T, B, rows, columns).
        final_bar: ∂L/∂ of each final value, shaped as ``initial``.
    """

    cell: Cell
    sizes: dict
    T: int
    B: int
    fixed: dict[str, np.ndarray]
    consts: dict[str, np.ndarray]
    series: dict[str, np.ndarray]
    initial: dict[str, np.ndarray]
    outputs_bar: dict[str, np.ndarray]
    final_bar: dict[str, np.ndarray]

    def __repr__(self) -> str:
        return f"sample(read_cell({self.cell.text!r}), T={self.T}, B={self.B})"


def memory_of(cell: Cell) -> tuple[Quantity, ...]:
    """What remembers earlier steps."""
    return tuple(q for q in (*cell.states, *cell.inputs) if q.depth)


def sample(
    cell: Cell, *, T: int = 4, B: int = 2, seed: int = 0, sizes: Mapping | None = None
) -> Sample:
    """Random numbers for a cell: no entry zero, nothing symmetric."""
    sizes = dict(sizes_of(cell) if sizes is None else sizes)
    rng = np.random.default_rng(seed)

    def drawn(quantities, *front, scale=1.0):
        return {
            q.name: scale * rng.standard_normal((*front, *shape_of(q.symbol, sizes)))
            for q in quantities
        }

    memory = memory_of(cell)
    first = {q.name: drawn([q], q.depth, B)[q.name] for q in memory}
    last = {q.name: drawn([q], q.depth, B)[q.name] for q in memory}
    consts = {
        q.name: np.full((1, 1), 0.7 if q.value is None else float(q.value)) for q in cell.constants
    }
    return Sample(
        cell, sizes, T, B, drawn(cell.parameters, scale=0.6), consts, drawn(cell.inputs, T, B), first,
        drawn(cell.outputs, T, B), last,
    )  # fmt: skip


def unrolled(s: Sample) -> dict[tuple[str, int], np.ndarray]:
    """Every quantity at every step, from the equations alone; step 1 is the first, 0 the one before it."""
    values: dict[tuple[str, int], np.ndarray] = {}
    for name, series in s.series.items():
        values |= {(name, t + 1): np.asarray(series)[..., t, :, :, :] for t in range(s.T)}
    for name, before in s.initial.items():
        depth = before.shape[-4]
        values |= {(name, t + 1 - depth): before[..., t, :, :, :] for t in range(depth)}
    for t in range(1, s.T + 1):
        for eq in s.cell.equations:
            values[eq.target.name, t] = worth(eq.expr, looker(s, values, t), s.sizes)
    return values


def looker(s: Sample, values: Mapping, t: int) -> Look:
    """The values of primal leaves at step t."""

    def look(leaf):
        if isinstance(leaf, MatrixSymbol):
            return (s.fixed | s.consts)[leaf.name]
        return values[leaf.name, t - leaf.lag]

    return look


def loss(s: Sample, values: Mapping) -> np.ndarray:
    """L, one number for each leading index."""
    total = 0.0
    for name, bar in s.outputs_bar.items():
        total = total + sum(_inner(bar[t], values[name, t + 1]) for t in range(s.T))
    for name, bar in s.final_bar.items():
        depth = bar.shape[0]
        total = total + sum(_inner(bar[i], values[name, s.T - depth + 1 + i]) for i in range(depth))
    return total


def _inner(bar, value):
    return np.sum(bar * value, axis=(-3, -2, -1))


def gradients(s: Sample) -> dict[str, dict[str, np.ndarray]]:
    """The loss's gradients by complex steps, entry by entry: groups ``fixed``, ``series`` and ``initial``."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for group in ("fixed", "series", "initial"):
        arrays = getattr(s, group)
        found[group] = {}
        for name, array in arrays.items():
            moved = _entry_by_entry(array, samples=group == "fixed")
            values = unrolled(replace(s, **{group: {**arrays, name: moved}}))
            derivative = np.broadcast_to(loss(s, values).imag / H, (array.size,))
            found[group][name] = derivative.reshape(array.shape)
    return found


def _entry_by_entry(array: np.ndarray, *, samples: bool) -> np.ndarray:
    """Copies of an array, in each of which another entry is moved by ih."""
    moved = array + 1j * H * np.eye(array.size).reshape(-1, *array.shape)
    return moved[:, None] if samples else moved


# ── comparison ──────────────────────────────────────────────────────────────────────────────────────


def distance(found, expected) -> float:
    """‖found − expected‖ / ‖expected‖ of two arrays of one shape; their shapes must agree."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    scale = max(float(np.linalg.norm(expected)), 1e-3)
    return float(np.linalg.norm(found - expected)) / scale


def assert_close(found: Mapping, expected: Mapping, bound: float = 1e-10) -> None:
    """Demand the same names, the same shapes, and no distance above the bound."""
    assert found.keys() == expected.keys()
    far = {name: distance(found[name], expected[name]) for name in expected}
    assert {name: d for name, d in far.items() if not d <= bound} == {}


def moderate(s: Sample, bound: float = 1e4) -> bool:
    """Whether every value is finite and below the bound, so that rounding stays far below what tests demand."""
    with np.errstate(all="ignore"):
        return all(bool(np.all(np.abs(v) < bound)) for v in unrolled(s).values())
