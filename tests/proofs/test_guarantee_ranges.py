"""Intervals and ranges: what is computed inside lies inside, and what is meant to be exact is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.derivation import derive
from derive.language import read_cell
from proofs.guarantee_box import enclose, invariant_box, is_invariant
from proofs.guarantee_intervals import RISING, Interval, Intervals, MissingFlintError, flint, point
from proofs.guarantee_ranges import Enclosing
from proofs.guarantee_step import Step
from tests.proofs.guaranteed import problem_of

pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")

AR = Intervals()
ENDS = st.floats(-5, 5, allow_subnormal=False)


def interval(a: float, b: float) -> Interval:
    return Interval(np.array([[min(a, b)]]), np.array([[max(a, b)]]))


def inside(value: Any, found: Interval) -> bool:
    """By exact rational numbers, or mpmath's."""
    lo, hi = float(found.lo.item()), float(found.hi.item())
    exact = isinstance(value, Fraction)
    return (
        (Fraction(lo) <= value <= Fraction(hi))
        if exact
        else (mpmath.mpf(lo) <= value <= mpmath.mpf(hi))
    )


@given(ENDS, ENDS, ENDS, ENDS, st.fractions(0, 1), st.fractions(0, 1))
def test_sums_products_and_powers_contain_the_exact_values(
    a: float, b: float, c: float, d: float, s: Fraction, t: Fraction
) -> None:
    x, y = interval(a, b), interval(c, d)
    u = Fraction(a) + (Fraction(b) - Fraction(a)) * s
    v = Fraction(c) + (Fraction(d) - Fraction(c)) * t
    assert inside(u + v, AR.add(x, y))
    assert inside(u * v, AR.mul(x, y))
    assert inside(u * v, AR.matmul(x, y))
    assert inside(u**2, AR.power(x, 2))
    for k in (3, 4, 7, 12):
        assert inside(u**k, AR.power(x, k))
    if v != 0 and min(c, d) * max(c, d) > 0:
        assert inside(u / v, AR.mul(x, AR.power(y, -1)))


@pytest.mark.parametrize("name", [*RISING, "sin", "cos", "abs", "relu", "step", "sign"])
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 1))
def test_functions_contain_mpmaths_values(name: str, a: float, b: float, s: float) -> None:
    if name in ("log", "sqrt"):
        a, b = abs(a) + 1e-3, abs(b) + 1e-3
    x = interval(a, b)
    u = min(max(x.lo.item(), a + (b - a) * s), x.hi.item())
    exact: dict[str, Any] = {
        "tanh": mpmath.tanh, "sigmoid": lambda v: 1 / (1 + mpmath.exp(-v)), "exp": mpmath.exp, "log": mpmath.log,
        "softplus": lambda v: mpmath.log1p(mpmath.exp(v)), "sqrt": mpmath.sqrt, "sin": mpmath.sin, "cos": mpmath.cos,
        "abs": abs, "relu": lambda v: max(v, 0), "step": lambda v: int(v > 0), "sign": mpmath.sign,
    }  # fmt: skip
    with mpmath.workdps(60):
        assert inside(mpmath.mpf(exact[name](mpmath.mpf(u))), AR.function(name, x))


