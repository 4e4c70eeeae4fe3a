"""What the texts of the language mean: roles, lags, options, constants, scalars, order."""

from fractions import Fraction

import pytest
from sympy import Integer, OneMatrix, Rational, Symbol
from sympy.matrices.expressions import HadamardPower, HadamardProduct, MatAdd, MatMul, Transpose

from derive.errors import ArgumentError, LanguageError
from derive.expressions import Broadcast, Concat, Elementwise, Softmax, Timed, Total
from derive.language import read_cell

n, m, k = (Symbol(name, positive=True, integer=True) for name in "nmk")

GRU = """# Gated recurrent unit
# a note
# source: someone, 2014, eq. 1
z[t] = sigmoid(W_z @ h[t-1] + U_z @ x[t] + b_z)
r[t] = sigmoid(W_r @ h[t-1] + U_r @ x[t] + b_r)
g[t] = tanh(W_g @ (r[t] * h[t-1]) + U_g @ x[t] + b_g)
h[t] = (1 - z[t]) * h[t-1] + z[t] * g[t]
"""


def value(text, target="h"):
    """The expression that a cell's text gives a quantity."""
    return next(eq.expr for eq in read_cell(text).equations if eq.target.name == target)


def names(cell, role):
    return [q.name for q in cell.of_role(role)]


def test_roles_follow_from_how_names_are_used():
    cell = read_cell(GRU, "gru")
    assert names(cell, "state") == ["h"]
    assert names(cell, "input") == ["x"]
    assert names(cell, "intermediate") == ["z", "r", "g"]
    assert names(cell, "parameter") == [
        "W_z",
        "U_z",
        "b_z",
        "W_r",
        "U_r",
        "b_r",
        "W_g",
        "U_g",
        "b_g",
    ]
    assert [q.name for q in cell.quantities][:4] == ["z", "W_z", "h", "U_z"]


def test_shapes_of_a_gru_are_those_of_the_literature():
    cell = read_cell(GRU)
    assert cell.quantity("W_z").shape == (n, n)
    assert cell.quantity("U_g").shape == (n, m)
    assert cell.quantity("b_r").shape == (n, 1)
    assert cell.quantity("x").shape == (m, 1)
    assert cell.dims == (n, m)


def test_title_and_reference_come_from_the_comments():
    cell = read_cell(GRU, "gru")
    assert (cell.title, cell.reference) == ("Gated recurrent unit", "someone, 2014, eq. 1")
    assert (cell.name, cell.text) == ("gru", GRU)


def test_equations_know_their_lines():
    assert [eq.line for eq in read_cell(GRU).equations] == [4, 5, 6, 7]


def test_an_elementwise_product_keeps_the_author_s_order():
    h, z = Timed("h", 1, n, 1), Timed("z", 0, n, 1)
    left = value(GRU).args[0]
    assert left == HadamardProduct(MatAdd(OneMatrix(n, 1), MatMul(-1, z)), h)


def test_equations_in_any_order_are_evaluated_in_order_of_need():
    lines = GRU.splitlines()
    shuffled = "\n".join([*lines[:3], lines[6], lines[5], lines[3], lines[4]])
    cell = read_cell(shuffled)
    order = [eq.target.name for eq in cell.equations]
    assert order.index("r") < order.index("g") < order.index("h")
    assert order.index("z") < order.index("h")


def test_a_lagged_input_is_an_input_of_that_depth():
    cell = read_cell("h[t] = tanh(W @ h[t-1] + U @ x[t-2])")
    assert cell.quantity("x").role == "input"
    assert (cell.quantity("x").depth, cell.quantity("h").depth) == (2, 1)


def test_the_largest_lag_is_the_depth_of_a_state():
    cell = read_cell("h[t] = tanh(W @ h[t-1] + V @ h[t-4])")
    assert cell.quantity("h").depth == 4


