"""Bounds on sizes: what the laws show, what numbers refute, and that no law shows what is false."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from derive.catalog import load
from derive.cell import Cell
from proofs.claims.bounds import proof
from proofs.claims.court import audit
from proofs.claims.document import read_document
from proofs.claims.laws import Laws
from proofs.claims.points import Context
from proofs.claims.powers import NoBoundError
from proofs.claims.syntax import Deriv, Index, Num, Qty
from proofs.claims.verdict import MEANINGLESS, PROVED, REFUTED, Verdict
from proofs.claims.world import Extent, World
from proofs.floats import Floats


def verdict(claim: str, cell: str, given: str = "") -> Verdict:
    return audit(f"{cell}\nloss sum over t\nclaim {given}: {claim}\n").verdicts[0]


def shown(claim: str, cell: str) -> str:
    """What the laws alone say, whatever the numbers."""
    found = read_document(f"{cell}\nloss sum over t\nclaim : {claim}\n").claims[0]
    assert isinstance(found.cell, Cell)
    assert found.formula is not None
    return proof(found.formula, Context(found.cell, found.loss))


def rate(declaration: str, factor: str = "(1 + alpha)") -> str:
    return f"cell\n    {declaration}\n    h[t] = {factor} * h[t-1] + tanh(U @ x[t] + b)"


STEP = "norm(dh[t]/dh[t-1])"
VALUE = "norm(W) * norm(h[t-1]) + norm(U) * norm(x[t]) + norm(b)"
TRUE = [
    ("elman", "sigma_min(dh[t]/dh[t-1]) <= sigma_min(W)"),
    ("elman:g=sigmoid", "sigma_min(dh[t]/dh[t-1]) <= sigma_min(W) / 4"),
    ("leaky", f"{STEP} >= 0.9 - 0.1 * norm(W)"),
    ("leaky", f"alpha - (1-alpha) * norm(W) <= {STEP}"),
    ("leaky", "sigma_min(dh[t]/dh[t-1]) >= 0.9 - 0.1 * norm(W)"),
    ("leaky", "sigma_min(dh[t]/dh[t-1]) <= 0.9 + 0.1 * sigma_min(W)"),
    ("elman", f"norm(h[t]) <= {VALUE}"),
    ("elman", f"norm(h[t-1]) <= {VALUE.replace('t-1', 't-2').replace('x[t]', 'x[t-1]')}"),
    ("elman:g=relu", f"norm(h[t]) <= {VALUE}"),
    ("lstm", "norm(h[t]) <= norm(c[t])"),
    ("lstm", "norm(c[t]) <= norm(c[t-1]) + norm(g[t])"),
    ("leaky", "norm(dh[t]/dh[k]) <= (alpha + (1-alpha) * sigma_max(W)) ** (t-k)"),
    ("leaky", "norm(dh[t]/dg[t]) <= 1"),
    ("leaky", "norm(d+h[t]/dh[t-1]) >= 0.5"),
    ("leaky", "sigma_min(d+h[t]/dh[t-1]) >= alpha"),
    ("leaky", "norm(d+h[t]/dh[t-1]) <= 9 / 10"),
    ("rglru", f"{STEP} <= 1"),
    ("rglru", "norm(dh[t]/dh[k]) <= 1"),
    ("elman", "norm(dh[t]/dh[t-2]) <= sigma_max(W) ** 2"),
    ("elman", "norm(dh[t]/dx[t]) <= sigma_max(U)"),
    ("elman", "norm(dh[t]/dx[k]) <= sigma_max(U) * sigma_max(W) ** (t-k)"),
    ("elman", "norm(dh[t]/dh[k]) <= gamma**(t-k) * sigma_max(W)**(t-k)"),
    ("elman", "sigma_max(W)**(t-k) >= norm(dh[t]/dh[k])"),
    ("elman", "spectral_radius(dh[t]/dh[k]) <= sigma_max(W)**(t-k)"),
    ("elman", "norm(product(j, k+1..t, diag(1 - h[j]**2) @ W)) <= sigma_max(W)**(t-k)"),
    ("elman", f"{STEP} >= 0"),
    ("elman", f"0 <= {STEP}"),
    ("lstm", "norm(d+c[t]/dc[t-1]) <= 1"),
    ("lstm", "norm(local(c[t], c[t-1])) <= 1"),
    ("lstm", "norm(product(j, k+1..t, diag(f[j]))) <= 1"),
    ("lstm", "norm(diag(1 - f[t])) <= 1"),
    ("elman", "norm(d+h[t]/dW) <= norm(h[t-1])"),
    ("elman", "norm(d+h[t]/dW) <= gamma * norm(h[t-1])"),
    ("elman", "norm(d+h[t]/dU) <= norm(x[t])"),
    ("elman", "norm(d+h[t]/db) <= 1"),
    ("elman", "norm(sandwich(diag(1 - h[t]**2), h[t-1])) <= norm(h[t-1])"),
    ("lstm", "norm(d+f[t]/dW_f) <= norm(h[t-1]) / 4"),
    ("lstm", "norm(local(h[t], W_o)) <= norm(h[t-1]) / 4"),
    ("gru", "norm(d+g[t]/dW_g) <= norm(h[t-1])"),
    ("elman", "gamma * norm(W) <= norm(W)"),
    ("elman", "norm(W + diag(h[t])) <= norm(W) + 1"),
]


@pytest.mark.parametrize(("cell", "claim"), TRUE)
def test_what_the_laws_show_is_proved(cell: str, claim: str) -> None:
    assert verdict(claim, f"cell {cell}").kind == PROVED


@pytest.mark.parametrize(
    ("cell", "bound"),
    [
        (rate("const alpha = 0.5"), "1.5"),
        (rate("const alpha = -0.5"), "0.5"),
        (rate("const alpha = -3"), "2"),
        (rate("const alpha = -3", "(1 - alpha)"), "4"),
        (rate("const alpha = 0.5", "(alpha + alpha)"), "1"),
        (rate("const alpha"), "1 + abs(alpha)"),
        (rate("dim alpha = 1"), "1 + abs(alpha)"),
        (rate("dim alpha = 1", "(1 - alpha)"), "1 + sigma_max(alpha)"),
    ],
)
def test_a_rate_bounds_by_its_value_or_by_its_size(cell: str, bound: str) -> None:
    assert verdict(f"{STEP} <= {bound}", cell).kind == PROVED
    assert verdict(f"{STEP} <= {bound} - 1/10", cell).kind == REFUTED
    assert not shown(f"{STEP} <= {bound} - 1/10", cell)


LAGGED = "cell\n    f[t] = sigmoid(U @ x[t])\n    c[t] = f[t-1] * c[t-1] + x[t]"
FALSE = [
    ("cell elman", "sigma_min(dh[t]/dh[t-1]) >= sigma_min(W)"),
    ("cell elman", "sigma_min(dh[t]/dh[t-2]) <= sigma_min(W) ** 2"),
    ("cell elman", "sigma_min(dh[t]/dh[k]) <= sigma_min(W) ** (t-k)"),
    ("cell elman:g=sigmoid", "sigma_min(dh[t]/dh[t-1]) <= sigma_min(W) / 5"),
    ("cell leaky", f"{STEP} >= 0.9 - 0.05 * norm(W)"),
    ("cell leaky", "sigma_min(dh[t]/dh[t-1]) <= 0.9 + 0.05 * sigma_min(W)"),
    ("cell elman", "norm(h[t]) <= norm(W) * norm(h[t-1]) + norm(U) * norm(x[t])"),
    ("cell elman:g=sigmoid", f"norm(h[t]) <= {VALUE}"),
    ("cell elman", f"norm(h[t]) <= 0.5 * ({VALUE})"),
    ("cell leaky", "norm(d+h[t]/dh[t-1]) <= 0.5"),
    ("cell leaky", f"{STEP} <= 1"),
    ("cell leaky", f"{STEP} >= 0.9"),
    ("cell elman", "norm(product(j, k+1..t, dh[t]/dh[j])) <= sigma_max(W) ** (t-k)"),
    ("cell elman", "norm(product(j, k..t, diag(h[j]))) <= 1"),
    ("cell elman", "norm(diag(h[t-1])) <= 1"),
    ("cell elman", "norm(dh[t]/dh[k]) <= sigma_max(W)"),
    ("cell elman", "sigma_min(dh[t]/dh[k]) <= sigma_min(W) ** (t-k)"),
    ("cell elman", "sigma_min(product(j, k+1..t, h[j])) >= product(j, k+1..t, sigma_min(h[j]))"),
    ("cell elman", f"{STEP} <= sigma_max(W) + 1 / (1 - sigma_max(W))"),
    ("cell lstm", "norm(dc[t]/dc[t-1]) <= 1"),
    ("cell lstm", "norm(local(h[t], c[t-1])) <= 1 / 10"),
    (LAGGED, "norm(local(c[t], c[t-1])) <= 1"),
    ("cell elman", "norm(d+h[t]/dW) <= norm(h[t])"),
    ("cell elman", "norm(d+h[t]/dW) <= norm(x[t])"),
    ("cell elman", "norm(d+h[t]/dW) <= norm(h[t-1]) / 2"),
    ("cell elman", "norm(dh[t]/dW) <= norm(h[t-1])"),
    ("cell elman", "norm(W + b.T @ b) <= norm(W) + norm(b)**2"),
    ("cell elman", "norm(W + h[t].T @ h[t]) <= norm(W) + norm(h[t])**2"),
    ("cell elman", "norm(product(j, k+1..t, diag(h[j]))) <= norm(h[t])**(t-k)"),
    ("cell lstm", "norm(local(c[t], W_f)) <= norm(h[t-1]) / 4"),
    ("cell gru", "norm(d+g[t]/dW_g) <= norm(r[t])"),
    ("cell leaky", "norm(d+h[t]/dalpha) <= 0"),
    (rate("const alpha"), "norm(d+h[t]/dalpha) <= 0"),
    ("cell\n    h[t] = W.T @ h[t-1] + W @ (W @ x[t])", "norm(d+h[t]/dW) <= norm(h[t-1])"),
]


@pytest.mark.parametrize(("cell", "claim"), FALSE)
def test_what_is_false_is_refuted_and_no_law_shows_it(cell: str, claim: str) -> None:
    assert not shown(claim, cell)
    assert verdict(claim, cell).kind == REFUTED


@pytest.mark.parametrize(
    ("claim", "given", "kind"),
    [
        ("norm(dh[t]/dh[k]) <= 1", "W = identity", PROVED),
        ("norm(dh[t]/dh[k]) <= sigma_max(W) ** (t-k)", "symmetric", PROVED),
        ("norm(dh[t]/dh[k]) <= sigma_max(W) ** (t-k)", "linear", PROVED),
        ("norm(diag(tanh(h[t]))) <= 1", "linear", REFUTED),
        ("norm(dh[t]/dh[t-1]) <= 1", "diagonal", REFUTED),
    ],
)
def test_conditions_are_presumed_in_bounds(claim: str, given: str, kind: str) -> None:
    assert verdict(claim, "cell elman", f"given {given} ").kind == kind


def test_functions_that_are_taken_for_linear_lose_their_bounds() -> None:
    cell = "cell\n    h[t] = sigmoid(W @ h[t-1] + U @ x[t])"
    claim = f"{STEP} <= sigma_max(W) / 4"
    assert verdict(claim, cell).kind == PROVED
    assert verdict(claim, cell, "given linear ").kind == REFUTED


@pytest.mark.parametrize(
    ("claim", "problem"),
    [
        ("spectral_radius(U) <= sigma_max(U)", "square"),
        ("norm(product(j, k+1..t, U)) <= product(j, k+1..t, norm(U))", "shapes"),
        ("norm(x[T+1]) >= 0", "which no run has"),
        ("norm(W @ x[t]) >= 0", "shapes"),
        ("norm(W / total(b - b)) >= 0", "no run gives it a value"),
    ],
)
def test_no_law_shows_what_has_no_value(claim: str, problem: str) -> None:
    found = verdict(claim, "cell elman")
    assert (found.kind, problem in found.reason) == (MEANINGLESS, True)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("norm(∂c[t]/∂c[t-1]) <= 1", (("the derivative on the left total", "does not hold"),)),
        ("norm(∂h[t]/∂o[t]) <= 1", ()),
    ],
)
def test_a_bound_that_holds_in_one_reading_tells_that_it_fails_in_another(
    claim: str, told: tuple[tuple[str, str], ...]
) -> None:
    found = verdict(claim, "cell lstm")
    assert (found.kind, found.other_readings) == (PROVED, told)


@pytest.mark.parametrize(
    ("claim", "given", "kind"),
    [
        ("f[t] <= 1", "", PROVED),
        ("0 <= f[t]", "", PROVED),
        ("f[t] * (1 - f[t]) <= 1/4", "", PROVED),
        ("h[t] >= -1", "", PROVED),
        ("f[t] <= 1 + i[t]", "", PROVED),
        ("f[t] <= 1/2", "", REFUTED),
        ("h[k] <= 1", "", REFUTED),
        ("c[t] <= 1", "", REFUTED),
        ("1/2 <= f[t]", "", REFUTED),
        ("h[t] <= 1", "linear", REFUTED),
    ],
)
def test_every_entry_of_a_gate_lies_in_its_range(claim: str, given: str, kind: str) -> None:
    assert verdict(claim, "cell lstm", f"given {given} " if given else "").kind == kind


@pytest.mark.parametrize(
    "cell", ["elman", "gru", "lstm", "leaky", "rglru", "slstm", "mlstm", "rwkv"]
)
def test_every_derivative_within_a_step_has_a_bound_or_none(cell: str) -> None:
    known = load(cell)
    kinds = (("local(", ", ", ")"), ("d+", "/d", ""), ("d", "/d", ""))
    text = "".join(
        f"claim : norm({kind}{e.target.name}[t]{middle}{s.name}[t-1]{end}) <= 1\n"
        for e in known.equations
        for s in known.states
        for kind, middle, end in kinds
    )
    claims = read_document(f"cell {cell}\n{text}").claims
    found = [proof(c.formula, Context(known, None)) for c in claims if c.formula is not None]
    assert len(found) == len(kinds) * len(known.equations) * len(known.states)


def sizes_of(bound: Any, world: World, step: int) -> float:
    """A bound with the norms of a run's parameters, sigma_max(W), and of its values at a step t, norm(h[t-1])."""
    norms: dict[Any, float] = {}
    for symbol in bound.free_symbols:
        name = symbol.name.partition("(")[2][:-1]
        name, _, steps = name.partition("[t")
        at = step + int(steps[:-1] or 0) if steps else None
        matrix = np.asarray(world.value(name, at), float)
        norms[symbol] = np.linalg.norm(matrix, -2 if symbol.name.startswith("sigma_min") else 2)
    return float(bound.subs(norms))


