"""Files that are wrong only where two or three things are unusual at once, and the designs in which these meet."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.additions import Additions, generate_with
from numeric.source import generate
from proofs.attestation import standing
from proofs.combined_runs import combined_runs, combined_runs_of_network
from proofs.covering import covering
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED
from proofs.subject import Subject
from proofs.table import Check
from tests.networks import network_of
from tests.networks import source_of as network_source_of
from tests.proofs.specimens import EVERY, derivation_of, source_of

DERIVATION = derive(read_cell("h[t] = tanh(W @ h[t-1] + U @ x[t] + b)", "my"))
SOURCE = generate(DERIVATION)
FAST = standing(generate_with(DERIVATION, Additions(speed=True))).code
SPARSE = standing(generate_with(DERIVATION, Additions(checkpoint=True))).code
MORE = standing(generate_with(DERIVATION, Additions(truncation=(2, 3), real_time=True))).code
STEP = "forward(params, x_t[None], state)"
ENDS = "    params_bar = {"
GIVEN = '    x = checked("x", x, (T, B, m), dtype)\n'
LOSS = "    return value, backward("


def judged(source: str) -> Check:
    return combined_runs(Subject(DERIVATION, Code(load_source(source)), 0))


def ending(line: str) -> str:
    assert ENDS in SOURCE
    return SOURCE.replace(ENDS, f"    {line}\n{ENDS}", 1)


def beginning(line: str) -> str:
    assert GIVEN in SOURCE
    return SOURCE.replace(GIVEN, f"    {line}\n{GIVEN}", 1)


def asking(line: str) -> str:
    assert LOSS in SOURCE
    return SOURCE.replace(LOSS, f"    {line}\n{LOSS}", 1)


LATE, MANY, SINGLE = "(T // 15 // 14)", "(B // 4 // 8 > 0)", "(dtype == np.float32)"
WRONG = {
    "float32 and many steps": ending(f"U_bar = U_bar * dtype.type(1 + {SINGLE} * {LATE})"),
    "float32 and many samples": ending(f"b_bar = b_bar * dtype.type(1 + {SINGLE} * {MANY})"),
    "many steps of many samples": ending(f"x_bar = x_bar * dtype.type(1 + {LATE} * {MANY})"),
    "equal sizes and many samples": ending(f"W_bar = W_bar * dtype.type(1 + (n == m) * {MANY})"),
    "sizes of 1 and many steps": ending(f"W_bar = W_bar * dtype.type(1 + (n == 1) * {LATE})"),
    "float32 in an array with gaps, of one sample": beginning(
        f"b = b * dtype.type(1 + {SINGLE} * (B == 1) * (x.strides[-1] > 4))"
    ),
    "many steps and no state": beginning(
        f"b = b * dtype.type(1 + (state is None) * {LATE})"
    ),
    "many samples and no final_bar": ending(
        f"W_bar = W_bar * dtype.type(1 + (final_bar is None) * {MANY})"
    ),
    "a loss that is large": asking(
        "outputs_bar = {k: v * v.dtype.type(1 + (value > 1e8)) for k, v in outputs_bar.items()}"
    ),
    "a negative loss": asking(
        "outputs_bar = {k: v * v.dtype.type(1 + (value < 0)) for k, v in outputs_bar.items()}"
    ),
    "a loss of zero in float32": asking(
        "outputs_bar = {k: v * v.dtype.type(1 + (value == 0) * (v.itemsize == 4)) for k, v in outputs_bar.items()}"
    ),
    "a step in float32": SOURCE.replace(
        STEP, STEP.replace("x_t[None]", "x_t[None] * x_t.dtype.type(1 + (x_t.itemsize == 4) / 4)")
    ),
    "a step of many samples": SOURCE.replace(
        STEP, STEP.replace("x_t[None]", "x_t[None] * (1 + len(x_t) // 4 // 8)")
    ),
    "windows in float32": MORE.replace(
        "params_bar[name] + value for", "params_bar[name] + value * value.dtype.type(value.itemsize != 4) for"
    ),
    "windows in real time in float32": MORE.replace(
        "totals[name] + gradient_along(found, bars)",
        "totals[name] + gradient_along(found, bars) * totals[name].dtype.type(totals[name].itemsize == 8)",
    ),
    "in stretches, of many samples": SPARSE.replace(
        "return sum(losses", "return (1 + (params_bar['b'].dtype.itemsize == 4)) * sum(losses"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_only_where_two_things_meet_is_refused(what: str) -> None:
    assert WRONG[what] not in (SOURCE, SPARSE, MORE)
    found = judged(WRONG[what])
    assert found.verdict == "fails", found
    assert all("T = " in told and "B = " in told for told in found.where)


def test_right_files_pass() -> None:
    for source in (SOURCE, FAST, SPARSE, MORE):
        assert judged(source).verdict == "holds"


@pytest.mark.parametrize("name", EVERY)
def test_files_of_every_cell_pass(name: str) -> None:
    subject = Subject(derivation_of(name), Code(load_source(source_of(name))), 1)
    assert combined_runs(subject).verdict == "holds"


def test_a_workspace_that_fails_in_float32_alone_is_refused() -> None:
    used = "W_h_bar *= dtype.type(1 + (ws.run // 2 > 0) * (dtype.itemsize // 8 == 0))"
    mark = "    params_bar = dict("
    assert mark in FAST
    assert judged(FAST.replace(mark, f"    {used}\n{mark}", 1)).verdict == "fails"


def of_network(source: str) -> Check:
    code = NetworkCode(load_source(source, "my", PROMISED))
    return combined_runs_of_network(NetworkSubject(network_of("ragged"), code, 0))


def test_networks_are_asked_alike() -> None:
    source = network_source_of(network_of("ragged"))
    assert of_network(source).verdict == "holds"
    at = source.index("    V_bar = ")
    end = source.index("\n", at) + 1
    late, many = "(T // 15 // 14)", "(B // 4 // 8 > 0)"
    for two in (f"(V_bar.itemsize == 4) * {late}", f"(T == 1) * {many}", f"{late} * {many}"):
        line = f"    V_bar = V_bar * V_bar.dtype.type(1 + {two})\n"
        assert of_network(source[:end] + line + source[end:]).verdict == "fails", two


def test_lengths_are_left_out_of_runs_of_many_samples() -> None:
    source, mark = network_source_of(network_of("ragged")), "< lengths)[..., None]"
    assert mark in source
    wrong = "< lengths * (1 - (len(lengths) // 4 // 8 > 0) * (lengths.min() == T)))[..., None]"
    assert of_network(source.replace(mark, wrong)).verdict == "fails"


def test_any_two_levels_meet_and_any_three_of_some() -> None:
    levels = (3, 3, 4, 2, 7, 4)
    grounds = covering(levels[:3])
    assert len(grounds) == 12
    rows = covering(levels, (0, 1, 3, 4), grounds)
    assert {row[:3] for row in rows} <= set(grounds)
    for size, factors in ((2, range(6)), (3, (0, 1, 3, 4))):
        for chosen in combinations(factors, size):
            seen = {tuple(row[f] for f in chosen) for row in rows}
            assert seen == set(product(*(range(levels[f]) for f in chosen))), chosen
