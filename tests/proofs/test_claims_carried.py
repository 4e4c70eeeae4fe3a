"""Inequalities along chains of derivatives and from below: those of slides are proved, false neighbours are not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from proofs.arithmetic import Array
from proofs.claims.court import audit
from proofs.claims.document import read_document
from proofs.claims.meaning import Reading
from proofs.claims.measured import Measured
from proofs.claims.points import Context, compared
from proofs.claims.sizes import argument
from proofs.claims.syntax import Formula
from proofs.claims.values import MeaninglessError
from proofs.claims.verdict import PROVED, REFUTED, UNDECIDED, Verdict
from proofs.claims.world import Extent, World
from proofs.floats import Floats
from proofs.unrolled import Place

ELMAN = "cell elman"
READOUT = (
    "cell\n    h[t] = tanh(W @ h[t-1] + U @ x[t] + b)\n    y[t] = V @ h[t]\nloss sum over t of L(y)"
)
LSTM = "cell lstm"


def verdict(cell: str, claim: str) -> Verdict:
    return audit(f"{cell}\nclaim {claim}\n").verdicts[0]


@pytest.mark.parametrize(
    ("cell", "claim"),
    [
        (ELMAN, ": norm(dL[t]/dh[k]) <= norm(dL[t]/dh[t]) * (gamma * norm(W)) ** (t-k)"),
        (ELMAN, ": norm(W) * norm(dL/dh[t]) + norm(d+L/dh[t-1]) >= norm(dL/dh[t-1])"),
        (ELMAN, "given loss last : norm(dL/dh[t]) <= norm(W) ** (T-t) * norm(dL/dh[T])"),
        (ELMAN, ": norm(dh[t]/dW) <= sum(k, 1..t, norm(W) ** (t-k) * norm(h[k-1]))"),
        (ELMAN, ": norm(dL/dW) <= sum(t, norm(dL/dh[t]) * norm(h[t-1]))"),
        (ELMAN, ": norm(dL/db) <= sum(t, norm(dL/dh[t]))"),
        (ELMAN, ": norm(dL/dx[t]) <= norm(U) * norm(dL/dh[t])"),
        (READOUT, ": norm(dL[t]/dh[k]) <= norm(dL[t]/dy[t]) * norm(V) * norm(W) ** (t-k)"),
        (
            READOUT,
            ": norm(dL[t]/dW) <= sum(k, 1..t, norm(dL[t]/dy[t]) * norm(V) * norm(W) ** (t-k) * norm(h[k-1]))",
        ),
        (LSTM, ": norm(dL/dW_f) <= sum(t, norm(dL/df[t]) * norm(h[t-1]) / 4)"),
        (LSTM, ": norm(dL/do[t]) <= norm(dL/dh[t])"),
        (LSTM, ": norm(dL/df[t]) <= norm(dL/dc[t]) * norm(c[t-1])"),
    ],
)
def test_a_bound_along_a_chain_is_proved_and_the_chain_named(cell: str, claim: str) -> None:
    found = verdict(cell, claim)
    assert found.kind == PROVED
    assert "the norm of a product is at most the product of the norms" in found.reason
    assert found.bound


@pytest.mark.parametrize(
    ("cell", "claim"),
    [
        (ELMAN, ": norm(dL[t]/dh[k]) <= norm(dL[t]/dh[t]) * norm(W) ** (t-k-1)"),
        (ELMAN, ": norm(dL/dh[k]) <= norm(dL/dh[t]) * norm(W) ** (t-k)"),
        (ELMAN, ": norm(dL/dh[t-1]) <= norm(W) * norm(dL/dh[t])"),
        (ELMAN, ": norm(dL/dh[t-1]) <= norm(W) * norm(dL/dh[t]) + norm(d+L/dh[t])"),
        (ELMAN, ": norm(dh[t]/dW) <= sum(k, 2..t, norm(W) ** (t-k) * norm(h[k-1]))"),
        (ELMAN, ": norm(dL/dW) <= sum(t, norm(dL/dh[t]) * norm(h[t]))"),
        (ELMAN, ": norm(dL/db) <= sum(t, norm(d+L/dh[t]))"),
        (LSTM, ": norm(dL/dW_f) <= sum(t, norm(dL/df[t]) * norm(h[t-1]) / 8)"),
        (LSTM, ": norm(dL/dc[t-1]) <= norm(dL/dc[t])"),
        (LSTM, ": norm(dL/df[t]) <= norm(dL/dc[t]) * norm(c[t])"),
        (LSTM, ": norm(dL/df[t]) <= norm(dL/dc[t])"),
        (LSTM, ": norm(dL/dh[t-1]) <= norm(W_f) * norm(dL/dh[t])"),
    ],
)
def test_a_bound_along_no_chain_is_not_proved(cell: str, claim: str) -> None:
    assert verdict(cell, claim).kind in (REFUTED, UNDECIDED)


@pytest.mark.parametrize(
    ("claim", "kinds"),
    [
        (": norm(dh[t]/dh[t-1]) >= sigma_min(W) * sigma_min(diag(1 - h[t]**2))", (PROVED,)),
        (": spectral_radius(dh[t]/dh[t-1]) >= sigma_min(W) * sigma_min(diag(slope(h[t])))", (PROVED,)),
        (": norm(dh[t]/dh[k]) >= product(j, k+1..t, sigma_min(dh[j]/dh[j-1]))", (PROVED,)),
        ("given W = identity, linear : norm(dh[t]/dh[k]) == 1", (PROVED,)),
        ("given W = identity, linear : spectral_radius(dh[t]/dh[k]) >= 0.5", (PROVED,)),
        ("given W = identity, linear : norm(dh[t]/dh[k]) >= 1.1", (REFUTED,)),
        ("given W = identity : norm(dh[t]/dh[k]) == 1", (REFUTED,)),
        ("given W = identity, linear : norm(dh[t]/dx[k]) >= 1", (REFUTED,)),
        (": norm(dh[t]/dh[k]) >= product(j, k+2..t, sigma_min(dh[j]/dh[j-1]))", (REFUTED,)),
        (": sigma_min(dh[t]/dh[t-1]) >= sigma_min(W) * norm(diag(slope(h[t])))", (REFUTED,)),
        (": norm(dh[t]/dh[k]) >= sum(j, k+1..t, sigma_min(dh[j]/dh[j-1]))", (REFUTED,)),
        (": sigma_min(dh[t]/dx[t]) >= sigma_min(U) * sigma_min(diag(slope(h[t])))", (REFUTED, UNDECIDED)),
    ],
)  # fmt: skip
def test_a_product_of_square_matrices_is_bounded_from_below(
    claim: str, kinds: tuple[str, ...]
) -> None:
    assert verdict(ELMAN, claim).kind in kinds


THINGS = (
    "dL[t]/dh[k]",
    "dL/dh[t-1]",
    "dL[t]/dW",
    "dL/dU",
    "dL[t]/dx[k]",
    "dh[t]/dW",
    "dh[t]/dx[k]",
)
GRADIENTS = ("", "norm(dL/dh[t]) * ", "norm(dL[t]/dh[t]) * ", "norm(dh[t]/dh[k]) * ")
FACTORS = (
    "norm(W)", "norm(U) * norm(W)**(t-k-1)", "norm(U) * norm(W)**(t-k)", "norm(W)**(t-k)", "norm(x[t])",
    "norm(W)**(t-k) * norm(h[k-1])",
)  # fmt: skip
AROUND = ("{}", "sum(t, {})", "sum(k, 1..t, {})", "{} + norm(d+L/dh[t-1])")
RUNS = 6


def fails(formula: Formula, context: Context) -> bool:
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)

        def draw(_: Place, shape: tuple[int, int], rng: np.random.Generator = rng) -> Array:
            return rng.normal(size=shape) * rng.choice([0.1, 1, 2])

        sizes = {d: 1 + (seed + i) % 3 for i, d in enumerate(context.cell.dims)}
        world = World(context.cell, context.loss, Extent(sizes, 1 + seed % 4), Floats(), draw)
        with np.errstate(all="ignore"):
            try:
                pairs = list(compared(formula, Measured(world, Reading())))
            except MeaninglessError:
                continue
        if any(float(np.max(p.left)) > float(np.max(p.right)) * (1 + 1e-9) + 1e-12 for p in pairs):
            return True
    return False


def test_whatever_is_shown_along_a_chain_holds_in_every_run() -> None:
    said = [
        f"claim : norm({thing}) <= {around.format(gradient + factor)}\n"
        for thing, around, gradient, factor in product(THINGS, AROUND, GRADIENTS, FACTORS)
    ]
    proved = 0
    for start in range(0, len(said), 250):
        text = f"{ELMAN}\n{''.join(said[start : start + 250])}"
        for claim in read_document(text, "claims").claims:
            assert claim.formula is not None
            assert claim.cell is not None
            context = Context(claim.cell, claim.loss, frozenset())
            if argument(claim.formula, context) is not None:
                proved += 1
                assert not fails(claim.formula, context), claim.text
    assert proved >= 7


@pytest.mark.parametrize(
    ("cell", "claim", "kind"),
    [
        (LSTM, ": norm(diag(f[t] * (1 - f[t]))) <= 1/4", PROVED),
        (LSTM, ": norm(diag(f[t] - f[t]**2)) <= 0.25", PROVED),
        (LSTM, ": norm(diag(f[t] * (1 - f[t]))) <= 0.2", REFUTED),
        (LSTM, ": norm(diag(f[t] * (1 - i[t]))) <= 1/4", REFUTED),
        (LSTM, ": norm(diag(f[t] * (1 - f[t-1]))) <= 1/4", REFUTED),
        (LSTM, ": norm(diag(g[t] * (1 - g[t]))) <= 2", PROVED),
        (LSTM, ": norm(diag(g[t] * (1 - g[t]))) <= 1", REFUTED),
        (LSTM, ": norm(diag(c[t] * (1 - c[t]))) <= 1/4", REFUTED),
        ("cell elman:g=sigmoid", ": gamma == 1/4", PROVED),
        ("cell elman:g=sigmoid", ": gamma == 1/2", REFUTED),
    ],
)
def test_the_largest_slope_of_a_gate_is_a_quarter(cell: str, claim: str, kind: str) -> None:
    assert verdict(cell, claim).kind == kind
