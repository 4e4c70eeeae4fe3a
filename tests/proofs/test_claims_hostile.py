"""Claims that nobody in good faith would write: a clear answer, at once, and no internal error."""

from __future__ import annotations

import pytest

from derive.errors import ThroughtimeError
from proofs.claims.court import audit
from proofs.claims.verdict import MEANINGLESS, PROVED, REFUTED, UNDECIDED

ELMAN = "cell elman\nloss sum over t\nclaim : dL/dW == "

REFUSED = {
    "nothing": ("", "holds no claim"),
    "a letter": ("Dear Sir,\nplease check this.\n", "Dear"),
    "a zero byte": ("cell elman\nclaim : W == \0W\n", r"U\+0000 cannot be seen"),
    "an escape code": ('cell elman\nclaim "\x1b[31mred" : W == W\n', r"U\+001B cannot be seen"),
    "a right-to-left mark": (ELMAN + "W \u202e@ W\n", r"U\+202E cannot be seen"),
    "a blank of no width": (ELMAN + "W\u200b\n", r"U\+200B cannot be seen"),
    "a Cyrillic letter": (ELMAN + "\u0425 @ W\n", "has no meaning in a claim"),
    "brackets without end": (ELMAN + "(" * 3000 + "W" + ")" * 3000 + "\n", "nested|too long"),
    "signs without end": (ELMAN + "-" * 3000 + "W\n", "nested|names, numbers and operators"),
    "a tower of powers": ("claim : 9**9**9**9 == 1\n", r"\*\*"),
    "a number of many digits": ("claim : " + "9" * 1500 + " == 1\n", "This number is too long"),
    "a product without end": (ELMAN + "product(j, 1..1000000000, W)\n", "too far"),
    "sums without end": (
        ELMAN + "".join(f"sum(k{i}, 1..T, " for i in range(20)) + "W" + ")" * 20 + "\n",
        "6 sums and products stand within one another; at most 5",
    ),
    "a text without end": (ELMAN + "W\n" * 60_000, "the text has 120,0.. characters; at most 100,000"),
    "a line without end": (ELMAN + "W + " * 2000 + "W\n", "it has 8,0.. characters; at most 4,000"),
    "claims without end": (
        "cell elman\n" + "claim : W == W\n" * 301,
        "More than 300 claims: at most that many",
    ),
    "a step far off": (ELMAN + "h[t-100000000]\n", "too far|at most"),
    "code": (ELMAN + '__import__("os").system("id")\n', "__import__|has no meaning"),
    "an attribute": (ELMAN + "W.__class__\n", "__class__|has no meaning|Only .T"),
    "a cell that does not exist": ("cell nosuch\nclaim : 1 == 1\n", "nosuch"),
    "a cell in a circle": ("cell\n    a[t] = b[t]\n    b[t] = a[t]\nclaim : a[t] == b[t]\n", "a|b"),
    "a colon after cell": ("cell: elman\nclaim : 1 == 1\n", "No colon follows cell.\n.*`cell elman`"),
    "no cell": ("claim : dL/dW == W\n", "dL"),
    "half an equation": ("cell elman\nclaim : W ==\n", "claim"),
    "two equations": ("cell elman\nclaim : W == W == W\n", "=="),
    "a condition that does not exist": ("cell elman\nclaim given moon = cheese : W == W\n", "moon"),
    "a loss that is called as a quantity": (
        "cell\n    L[t] = tanh(W @ L[t-1])\nloss sum over t\nclaim : dL/dW == W\n",
        "The loss would be called L",
    ),
    "a file that LaTeX would read": ("cell elman\nclaim : $\\input{/etc/passwd} = 1$\n", "input"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_nonsense_is_refused_with_what_and_where(what: str) -> None:
    text, said = REFUSED[what]
    with pytest.raises(ThroughtimeError, match=said) as found:
        audit(text, "hostile.claims")
    assert found.value.exit_code == 4
    assert found.value.remedy


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("log(0) == 1", "no real number"),
        ("sqrt(-1) == 1", "no real number"),
        ("1/0 == 1", "has no value"),
        ("exp(exp(exp(exp(5)))) == 1", "has no value"),
        ("exp(exp(exp(exp(exp(1))))) == 1", r"beyond 2^±100,000"),
        ("(((2**64)**64)**64)**64 == 1", r"beyond 2^±100,000"),
    ],
)
def test_numbers_that_are_none_mean_nothing(claim: str, reason: str) -> None:
    (verdict,) = audit(f"claim : {claim}\n", "numbers").verdicts
    assert verdict.kind == MEANINGLESS
    assert reason in verdict.reason


