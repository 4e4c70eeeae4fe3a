"""Long equations are broken between their terms, and say the same."""

from __future__ import annotations

import re

import pytest

from derive.catalog import load, shipped
from derive.derivation import derive
from reports.report_lines import broken, terms, width


def test_a_short_equation_stays_as_it_is() -> None:
    assert broken(r"a = b + c") == r"a = b + c"


def test_a_long_sum_is_broken_between_its_terms() -> None:
    assert broken("a = (b + c) x + d - e", limit=8) == (
        "\\begin{aligned}\na &= (b + c) x \\\\\n&\\quad {}+ d - e\n\\end{aligned}"
    )


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"a + b - c", ["a", " + b", " - c"]),
        (
            r"\left|a + b\right| + \left(c - d\right)",
            [r"\left|a + b\right|", r" + \left(c - d\right)"],
        ),
        (
            r"\frac{a + b}{c} + \left[a;\, b + c\right]",
            [r"\frac{a + b}{c}", r" + \left[a;\, b + c\right]"],
        ),
        (r"-a + \mathbb{1}\left[x > 0\right]", ["-a", r" + \mathbb{1}\left[x > 0\right]"]),
    ],
)
def test_signs_inside_brackets_do_not_count(latex: str, parts: list[str]) -> None:
    assert terms(latex) == parts


@pytest.mark.parametrize("name", [entry.name for entry in shipped()])
def test_breaking_changes_nothing_but_the_lines(name: str) -> None:
    for step in derive(load(name)).steps:
        text = broken(step.latex, limit=40)
        joined = re.sub(r" \\\\\n&\\quad \{\}", " ", text).replace("&=", "=")
        joined = joined.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
        assert joined == step.latex


def test_commands_are_not_as_wide_as_they_are_written() -> None:
    assert width(r"\operatorname{diag}(\bar{h}_{t})") == len("diag(ht)")
