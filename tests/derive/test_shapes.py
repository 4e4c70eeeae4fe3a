"""Inference of shapes: unification over symbolic sizes, scalars, matrices, names of sizes, conflicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Symbol

from derive.dimensions import Contradiction, Dimensions, Size, combine
from derive.errors import ShapeError
from derive.language import read_cell


def shape(text, name):
    return tuple(str(size) for size in read_cell(text).quantity(name).shape)


def shapes_of(text):
    return {q.name: tuple(map(str, q.shape)) for q in read_cell(text).quantities}


def message(text):
    with pytest.raises(ShapeError) as caught:
        read_cell(text, "my")
    return str(caught.value)


def test_a_matrix_state_takes_its_sizes_from_an_outer_product():
    text = "S[t] = f[t] * S[t-1] + v[t] @ k[t].T\ny[t] = S[t] @ q[t]"
    cell = read_cell(text)
    rows, cols = cell.quantity("S").shape
    assert cell.quantity("f").shape == (rows, cols)
    assert cell.quantity("v").shape == (rows, 1)
    assert cell.quantity("k").shape == cell.quantity("q").shape == (cols, 1)
    assert cell.quantity("y").shape == (rows, 1)
    assert rows != cols


def test_a_weight_used_as_it_is_and_transposed_is_square_if_the_state_is_both_its_sides():
    text = "h[t] = tanh(W @ h[t-1] + W.T @ h[t-1] + U @ x[t])"
    assert shape(text, "W") == ("n", "n")


def test_a_tied_weight_reads_out_what_it_read_in():
    text = "h[t] = tanh(W @ x[t] + V @ h[t-1])\ny[t] = W.T @ h[t]"
    assert shape(text, "W") == ("n", "m")
    assert shape(text, "y") == ("m", "1")


def test_peepholes_are_vectors():
    assert shape("c[t] = tanh(p * c[t-1] + W @ x[t])", "p") == ("n", "1")


def test_a_scalar_is_declared_by_one_row():
    text = "dim beta = 1\nh[t] = beta * h[t-1] + W @ x[t]"
    assert shape(text, "beta") == ("1", "1")
    assert shape(text.split("\n")[1], "beta") == ("n", "1")


def test_the_product_of_a_row_and_a_column_is_a_scalar_that_meets_any_shape():
    text = "e[t] = k[t].T @ q[t]\nh[t] = sigmoid(e[t]) * v[t] + W @ h[t-1]"
    assert shape(text, "e") == ("1", "1")
    assert shape(text, "v") == ("n", "1")


def test_what_is_made_of_declared_numbers_alone_is_a_number():
    """The stabiliser of xLSTM's gates: nothing else determines m, i and f, and the memory keeps its own sizes."""
    shapes = shapes_of(
        "dim a = 1\ndim g = 1\na[t] = w @ x[t]\ng[t] = -softplus(u @ x[t])\nk[t] = K @ x[t]\n"
        "m[t] = a[t] + relu(g[t] + m[t-1] - a[t])\ni[t] = exp(a[t] - m[t])\nf[t] = exp(g[t] + m[t-1] - m[t])\n"
        "C[t] = f[t] * C[t-1] + i[t] * (V @ x[t]) @ k[t].T\nn[t] = f[t] * n[t-1] + i[t] * k[t]\n"
        "h[t] = C[t] @ k[t] / (exp(-m[t]) + abs(n[t].T @ k[t]))\n"
    )
    assert [shapes[name] for name in "mif"] == [("1", "1")] * 3
    assert shapes["C"] == (shapes["h"][0], shapes["k"][0])
    assert shapes["n"] == shapes["k"] != ("1", "1")


@pytest.mark.parametrize(
    "text",
    [
        "h[t] = sin(h[t-1] + 0.5)\n",
        "dim p = 1\nh[t] = tanh(p * h[t-1])\n",
        "dim dt = 1\nh[t] = exp(-dt[t]) * h[t-1]\n",
        "dim f = 1\nf[t] = sigmoid(w @ x[t])\nh[t] = f[t] * h[t-1] + b\n",
    ],
)
def test_given_factors_constants_and_vectors_make_no_number(text):
    assert shapes_of(text)["h"] == ("n", "1")


