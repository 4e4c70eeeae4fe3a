"""What no step changes, in generated code: computed once before the steps, with gradients as torch finds them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.additions import Additions, generate_with
from numeric.scan_source import generate_scan
from numeric.schedule import program
from numeric.source import generate
from proofs.verification import verify
from tests.generated import module_of

TEXT = (
    "r = exp(-exp(nu))\nA = W - W.T\nM = P @ Q\nq = 2 * r + b\n"
    "h[t] = r * h[t-1] + tanh(A @ h[t-1] + M @ x[t] + b * q)\ny[t] = V @ h[t] + A @ q\n"
)
KINDS = {
    "readable": Additions(),
    "fast": Additions(speed=True),
    "small": Additions(size=True),
    "compiled": Additions(compiled=True),
    "portable": Additions(portable=True),
}


def by_torch(params, x, h, weights):
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: make frameworks installs it"
    )
    p = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    given = torch.tensor(x, requires_grad=True)
    first = state = torch.tensor(h, requires_grad=True)
    r, A, M = torch.exp(-torch.exp(p["nu"])), p["W"] - p["W"].T, p["P"] @ p["Q"]
    q, loss = 2 * r + p["b"], 0.0
    for t in range(len(x)):
        state = r * state + torch.tanh(state @ A.T + given[t] @ M.T + p["b"] * q)
        y = state @ p["V"].T + A @ q
        loss = loss + (torch.tensor(weights["h"][t]) * state).sum()
        loss = loss + (torch.tensor(weights["y"][t]) * y).sum()
    loss.backward()
    return {k: v.grad.numpy() for k, v in p.items()}, given.grad.numpy(), first.grad.numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradients_are_torchs(kind):
    if kind == "compiled":
        pytest.importorskip("numba", reason="numba is not installed: make frameworks installs it")
    module = module_of(generate_with(derive(read_cell(TEXT, "c")), KINDS[kind]), f"still_{kind}")
    rng, sizes, T, B = np.random.default_rng(3), {"n": 5, "m": 3, "d_Q": 2}, 7, 4
    params = {k: rng.standard_normal(s) for k, s in module.parameter_shapes(**sizes).items()}
    x, h = rng.standard_normal((T, B, 3)), rng.standard_normal((B, 5))
    weights = {k: rng.standard_normal((T, B, 5)) for k in "hy"}
    _, _, cache = module.forward(params, x, {"h": h})
    found = module.backward(params, cache, weights)
    expected, inputs, state = by_torch(params, x, h, weights)
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[0][name], gradient, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found[1]["x"], inputs, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found[2]["h"], state, rtol=1e-11, atol=1e-11)


NUMBERS = (
    "dim V = 1, m\ndim q = 1\ndim s = 1\ns = sigmoid(V @ p + q)\nz = s * p + q * p\nk = sum(p * z) + q\n"
    "h[t] = tanh(W @ h[t-1] + s * x[t] + k * (U @ z))\n"
)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_have_no_axis(kind):
    """Neither those that products of a row and a column make, nor the gradients of those that are given."""
    if kind == "compiled":
        pytest.importorskip("numba", reason="numba is not installed: make frameworks installs it")
    derivation = derive(read_cell(NUMBERS, "c"))
    text = generate_with(derivation, KINDS[kind])
    if kind == "readable":
        found = verify(derivation.cell, text, derivation=derivation)
        assert found.ok, found.table()
    made, right = module_of(text, f"numbers_{kind}"), module_of(generate(derivation), "numbers")
    rng, T, B = np.random.default_rng(4), 5, 3
    shapes = made.parameter_shapes(*range(3, 3 + len(derivation.cell.dims)))
    params = {k: rng.standard_normal(s) for k, s in shapes.items()}
    x = rng.standard_normal((T, B, shapes["W"][0]))
    weights = {"h": rng.standard_normal(x.shape)}
    found, true = (m.backward(params, m.forward(params, x)[2], weights) for m in (made, right))
    for ours, theirs in zip(found, true, strict=True):
        for name, gradient in theirs.items():
            assert np.shape(ours[name]) == np.shape(gradient)
            np.testing.assert_allclose(ours[name], gradient, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_by_a_column_that_has_no_name_is_a_number(kind):
    if kind == "compiled":
        pytest.importorskip("numba", reason="numba is not installed: make frameworks installs it")
    text = "dim r = 1\ndim p = 1, n\nh[t] = tanh(h[t-1] * r * (p @ q) + U @ x[t])"
    made = module_of(generate_with(derive(read_cell(text, "c")), KINDS[kind]), f"row_{kind}")
    params = {k: np.ones(v) for k, v in made.parameter_shapes(3, 4).items()}
    outputs, _, cache = made.forward(params, np.ones((5, 2, 4)), {"h": np.ones((2, 1))})
    found = made.backward(params, cache, {"h": np.ones_like(outputs["h"])})[0]
    assert {k: np.shape(v) for k, v in found.items()} == {k: v.shape for k, v in params.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_computed_once(kind):
    text = generate_with(derive(read_cell(TEXT, "c")), KINDS[kind])
    assert len(re.findall(r"^    A = W - W\.T\b", text, re.M)) == 2
    assert len(re.findall(r"\b(?:np|xp)\.exp\(", text)) == 4
    assert not re.findall(r"^ {8}.*(np\.exp\(|W - W\.T|P @ Q)", text.replace("xp.", "np."), re.M)
    assert len(re.findall(r"^    nu_bar = .*delta_r", text, re.M)) == 1


def test_a_backward_pass_computes_what_it_reads_alone():
    text = generate(derive(read_cell("r = 2 * p\nh[t] = h[t-1] + r + x[t]\n", "c")))
    forward, backward = text[: text.index("def backward")], text[text.index("def backward") :]
    assert "    r = 2.0 * p" in forward
    assert not re.findall(r"\br = ", backward)


def test_a_program_has_it_apart():
    found = program(derive(read_cell(TEXT, "c")))
    assert {s.target.name for s in found.still} >= {"r", "A", "M", "q"}


def test_a_scan_over_all_steps_has_it_without_a_time():
    text = generate_scan(derive(read_cell("r = sigmoid(k)\nh[t] = r * h[t-1] + x[t]\n", "c")))
    assert "r = sigmoid(k)" in text
    assert "linear_scan(" in text
