"""Bounds: what is too long, too deep or too large gets a clear error, quickly; what is within them works."""

import pytest

from derive.errors import LanguageError
from derive.language import read_cell


def refusal(text):
    with pytest.raises(LanguageError) as caught:
        read_cell(text, "my")
    return caught.value


def test_a_hundred_thousand_nested_brackets_are_refused():
    assert "at most 100,000 are read" in str(
        refusal("h[t] = " + "(" * 100_000 + "h[t-1]" + ")" * 100_000)
    )
    assert "Brackets are nested more than 30 deep." in str(refusal("h[t] = (\n" + "(\n" * 40_000))
    assert "at most 4,000 are read" in str(refusal("h[t] = " + "(" * 90_000))


def test_a_hundred_nested_functions_are_refused_at_the_thirty_first():
    error = refusal("h[t] = " + "tanh(" * 100 + "h[t-1]" + ")" * 100)
    assert error.place.column == len("h[t] = ") + len("tanh(") * 30 + len("tanh")


def test_twenty_nine_nested_functions_are_read():
    cell = read_cell("h[t] = " + "tanh(" * 29 + "h[t-1]" + ")" * 29)
    assert str(cell.equations[0].expr).count("tanh") == 29


def test_operators_of_changing_kind_nest_to_sixty():
    assert "nested more than 60 deep" in refusal("h[t] = h[t-1]" + " * a @ b" * 100).problem
    read_cell("h[t] = h[t-1]" + " * a @ b" * 20)


def test_a_product_has_up_to_thirty_two_factors_and_a_sum_more():
    read_cell("h[t] = tanh(" + "W @ " * 31 + "h[t-1])")
    read_cell("h[t] = " + "x[t] * " * 31 + "h[t-1]")
    read_cell("h[t] = " + "x[t] + " * 300 + "h[t-1]")


def test_a_sum_of_a_thousand_terms_is_read():
    text = "h[t] = (W @ h[t-1]\n" + "\n".join(f" + b{i} * x[t]" for i in range(1000)) + ")"
    cell = read_cell(text)
    assert len(cell.equations[0].expr.args) == 1001
    assert len(cell.parameters) == 1001


def test_a_product_of_a_thousand_factors_is_counted_and_refused():
    error = refusal("h[t] = (h[t-1]\n" + " * x[t]\n" * 999 + ")")
    assert error.problem == "The product has 1000 factors; at most 32 are read."


def test_more_operators_than_python_can_nest_are_refused():
    error = refusal("h[t] = (h[t-1]" + "\n+ a" * 6_000 + ")")
    assert isinstance(error, LanguageError)


def test_three_hundred_equations_in_a_chain_are_read():
    text = "a0[t] = W @ a299[t-1]\n" + "\n".join(
        f"a{i}[t] = tanh(a{i - 1}[t])" for i in range(299, 0, -1)
    )
    assert [eq.target.name for eq in read_cell(text).equations] == [f"a{i}" for i in range(300)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("h[t] = 1e999 * h[t-1]", "The number is out of range"),
        ("h[t] = 1e-41 * h[t-1]", "The number is out of range"),
        ("h[t] = " + "9" * 31 + " * h[t-1]", "The number is too long"),
        ("h[t] = 0." + "0" * 3000 + " * h[t-1]", "The number is too long"),
        ("h[t] = 1e" + "0" * 3000 + "1 * h[t-1]", "The number is out of range"),
        ("h[t] = h[t-1]**33", "The exponent must lie between -32 and 32."),
        ("h[t] = h[t-1]**" + "9" * 20, "The exponent must lie between -32 and 32."),
        ("h[t] = ((((9**32)**32)**32)**32) * h[t-1]", "The number grows too large."),
        ("h[t] = h[t-1]**2**2**2", "Powers are not chained."),
        ("h[t] = tanh(" + "W @ " * 32 + "h[t-1])", "The product has 33 factors; at most 32"),
        ("h[t] = " + "x[t] * " * 32 + "h[t-1]", "The product has 33 factors; at most 32"),
        ("h[t] = h[t-65]", "The lag is 65; at most 64 is allowed."),
        ("h[t] = h[t-" + "9" * 29 + "]", "at most 64 is allowed."),
        ("h[t] = " + "a" * 41 + " * h[t-1]", "The name has 41 characters; at most 40 are allowed."),
        ("h[t] = " + "-" * 3000 + "h[t-1]", "More than 8 signs stand in a row."),
        ("h[t] = W" + ".T" * 1900 + " @ h[t-1]", "nested"),
        (
            "h[t] = W @ h[t-1] " + " " * 5000,
            "The line has 5,018 characters; at most 4,000 are read.",
        ),
        (
            "\n".join(f"a{i}[t] = a{i}[t-1]" for i in range(401)),
            "401 equations and declarations; at most 400",
        ),
        ("h[t] = (h[t-1]" + "\n+a" * 8_000 + ")", "more than"),
        ("dim h = 1000001\nh[t] = W @ h[t-1]", "a whole number from 1 to 1,000,000"),
    ],
)
def test_the_bound_is_named(text, problem):
    assert problem in refusal(text).problem


def test_lag_sixty_four_and_power_thirty_two_are_within_the_bounds():
    assert read_cell("h[t] = h[t-64]**32").quantity("h").depth == 64


def test_sizes_that_double_with_every_line_stay_symbolic():
    text = "a0[t] = W @ a0[t-1]\n" + "\n".join(
        f"a{i}[t] = concat(a{i - 1}[t], a{i - 1}[t])" for i in range(1, 200)
    )
    cell = read_cell(text)
    assert cell.quantity("a199").shape[0] == 2**199 * cell.dims[0]


def test_a_long_line_is_shown_around_the_caret_only():
    lines = str(refusal("h[t] = h[t-1] + " + "a + " * 500 + "foo(x[t])")).splitlines()
    assert max(map(len, lines[:2])) < 160
    start = lines[1].index("^")
    assert lines[0][start : start + lines[1].count("^")] == "foo"
