"""What is cut off far away from ordinary values is refused; functions that saturate rightly are not."""

from __future__ import annotations

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_catalog import load
from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast
from numeric.network_source import generate_network
from numeric.portable_source import generate_portable
from numeric.source import generate
from proofs.floats import Floats
from proofs.large_values import NAME, large_values, large_values_of_network
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.subject import Subject
from proofs.table import Check
from tests.generated import needs_standard
from tests.networks import TEXTS, network_of, read
from tests.networks import source_of as network_source_of
from tests.proofs.specimens import EVERY, derivation_of, source_of


def judged(derivation, source: str, seed: int = 0) -> Check:
    return large_values(Subject(derivation, Code(load_source(source)), seed))


def judged_network(network, source: str) -> Check:
    code = NetworkCode(load_source(source, "net", ("forward", "backward")))
    return large_values_of_network(NetworkSubject(network, code, 0))


@pytest.mark.parametrize("name", EVERY)
def test_every_cell_passes(name: str) -> None:
    for seed in range(2):
        assert judged(derivation_of(name), source_of(name), seed).ok


@pytest.mark.parametrize(
    "writer", [generate_fast, pytest.param(generate_portable, marks=needs_standard)]
)
@pytest.mark.parametrize("name", ["lstm", "gru", "selective_ssm", "minlstm", "attention"])
def test_every_kind_of_file_passes(name: str, writer) -> None:
    assert judged(derivation_of(name), writer(derivation_of(name))).ok


@pytest.mark.parametrize("name", TEXTS)
def test_every_network_passes(name: str) -> None:
    assert judged_network(network_of(name), network_source_of(network_of(name))).ok


CUT = {
    "an argument of the logistic function": ("np.tanh(0.5 * x)", "np.tanh(0.5 * np.clip(x, -15, 15))"),
    "an input that saturates nothing": ("    T, B = leading", "    x = np.clip(x, -1000, 1000)\n    T, B = leading"),
    "an input": ("    T, B = leading", "    x = np.clip(x, -50, 50)\n    T, B = leading"),
    "a state before the first step": ("c_all[:1] = c_0", "c_all[:1] = np.clip(c_0, -10, 10)"),
    "an unbounded activation": ("r = relu(a_r)", "r = np.minimum(relu(a_r), 20)"),
    "an adjoint of what is large": ("(1.0 - f[t])  #", "(1.0 - f[t]) * (c_prev[t] < 20)  #"),
}  # fmt: skip
CELL = derive(
    read_cell(
        """
        r[t] = relu(V @ x[t])
        f[t] = sigmoid(W @ x[t] + U @ h[t-1] + b)
        c[t] = f[t] * c[t-1] + (1 - f[t]) * r[t]
        h[t] = tanh(c[t])
        """,
        "unbounded",
    )
)
SOURCE = generate(CELL)


@pytest.mark.parametrize("what", CUT)
def test_what_is_cut_off_far_away_is_refused(what: str) -> None:
    old, new = CUT[what]
    assert old in SOURCE, SOURCE
    assert judged(CELL, SOURCE).ok
    assert not judged(CELL, SOURCE.replace(old, new)).ok


def test_a_probability_that_is_held_above_1e_7_is_refused() -> None:
    network = load("tagger")
    source = generate_network(derive_network(network))
    line = "    return top + np.log(np.sum(np.exp(x - top), axis=-1, keepdims=True))\n"
    assert line in source
    held = line.replace("return ", "return np.minimum(16 + x, ").replace("))\n", ")))\n")
    found = judged_network(network, source.replace(line, held))
    assert found.name == NAME
    assert "the loss: large matrices" in found.where


def test_the_reference_keeps_tiny_numbers_of_a_complex_step() -> None:
    import numpy as np

    found = Floats(np.complex128).function("softplus", np.array([[-40 + 1e-200j]]))
    assert found.real.item() == pytest.approx(np.exp(-40), rel=1e-15, abs=0)
    assert found.imag.item() == pytest.approx(1e-200 * np.exp(-40), rel=1e-15, abs=0)


POOLED_BACKWARDS = """
ragged t
b = scan(elman, x[t], reverse)
f = scan(elman, x[t])
H[end] = columns(b.h[t])
a[end] = softmax(tanh(W @ H[end] + repeat(U @ f.h[end])).T @ v)
y[end] = H[end] @ a[end]
loss[end] = squared_error(y[end], target[end])
"""


def test_a_mask_that_takes_too_little_is_refused_where_padding_can_have_the_largest_logit() -> None:
    """Of a scan that runs backwards, steps before the first hold the initial value; others hold the last real one."""
    network = read(POOLED_BACKWARDS)
    source = network_source_of(network)
    assert judged_network(network, source).verdict == "holds"
    assert source.count("1000000000.0") == 1
    found = judged_network(network, source.replace("1000000000.0", "100000.0"))
    assert found.verdict == "fails"
    assert "the loss: far v" in found.where
