"""The path ledger: a product of Jacobians split by the route on which the gradient leaves the direct path.

Every addend of the Jacobian's closed form is a route: diag(f) along an LSTM's cell, a product with W_f through the
forget gate. J_t = D_t + Σ_r R_{r,t}, with D the direct path: the addends that take a state straight to itself. Then

    J_T ⋯ J_{k+1} = D_T ⋯ D_{k+1} + Σ_r Σ_j D_T ⋯ D_{j+1} R_{r,j} J_{j−1} ⋯ J_{k+1},

an identity: each part is what, on its way back from T, leaves the direct path first by route r.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
)

from derive.derivation import Derivation
from derive.expressions import (
    Block,
    Diag,
    MatrixExpr,
    Timed,
    is_column,
    is_scalar,
    leaves,
    operands,
    replace,
    scale,  # pyright: ignore[reportUnknownVariableType] - SymPy's numbers are untyped
    split_coefficient,
    terms,
)
from derive.fronts import chain
from numeric.forward_run import Run
from numeric.interpret import Array
from numeric.measure import EXACT_UP_TO, PROBES, MeasureError, check_finite
from numeric.operators import JointJacobian
from numeric.tape import Joint, Pull

ZERO = -np.inf
"""The logarithm that goes with rows of zeros."""


@dataclass(frozen=True, slots=True)
class Route:
    """Addends of the Jacobian that go the same way.

    Args:
        through: the matrices on the way, in order; none for a way through no matrix.
        direct: whether it belongs to the direct path.
        addends: by block, in closed form, without blocks in it.
    """

    through: tuple[str, ...]
    direct: bool
    addends: Mapping[Block, tuple[MatrixExpr, ...]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A product of Jacobians, part by part.

    Args:
        routes: the direct path first.
        gains: log of each part's gain ‖·‖_F / √N, (routes, lags + 1).
        shares: ⟨part, P⟩ / ⟨P, P⟩, (routes, lags + 1): they add up to one at every lag.
        total: log of the whole product's gain, by lag, from the backward equations.
        difference: the largest ‖Σ parts − P‖ / ‖P‖ over the lags, P from the backward equations.
        probes: how many random directions stood for the whole state; 0 where every direction was pulled back.
        errors: the standard error of each share, (routes, lags + 1); zeros where every direction was pulled back.
    """

    routes: tuple[Route, ...]
    gains: Array
    shares: Array
    total: Array
    difference: float
    probes: int
    errors: Array


def routes(derivation: Derivation) -> tuple[Route, ...]:
    """The routes of a cell's Jacobian, the direct path first; together they are the whole Jacobian.

    Direct are the diagonal addends of a state's block on itself, one step back; for a cell that has none, the addends
    with the largest lag, if there are several lags: a skip connection.

    Raises:
        MeasureError: a state is a matrix.
    """
    every: list[tuple[Block, MatrixExpr]] = []
    values: dict[MatrixExpr, MatrixExpr] = {}

    def value_of(leaf: MatrixExpr) -> MatrixExpr:
        return values.get(leaf, leaf)

    for found in derivation.jacobian:
        if found.value is None:
            raise MeasureError(
                f"The state {found.owner} is a matrix: its Jacobian has no blocks.",
                "Study a cell whose states are vectors.",
            )
        written: Any = replace(found.value, value_of)
        values[found.block] = written
        if not found.between:
            every += [(found.block, e) for e in addends(written)]
    direct = [_is_direct(block, e) for block, e in every]
    lags = {block.by.lag for block, _ in every}
    if not any(direct) and len(lags) > 1:
        direct = [block.by.lag == max(lags) for block, _ in every]
    groups: dict[tuple[bool, tuple[str, ...]], dict[Block, tuple[MatrixExpr, ...]]] = {}
    for (block, e), is_direct in zip(every, direct, strict=True):
        group = groups.setdefault((is_direct, matrices(e)), {})
        group[block] = (*group.get(block, ()), e)
    ordered = sorted(groups, key=lambda key: not key[0])
    return tuple(Route(key[1], key[0], groups[key]) for key in ordered)


