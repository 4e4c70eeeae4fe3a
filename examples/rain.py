"""The probability of rain tomorrow, from the days until today: a logistic readout and binary cross entropy.

Weather is made: pressure swings with fronts of five to nine days, and rain follows where it falls below its mean and
goes on falling. The barometer is read with an error, so one day's reading says little and the run of days says more.
The network head_sigmoid (Elman network, sigmoid) gives a probability for every day; the score is Brier's, the mean of
(p − rain)², beside those of the climate's rate and of "tomorrow as today".

    python -m examples.rain [STEPS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import throughtime
from examples.common import FOLDER, Array, Batch, draw, learn, module_of, run, table

DAYS, SAMPLES = 30, 32


def weather(rng: np.random.Generator, places: int, days: int) -> tuple[Array, Array, Array]:
    """Barometer and whether it rained today, (days, places, 2); whether it rains tomorrow; its true probability."""
    turn = 2 * np.pi / rng.uniform(5, 9, places)
    pressure = np.zeros((days + 3, places))
    for t in range(2, days + 3):  # a swing of each place's own period, kept going by chance
        swing = 2 * 0.97 * np.cos(turn) * pressure[t - 1] - 0.97**2 * pressure[t - 2]
        pressure[t] = swing + 0.35 * rng.standard_normal(places)
    falling = pressure[2:] - pressure[1:-1]
    likely = 1 / (1 + np.exp(1.0 + 2.5 * pressure[2:] + 2.5 * falling))
    rain = (rng.random(likely.shape) < likely).astype(float)
    read = pressure[2:] + 0.5 * rng.standard_normal(likely.shape)
    seen = np.stack([read[:-1], rain[:-1]], axis=-1)
    return seen, rain[1:, :, None], likely[1:, :, None]


def brier(p: Array, rain: Array) -> float:
    """Brier's score, (p − rain)² in the mean."""
    return float(np.mean((p - rain) ** 2))


def main(steps: int = 800, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train, then compare on new weather; returns Brier's score of each, without the first week."""
    module = module_of(throughtime.load("head_sigmoid"), "rain_network", folder, checked=checked)
    rng = np.random.default_rng(0)
    params = module.init_params(16, 2, 1, seed=0)

    def batch() -> Batch:
        seen, rain, _ = weather(rng, SAMPLES, DAYS)
        return Batch((seen, rain), rain.size)

    params, losses = learn(module, params, (batch() for _ in range(steps)), steps, rate=0.005)
    seen, rain, likely = (array[7:] for array in weather(rng, 500, 60))
    found = module.forward(params, seen, rain)[0]["y"]
    _, past, _ = weather(rng, 500, 60)
    after = [past[1:][past[:-1] == today].mean() for today in (0.0, 1.0)]
    scores = {
        "network": brier(found, rain),
        "tomorrow as today": brier(np.where(seen[..., 1:] > 0.5, after[1], after[0]), rain),
        "the climate's rate": brier(np.full_like(rain, past.mean()), rain),
        "the true probability": brier(likely, rain),
    }
    table("Brier's score, less is better", {k: f"{v:.4f}" for k, v in scores.items()})
    rate = float(past.mean())
    known = {"the climate's rate": float(-rate * np.log(rate) - (1 - rate) * np.log(1 - rate))}
    draw("rain", folder, {"Elman network": losses}, known, "loss for each day")
    return scores


if __name__ == "__main__":
    run(main)
