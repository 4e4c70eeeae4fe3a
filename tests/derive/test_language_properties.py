"""Random texts: nothing but the language's own errors; valid ones mean what NumPy computes from the same tree."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sympy.matrices.expressions import MatrixSymbol

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.cell import Cell
from derive.errors import ArgumentError, CellError, LanguageError, ShapeError, ThroughtimeError
from derive.language import cell_from_sympy, read_cell

SIZES = {"n": 3, "m": 2, "k": 4}
ENTRYWISE = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
    "sin": np.sin,
    "cos": np.cos,
    "softplus": lambda a: np.log1p(np.exp(a)),
    "abs": np.abs,
}


# ── what an expression is worth ──


def worth(expr, values):
    """An expression's value, from its nodes' definitions."""
    if isinstance(expr, ex.Timed):
        return values[expr.name, expr.lag]
    if isinstance(expr, MatrixSymbol):
        return values[expr.name, None]
    return _WORTH[type(expr)](expr, *(worth(part, values) for part in ex.operands(expr)))


def product(expr, *parts):
    factor = ex.split_coefficient(expr)[0]
    number = float(factor.subs({size: SIZES[size.name] for size in factor.free_symbols}))
    return number * functools.reduce(np.matmul, parts)


_WORTH = {
    ex.OneMatrix: lambda e: np.ones(numbers(e.shape)),
    ex.ZeroMatrix: lambda e: np.zeros(numbers(e.shape)),
    ex.MatAdd: lambda e, *parts: sum(parts),
    ex.MatMul: product,
    ex.HadamardProduct: lambda e, *parts: functools.reduce(np.multiply, parts),
    ex.HadamardPower: lambda e, a: a ** float(e.args[1]),
    ex.Transpose: lambda e, a: a.T,
    ex.Elementwise: lambda e, a: ENTRYWISE[e.function](a),
    ex.Softmax: lambda e, a: np.exp(a) / np.exp(a).sum(),
    ex.LogSumExp: lambda e, a: np.log(np.exp(a).sum()).reshape(1, 1),
    ex.Concat: lambda e, *parts: np.concatenate(parts),
    ex.Broadcast: lambda e, a: np.full(numbers(e.shape), a.item()),
    ex.Total: lambda e, a: a.sum().reshape(1, 1),
}


def numbers(shape):
    return tuple(int(size.subs({s: SIZES[s.name] for s in size.free_symbols})) for size in shape)


# ── valid expressions: text and value side by side ──


def leaf(shape):
    """Names of one shape, as the text writes them."""
    rows, cols = shape
    tag = f"{rows}{cols}".replace("1", "o")
    return st.sampled_from(
        [f"P_{tag}", f"s_{tag}[t-1]", f"s_{tag}[t-3]", f"x_{tag}[t]", f"x_{tag}[t-2]"]
    )


def value_of(name, values):
    base, _, index = name.partition("[")
    lag = None if not index else int(index.strip("t-]") or 0)
    return values[base, lag]


@st.composite
def expressions(draw, shape, depth):
    """(text, value) of an expression of the shape; value takes the leaves' values."""
    if depth == 0:
        name = draw(leaf(shape))
        return name, lambda v: value_of(name, v)
    kinds = ["leaf", "sum", "difference", "product", "quotient", "function", "negative", "power", "number", "shift",
             "matmul", "transpose", "scalar"]  # fmt: skip
    kinds += ["total", "mean"] * (shape == ("1", "1")) + ["softmax"] * (shape[1] == "1")
    return draw(_BUILDERS[draw(st.sampled_from(kinds))](shape, depth - 1))


def binary(sign, compute):
    @st.composite
    def build(draw, shape, depth):
        (a, f), (b, g) = draw(expressions(shape, depth)), draw(expressions(shape, depth))
        return f"({a} {sign} {b})", lambda v: compute(f(v), g(v))

    return build


def unary(pattern, compute):
    @st.composite
    def build(draw, shape, depth):
        a, f = draw(expressions(shape, depth))
        return pattern.format(a), lambda v: compute(f(v))

    return build