def test_the_rows_of_one_memory_may_be_the_columns_of_another():
    """A perceptron as the state: nothing given has its hidden size, and it is not 1 for that."""
    shapes = shapes_of(
        "a[t] = tanh(A[t-1] @ (K @ x[t]))\ne[t] = B[t-1] @ a[t] - V @ x[t]\n"
        "B[t] = B[t-1] - e[t] @ a[t].T\n"
        "A[t] = A[t-1] - ((B[t-1].T @ e[t]) * (1 - a[t]**2)) @ (K @ x[t]).T\n"
    )
    assert shapes["A"][0] == shapes["B"][1] == shapes["a"][0] != "1"
    assert shapes["a"][1] == shapes["e"][1] == "1"


def test_a_scalar_state_stays_scalar():
    assert shape("c[t] = c[t-1] + k[t].T @ q[t]", "c") == ("1", "1")


def test_scalars_are_known_before_they_are_used_whatever_the_order_of_lines():
    text = "h[t] = a[t] * h[t-1] + W @ x[t]\na[t] = 2 * sum(x[t]) + 1"
    assert shape(text, "a") == ("1", "1")
    assert shape(text, "h") == ("n", "1")


def test_concat_adds_rows():
    text = "h[t] = tanh(W @ concat(h[t-1], x[t], 1))"
    cell = read_cell(text)
    n, m = cell.dims
    assert cell.quantity("W").shape == (n, n + m + 1)


def test_sums_of_sizes_are_unified_by_cancelling():
    text = "h[t] = W @ concat(h[t-1], x[t]) + W @ concat(h[t-1], u[t])"
    cell = read_cell(text)
    assert cell.quantity("x").shape == cell.quantity("u").shape


def test_a_sum_of_sizes_waits_until_its_parts_are_known():
    text = "h[t] = W @ concat(a[t], b[t]) + W @ concat(c[t], d[t]) + V @ h[t-1] + b[t] + d[t]"
    cell = read_cell(text)
    assert cell.quantity("a").shape == cell.quantity("c").shape


def test_sizes_that_many_solutions_fit_ask_for_a_declaration():
    text = "h[t] = W @ concat(a[t], b[t]) + W @ concat(c[t], d[t]) + V @ h[t-1]"
    assert message(text) == (
        "my.cell, line 1: h[t] = W @ concat(a[t], b[t]) + W @ concat(c[t], d[t]) + V @ h[t-1]\n"
        "                                                     ^^^^^^^^^^^^^^^^^^\n"
        "  The sizes cannot be decided: W has m + m_b columns, concat(c[t], d[t]) has m_c + m_d rows, "
        "and m + m_b = m_c + m_d has many solutions.\n"
        "  Declare the parts, e.g. `dim name = n`."
    )
    read_cell("dim a = p\ndim b = q\ndim c = p\n" + text)


def test_declared_sizes_may_be_sums():
    assert shape("dim W = n, 2*n + m + 1\nh[t] = W @ concat(h[t-1], h[t-2], x[t], 1)", "x") == (
        "m",
        "1",
    )


def test_declared_numbers_flow_to_where_they_are_needed():
    text = "dim h = 3\ndim x = 5\nh[t] = tanh(W @ h[t-1] + U @ x[t])"
    assert shape(text, "U") == ("3", "5")
    assert read_cell(text).dims == ()


def test_row_vectors_can_be_declared():
    text = "dim x = 1, m\ndim h = 1, n\nh[t] = tanh(x[t] @ U + h[t-1] @ W)"
    assert shape(text, "U") == ("m", "n")


def test_sizes_are_positive_integer_symbols():
    for size in read_cell("h[t] = W @ h[t-1] + U @ x[t]").dims:
        assert size == Symbol(size.name, positive=True, integer=True)


def test_sizes_have_the_usual_names():
    text = "h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ s[t])\ns[t] = tanh(A @ s[t-1] + B @ u[t])\ny[t] = C @ h[t]"
    cell = read_cell(text)
    found = {q: str(cell.quantity(q).shape[0]) for q in "hxysu"}
    assert found == {"h": "n", "x": "m", "y": "k", "s": "n_s", "u": "m_u"}


