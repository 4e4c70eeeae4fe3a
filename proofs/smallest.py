"""The loss of the smallest run, unrolled entry by entry and differentiated by SymPy, against the adjoint equations.

The cell's own equations are evaluated over symbols, one per entry, without the normal form; SymPy's chain and
product rules differentiate the loss by every entry. Activations stay opaque, with the laws that ``proofs.laws``
proves, so that both sides are rational functions of symbols and generators: they are compared modulo a prime.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import numpy as np

from derive.cell import Cell
from derive.derivation import Derivation
from derive.functions import BY_SYMBOL, FUNCTIONS, x, y
from derive.nodes import Adjoint, LossGradient, Timed
from proofs.arithmetic import Array, ArrayArithmetic, logsumexp_by_exp, softmax_by_exp
from proofs.bound import degrees_at
from proofs.degrees import bound_for
from proofs.evaluation import Evaluator, at_sizes
from proofs.field import PrimeField, SingularPointError, regular
from proofs.point import Extent
from proofs.smallest_reading import Reader, Tree
from proofs.unrolled import ZERO_BEYOND, Place, Tape, given, run_backward, run_forward, trained
from proofs.untyped import MatrixSymbol, sympy

ALONE = 400
"""Of more entries those of one place are moved together."""
LARGEST, DEEPEST = 4000, 40
"""Nodes of a quantity's expression, and levels of them, beyond which it goes on under a new name."""


@dataclass(frozen=True, slots=True)
class SmallestVerdict:
    """What SymPy's derivative of the unrolled loss says.

    Args:
        extent: the sizes.
        compared: number of entries compared.
        wrong: the gradients that differ, as (name, step); no step for a parameter.
        reason: why the adjoint equations could not be run, empty if they could.
    """

    extent: Extent
    compared: int
    wrong: tuple[Place, ...]
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether every entry was compared and agrees."""
        return self.compared > 0 and not self.wrong and not self.reason


class Symbols(ArrayArithmetic):
    """Arrays of SymPy scalars; functions stay opaque, with the derivative their law states."""

    def number(self, c: Any) -> Array:
        """A rational number."""
        return np.array([[c]], dtype=object)

    def full(self, shape: tuple[int, int], c: int) -> Array:
        """0 or 1 in every entry."""
        return np.full(shape, sympy.Integer(c), dtype=object)

    def identity(self, n: int) -> Array:
        """The identity matrix."""
        return np.array(
            [[sympy.Integer(int(i == j)) for j in range(n)] for i in range(n)], dtype=object
        )

    def add(self, a: Array, b: Array) -> Array:
        """a + b"""
        return a + b

    def mul(self, a: Array, b: Array) -> Array:
        """a ∘ b"""
        return a * b

    def matmul(self, a: Array, b: Array) -> Array:
        """A B, every sum at once: SymPy would put each of its beginnings into order."""
        found = np.empty((a.shape[0], b.shape[1]), dtype=object)
        for i, j in np.ndindex(*found.shape):
            found[i, j] = sympy.Add(*(x * y for x, y in zip(a[i], b[:, j], strict=True)))
        return found

    def total(self, a: Array) -> Array:
        """The sum of all entries."""
        return np.array([[sympy.Add(*a.ravel())]], dtype=object)

    def power(self, a: Array, k: int) -> Array:
        """Every entry raised to an integer."""
        return a**k

    def function(self, name: str, a: Array) -> Array:
        """An opaque function."""
        return np.array([opaque(name)(v) for v in a.ravel()], dtype=object).reshape(a.shape)

    def softmax(self, a: Array) -> Array:
        """exp(a) / Σ exp(a)"""
        return softmax_by_exp(self, a, a.shape[-2:])

    def logsumexp(self, a: Array) -> Array:
        """log Σ exp(a) by the operations above."""
        return logsumexp_by_exp(self, a)


@cache
def opaque(name: str) -> Any:
    """A SymPy function of which nothing is known but its derivative law."""
    law = FUNCTIONS[name].law

    def fdiff(self: Any, argindex: int = 1) -> Any:
        return _opaque_law(law, {x: self.args[0], y: self})

    return type(f"{name}_", (sympy.Function,), {"fdiff": fdiff, "law_of": name})


def _opaque_law(law: Any, values: dict[Any, Any]) -> Any:
    """A law at an opaque function: the functions in it are opaque too."""
    if law in values or law.is_Number:
        return values.get(law, law)
    parts = [_opaque_law(part, values) for part in law.args]
    return opaque(BY_SYMBOL[law.func].name)(*parts) if law.func in BY_SYMBOL else law.func(*parts)


def prove_smallest(derivation: Derivation, *, seed: int = 0) -> SmallestVerdict:
    """∂L/∂(every entry) by SymPy against the adjoint equations, for the smallest sizes and B = 1.

    Args:
        derivation: whose adjoint equations are judged.
        seed: of the point at which both are compared.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    extent = smallest_extent(derivation.cell)
    bound = bound_for([degrees_at(derivation, extent)])
    if bound.undecided:
        return SmallestVerdict(extent, 0, (), *bound.undecided)
    try:
        return regular(
            lambda seed: _compare(derivation, extent, PrimeField(bound.prime, seed)), rng
        )
    except SingularPointError:
        return SmallestVerdict(extent, 0, (), "a denominator vanishes at every point tried")


