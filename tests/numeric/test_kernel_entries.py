"""Loops over entries: whatever is written in place, they compute what the operations compute one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integer, Rational, symbols

from derive.expressions import Timed
from numeric.kernel_entries import Words, entry_lines
from numeric.operations import Op
from tests.generated import module_of

N = symbols("n", integer=True, positive=True)
VALUES = [Timed(name, 0, N, 1) for name in ("a", "b", "c", "·1", "·2")]
ARITHMETIC = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "tanh": np.tanh,
    "copy": lambda x: x,
}
WORDS = Words(
    row=lambda v: f"{_word(v)}_row",
    scalar=lambda v, k: f"{_word(v)}_{k}",
    constant=lambda c, exponent: repr(float(c)) if not exponent else str(int(c)),
    call=lambda f: f,
    index="j",
)


def _word(value: Timed) -> str:
    return value.name.replace("·", "r")


def lines_of(ops: list[Op]) -> list[str]:
    return entry_lines(ops, lambda v: not v.name.startswith("·"), WORDS)


@st.composite
def operations(draw: st.DrawFn) -> list[Op]:
    out = []
    for _ in range(draw(st.integers(1, 8))):
        function = draw(st.sampled_from(sorted(ARITHMETIC)))
        some = st.sampled_from([*VALUES, Rational(1, 2), Integer(3)])
        args = tuple(draw(some) for _ in range(1 if function in ("tanh", "copy") else 2))
        out.append(Op(function, draw(st.sampled_from(VALUES)), args))
    return out


@given(operations())
def test_a_loop_leaves_in_every_kept_row_what_the_operations_leave_there(ops):
    rng = np.random.default_rng(0)
    rows = {_word(v): rng.standard_normal(3) for v in VALUES}
    expected = {name: row.copy() for name, row in rows.items()}
    for op in ops:
        args = [expected[_word(a)] if isinstance(a, Timed) else float(a) for a in op.args]
        expected[_word(op.target)] = np.broadcast_to(ARITHMETIC[op.function](*args), 3).copy()
    head = ["from numpy import tanh", f"def entry(j, {', '.join(f'{k}_row' for k in rows)}):"]
    text = "\n".join([*head, *(f"    {line}" for line in [*lines_of(ops), "return"])])
    entry = module_of(text).entry
    for j in range(3):
        entry(j, *rows.values())
    for v in VALUES[:3]:
        assert np.array_equal(rows[v.name], expected[v.name]), (v.name, text)


def test_what_is_used_once_is_part_of_the_expression_that_uses_it():
    a, b, c, r, q = VALUES
    ops = [Op("multiply", r, (a, b)), Op("add", q, (a, c)), Op("subtract", c, (r, q), (7,))]
    assert lines_of(ops) == [
        "a_0 = a_row[j]",
        "c_0 = a_0 * b_row[j] - (a_0 + c_row[j])  # (7)",
        "c_row[j] = c_0",
    ]


@pytest.mark.parametrize("dead", [True, False])
def test_what_nothing_reads_is_not_computed(dead):
    a, b, _, r, _ = VALUES
    ops = [Op("tanh", r if dead else b, (a,))]
    assert lines_of(ops) == ([] if dead else ["b_row[j] = tanh(a_row[j])"])