def addends(expr: MatrixExpr) -> list[MatrixExpr]:
    """The products whose sum is the expression, with every bracket opened."""
    if isinstance(expr, MatAdd):
        return [e for term in terms(expr) for e in addends(term)]
    if not isinstance(expr, MatMul):
        return [expr]
    c, _ = split_coefficient(expr)
    found: list[MatrixExpr] = []
    for chosen in product(*(addends(part) for part in operands(expr))):
        joined = chosen[-1]
        for factor in reversed(chosen[:-1]):
            joined = chain(factor, joined)
        found.append(scale(c, joined))
    return found


def matrices(expr: MatrixExpr) -> tuple[str, ...]:
    """The names of the matrices through which an addend leads, in order: parameters, and what is computed or given."""
    core = split_coefficient(expr)[1]
    parts: Sequence[Any] = operands(core) if isinstance(core, MatMul) else (core,)
    kept = [v for p in parts if not isinstance(p, Diag) for v in leaves(p)]
    named: list[Any] = [v for v in kept if isinstance(v, MatrixSymbol | Timed)]
    return tuple(str(v.name) for v in named if not is_column(v) and not is_scalar(v))


def _is_direct(block: Block, expr: MatrixExpr) -> bool:
    own = block.of.name == block.by.name and block.by.lag == 1
    return own and isinstance(split_coefficient(expr)[1], Diag | Identity)


def ledger(run: Run, *, lags: int | None = None, seed: int = 0) -> Ledger:
    """Split ∂s_T/∂s_{T−k} for k = 0 … lags by route, for a run of one sample.

    Args:
        run: the forward pass.
        lags: the largest lag; T if left out.
        seed: of the probes, where the joint state has too many entries for every direction.

    Raises:
        MeasureError: a value of the run is not finite, or a state is a matrix.
    """
    check_finite(run)
    found = routes(run.derivation)
    kept = [r for r in found if r.direct]
    others = [r for r in found if not r.direct]
    joined: dict[Block, list[MatrixExpr]] = {}
    for route in kept:
        for block, exprs in route.addends.items():
            joined.setdefault(block, []).extend(exprs)
    books = _Books(run, joined, others, seed)
    for lag in range((run.steps if lags is None else lags) + 1):
        books.record()
        if lag < run.steps:
            books.step(run.steps - lag)
    names = tuple(name for route in kept for name in route.through)
    path = Route(names, True, {b: tuple(e) for b, e in joined.items()})
    return books.result((path, *others))


