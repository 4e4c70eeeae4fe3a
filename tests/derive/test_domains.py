"""The domain of what is given: found by carrying demands back, and never claimed where it is not known."""

from __future__ import annotations

import numpy as np
import pytest

from derive.domains import domains_of
from derive.language import read_cell
from derive.quantities import quantities_text
from tests.networks import read

H = "h[t] = tanh(W @ h[t-1] + x[t]) + "
FOUND = {
    "log(b)": "b > 0",
    "log(1 - p[t]) * d[t] + log(p[t])": "0 < p < 1",
    "sqrt(1 - r[t]**2)": "-1 < r < 1",
    "log(3 * p[t] - 6)": "p > 2",
    "log(p[t] ** 3) + sqrt(-q[t])": "p > 0; q < 0",
    "log(exp(a) * p[t])": "p > 0",
    "log(exp(a) - 1)": "a > 0",
    "log(1 / p[t])": "p > 0",
    "log(relu(p[t]))": "p > 0",
    "log(tanh(p[t]) + sigmoid(a))": "p > 0 (enough)",
    "log(p[t]**2 + p[t])": "p > 0 (enough)",
    "log(2 + p[t])": "p > -2",
    "log(a * p[t])": "a > 0 (enough); p > 0 (enough)",
    "sqrt(P @ q[t])": "P > 0 (enough); q > 0 (enough)",
    "log(mean(p[t]))": "p > 0 (enough)",
    "log(1 + p[t] + q[t])": "p > -0.5 (enough); q > -0.5 (enough)",
    "log(abs(q[t]) - 2)": "q > 2 (enough)",
    "log(logsumexp(p[t]))": "p > 0 (enough)",
    "x[t] / b": "b != 0",
    "q[t] ** -2": "q != 0",
    "log(2 - q[t]) / q[t]": "q < 2, q != 0",
    "log(1 + a**2) + log(softplus(a)) + sqrt(1 - tanh(a)**2) + log(softmax(a))": "",
    "sqrt(exp(a)) / (1 + a)": "",
}


def told(text: str) -> tuple[str, tuple[str, ...]]:
    found = domains_of(read_cell(text))
    names = (d.text(n) + ("" if d.needed else " (enough)") for n, d in sorted(found.of.items()))
    return "; ".join(names), found.open


@pytest.mark.parametrize("value", FOUND)
def test_a_demand_is_carried_back_to_what_is_given(value: str) -> None:
    assert told(H + value) == (FOUND[value], ())


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("log(sin(q[t]))", "sin(q[t])"),
        ("log(q[t] - p[t]) + log(p[t])", "q[t] - p[t]"),
        ("log(-1 - q[t]**2)", "-q[t]**2 - 1"),
        ("log(1 - 2 * softmax(q[t]))", "1 - 2 * softmax(q[t])"),
    ],
)
def test_what_is_not_known_stays_open_and_leaves_no_demand_behind(value: str, left: str) -> None:
    found, open_ = told(H + value)
    assert "q" not in found
    assert len(open_) == 1
    assert left in open_[0] or value.startswith("log(-1")
    assert open_[0] in domains_of(read_cell(H + value)).told()


def test_a_recurrence_is_positive_by_induction_from_its_start() -> None:
    text = "n[t] = sigmoid(a[t]) * n[t-1] + exp(k[t])\ny[t] = log(n[t]) + sqrt(n[t-1])"
    assert told(text) == ("n > 0", ())
    assert told("h[t] = h[t-1] * log(x[t]) + log(h[t-1])") == ("x > 0", ("h[t-1]",))


def test_a_demand_passes_from_segment_to_segment() -> None:
    network = read("""
        ragged s
        q[s] = 2 * p[s]
        L[end] = log(columns(q[s]))
        f = scan(elman, x[t])
        z[end] = sqrt(w[end])
        a[t] = softmax(L[end].T @ (W @ f.h[t]))
        y[t] = L[end] @ a[t] + z[end]
    """)
    found = domains_of(network)
    assert {name: d.text(name) for name, d in found.of.items()} == {"p": "p > 0", "w": "w > 0"}
    assert found.open == ()


def test_the_list_of_quantities_says_what_is_needed() -> None:
    text = quantities_text(read_cell(H + "log(p[t]) + sqrt(P @ q[t]) + log(sin(u[t]))"))
    assert text.endswith(
        "  needed      p > 0\n  enough      q > 0; P > 0\n  open        sin(u[t]) > 0\n"
    )


def test_the_search_is_not_nested_as_deep_as_the_equations_follow_one_another() -> None:
    lines = ["y1[t] = p[t] * 2", *(f"y{i}[t] = y{i - 1}[t] * 2" for i in range(2, 61))]
    text = "\n".join([*lines, "h[t] = h[t-1] + log(y60[t])"])
    assert told(text) == ("p > 0", ())


def test_within_its_domains_every_cell_has_a_value() -> None:
    from proofs.floats import Floats
    from proofs.point import Extent
    from proofs.samples import draw, reference

    for value in FOUND:
        cell = read_cell(H + value)
        for seed in range(3):
            sample = draw(cell, Extent(dict.fromkeys(cell.dims, 3), 4, 5), seed)
            arithmetic = Floats()
            values = reference(sample, arithmetic).values.values()
            assert all(np.all(np.isfinite(v)) for v in values), value
            assert arithmetic.margin > 1e-6, value


def test_what_is_asked_of_what_is_given_is_told_in_words() -> None:
    found = domains_of(read_cell(H + "log(p[t]) + sqrt(P @ q[t]) / r"))
    assert found.words() == "p > 0 and r != 0 are needed; q > 0 and P > 0 are enough"
    assert found.words(lambda name: f"${name}$", r"\neq").startswith(r"$p$ > 0 and $r$ \neq 0 are")
    assert domains_of(read_cell(H + "b")).words() == ""
    assert domains_of(read_cell(H + "log(b)")).words() == "b > 0 is needed"
