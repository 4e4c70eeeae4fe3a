"""Certified bounds: no run beats one, the exact checker accepts them, and every corruption of one is refused."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.errors import ArgumentError
from numeric.interpret import compiled
from numeric.measure import MeasureError
from numeric.operators import JointJacobian
from numeric.stream import Stream
from proofs.guarantee import (
    Trajectory,
    guarantee,
    largest_certified_scale,
    over_box,
    reaches,
    scale_or_none,
    tubes,
)
from proofs.guarantee_box import Problem, enclose, input_box, invariant_box
from proofs.guarantee_checker import RefusedError, check
from proofs.guarantee_data import recheck
from proofs.guarantee_rows import Jacobian, perron
from proofs.guarantee_step import Step
from tests.proofs.guaranteed import derivation_of, problem_of, products, worst

pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")

CELLS = [
    "elman", "elman:g=sigmoid", "elman:g=relu", "elman_transposed", "leaky", "skip", "irnn", "gru", "gru_mirrored",
    "gru_reset_after", "gru_stacked", "lstm", "lstm_coupled", "lstm_peephole", "lstm_stacked", "lru", "mingru",
    "minlstm", "rglru", "rwkv", "selective_ssm",
]  # fmt: skip


@pytest.mark.parametrize("spec", CELLS)
def test_no_run_in_the_box_beats_a_certified_bound(spec: str) -> None:
    problem = problem_of(spec, n=4, m=4 if spec == "rglru" else 3)
    box = invariant_box(problem)
    for attempt in over_box(problem):
        assert attempt.certificate is not None
        c, rho = check(json.loads(json.dumps(attempt.certificate))["proof"])

        def log_bound(t: int, c: float = float(c), rho: float = float(rho)) -> float:
            return math.log(c) + t * math.log(rho)

        assert worst(problem, box, log_bound, trials=12, steps=6) > -1e-9


def test_the_search_beats_a_bound_that_is_too_small() -> None:
    problem = problem_of("lstm")
    box, best = invariant_box(problem), min(over_box(problem), key=lambda a: a.rho)
    assert worst(problem, box, lambda t: t * math.log(0.3 * best.rho), trials=12, steps=6) < 0


def test_every_shipped_cell_with_vectors_as_states_is_bounded_or_says_that_it_is_not() -> None:
    slstm = problem_of("slstm")
    assert all(a.rho == math.inf and a.certificate is None for a in over_box(slstm))
    with pytest.raises(MeasureError, match="is a matrix"):
        over_box(problem_of("linear_attention_gated"))
    assert scale_or_none(problem_of("linear_attention_gated")) is None


def test_the_small_gain_of_a_vanilla_cell_is_the_norm_of_its_matrix() -> None:
    problem = problem_of("elman", n=5, gain=0.5)
    sigma = np.linalg.norm(problem.fixed["W"], 2)
    rows, gain = over_box(problem)
    assert gain.rho == pytest.approx(sigma, rel=1e-6)
    assert gain.rho >= sigma
    radius = max(abs(np.linalg.eigvals(np.abs(problem.fixed["W"]))))
    assert rows.rho == pytest.approx(radius, rel=1e-3)
    assert rows.rho >= radius


def test_a_gru_needs_its_gate_to_be_cut() -> None:
    """With z in [z̲, z̄] bounded once, 1 − z̲ + z̄ q exceeds one although (1 − z) + z q does not."""
    data = over_box(problem_of("gru", gain=0.3))[0].certificate
    assert data is not None
    assert data["split"]["quantity"] == "z"
    assert Fraction(data["proof"]["rho"]) < 1
    assert max(len(group) for group in data["proof"]["rows"]) > 1


def test_the_largest_scale_of_an_orthogonal_vanilla_cell_is_one() -> None:
    problem = problem_of("elman", n=6)
    problem.fixed["W"] = np.linalg.qr(np.random.default_rng(3).standard_normal((6, 6)))[0]  # pyright: ignore[reportIndexIssue]
    scale = largest_certified_scale(problem)
    assert 0.97 < scale < 1
    assert reaches(problem.scaled(scale)) < 1 <= reaches(problem.scaled(1.03 * scale))
    assert largest_certified_scale(problem.scaled(0.25)) == pytest.approx(4 * scale, rel=0.03)


def test_an_lstm_with_wide_inputs_has_a_scale_though_another_cut_serves_it_there() -> None:
    """With f near to 1 the cell state is large; small weights are certified by cutting f, large ones by cutting g."""
    wide = problem_of("lstm", gain=1.0, reach=24.0)
    scale = largest_certified_scale(wide)
    assert 0 < scale < 1e-2
    assert perron(Jacobian(wide, enclose(wide, invariant_box(wide)))).split.name == "o"  # not f
    assert reaches(wide.scaled(scale)) < 1


def test_a_cell_whose_jacobian_has_no_square_matrix_is_certified_at_every_scale() -> None:
    assert largest_certified_scale(problem_of("lru")) == math.inf
    assert largest_certified_scale(problem_of("minlstm")) == math.inf


def test_a_start_far_outside_is_no_part_of_the_claim() -> None:
    """The box is what makes the LSTM's bound true: from a huge memory the product grows beyond it."""
    problem = problem_of("lstm", gain=0.3)
    best = min(over_box(problem), key=lambda a: a.rho)
    start = {"c": np.full((4, 1), 1e6), "h": np.zeros((4, 1))}
    logs = products(problem, start, [{"x": np.zeros((3, 1))}] * 2)
    assert logs[1] > math.log(best.constant) + 2 * math.log(best.rho)


