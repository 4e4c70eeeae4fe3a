"""Files over a workspace that keep too much of an earlier run, or refuse too little: each must be seen and named."""

from __future__ import annotations

import pytest

from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast_network
from proofs.attestation import standing
from proofs.modules import load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_special_checks import special_runs
from proofs.network_verification import PROMISED, verify_network
from proofs.table import Check
from proofs.workspace_checks import workspace, workspace_of_network
from tests.networks import SHARED_START, network_of, read
from tests.proofs.test_special_checks import FAST, judged

STACKED = "    U_g_T[...] = U_g.T\n"
OF_CELLS = {
    "run 2": (STACKED, "    if ws.run <= 1:\n        U_g_T[...] = U_g.T\n"),
    "run 4": (STACKED, "    if ws.run <= 3:\n        U_g_T[...] = U_g.T\n"),
    "run 13": (STACKED, "    U_g_T[...] = U_g.T * (1 + (ws.run // 3 // 4 > 0))\n"),
    "run 50": (STACKED, "    U_g_T[...] = U_g.T * (1 + ws.run // 50)\n"),
    "an infinite number put into U_g": (
        STACKED,
        "    U_g_T[...] = np.where(np.isfinite(U_g.T), U_g.T, 0)\n",
    ),
    "a cache": ("    ws = checked_run(cache)\n", "    ws = cache['workspace']\n"),
    "a workspace made for": ("if self.key != key:", "if self.key[1:] != key[1:]:"),
}


@pytest.mark.parametrize("what", OF_CELLS)
def test_a_workspace_of_a_cell_that_is_used_again_is_judged(what: str) -> None:
    found = judged(workspace, FAST, OF_CELLS[what])
    assert not found.ok
    assert any(what in place for place in found.where)


def test_a_cache_whose_workspace_was_half_overwritten_by_a_refused_run_is_judged() -> None:
    early = FAST.replace("self.run, self.given = self.run + 1, True", "self.given = True")
    late = ("    outputs = dict(ws.outputs)\n", "    ws.run += 1\n    outputs = dict(ws.outputs)\n")
    found = judged(workspace, early, late)
    assert any("was refused for its params" in place for place in found.where)


def test_what_the_generator_writes_for_cells_passes() -> None:
    assert judged(workspace, FAST).ok


SUM = (
    "    if given is not kept:\n",
    "    if given is not kept and name not in rooms:\n        rooms[name] = True\n",
)
KEY = "(name, array.shape, array.dtype)"
HELD = "    kept = room(rooms, name, sequence.shape, sequence.dtype)\n"
OF_NETWORKS = {
    "outputs['f_h']: run 2": (
        "ragged",
        "        arrays[name] = room(rooms, name, array.shape, array.dtype)\n        np.copyto(",
        f"        fresh = {KEY} not in rooms\n        arrays[name] = room(rooms, *{KEY})\n        if fresh: np.copyto(",
    ),
    "outputs['f_h']: run 3": (
        "ragged",
        HELD,
        "    key = (name, sequence.shape, sequence.dtype)\n    if key in rooms: return rooms[key]\n"
        + HELD,
    ),
    "params_bar['E']: run 2": ("tagger", *SUM),
    "inputs_bar['x']: run 2": ("ragged", *SUM),
    "a cache": ("ragged", "    ws = checked_run(cache)\n", "    ws = cache['workspace']\n"),
    "more steps": ("encoder_decoder", "if self.key != key:", "if self.key[1:] != key[1:]:"),
    "more samples": (
        "encoder_decoder",
        "if self.key != key:",
        "if (self.key[0], *self.key[2:]) != (key[0], *key[2:]):",
    ),
    "a workspace for float64": ("aligned", "if self.key != key:", "if self.key[:-1] != key[:-1]:"),
    "an infinite number put into V": (
        "aligned",
        "    if not finite(V, c):\n        raise not_finite(params)\n",
        "",
    ),
}


def judged_network(name: str, *edit: str) -> Check:
    """The verdict on a network's file over a workspace, with an edit."""
    network = network_of(name)
    source = standing(generate_fast_network(derive_network(network))).code
    if edit:
        assert edit[0] in source
        source = source.replace(*edit)
    return workspace_of_network(
        NetworkSubject(network, NetworkCode(load_source(source, name, PROMISED)), 0)
    )


@pytest.mark.parametrize("what", OF_NETWORKS)
def test_a_workspace_of_a_network_that_is_used_again_is_judged(what: str) -> None:
    found = judged_network(*OF_NETWORKS[what])
    assert not found.ok
    assert any(what in place for place in found.where), found.where


@pytest.mark.parametrize("name", ["ragged", "tagger", "encoder_decoder", "tied", "one_to_many"])
def test_what_the_generator_writes_for_networks_passes(name: str) -> None:
    assert judged_network(name).ok


@pytest.mark.parametrize("name", ["ragged_encoder_decoder", "reversed_encoder", "tied"])
def test_networks_over_a_workspace_are_verified_and_every_branch_is_seen(name: str) -> None:
    network = network_of(name)
    found = verify_network(network, generate_fast_network(derive_network(network)))
    assert found.failures == ()
    assert "workspace" in {c.name for c in found.checks}


def test_sums_of_sequences_in_the_room_of_those_of_final_values_are_refused() -> None:
    network = read(SHARED_START)
    source = standing(generate_fast_network(derive_network(network))).code
    verdicts = {}
    for kept in ("ws.ends", "ws.sums"):
        edited = source.replace("ws.ends", kept)
        code = NetworkCode(load_source(edited, network.name, PROMISED))
        verdicts[kept] = special_runs(NetworkSubject(network, code, 0))
    assert verdicts["ws.ends"].ok
    assert not verdicts["ws.sums"].ok
    assert all("as many steps as the largest lag" in w for w in verdicts["ws.sums"].where)
