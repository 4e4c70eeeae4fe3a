"""Long statements over several lines: the same statements."""

from __future__ import annotations

import ast

import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.long_lines import LONGEST, broken
from numeric.source import generate

A, B = "a" * 60, "b" * 60
CASES = {
    f"x = {A} + {B}": ["x = (", f"    {A}", f"    + {B}", ")"],
    f"    x[t] += -f({A} + 1) - {B}[t - 1]": [
        "    x[t] += (", f"        -f({A} + 1)", f"        - {B}[t - 1]", "    )",
    ],
    f"x = ({A} + {B}) * c": ["x = (", f"    ({A} + {B})", "    * c", ")"],
    f"x = f({A}, {B})": [f"x = f({A}, {B})"],
    f"for x in {A}, {B}:": [f"for x in {A}, {B}:"],
    "x = a + b": ["x = a + b"],
}  # fmt: skip


@pytest.mark.parametrize("line", CASES)
def test_a_long_statement_has_a_line_for_each_term(line):
    assert broken(line) == CASES[line]


def test_the_note_stands_behind_the_first_line():
    assert broken(f"x = {A} + {B}", "  # (7)")[0] == "x = (  # (7)"


def test_a_comment_that_looks_like_arguments_is_left_whole():
    line = f"    add({A}, {B}, stop == T)"
    assert broken(f"{line}  # (20), (22)") == [
        "    add(  # (20), (22)", f"        {A},", f"        {B},", "        stop == T,", "    )",
    ]  # fmt: skip


def test_what_is_broken_says_the_same():
    text = "h[t] = " + " + ".join(
        f"tanh(W_{i} @ h[t-1] + U_{i} @ x[t] + b_{i}) * p_{i}" for i in range(6)
    )
    source = generate(derive(read_cell(text, "long")))
    stored = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Assign | ast.AugAssign))
    assert max(len(source.splitlines()[n.lineno - 1]) for n in stored) <= LONGEST
    lines = [line for line in CASES if not line.startswith("for")]
    for line in lines:
        whole, parts = ast.parse(line.strip()), ast.parse("\n".join(broken(line)).strip())
        assert ast.dump(whole) == ast.dump(parts)
