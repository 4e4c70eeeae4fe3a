"""What mean-field theory predicts for random networks of any cell, driven or not: asymptotic, not proved here.

With many units W h_t is a Gaussian process over time, independent from unit to unit, of covariance g² E h_t h_s; so is
W ḣ_t for a tangent, jointly. One population of sites then stands for the network, and the cell's own equations and
differentials say how tangents grow. Without memory of earlier fields that is the theory for weights drawn anew in every
step, in which χ is made of the gates' moments; with memory it is the one for fixed weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    MatMul,
    MatrixSymbol,
    Transpose,
)

from derive.derivation import Derivation
from derive.expressions import (
    LEAVES,
    Concat,
    LogSumExp,
    MatrixExpr,
    Rows,
    Softmax,
    Tangent,
    Timed,
    Total,
    is_column,
    is_scalar,
    operands,
    scale,  # pyright: ignore[reportUnknownVariableType] - SymPy's numbers are untyped
    split_coefficient,
    with_operands,
    zeros_like,
)
from numeric.interpret import Array, Program, compiled
from numeric.mean_field import GRID, Prediction, mean
from numeric.primitives import sigmoid

SITES, SETTLING, STEPS, PIECES = 1500, 100, 300, 20
MEMORY = 10
"""Steps of which a field is remembered; more changed λ₁ of an LSTM, a GRU and leaky units by less than 0.005."""
SMALLEST = 1e-12
"""A share of an argument that earlier arguments of the same matrix leave over, below which it counts as theirs."""


MIXED = (Concat, LogSumExp, Rows, Softmax, Total)
"""What looks at several entries of a column at once, and so at how many units there really are."""


@dataclass(frozen=True, slots=True)
class Field:
    """A matrix times a vector, as one Gaussian number for each site."""

    matrix: str
    of: MatrixExpr


@dataclass(slots=True)
class _Line:
    """An equation with its products taken out."""

    target: Any
    program: Program
    fields: dict[Any, Field] = field(default_factory=dict[Any, Field])


@dataclass(frozen=True, slots=True)
class Growth:
    """λ₁ of the population.

    Args:
        rate: λ₁ per step.
        error: standard error over pieces of the run.
    """

    rate: float
    error: float


class UnsuitedError(ValueError):
    """The cell multiplies by something other than its parameters' matrices, so it has no such population."""


