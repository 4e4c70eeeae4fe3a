"""Cells built in Python from SymPy expressions: the same type, the same checks."""

from fractions import Fraction

import pytest
from sympy import Abs, Function, Lambda, Max, Rational, Symbol, exp, log, pi, sqrt, symbols, tanh
from sympy.matrices.expressions import (
    BlockMatrix,
    HadamardPower,
    Identity,
    MatrixSymbol,
    OneMatrix,
    ZeroMatrix,
    hadamard_product,
)

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.errors import ArgumentError, CellError, LanguageError, ShapeError
from derive.functions import sigmoid
from derive.language import cell_from_sympy, read_cell, timed

n, m, k = symbols("n m k", positive=True, integer=True)
h, c, z, S = timed("h", n), timed("c", n), timed("z", n), timed("S", n, k)
x, q = timed("x", m), timed("q", k)
W, U, b = MatrixSymbol("W", n, n), MatrixSymbol("U", n, m), MatrixSymbol("b", n, 1)


def elman(function=tanh):
    return cell_from_sympy("mine", {h[0]: (W * h[-1] + U * x[0] + b).applyfunc(function)})


def only(expr, **more):
    """The value of h in a cell of this one equation."""
    return cell_from_sympy("mine", {h[0]: expr}, **more).equations[0].expr


def unordered(expr):
    """The expression as nested tuples, in which the order of addends and entrywise factors does not count."""
    parts = [unordered(part) for part in ex.operands(expr)]
    if isinstance(expr, ex.MatAdd | ex.HadamardProduct):
        parts.sort(key=str)
    rest = [str(arg) for arg in expr.args if arg not in ex.operands(expr)]
    return (type(expr).__name__, *parts, *rest)


def same(expr, text, **more):
    """Whether the SymPy expression and the text give one expression, whose sums SymPy may have sorted."""
    return unordered(only(expr, **more)) == unordered(read_cell(text).equations[-1].expr)


def test_an_elman_cell_from_sympy_is_the_shipped_one():
    assert unordered(elman().equations[0].expr) == unordered(load("elman").equations[0].expr)
    assert set(elman().quantities) == set(load("elman").quantities)


def test_the_cell_carries_a_text_that_says_the_same():
    cell = elman()
    assert cell.text.splitlines()[-1] == "h[t] = tanh(U @ x[t] + W @ h[t-1] + b)"
    assert read_cell(cell.text, "mine").equations == cell.equations
    assert cell.equations[0].line == len(cell.text.splitlines())


@pytest.mark.parametrize("entry", shipped(), ids=lambda e: e.name)
def test_every_shipped_cell_survives_the_way_through_sympy(entry):
    cell = load(entry.name)
    again = cell_from_sympy(
        entry.name,
        [(eq.target, eq.expr) for eq in cell.equations],
        {q.name: q.value for q in cell.constants},
        title=cell.title,
        reference=cell.reference,
        initial=cell.initial,
    )
    assert [eq.expr for eq in again.equations] == [eq.expr for eq in cell.equations]
    assert set(again.quantities) == set(cell.quantities)
    assert (again.title, again.reference, again.initial) == (
        cell.title,
        cell.reference,
        cell.initial,
    )


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (tanh, "tanh"),
        (sigmoid, "sigmoid"),
        (exp, "exp"),
        (log, "log"),
        (sqrt, "sqrt"),
        (Abs, "abs"),
    ],
)
def test_applyfunc_becomes_the_function_of_the_language(function, name):
    assert same(
        (W * h[-1] + U * x[0] + b).applyfunc(function), f"h[t] = {name}(W @ h[t-1] + U @ x[t] + b)"
    )


def test_the_bodies_of_lambdas_are_read_entry_by_entry():
    y = Symbol("y")
    logistic = Lambda(y, 1 / (1 + exp(-y)))
    assert same((W * h[-1]).applyfunc(logistic), "h[t] = (1 + exp(-(W @ h[t-1])))**-1")
    assert same((W * h[-1]).applyfunc(Lambda(y, Max(0, y))), "h[t] = relu(W @ h[t-1])")
    assert same((W * h[-1]).applyfunc(Lambda(y, y**2 / 3)), "h[t] = 1/3 * (W @ h[t-1])**2")


def test_a_block_column_is_a_stack():
    V = MatrixSymbol("V", n, n + m)
    expr = only(V * BlockMatrix([[h[-1]], [x[0]]]))
    assert expr == read_cell("h[t] = V @ concat(h[t-1], x[t])").equations[0].expr