def test_a_sum_over_nothing_and_powers_beyond_reach_mean_nothing() -> None:
    for formula in ("sum(k, 5..2, dL/dh[k])", "h[t]**999999999", "h[t]**-99999"):
        (verdict,) = audit(ELMAN + formula + "\n", "hostile").verdicts
        assert verdict.kind == MEANINGLESS, formula
        assert verdict.place is not None


def test_a_formula_equal_to_itself_is_proved_and_a_number_for_a_gradient_refuted() -> None:
    assert audit(ELMAN + "dL/dW\n", "same").verdicts[0].kind == PROVED
    assert audit(ELMAN + "7\n", "seven").verdicts[0].kind == REFUTED


def test_a_cell_of_many_states_is_judged() -> None:
    """Sizes do not grow with the number of dimensions."""
    lines = [f"    a{i}[t] = tanh(W{i} @ a{i}[t-1] + U{i} @ x[t])" for i in range(14)]
    text = "cell\n" + "\n".join(lines) + "\nloss sum over t\nclaim : dL/dW0 == W0\n"
    (verdict,) = audit(text, "many").verdicts
    assert verdict.kind == REFUTED


def test_shapes_are_told_by_the_names_of_dimensions() -> None:
    (verdict,) = audit("cell lstm\nclaim : dL/dW_f == dL/dc[t] @ x[t].T\n", "shapes").verdicts
    assert verdict.reason == "the left side has shape (n, n), the right side (n, m)"


def test_the_place_of_a_claim_on_its_own_line_is_that_line() -> None:
    (verdict,) = audit(
        'cell lstm\nclaim "a: b" :\n    dL/dW_f == dL/dc[t] @ x[t].T\n', "x"
    ).verdicts
    assert verdict.place is not None
    assert (verdict.place.column, verdict.place.width) == (4, len("dL/dW_f == dL/dc[t] @ x[t].T"))


def test_what_holds_only_modulo_the_prime_is_not_proved() -> None:
    """Fermat: x to the power p + 1 is x² modulo p, and 2¹²⁷ is p + 1 for a prime of 127 bits."""
    tower = raised("x[t]", [32] * 25 + [4])
    (verdict,) = audit(f"cell elman\nclaim : x[t]**2 == {tower}\n", "f").verdicts
    assert verdict.kind == REFUTED


def raised(power: str, exponents: list[int]) -> str:
    for k in exponents:
        power = f"({power})**{k}"
    return power


def test_powers_that_no_prime_decides_are_left_undecided() -> None:
    left, right = raised("x[t]", [32] * 25 + [4]), raised("x[t]", [4] + [32] * 25)
    (verdict,) = audit(f"cell elman\nclaim : {left} == {right}\n", "f").verdicts
    assert verdict.kind == UNDECIDED
    assert "prime of 127 bits is too large" in verdict.reason
    assert "smaller powers" in verdict.reason


@pytest.mark.parametrize("wide", ["    dim h = 1000000\n", "    dim h = 300\n"])
def test_a_claim_on_a_cell_of_absurd_size_is_left_undecided_at_once(wide: str) -> None:
    text = (
        f"cell\n{wide}    h[t] = tanh(W @ h[t-1] + U @ x[t])\nloss sum over t\nclaim : dL/dW == W\n"
    )
    (verdict,) = audit(text, "wide").verdicts
    assert verdict.kind == UNDECIDED
    assert "too large" in verdict.reason
    assert "at most 3.0e+08" in verdict.reason
