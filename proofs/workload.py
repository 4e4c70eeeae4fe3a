"""How much work the exact route is for a cell: what would take hours is refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

from derive.cell import Cell
from derive.derivation import Derivation
from proofs.evaluation import Evaluator
from proofs.field import MERSENNE_PRIMES, PrimeField
from proofs.point import draw_sizes, steps_for
from proofs.table import Check, failed
from proofs.unrolled import trained

SIZE = "size"
MOST = 3 * 10**8
"""Multiplications modulo a prime at one random point: some minutes."""


def excess(derivation: Derivation) -> Check | None:
    """The row that refuses a cell which is too large for the exact route; none if it is not.

    Args:
        derivation: what is to be verified.
    """
    targets = (a.target for a in derivation.assignments)
    problem = too_much(derivation.cell, targets)
    return failed(SIZE, "the exact checks end within minutes", problem) if problem else None


def too_much(cell: Cell, targets: Iterable[Any], *, samples: int = 2) -> str:
    """Why a cell is too large for exact gradients at a random point, and what to do; empty if it is not.

    Law: one run of T steps of B samples multiplies about B T (P + N) times, for P entries of parameters and N
    entries a step; it is made once for each of the computed entries of all steps and for each given quantity.

    Args:
        cell: the cell.
        targets: what a step computes.
        samples: B.
    """
    steps = steps_for(cell)
    sizes = draw_sizes(cell, Random(0))  # noqa: S311 - no secret
    shape = Evaluator(PrimeField(MERSENNE_PRIMES[0], 0), sizes).shape
    held = sum(_area(shape(q.symbol)) for q in (*cell.parameters, *cell.constants))
    computed = sum(_area(shape(target)) for target in targets)
    read = sum(_area(shape(q.symbol)) for q in cell.inputs)
    directions = computed * steps + len(trained(cell, steps))
    work = directions * samples * steps * (held + computed + read)
    if work <= MOST:
        return ""
    return (
        f"about {work:.1e} multiplications for {computed:,} values a step, {held:,} entries of parameters and "
        f"T = {steps}; at most {MOST:.1e} are made. Leave sizes open where `dim` fixes large ones (the proofs cover "
        "every size), shorten the longest lag, or split the cell into several scans of a .net file."
    )


def _area(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1]
