"""How long each stage takes for every shipped cell: deriving, proving (exact and general), generating.

Nothing here depends on T: a derivation holds for every length, and its proof is by induction.
"""

from __future__ import annotations

import pytest

from derive.catalog import load, shipped
from derive.derivation import derive
from numeric.source import generate
from proofs.checker import check
from proofs.general import prove as prove_general
from proofs.modular import prove as prove_exact

every_cell = pytest.mark.parametrize("name", [entry.name for entry in shipped()])


@every_cell
def test_deriving(benchmark, name):
    cell = load(name)

    def work():
        derivation = derive(cell)
        return derivation, derivation.steps

    assert benchmark(work)[1]


@every_cell
def test_proving_exactly(benchmark, name):
    derivation = derive(load(name))
    verdict = benchmark(lambda: prove_exact(derivation, seed=0))
    assert verdict.lines
    assert not verdict.wrong_lines


@every_cell
def test_proving_for_all_sizes_and_lengths(benchmark, name):
    derivation = derive(load(name))
    assert benchmark(lambda: check(prove_general(derivation).to_json())).accepted


@every_cell
def test_generating(benchmark, name):
    derivation = derive(load(name))
    assert benchmark(lambda: generate(derivation)).startswith('"""')