def test_sizes_do_not_take_the_names_of_quantities():
    text = (
        "h[t] = (1 - z[t]) * n[t] + z[t] * h[t-1]\nz[t] = sigmoid(W @ m[t])\nn[t] = tanh(U @ m[t])"
    )
    cell = read_cell(text)
    assert str(cell.quantity("h").shape[0]) == "n_h"
    assert str(cell.quantity("m").shape[0]) == "m_m"


def test_sizes_do_not_take_declared_names():
    text = "dim x = n\nh[t] = W @ h[t-1] + U @ x[t]"
    assert shape(text, "U") == ("n_h", "n")


def test_a_conflict_of_numbers_shows_both_places():
    assert message("dim h = 3\ndim x = 5\nh[t] = W @ h[t-1] + W @ x[t]") == (
        "my.cell, line 3: h[t] = W @ h[t-1] + W @ x[t]\n"
        "                                         ^^^^\n"
        "  W has 3 columns; x[t] has 5 rows.\n"
        "  3 comes from line 1: dim h = 3\n"
        "  5 comes from line 2: dim x = 5\n"
        "  In A @ B the columns of A are the rows of B: change one of them, or transpose one with .T."
    )


def test_a_conflict_leads_back_to_the_declaration_past_the_equations_between():
    text = "dim h = 3\ndim x = 5\na[t] = W @ h[t-1]\nh[t] = V @ a[t]\ny[t] = W @ x[t]"
    assert message(text).splitlines()[2:5] == [
        "  W has 3 columns; x[t] has 5 rows.",
        "  3 comes from line 1: dim h = 3",
        "  5 comes from line 2: dim x = 5",
    ]


def test_a_size_that_would_contain_itself_is_a_conflict():
    assert message("h[t] = tanh(W @ h[t-1] + b)\ny[t] = W @ concat(h[t-1], x[t])") == (
        "my.cell, line 2: y[t] = W @ concat(h[t-1], x[t])\n"
        "                            ^^^^^^^^^^^^^^^^^^^^\n"
        "  W has n columns; concat(h[t-1], x[t]) has n + m rows.\n"
        "  They could be equal only if m were 0.\n"
        "  n comes from line 1: h[t] = tanh(W @ h[t-1] + b)\n"
        "  In A @ B the columns of A are the rows of B: change one of them, or transpose one with .T."
    )


def test_two_declared_names_are_two_sizes():
    assert message("dim h = n\ndim x = m\nh[t] = tanh(W @ h[t-1] + x[t])").splitlines()[2:5] == [
        "  W @ h[t-1] has m rows; W @ h[t-1] + x[t] has n rows.",
        "  m comes from line 2: dim x = m",
        "  n comes from line 1: dim h = n",
    ]


def test_softmax_takes_a_column():
    assert message("dim W = 3, 3\nh[t] = softmax(W) @ h[t-1]") == (
        "my.cell, line 2: h[t] = softmax(W) @ h[t-1]\n"
        "                                ^\n"
        "  W must have 1 column; it has 3 columns.\n"
        "  3 comes from line 1: dim W = 3, 3\n"
        "  softmax and logsumexp take a column vector: transpose a row with .T, declare a vector by `dim name = n`, or "
        "normalise over all entries of a matrix a with exp(a) / sum(exp(a))."
    )


@pytest.mark.parametrize(
    ("text", "matrix"),
    [
        ("h[t] = tanh(softmax(W) @ h[t-1] + U @ x[t] + b)", "W"),
        ("h[t] = tanh(softmax(W.T).T @ h[t-1] + U @ x[t] + b)", "W.T"),
        ("S[t] = softmax(W) * S[t-1] + x[t] @ h[t].T\nh[t] = tanh(U @ x[t])", "W"),
        ("h[t] = tanh(W @ h[t-1] + U @ x[t])\ny[t] = logsumexp(W) * h[t]", "W"),
        ("S[t] = S[t-1] + h[t] @ k[t].T\nh[t] = tanh(softmax(W @ S[t-1]) @ v)", "W @ S[t-1]"),
    ],
)
def test_softmax_of_a_matrix_is_refused_and_makes_no_number_of_what_it_meets(text, matrix):
    found = message(text).splitlines()
    assert found[2].startswith(f"  {matrix} must have 1 column; it has ")
    assert "softmax and logsumexp take a column vector" in found[-1]


