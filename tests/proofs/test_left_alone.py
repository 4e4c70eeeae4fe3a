"""What a file hands out stays as it is, and whatever is done with it changes nothing; else it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_catalog import load
from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast
from numeric.portable_network import generate_portable_network
from numeric.portable_source import generate_portable
from numeric.source import generate
from proofs.contract_checks import leaves_alone
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_contract import leaves_alone as network_leaves_alone
from proofs.network_layout import NetworkCode
from proofs.subject import Subject
from proofs.table import Check
from tests.generated import needs_standard
from tests.networks import TEXTS, network_of
from tests.networks import source_of as network_source_of
from tests.proofs.specimens import derivation_of, source_of

LATER = "gradients handed out, by later runs"
AFTER = "gradients of the second call, after other runs and a change to all results"


def judged(name: str, source: str) -> Check:
    return leaves_alone(Subject(derivation_of(name), Code(load_source(source)), 0))


def judged_network(network, source: str) -> Check:
    code = NetworkCode(load_source(source, "network", ("forward", "backward")))
    return network_leaves_alone(NetworkSubject(network, code, 0))


def broken(source: str, old: str, new: str) -> str:
    assert old in source, source
    return source.replace(old, new)


@pytest.mark.parametrize(
    "writer", [generate, generate_fast, pytest.param(generate_portable, marks=needs_standard)]
)
@pytest.mark.parametrize("name", ["lstm", "skip", "selective_ssm", "matrix_state", "autonomous"])
def test_every_kind_of_file_of_a_cell_keeps_what_it_hands_out(name: str, writer: Any) -> None:
    assert judged(name, writer(derivation_of(name))).ok


@needs_standard
@pytest.mark.parametrize("name", TEXTS)
def test_a_networks_file_for_any_arrays_keeps_what_later_segments_read(name: str) -> None:
    network = network_of(name)
    assert judged_network(network, generate_portable_network(derive_network(network))).ok


BROKEN = {
    "writable outputs": ('read_only({"c": c, "h": h})', '{"c": c, "h": h}', AFTER),
    "a writable output": ('read_only({"c": c, "h": h})', '{**read_only({"c": c}), "h": h}', AFTER),
    "a state_bar that the next call overwrites": (
        '"h": h_bar_all[0].copy()',
        '"h": np.add(h_bar_all[0], 0, out=globals().setdefault("KEPT", np.empty((B, n))))',
        LATER,
    ),
    "a gradient of a parameter that the next call overwrites": (
        '"b_f": b_f_bar',
        '"b_f": np.add(b_f_bar, 0, out=globals().setdefault("KEPT", np.empty(n)))',
        LATER,
    ),
    "a final state that is a view": (
        '"c": c_all[-1].copy()',
        '"c": c_all[-1]',
        "outputs, by a change to final",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_hands_out_what_it_needs_or_overwrites_is_refused(how: str) -> None:
    old, new, told = BROKEN[how]
    found = judged("lstm", broken(source_of("lstm"), old, new))
    assert not found.ok
    assert told in found.where


def test_two_gradients_in_one_array_are_seen() -> None:
    derivation = derive(read_cell("h[t] = tanh(W @ h[t-1] + b + U @ x[t] + c)", "twice"))
    source = generate(derivation)
    assert leaves_alone(Subject(derivation, Code(load_source(source)), 0)).ok
    source = broken(source, '"c": c_bar', '"c": b_bar')
    found = leaves_alone(Subject(derivation, Code(load_source(source)), 0))
    assert found.where == ("gradients, two of which share memory",)


def test_a_view_of_a_workspace_that_nobody_gave_is_seen() -> None:
    source = generate_fast(derivation_of("skip"))
    found = judged("skip", broken(source, "self.ready = self.ready and self.given", "pass"))
    assert LATER in found.where


@needs_standard
def test_writable_outputs_of_a_network_are_seen() -> None:
    network = load("deep")
    source = network_source_of(network)
    found = judged_network(network, broken(source, "view.flags.writeable = False", "pass"))
    assert AFTER in found.where
    portable = generate_portable_network(derive_network(network))
    line = next(v for v in portable.splitlines() if "copied(outputs[" in v)
    assert AFTER in judged_network(network, broken(portable, line + "\n", "")).where


def test_a_cache_that_backward_counts_in_is_refused() -> None:
    counts = "    cache['n'] = cache.get('n', 0) + 1\n    params_bar = {"
    source = broken(source_of("lstm"), "    params_bar = {", counts)
    assert "the cache, by backward" in judged("lstm", source).where
