"""Generated code on residues: what is right agrees with the backward equations, and what is broken does not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.source import generate
from proofs.exact_code import agreement
from tests.proofs.rocq import STACKS, TWO_STATES, derivation, derived


@pytest.mark.parametrize("name", ["lstm_peephole", "mlstm", "skip", "lru"])
def test_the_code_of_a_shipped_cell_agrees(name: str) -> None:
    made = derivation(name)
    said = agreement(made, generate(made))
    assert re.fullmatch(
        r"at .* T = .*; .* T = .*: by luck with a probability below 10\^-1\d\d", said
    )
    assert said == agreement(made, generate(made))


@pytest.mark.parametrize("text", [TWO_STATES, STACKS])
def test_lags_softmax_and_stacks_agree(text: str) -> None:
    made = derived(text)
    assert agreement(made, generate(made))


def broken(source: str) -> Iterator[str]:
    """The file with one line of its backward pass changed."""
    lines = source.split("\n")
    begin = next(i for i, line in enumerate(lines) if line.startswith("def backward"))
    end = next(i for i in range(begin + 1, len(lines)) if re.match(r"(def|@)", lines[i]))
    body = next(i for i in range(begin, end) if lines[i].lstrip().startswith("for t in"))
    for i in range(body, end):
        for old, new in ((" * (1 - ", " * (1 + "), (" += ", " -= "), ("[t] * ", "[t - 1] * ")):
            if old in lines[i]:
                yield "\n".join([*lines[:i], lines[i].replace(old, new, 1), *lines[i + 1 :]])


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_broken_backward_pass_does_not_agree(name: str) -> None:
    made = derivation(name)
    mutants = list(broken(generate(made)))
    assert len(mutants) >= 5
    assert [source for source in mutants if agreement(made, source)] == []


def test_equations_of_another_cell_do_not_agree() -> None:
    right = derived("h[t] = tanh(W @ h[t-1] + U @ x[t])\n")
    other = derived("h[t] = tanh(W.T @ h[t-1] + U @ x[t])\n")
    assert agreement(right, generate(right))
    assert not agreement(right, generate(other))


def test_fractions_that_binary_numbers_round_are_not_said_to_agree() -> None:
    third = derive(read_cell("h[t] = tanh(0.3 * (W @ h[t-1]) + x[t])\n", "third"))
    half = derive(read_cell("h[t] = tanh(0.5 * (W @ h[t-1]) + x[t])\n", "half"))
    assert not agreement(third, generate(third))
    assert agreement(half, generate(half))
