"""Text: what is printed is what was computed, and a cell's own equations are read back as they were."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, note
from sympy import Integer, Rational, Symbol
from sympy.matrices.expressions import OneMatrix

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.derivation import derive
from derive.diagonals import scaled_product
from derive.language import read_cell
from derive.notation import Notation
from derive.text import TextPrinter
from tests.derived import Pass, primal
from tests.oracle import ENTRYWISE, Sample, distance, sample, unrolled
from tests.strategies import samples

n, m, k = (Symbol(name, positive=True, integer=True) for name in "nmk")
a, b = ex.Timed("a", 0, n, 1), ex.Timed("b", 1, n, 1)
x = ex.Timed("x", 0, m, 1)
W, M = ex.parameter("W", n, m), ex.parameter("M", n, k)
text = TextPrinter(Notation({}))


def on_matrices(function):
    """The function, with numbers taken as 1 × 1 matrices."""
    return lambda *args: function(*(np.reshape(v, (1, 1)) if np.ndim(v) == 0 else v for v in args))


PLAIN = {
    **ENTRYWISE,
    "sum": on_matrices(lambda v: np.sum(v, axis=(-2, -1), keepdims=True)),
    "mean": on_matrices(lambda v: np.mean(v, axis=(-2, -1), keepdims=True)),
    "softmax": on_matrices(lambda v: np.exp(v) / np.exp(v).sum(axis=-2, keepdims=True)),
    "logsumexp": on_matrices(lambda v: np.log(np.exp(v).sum(axis=-2, keepdims=True))),
    "concat": on_matrices(lambda *parts: np.concatenate(parts, axis=-2)),
    "diag": lambda v: v * np.eye(len(v)),
    "ones": lambda rows, cols=1: np.ones((rows, cols)),
    "repeat": lambda column: column,  # NumPy repeats it where it meets a matrix
}


class Series:
    """A quantity's values over time for the first sample: ``h[t-1]``."""

    def __init__(self, values: dict[int, np.ndarray]) -> None:
        self.values = values

    def __getitem__(self, t: int) -> np.ndarray:
        return self.values[t]


def names_of(d, s: Sample, run: Pass) -> dict:
    """Every name that a text may mention, with the values that the equations gave it."""
    series: dict[str, dict[int, np.ndarray]] = {}

    def put(leaf, t, value):
        value = np.broadcast_to(value, (s.B, *value.shape[-2:]))[0]
        series.setdefault(d.notation.identifier(leaf), {})[t] = value

    for (name, t), value in run.values.items():
        put(ex.Timed(name, 0, *value.shape[-2:]), t, value)
    for (name, t), value in run.bars.items():
        put(ex.Adjoint(ex.Timed(name, 0, 1, 1)), t, value)
    for name in s.outputs_bar:
        for t in range(1, s.T + 1):
            leaf = ex.LossGradient(ex.Timed(name, 0, 1, 1))
            put(leaf, t, run.at(ex.LossGradient(d.cell.quantity(name).symbol), t))
    sizes = {str(size): number for size, number in s.sizes.items()}
    found = {k: Series(v) for k, v in series.items()} | dict(without_index(d, series, s.T))
    return {**PLAIN, **sizes, **s.fixed, **s.consts, **found}


def without_index(d, series: dict, T: int):
    """What no step changes, and the sums of the gradients by its values."""
    for name in d.still:
        leaf = ex.Timed(name, 0, 1, 1)
        yield d.notation.identifier(leaf), series[d.notation.identifier(leaf)][1]
        bars = series.get(d.notation.identifier(ex.Adjoint(leaf)))
        if bars is not None:
            yield d.notation.identifier(ex.Adjoint(leaf)), sum(bars[t] for t in range(1, T + 1))


READ = ("equation", "abbreviation", "adjoint", "input", "still", "parameter")
"""The sections whose lines are read."""


