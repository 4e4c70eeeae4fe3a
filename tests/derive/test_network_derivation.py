"""The pages of a network's derivation: what has no step of its own has no step on the page."""

from __future__ import annotations

import re

import pytest

from derive.network_derivation import NetworkDerivation, derive_network
from tests.networks import TEXTS, network_of, read

TEXT = """
enc = scan(gru, x[s])
K[end] = columns(enc.h[s])
z[end] = tanh(Z @ enc.h[end] + topic[end])
dec = scan(attending, K=K[end], x=y[t-1])
y[t] = V @ dec.h[t] + U @ z[end]
loss[t] = squared_error(y[t], target[t])
"""


@pytest.fixture(scope="module")
def derivation() -> NetworkDerivation:
    return derive_network(read(TEXT))


def lines(derivation: NetworkDerivation, segment: str, section: str) -> list[str]:
    pairs = zip(derivation.network.segments, derivation.segments, strict=True)
    return [step.text for s, d in pairs if s.name == segment for step in d.section(section)]


def test_what_is_computed_once_has_no_step(derivation: NetworkDerivation) -> None:
    assert lines(derivation, "K", "equation") == [
        "K[end] = columns(enc_h[s])",
        "z[end] = tanh(Z @ enc_h[end] + topic[end])",
    ]
    assert "Z_bar = delta_z[end] @ enc_h[end].T" in lines(derivation, "K", "parameter")
    latex = dict(
        zip((s.name for s in derivation.network.segments), derivation.segments, strict=True)
    )["K"].latex()
    assert r"z = \tanh(Z \, h_{\mathrm{enc},T} + \mathrm{topic})" in latex
    assert r"K = \left[h_{\mathrm{enc},1},\, \ldots,\, h_{\mathrm{enc},T_{s}}\right]" in latex
    assert (
        r"\left[\bar{h}_{\mathrm{enc},1},\, \ldots,\, \bar{h}_{\mathrm{enc},T_{s}}\right] = "
        in latex
    )
    assert r"\sum_{t=1}" not in latex
    assert r"\frac{\partial \ell}{\partial z}" in latex
    assert "at step" not in derivation.segments[1].text()


def test_what_is_the_same_at_every_step_has_one_gradient_a_sum_over_time(
    derivation: NetworkDerivation,
) -> None:
    found = [step.text for d in derivation.segments for step in d.section("input")]
    assert any(line.startswith("K_bar[end] = sum over t of ") for line in found)
    assert any(line.startswith("z_bar[end] = sum over t of ") for line in found)
    assert not any(re.search(r"\b[Kz]\[t", s.text) for d in derivation.segments for s in d.steps)


def test_passages_say_which_value_gets_the_adjoint(derivation: NetworkDerivation) -> None:
    told = [p.text for p in derivation.passages]
    assert any(line.startswith("K_bar[end] in K += K_bar[end] of ") for line in told)
    assert "enc_h_bar[T] in enc += enc_h_bar[end] of K" in told
    assert "enc_h_bar[s] in enc += enc_h_bar[s] of K" in told


@pytest.mark.parametrize("name", TEXTS)
def test_only_what_runs_through_time_is_indexed_by_steps(name: str) -> None:
    network = network_of(name)
    found = derive_network(network)
    for segment, d in zip(network.segments, found.segments, strict=True):
        for step in d.steps:
            if segment.axis == "end":
                assert "[t" not in re.sub(r"columns\(\w+\[t\]\)", "", step.text)
                assert "sum over t" not in step.text
        held = [x for x, source in segment.inputs.items() if source.held]
        told = {s.owner: s for s in d.section("input")}
        assert all("sum over time" in told[x].rules for x in held if x in told)


def test_the_loss_of_what_comes_at_the_end_has_no_step() -> None:
    found = derive_network(
        read(
            "f = scan(gru, x[t])\ny[end] = V @ f.h[end]\nloss[end] = squared_error(y[end], d[end])"
        )
    )
    assert "dl_dloss[end]" in found.text()
    assert "y_bar[end] = " in found.text()
    assert r"\ell_{}" not in found.latex()


NAMES = """
b = scan(gru, x[t])
a = scan(elman, b.h[t])
c = scan(elman, b.h[t], share(a))
y[t] = W_b @ c.h[t] + b_y
"""


def test_the_letter_of_a_scanned_cell_s_quantity_stands_first() -> None:
    latex = derive_network(read(NAMES)).latex()
    assert r"y_{t} = W_{b} \, h_{c,t} + b_{y}" in latex
    assert r"\bar{h}_{b,t}" in latex
    assert r"U_{b,z}" in latex
    assert r"h_{c,t} = \tanh(W_{a} \, h_{c,t-1}" in latex


def test_names_of_starts_and_of_what_is_made_of_a_scan_s_quantities_are_so_too() -> None:
    text = "ragged t\nf = scan(gru, x[t])\ns0.h[end] = tanh(P @ f.h[end])\ng = scan(gru, z[s], start(s0))"
    latex = derive_network(read(text)).latex()
    assert r"h_{f,\mathrm{new},t}" in latex
    assert r"\bar{h}_{\mathrm{s0}} \mathrel{+}= \bar{h}_{g,0}" in latex


def test_the_columns_of_what_runs_from_the_end_are_counted_from_the_last_step() -> None:
    found = derive_network(
        read("b = scan(gru, x[t], reverse)\nH[end] = columns(b.h[t])\ny[end] = H[end] @ w[end]")
    )
    assert "H[end] = columns(b_h[T+1-t])" in found.text()
    assert "columns(b_h_bar[T+1-t]) = " in found.text()
    assert "b_h_bar[T+1-t] in b += b_h_bar[T+1-t] of H" in found.text()
    assert r"H = \left[h_{b,T},\, \ldots,\, h_{b,1}\right]" in found.latex()
