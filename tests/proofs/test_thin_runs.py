"""What is wrong only beyond a length of one axis is refused, though no branch tells it."""

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
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.subject import Subject
from proofs.table import Check
from proofs.thin_runs import thin_runs, thin_runs_of_network
from tests.generated import needs_standard
from tests.networks import TEXTS, network_of
from tests.networks import source_of as network_source_of
from tests.proofs.specimens import EVERY, derivation_of, source_of

DERIVATION = derive(read_cell("h[t] = tanh(W @ h[t-2] + U @ x[t] + b)", "lagged"))
SOURCE = generate(DERIVATION)
LOOP = "for t in reversed(range(T)):"
RESULTS = "    params_bar = {"


def judged(source: str, derivation=DERIVATION) -> Check:
    return thin_runs(Subject(derivation, Code(load_source(source)), 0))


def judged_network(network, source: str) -> Check:
    code = NetworkCode(load_source(source, "net", ("forward", "backward")))
    return thin_runs_of_network(NetworkSubject(network, code, 0))


@pytest.mark.parametrize("name", EVERY)
def test_every_cell_passes(name: str) -> None:
    assert judged(source_of(name), derivation_of(name)).verdict == "holds"


@pytest.mark.parametrize(
    "writer", [generate_fast, pytest.param(generate_portable, marks=needs_standard)]
)
@pytest.mark.parametrize("name", ["lstm", "skip", "matrix_state", "autonomous"])
def test_every_kind_of_file_passes(name: str, writer) -> None:
    assert judged(writer(derivation_of(name)), derivation_of(name)).verdict == "holds"


@pytest.mark.parametrize("name", TEXTS)
def test_every_network_passes(name: str) -> None:
    assert judged_network(network_of(name), network_source_of(network_of(name))).verdict == "holds"


@pytest.mark.parametrize(
    ("old", "new", "run"),
    [
        (LOOP, "for t in reversed(range(max(0, T - 256), T)):", "many steps"),
        (LOOP, "for t in np.arange(T)[::-1].astype(np.uint8):", "many steps"),
        (
            RESULTS,
            f"    U_bar = outer_sum(delta_h[:, :256], x[:, :256])\n{RESULTS}",
            "many samples",
        ),
        (RESULTS, f"    W_bar[128:] = 0\n{RESULTS}", "wide vectors"),
        (RESULTS, f"    b_bar[64:] = b_bar[-1]\n{RESULTS}", "wide vectors"),
    ],
)
def test_what_an_axis_outgrows_is_refused_and_the_run_is_named(
    old: str, new: str, run: str
) -> None:
    assert old in SOURCE
    found = judged(SOURCE.replace(old, new, 1))
    assert not found.ok
    assert all(place.endswith(f": {run}") for place in found.where)


@pytest.mark.parametrize(
    ("new", "run"),
    [
        ("for t in reversed(range(max(0, T - 256), T)):", "many steps"),
        (f"{LOOP}\n        b_h_bar_all[:, 256:] *= t != 1", "many samples"),
    ],
)
def test_networks_are_judged_alike(new: str, run: str) -> None:
    network = load("tagger")
    source = generate_network(derive_network(network))
    head, tail = source.split("def backward_b(")
    found = judged_network(network, f"{head}def backward_b({tail.replace(LOOP, new, 1)}")
    assert any(place.endswith(f": {run}") for place in found.where)


def test_a_gradient_that_only_a_direction_has_is_seen() -> None:
    """Of a vector that is divided by its norm no length counts: along the parameter itself its gradient is 0."""
    derivation = derive(
        read_cell(
            "k[t] = W @ x[t] / sqrt(sum((W @ x[t])**2))\nh[t] = tanh(V @ h[t-1] + k[t])", "unit"
        )
    )
    source = generate(derivation)
    assert judged(source, derivation).verdict == "holds"
    assert not judged(source.replace(RESULTS, f"    W_bar *= 1.01\n{RESULTS}", 1), derivation).ok