def said(text: str, names: dict, T: int) -> np.ndarray:
    """The value of a line's right side at step 2, or of the sums that stand there."""
    shown = re.sub(r"sum over t of (.*)$", r"over_time(lambda t: \1)", text.partition(" = ")[2])
    total = {"over_time": lambda addend: sum(addend(t) for t in range(1, T + 1))}
    return eval(shown, {"__builtins__": {}, **names, **total, "t": 2})  # noqa: S307 - our own text


def meant(step, run: Pass, T: int) -> np.ndarray:
    """What the line says, from its right-hand side."""
    times = range(1, T + 1) if step.section in ("still", "parameter") else [2]
    return sum(run.at(step.rhs, t)[0] for t in times)


def mean_what_they_say(s: Sample) -> None:
    """Demand that the text of every equation, evaluated by Python, is its right-hand side's value."""
    d = derive(s.cell)
    run = Pass(d, s, primal(d, s, unrolled(s)))
    names = names_of(d, s, run)
    for step in (step for step in d.steps if step.section in READ):
        expected = meant(step, run, s.T)
        value = said(step.text, names, s.T)
        assert distance(value + 0 * expected, expected) < 1e-10, step.text


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_the_text_of_a_shipped_cell_s_derivation_is_what_was_computed(entry):
    s = sample(load(entry.name), T=6, seed=4)
    mean_what_they_say(s)


def cell_sample(equations: str) -> Sample:
    return sample(read_cell(equations, "found"), T=6)


@given(samples(T=6))
@example(cell_sample("dim c = 1\nh[t] = tanh(W @ h[t-1])\nc[t] = sum(V @ h[t])\n"))
@example(
    cell_sample("dim y = 1\ndim z = n, m\nh[t] = tanh(x[t] + h[t-1])\ny[t] = tanh(mean(z[t]))\n")
)
@example(cell_sample("h[t] = tanh((tanh(x[t])**2) + mean(W @ h[t-1]) * h[t-1])\n"))
def test_the_text_of_a_random_derivation_is_what_was_computed(s):
    note(s.cell.text)
    mean_what_they_say(s)


@given(samples())
def test_no_name_stands_for_two_things(s):
    note(s.cell.text)
    d = derive(s.cell)
    seen: dict[str, object] = {}
    for step in d.steps:
        for side in (step.lhs, step.rhs):
            for leaf in ex.leaves(side) if side is not None else ():
                if hasattr(leaf, "name") and not isinstance(leaf, ex.Block):
                    key = (type(leaf), leaf.name)
                    assert seen.setdefault(d.notation.identifier(leaf), key) == key


# ── one node each ──