def smallest_extent(cell: Cell) -> Extent:
    """Two hidden units, one of everything else, and a length that every lag spans."""
    depth = cell.depth
    hidden = next(
        (d for d in cell.dims if cell.states and d in cell.states[0].shape),
        cell.dims[0] if cell.dims else None,
    )
    sizes = {d: 2 if d == hidden else 1 for d in cell.dims}
    while any(at_sizes(side, sizes) < 1 for q in cell.quantities for side in q.shape):
        sizes = {d: size + 1 for d, size in sizes.items()}
    return Extent(sizes, max(2, depth + 1), 1)


def _compare(derivation: Derivation, extent: Extent, field: PrimeField) -> SmallestVerdict:
    loss = _Unrolled(derivation.cell, extent, field)
    true = loss.gradient()
    try:
        bars = _adjoints(derivation, extent, loss)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return SmallestVerdict(extent, 0, (), f"the adjoint equations cannot be run: {error}")
    wrong: list[Place] = []
    for place, entries in true.items():
        found = bars.get(place, field.full((1, 1), 0))
        if not np.all(np.equal(loss.seen(place, found), entries)):
            wrong.append(place)
    return SmallestVerdict(extent, sum(a.size for a in true.values()), tuple(wrong))


class _Unrolled:
    """The unrolled loss as a function of τ: every entry θ that a gradient is taken by stands as θ + τ d.

    The direction d is a symbol of its own, so that one derivative by τ, read along each d, is the whole
    gradient. An expression that has grown large goes on as a new symbol w + τ d, with the value and the slope
    that it has by then. Of very many entries those of one place move together, along one random direction.
    """

    def __init__(self, cell: Cell, extent: Extent, field: PrimeField) -> None:
        self.field, self.tau = field, sympy.Symbol("tau")
        self.evaluate = Evaluator(Symbols(), extent.sizes)
        self.tape: Tape[Array] = Tape(extent.steps, {}, _missing)
        self.given: dict[Place, Array] = {}
        self.weights: dict[Place, Array] = {}
        self.places = [place for _, place in trained(cell, extent.steps)]
        self.read = Reader(field, {self.tau: 0})
        self.tree = Tree()
        shapes = {place: self.evaluate.shape(leaf) for leaf, place in given(cell, extent.steps)}
        self.directions: dict[Place, Array] = {}
        self._lanes = iter(self._along(shapes))
        for place, shape in shapes.items():
            self._start(place, shape)
        run_forward(self.evaluate, cell.equations, self.tape, self._named_if_large)
        self.loss = sympy.Add(*self._terms(cell))

    def _along(self, shapes: dict[Place, tuple[int, int]]) -> Iterator[Array]:
        """What every entry does along every direction: each has its own, or all of a place have one."""
        counts = [shapes[p][0] * shapes[p][1] for p in self.places]
        if sum(counts) <= ALONE:
            yield from np.eye(sum(counts), dtype=int).astype(object)
            return
        each = np.eye(len(counts), dtype=int).astype(object)
        for lane, place in zip(each, self.places, strict=True):
            self.directions[place] = self.field.random(shapes[place])
            yield from (lane * d for d in self.directions[place].ravel())

    def seen(self, place: Place, found: Array) -> Array:
        """An adjoint as the gradient is given: its entries, or the one number that it is along a direction."""
        direction = self.directions.get(place)
        if direction is None:
            return np.broadcast_to(found, (1, *self.given[place].shape))[0]
        return np.array([[np.sum(found * direction) % self.field.prime]], dtype=object)

    def _start(self, place: Place, shape: tuple[int, int]) -> None:
        values = self.field.random(shape)
        self.given[place] = values
        slopes = [next(self._lanes) if place in self.places else 0 for _ in values.ravel()]
        self.tape.put(
            MatrixSymbol if place[1] is None else Timed, place, self._moving(place, values, slopes)
        )

    def _moving(self, place: Place, values: Array, slopes: list[Any]) -> Array:
        """w + τ d for every entry."""
        entries: list[Any] = []
        for k, (value, slope) in enumerate(zip(values.ravel(), slopes, strict=True)):
            w, d = (sympy.Symbol(f"{kind}_{place[0]}_{place[1]}_{k}") for kind in "wd")
            self.read.known[w], self.read.known[d] = value, slope
            entries.append(w + self.tau * d)
        return np.array(entries, dtype=object).reshape(values.shape)

    def _named_if_large(self, place: Place, value: Array) -> Array:
        entries = value.ravel().tolist()
        sizes, levels = zip(*map(self.tree, entries), strict=True)
        if sum(sizes) <= LARGEST and max(levels) <= DEEPEST:
            return value
        values = np.array([self.read(e) for e in entries], dtype=object).reshape(value.shape)
        return self._moving(place, values, [self.read(sympy.diff(e, self.tau)) for e in entries])

    def _terms(self, cell: Cell) -> Iterator[Any]:
        for q in cell.outputs:
            for t in range(1, self.tape.steps + 1):
                weight = self.weights[q.name, t] = self.field.random(self.evaluate.shape(q.symbol))
                entries = [sympy.Integer(g) for g in weight.ravel()]
                yield from (
                    g * v
                    for g, v in zip(entries, self.tape.get(Timed, (q.name, t)).ravel(), strict=True)
                )

    def gradient(self) -> dict[Place, Array]:
        """dL/dτ at τ = 0, differentiated by SymPy and read along every entry's direction."""
        slope = self.read(sympy.diff(self.loss, self.tau))
        along = self.directions
        shapes = {p: (1, 1) if p in along else self.given[p].shape for p in self.places}
        counts = [r * c for r, c in shapes.values()]
        parts = np.split(np.broadcast_to(slope, (sum(counts),)), np.cumsum(counts)[:-1])
        return {p: part.reshape(shapes[p]) for p, part in zip(self.places, parts, strict=True)}