def _trajectory(
    problem: Problem, scale: float, *, settle: int = 3000, steps: int = 12
) -> Trajectory:
    rng, cell = np.random.default_rng(5), problem.derivation.cell
    given: dict[int, dict[str, Any]] = {}

    def draw(t: int) -> dict[str, Any]:
        return given.setdefault(
            t,
            {
                q.name: scale * rng.standard_normal(problem.inputs[q.name].shape)
                for q in cell.inputs
            },
        )

    stream = Stream(problem.derivation, problem.sizes, problem.fixed, draw)
    for _ in range(settle):
        stream.step()
    depth = max(q.depth for q in cell.states)
    symbols: dict[str, Any] = {q.name: q.symbol for q in cell.states}
    states = [
        {k: np.array(stream.look(v.at(back))) for k, v in symbols.items()}
        for back in range(depth)[::-1]
    ]
    for _ in range(steps):
        stream.step()
        states.append({k: np.array(stream.look(v)) for k, v in symbols.items()})
    inputs = [given[settle + 1 + t] for t in range(steps)]
    return Trajectory(tuple(states), tuple(inputs), rests=scale == 0)


@pytest.mark.parametrize(("spec", "gain"), [("elman", 0.9), ("skip", 0.4), ("lstm", 0.8)])
def test_a_tube_around_a_fixed_point_holds_for_every_length(spec: str, gain: float) -> None:
    problem = problem_of(spec, gain=gain, reach=0.0)
    trajectory = _trajectory(problem, 0.0)
    [tube] = tubes(problem, trajectory)
    assert tube.method == "tube"
    assert tube.steps == 0
    assert tube.rho < 1
    assert recheck(json.loads(json.dumps(tube.certificate)), problem)[1] == pytest.approx(tube.rho)
    rng = np.random.default_rng(1)
    data: Any = tube.certificate
    radius = float(Fraction(data["tube"]["radius"]))
    for _ in range(5):
        off = {k: rng.standard_normal(v.shape) for k, v in trajectory.states[-1].items()}
        size = math.sqrt(
            sum(float((v**2).sum()) for v in off.values()) * max(1, spec == "skip" and 3)
        )
        start = {k: trajectory.states[-1][k] + radius * v / size for k, v in off.items()}
        logs = products(problem, start, [trajectory.inputs[0]] * 30)
        margins = [
            math.log(tube.constant) + t * math.log(tube.rho) - log for t, log in enumerate(logs, 1)
        ]
        assert min(margins) > -1e-9


@pytest.mark.parametrize(("spec", "gain"), [("elman", 1.3), ("skip", 0.7), ("lstm", 1.0)])
def test_a_tube_along_a_trajectory_bounds_the_product_over_it(spec: str, gain: float) -> None:
    problem = problem_of(spec, gain=gain, reach=3.0)
    trajectory = _trajectory(problem, 1.0, settle=50)
    [tube] = tubes(problem, trajectory)
    assert (tube.method, tube.steps) == ("tube", 12)
    assert tube.rho < min(a.rho for a in over_box(problem))
    recheck(json.loads(json.dumps(tube.certificate)), problem)
    start = _started(problem, trajectory)
    assert start[-1] <= 12 * math.log(tube.rho) + math.log(tube.constant) + 1e-9
    assert start[-1] > 12 * math.log(tube.rho) - 12  # and it is no idle bound


