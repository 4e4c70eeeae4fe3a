"""Which law a run follows: exponential, polynomial, both, or none that so long a run settles; and no false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numeric.growth_law import CHANCE, Course, Law, edges, exact_law, law
from numeric.interpret import Array
from numeric.lyapunov import growth
from numeric.stream import Stream
from tests.numeric.dynamics import derivation_of, sizes_of, stream_of, weights
from tests.numeric.test_lyapunov import linear

STEPS = 1000


def jordan(value: float, rows: int) -> Array:
    return value * np.eye(rows) + np.diag(np.ones(rows - 1), 1)


def law_of(stream: Stream, steps: int = STEPS, seed: int = 0) -> Law:
    course = growth(stream, steps, seed=seed).course
    assert course is not None
    return law(course)


def turned(matrix: Array) -> Array:
    """The same in another basis, in which no entry is zero."""
    base = np.random.default_rng(1).standard_normal(matrix.shape)
    return base @ matrix @ np.linalg.inv(base)


ROTATION = np.array([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]])
ROTATING = np.block([[ROTATION, np.eye(2)], [np.zeros((2, 2)), ROTATION]])


@pytest.mark.parametrize("steps", [200, 1000, 5000])
@pytest.mark.parametrize(
    ("matrix", "degree"),
    [
        (jordan(1, 2), 1),
        (jordan(1, 3), 2),
        (jordan(1, 4), 3),
        (jordan(-1, 2), 1),
        (turned(jordan(1, 3)), 2),
        (ROTATING, 1),
        (np.kron(np.diag([1.0, 0.5]), np.eye(2)) + np.diag([1.0, 0, 0], 1), 1),
    ],
)
def test_a_jordan_block_on_the_unit_circle_grows_polynomially(
    matrix: Array, degree: int, steps: int
) -> None:
    found = law_of(linear(matrix), steps)
    assert found.kind == "polynomial"
    assert found.rate == 0.0
    assert abs(found.degree - degree) < 2.5 * found.degree_error < 0.3


@pytest.mark.parametrize(
    ("matrix", "radius", "degree"),
    [
        (jordan(0.9, 2), 0.9, 1),
        (jordan(0.99, 3), 0.99, 2),
        (jordan(0.999, 2), 0.999, 1),
        (jordan(1.01, 2), 1.01, 1),
        (turned(jordan(0.99, 2)), 0.99, 1),
    ],
)
def test_a_jordan_block_off_the_unit_circle_has_a_rate_beside_a_power(
    matrix: Array, radius: float, degree: int
) -> None:
    found = law_of(linear(matrix))
    assert found.kind == "both"
    assert found.rate == pytest.approx(math.log(radius), abs=1e-4)
    assert found.degree == pytest.approx(degree, abs=0.02)
    assert found.turn == pytest.approx(degree / abs(found.rate) if radius < 1 else 0, rel=0.02)


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(3),
        np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))[0],
        1.001 * np.eye(2),
        np.array([[0.9, 1000.0], [0.0, 0.8]]),
        np.array([[0.0, 2.0], [0.5, 0.0]]),
        np.diag([1.0, 0.99]),
        0.99 * np.random.default_rng(3).standard_normal((32, 32)) / 32**0.5,
    ],
)
def test_orthogonal_normal_and_transient_matrices_have_no_power(matrix: Array) -> None:
    found = law_of(linear(matrix))
    top = max(abs(np.linalg.eigvals(matrix)))
    assert found.kind == "exponential" or (found.kind == "open" and top == pytest.approx(1))
    assert found.rate == pytest.approx(math.log(top), abs=1e-3)


@pytest.mark.parametrize("steps", [1000, 5000])
def test_growth_that_comes_to_rest_is_no_decay(steps: int) -> None:
    """Eigenvalues 0.99 and 1: it grows by less and less, and no law of a power and a rate holds."""
    found = law_of(linear(np.array([[0.99, 100.0], [0.0, 1.0]])), steps)
    assert found.kind == "unsettled"
    assert abs(found.rate) * steps < math.log(2)
    slow = law_of(linear(np.array([[0.999, 1.0], [0.0, 1.0]])), steps)
    assert slow.kind == "polynomial"
    assert 0.7 < slow.degree < 1 - 0.5 * slow.degree_error


@pytest.mark.parametrize("seed", range(3))
def test_a_tanh_network_at_the_edge_vanishes_polynomially(seed: int) -> None:
    """Orthogonal weights, no input: the state shrinks like 1/√t, so that slopes come nearer and nearer to 1."""
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((16, 16)))[0]
    stream = stream_of("elman_bare", {"W": turn, "U": np.zeros((16, 2))}, 16, 2, scale=0.0)
    found = law_of(stream, 4000)
    assert found.kind == "polynomial"
    assert -1.6 < found.degree < -0.4


def test_a_relu_network_that_is_active_grows_as_its_matrix_does() -> None:
    cell = "h[t] = relu(W @ h[t-1] + x[t])"
    sizes = sizes_of(cell, 3, 3)
    stream = Stream(derivation_of(cell), sizes, {"W": jordan(1, 3)}, lambda t: {"x": np.ones((3, 1))})  # fmt: skip
    found = law_of(stream)
    assert (found.kind, round(found.degree)) == ("polynomial", 2)


@pytest.mark.parametrize("seed", range(3))
def test_a_walk_of_the_weights_is_not_taken_for_an_exponential(seed: int) -> None:
    """d_t = d_{t−1} + x_t a: a sum of independent inputs, whose size goes as √k beneath much noise."""
    cell = "a[t] = 1 * a[t-1]\nd[t] = d[t-1] + x[t] * a[t-1]"
    found = law_of(stream_of(cell, {}, 400, 400, seed=seed), 2000, seed)
    assert found.kind in ("open", "polynomial")
    if found.kind == "polynomial":
        assert found.degree == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("name", ["elman", "gru", "lstm", "leaky", "skip", "lru", "mingru"])
def test_ordinary_cells_have_a_rate_and_no_power(name: str) -> None:
    for seed in range(3):
        stream = stream_of(name, weights(name, 12, 4, seed=seed), 12, 4)
        assert law_of(stream, 400, seed).kind == "exponential"


def test_noise_is_seldom_taken_for_a_power() -> None:
    rng = np.random.default_rng(0)
    steps = edges(100, 1100).astype(float)
    kinds = {
        law(Course(steps, np.cumsum(rng.standard_normal(1101))[steps.astype(int)])).kind
        for _ in range(500)
    }
    assert kinds == {"exponential", "open"}
    assert CHANCE < 1 / 500


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_short_run_says_nothing_of_a_power(steps: int) -> None:
    assert law_of(linear(jordan(1, 2)), steps).kind in ("exponential", "open")


def test_a_single_step_has_a_rate_without_a_known_error() -> None:
    found = law(Course(np.array([1.0, 3.0]), np.array([0.0, 0.5])))
    assert (found.kind, found.rate, found.rate_error) == ("exponential", 0.25, math.inf)


def test_edges_are_whole_numbers_that_grow_from_end_to_end() -> None:
    for first, last in ((1, 2), (1, 100), (100, 101), (100, 10_000)):
        found = edges(first, last)
        assert (found[0], found[-1]) == (first, last)
        assert (np.diff(found) > 0).all()


def test_the_law_of_the_limit_is_that_of_a_run_only_if_the_run_follows_it() -> None:
    for matrix, rate, degree, kind in (
        (jordan(1, 3), 0.0, 2, "polynomial"),
        (jordan(1, 12), 0.0, 11, "polynomial"),
        (jordan(0.9, 2), math.log(0.9), 1, "both"),
        (np.diag([1.0, 0.5]), 0.0, 0, "exponential"),
    ):
        course = growth(linear(matrix), STEPS).course
        assert course is not None
        found = exact_law(course, rate, degree)
        assert found is not None
        assert (found.kind, found.degree, found.degree_error) == (kind, degree, 0.0)
    slow = growth(linear(np.array([[0.999, 1.0], [0.0, 1.0]])), STEPS).course
    assert slow is not None
    assert exact_law(slow, 0.0, 0) is None
