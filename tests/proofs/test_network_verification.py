"""Networks verified: all kinds hold, and every kind of break is caught and located."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from derive.errors import ArgumentError
from derive.network import Source
from derive.network_derivation import derive_network
from numeric.network_source import generate_network
from proofs.floats import Floats
from proofs.network_contract import NUMERIC
from proofs.network_exact import prove_network
from proofs.network_run import NetworkExtent
from proofs.network_samples import (
    draw_extent,
    draw_smooth_network,
    reference,
)
from proofs.network_verification import required_for, verify_network, verify_network_file
from tests.networks import TEXTS, network_of, source_of

FAST = ("aligned", "ragged", "ragged_encoder_decoder", "indexed", "tied", "free_running")


@pytest.mark.parametrize("name", FAST)
def test_a_generated_network_is_verified(name: str) -> None:
    network = network_of(name)
    found = verify_network(network, source_of(network))
    assert found.failures == ()
    assert {c.name for c in found.checks} == required_for(network)
    assert found.ok


def test_the_lengths_of_many_samples_are_told_by_some() -> None:
    few = NetworkExtent({}, {"t": 4}, 3, {"t": (4, 3, 1)})
    many = NetworkExtent({}, {"t": 9}, 7, {"t": (9, 8, 6, 4, 3, 2, 1)})
    assert str(few) == "T_t = 4, B = 3, lengths 4/3/1"
    assert str(many) == "T_t = 9, B = 7, lengths 9/8/6/…/1"


@pytest.mark.parametrize("name", TEXTS)
def test_the_identity_of_every_kind_of_network_holds(name: str) -> None:
    assert prove_network(derive_network(network_of(name)), repeats=1).wrong == ()


# What is broken in a file, how, the checks that must see it, and what must be named.
BREAKS = {
    "a sign in a segment's backward": (
        "ragged", r"(delta_f_o\[t\] = )", r"\1-1.0 * ", "complex step", "f_W_o"
    ),
    "a reversed scan that runs forward": (
        "tagger", r'outputs\["e"\]\[::-1\]', 'outputs["e"]', "forward", "b_h"
    ),
    "outputs of a reversed scan left reversed": (
        "tagger", r"outputs \|= \{name: value\[::-1\] for name, value in out.items\(\)\}", "outputs |= out",
        "forward", "b_h",
    ),
    "an adjoint that is not handed on": (
        "tagger", r'    add_to\(outputs_bar, "e", by_inputs\["e"\]\[::-1\]\)\n', "", "complex step", "params_bar['E']"
    ),
    "an adjoint that is handed on in the wrong direction": (
        "tagger", r'by_inputs\["e"\]\[::-1\]\)', 'by_inputs["e"])', "complex step", "params_bar['E']"
    ),
    "a start without its adjoint": (
        "encoder_decoder", r'    add_to\(final_bar, "enc_c", by_state.pop\("dec_c"\)\)', '    by_state.pop("dec_c")',
        "complex step", "enc_",
    ),
    "a start from zeros": (
        "encoder_decoder", r', "dec_c": final\["enc_c"\]', "", "forward", "dec_c"
    ),
    "tied gradients that overwrite each other": (
        "tied", r"add_all\(params_bar, by_params\)", "params_bar |= by_params", "complex step", "a_W"
    ),
    "padding that is looked at": (
        "ragged", r'    x = held\("x", x, lengths_t, T_t\)\n', "", "padding", "x holds numbers that are not finite"
    ),
    "adjoints beyond the end that count": (
        "ragged", r"    cut\(outputs_bar, \[(.*?)\], lengths_t, T_t\)\n", "", "complex step", ""
    ),
    "an end that is the last of the axis": (
        "ragged", r'at_end\(outputs\["y"\], lengths_t\)', 'outputs["y"][-1:]', "forward", "k"
    ),
    "a loss that is a mean": (
        "aligned", r"losses\.sum\(\)", "losses.mean()", "value_and_grad", "value"
    ),
    "an index off by one": (
        "indexed", r"scatter_sum\((\w+), word", r"scatter_sum(\1, word - 1", "complex step", "params_bar['E']"
    ),
    "no check of an index": (
        "indexed", r"    word = checked_index\(.*\n", "", "refusals", "word"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_a_break_is_caught_and_located(case: str) -> None:
    name, pattern, instead, check, where = BREAKS[case]
    network = network_of(name)
    source = source_of(network)
    broken, count = re.subn(pattern, instead, source, flags=re.DOTALL if "cut" in pattern else 0)
    assert count >= 1
    found = verify_network(network, broken)
    assert not found.ok
    rows = {c.name: c for c in found.failures}
    assert check in rows, (sorted(rows), found.table())
    assert any(where in text for text in (*rows[check].where, rows[check].note))


def test_a_file_that_does_not_load_is_not_verified() -> None:
    network = network_of("tied")
    found = verify_network(network, "raise ValueError('no')")
    assert not found.ok
    assert {"file", *NUMERIC} <= {c.name for c in found.failures}


def test_the_identity_sees_a_passage_that_goes_astray() -> None:
    network = network_of("encoder_decoder")
    right = derive_network(network)
    decoder = network.segment("dec")
    crossed = {"dec_h": Source("enc", "enc_c", True), "dec_c": Source("enc", "enc_c", True)}
    segments = tuple(replace(s, starts=crossed) if s is decoder else s for s in network.segments)
    other = derive_network(replace(network, segments=segments))
    assert prove_network(other, repeats=1).wrong == ()  # another network, and right as such
    source = generate_network(other)
    found = verify_network(network, source, derivation=right)
    assert "forward" in {c.name for c in found.failures}


def test_the_identity_sees_a_wrong_adjoint_equation() -> None:
    derivation = derive_network(network_of("tagger"))
    f = derivation.segments[1]
    local = tuple(
        replace(e, rhs=-e.rhs) if e.lhs.name.endswith("f_c") else e for e in f.backward.local
    )
    broken = replace(f, backward=replace(f.backward, local=local))
    segments = tuple(broken if d is f else d for d in derivation.segments)
    wrong = prove_network(replace(derivation, segments=segments), repeats=1).wrong
    assert "f_W_g" in wrong
    assert "E" in wrong
    assert "b_W_g" not in wrong


def test_the_reference_runs_each_sample_at_its_own_length() -> None:
    network = network_of("ragged")
    extent = draw_extent(network, Random(0), samples=3, steps=6)  # noqa: S311 - no secret
    sample = draw_smooth_network(network, extent, 0)
    assert sample is not None
    runs = reference(sample, Floats())
    assert [run.tapes["f"].steps for _, run in runs] == list(sample.extent.lengths["t"])
    assert len(set(sample.extent.lengths["t"])) == 3


def test_a_network_file_is_verified_from_what_it_states(tmp_path) -> None:
    network = network_of("tied")
    path = tmp_path / "tied.py"
    path.write_text(source_of(network), encoding="utf-8")
    found = verify_network_file(path, regenerate=generate_network)
    assert found.ok
    assert found.differences == ()
    path.write_text(source_of(network).replace("1.0 - ", "1.0 + ", 1), encoding="utf-8")
    assert not verify_network_file(path).ok


def test_a_file_without_a_network_is_refused(tmp_path) -> None:
    path = tmp_path / "none.py"
    path.write_text("NETWORK = 3\n", encoding="utf-8")
    with pytest.raises(ArgumentError, match="states no network"):
        verify_network_file(path)


def test_the_same_seed_gives_the_same_table() -> None:
    network = network_of("tied")
    tables = {verify_network(network, source_of(network), seed=4).table() for _ in range(2)}
    assert len(tables) == 1
    assert np.isfinite(verify_network(network, source_of(network), seed=4).checks[0].figure)
