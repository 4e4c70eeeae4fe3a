from __future__ import annotations

from functools import cache

import pytest

from derive import catalog
from derive.derivation import derive
from reports.texlines import LINE, broken, width


@cache
def formulas() -> tuple[str, ...]:
    found = (derive(catalog.load(entry.name)).steps for entry in catalog.shipped())
    return tuple(step.latex for steps in found for step in steps)


def test_broken_lines_joined_are_the_formula() -> None:
    for formula in formulas():
        assert "".join(broken(formula)).replace(" ", "") == formula.replace(" ", "")


def test_braces_and_sized_brackets_stay_on_one_line() -> None:
    for formula in formulas():
        for line in broken(formula, 20):
            assert line.count("{") == line.count("}")
            assert line.count(r"\left") == line.count(r"\right")


def test_what_fits_stays_on_one_line_and_the_rest_is_nearly_always_broken() -> None:
    wide = [line for formula in formulas() for line in broken(formula) if width(line) > LINE]
    assert all(len(broken(f)) == 1 for f in formulas() if width(f) <= LINE)
    assert sum(width(f) > LINE for f in formulas()) > 20
    assert len(wide) < 12


def test_a_break_stands_as_near_the_outside_as_it_can() -> None:
    formula = "y = (a + b) + c \\, (d + e)"
    assert broken(formula, width("y = (a + b) + c \\, (d")) == ("y = (a + b)", "+ c \\, (d + e)")


@pytest.mark.parametrize(
    ("wider", "narrower"),
    [
        ("W x + b", "W_x + b"),
        (r"\tanh(a)", r"\alpha(a)"),
        (r"\frac{a + b + c}{d} x x", r"\frac{a + b}{d} x x"),
    ],
)
def test_width_knows_indices_words_and_fractions(wider: str, narrower: str) -> None:
    assert width(wider) > width(narrower)