def test_sums_products_and_powers_keep_their_meaning():
    assert same(h[-1] - W * h[-1] + b, "h[t] = h[t-1] - W @ h[t-1] + b")
    assert same(sqrt(2) * h[-1], "h[t] = sqrt(2) * h[t-1]")
    assert same(-2 * (W.T * h[-1]) / 3 + b, "h[t] = -2/3 * (W.T @ h[t-1]) + b")
    assert same(hadamard_product(h[-1], b), "h[t] = b * h[t-1]")
    assert same(HadamardPower(h[-1], 3), "h[t] = h[t-1]**3")


def test_ones_stand_for_numbers_in_sums_and_entrywise_products():
    assert same(hadamard_product(OneMatrix(n, 1) - z[0], h[-1]), "h[t] = (1 - z[t]) * h[t-1]")
    assert same(W * h[-1] - 3 * OneMatrix(n, 1), "h[t] = W @ h[t-1] - 3")


def test_zeros_and_identities_drop_out():
    assert same(W * h[-1] + ZeroMatrix(n, 1), "h[t] = W @ h[t-1]")
    assert same(W * Identity(n) * h[-1], "h[t] = W @ h[t-1]")
    assert same((W - Identity(n)) * h[-1], "h[t] = W @ h[t-1] - h[t-1]")


def test_symbols_named_as_constants_are_scalars_that_are_not_trained():
    alpha = Symbol("alpha")
    cell = cell_from_sympy(
        "leaky", {h[0]: alpha * h[-1] + (1 - alpha) * (W * h[-1])}, {"alpha": 0.9}
    )
    assert cell.quantity("alpha").value == Fraction(9, 10)
    assert cell.quantity("alpha").role == "constant"
    factor = ex.Broadcast(cell.quantity("alpha").symbol, n, 1)
    assert any(factor in term.args for term in cell.equations[0].expr.args)


def test_a_total_over_its_size_is_a_mean():
    s = timed("s", 1)
    cell = cell_from_sympy("norm", {s[0]: ex.Total(h[-1]) / n, h[0]: W * h[-1]})
    assert "s[t] = mean(h[t-1])" in cell.text
    assert cell.equations[0].expr == ex.scale(1 / n, ex.Total(h[-1]))


def test_a_size_far_from_its_total_still_makes_a_mean():
    text = "s[t] = mean(h[t-1]) * sum(u[t]) * mean(u[t])\nh[t] = mean(h[t-1]) * W @ h[t-1]"
    cell = read_cell(text)
    again = cell_from_sympy("again", [(eq.target, eq.expr) for eq in cell.equations])
    assert [eq.expr for eq in again.equations] == [eq.expr for eq in cell.equations]


def test_a_size_without_a_total_is_no_scalar_of_the_language():
    with pytest.raises(LanguageError, match="The symbol n is neither a quantity nor a constant"):
        only(W * h[-1] / n)


def test_a_matrix_state_is_built_from_outer_products():
    v = timed("v", n)
    cell = cell_from_sympy(
        "memory", {S[0]: hadamard_product(timed("f", n, k)[0], S[-1]) + v[0] * q[0].T}
    )
    assert cell.quantity("S").shape == (n, k)


def test_sizes_can_be_fixed_from_outside():
    cell = cell_from_sympy("small", {h[0]: W * h[-1] + U * x[0]}, dims={n: 3})
    assert cell.quantity("U").shape == (3, m)


def test_plain_symbols_as_sizes_become_positive_integers():
    p = Symbol("p")
    y = timed("y", p)
    cell = cell_from_sympy("plain", {y[0]: MatrixSymbol("A", p, p) * y[-1]})
    assert cell.dims == (Symbol("p", positive=True, integer=True),)


# ── the same checks ──


def test_one_name_has_one_shape():
    with pytest.raises(ShapeError, match=r"W is \(n, m\) in one place and \(n, n\) in another"):
        only(W * h[-1] + MatrixSymbol("W", n, m) * x[0])


def test_the_sides_of_an_equation_have_one_shape():
    with pytest.raises(ShapeError, match=r"h\[t\] has n rows; V @ h\[t-1\] has m rows") as caught:
        cell_from_sympy("mine", {h[0]: MatrixSymbol("V", m, n) * h[-1]})
    assert "comes from line" in str(caught.value)
    assert caught.value.place.source == "mine.cell"


