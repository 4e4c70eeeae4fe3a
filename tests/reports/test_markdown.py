from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mistune import HTMLRenderer

from derive.errors import ArgumentError
from reports.markdown import (
    anchor,
    code_span,
    equation,
    escape_html,
    escape_markdown,
    render,
    table,
)
from tests.reports.specimens import EVIL


def shown(markdown: str) -> str:
    """The text a reader sees, through nbconvert's parser and a plain renderer."""
    from html import unescape
    from re import sub

    class Plain(HTMLRenderer):
        def inline_math(self, text: str) -> str:
            raise AssertionError("mathematics began")

        block_math = inline_math

        def text(self, text: str) -> str:
            return escape_html(unescape(text))

    html = render(markdown, Plain(escape=True))
    return unescape(sub(r"</?(p|code)>", "", html)).strip()


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40))
@example(EVIL)
@example("$a$")
@example("a\\")
@example("# head")
@example("- item")
@example("***")
@example("http://host/x")
@example("&amp;")
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    assert shown(f"x{escape_markdown(text)}") == "x" + " ".join(text.split())


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=30))
@example(EVIL)
@example("``")
@example("`a` b``")
def test_a_code_span_shows_any_text(text: str) -> None:
    flat = " ".join(text.split())
    assert shown(f"x {code_span(text)}") == f"x {flat}".strip()


def test_escaped_html_cannot_leave_an_attribute() -> None:
    assert escape_html("'\"<>&") == "&#x27;&quot;&lt;&gt;&amp;"


@pytest.mark.parametrize("name", ["", "7", "a b", 'a"onclick="', "é"])
def test_an_anchor_refuses_a_name_that_is_no_identifier(name: str) -> None:
    with pytest.raises(ArgumentError, match="no name for a link target"):
        anchor(name)


@pytest.mark.parametrize("latex", ["a $ b", "a\n\nb", "$$"])
def test_an_equation_refuses_what_would_end_it(latex: str) -> None:
    with pytest.raises(ArgumentError, match="dollar sign or a blank line"):
        equation(latex, 1)


def test_a_numbered_equation_carries_its_target_and_its_tag() -> None:
    assert equation("a = b", "7a") == '<a id="eq-7a"></a>\n\n$$\na = b\n\\tag{7a}\n$$'


def test_a_table_keeps_bars_in_text_code_and_mathematics() -> None:
    text = table(["name"], [["a|b"], ["`c|d`"], [r"$\|x\| + |y|$"]])
    assert text.splitlines()[2:] == [
        r"| a\|b |",
        r"| `c\|d` |",
        r"| $\Vert x\Vert  + \vert y\vert $ |",
    ]


def test_a_table_refuses_a_row_of_another_length() -> None:
    with pytest.raises(ArgumentError, match=r"Row 2 .* has 1 cells; the header has 2"):
        table(["a", "b"], [["1", "2"], ["3"]])


def test_what_belongs_on_one_line_stays_there_in_a_table() -> None:
    assert "n\u00a0=\u00a03, T\u00a0=\u00a05 |" in table(
        ["a"], [[" n\u00a0=\u00a03,\n T\u00a0=\u00a05 "]]
    )