def _missing(leaf: Any, t: int | None) -> Array:
    raise KeyError(f"{leaf} at step {t} is not given")


def _adjoints(derivation: Derivation, extent: Extent, loss: _Unrolled) -> dict[Place, Array]:
    """The adjoint equations at the point at which the loss is differentiated."""
    field = loss.field
    evaluate = Evaluator(field, extent.sizes)

    def absent(leaf: Any, t: int | None) -> Array:
        if t is None or (t <= extent.steps and not (t <= 0 and isinstance(leaf, ZERO_BEYOND))):
            return _missing(leaf, t)
        zero = isinstance(leaf, ZERO_BEYOND)
        return field.full(evaluate.shape(leaf), 0) if zero else field.random(evaluate.shape(leaf))

    tape: Tape[Array] = Tape(extent.steps, {}, absent)
    for place, values in loss.given.items():
        is_parameter = place[1] is None
        tape.put(
            MatrixSymbol if is_parameter else Timed, place, values if is_parameter else values[None]
        )
    for place, values in loss.weights.items():
        tape.put(LossGradient, place, values[None])
    run_forward(evaluate, derivation.assignments, tape)
    run_backward(evaluate, derivation.backward, derivation.cell, tape)
    return {(name, t): bar for (kind, name, t), bar in tape.values.items() if kind is Adjoint}