READS = {
    "W @ x[t] + b[t-1]": ex.add(ex.matmul(W, x), b),
    "a[t] - 2 * b[t-1]": ex.add(a, ex.scale(Integer(-2), b)),
    "-a[t] * b[t-1]": ex.negate(ex.hadamard(a, b)),
    "(W @ x[t]) * a[t]": ex.hadamard(ex.matmul(W, x), a),
    "W.T @ (a[t] * b[t-1])": ex.matmul(ex.transpose(W), ex.hadamard(a, b)),
    "(a[t] + b[t-1]) * a[t]": ex.hadamard(ex.add(a, b), a),
    "a[t] / (1 + b[t-1])": ex.hadamard(a, ex.power(ex.add(ex.ones_like(b), b), -1)),
    "(1/2) * a[t]": ex.scale(Rational(1, 2), a),
    "0.15 * a[t] - 1e-6": ex.add(
        ex.scale(Rational(3, 20), a), ex.scale(Rational(-1, 10**6), ex.ones(n, 1))
    ),
    "2.5e-4 * W @ x[t]": ex.scale(Rational(1, 4000), ex.matmul(W, x)),
    "(1/15) * a[t]": ex.scale(Rational(1, 15), a),
    "(a[t]**2).T": ex.transpose(ex.power(a, 2)),
    "(a[t] + b[t-1])**3": ex.power(ex.add(a, b), 3),
    "M + repeat(W @ x[t])": ex.add(M, ex.matmul(W, x, OneMatrix(1, k))),
    "M @ ones(k) + a[t]": ex.add(ex.matmul(M, OneMatrix(k, 1)), a),
    "mean(a[t])": ex.scale(1 / n, ex.total(a)),
    "(1/(m*n)) * (a[t] + b[t-1])": ex.scale(1 / (n * m), ex.add(a, b)),
    "3 * mean(W)": ex.scale(3 / (n * m), ex.total(W)),
    "sum(a[t]) * mean(x[t])": ex.scale(1 / m, ex.hadamard(ex.total(a), ex.total(x))),
    "W @ ones(n)": ex.matmul(W, ex.ones(n, 1)),
    "tanh(softmax(a[t]))": ex.Elementwise(ex.Softmax(a), "tanh"),
    "concat(a[t], x[t])": ex.Concat(a, x),
    "diag(a[t]) @ W": scaled_product([a, W], [True, False]),
    "-diag(a[t]) @ W": scaled_product([ex.negate(a), W], [True, False]),
    "2 * diag(a[t]) @ W": ex.scale(Integer(2), scaled_product([a, W], [True, False])),
    "W @ diag(x[t])": scaled_product([W, x], [False, True]),
    "diag(a[t] * b[t-1]) @ W @ diag(x[t])": scaled_product([a, b, W, x], [True, True, False, True]),
    "(W @ diag(x[t])) @ W.T": ex.matmul(scaled_product([W, x], [False, True]), ex.transpose(W)),
    "W.T @ (diag(a[t]) @ W)": scaled_product([ex.transpose(W), a, W], [False, True, False]),
    "(diag(a[t]) @ W) @ x[t]": ex.matmul(scaled_product([a, W], [True, False]), x),
    "a[t] * (W @ x[t])": scaled_product([a, W, x], [True, False, False]),
    "diag(a[t]) @ (W * W)": scaled_product([a, ex.hadamard(W, W)], [True, False]),
}


@pytest.mark.parametrize(("shown", "expr"), READS.items(), ids=READS)
def test_an_expression_reads_as_an_author_writes_it(shown, expr):
    assert text(expr) == shown


def test_a_step_that_is_known_is_written_as_its_number():
    at_zero = TextPrinter(Notation({}), now=0)
    assert at_zero(ex.add(a.at(-1), b)) == "a[1] + b[-1]"


def test_lags_into_the_future_are_written_with_plus():
    assert text(ex.Adjoint(a.at(-3))) == "a_bar[t+3]"


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_the_equations_on_the_page_are_read_back_as_they_were(entry):
    cell = load(entry.name)
    heads = [line for line in entry.text.splitlines() if re.match(r"(const|dim|input)\b", line)]
    lines = [s.text for s in derive(cell).section("equation")]
    again = read_cell("\n".join([*heads, *lines]), entry.name, {})
    assert [(e.target, e.expr) for e in again.equations] == [
        (e.target, e.expr) for e in cell.equations
    ]


def test_a_number_stays_before_what_is_transposed():
    """Of beta Xᵀ the transpose is beta X, and that of beta (δ rᵀ) is beta (r δᵀ): no bracket is transposed."""
    text = derive(
        read_cell("const beta = 2\nh[t] = X @ softmax(beta * X.T @ h[t-1] + U @ x[t])", "my")
    ).text()
    assert "(beta * X) @ delta_h[t+1]" in text
    assert "(h[t-1] @ delta_h[t].T) * beta" in text
    assert ").T *" not in text
    assert "X.T)" not in text.partition("Adjoints")[2].partition("The Jacobian")[0]


def test_a_size_with_a_subscript_that_divides_has_no_brackets():
    text = derive(
        read_cell("dim v = d_v\nv[t] = V @ h[t-1]\nh[t] = W @ (v[t] / (1 + mean(v[t]**2)))", "my")
    ).text()
    assert "2/d_v" in text
    assert "(d_v)" not in text.partition("Adjoints")[2]
