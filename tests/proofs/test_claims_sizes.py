"""Every small claim over sizes: what an argument shows of it holds in runs, with matrices of every special kind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from derive.catalog import load
from derive.cell import Cell
from derive.language import read_cell
from proofs.arithmetic import Array
from proofs.claims.document import read_document
from proofs.claims.meaning import Reading
from proofs.claims.measured import Measured
from proofs.claims.points import Context, compared
from proofs.claims.sizes import argument
from proofs.claims.syntax import Formula
from proofs.claims.values import MeaninglessError
from proofs.claims.world import Extent, World
from proofs.floats import Floats
from proofs.unrolled import Place

MEASURES = ("norm", "sigma_min", "spectral_radius")
STATES = ("dh[t]/dh[k]", "dh[t]/dh[t-2]", "W @ W.T", "product(j, k+1..t, W)", "d+h[t]/dW")
VALUES = ("diag(h[t])", "h[t]", "W + b.T @ b", "W - W", "sandwich(W, b)", "W * W", "W + W.T")
BOUNDS = ("{}(W)**(t-k)", "{}(W)**2", "{}(W.T)**(t-k+1)", "{}(W)**(k-t)", "norm(h[t-1])", "gamma * {}(W)")  # fmt: skip
OTHERS = ("{}(h[t])", "{}(W @ W)", "norm(W) + norm(b)**2", "2 * {}(W)", "norm(W) * norm(b)", "{}(W)**0")  # fmt: skip
STEPS = ("dh[t]/dh[t-1]", "dh[t]/dh[t-2]", "local(h[t], h[t-1])", "dh[t]/dx[t]")
OF_STEPS = (
    "{}(W)", "{}(W) / 4", "{}(W) / 10", "{}(U)", "0.9 - 0.1 * norm(W)", "0.9 + 0.1 * {}(W)", "0.9 - 0.05 * norm(W)",
    "0.1 + {}(W)", "1 - norm(W)", "0.5 - 0.3 * norm(W) * norm(h[t-1])",
)  # fmt: skip
QUANTITIES = ("h[t]", "h[t-1]")
OF_VALUES = (
    "norm(W) * norm(h[t-1]) + norm(U) * norm(x[t]) + norm(b)", "norm(W) * norm(h[t-1]) + norm(U) * norm(x[t])",
    "norm(h[t-1]) + norm(x[t])", "0.9 * norm(h[t-1]) + 0.1 * (norm(W) * norm(h[t-1]) + norm(U) * norm(x[t]) + norm(b))",
    "norm(W) * norm(h[t-2]) + norm(U) * norm(x[t-1]) + norm(b)", "norm(W) * norm(h[t-1]) + norm(x[t])", "norm(b)",
)  # fmt: skip
ROUNDING = 1e-4
"""Eigenvalues of a Jordan block of four rows are off by the fourth root of a double's rounding."""
RUNS = 8

CELLS = {
    "linear": read_cell("h[t] = W @ h[t-1] + U @ x[t] + b", "linear"),
    "elman": load("elman"),
    "relu": load("elman:g=relu"),
    "leaky": load("leaky"),
    "twice": read_cell(
        "h[t] = 0.1 * tanh(W @ tanh(W @ h[t-1]) + U @ x[t] + b) + 0.9 * h[t-1]", "twice"
    ),
    "product": read_cell("h[t] = (W @ h[t-1]) * tanh(U @ x[t] + b)", "product"),
    "gated": read_cell("f[t] = sigmoid(U @ x[t] + b)\nh[t] = f[t] * (W @ h[t-1]) + x[t]", "gated"),
}


def claims(things: tuple[str, ...], bounds: tuple[str, ...]) -> list[str]:
    stated = dict.fromkeys(bound.format(m) for bound in bounds for m in MEASURES)
    sides = product(MEASURES, things, ("<=", ">="), stated)
    return [f"{m}({thing}) {relation} {bound}" for m, thing, relation, bound in sides]


def worlds(context: Context) -> Iterator[World]:
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)

        def draw(_: Place, shape: tuple[int, int], seed: int = seed, rng: Any = rng) -> Array:
            a = rng.normal(size=shape) * rng.choice([0.3, 1, 2])
            if shape[0] != shape[1] or shape[0] == 1:
                return a
            diagonal = np.eye(shape[0]) * rng.choice([0, 0.5, 1])
            kinds = (a, np.triu(a, 1) + diagonal, np.linalg.qr(a)[0], np.outer(a[:, 0], a[:, 1]))
            return kinds[seed % len(kinds)]

        sizes = {d: 2 if seed % 5 == 0 else 3 + i for i, d in enumerate(context.cell.dims)}
        yield World(context.cell, None, Extent(sizes, 4), Floats(), draw, context.conditions)


def fails(formula: Formula, context: Context) -> bool:
    for world in worlds(context):
        with np.errstate(all="ignore"):
            try:
                pairs = list(compared(formula, Measured(world, Reading())))
            except MeaninglessError:
                continue
        for pair in pairs:
            gap = float(np.max(pair.left)) - float(np.max(pair.right))
            gap = gap if formula.relation == "<=" else -gap
            if gap > ROUNDING * max(1.0, float(np.max(pair.left)), float(np.max(pair.right))):
                return True
    return False


@pytest.mark.parametrize("given", ["", "linear", "symmetric", "W = identity"])
@pytest.mark.parametrize("name", ["linear", "elman", "relu", "gated"])
def test_whatever_is_shown_of_sizes_holds_in_every_run(name: str, given: str) -> None:
    assert shown(CELLS[name], given, (STATES, BOUNDS), (VALUES, OTHERS)) > 20


@pytest.mark.parametrize("given", ["", "linear", "bias = 0"])
@pytest.mark.parametrize("name", ["elman", "leaky", "twice", "product"])
def test_whatever_is_shown_of_a_step_holds_in_every_run(name: str, given: str) -> None:
    assert shown(CELLS[name], given, (STEPS, OF_STEPS), (QUANTITIES, OF_VALUES)) > 2


def shown(cell: Cell, given: str, *sides: tuple[tuple[str, ...], tuple[str, ...]]) -> int:
    """How many claims are shown, each of which holds in every run."""
    proved, presumed = 0, f"given {given} " if given else ""
    for things, bounds in sides:
        said = claims(things, bounds)
        for start in range(0, len(said), 250):
            lines = (f"claim {presumed}: {c}\n" for c in said[start : start + 250])
            for claim in read_document("".join(lines), "claims", cell).claims:
                assert claim.formula is not None
                context = Context(cell, None, frozenset(claim.given))
                if argument(claim.formula, context) is not None:
                    proved += 1
                    assert not fails(claim.formula, context), claim.text
    return proved
