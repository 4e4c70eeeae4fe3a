"""What a study says of a gradient: in one sentence, and in the sentences beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.flow import Flow, flow
from numeric.growth_law import Law
from numeric.interpret import Array
from numeric.lyapunov import Growth
from numeric.setting import Setting
from numeric.source import generate
from numeric.study import study
from proofs.modules import load_source
from reports.report_study import study_section
from reports.strict import complaints, formulas
from reports.verdict import besides, is_exponential_at_least, typeset, typeset_verdict, verdict
from tests.numeric.test_growth_law import jordan, turned
from throughtime.measuring import measured

LINEAR = derive(read_cell("h[t] = W @ h[t-1] + x[t]", "linear"))
WALK = "a[t] = a[t-1] + x[t]\nb[t] = b[t-1] + a[t-1]"


def flow_of(matrix: Array, steps: int = 1000) -> Flow:
    setting = Setting(steps=steps, sizes={"n": len(matrix)})
    return flow(LINEAR, {"W": matrix}, setting)


def test_polynomial_growth_is_not_told_to_explode() -> None:
    told = verdict(flow_of(jordan(1, 2)))
    assert told == (
        "The gradient grows polynomially, not exponentially: over k steps like k^d, d = 1 exactly; "
        "it is multiplied by 2 when the lag doubles."
    )


def test_what_is_measured_alone_says_over_how_many_steps() -> None:
    told = verdict(flow_of(turned(jordan(1, 3))))
    assert told.startswith("Over 1,000 steps the gradient grows polynomially, not exponentially")
    assert "exactly" not in told
    assert besides(flow_of(turned(jordan(1, 3)))) == ()


def test_a_block_within_the_unit_circle_grows_first_and_vanishes_then() -> None:
    found = flow_of(jordan(0.9, 2))
    assert verdict(found).startswith("The gradient vanishes: λ₁ = −0.10536 ± 0.00000 per step; ")
    assert "d = 1 exactly, which outweighs it up to lag 9, it halves every 6.6 steps." in verdict(found)  # fmt: skip
    limit, way = besides(found)
    assert "like k^d ρ^k with d = 1 and ρ = 0.9" in limit
    assert way == (
        "Before that it grows: its largest singular value is 3.91 at lag 9, and is below 1 from lag 35 on."
    )


def test_the_peak_told_is_that_of_the_powers() -> None:
    matrix = turned(np.array([[0.9, 100.0], [0.0, 0.8]]))
    sizes = [np.linalg.norm(np.linalg.matrix_power(matrix, k), 2) for k in range(201)]
    peak, last = int(np.argmax(sizes)), int(np.flatnonzero(np.array(sizes) > 1)[-1])
    found = flow_of(matrix)
    assert verdict(found).startswith("The gradient vanishes: λ₁ = −0.105")
    (told,) = besides(found)
    assert f"is {max(sizes):.3g} at lag {peak}, and is below 1 from lag {last + 1} on" in told


def test_a_run_that_has_not_come_to_its_limit_is_told_beside_the_limit() -> None:
    found = flow_of(np.array([[0.999, 1.0], [0.0, 1.0]]))
    assert verdict(found).startswith("Over 1,000 steps the gradient grows polynomially")
    assert "d = 0 and ρ = 1, as the largest Jordan block there has 1 row." in besides(found)[0]


def test_growth_that_comes_to_rest_follows_no_one_law() -> None:
    matrix = turned(np.array([[0.99, 0.1], [0.0, 1.0]]))
    told = verdict(flow_of(matrix, 3000))
    assert "explodes" not in told
    assert "vanishes" not in told


def growth(rate: float, error: float, later: float) -> tuple[Growth, Law]:
    return Growth(rate, error, 300), Law("unsettled", later, 0.0002)


def test_a_rate_that_is_not_settled_and_clear_of_zero_all_along_is_exponential() -> None:
    assert is_exponential_at_least(*growth(0.0461, 0.0009, 0.0472))
    assert is_exponential_at_least(*growth(-0.0461, 0.0009, -0.0472))
    assert not is_exponential_at_least(*growth(0.0461, 0.0009, 0.0231)), "a power's rate falls"
    assert not is_exponential_at_least(*growth(0.0461, 0.0009, -0.0472))
    assert not is_exponential_at_least(*growth(0.0461, 0.0300, 0.0472))


def test_a_rate_that_may_be_anything_does_not_tell_that_the_gradient_keeps_its_size() -> None:
    """A cell that multiplies by its input: over so few steps the mean of log|x| is anywhere."""
    by_chance = derive(read_cell("h[t] = 1.9 * x[t] * h[t-1]", "by chance"))
    found = flow(by_chance, {}, Setting(steps=60, sizes={"n": 1}))
    assert abs(found.growth.rate) < 2 * found.growth.error
    told = verdict(found)
    assert told.startswith(
        "Over 60 steps the gradient neither grows nor vanishes for certain: λ₁ = "
    )
    assert "keeps its size" not in told


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0], "keeps its size"),
        (1.01 * np.eye(2), "The gradient explodes: λ₁ = 0.00995 ± 0.00000 per step; it doubles every"),
        (0.99 * np.eye(2), "The gradient vanishes: λ₁ = −0.01005 ± 0.00000 per step; it halves every"),
        (jordan(1.01, 2), "The gradient explodes: λ₁ = 0.00995"),
        (jordan(0, 3), "Over 1,000 steps the gradient becomes exactly zero."),
    ],
)  # fmt: skip
def test_other_matrices_have_the_verdicts_that_they_had(matrix: Array, says: str) -> None:
    assert says in verdict(flow_of(matrix))


def test_an_slstm_whose_normaliser_adds_up_does_not_explode() -> None:
    found = measured("slstm", Setting(steps=1000, n=12, m=6, seed=2), lambda _: None, lags=50)
    assert verdict(found.flow).startswith("Over 1,000 steps the gradient grows polynomially")


def test_a_walk_of_the_weights_is_left_open() -> None:
    cell = read_cell("a[t] = 1 * a[t-1]\nd[t] = d[t-1] + x[t] * a[t-1]", "walk")
    found = flow(derive(cell), {}, Setting(steps=1000, sizes={"n": 400}), lags=20)
    told = verdict(found)
    assert told.startswith("The gradient grows: λ₁ = ")
    assert told.endswith("whether exponentially or like a power of the lag, so short a run does not tell.")  # fmt: skip


def test_a_nilpotent_jacobian_says_after_how_many_steps_nothing_is_left() -> None:
    assert "J^k = 0 from k = 3 on" in besides(flow_of(jordan(0, 3)))[0]


@pytest.mark.parametrize("matrix", [jordan(1, 2), jordan(0.9, 2), turned(jordan(1, 3)), jordan(0, 2)])  # fmt: skip
def test_the_sentences_are_typeset(matrix: Array) -> None:
    found = flow_of(matrix)
    for text in (typeset_verdict(found), *map(typeset, besides(found))):
        assert not set("λρ±") & set(text)
        assert not complaints([(tex, False) for tex, _ in formulas(text)])


def test_the_report_tells_a_power_too_and_its_threshold_is_a_factor_two() -> None:
    derivation = derive(read_cell(WALK, "walk"))
    found = study(derivation, load_source(generate(derivation)))
    text = study_section(found).cells[0].markdown
    assert (
        "**Over 100 steps the gradient grows polynomially, not exponentially**: over $k$ steps"
        in text
        or ("grows polynomially, not exponentially**: over k steps" in text)
    )
    for value, says in (
        (0.994, "keeps its size"),
        (0.99, "vanishes"),
        (1.006, "keeps its size"),
        (1.01, "explodes"),
    ):
        derivation = derive(read_cell(f"const p = {value}\na[t] = p * a[t-1] + x[t]", "slow"))
        told = study_section(study(derivation, load_source(generate(derivation)))).cells[0].markdown
        assert (abs(math.log(value)) * 100 < math.log(2)) == ("keeps its size" in told)
        assert f"**The gradient {says}.**" in told
