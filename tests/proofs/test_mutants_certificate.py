"""Wrong derivations: Rocq refuses each, at the lemma of the adjoint that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs.mutants_certificate import Trial, one_of_each_kind, table, trials
from proofs.mutants_equations import equation_mutants
from proofs.rocq_check import Verdict, check_certificate
from tests.proofs.rocq import derivation, shared_folder

KINDS = ("sign", "transpose", "lost path", "time index", "initial value")


def test_there_is_a_mutant_of_every_kind() -> None:
    kinds = {mutant.kind for mutant in one_of_each_kind(derivation("skip"))}
    assert kinds >= {*KINDS, "dropped term", "wrong gate", "dropped factor"}


def test_every_fate_stands_in_the_table() -> None:
    mutants = list(equation_mutants(derivation("elman")))
    answers = iter([Verdict(False, (), "h_barE"), *[Verdict(True)] * len(mutants)])
    found = list(trials("elman", mutants, lambda text: next(answers)))
    assert {t.fate for t in found} == {"refused", "accepted", "inexpressible"}
    shown = table(found)
    assert "refused at `h_barE`" in shown
    assert shown.count("\n") == len(mutants) + 6
    assert isinstance(found[0], Trial)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory)


@pytest.mark.needs("coqc")
@pytest.mark.parametrize(
    ("cell", "kind"),
    [*(("elman", kind) for kind in KINDS), ("gru", "wrong gate"), ("lstm", "wrong gate")],
)
def test_rocq_refuses_a_wrong_derivation(cell: str, kind: str, library: Path) -> None:
    (mutant,) = (m for m in one_of_each_kind(derivation(cell)) if m.kind == kind)
    (trial,) = trials(cell, [mutant], lambda text: check_certificate(text, folder=library))
    assert trial.fate == "refused"
    assert trial.where
