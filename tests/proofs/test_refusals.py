"""What a file must refuse: unknown names, shapes that would spread, other dtypes, indices out of range."""

from __future__ import annotations

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_catalog import load
from derive.network_derivation import derive_network
from numeric.additions import Additions, generate_with
from numeric.network_source import generate_network
from numeric.source import generate
from proofs.attestation import standing
from proofs.contract_checks import refuses_nonsense
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_contract import refuses_nonsense as network_refuses_nonsense
from proofs.network_layout import NetworkCode
from proofs.subject import Subject
from proofs.table import Check
from tests.generated import needs_standard
from tests.networks import TEXTS, network_of

DERIVATION = derive(read_cell("index w\nh[t] = tanh(E @ w[t] + U @ h[t-1] + V @ h[t-2])", "my"))
SOURCE = generate(DERIVATION)
KINDS = [
    Additions(),
    Additions(speed=True),
    Additions(size=True),
    pytest.param(Additions(portable=True), marks=needs_standard),
    Additions((1, 2)),
    Additions(real_time=True),
]
OF_NETWORKS = [kind for kind in KINDS if kind not in KINDS[-2:]]


def judged(source: str) -> Check:
    return refuses_nonsense(Subject(DERIVATION, Code(load_source(source)), 0))


def judged_network(network, source: str) -> Check:
    code = NetworkCode(load_source(source, "net", ("forward", "backward")))
    return network_refuses_nonsense(NetworkSubject(network, code, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_refuses_all(kind: Additions) -> None:
    assert judged(standing(generate_with(DERIVATION, kind)).code).ok


@pytest.mark.parametrize("kind", OF_NETWORKS)
@pytest.mark.parametrize("name", TEXTS)
def test_every_kind_of_file_of_a_network_refuses_all(name: str, kind: Additions) -> None:
    network = network_of(name)
    source = standing(generate_with(derive_network(network), kind)).code
    assert judged_network(network, source).ok


ADDED = {
    "outputs_bar['h'] not finite, in real time": {
        'gradients("outputs_bar", outputs_bar, {"h": (T, B, n)}, dtype)': "pass"
    },
    "final_bar of nobody, in real time": {
        'gradients("final_bar", final_bar, {"h": (2, B, n)}, dtype)': "pass"
    },
    "params of nobody, in real time": {"unpacked(params, parameter_shapes(n, m), dtype)": "pass"},
    "state['h'] not finite, in real time": {
        "unpacked_state(state, zeros, dtype)": "pass",
        "checked(\"memory['values']['h']\", values[\"h\"][-1], (B, n), dtype)": 'values["h"][-1]',
        "checked(\"memory['values']['h']\", values[\"h\"][-2], (B, n), dtype)": 'values["h"][-2]',
    },
    "w of -1, in real time": {
        'w = checked_index("w", w, (T, B), m)': "pass",
        'checked_index("w", w_t, (B,), m)': "np.asarray(w_t)",
    },
}
"""What real_time_gradients takes once these lines of it, and of the step that it calls, are others."""


@pytest.mark.parametrize("told", ADDED)
def test_what_a_file_brings_along_refuses_what_forward_and_backward_refuse(told: str) -> None:
    source = standing(generate_with(DERIVATION, Additions((1, 2), real_time=True))).code
    assert judged(source).ok
    head, sign, rest = source.partition("def real_time_step(")
    for text, instead in ADDED[told].items():
        assert text in rest
        rest = rest.replace(text, instead)
    with np.errstate(all="ignore"):
        assert told in judged(head + sign + rest).where


ACCEPTS = {
    "params of nobody": ("params.keys() != shapes.keys()", "shapes.keys() - params.keys()"),
    "state of nobody": ("not given.keys() <= zeros.keys()", "False"),
    "outputs_bar of nobody": ("not given.keys() <= shapes.keys()", "False"),
    "final_bar of nobody": ("not given.keys() <= shapes.keys()", "False"),
    "state['h'] of another dtype": ("given.get(k, zero), zero", "given.get(k, zero).astype(dtype), zero"),
    "outputs_bar['h'] without its first axis": (
        "given[name], shape, dtype)\n        if",
        "np.broadcast_to(given[name], shape), shape, dtype)\n        if",
    ),
    "w of -1": ("array.min() < 0", "array.min() < -size"),
    "w of ": ("array.max() >= size", "array.max() >= 10 * size"),
}  # fmt: skip


@pytest.mark.parametrize("what", ACCEPTS)
def test_what_is_accepted_is_named(what: str) -> None:
    old, new = ACCEPTS[what]
    assert old in SOURCE
    source = SOURCE.replace(old, new, 1)
    if what == "w of ":
        source = source.replace("matrix.T[index]", "matrix.T[index % matrix.shape[1]]")
    assert any(place.startswith(what) for place in judged(source).where)


ALIKE = "alike(name, total[name], value.shape, value.dtype)", "total[name]"
OF_NETWORK = {
    "outputs_bar['f_h'] of another dtype": ALIKE,
    "outputs_bar of nobody": ('    refuse_unknown("outputs_bar", outputs_bar, [', "    dict(a=["),
    "final_bar of nobody": ('    refuse_unknown("final_bar", final_bar, [', "    dict(a=["),
    "lengths_t": ("lengths.min() < 1 or", ""),
    "word": ("array.min() < 0 or", ""),
}


@pytest.mark.parametrize("what", OF_NETWORK)
def test_what_a_networks_file_accepts_is_named(what: str) -> None:
    network = load("tagger")
    source = generate_network(derive_network(network))
    old, new = OF_NETWORK[what]
    assert old in source
    assert what in judged_network(network, source.replace(old, new)).where