@pytest.mark.parametrize("given", ["", "linear", "identity"])
@pytest.mark.parametrize(
    "cell", ["elman", "gru", "lstm_coupled", "leaky", "rglru", "skip", "slstm"]
)
def test_no_derivative_of_a_run_leaves_its_bounds(cell: str, given: str) -> None:
    known, conditions = load(cell), frozenset({given} - {""})
    laws = Laws(Context(known, None, conditions))
    rng = np.random.default_rng(3)
    extent = Extent({d: 2 + i for i, d in enumerate(known.dims)}, 3)
    world = World(
        known,
        None,
        extent,
        Floats(),
        lambda _, s: rng.normal(size=s) * rng.choice([0.3, 2]),
        conditions,
    )
    for kind, of, by, lag in product(
        ("total", "local", "immediate"), known.equations, known.states + known.inputs, range(3)
    ):
        for step in range(max(1, lag + 1 - by.depth), 4):
            matrix = world.derivative(kind, (of.target.name, step), (by.name, step - lag))
            sizes = np.linalg.svd(np.asarray(matrix, float), compute_uv=False)
            t = Index((("t", 1),))
            node = Deriv(
                kind=kind,
                of=Qty(name=of.target.name, index=t),
                by=Qty(name=by.name, index=t.shifted(-lag)),
            )
            with suppress(NoBoundError):
                assert sizes[0] <= sizes_of(laws.upper(node, {}).plain(), world, step) * (1 + 1e-9)
            with suppress(NoBoundError):
                lower = sizes_of(laws.lower(node), world, step)
                assert sizes[-1] >= lower - 1e-9 * max(1, abs(lower))
            with suppress(NoBoundError):
                for bound in laws.least(node):
                    assert sizes[-1] <= sizes_of(bound, world, step) * (1 + 1e-9)


@pytest.mark.parametrize("given", ["", "linear", "identity", "bias"])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm", "leaky", "rglru", "skip:d=2", "slstm"])
def test_no_value_of_a_run_leaves_its_bounds(cell: str, given: str) -> None:
    known, conditions = load(cell), frozenset({given} - {""})
    laws = Laws(Context(known, None, conditions))
    rng = np.random.default_rng(5)
    extent = Extent({d: 2 + i for i, d in enumerate(known.dims)}, 3)
    draw = lambda _, s: rng.normal(size=s) * rng.choice([0.3, 2])  # noqa: E731
    world = World(known, None, extent, Floats(), draw, conditions)
    t = Index((("t", 1),))
    shown = 0
    for name in (e.target.name for e in known.equations):
        with suppress(NoBoundError):
            bound = laws.value(Qty(name=name, index=t), Num(value=Fraction(0)))
            for step in range(2, 4):
                size = np.linalg.norm(np.asarray(world.value(name, step), float), 2)
                assert size <= sizes_of(bound, world, step) * (1 + 1e-9)
                shown += 1
    assert shown