def test_a_rounding_that_is_left_out_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs.guarantee_intervals.up", lambda v: v)
    assert not inside(
        Fraction(0.1) + Fraction(0.2), AR.add(interval(0.1, 0.1), interval(0.2, 0.2))
    ) or not inside(Fraction(0.7) * Fraction(0.1), AR.mul(interval(0.7, 0.7), interval(0.1, 0.1)))


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_matrix_products_contain_those_of_matrices_inside(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = [np.sort(rng.standard_normal((2, n, n)), axis=0) for _ in range(2)]
    a, b = (Interval(e[0], e[1]) for e in ends)
    x, y = (e[0] + (e[1] - e[0]) * rng.integers(0, 2, (n, n)) for e in ends)
    exact = [
        [sum(Fraction(x[i, k]) * Fraction(y[k, j]) for k in range(n)) for j in range(n)]
        for i in range(n)
    ]
    found = AR.matmul(a, b)
    assert all(
        Fraction(found.lo[i, j]) <= exact[i][j] <= Fraction(found.hi[i, j])
        for i in range(n)
        for j in range(n)
    )
    wide = AR.matmul(Interval(a.lo, np.full((n, n), np.inf)), b)
    assert all(exact[i][j] <= wide.hi[i, j] for i in range(n) for j in range(n))


@pytest.mark.parametrize(
    ("text", "ranges", "lo", "hi"),
    [
        ("1 - u[t] * u[t]", {"u": (-1, 1)}, 0, 1),
        ("u[t] * (1 - u[t])", {"u": (0, 1)}, 0, 0.25),
        ("u[t] * (1 - u[t])", {"u": (0.75, 1)}, 0, 0.1875),
        ("(1 - u[t]) * v[t] + u[t] * w[t]", {"u": (0, 1), "v": (-1, 1), "w": (-2, 1)}, -2, 1),
        ("(v[t] - w[t]) * u[t] * (1 - u[t])", {"u": (0, 1), "v": (-1, 1), "w": (-1, 1)}, -0.5, 0.5),
        ("u[t] - u[t]", {"u": (-3, 5)}, 0, 0),
        ("u[t] * u[t] * u[t] - 3 * u[t]", {"u": (-1.5, 1.5)}, -2, 2),
        ("2 * u[t] * v[t] - u[t]", {"u": (0, 1), "v": (0, 1)}, -1, 1),
        ("u[t] * u[t] + u[t] * v[t]", {"u": (-1, 1), "v": (-1, 1)}, -1, 2),
    ],
)  # fmt: skip
def test_ranges_are_exact_where_a_quantity_occurs_twice(
    text: str, ranges: dict[str, tuple[float, float]], lo: float, hi: float
) -> None:
    names = "".join(f" + {k}[t]" for k in ranges)
    cell = read_cell(f"h[t] = tanh(h[t-1]{names})\ny[t] = {text}", "mine")
    values = {name: interval(*ends) for name, ends in ranges.items()}
    expr = cell.equations[-1].expr
    found = Enclosing(dict.fromkeys(cell.dims, 1))(expr, lambda leaf: values[leaf.name])
    assert found.lo.item() <= lo + 1e-12
    assert found.hi.item() >= hi - 1e-12
    if len(ranges) != 2 or "u[t] * u[t] +" not in text:  # which neither rule bounds exactly
        assert found.lo.item() == pytest.approx(lo, abs=1e-9)
        assert found.hi.item() == pytest.approx(hi, abs=1e-9)


@pytest.mark.parametrize("spec", ["elman", "leaky", "gru", "lstm", "lru", "minlstm", "skip"])
def test_the_box_is_left_by_no_step_and_is_not_much_too_large(spec: str) -> None:
    problem = problem_of(spec)
    box = invariant_box(problem)
    assert is_invariant(problem, box)
    reached = enclose(problem, box)
    for q in problem.derivation.cell.states:
        assert (reached[q.symbol].size.max() >= 0.9 * box[q.name].size.max()) or spec == "leaky"
    half = {k: Interval(0.2 * v.lo, 0.2 * v.hi) for k, v in box.items()}
    assert not is_invariant(problem, half)


def test_the_memory_of_an_lstm_is_bounded_by_its_forget_gate() -> None:
    problem = problem_of("lstm")
    box = invariant_box(problem)
    values = enclose(problem, box)
    named = {v.name: v for v in values}
    f, i, g = (values[named[k]] for k in ("f", "i", "g"))
    bound = i.hi * g.size / (1 - f.hi)
    assert box["c"].size == pytest.approx(bound, rel=1e-2)


def test_a_cell_that_runs_away_has_no_bounded_box() -> None:
    problem = problem_of("irnn")
    problem.fixed["W"] = 1.5 * np.eye(4)  # pyright: ignore[reportIndexIssue]
    box = invariant_box(problem)
    assert np.isinf(box["h"].hi).all()
    assert (box["h"].lo <= 0).all()


def test_without_flint_bounds_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    flint.cache_clear()
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(MissingFlintError, match="python-flint"):
        AR.function("tanh", point([[0.5]]))
    flint.cache_clear()


def test_definitions_of_a_high_degree_are_not_written_out() -> None:
    """After forty squarings there would be 2⁴⁰ factors."""
    squares = "".join(f"a{i}[t] = a{i - 1}[t] * a{i - 1}[t]\n" for i in range(2, 41))
    cell = f"h[t] = tanh(W @ h[t-1] + U @ x[t])\na1[t] = h[t] * h[t]\n{squares}s[t] = s[t-1] * a40[t]\n"
    step = Step(derive(read_cell(cell, "squares")), {})
    assert {f"a{i}" for i in range(1, 41)} - {q.name for q in step.evaluate.inline} == {
        f"a{i}" for i in range(5, 41, 5)
    }
