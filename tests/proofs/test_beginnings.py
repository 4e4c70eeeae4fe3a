"""How files let parameters start: what is declared is found in every file, and every other start is refused."""

from __future__ import annotations

from functools import cache

import pytest

from derive.derivation import Derivation, derive
from derive.language import read_cell
from derive.network_catalog import load, shipped
from numeric.fast_source import generate_fast
from numeric.portable_source import generate_portable
from numeric.source import generate
from proofs.beginnings import beginnings, network_beginnings
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.subject import Subject
from proofs.table import Check
from tests.generated import needs_standard
from tests.networks import network_of
from tests.networks import source_of as network_source_of
from tests.proofs.specimens import EVERY, derivation_of, source_of

TEXT = """
f[t] = sigmoid(U_f @ h[t-1] + W_f @ x[t] + b_f)
i[t] = sigmoid(U_i @ h[t-1] + W_i @ x[t] + b_i)
g[t] = tanh(U_g @ h[t-1] + W_g @ x[t] + W_e.T @ x[t] + a * b_g)
h[t] = f[t] * h[t-1] + i[t] * g[t]
init U_f = identity(1/2)
init U_i = -he(1/3)
init W_f = glorot_normal
init W_i = he_uniform
init W_e = normal(2)
init b_f = chrono(100)
init b_i = -b_f
init b_g = 1
init a = -3/2
"""
"""Every way to start: kinds, factors, numbers, habits, a turned matrix, and minus another parameter."""


@cache
def every_way() -> Derivation:
    return derive(read_cell(TEXT, "every_way"))


def judged(derivation: Derivation, source: str) -> Check:
    return beginnings(Subject(derivation, Code(load_source(source)), 0))


def judged_network(name: str, source: str | None = None) -> Check:
    network = load(name)
    source = network_source_of(network) if source is None else source
    code = NetworkCode(load_source(source, name, ("init_params",)))
    return network_beginnings(NetworkSubject(network, code, 0))


@pytest.mark.parametrize("name", EVERY)
def test_what_is_generated_starts_as_declared(name: str) -> None:
    assert judged(derivation_of(name), source_of(name)).ok


@pytest.mark.parametrize(
    "writer", [generate, generate_fast, pytest.param(generate_portable, marks=needs_standard)]
)
def test_every_way_to_start_is_the_declared_one_in_every_kind_of_file(writer) -> None:
    found = judged(every_way(), writer(every_way()))
    assert found.ok, found.where


@pytest.mark.parametrize("name", [entry.name for entry in shipped()])
def test_the_networks_that_ship_start_as_declared(name: str) -> None:
    assert judged_network(name).ok


def test_a_network_with_shared_weights_starts_as_declared() -> None:
    network = network_of("tied")
    code = NetworkCode(load_source(network_source_of(network), "tied", ("init_params",)))
    assert network_beginnings(NetworkSubject(network, code, 0)).ok


# What is broken in the file, how, and the parameters that must be named; none where the names themselves are wrong.
BREAKS = {
    "the seed is ignored": ("default_rng(seed)", "default_rng(1)", {"U_f", "U_i", "U_o", "U_g"}),
    "no seed at all": ("default_rng(seed)", "default_rng()", {"W_f", "W_i", "W_o", "W_g"}),
    "glorot instead of orthogonal": ("orthogonal(rng, n, n, dtype)", "glorot(rng, n, n, dtype)", {"W_f"}),
    "orthogonal instead of glorot": ('"U_f": glorot(', '"U_f": orthogonal(', {"U_f"}),
    "twice as large": ('"W_i": orthogonal(', '"W_i": 2.0 * orthogonal(', {"W_i"}),
    "the bias 0 instead of 1": ("np.full((n,), 1.0, dtype)", "np.zeros((n,), dtype)", {"b_f"}),
    "another bias 1": ('"b_o": np.zeros((n,), dtype)', '"b_o": np.ones((n,), dtype)', {"b_o"}),
    "a bound of glorot's own": ("np.sqrt(6.0 / (rows + cols))", "np.sqrt(6.0 / (rows * cols))", {"U_o"}),
    "signs of QR left as they fall": ("q = q * np.sign(np.diagonal(r))", "q = q * 1.0", {"W_f"}),
    "float32 drawn as something else": ('"b_f": np', '"b_f": (dtype == np.float64) * np', {"b_f"}),
}  # fmt: skip


@pytest.mark.parametrize("how", BREAKS)
def test_another_start_is_refused_and_the_parameter_is_named(how: str) -> None:
    old, new, named = BREAKS[how]
    source = source_of("lstm")
    assert old in source
    found = judged(derivation_of("lstm"), source.replace(old, new))
    assert not found.ok
    told = {name for name in named if any(f"[{name!r}] is not" in place for place in found.where)}
    assert told == named, found.where


OF_EVERY_WAY = {
    "minus forgotten": ('-params["b_f"]', 'params["b_f"].copy()', "b_i"),
    "the other parameter forgotten": ('params["b_i"] = -params["b_f"]', 'params["b_i"] = 0 * params["b_f"]', "b_i"),
    "minus a copy drawn anew": (
        '-params["b_f"]', '-chrono(np.random.default_rng(seed), 100.0, params["b_f"].shape, dtype)', "b_i"
    ),
    "another longest lag": ("chrono(rng, 100.0", "chrono(rng, 10.0", "b_f"),
    "another factor of the identity": ("0.5 * np.eye", "np.eye", "U_f"),
    "a sign": ("-0.3333333333333333 * he(", "0.3333333333333333 * he(", "U_i"),
    "normal for uniform": ('"W_i": he_uniform', '"W_i": he', "W_i"),
    "a matrix that is not turned": ("2.0 * normal(rng, n, m, dtype).T", "2.0 * normal(rng, m, n, dtype)", "W_e"),
    "another number": ("-1.5", "1.5", "a"),
}  # fmt: skip


@pytest.mark.parametrize("how", OF_EVERY_WAY)
def test_a_start_that_is_not_the_declared_one_is_refused(how: str) -> None:
    old, new, name = OF_EVERY_WAY[how]
    source = generate(every_way())
    assert old in source, source[: source.index("def init_state")]
    found = judged(every_way(), source.replace(old, new))
    assert not found.ok
    assert any(f"init_params[{name!r}]" in place for place in found.where), found.where


def test_shapes_names_and_states_that_are_wrong_are_still_told() -> None:
    lstm, source = derivation_of("lstm"), source_of("lstm")
    shape = judged(lstm, source.replace('"b_o": np.zeros((n,), dtype)', '"b_o": np.zeros((n, 1))'))
    assert any("init_params['b_o']: shape" in place for place in shape.where)
    state = judged(lstm, source.replace('"c": np.zeros((B, n)', '"c": np.ones((B, n)'))
    assert "init_state['c'] is not zero" in state.where


NETWORKS = {
    "the seed is ignored": ("seed=1000 * seed + ", "seed=1000 + "),
    "two segments draw the same": ("seed=1000 * seed + 1", "seed=1000 * seed + 0"),
    "another kind": ("orthogonal(rng, n, n, dtype)", "glorot(rng, n, n, dtype)"),
    "the forget gate's bias": ("np.full((n,), 1.0, dtype)", "np.zeros((n,), dtype)"),
}


@pytest.mark.parametrize("how", NETWORKS)
def test_a_network_that_starts_otherwise_is_refused(how: str) -> None:
    old, new = NETWORKS[how]
    source = network_source_of(load("tagger"))
    assert old in source, source
    assert not judged_network("tagger", source.replace(old, new)).ok
