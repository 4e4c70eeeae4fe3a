"""The adjoint rules against the tangent rules, ⟨ȳ, ẏ⟩ = Σ ⟨ā, ȧ⟩, on random matrices; and what guards the table."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, note
from sympy import Integer, Rational, Symbol
from sympy.matrices.expressions import HadamardProduct, MatrixSymbol, Transpose

from derive import adjoints, tangents
from derive import expressions as ex
from derive.adjoints import RULES, pull_back
from derive.nodes import PRIMAL_NODES
from derive.normal import normal_form
from derive.tangents import every_direction, push_forward
from tests.oracle import H, shape_of, sizes_of, worth
from tests.strategies import cells

n, m, k = (Symbol(name, positive=True, integer=True) for name in "nmk")
SIZES = {n: 3, m: 2, k: 4}

a, b = ex.Timed("a", 0, n, 1), ex.Timed("b", 2, n, 1)
x, s = ex.Timed("x", 0, m, 1), ex.Timed("s", 1, 1, 1)
S, R = ex.Timed("S", 1, n, m), ex.Timed("R", 0, 1, k)
W, V, Q = ex.parameter("W", n, m), ex.parameter("V", m, k), ex.parameter("Q", n, n)

SPECIMENS = {
    "sum": ex.add(a, b, ex.negate(a)),
    "sum of matrices": ex.add(W, S),
    "product of three matrices": ex.matmul(Integer(3) * W, V, ex.transpose(R)),
    "matrix by vector": ex.matmul(W, x),
    "the same matrix twice": ex.matmul(Q, Q, a),
    "a matrix and its transpose": ex.matmul(ex.transpose(Q), Q, a),
    "outer product": ex.matmul(a, ex.transpose(x)),
    "inner product": ex.matmul(ex.transpose(a), b),
    "quadratic form": ex.matmul(ex.transpose(a), Q, a),
    "row by matrix": ex.matmul(ex.transpose(a), W),
    "a fraction of a product": ex.scale(Rational(2, 3), ex.matmul(W, x)),
    "elementwise product": ex.hadamard(a, b, a),
    "elementwise product of matrices": ex.hadamard(W, S),
    "square": ex.power(a, 2),
    "cube of a matrix": ex.power(W, 3),
    "reciprocal": ex.power(a, -1),
    "inverse square": ex.power(S, -2),
    "transpose": ex.transpose(W),
    "transpose of a column": ex.transpose(a),
    "softmax": ex.Softmax(a),
    "log-sum-exp": ex.LogSumExp(a),
    "stack": ex.Concat(a, x, b),
    "stack of matrices": ex.Concat(W, S),
    "scalar in a column": ex.broadcast(s, n, 1),
    "scalar in a matrix": ex.broadcast(s, n, m),
    "scalar by matrix": ex.hadamard(ex.broadcast(s, n, m), W),
    "total of a column": ex.total(a),
    "total of a matrix": ex.total(S),
    "mean": ex.scale(1 / n, ex.total(a)),
    "mean of a matrix spread out again": ex.broadcast(ex.scale(1 / (n * m), ex.total(S)), k, 1),
    **{f"function {name}": ex.Elementwise(a, name) for name in adjoints.FUNCTIONS},
}  # fmt: skip

every_specimen = pytest.mark.parametrize("expr", SPECIMENS.values(), ids=SPECIMENS.keys())


class Numbers:
    """Random values for all leaves: positive for the quantities themselves, any for their directions."""

    def __init__(self, sizes, seed: int = 0) -> None:
        self.sizes, self.rng, self.known = sizes, np.random.default_rng(seed), {}

    def __call__(self, leaf) -> np.ndarray:
        if leaf not in self.known:
            shape = shape_of(leaf, self.sizes)
            primal = isinstance(leaf, ex.Timed | MatrixSymbol)
            drawn = self.rng.uniform(0.3, 1.7, shape) if primal else self.rng.normal(size=shape)
            self.known[leaf] = drawn
        return self.known[leaf]


def value_leaf(expr):
    return ex.Timed("y", 0, *expr.shape)


def inner(p, q) -> float:
    assert p.shape == q.shape
    return float(np.sum(p * q))


def both_sides(expr, sizes, seed: int = 0, y=None, bars=None) -> tuple[float, float]:
    """⟨ȳ, ẏ⟩ by the tangent rules and Σ ⟨v̄, v̇⟩ by the adjoint rules."""
    y = value_leaf(expr) if y is None else y
    numbers = Numbers(sizes, seed)
    numbers.known[y] = worth(expr, numbers, sizes)
    y_bar, y_dot = ex.Adjoint(y), push_forward(expr, y, every_direction)
    forward = inner(worth(y_bar, numbers, sizes), worth(y_dot, numbers, sizes))
    backward = sum(
        inner(worth(c.value, numbers, sizes), worth(every_direction(c.leaf), numbers, sizes))
        for c in pull_back(expr, y, y_bar)
    )
    return forward, backward


def test_the_specimens_reach_every_rule():
    reached = {type(node) for expr in SPECIMENS.values() for node in ex.walk(expr)}
    assert reached >= PRIMAL_NODES


@every_specimen
@pytest.mark.parametrize("sizes", [SIZES, {n: 2, m: 5, k: 3}], ids=["n>m", "n<m"])
def test_an_adjoint_rule_is_the_transpose_of_the_tangent_rule(expr, sizes):
    forward, backward = both_sides(expr, sizes)
    assert backward == pytest.approx(forward, rel=1e-12, abs=1e-13)


@every_specimen
def test_the_tangent_rule_is_the_complex_step(expr):
    """So that both tables cannot be wrong in the same way."""
    y, numbers = value_leaf(expr), Numbers(SIZES)
    numbers.known[y] = worth(expr, numbers, SIZES)
    found = worth(push_forward(expr, y, every_direction), numbers, SIZES)
    moved = worth(
        expr,
        lambda v: numbers(v) + 1j * H * worth(every_direction(v), numbers, SIZES),
        SIZES,
    )  # fmt: skip
    np.testing.assert_allclose(found, np.imag(moved) / H, rtol=1e-12, atol=1e-13)


@every_specimen
def test_every_occurrence_of_a_leaf_receives_a_contribution_of_its_shape(expr):
    y = value_leaf(expr)
    contributions = list(pull_back(expr, y, ex.Adjoint(y)))
    assert [c.leaf for c in contributions] == list(ex.leaves(expr))
    assert [c.value.shape for c in contributions] == [c.leaf.shape for c in contributions]
    assert all(c.rules for c in contributions)


@given(cells())
def test_the_rules_agree_on_every_line_of_a_random_cell(cell):
    note(cell.text)
    sizes = sizes_of(cell)
    for line in normal_form(cell):
        forward, backward = both_sides(line.expr, sizes, y=line.target)
        assert backward == pytest.approx(forward, rel=1e-9, abs=1e-9)


def test_adjoint_of_matmul_transposes_the_left_factor():
    y = ex.Timed("y", 0, n, 1)
    by_leaf = {c.leaf: c.value for c in pull_back(ex.matmul(W, x), y, ex.Adjoint(y))}
    assert by_leaf[x] == ex.matmul(ex.transpose(W), ex.Adjoint(y))
    assert by_leaf[W] == ex.matmul(ex.Adjoint(y), ex.transpose(x))


def test_adjoint_of_a_function_uses_the_stored_value():
    y = ex.Timed("y", 0, n, 1)
    (c,) = pull_back(ex.Elementwise(a, "tanh"), y, ex.Adjoint(y))
    assert set(ex.leaves(c.value)) == {ex.Adjoint(y), y, ex.ones_like(a)}
    assert c.rules == ("tanh′ = 1 − tanh²",)


# ── what guards the table ──


@pytest.mark.parametrize(
    "broken",
    [
        lambda node, y, y_bar: (y_bar,),
        lambda node, y, y_bar: (),
        lambda node, y, y_bar: (ex.transpose(y_bar), ex.transpose(y_bar)),
    ],
    ids=["wrong shape", "too few", "too many"],
)
def test_a_rule_that_breaks_its_contract_is_refused(monkeypatch, broken):
    monkeypatch.setitem(RULES, Transpose, replace(RULES[Transpose], pull=broken))
    y = ex.Timed("y", 0, m, n)
    with pytest.raises(RuntimeError, match="rule of transpose breaks its contract"):
        list(pull_back(ex.transpose(W), y, ex.Adjoint(y)))


def test_a_rule_of_the_right_shape_and_the_wrong_value_is_seen_by_the_tangents(monkeypatch):
    """The shapes cannot tell; that is what the first test of this file is for."""
    monkeypatch.setitem(
        RULES,
        HadamardProduct,
        replace(RULES[HadamardProduct], pull=lambda node, y, y_bar: (y_bar,) * len(ex.operands(node))),
    )  # fmt: skip
    forward, backward = both_sides(SPECIMENS["elementwise product"], SIZES)
    assert backward != pytest.approx(forward, rel=1e-3)


def without_an_entry(module, table: str, key: str) -> str:
    """The module's source with one entry of its table left out."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == table:
            keys = [ast.unparse(k) for k in node.value.keys]
            at = keys.index(key)
            del node.value.keys[at], node.value.values[at]
    return ast.unparse(tree)


@pytest.mark.parametrize(("module", "table"), [(adjoints, "RULES"), (tangents, "TANGENTS")])
@pytest.mark.parametrize("key", ["MatMul", "Concat", "Total"])
def test_a_missing_rule_fails_at_import(module, table, key):
    source = without_an_entry(module, table, key)
    names = {"__name__": module.__name__}
    with pytest.raises(RuntimeError, match=f"missing or superfluous.*{key}"):
        exec(compile(source, "specimen", "exec"), names)  # noqa: S102 - our own source
