"""Complex steps by every entry, in one run or in many, and along directions where entries are very many."""

from __future__ import annotations

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.source import generate
from proofs import complex_steps
from proofs.complex_steps import looked_at, probes
from proofs.differences import (
    complex_step_gradient,
    complex_step_slopes,
    probed_gradient,
    random_directions,
)
from proofs.gradient_checks import complex_step
from proofs.modules import Code, load_source
from proofs.smallest import prove_smallest
from proofs.subject import Subject

WIDE = derive(read_cell("dim x = 1500\nh[t] = tanh(W @ h[t-1] + U @ x[t] + b)", "wide"))
SOURCE = generate(WIDE)
ENDS = "    params_bar = {"
SUBJECT = Subject(WIDE, Code(load_source(SOURCE)), 0)


def test_few_runs_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    gru = derive(read_cell("h[t] = tanh(W @ h[t-1] + U @ x[t] + b)", "my"))
    subject = Subject(gru, Code(load_source(generate(gru))), 0)
    sample = subject.sample("few", subject.extent("few"))
    directions = random_directions(sample, 0)
    whole, along = complex_step_gradient(sample), complex_step_slopes(sample, directions)
    monkeypatch.setattr(complex_steps, "TOGETHER", 150)
    for place, value in complex_step_gradient(sample).items():
        assert np.allclose(value, whole[place], rtol=1e-14, atol=0)
    assert complex_step_slopes(sample, directions) == pytest.approx(along, rel=1e-14)


def test_a_large_place_is_looked_at_along_directions_that_say_what_its_entries_say() -> None:
    sample = SUBJECT.sample("large", SUBJECT.extent("large", steps=1, samples=1))
    every, probed = complex_step_gradient(sample), probed_gradient(sample)
    assert probed["U", None].shape == (len(probes(*sample.values["U", None].shape)), 1)
    assert every["W", None].shape == probed["W", None].shape
    for place, value in looked_at(every).items():
        assert np.allclose(value, probed[place], rtol=1e-9, atol=1e-12)


def test_the_directions_leave_no_entry_out() -> None:
    for shape in ((3, 1500), (2000, 1), (1, 5000), (400, 300)):
        seen = np.zeros(shape)
        for r, c, direction in probes(*shape):
            seen[r, c] += np.abs(direction)
        assert np.all(seen > 0)
    assert not probes(20, 50)


@pytest.mark.parametrize(
    "line",
    [
        "U_bar[0, -1] *= 2",
        "U_bar[1, 777] *= 1.001",
        "U_bar[:, 64:] = U_bar[:, :-64]",
        "U_bar[:, 1024:] *= 1 + 1e-7",
        "x_bar[0, 0, 700] += 1e-6",
        "x_bar[..., ::-1] = x_bar.copy()",
    ],
)
def test_what_is_wrong_in_a_large_gradient_is_seen(line: str) -> None:
    right = complex_step(SUBJECT)
    assert right.verdict == "holds"
    assert "directions in" in right.note
    wrong = SOURCE.replace(ENDS, f"    {line}\n{ENDS}", 1)
    assert complex_step(Subject(WIDE, Code(load_source(wrong)), 0)).verdict == "fails"


def test_sympys_derivative_of_very_many_entries_goes_along_directions() -> None:
    derivation = derive(read_cell("dim x = 250\nh[t] = tanh(W @ h[t-1] + U @ x[t])", "wide"))
    found = prove_smallest(derivation)
    assert found.ok
    assert found.compared < 10
