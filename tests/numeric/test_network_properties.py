"""Random networks: what holds for every one of them."""

from __future__ import annotations

from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from derive.network import Network
from derive.network_derivation import derive_network
from numeric.network_source import generate_network
from numeric.network_step import why_not_causal
from proofs.modules import load_source
from proofs.network_checks import NetworkSubject, complex_step, forward_values, whole_gradient
from proofs.network_contract import padding, streaming
from proofs.network_exact import prove_network
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED
from tests.networks import read
from tests.strategies_networks import networks

TWO_SIZES = read(
    "f0 = scan(elman, x[t])\nb0 = scan(gru, x[t], reverse)\nu0[t] = concat(f0.h[t], b0.h[t])\n"
    "f1 = scan(elman, u0[t])\nu1[t] = f1.h[t] + R @ u0[t]\n"
    "y[end] = V @ u1[end]\nloss[end] = squared_error(y[end], d[end])"
)


def subject_of(network: Network, seed: int) -> NetworkSubject:
    source = generate_network(derive_network(network))
    return NetworkSubject(network, NetworkCode(load_source(source, "random", PROMISED)), seed)


@given(networks(), st.integers(0, 1000))
@example(TWO_SIZES, 0)
def test_generated_values_and_gradients_of_any_network_hold(network: Network, seed: int) -> None:
    note(network.text)
    subject = subject_of(network, seed)
    for examine in (forward_values, complex_step, whole_gradient):
        row = examine(subject)
        assert row.ok, (row.name, row.figure, row.note, row.where)


@given(networks(), st.integers(0, 1000))
def test_padding_touches_nothing_in_any_network(network: Network, seed: int) -> None:
    note(network.text)
    row = padding(subject_of(network, seed))
    assert row.verdict == ("holds" if network.masks else "not applicable"), row


@settings(max_examples=max(1, settings.default.max_examples // 4))
@given(networks(), st.integers(0, 1000))
def test_step_after_step_is_forward_in_any_causal_network(network: Network, seed: int) -> None:
    note(network.text)
    row = streaming(subject_of(network, seed))
    assert row.verdict == ("not applicable" if why_not_causal(network) else "holds"), row


@given(networks(), st.integers(0, 1000))
@example(TWO_SIZES, 0)
def test_adjoints_pass_exactly_between_the_segments_of_any_network(
    network: Network, seed: int
) -> None:
    note(network.text)
    assert prove_network(derive_network(network), seed=seed, repeats=1).wrong == ()
