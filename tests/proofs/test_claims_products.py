"""Products without a sign: linear maps one after the other, or arrays as they stand on the page."""

from __future__ import annotations

import pytest

from proofs.claims.printing import show
from proofs.claims.verdict import CONDITIONAL, LAYOUT, PROVED
from tests.proofs.test_claims import verdict

B = r"\frac{\partial L}{\partial b}"
W = r"\frac{\partial L}{\partial W}"
H = r"\frac{\partial L}{\partial h_t}"
NEXT = r"\frac{\partial L}{\partial h_{t+1}}"
STEP = r"\frac{\partial h_{t+1}}{\partial h_t}"
OWN = r"\frac{\partial L_t}{\partial h_t}"
SLOPE = r"\mathrm{diag}(1-h_t^2)"


@pytest.mark.parametrize(
    "claim",
    [
        rf"${B} = \sum_t {SLOPE} {H}$",
        rf"${W} = \sum_t {SLOPE} {H} h_{{t-1}}^\top$",
        rf"${H} = W^\top \mathrm{{diag}}(1-h_{{t+1}}^2) {NEXT} + {OWN}$",
        rf"${H} = ({STEP})^\top {NEXT} + {OWN}$",
        "dL/dh[t-1] == W.T · (dL/dh[t] · slope(h[t])) + d+L/dh[t-1]",
        "dL/dh[t-1] == W.T · (slope(h[t]) · dL/dh[t]) + d+L/dh[t-1]",
        rf"${H} = {NEXT} {STEP} + {OWN}$",
        rf"${W} = \sum_t {H} \frac{{\partial h_t}}{{\partial W}}$",
    ],
)
def test_gradients_of_textbooks_are_proved_as_they_are_set(claim: str) -> None:
    assert verdict(claim, "cell elman").kind == PROVED


@pytest.mark.parametrize(
    "claim",
    [
        rf"${B} = \sum_t {H} {SLOPE} W$",
        rf"${H} = W \mathrm{{diag}}(1-h_{{t+1}}^2) {NEXT} + {OWN}$",
        rf"${W} = \sum_t {SLOPE} {H} h_t^\top$",
    ],
)
def test_wrong_ones_are_not_excused_by_either_reading(claim: str) -> None:
    assert verdict(claim, "cell elman").kind not in (PROVED, LAYOUT)


def test_a_chain_rule_of_another_layout_is_translated() -> None:
    told = verdict(rf"${H} = {STEP} {NEXT}$", "cell elman", "loss last step")
    assert told.kind == LAYOUT
    assert told.translation == "dL/dh[t] == (dh[t+1]/dh[t]).T @ dL/dh[t+1]"


def test_the_missing_factor_of_a_slide_is_named() -> None:
    told = verdict(rf"${W} = \sum_{{t=1}}^{{T}} {H} h_{{t-1}}^\top$", "cell elman")
    assert told.kind == CONDITIONAL
    assert told.conditions == ("linear",)
    assert told.repair is not None
    assert show(told.repair.formula) == "dL/dW == sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)"
