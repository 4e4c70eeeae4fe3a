"""Threads that share out the samples: what the generator writes passes, and what mixes samples up is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.catalog import load, shipped
from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast, generate_fast_network
from numeric.team_source import team_functions
from proofs.attestation import standing
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED
from proofs.subject import Subject
from proofs.table import Check
from proofs.team_checks import team, team_of_network
from tests.networks import network_of

LAGGED = read_cell(
    """\
f[t] = sigmoid(W_f @ x[t-1] + U_f @ h[t-1] + b_f)
h[t] = f[t] * h[t-3] + (1 - f[t]) * tanh(W_g @ x[t] + U_g @ h[t-2])
""",
    "lagged",
)
FREE = read_cell("h[t] = tanh(W @ h[t-1] + b)\n", "free")


def judged(cell, *edit: str) -> Check:
    """The verdict on a cell's file over a workspace with a team, and with an edit."""
    derivation = derive(cell)
    source = "\n\n\n".join([standing(generate_fast(derivation)).code, *team_functions(derivation)])
    return team(Subject(derivation, Code(load_source(edited(source, *edit))), 0))


def refused(verdict: Callable[[], Check]) -> bool:
    """Whether the check says no, or a refusal of the file's own stops it, which is a no wherever checks are run."""
    try:
        return not verdict().ok
    except ValueError:
        return True


def edited(source: str, old: str = "", new: str = "") -> str:
    assert old in source
    return source.replace(old, new) if old else source


@pytest.mark.parametrize("name", [entry.name for entry in shipped()])
def test_a_team_of_every_shipped_cell_gives_what_one_run_gives(name: str) -> None:
    assert judged(load(name)).ok


@pytest.mark.parametrize("cell", [LAGGED, FREE], ids=["lagged", "free"])
def test_samples_are_found_in_values_of_several_steps_and_without_inputs(cell) -> None:
    assert judged(cell).ok


def judged_network(name: str, *edit: str) -> Check:
    network = network_of(name)
    derivation = derive_network(network)
    text = standing(generate_fast_network(derivation)).code
    source = edited("\n\n\n".join([text, *team_functions(derivation)]), *edit)
    code = NetworkCode(load_source(source, name, PROMISED))
    return team_of_network(NetworkSubject(network, code, 0))


NETWORKS = ["ragged", "tagger", "encoder_decoder", "tied", "one_to_many", "many_to_one", "aligned"]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_team_of_a_network_gives_what_one_run_gives(name: str) -> None:
    found = judged_network(name)
    assert found.ok, found.where


EDITS = {
    "samples that nobody takes": (
        "slice(i * B // count, (i + 1) * B // count)",
        "slice(i * (B // count), (i + 1) * (B // count) + (i == count - 1 < 2) * (B % count))",
    ),
    "gradients of the first thread alone": ("    for part in parts[1:]:", "    for part in ():"),
    "gradients added to those of the last run": (
        "        np.copyto(total, first)\n",
        "        total += first\n",
    ),
    "outputs on the wrong axis": (
        "whole[name][(slice(None),) * axis + (samples,)] = part",
        "whole[name].reshape(-1)[: part.size] = part.reshape(-1)",
    ),
    "a room kept for other sizes": ("if team.sizes != (B, of):", "if team.sizes is None:"),
    "bars that are the first thread's": (
        'share("outputs_bar", outputs_bar, axes, cuts[i]',
        'share("outputs_bar", outputs_bar, axes, cuts[0]',
    ),
    "samples counted in the inputs alone": (
        " | labelled(\"state['{}']\", state, team.states)",
        "",
    ),
    "gradients' samples not counted": (
        "    samples_in(found | labelled(\"final_bar['{}']\", final_bar, team.states), B)\n",
        "",
    ),
    "any cache": ('    if "threads" not in cache:', "    if cache is None:"),
    "no threads": ("if threads < 1:", "if threads < 0:"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_mixes_samples_up_is_refused(edit: str) -> None:
    assert refused(lambda: judged(LAGGED, *EDITS[edit]))


def test_lengths_are_shared_out_like_samples() -> None:
    assert refused(lambda: judged_network("ragged", '"lengths_t": 0', '"lengths_t": 7'))