def _started(problem: Problem, trajectory: Trajectory) -> list[float]:
    depth = max(q.depth for q in problem.derivation.cell.states)
    if depth == 1:
        return products(problem, dict(trajectory.states[0]), list(trajectory.inputs))
    j = JointJacobian(problem.derivation, problem.sizes)
    product = np.eye(j.size)
    for t in range(len(trajectory.inputs)):
        symbols: dict[Any, Any] = {}
        for q in problem.derivation.cell.states:
            symbol: Any = q.symbol
            symbols |= {
                symbol.at(lag): trajectory.states[t + depth - lag][q.name]
                for lag in range(depth + 1)
            }
        symbols |= {q.symbol: problem.fixed[q.name] for q in problem.derivation.cell.parameters}
        symbols |= {q.symbol: trajectory.inputs[t][q.name] for q in problem.derivation.cell.inputs}
        for a in problem.derivation.assignments:
            symbols.setdefault(a.target, compiled(a.expr, problem.sizes)(symbols.__getitem__))
        product = j.apply(symbols.__getitem__, product)
    return [math.log(float(np.linalg.norm(product, 2)))]


def _lowered(text: str) -> str:
    return str(Fraction(text) * Fraction(9, 10))


def _small(entry: Any) -> Any:
    if isinstance(entry, str):
        return str(Fraction(entry) / 2)
    return [[str(Fraction(t[0]) / 2), *t[1:]] for t in entry]


