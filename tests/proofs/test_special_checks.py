"""Edits that are wrong only in runs of which something is special: each must be refused, and located."""

from __future__ import annotations

import re

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_catalog import shipped_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.additions import Additions, generate_with
from numeric.network_source import generate_network
from numeric.source import generate
from proofs import network_special_checks as of_networks
from proofs import verification
from proofs.attestation import standing
from proofs.branches import Watch
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED, verify_network
from proofs.special_checks import as_given, large_run, special_runs, wide_run
from proofs.subject import Subject
from proofs.table import Check
from proofs.verification import EXACT, REQUIRED, verify

TEXT = """\
f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
g[t] = tanh(W_g @ x[t] + U_g @ h[t-2] + b_g)
c[t] = f[t] * c[t-1] + (1 - f[t]) * g[t]
h[t] = tanh(c[t])
"""
DERIVATION = derive(read_cell(TEXT, "my"))
SOURCE = generate(DERIVATION)
FAST = standing(generate_with(DERIVATION, Additions(speed=True))).code
ENDS = "    params_bar = {\n"
BEGINS = "    dtype = common_dtype(params)\n"
STATE = "    [c_0, h_0] = unpacked_state(state, zeros, dtype)\n"
LOOP = "    for t in reversed(range(T)):\n"


def before(mark: str, line: str) -> tuple[str, str]:
    return mark, f"    {line}\n{mark}"


def after(mark: str, line: str) -> tuple[str, str]:
    return mark, f"{mark}    {line}\n"


def judged(check: object, source: str, edit: tuple[str, str] = ("", "")) -> Check:
    assert edit[0] in source
    code = Code(load_source(source.replace(*edit, 1)))
    return check(Subject(DERIVATION, code, 0))  # type: ignore[operator]


SPECIAL = {
    "equal sizes": before(ENDS, "W_f_bar = W_f_bar.T if n == m else W_f_bar"),
    "every size 1": before(ENDS, "U_f_bar = 2 * U_f_bar if n == 1 else U_f_bar"),
    "every size, B and T equal": before(
        ENDS, "x_bar = x_bar.swapaxes(0, 1) if T == B == n else x_bar"
    ),
    "nine samples": before(ENDS, "U_f_bar = outer_sum(delta_f[:, :4], h_prev[:, :4])"),
    "one step of three samples": before(ENDS, "x_bar = x_bar[:, ::-1] if T == 1 else x_bar"),
    "as many steps as the largest lag": before(ENDS, "x_bar = 2 * x_bar if T == 2 else x_bar"),
    "one sample of four steps": before(ENDS, "b_f_bar = b_f_bar * (1 + (B == 1 < T))"),
    "symmetric matrices": before(ENDS, "U_g_bar = U_g_bar * (1 + np.allclose(U_g, U_g.T))"),
    "U_f zero": before(ENDS, "W_g_bar = W_g_bar * (1 + (not U_f.any()))"),
    "b_f zero": before(ENDS, "b_f_bar = b_f_bar * (1 + (not params['b_f'].any()))"),
    "c zero": after(STATE, "h_0 = h_0 * (1 + (not c_0.any()))"),
    "inputs zero": after(STATE, "h_0 = h_0 * (1 + (not x.any()))"),
    "equal samples": before(ENDS, "b_f_bar = b_f_bar * (1 + (B > 1 and (x[:, :1] == x).all()))"),
}


@pytest.mark.parametrize("run", SPECIAL)
def test_what_is_wrong_only_where_something_is_special_is_refused_and_the_run_is_named(
    run: str,
) -> None:
    found = judged(special_runs, SOURCE, SPECIAL[run])
    assert not found.ok
    assert any(place.endswith(f": {run}") for place in found.where)


