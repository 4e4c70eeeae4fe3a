"""Mean-field theory of any cell against closed forms, published rates, and networks with weights of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numeric.lyapunov import growth
from numeric.mean_field import leaky_rate, vanilla
from numeric.mean_field_gated import UnsuitedError, gru, population_rate
from tests.numeric.dynamics import derivation_of, stream_of, weights


def normal(name: str, gain: float, *, n: int = 60, m: int = 20, **biases: float) -> dict[str, Any]:
    """Weights as the tests of dynamics draw them; biases zero unless given."""
    found = weights(name, n, m, gain)
    columns = [q.name for q in derivation_of(name).cell.parameters if q.shape[1] == 1]
    return found | {k: np.full(found[k].shape, biases.get(k, 0.0)) for k in columns}


def gain_of(w: np.ndarray) -> float:
    return float(np.sqrt(w.shape[1] * np.var(w)))


@pytest.mark.parametrize("g", [1.5, 3.0])
def test_a_vanilla_population_without_input_grows_at_the_published_rate(g: float) -> None:
    fixed = normal("elman", g)
    found = population_rate(derivation_of("elman"), fixed, 0.0, sites=3000, memory=0)
    exact = vanilla(gain_of(fixed["W"])).rate
    assert 0 < found.error < 2e-3
    assert found.rate == pytest.approx(exact, abs=5 * found.error)


def test_a_driven_vanilla_population_meets_the_closed_law() -> None:
    fixed = normal("elman", 1.5)
    found = population_rate(derivation_of("elman"), fixed, 0.8, sites=3000)
    law = vanilla(gain_of(fixed["W"]), drive=0.64 * gain_of(fixed["U"]) ** 2)
    assert found.rate == pytest.approx(law.rate, abs=6e-3)
    assert law.rate < vanilla(gain_of(fixed["W"])).rate


@pytest.mark.parametrize("biases", [(0.0, 0.0), (-1.0, 0.5)])
def test_a_grus_moments_give_the_rate_of_its_population(biases: tuple[float, float]) -> None:
    fixed = normal("gru", 2.0, b_z=biases[0], b_r=biases[1])
    found = population_rate(derivation_of("gru"), fixed, 1.0, sites=3000, memory=0)
    gains: Any = [gain_of(fixed[f"W_{k}"]) for k in "zrg"]
    drives: Any = [gain_of(fixed[f"U_{k}"]) ** 2 for k in "zrg"]
    law = gru(tuple(gains), tuple(drives), (*biases, 0.0))
    assert found.rate == pytest.approx(law.rate, abs=6e-3)


def test_a_grus_moments_are_those_of_a_network_with_new_weights_in_every_step() -> None:
    """The hand-written GRU, each step with matrices of its own."""
    rng, n, gains, drive = np.random.default_rng(0), 300, (1.5, 1.0, 2.5), 0.5
    h, v, logs = 0.1 * rng.standard_normal(n), rng.standard_normal(n), list[float]()
    for _ in range(80):
        w = [g / n**0.5 * rng.standard_normal((n, n)) for g in gains]
        az, ar = (w[k] @ h + drive**0.5 * rng.standard_normal(n) for k in (0, 1))
        z, r = 1 / (1 + np.exp(-az)), 1 / (1 + np.exp(-ar))
        g = np.tanh(w[2] @ (r * h) + drive**0.5 * rng.standard_normal(n))
        dr = r * (1 - r) * (w[1] @ v)
        new = (
            (1 - z) * v
            + z * (1 - g * g) * (w[2] @ (dr * h + r * v))
            + (g - h) * z * (1 - z) * (w[0] @ v)
        )
        logs.append(float(np.log(np.linalg.norm(new) / np.linalg.norm(v))))
        h, v = (1 - z) * h + z * g, new / np.linalg.norm(new)
    law = gru(gains, (drive, drive, drive))
    assert np.mean(logs[20:]) == pytest.approx(law.rate, abs=0.02)


def test_leaky_units_need_the_memory_of_their_field() -> None:
    """The published rate per step, δ · 0.216124; with weights drawn anew in every step it would be lower."""
    fixed = normal("leaky", 3.0) | {"alpha": np.full((1, 1), 0.5)}
    exact = 0.5 * leaky_rate(gain_of(fixed["W"]), 0.5)
    given = derivation_of("leaky"), fixed, 0.0
    anew = population_rate(*given, sites=2000, memory=0).rate
    assert anew < exact - 0.02
    assert population_rate(*given, sites=2000, memory=15).rate == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(
    ("name", "gain", "biases"), [("gru", 4.0, {}), ("lstm", 2.0, {"b_f": 1.0}), ("skip", 1.0, {})]
)
def test_a_network_with_fixed_weights_grows_as_its_theory_says(
    name: str, gain: float, biases: dict[str, float]
) -> None:
    fixed = normal(name, gain, n=200, m=100, **biases)
    measured = growth(stream_of(name, fixed, 200, 100), 400, seed=0).rate
    found = population_rate(derivation_of(name), fixed, 1.0, sites=1000, steps=200)
    assert found.rate == pytest.approx(measured, abs=0.03)


@pytest.mark.parametrize("name", ["lstm_stacked", "linear_attention_gated", "lru"])
def test_a_cell_without_fields_of_its_own_says_so(name: str) -> None:
    d = derivation_of(name)
    fixed = weights(name, 6, 4)
    if name == "lru":  # no matrix on the way of its state: the population is the network itself
        assert population_rate(d, fixed, 1.0, sites=200, steps=40).rate < 0
        return
    with pytest.raises(UnsuitedError):
        population_rate(d, fixed, 1.0)


def test_a_biased_candidate_is_refused() -> None:
    with pytest.raises(UnsuitedError, match="mean"):
        gru((1, 1, 1), (0, 0, 0), (0, 0, 1))


def test_the_same_seed_gives_the_same_rate() -> None:
    given = derivation_of("gru"), normal("gru", 2.0), 1.0
    first, second, other = (
        population_rate(*given, sites=100, steps=40, seed=s).rate for s in (1, 1, 2)
    )
    assert first == second != other
