from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.source import generate
from proofs.dynamics import draw_long, growth, keeps_digits, stepwise
from proofs.gradient_checks import long_run_strong
from proofs.modules import Code, load_source
from proofs.point import Extent
from proofs.samples import Sample, draw
from proofs.subject import Subject
from tests.proofs.specimens import EVERY, derivation_of, source_of

BOUND = 1e-8


def chaotic(gain: float, steps: int, size: int = 40, seed: int = 2) -> Sample:
    """An Elman network of this gain, with small inputs: chaotic for gains well above 1."""
    cell = derivation_of("elman").cell
    sizes = dict(zip(cell.dims, (size, 3), strict=True))
    return draw(cell, Extent(sizes, steps, 2), seed, gain=gain, vectors=0.05)


def elman_with(old: str, new: str) -> Code:
    source = source_of("elman")
    assert old in source
    return Code(load_source(source.replace(old, new)))


@pytest.mark.parametrize(("gain", "steps"), [(2.0, 120), (2.4, 200)])
def test_right_gradients_of_chaotic_runs_are_accepted(gain: float, steps: int) -> None:
    sample = chaotic(gain, steps)
    assert not growth(sample).leaves_digits, "the run must be one that differences cannot judge"
    found = stepwise(Code(load_source(source_of("elman"))), sample, BOUND)
    assert found.worst < BOUND
    assert found.wrong_steps == ()


@pytest.mark.parametrize(("gain", "steps"), [(2.0, 120), (2.4, 200)])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.0 - h[t] ** 2", "1.0 + h[t] ** 2"),
        ("1.0 - h[t] ** 2", "1.0 - h[t]"),
        ("delta_h[t] @ W", "delta_h[t] @ W.T"),
        ("h_bar_prev[t] += delta_h[t] @ W", "h_bar_prev[t] += (delta_h[t] @ W) * (t > 3)"),
        ("outer_sum(delta_h, h_prev)", "outer_sum(delta_h, h)"),
        ("x_bar = product(delta_h, U.T)", "x_bar = 0.999 * product(delta_h, U.T)"),
    ],
)
def test_one_wrong_term_in_a_chaotic_run_is_refused(
    gain: float, steps: int, old: str, new: str
) -> None:
    assert stepwise(elman_with(old, new), chaotic(gain, steps), BOUND).worst > BOUND


def test_a_gradient_cut_off_after_three_steps_is_refused() -> None:
    code = elman_with(
        "h_bar_prev[t] += delta_h[t] @ W", "h_bar_prev[t] += (delta_h[t] @ W) * (t >= T - 3)"
    )
    found = stepwise(code, chaotic(2.0, 60), BOUND)
    assert found.worst > BOUND


def test_a_wrong_step_is_named() -> None:
    """The forward pass is off at one step only: single steps started there say so."""
    found = stepwise(elman_with("1.0 - h[t] ** 2", "1.0 - h[t] ** 3"), chaotic(2.0, 20), BOUND)
    assert found.wrong_steps == tuple(range(1, 21))


def test_growth_of_a_linear_cell_is_its_matrix_power() -> None:
    cell = read_cell("h[t] = a * h[t-1] + x[t]", "linear")
    sizes = dict.fromkeys(cell.dims, 3)
    sample = draw(cell, Extent(sizes, 50, 2), 0)
    sample = replace(sample, values={**sample.values, ("a", None): np.full((3, 1), 1.5)})
    found = growth(sample)
    assert found.exponent == pytest.approx(np.log(1.5), rel=1e-12)
    assert found.largest == pytest.approx(1.5**50, rel=1e-9)
    assert found.leaves_digits is (1.5**50 * 2.2e-16 < 1e-8)


@pytest.mark.parametrize("name", ["lstm", "skip", "two_states", "matrix_state", "autonomous"])
def test_steps_joined_together_are_the_whole_backward_pass(name: str) -> None:
    cell = derivation_of(name).cell
    sizes = {d: 4 + i for i, d in enumerate(cell.dims)}
    sample = draw_long(cell, Extent(sizes, 12, 2), 0, 1.0)
    assert sample is not None
    assert stepwise(Code(load_source(source_of(name))), sample, BOUND).worst < BOUND


@pytest.mark.parametrize("name", EVERY)
def test_the_equations_of_a_run_that_stays_small_keep_their_digits(name: str) -> None:
    """Whatever lags, inputs at earlier steps and matrix states a cell has: else wrong files would be let off."""
    derivation = derivation_of(name)
    sizes = {d: 4 + i for i, d in enumerate(derivation.cell.dims)}
    sample = draw_long(derivation.cell, Extent(sizes, 6, 2), 0, 0.5)
    assert sample is not None
    assert keeps_digits(derivation, sample, 1e-10)


LEARNER = """dim B = n, p
a[t] = tanh(A[t-1] @ k[t])
e[t] = B[t-1] @ a[t] - v[t]
d[t] = (B[t-1].T @ e[t]) * (1 - a[t]**2)
B[t] = B[t-1] - 0.1 * e[t] @ a[t].T
A[t] = A[t-1] - 0.1 * d[t] @ k[t].T
y[t] = B[t] @ tanh(A[t] @ k[t])
"""
SQUARES = """dim f = 1
f[t] = sigmoid(w @ x[t] + b)
g[t] = R[t-1] @ x[t] / (f[t] + x[t].T @ R[t-1] @ x[t])
R[t] = (R[t-1] - g[t] @ (x[t].T @ R[t-1])) / f[t]
y[t] = R[t] @ x[t]
"""


@pytest.mark.parametrize(("text", "given"), [(LEARNER, "k"), (SQUARES, "x")])
def test_a_run_without_digits_is_left_for_a_smaller_one_and_a_wrong_file_is_seen_there(
    text: str, given: str
) -> None:
    """Recursive least squares and gradient descent within a step: saturated, or as large as 1e46, no file is exact."""
    derivation = derive(read_cell(text, "learner"))
    source, end = generate(derivation), "    inputs_bar = {"
    broken = source.replace(end, f"    {given}_bar = 1.001 * {given}_bar\n{end}", 1)
    assert long_run_strong(Subject(derivation, Code(load_source(source)), 0)).verdict == "holds"
    assert not long_run_strong(Subject(derivation, Code(load_source(broken)), 0)).ok