GIVEN = {
    "arrays in Fortran's order": after(
        BEGINS, "x = np.asarray(x) if x.flags.c_contiguous else x.ravel('K').reshape(x.shape)"
    ),
    "arrays with gaps": after(BEGINS, "x = x * (1 + (x.strides[-1] > x.itemsize))"),
    "arrays that are read-only": after(BEGINS, "x = x * (2 - x.flags.writeable)"),
    "state without 'c'": (
        STATE,
        STATE.replace("state,", "state if len(state or ()) > 1 else None,"),
    ),
    "final_bar with 'c' alone": before(
        "    [c_final_bar, h_final_bar]",
        "final_bar = final_bar if len(final_bar or ()) > 1 else None",
    ),
    "a loss 1e+12 times as quiet": before(
        ENDS, "U_f_bar = np.where(np.abs(U_f_bar) < 1e-13, 0.0, U_f_bar)"
    ),
    "arrays that held other numbers before": (
        "h_prev[t] @ U_f.T",
        "h_prev[t] @ forward.__dict__.setdefault(id(U_f), (U_f, U_f.T.copy()))[1]",
    ),
    "arrays that are not aligned": after(BEGINS, "x = x * (2 - np.asarray(x).flags.aligned)"),
    "arrays that run backwards": after(BEGINS, "x = x * (1 + (np.asarray(x).strides[0] < 0))"),
    "parts of larger arrays": after(
        BEGINS,
        "x = x * (1 + (x.strides[-1] == x.itemsize) * (x.strides[-2] > x.nbytes // x[..., 0].size))",
    ),
    "memory that holds anything at first": (
        "h_bar_all = np.zeros((T + 2, B, n), dtype)",
        "h_bar_all = np.empty((T + 2, B, n), dtype); h_bar_all[:2] *= 0",
    ),
    "a loss 2e+90 times as quiet": before(
        ENDS, "U_f_bar = np.where(np.abs(U_f_bar) < 1e-30, 0.0, U_f_bar)"
    ),
    "a loss 1e+12 times as loud": after(LOOP, "    c_bar[t] = np.clip(c_bar[t], -1e4, 1e4)"),
}


@pytest.mark.parametrize("how", GIVEN)
def test_what_depends_on_how_numbers_are_given_is_refused_and_the_way_is_named(how: str) -> None:
    found = judged(as_given, SOURCE, GIVEN[how])
    assert not found.ok
    assert any(place.endswith(f": {how}") for place in found.where)


def test_what_is_wrong_beyond_ordinary_sizes_is_refused() -> None:
    assert not judged(wide_run, SOURCE, before(ENDS, "U_f_bar = U_f_bar * (1 + (n > 20))")).ok
    lost = after(LOOP, "    h_bar_prev[t] *= t != T - 120")
    assert not judged(large_run, SOURCE, lost).ok


STRETCHES = {
    "a total that begins anew": ("stop == T)  # (11)", "True)  # (11)"),
    "stretches in the wrong order": (
        "in ws.stretches[::-1]:",
        "in ws.stretches:",
    ),
    "blocks in the wrong order": ("ws.block)[::-1]:", "ws.block):"),
    "inputs of the first stretch": (
        "m] = x[start:stop]\n        as_rows",
        "m] = x[: stop - start]\n        as_rows",
    ),
}


@pytest.mark.parametrize("edit", STRETCHES)
def test_fast_files_are_judged_over_several_stretches_and_blocks(edit: str) -> None:
    assert not judged(large_run, FAST, STRETCHES[edit]).ok


def test_what_the_generator_writes_passes() -> None:
    for check in (special_runs, as_given, wide_run, large_run):
        assert judged(check, SOURCE).ok
        assert judged(check, FAST).ok


UNSEEN = {
    "T > 20 * 20 was never true": before(ENDS, "U_f_bar = U_f_bar * 2 if T > 20 * 20 else U_f_bar"),
    "B <= 20 * 20 was never false": before(
        ENDS, "b_f_bar = b_f_bar if B <= 20 * 20 else 2 * b_f_bar"
    ),
    "the loop over range(20 * 20, T) never ran": after(
        BEGINS, "for t in range(20 * 20, T): x = 2 * x"
    ),
    "n > 20 * 20 was never true": before(ENDS, "b_f_bar = b_f_bar * (1 + (n > 20 * 20))"),
    "except never ran": after(BEGINS, "try: x = x + 0\n    except MemoryError: x = 2 * x"),
}