def test_a_cycle_is_found():
    with pytest.raises(LanguageError, match=r"needs h\[t\]"):
        cell_from_sympy("mine", {h[0]: W * c[0], c[0]: W * h[0]})


def test_a_cell_without_a_state_is_refused():
    with pytest.raises(LanguageError, match="no state"):
        only(U * x[0])


def test_the_future_is_no_step():
    with pytest.raises(ArgumentError, match=r"h\[1\] is no present or past step"):
        h[1]
    with pytest.raises(LanguageError, match="2 steps in the future"):
        only(W * ex.Timed("h", -2, n, 1))


def test_a_column_in_every_column_is_a_repetition():
    M, S = ex.Timed("M", 0, n, m), ex.Timed("S", 0, n, m)
    spread = M + S.at(1) + W * h[-1] * OneMatrix(1, m)
    cell = cell_from_sympy("mine", {S: spread, h[0]: S * x[0]})
    assert "repeat(W @ h[t-1])" in cell.text
    again = {str(e.target): str(e.expr) for e in cell.equations}
    assert again[str(S)] == str(ex.add(M, S.at(1), ex.matmul(W, h[-1], ex.ones(1, m))))
    down = M + S.at(1) + OneMatrix(n, 1) * x[0].T
    cell = cell_from_sympy("mine", {S: down, h[0]: W * h[-1] + S * x[0]})
    assert "repeat(x[t]).T" in cell.text


def test_a_number_repeated_in_a_matrix_stands_only_where_its_size_is_plain():
    with pytest.raises(LanguageError, match="where its size matters"):
        only(W * OneMatrix(n, 1) + h[-1])
    with pytest.raises(LanguageError, match="where its size matters"):
        only(h[-1] + ex.Broadcast(ex.Total(OneMatrix(n, 1)), n, 1))
    with pytest.raises(LanguageError, match="repeats one number"):
        cell_from_sympy("mine", {h[0]: W * h[-1], c[0]: OneMatrix(n, 1)})


@pytest.mark.parametrize(
    "build",
    [
        lambda: W.inverse() * h[-1],
        lambda: h[-1].applyfunc(Function("foo")),
        lambda: h[-1].applyfunc(Lambda(Symbol("y"), Symbol("y") ** Symbol("p"))),
        lambda: Symbol("alpha") * h[-1],
        lambda: pi * h[-1],
        lambda: HadamardPower(h[-1], Rational(1, 3)),
        lambda: MatrixSymbol("W_{hh}", n, n) * h[-1],
        lambda: MatrixSymbol("lambda", n, n) * h[-1],
        lambda: MatrixSymbol("tanh", n, n) * h[-1],
        lambda: MatrixSymbol("W", n, n * m) * timed("u", n * m)[0] + h[-1],
        lambda: MatrixSymbol("W", n, n - 1) * timed("u", n - 1)[0] + h[-1],
        lambda: BlockMatrix([[W, W]]) * timed("u", 2 * n)[0] + h[-1],
        lambda: 3,
    ],
)
def test_what_the_language_lacks_is_refused(build):
    with pytest.raises(CellError) as caught:
        only(build())
    assert caught.value.remedy


@pytest.mark.parametrize("target", [h[-1], W, "h"])
def test_only_a_present_quantity_is_a_target(target):
    with pytest.raises(LanguageError, match="no target"):
        cell_from_sympy("mine", [(target, W * h[-1])])


def test_deep_nesting_is_refused_before_python_gives_up():
    expr = h[-1]
    for _ in range(100):
        expr = ex.Elementwise(expr, "tanh")
    with pytest.raises(LanguageError, match="nested more than"):
        only(expr)


def test_a_title_cannot_smuggle_in_an_equation():
    cell = cell_from_sympy(
        "mine", {h[0]: W * h[-1]}, title="a\ny[t] = h[t]", reference="b\r\nz[t] = h[t]"
    )
    assert [eq.target.name for eq in cell.equations] == ["h"]
    assert cell.title == "a y[t] = h[t]"


def test_no_quantity_may_be_called_like_the_identity_that_stands_beside_it():
    with pytest.raises(LanguageError, match="so is the identity matrix"):
        cell_from_sympy("my", {h[0]: (MatrixSymbol("I", n, n) - Identity(n)) * h[-1]})