@st.composite
def function(draw, shape, depth):
    name = draw(st.sampled_from(sorted(ENTRYWISE)))
    a, f = draw(expressions(shape, depth))
    return f"{name}({a})", lambda v: ENTRYWISE[name](f(v))


@st.composite
def number(draw, shape, depth):
    value, (a, f) = (
        draw(st.sampled_from(["0.5", "3", "-2", "1e-1", ".25"])),
        draw(expressions(shape, depth)),
    )
    sign = draw(st.sampled_from("*+-/"))
    compute = {"*": np.multiply, "+": np.add, "-": np.subtract, "/": np.divide}[sign]
    if draw(st.booleans()) and sign != "/":
        return f"({value} {sign} {a})", lambda v: compute(float(value), f(v))
    return f"({a} {sign} {value})", lambda v: compute(f(v), float(value))


@st.composite
def matmul(draw, shape, depth):
    inner = draw(st.sampled_from(["n", "m", "k", "1"]))
    (a, f), (b, g) = (
        draw(expressions((shape[0], inner), depth)),
        draw(expressions((inner, shape[1]), depth)),
    )
    return f"({a} @ {b})", lambda v: f(v) @ g(v)


@st.composite
def transpose(draw, shape, depth):
    a, f = draw(expressions(shape[::-1], depth))
    return f"({a}).T", lambda v: f(v).T


@st.composite
def scalar(draw, shape, depth):
    """A scalar that meets the shape."""
    (a, f), (b, g) = draw(expressions(("1", "1"), depth)), draw(expressions(shape, depth))
    return f"({a} * {b})", lambda v: f(v) * g(v)


def reduction(name, compute):
    @st.composite
    def build(draw, shape, depth):
        inner = (draw(st.sampled_from("nmk1")), draw(st.sampled_from("nmk1")))
        a, f = draw(expressions(inner, depth))
        return f"{name}({a})", lambda v: compute(f(v)).reshape(1, 1)

    return build


def guarded(a):
    return 1 / (2 + np.cos(a))


_BUILDERS = {
    "leaf": lambda shape, depth: expressions(shape, 0),
    "sum": binary("+", np.add),
    "difference": binary("-", np.subtract),
    "product": binary("*", np.multiply),
    "quotient": unary("(1 / (2 + cos({})))", guarded),
    "function": function,
    "negative": unary("(-{})", np.negative),
    "power": unary("({})**2", np.square),
    "number": number,
    "shift": unary("(1 - {})", lambda a: 1 - a),
    "matmul": matmul,
    "transpose": transpose,
    "scalar": scalar,
    "total": reduction("sum", np.sum),
    "mean": reduction("mean", np.mean),
    "softmax": unary("softmax(tanh({}))", lambda a: np.exp(np.tanh(a)) / np.exp(np.tanh(a)).sum()),
}

shapes = st.tuples(st.sampled_from("nmk1"), st.sampled_from("nmk1"))


def whole_cell(text, shape):
    """The expression as the equation of y, with every state defined and every used name declared."""
    lines = []
    for rows in "nmk1":
        for cols in "nmk1":
            tag = f"{rows}{cols}".replace("1", "o")
            lines += [
                f"dim {name}_{tag} = {rows}, {cols}" for name in "Psx" if f"{name}_{tag}" in text
            ]
            if f"s_{tag}" in text:
                lines.append(f"s_{tag}[t] = 2 * s_{tag}[t-1]")
    lines += [f"dim y = {', '.join(shape)}", f"y[t] = {text}", "dim h = 1", "h[t] = h[t-1] / 2"]
    return "\n".join(lines)


def leaf_values(seed):
    draw = np.random.default_rng(seed)
    found = {}
    for rows in "nmk1":
        for cols in "nmk1":
            tag, size = f"{rows}{cols}".replace("1", "o"), (SIZES.get(rows, 1), SIZES.get(cols, 1))
            for name, lags in (("P", [None]), ("s", [1, 3]), ("x", [0, 2])):
                found.update({(f"{name}_{tag}", lag): draw.normal(size=size) for lag in lags})
    return found