@pytest.mark.parametrize("told", UNSEEN)
def test_a_branch_that_no_check_took_is_refused_with_its_line(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "_exact", lambda *_: ([], {}))
    monkeypatch.setattr(verification, "REQUIRED", REQUIRED - set(EXACT))
    source = SOURCE.replace(*UNSEEN[told], 1)
    found = verify(DERIVATION.cell, source, derivation=DERIVATION)
    assert [c.name for c in found.failures] == ["every branch"]
    (where,) = found.failures[0].where
    assert re.fullmatch(rf"line \d+: {re.escape(told)}", where)


def test_branches_that_only_raise_and_functions_that_never_run_need_not_be_seen() -> None:
    text = (
        "def f(x):\n    if x > 9:\n        y = 'large'\n        raise ValueError(y)\n    return x\n"
    )
    watch = Watch(text + "def g(x):\n    return 1 if x else 2\n")
    load_source(watch.source, promised=("f",), watch=watch).f(1)
    assert watch.unseen() == ()


NETWORK = read_network(
    """\
ragged t
index tag
e[t] = embed(E, word[t])
f = scan(gru, e[t])
b = scan(elman, e[t], reverse)
y[t] = softmax(V @ concat(f.h[t], b.h[t]) + c)
loss[t] = cross_entropy(y[t], tag[t])
""",
    "net",
    shipped_cell,
)
OF_NETWORK = {
    "nine samples": (LOOP, f"{LOOP}        if B > 5 and t == 1:\n            continue\n"),
    "all samples of length 1": (
        "    cut(outputs, ",
        "    outputs['e'] = outputs['e'] * (1 + (lengths_t.max() == 1 < T_t))\n    cut(outputs, ",
    ),
}


def test_a_networks_file_is_judged_in_special_runs_too() -> None:
    derivation = derive_network(NETWORK)
    source = generate_network(derivation)
    assert verify_network(NETWORK, source, derivation=derivation).ok
    for run in ("nine samples", "all samples of length 1"):
        before_, after_ = OF_NETWORK[run]
        assert before_ in source
        found = verify_network(NETWORK, source.replace(before_, after_, 1), derivation=derivation)
        places = [place for c in found.failures for place in c.where]
        assert any(place.endswith(f": {run}") for place in places), places
    assert load_source(source, "net", PROMISED)


TWO_ENCODERS = """
ragged s
ragged r
e = scan(elman, x[s])
g = scan(elman, z[r])
K[end] = columns(e.h[s])
M[end] = columns(g.h[r])
d = scan(elman, w[t])
a[t] = softmax(K[end].T @ (Q @ d.h[t]))
b[t] = softmax(M[end].T @ (R @ d.h[t]))
y[t] = V @ concat(K[end] @ a[t], M[end] @ b[t])
loss[t] = squared_error(y[t], target[t])
"""
COINCIDING = {
    "the other axis's mask": (
        "(mask_s_columns - 1.0)",
        "((mask_r_columns if mask_r_columns.shape == mask_s_columns.shape else mask_s_columns) - 1.0)",
    ),
    "a softmax over samples": (
        "a = softmax(a_a)",
        "a = softmax(a_a) if a_a.shape[1] != a_a.shape[2] else softmax(a_a.swapaxes(1, 2)).swapaxes(1, 2)",
    ),
    "a softmax over steps": (
        "b = softmax(a_b)",
        "b = softmax(a_b) if a_b.shape[0] != a_b.shape[2] else softmax(a_b.swapaxes(0, 2)).swapaxes(0, 2)",
    ),
    "the other axis's lengths": ("mask_of(lengths_r, T_r", "mask_of(lengths_s if T_r == T_s else lengths_r, T_r"),
}  # fmt: skip


@pytest.mark.parametrize("what", COINCIDING)
def test_axes_mixed_up_only_where_they_are_equally_long_are_refused(what: str) -> None:
    network = read_network(TWO_ENCODERS, "two", shipped_cell)
    source = generate_network(derive_network(network))
    right, wrong = COINCIDING[what]
    assert right in source
    module = load_source(source.replace(right, wrong), "two", PROMISED)
    found = of_networks.special_runs(NetworkSubject(network, NetworkCode(module), 0))
    assert found.verdict == "fails"
    assert all(where.endswith("every size, B and T equal") for where in found.where)