def test_what_softmax_acts_on_has_rows_and_so_a_memory_that_it_addresses_has_columns():
    text = (
        "w[t] = softmax(M[t-1].T @ k[t])\nM[t] = M[t-1] * (1 - e[t] @ w[t].T) + v[t] @ w[t].T\n"
        "h[t] = tanh(W @ M[t-1] @ w[t])\nk[t] = K @ h[t-1]\ne[t] = E @ h[t-1]\nv[t] = V @ h[t-1]"
    )
    cell = read_cell(text)
    rows, cols = cell.quantity("M").shape
    assert cell.quantity("w").shape == (cols, 1)
    assert cell.quantity("k").shape == (rows, 1)
    assert 1 not in (rows, cols)
    assert rows != cols


def test_softmax_of_a_parameter_that_may_be_a_vector_makes_it_one():
    found = read_cell("h[t] = softmax(q) * h[t-1] + U @ x[t] + softmax(W @ h[t-1]) + logsumexp(r)")
    shapes = {q.name: q.shape for q in found.quantities}
    assert shapes["q"] == shapes["h"]
    assert shapes["h"][0] != 1
    assert shapes["W"] == (shapes["h"][0],) * 2
    assert shapes["r"][1] == 1


def test_a_constant_is_no_matrix():
    text = "const a = 2\ndim h = 4\nh[t] = a @ h[t-1]"
    assert "a has 1 column; h[t-1] has 4 rows." in message(text)


def test_the_identity_is_asked_of_a_square_weight_only():
    assert "W is (n, m); the identity is square." in message(
        "init W = identity\nh[t] = tanh(V @ h[t-1] + W @ x[t])"
    )


# ── the unifier by itself ──


def test_equal_sizes_share_their_fate():
    work = Dimensions()
    a, b, c = (work.new() for _ in range(3))
    work.equate(a, b, "first")
    work.equate(c, b, "second")
    work.equate(b, Size(4), "third")
    assert {work.resolve(s) for s in (a, b, c)} == {Size(4)}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((0, {0: 2}), (5, {})),
        ((0, {0: 1}), (1, {0: 1})),
        ((0, {0: 1, 1: 1}), (1, {})),
        ((1, {0: 3}), (0, {1: 3})),
    ],
)
def test_equations_without_positive_solutions_contradict(left, right):
    work = Dimensions()
    unknowns = [work.new() for _ in range(2)]

    def size(parts):
        return combine(
            [(1, Size(parts[0])), *((factor, unknowns[i]) for i, factor in parts[1].items())]
        )

    with pytest.raises(Contradiction):
        work.equate(size(left), size(right), "reason")


def test_a_declared_size_is_no_number():
    work = Dimensions()
    with pytest.raises(Contradiction):
        work.equate(work.declared("n"), Size(3), "reason")


def test_a_difference_that_may_be_negative_is_not_solved():
    work = Dimensions()
    a = work.new()
    n, m = work.declared("n"), work.declared("m")
    work.equate(combine([(1, a), (1, n)]), m, "reason")
    assert work.waiting
    assert work.resolve(a) == a


sizes = st.lists(st.integers(1, 5), min_size=4, max_size=4)
sides = st.tuples(st.integers(0, 3), st.lists(st.integers(0, 3), min_size=1, max_size=3))


@given(sizes, st.lists(st.tuples(sides, sides), max_size=8))
def test_solving_never_loses_a_solution(values, equations):
    """Equations that hold for some values never contradict, and what is solved holds for those values."""
    work = Dimensions()
    unknowns = [work.new() for _ in values]

    def side(parts):
        return combine([(1, Size(parts[0])), *((1, unknowns[i]) for i in parts[1])])

    def total(size):
        numbers = {u.single: v for u, v in zip(unknowns, values, strict=True)}
        return size.constant + sum(factor * numbers[v] for v, factor in size.terms)

    for left, right in equations:
        if total(side(left)) == total(side(right)):
            work.equate(side(left), side(right), "reason")
    work.settle()
    for unknown, number in zip(unknowns, values, strict=True):
        assert total(work.resolve(unknown)) == number