def _put(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    """Sets what stands at a path; a function is applied to what stood there."""

    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to(place[path[-1]]) if callable(to) else to

    return change


def _without(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


CORRUPTIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "a smaller rho": _put("proof", "rho", to=_lowered),
    "a smaller C": _put("proof", "C", to="1"),
    "v with a negative entry": _put("proof", "v", 0, to="-1"),
    "another v": _put("proof", "v", 0, to=lambda v: str(Fraction(v) * 3)),
    "a row that is too short": _without("proof", "rows", 0, 0, -1),
    "a row left out": _without("proof", "rows", -1),
    "no piece at all": _put("proof", "rows", 1, to=[]),
    "a float": _put("proof", "rho", to=0.5),
    "no number": _put("proof", "rho", to="nan"),
    "a zero denominator": _put("proof", "C", to="1/0"),
    "another kind": _put("proof", "kind", to="hearsay"),
    "no proof": _without("proof"),
    "another form": _put("format", to="throughtime bound 2"),
    "a wider box of inputs": _put("inputs", "x", 1, 0, 0, to="50"),
    "a box that a step leaves": _put("states", "h", 1, 0, 0, to="1/100"),
    "a box left out": _without("states", "h"),
    "other weights": _put("parameters", "W_g", 0, 1, to="3"),
    "a weight that is no float": _put("parameters", "W_g", 0, 1, to="1/3"),
    "another cell": _put("cell", "text", to=lambda text: text.replace("c[t] = f", "c[t] = 2 * f")),
    "an entry of M": _put(
        "proof", "rows", 0, to=lambda rows: [[_small(e) for e in row] for row in rows]
    ),
    "another method": _put("method", to="tube"),
}


@pytest.mark.parametrize("method", [0, 1])
@pytest.mark.parametrize("how", CORRUPTIONS)
def test_a_corrupted_certificate_is_refused(how: str, method: int) -> None:
    data: Any = copy.deepcopy(_certificates()[method])
    recheck(data)
    CORRUPTIONS[how](data)
    with pytest.raises((RefusedError, ValueError)):
        recheck(data)


@cache
def _certificates() -> list[Any]:
    problem = problem_of("lstm", n=3, m=2)
    problem.fixed["b_f"] = np.full((3, 1), 1.0)  # pyright: ignore[reportIndexIssue]
    return [json.loads(json.dumps(a.certificate)) for a in over_box(problem)]


@pytest.mark.parametrize("what", ["matrix", "factor", "bound", "radius"])
def test_a_corrupted_norm_is_refused(what: str) -> None:
    data: Any = copy.deepcopy(_certificates()[1])
    norm = data["proof"]["norms"][0]
    if what in ("matrix", "factor"):
        norm[what][0][0] = str(Fraction(norm[what][0][0]) + 1)
    else:
        norm[what] = str(Fraction(norm[what]) * Fraction(1, 2) - (what == "radius"))
    with pytest.raises(RefusedError):
        recheck(data)


def test_a_certificate_of_other_weights_is_refused_for_these() -> None:
    problem, data = problem_of("elman"), over_box(problem_of("elman", seed=1))[0].certificate
    assert data is not None
    recheck(data)
    with pytest.raises(RefusedError, match="other weights"):
        recheck(data, problem)


@cache
def _rest() -> tuple[Problem, Any]:
    problem = problem_of("gru", n=3, m=2, gain=0.9, reach=0.0)
    [tube] = tubes(problem, _trajectory(problem, 0.0))
    recheck(tube.certificate or {}, problem)
    return problem, tube.certificate


@pytest.mark.parametrize("how", ["radius", "rho", "C", "steps"])
def test_a_corrupted_tube_is_refused(how: str) -> None:
    problem, made = _rest()
    data: Any = copy.deepcopy(made)
    if how == "radius":
        data["tube"]["radius"] = str(Fraction(data["tube"]["radius"]) * 100)
    elif how == "steps":
        data["steps"] = 5
    else:
        data["proof"][how] = _lowered(data["proof"][how])
    with pytest.raises(RefusedError):
        recheck(data, problem)


@pytest.mark.parametrize(
    "proof",
    [
        {"kind": "chain", "norms": [], "steps": -3},
        {"kind": "chain", "norms": [], "steps": 0},
        {"kind": "powers", "norms": []},
        {"kind": "rows", "norms": [], "v": [], "rows": []},
        {"kind": "rows", "norms": [], "v": ["1", "-1"], "rows": [[["0", "0"]], [["0", "0"]]]},
        {"kind": "rows", "norms": [], "v": ["1", "1"], "rows": [[["0", "0"]], [["0"]]]},
        {"kind": "rows", "norms": [], "v": ["1", "1"], "rows": [[["0", "0"]], []]},
        {"kind": "mine", "norms": []},
    ],
)
def test_a_proof_of_nothing_is_refused(proof: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        check({"rho": "1/2", "C": "2", **proof})


def test_the_checker_runs_by_itself_on_a_file(tmp_path: Path) -> None:
    """With no package of anybody's in reach: -S leaves out site-packages."""
    file, data = tmp_path / "certificate.json", copy.deepcopy(_certificates()[0])
    command = [sys.executable, "-S", "-m", "proofs.guarantee_checker"]

    def checked(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    file.write_text(json.dumps(data), encoding="utf-8")
    code, told = checked(str(file))
    assert code == 0
    assert told.startswith(f"holds: C = {data['proof']['C']} = ")
    data["proof"]["rho"] = _lowered(data["proof"]["rho"])
    file.write_text(json.dumps(data), encoding="utf-8")
    code, told = checked(str(file))
    assert code == 3
    assert told.startswith("refused: (Mv)_")
    for wrong in ((), (str(tmp_path / "none.json"),), (__file__,)):
        code, told = checked(*wrong)
        assert code == 2
        assert "Give the path of a certificate.json" in told


def test_the_same_problem_gives_the_same_certificate() -> None:
    first, second = (json.dumps(over_box(problem_of("gru"))[0].certificate) for _ in range(2))
    assert first == second


def test_a_guarantee_says_which_way_is_best_and_how_far_the_weights_may_go() -> None:
    sure, unsure = (
        guarantee(problem_of("gru", n=3, gain=0.2)),
        guarantee(problem_of("gru", n=3, gain=2.0)),
    )
    assert sure.certified
    assert sure.best is not None
    assert sure.best.rho == min(a.rho for a in sure.attempts) < 1 < sure.scale
    assert not unsure.certified
    assert unsure.best is not None
    assert unsure.best.rho > 1 > unsure.scale > 0


def test_a_state_that_is_too_wide_is_refused_with_the_width_that_is_not() -> None:
    d = derivation_of("lstm")
    sizes = dict.fromkeys(d.cell.dims, 100)
    problem = Problem(Step(d, sizes), {}, input_box(d, sizes, 1.0))
    with pytest.raises(ArgumentError, match="up to 128 entries") as error:
        guarantee(problem)
    assert "--n 64" in str(error.value)
