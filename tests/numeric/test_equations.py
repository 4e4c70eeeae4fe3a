"""A cell written out in the equation language and read back is the same cell."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, note

from derive.catalog import load, shipped
from derive.language import read_cell
from numeric.equations import equations_text
from tests.strategies import cells


def comes_back(cell) -> str:
    """Demand that the text makes the same cell, and the same text again."""
    text = equations_text(cell)
    again = read_cell(text, cell.name)
    assert [(e.target, e.expr) for e in again.equations] == [
        (e.target, e.expr) for e in cell.equations
    ]
    assert set(again.quantities) == set(cell.quantities)
    assert again.initial == cell.initial
    assert set(again.dims) == set(cell.dims)
    assert equations_text(again) == text
    return text


def every_spec() -> list[str]:
    return [
        spec
        for entry in shipped()
        for spec in [
            entry.name,
            *(f"{entry.name}:{o.name}={v}" for o in entry.options for v in o.values or "14"),
        ]
    ]


@pytest.mark.parametrize("spec", every_spec())
def test_a_shipped_cell_comes_back(spec):
    text = comes_back(load(spec))
    assert "option" not in text


@given(cells())
@example(read_cell("dim x = 1, n\ndim h = n\nh[t] = tanh((x[t]**2).T + h[t-1])\n", "found"))
@example(read_cell("dim h = 1\nh[t] = tanh(h[t-1] * mean(x[t]))\n", "found"))
@example(read_cell("dim p = 1\nh[t] = tanh((p * (p * p)) * x[t] + h[t-1])\n", "found"))
@example(read_cell("dim p = 1\nh[t] = tanh((p + p).T + x[t] + h[t-1])\n", "found"))
@example(read_cell("dim p = 1\nh[t] = tanh((p / (2 + sin(p))) * x[t] + h[t-1])\n", "found"))
def test_a_random_cell_comes_back(cell):
    note(cell.text)
    comes_back(cell)


@pytest.mark.parametrize("value", ["0.1", "1/3", "-2", "1e-7", "0.12345678901234567890", "1e30"])
def test_a_constant_keeps_its_exact_value(value):
    cell = read_cell(f"const a = {value}\nh[t] = a * h[t-1] + W @ x[t]\n")
    text = comes_back(cell)
    assert read_cell(text).constants[0].value == Fraction(value)


def test_a_constant_without_a_value_has_none():
    assert "const a\n" in comes_back(read_cell("const a\nh[t] = a * h[t-1] + W @ x[t]\n"))


@pytest.mark.parametrize("number", ["2/7", "1e-9", "123456789", "0.3"])
def test_a_number_in_an_equation_keeps_its_exact_value(number):
    comes_back(read_cell(f"h[t] = {number} * h[t-1] + W @ x[t] - {number}\n"))


def test_an_option_is_resolved():
    assert comes_back(load("elman:g=relu")) == "h[t] = relu(W @ h[t-1] + U @ x[t] + b)\n"
    assert "h[t-5]" in comes_back(load("skip:d=5"))


def test_shapes_are_declared_only_where_the_equations_do_not_imply_them():
    assert "dim" not in comes_back(load("gru"))
    assert "dim h = 2\n" in comes_back(read_cell("dim h = 2\nh[t] = tanh(W @ h[t-1] + x[t])\n"))
    assert "dim" in comes_back(read_cell("dim x = n\nh[t] = tanh(W @ h[t-1] + U @ x[t])\n"))


def test_conventions_of_the_start_come_along():
    assert comes_back(load("irnn")).endswith("init W = identity\ninit b = zeros\n")


@pytest.mark.parametrize(
    "start", ["1e30", "-1e40", "1e-40", "chrono(1e30)", "orthogonal(1e-35)", "1/3"]
)
def test_numbers_too_long_to_be_written_out_come_back(start: str) -> None:
    name = "W" if start.startswith("orthogonal") else "b"
    cell = read_cell(f"h[t] = tanh(W @ h[t-1] + U @ x[t] + b)\ninit {name} = {start}", "far")
    text = comes_back(cell)
    assert read_cell(text, "far").initial == cell.initial


@pytest.mark.parametrize(
    "line",
    [
        "dim s = 1\ny[t] = tanh(-x[t] @ diag(s * s))",
        "dim s = 1\ny[t] = diag(s / (1 + s**2)) @ (2 * x[t]).T @ x[t]",
        "dim W = m, m\ny[t] = diag(2 * x[t] / (1 + x[t]**2)) @ W @ diag(x[t]) @ W.T",
        "y[t] = diag(x[t] + 1) @ diag(x[t]) @ V @ x[t]",
        "dim W = k, m\ndim p = 1, m\ny[t] = mean(cos(W) @ diag(p.T)) * x[t]",
        "y[t] = ((x[t] @ b.T) * repeat(p)) @ q",
        "dim W = m, m\ny[t] = (repeat(p) * (W @ V) * repeat(b).T) @ x[t]",
        "dim W = m, m\ny[t] = (diag(x[t]) @ W) @ x[t] - 2 * (W @ diag(x[t])) @ (x[t] * x[t])",
    ],
)
def test_scaled_rows_and_columns_read_back(line):
    cell = read_cell(f"{line}\nh[t] = 0.5 * h[t-1] + U @ x[t]")
    again = read_cell(equations_text(cell))
    assert [e.expr for e in again.equations] == [e.expr for e in cell.equations]


@pytest.mark.parametrize(
    "value",
    [
        "(w + u[t]) * (2 + cos(v[t]))**-2",
        "x[t] * (u[t] - v[t])**-3 + x[t] / (2 * (u[t] + v[t])**2)",
        "h[t-2] + (-(u[t] + v[t])) * 1",
        "x[t] - 2 * (-(u[t-1] + v[t])) / 3",
    ],
)
def test_numbers_that_vectors_meet_come_back(value):
    comes_back(read_cell(f"dim u = 1\ndim v = 1\nh[t] = w * h[t-1] + {value}", "numbers"))


@pytest.mark.parametrize(
    "value",
    [
        "S[t-1] + v[t] @ k[t].T + repeat(a[t]) + repeat(b[t]).T",
        "S[t-1] / repeat(sqrt((S[t-1]**2) @ repeat(1).T)) + v[t] @ k[t].T",
        "S[t-1] + v[t] @ (repeat(1) @ S[t-1])",
    ],
)
def test_columns_of_ones_come_back(value):
    assert "repeat" in comes_back(read_cell(f"S[t] = {value}", "memory"))