@given(st.data(), shapes, st.integers(0, 2**32 - 1))
def test_a_valid_text_means_what_numpy_computes(data, shape, seed):
    text, compute = data.draw(expressions(shape, data.draw(st.integers(0, 4))))
    cell = read_cell(whole_cell(text, shape))
    expr = next(eq.expr for eq in cell.equations if eq.target.name == "y")
    values = leaf_values(seed)
    expected = np.broadcast_to(compute(values), [SIZES.get(size, 1) for size in shape])
    found = worth(expr, values)
    assert found.shape == expected.shape == numbers(cell.quantity("y").shape)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@given(st.data(), shapes)
def test_a_valid_cell_survives_the_way_through_sympy(data, shape):
    text, _ = data.draw(expressions(shape, data.draw(st.integers(0, 3))))
    cell = read_cell(whole_cell(text, shape))
    again = cell_from_sympy("again", [(eq.target, eq.expr) for eq in cell.equations])
    values = leaf_values(1)
    for one, two in zip(cell.equations, again.equations, strict=True):
        values.setdefault(("h", 1), np.ones((1, 1)))
        np.testing.assert_allclose(
            worth(one.expr, values), worth(two.expr, values), rtol=1e-9, atol=1e-9
        )
    assert set(again.quantities) == set(cell.quantities)


@given(st.data(), shapes)
def test_dropping_declarations_never_gives_wrong_shapes(data, shape):
    """Without its declarations a valid cell is read with shapes that hold for the declared sizes too, or refused."""
    text, _ = data.draw(expressions(shape, data.draw(st.integers(0, 3))))
    lines = [line for line in whole_cell(text, shape).splitlines() if not line.startswith("dim")]
    try:
        cell = read_cell("\n".join(lines))
    except ShapeError:
        return
    for equation in cell.equations:
        assert equation.target.shape == equation.expr.shape


# ── invalid texts ──


def only_its_own_errors(text):
    """Reading gives a cell, or an error of the language with a remedy; anything else fails the test."""
    try:
        outcome = read_cell(text)
    except (LanguageError, ShapeError) as error:
        outcome = error
    assert outcome.remedy if isinstance(outcome, CellError) else outcome.states
    assert str(outcome)


WORDS = """
    h[t] h[t-1] x[t] W U b t T = == + - * / @ ** .T . , ( ) [ ] tanh( concat( sum( mean( softmax( g( 1 0.5 2 -1
    [t-d] [t+1] const dim option init alpha | # ; : if lambda α ° 1e9 __class__ \\ ' " { } %
"""
words = st.sampled_from([*WORDS.split(), "\n"])


@given(st.lists(words, max_size=40).map(" ".join))
@example("h[t]=")
@example("=")
@example("dim")
@example("option g =")
@example("h[t] = x[t] .")
def test_random_words_raise_only_the_language_s_errors(text):
    only_its_own_errors(text)
    only_its_own_errors("h[t] = " + text)
    only_its_own_errors("h[t] = W @ h[t-1] + " + text)


@given(st.text(max_size=200))
def test_random_characters_raise_only_the_language_s_errors(text):
    only_its_own_errors(text)
    only_its_own_errors("h[t] = W @ h[t-1] + " + text)


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
@given(data=st.data())
def test_damaged_shipped_cells_raise_only_the_language_s_errors(entry, data):
    text = entry.text
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.integers(0, 6)))
        patch = data.draw(
            st.one_of(words, st.text(max_size=3), st.sampled_from(text.split() or ["h"]))
        )
        text = text[:start] + patch + text[stop:]
    only_its_own_errors(text)


@given(st.one_of(st.text(max_size=60), st.sampled_from([f"{e.name}:g=relu" for e in shipped()])))
def test_random_specs_raise_only_errors_of_their_own(spec):
    try:
        outcome = load(spec)
    except ThroughtimeError as error:
        outcome = error
    assert isinstance(outcome, Cell | CellError | ArgumentError)