def population_rate(
    derivation: Derivation,
    fixed: Mapping[str, Array],
    inputs: float,
    *,
    sites: int = SITES,
    steps: int = STEPS,
    memory: int = MEMORY,
    seed: int = 0,
) -> Growth:
    """λ₁ in the limit of many units, by a population of sites that runs the cell's own equations.

    Law: W a_t is Gaussian with E (W a_t)(W a_s) = g² E a_t a_s, g² = columns · var W, for every argument a of W, states
    and tangents alike. What W did to earlier arguments is kept: W (Σ β a_k + r) = Σ β (W a_k) + W r.

    Args:
        derivation: of the cell.
        fixed: its parameters and constants; of a matrix the variance counts, of a bias its entries.
        inputs: standard deviation of the inputs, independent from step to step.
        sites: in the population.
        steps: over which the growth is measured.
        memory: how many earlier steps' fields are kept; with 0 weights are drawn anew in every step.
        seed: of everything drawn.

    Raises:
        UnsuitedError: the cell has products of another kind, or matrices as states.

    Source: H. Sompolinsky, A. Crisanti and H. J. Sommers, PRL 61 (1988), for fixed weights; T. Can, K. Krishnamurthy
    and D. J. Schwab, MSML 2020, for gated cells; M. Chen, J. Pennington and S. S. Schoenholz, ICML 2018, for weights
    drawn anew; populations as in D. Gilboa et al., Dynamical isometry and a mean field theory of LSTMs and GRUs, 2019.
    """
    run = _Population(derivation, fixed, inputs, sites, seed, memory)
    for _ in range(SETTLING):
        run.step()
    logs = np.array([run.step() for _ in range(steps)])
    pieces = logs[: steps // PIECES * PIECES].reshape(PIECES, -1).mean(axis=1)
    return Growth(float(logs.mean()), float(pieces.std(ddof=1) / math.sqrt(PIECES)))


class _Population:
    def __init__(
        self,
        derivation: Derivation,
        fixed: Mapping[str, Array],
        inputs: float,
        sites: int,
        seed: int,
        memory: int,
    ) -> None:
        cell = derivation.cell
        self.cell, self.inputs, self.sites, self.memory, self.time = cell, inputs, sites, memory, 0
        self.drawn: dict[str, list[tuple[int, Array, Array]]] = {}
        self.rng = np.random.default_rng(seed)
        if any(not is_column(q.symbol) for q in (*cell.states, *cell.inputs)):
            raise UnsuitedError("a state or an input is no column")
        if any(q.kind == "index" for q in cell.inputs):
            raise UnsuitedError("an index has one entry, and no site of its own for each")
        sizes = dict.fromkeys(cell.dims, sites)
        pairs = zip(derivation.assignments, derivation.tangents, strict=True)
        self.lines = [_line(a.target, a.expr, sizes) for pair in pairs for a in pair]
        _refuse_both_ways(derivation)
        self.gains = {k: math.sqrt(v.shape[1] * float(np.var(v))) for k, v in fixed.items()}
        self.values: dict[Any, Array] = {}
        for q in (*cell.parameters, *cell.constants):
            if is_scalar(q.symbol):
                self.values[q.symbol] = fixed[q.name]
            elif is_column(q.symbol):
                self.values[q.symbol] = self.rng.choice(fixed[q.name].ravel(), (sites, 1))
        self.zero = np.zeros((sites, 1))
        for q in (*cell.states, *cell.inputs):
            symbol: Any = q.symbol
            for lag in range(q.depth + 1):
                self.values[symbol.at(lag)] = 0.1 * self.rng.standard_normal((sites, 1))
                if q.role == "state":
                    self.values[Tangent(symbol.at(lag))] = self.rng.standard_normal((sites, 1))

    def step(self) -> float:
        """One step on; the logarithm of the factor by which the joint tangent grew, which is then set to length one."""
        before = self._shift()
        self.time += 1
        for known in self.drawn.values():
            while known and known[0][0] <= self.time - 1 - self.memory:
                known.pop(0)
        for line in self.lines:
            for place, product in line.fields.items():
                self.values[place] = self._field(product)
            self.values[line.target] = line.program(self._look)
        after = math.sqrt(sum(float((v**2).sum()) for v in self._tangents()))
        if not 0 < after < math.inf:
            return -math.inf if after == 0 else math.inf
        for tangent in self._tangents():
            tangent /= after
        return math.log(after / before)

    def _shift(self) -> float:
        size = math.sqrt(sum(float((v**2).sum()) for v in self._tangents()))
        for q in (*self.cell.states, *self.cell.inputs):
            symbol: Any = q.symbol
            for lag in range(q.depth, 0, -1):
                self.values[symbol.at(lag)] = self.values[symbol.at(lag - 1)]
                if q.role == "state":
                    self.values[Tangent(symbol.at(lag))] = self.values[
                        Tangent(symbol.at(lag - 1))
                    ].copy()
            if q.role == "input":
                self.values[symbol] = self.inputs * self.rng.standard_normal((self.sites, 1))
        return size

    def _tangents(self) -> list[Array]:
        """Of the joint state: every state with the earlier values that the cell uses."""
        found: list[Array] = []
        for q in self.cell.states:
            symbol: Any = q.symbol
            found += [self.values[Tangent(symbol.at(back))] for back in range(q.depth)]
        return found

    def _look(self, leaf: Any) -> Array:
        if leaf in self.values:
            return self.values[leaf]
        if isinstance(leaf, Tangent):  # of a parameter or an input, which stand still
            return np.zeros((1, 1)) if is_scalar(leaf) else self.zero
        raise UnsuitedError(f"{leaf} has no value for each site")

    def _field(self, product: Field) -> Array:
        """W a, given what W did to earlier arguments: W (Σ β a_k + r) = Σ β (W a_k) + W r."""
        argument, gain = self._look(product.of), self.gains[product.matrix]
        known = self.drawn.setdefault(product.matrix, [])
        found, rest = np.zeros((self.sites, 1)), argument
        if known:
            earlier = np.concatenate([a for _, a, _ in known], axis=1)
            gram = earlier.T @ earlier
            gram[np.diag_indices(len(known))] *= 1 + SMALLEST
            beta = np.linalg.solve(gram, earlier.T @ argument)
            rest = argument - earlier @ beta
            found = np.concatenate([f for _, _, f in known], axis=1) @ beta
        left = float(np.mean(rest**2))
        if left > SMALLEST * float(np.mean(argument**2)):
            found = found + gain * math.sqrt(left) * self.rng.standard_normal((self.sites, 1))
            size = math.sqrt(float(np.mean(argument**2)))
            known.append((self.time, argument / size, found / size))
        return found


def _refuse_both_ways(derivation: Derivation) -> None:
    """A matrix that is used as it is and transposed too has two fields that are not independent of each other.

    Raises:
        UnsuitedError: there is one.
    """
    turned, straight = set[str](), set[str]()

    def visit(expr: Any) -> None:
        if isinstance(expr, Transpose) and isinstance(expr.arg, MatrixSymbol):
            turned.add(str(cast("Any", expr.arg).name))
        elif isinstance(expr, MatrixSymbol):
            straight.add(str(cast("Any", expr).name))
        elif not isinstance(expr, LEAVES):
            for part in operands(expr):
                visit(part)

    for a in derivation.assignments:
        visit(a.expr)
    if both := turned & straight:
        raise UnsuitedError(f"{min(both)} is used as it is and transposed")


def _line(target: Any, expr: MatrixExpr, sizes: Mapping[Any, int]) -> _Line:
    fields: dict[Any, Field] = {}
    plain = _without_products(expr, fields)
    return _Line(target, compiled(plain, sizes), fields)


def _without_products(expr: Any, fields: dict[Any, Field]) -> Any:
    """The expression with every product of a parameter's matrix and a column replaced by a leaf of its own."""
    if isinstance(expr, LEAVES):
        return expr
    if isinstance(expr, MIXED):
        raise UnsuitedError(f"{type(expr).__name__} mixes the sites")
    if not isinstance(expr, MatMul) or len(operands(expr)) == 1:
        return with_operands(expr, [_without_products(part, fields) for part in operands(expr)])
    c, parts = split_coefficient(expr)[0], operands(expr)
    matrix: Any = parts[0].arg if isinstance(parts[0], Transpose) else parts[0]
    if isinstance(matrix, Tangent) and isinstance(matrix.of, MatrixSymbol):
        return zeros_like(expr)
    suited = isinstance(matrix, MatrixSymbol) and isinstance(parts[-1], Timed | Tangent)
    if len(parts) != 2 or not suited:
        raise UnsuitedError(f"{expr} is no product of a parameter's matrix and a quantity")
    of, product = parts[1], cast("Any", expr)
    name = str(cast("Any", matrix).name)
    place = Timed(f"{name} {of}", 0, product.shape[0], 1)
    fields[place] = Field(name, of)
    return scale(c, place)


def gru(
    gains: tuple[float, float, float],
    drives: tuple[float, float, float],
    biases: tuple[float, float, float] = (0, 0, 0),
) -> Prediction:
    """The prediction for a GRU from the moments of its gates.

    Law: with z, r, g at Gaussian pre-activations of variances g_z² q + d_z, g_r² q + d_r, g_g² E r² q + d_g,
    q = E(1−z)² q + E z² E g² and
    χ = E(1−z)² + g_g² E z² E(1−g²)² (E r² + g_r² q E r²(1−r)²) + g_z² (E g² + q) E z²(1−z)².

    Args:
        gains: of W_z, W_r and W_g: the standard deviation of an entry times √n.
        drives: the variance of what inputs add to each pre-activation.
        biases: of z and r; the candidate's must be zero, as its mean is.

    Raises:
        UnsuitedError: the candidate has a bias.

    Source: the second moments of the Jacobian, after M. Chen, J. Pennington and S. S. Schoenholz, ICML 2018, and
    T. Can, K. Krishnamurthy and D. J. Schwab, MSML 2020, for weights drawn anew in every step.
    """
    if biases[2] != 0:
        raise UnsuitedError("a biased candidate has a mean, which this law leaves out")
    (gz, gr, gg), (dz, dr, dg), (bz, br, _) = gains, drives, biases

    def moments(q: float) -> tuple[float, ...]:
        z = sigmoid(math.sqrt(gz**2 * q + dz) * GRID + bz)
        r = sigmoid(math.sqrt(gr**2 * q + dr) * GRID + br)
        g: Array = np.tanh(math.sqrt(gg**2 * mean(r**2) * q + dg) * GRID)
        every = (1 - z, z, z * (1 - z), r, r * (1 - r), g, 1 - g**2)
        return tuple(mean(v**2) for v in every)

    q = 0.1
    for _ in range(10_000):
        keep, z2, _, _, _, g2, _ = moments(q)
        before, q = q, keep * q + z2 * g2
        if abs(q - before) <= 1e-14 * max(q, 1e-300):
            break
    keep, z2, z_slope, r2, r_slope, g2, g_slope = moments(q)
    chi = keep + gg**2 * z2 * g_slope * (r2 + gr**2 * q * r_slope) + gz**2 * (g2 + q) * z_slope
    return Prediction(q, chi)
