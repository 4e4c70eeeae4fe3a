"""Numbers written in the language: whatever is read or worked out reads back as it is."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, event, example, given
from hypothesis import strategies as st

from derive.errors import LanguageError
from derive.language import read_cell
from derive.language_numbers import spelled
from numeric.equations import equations_text

DIGITS = st.text("0123456789", min_size=1, max_size=30)


@st.composite
def literals(draw) -> str:
    """A number as the language reads it, of any length and exponent."""
    digits = draw(DIGITS)
    at = draw(st.integers(0, len(digits)))
    mantissa = f"{digits[:at]}.{digits[at:]}" if at else str(int(digits))
    exponent = draw(st.none() | st.integers(-40, 40))
    return mantissa + (f"e{exponent}" if exponent is not None else "")


@given(st.lists(st.tuples(literals(), st.sampled_from("*/+-")), min_size=1, max_size=4))
@example([("1e-30", "*")])
@example([("1e40", "*")])
@example([("1e-40", "*"), ("1e-40", "/"), ("1e40", "/")])
@example([("0.123456789012345678901234567891", "*")])
@example([("1e-40", "*")] * 7)
@example([("0.00123456789e-40", "/"), ("3e40", "/"), ("1e40", "/"), ("1e40", "/")])
@example([("1e-30", "+"), ("1", "/"), ("3e40", "/")])
def test_every_number_that_is_read_or_worked_out_reads_back(parts):
    number = "".join(f" {op} {text}" for text, op in parts)
    text = f"h[t] = tanh((7{number}) * W @ h[t-1] + x[t])"
    try:
        cell = read_cell(text, "mine")
    except LanguageError as error:  # also a product with 0, and a division by 0
        event(error.problem)
        assume(False)
    assert read_cell(equations_text(cell), "mine").equations[0].expr == cell.equations[0].expr


@given(literals(), literals())
@example("1e-40", "3e40")
@example("2727595761418342590332031250e40", "1099511627776")
@example("0.00000000000000000000000000001e-40", "100000000000000000000000000000e40")
def test_a_quotient_that_a_declaration_reads_is_written_as_one(top, bottom):
    if Fraction(bottom) == 0:
        return
    value = -Fraction(top) / Fraction(bottom)
    written = spelled(value)
    assert "*" not in written
    cell = read_cell(f"const k = {written}\nh[t] = tanh(k * W @ h[t-1])", "mine")
    assert cell.constants[0].value == value
    cell = read_cell(f"init W = {written}\nh[t] = tanh(W @ h[t-1])", "mine")
    assert cell.initial["W"].number in (value, -value)


def test_numbers_are_written_as_fractions_of_whole_numbers_while_these_are_short():
    assert [spelled(Fraction(x)) for x in ("3", "-1/2", "1e29", "1e-29")] == [
        "3", "-1/2", "1" + "0" * 29, "1/1" + "0" * 29,
    ]  # fmt: skip
    assert [spelled(x) for x in (Fraction("1e-30"), -Fraction("1e40"), Fraction("1e-35") / 3)] == [
        "1e-30", "-1e40", "1e-35/3",
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["1e40**8", "1e-40**8", "1e40**7 * 1e40"])
def test_numbers_that_no_float_comes_near_are_refused(number):
    with pytest.raises(LanguageError, match="range of floats, about 1e-308 to 1e308"):
        read_cell(f"h[t] = tanh({number} * W @ h[t-1])", "mine")
    read_cell(f"h[t] = tanh(({number}) / ({number}) * W @ h[t-1])".replace("7 * 1e40", "7"), "mine")


def test_numbers_that_make_one_of_more_digits_than_are_read_are_refused():
    long = "0.123456789012345678901234567891"
    with pytest.raises(LanguageError, match="make one of more than 30 digits") as caught:
        read_cell(f"h[t] = tanh({long} * 7 * W @ h[t-1] * {long})", "mine")
    assert "const" in caught.value.remedy
    assert caught.value.place.column == 12
    read_cell(f"const k = {long}\nh[t] = tanh(k * W @ h[t-1] * {long})", "mine")
