"""Files that are right until an axis is as long as a number in their text."""

from __future__ import annotations

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_catalog import load
from derive.network_derivation import derive_network
from numeric.additions import Additions, generate_with
from numeric.network_source import generate_network
from numeric.source import generate
from proofs.attestation import standing
from proofs.modules import Code, load_source
from proofs.named_sizes import named, named_sizes, named_sizes_of_network
from proofs.network_checks import NetworkSubject
from proofs.network_contract import padding
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED
from proofs.subject import Subject
from proofs.table import Check
from proofs.thin_runs import thin_runs
from tests.networks import network_of
from tests.networks import source_of as network_source_of
from tests.proofs.specimens import derivation_of, source_of

ENDS = "    params_bar = {"
GRU = source_of("gru")


def judged(check: object, source: str) -> Check:
    return check(Subject(derivation_of("gru"), Code(load_source(source)), 0))  # type: ignore[operator]


def ending(line: str) -> str:
    assert ENDS in GRU
    return GRU.replace(ENDS, f"    {line}\n{ENDS}", 1)


LONGER = {
    "B = 400": ending("b_r_bar = b_r_bar * (1 + B // 400)"),
    "B = 401": ending("b_z_bar = np.sum(delta_z[:, :400], axis=(0, 1))"),
    "B = 7": ending("x_bar = x_bar * {7: 2}.get(B, 1)"),
    "T = 13": ending("x_bar = x_bar * {13: 2}.get(T, 1)"),
    "T = 402": GRU.replace(
        "    for t in reversed(range(T)):",
        "    h_bar_prev[: max(0, T - 400)] = 0\n    for t in reversed(range(T)):",
    ),
    "T = 401": GRU.replace("in reversed(range(T)):", "in reversed(range(max(0, T - 400), T)):"),
    "every size = 200": ending("U_z_bar = (n // 200 and 2 or 1) * U_z_bar"),
}


@pytest.mark.parametrize("where", LONGER)
def test_a_file_that_is_wrong_from_a_number_in_its_text_on_is_refused_with_its_line(
    where: str,
) -> None:
    found = judged(named_sizes, LONGER[where])
    assert found.verdict == "fails"
    assert any(told.endswith(f"where {where}") for told in found.where), found.where


def test_a_number_beyond_all_runs_is_refused() -> None:
    found = judged(named_sizes, ending("b_r_bar = b_r_bar * (1 + B // 123456)"))
    assert not found.ok
    assert "123456 is beyond every size that a check can run" in found.where[0]


def test_a_coefficient_is_no_size() -> None:
    assert not named("def f(x):\n    return 1 / 1000000 + 2000 * x\n")
    assert named("def f(x):\n    return x[:2000] * 400\n") == {2000: 2, 400: 2}


def test_what_the_generator_writes_passes() -> None:
    assert judged(named_sizes, GRU).verdict == "not applicable"
    fast = standing(generate_with(derivation_of("gru"), Additions(speed=True))).code
    assert judged(named_sizes, fast).ok
    network = network_of("tagger")
    source = network_source_of(network)
    lost = source.replace("e_bar = product(delta_f_fiog", "e_bar = product(delta_f_fiog[:, :90]", 1)
    module = load_source(source, "tagger", PROMISED)
    subject = NetworkSubject(network, NetworkCode(module), 0)
    assert named_sizes_of_network(subject).verdict in ("holds", "not applicable")
    assert 90 in named(lost)
    assert 90 not in named(source)


def test_a_block_hides_behind_no_larger_one_and_no_piece_is_as_long_as_what_it_is_compared_with() -> (
    None
):
    assert judged(thin_runs, GRU).ok
    assert not judged(thin_runs, ending("U_z_bar = U_z_bar * (1 + 1e-6 * (n >= 64))")).ok
    assert not judged(thin_runs, ending("b_z_bar = b_z_bar * (1 + 1e-3 * (B > 32))")).ok


def test_a_size_that_the_cell_declares_is_no_number_to_run_at_however_large() -> None:
    cell = derive(read_cell("dim x = 2000\nh[t] = tanh(W @ h[t-1] + U @ x[t])", "wide"))
    source = generate(cell)
    assert 2000 in named(source)
    assert named_sizes(Subject(cell, Code(load_source(source)), 0)).verdict == "not applicable"
    worse = source.replace(ENDS, f"    U_bar = U_bar * (1 + B // 1999)\n{ENDS}", 1)
    found = named_sizes(Subject(cell, Code(load_source(worse)), 0))
    assert "1999 is beyond" in found.where[0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_size_at_which_no_run_tells_anything_is_said_to_be_unseen() -> None:
    chaotic = derive(read_cell("h[t] = 4 * h[t-1] * (1 - h[t-1]) + x[t] + 3", "chaotic"))
    source = generate(chaotic).replace("    x_bar = ", "    x_bar = (1 + T // 300) * ", 1)
    found = named_sizes(Subject(chaotic, Code(load_source(source)), 0))
    assert found.verdict == "not applicable"
    assert "not seen" in found.note
    assert "where T = 300" in found.note
    double = derive(read_cell("h[t] = 2 * h[t-1] + W @ x[t]", "double"))
    source = generate(double)
    right = source.replace("    x_bar = ", "    few = 300\n    x_bar = ", 1)
    assert named_sizes(Subject(double, Code(load_source(right)), 0)).verdict == "holds"
    wrong = source.replace("    x_bar = ", "    x_bar = (1 + T // 300) * ", 1)
    assert "where T = 300" in str(named_sizes(Subject(double, Code(load_source(wrong)), 0)))


def test_a_sample_of_one_step_among_long_ones_is_seen() -> None:
    network = load("tagger")
    source = generate_network(derive_network(network))
    held = "lengths - 1), np.arange"
    assert held in source
    for late in ("T // 400", "T // 15 // 20"):
        wrong = source.replace(held, f"np.maximum(lengths - 1, {late})), np.arange", 1)
        subject = NetworkSubject(network, NetworkCode(load_source(wrong, "tagger", PROMISED)), 0)
        with pytest.raises(ValueError, match="expected numbers from 0"):
            padding(subject)
