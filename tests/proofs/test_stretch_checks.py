"""The checks of truncation and checkpointing: they hold for what is generated, and fail for what is broken."""

from __future__ import annotations

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.additions import Additions, generate_with
from proofs import addition_checks, network_window_checks, stretch_checks, truncation_exact
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED
from proofs.subject import Subject
from proofs.verification import verify
from tests.networks import CELLS
from tests.proofs.corruptions import doubled, term_dropped

LAGGED = "h[t] = tanh(W @ h[t-1] + V @ h[t-2] + U @ x[t] + P @ x[t-1])"
WANTED = Additions((2, 5), True)
CELL = read_cell(LAGGED, "lagged")
DERIVATION = derive(CELL)
SOURCE = generate_with(DERIVATION, WANTED)
RAGGED = """
ragged t
f = scan(gru, x[t])
y[t] = V @ f.h[t] + c
loss[t] = squared_error(y[t], d[t])
"""


def subject(source: str = SOURCE) -> Subject:
    return Subject(DERIVATION, Code(load_source(source)), 0)


def broken(before: str, after: str) -> str:
    assert SOURCE.count(before) == 1, before
    return SOURCE.replace(before, after)


def test_what_is_generated_passes_every_check_and_verification_asks_for_them():
    table = verify(CELL, SOURCE, derivation=DERIVATION)
    brought = (addition_checks.TRUNCATED, addition_checks.CHECKPOINTED)
    names = [name for function in brought for name in addition_checks.OF_CELLS[function]]
    assert table.ok
    assert len(names) == 6
    assert set(names) <= table.required
    assert set(names) <= {c.name for c in table.checks if c.ok}


def test_a_file_without_additions_is_not_asked_for_their_checks():
    plain = generate_with(DERIVATION, Additions())
    assert addition_checks.examined(plain, addition_checks.OF_CELLS) == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("starts, unseen = stops - k2,", "starts, unseen = stops - k2 - 1 + 0 * k2,"),
        ("(stops - 1) // k1 * k1", "stops // k1 * k1"),
        ("found[steps < unseen] = 0.0", "found[steps <= unseen] = 0.0"),
        ("found[steps < unseen] = 0.0", "pass"),
        ("first = k2 - k2 % k1", "first = k1"),
        ("stops == T, DEPTHS", "stops > 0, DEPTHS"),
        ("params_bar[name] + value", "params_bar[name] - value"),
        ("[start : start + k2] += apart", "[start : start + k2] = apart"),
        ('"h": 2, "x": 1}\n\n\nSTORED', '"h": 1, "x": 1}\n\n\nSTORED'),
    ],
)
def test_a_broken_truncation_is_noticed(before, after):
    source = broken(before, after)
    checks = (stretch_checks.truncated, stretch_checks.truncated_whole)

    def fails(check) -> bool:
        try:
            return not check(subject(source)).ok
        except (ValueError, IndexError, TypeError):
            return True

    assert any(map(fails, checks))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cache, outputs_bar, state_bar)\n        del cache", "cache, outputs_bar)\n        del cache"),
        ("loss(outputs, cut.start)", "loss(outputs, 0) if cut.start else (0.0, {})"),
        ("before.append(run_again(cut, before[-1])[1])", "before.append(before[-1])"),
        ("params_bar[name] += bar", "params_bar[name] = bar.copy()"),
    ],
)  # fmt: skip
def test_broken_checkpointing_is_noticed(before, after):
    assert not stretch_checks.checkpointed(subject(broken(before, after))).ok


def test_checkpointing_that_keeps_everything_is_noticed():
    source = broken(
        "min(T, int(np.ceil((held * T) ** 0.5))) if stretches is None", "1 if stretches is None"
    )
    assert stretch_checks.checkpointed(subject(source)).ok
    assert not stretch_checks.checkpointed_memory(subject(source)).ok


def test_a_truncation_that_differs_from_backward_in_one_bit_is_noticed():
    source = broken(
        "    if k2 >= steps_and_samples(cache)[0]:\n        return backward(params, cache, outputs_bar, final_bar)\n",
        "    if k2 >= steps_and_samples(cache)[0]:\n        bars = backward(params, cache, outputs_bar, final_bar)\n"
        "        return {k: v * (1 + 2**-52) for k, v in bars[0].items()}, *bars[1:]\n",
    )
    assert not stretch_checks.truncated_whole(subject(source)).ok


# ── modulo a prime ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", [0, 1])
def test_windows_and_lags_agree_modulo_a_prime(seed):
    found = truncation_exact.prove_truncation(DERIVATION, seed=seed)
    assert found.wrong == ()
    assert found.compared > 30


def test_a_wrong_line_of_the_derivation_is_noticed_in_the_windows():
    backward = DERIVATION.backward
    for change in (doubled, term_dropped):
        first, *rest = backward.local
        wrong = type(first)(first.lhs, change(first.rhs), first.rules, first.owner, first.present)
        changed = type(DERIVATION)(
            DERIVATION.cell,
            DERIVATION.assignments,
            type(backward)(
                (wrong, *rest), backward.inputs, backward.parameters, backward.carried, backward.inlined
            ),
            DERIVATION.jacobian,
        )  # fmt: skip
        assert truncation_exact.prove_truncation(changed).wrong


@pytest.mark.parametrize("shift", [1, -1])
def test_a_wrong_law_of_windows_is_noticed(monkeypatch, shift):
    right = truncation_exact.windows

    def wrong(steps, k1, k2):
        return tuple(
            type(w)(max(1, min(w.first + shift, w.last)), w.last, w.seen)
            for w in right(steps, k1, k2)
        )

    monkeypatch.setattr(truncation_exact, "windows", wrong)
    assert any("by lags" in w for w in truncation_exact.prove_truncation(DERIVATION).wrong)


# ── networks ────────────────────────────────────────────────────────────────────────────────────────


def network_subject(change=lambda text: text) -> NetworkSubject:
    network = read_network(RAGGED, "net", CELLS.get)
    source = change(generate_with(derive_network(network), Additions((1, 2))))
    return NetworkSubject(network, NetworkCode(load_source(source, "net", PROMISED)), 0)


def test_a_network_with_lengths_of_their_own_passes():
    assert network_window_checks.truncated(network_subject()).ok
    assert network_window_checks.truncated_whole(network_subject()).ok


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("np.clip(lengths - starts[:, None], 0, length)", "np.clip(lengths - 0 * starts[:, None], 0, length)"),
        ("starts, unseen = stops - k2,", "starts, unseen = np.maximum(stops - k2 - 1, 0),"),
    ],
)  # fmt: skip
def test_a_network_that_is_cut_in_the_wrong_place_is_noticed(before, after):
    def change(text: str) -> str:
        assert text.count(before) == 1
        return text.replace(before, after)

    assert not network_window_checks.truncated(network_subject(change)).ok