class _Books:
    """The parts as rows that are pulled back, each set with a logarithm of its own."""

    def __init__(
        self, run: Run, direct: Mapping[Block, Sequence[MatrixExpr]], others: list[Route], seed: int
    ) -> None:
        d, sizes = run.derivation, run.sizes
        self.run, self.tape = run, Pull(run)
        self.j = JointJacobian(d, sizes)
        self.direct = JointJacobian(d, sizes, direct)
        self.others = [JointJacobian(d, sizes, r.addends, hands_over=False) for r in others]
        n = self.j.size
        self.probes = 0 if n <= EXACT_UP_TO else PROBES
        start = _probes(n, seed) if self.probes else np.eye(n)
        self.count = np.sqrt(start.shape[1])
        self.straight: Array = start[None, None]
        self.log = 0.0
        self.parts: list[Array] = [np.zeros_like(self.straight) for _ in others]
        self.scale = ZERO
        self.whole: Array = self.straight
        self.whole_log = 0.0
        self.gains: list[list[float]] = []
        self.shares: list[list[float]] = []
        self.errors: list[list[float]] = []
        self.total: list[float] = []
        self.worst = 0.0

    def step(self, t: int) -> None:
        """Everything one step further back."""
        look = self.run.look(t)
        base = max(self.log, self.scale)
        staying, leaving = _times(self.scale, base), _times(self.log, base)
        moved: list[Array] = [
            staying * self.j.pull(look, part) + leaving * other.pull(look, self.straight)
            for part, other in zip(self.parts, self.others, strict=True)
        ]
        self.straight, self.log = _unit(self.direct.pull(look, self.straight), self.log)
        size = max((float(np.linalg.norm(part)) for part in moved), default=0.0)
        self.parts = [part / size for part in moved] if size > 0 else moved
        self.scale = base + np.log(size) if size > 0 else ZERO
        before, _ = self.tape.step(t, self._joint(self.whole))
        rows = [part for parts in before.values() for part in parts]
        pulled = np.concatenate([self._spread(r) for r in rows], axis=-2)
        self.whole, self.whole_log = _unit(np.swapaxes(pulled, 1, 3), self.whole_log)

    def _joint(self, rows: Array) -> Joint:
        """(1, 1, N, K) as the tape's vectors: (1, K, rows, 1) by state."""
        turned = np.swapaxes(rows, 1, 3)
        depths = {q.name: q.depth for q in self.run.cell.states}
        return {
            name: [turned[..., self.j.slots[name, back], :] for back in range(depth)]
            for name, depth in depths.items()
        }

    def _spread(self, rows: Array) -> Array:
        return np.broadcast_to(rows, (1, self.whole.shape[-1], *rows.shape[-2:]))

    def record(self) -> None:
        """Note gains and shares at this lag, in units of the whole."""
        parts: list[tuple[Array, float]] = [(self.straight, self.log)]
        parts += ((part, self.scale) for part in self.parts)
        norms = np.array([float(np.linalg.norm(part)) for part, _ in parts])
        with np.errstate(divide="ignore"):
            logs = np.log(norms / self.count) + np.array([log for _, log in parts])
            self.gains.append(logs.tolist())
            length = float(np.linalg.norm(self.whole))
            self.total.append(float(np.log(length / self.count)) + self.whole_log)
        base = self.whole_log if length > 0 else max(log for _, log in parts)
        relative: list[Array] = [_times(log, base) * part for part, log in parts]
        along = [(part * self.whole).sum(axis=(0, 1, 2)) for part in relative]
        square = length**2 if length > 0 else 1.0
        self.shares.append([float(a.sum()) / square for a in along])
        self.errors.append([self._error(a, square) for a in along])
        gap = float(np.linalg.norm(np.sum(relative, axis=0) - self.whole))
        self.worst = max(self.worst, gap / length if length > 0 else gap)

    def _error(self, along: Array, square: float) -> float:
        """The standard error of a share, a ratio of sums over the probes (W. G. Cochran, Sampling techniques, 2.11)."""
        if not self.probes:
            return 0.0
        apart = along - along.sum() / square * (self.whole**2).sum(axis=(0, 1, 2))
        return float(np.linalg.norm(apart)) / square * math.sqrt(self.probes / (self.probes - 1))

    def result(self, found: tuple[Route, ...]) -> Ledger:
        """The books, closed."""
        gains, shares, errors = (np.array(v).T for v in (self.gains, self.shares, self.errors))
        return Ledger(found, gains, shares, np.array(self.total), self.worst, self.probes, errors)


def _unit(rows: Array, log: float) -> tuple[Array, float]:
    """The rows at Frobenius norm one, and the logarithm that goes with them; zero stays zero."""
    length = float(np.linalg.norm(rows))
    return (rows / length, log + float(np.log(length))) if length > 0 else (rows, ZERO)


def _times(log: float, base: float) -> float:
    """The factor that turns rows counted in units of exp(log) into units of exp(base)."""
    return float(np.exp(log - base)) if log > ZERO else 0.0


def _probes(n: int, seed: int) -> Array:
    """Directions of length √N in expectation, so that the mean square is that of a random direction."""
    return np.random.default_rng(seed).standard_normal((n, PROBES)) / np.sqrt(n)