def test_an_equation_may_span_lines_within_brackets():
    text = (
        "h[t] = tanh(  # the bracket is open\n    W @ h[t-1]\n    + U @ x[t]\n)\ny[t] = V @ h[t]\n"
    )
    cell = read_cell(text)
    assert [eq.line for eq in cell.equations] == [1, 5]
    assert (
        cell.equations[0].expr == read_cell("h[t] = tanh(W @ h[t-1] + U @ x[t])").equations[0].expr
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(end):
    cell = read_cell(GRU.replace("\n", end))
    assert len(cell.equations) == 4
    assert cell.title == "Gated recurrent unit"


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert read_cell("\ufeffh[t] = W @ h[t-1]").quantity("h").role == "state"


def test_decimal_numbers_are_exact():
    expr = value("h[t] = 0.1 * h[t-1]")
    assert expr.args[0] == Rational(1, 10)
    assert value("h[t] = 25e-2 * h[t-1]").args[0] == Rational(1, 4)


def test_numbers_among_factors_move_to_the_front():
    h = Timed("h", 1, n, 1)
    assert value("h[t] = h[t-1] * 3 / 2") == MatMul(Rational(3, 2), h)
    assert value("h[t] = 2**3 * h[t-1]") == MatMul(8, h)


def test_a_number_in_a_sum_is_a_matrix_of_that_number():
    assert value("h[t] = h[t-1] + 3") == MatAdd(Timed("h", 1, n, 1), MatMul(3, OneMatrix(n, 1)))


def test_division_is_a_power_of_minus_one():
    expr = value("h[t] = h[t-1] / x[t]")
    assert expr == HadamardProduct(Timed("h", 1, n, 1), HadamardPower(Timed("x", 0, n, 1), -1))


def test_division_binds_as_multiplication_from_left_to_right():
    assert value("h[t] = h[t-1] / x[t] * b") == value("h[t] = (h[t-1] / x[t]) * b")
    assert value("h[t] = h[t-1] - x[t] - b") == value("h[t] = (h[t-1] - x[t]) - b")
    assert value("h[t] = h[t-1] - (x[t] - b)") != value("h[t] = h[t-1] - x[t] - b")


def test_the_minus_sign_binds_weaker_than_the_power():
    h = Timed("h", 1, n, 1)
    assert value("h[t] = -h[t-1]**2") == MatMul(-1, HadamardPower(h, 2))


def test_powers_may_be_negative():
    assert value("h[t] = h[t-1]**-2") == HadamardPower(Timed("h", 1, n, 1), Integer(-2))


def test_softmax_and_concat_have_nodes_of_their_own():
    expr = value("h[t] = softmax(W @ concat(h[t-1], x[t]))")
    assert isinstance(expr, Softmax)
    assert expr.args[0].args[1] == Concat(Timed("h", 1, n, 1), Timed("x", 0, m, 1))
    assert read_cell("h[t] = softmax(W @ concat(h[t-1], x[t]))").quantity("W").shape == (n, n + m)


def test_identity_leaves_no_trace():
    assert value("h[t] = identity(W @ h[t-1])") == value("h[t] = W @ h[t-1]")


def test_a_transposed_weight_has_the_transposed_shape():
    cell = read_cell("h[t] = tanh(W_hh.T @ h[t-1] + W_xh.T @ x[t] + b)")
    assert cell.quantity("W_xh").shape == (m, n)
    assert any(isinstance(f, Transpose) for f in cell.equations[0].expr.args[0].args[0].args)


def test_the_sum_of_a_vector_is_a_scalar_that_meets_any_shape():
    cell = read_cell("s[t] = sum(h[t-1])\nh[t] = s[t] * tanh(W @ x[t]) + b")
    assert cell.quantity("s").shape == (1, 1)
    assert Broadcast(Timed("s", 0, 1, 1), n, 1) in value(cell.text).args[0].args


def test_the_mean_is_the_total_over_the_number_of_entries():
    cell = read_cell(
        "s[t] = mean(h[t-1])\nS[t] = v[t] @ k[t].T + S[t-1]\nr[t] = mean(S[t])\nh[t] = W @ x[t]"
    )
    by_name = {eq.target.name: eq.expr for eq in cell.equations}
    rows, cols = cell.quantity("S").shape
    size = cell.quantity("h").shape[0]
    assert by_name["s"] == MatMul(1 / size, Total(Timed("h", 1, size, 1)))
    assert by_name["r"] == MatMul(1 / (rows * cols), Total(Timed("S", 0, rows, cols)))
    assert len({rows, cols, size}) == 3


def test_layer_normalisation_can_be_written():
    cell = read_cell("""
        const eps = 0.00001
        a[t] = W @ h[t-1] + U @ x[t]
        mu[t] = mean(a[t])
        v[t] = mean((a[t] - mu[t])**2)
        h[t] = tanh(gain * (a[t] - mu[t]) / sqrt(v[t] + eps) + b)
    """)
    assert cell.quantity("mu").shape == cell.quantity("v").shape == (1, 1)
    assert cell.quantity("gain").shape == cell.quantity("b").shape == cell.quantity("h").shape
    assert cell.quantity("eps").value == Fraction(1, 100_000)


def test_a_constant_is_a_scalar_with_or_without_a_value():
    cell = read_cell(
        "const alpha = 0.9\nconst beta\nh[t] = alpha * h[t-1] + (1 - alpha) * tanh(beta * x[t])"
    )
    assert cell.quantity("alpha").value == Fraction(9, 10)
    assert cell.quantity("beta").value is None
    assert names(cell, "constant") == ["alpha", "beta"]
    assert not cell.parameters


@pytest.mark.parametrize(
    ("written", "exact"),
    [("-1/3", Fraction(-1, 3)), ("2", Fraction(2)), ("1e-3", Fraction(1, 1000))],
)
def test_constants_are_exact(written, exact):
    assert read_cell(f"const a = {written}\nh[t] = a * h[t-1]").quantity("a").value == exact


def test_an_option_stands_for_the_function_chosen():
    text = "option g = tanh | relu\nh[t] = g(W @ h[t-1])"
    assert read_cell(text).options == {"g": "tanh"}
    assert read_cell(text).equations[0].expr.function == "tanh"
    assert read_cell(text, options={"g": "relu"}).equations[0].expr.function == "relu"
    assert read_cell(text, options={"g": "relu"}).options == {"g": "relu"}


def test_an_option_stands_for_a_lag():
    text = "option d = 2\nh[t] = W @ h[t-d]"
    assert read_cell(text).quantity("h").depth == 2
    assert read_cell(text, options={"d": "7"}).quantity("h").depth == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"f": "relu"}, "The cell has no option f.\n  Its options are d and g."),
        ({"g": "rleu"}, "g=rleu is not offered. Did you mean relu?\n  g is one of tanh, relu."),
        ({"d": "0"}, "d=0 is not a lag.\n  d is a whole number from 1 to 64."),
        ({"d": "65"}, "d=65 is not a lag.\n  d is a whole number from 1 to 64."),
        ({"d": "9" * 9999}, f"d={'9' * 9999} is not a lag.\n  d is a whole number from 1 to 64."),
    ],
)
def test_an_option_outside_its_values_is_refused(options, message):
    with pytest.raises(ArgumentError) as caught:
        read_cell("option d = 2\noption g = tanh | relu\nh[t] = g(W @ h[t-d])", options=options)
    assert str(caught.value) == message


def test_initialisations_are_kept_by_name():
    cell = read_cell("h[t] = relu(W @ h[t-1] + U @ x[t] + b)\ninit W = identity\ninit b = -1/2")
    assert {k: str(v) for k, v in cell.initial.items()} == {"W": "identity", "b": "-1/2"}


def test_several_states_and_inputs_live_side_by_side():
    cell = read_cell("c[t] = f[t] * c[t-1] + x[t]\nh[t] = tanh(W @ c[t] + V @ h[t-2] + U @ u[t])")
    assert [q.name for q in cell.states] == ["c", "h"]
    assert [q.name for q in cell.inputs] == ["f", "x", "u"]


def test_a_function_of_a_number_alone_is_a_scalar():
    expr = value("h[t] = tanh(2) * h[t-1]")
    assert Broadcast(Elementwise(MatMul(2, OneMatrix(1, 1)), "tanh"), n, 1) in expr.args


@pytest.mark.parametrize("product", ["0 * x[t]", "(0 * V) @ x[t]"])
def test_a_factor_zero_is_refused_for_what_it_multiplies_would_vanish(product):
    with pytest.raises(LanguageError, match="This product is 0"):
        read_cell(f"h[t] = tanh(W @ h[t-1] + {product})")
