"""Tomorrow's temperature from overlapping windows of a series, with the squared error at the last step alone.

The series is made: three years of days, a yearly swing and weather that lasts for days and swings. The generated
file's own ``windows`` cuts it into windows of two weeks, each with the day after it. The network head_linear (GRU,
linear readout, a weight for each step) predicts how far that day lies from the last; the last year is for the test.

    python -m examples.temperature [STEPS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import throughtime
from examples.common import FOLDER, Array, Batch, draw, learn, module_of, run, table

DAYS, YEAR, LENGTH, SCALE = 3 * 365, 365, 14, 6.0


def series(rng: np.random.Generator) -> Array:
    """Degrees, (days, 1)."""
    day = np.arange(DAYS)
    weather = np.zeros(DAYS)
    for t in range(2, DAYS):
        weather[t] = 1.35 * weather[t - 1] - 0.6 * weather[t - 2] + 1.2 * rng.standard_normal()
    return (10 - 9 * np.cos(2 * np.pi * day / YEAR) + weather)[:, None]


def batch_of(steps: Array, after: Array) -> Batch:
    """Windows as they leave their last day, and how far the day after lies from it; only the last step counts."""
    last = steps[-1]
    weight = np.zeros((*steps.shape[:2], 1))
    weight[-1] = 1.0
    target = np.broadcast_to((after - last) / SCALE, steps.shape)
    return Batch(((steps - last) / SCALE, weight, target), steps.shape[1])


def rmse(predicted: Array, after: Array) -> float:
    """The root of the mean squared error, in degrees."""
    return float(np.sqrt(np.mean((predicted - after) ** 2)))


def main(steps: int = 1200, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train on two years, then compare on the third; returns each one's error in degrees."""
    module = module_of(
        throughtime.load("head_linear"), "temperature_network", folder, checked=checked
    )
    rng = np.random.default_rng(0)
    degrees = series(rng)
    windows, after = module.windows(degrees, LENGTH)
    train = np.arange(2 * YEAR - LENGTH)
    test = np.arange(2 * YEAR, windows.shape[1])

    def batch() -> Batch:
        chosen = rng.choice(train, 64)
        return batch_of(windows[:, chosen], after[chosen])

    params = module.init_params(16, 1, 1, seed=0)
    params, losses = learn(module, params, (batch() for _ in range(steps)), steps)
    shown = windows[:, test]
    moved = batch_of(shown, after[test]).forward(module, params)["y"][-1]
    past = degrees[: 2 * YEAR].reshape(2, YEAR).mean(axis=0)
    errors = {
        "network": rmse(shown[-1] + SCALE * moved, after[test]),
        "tomorrow as today": rmse(shown[-1], after[test]),
        "the same day of other years": rmse(past[(test + LENGTH) % YEAR, None], after[test]),
        "the line through the last two days": rmse(2 * shown[-1] - shown[-2], after[test]),
    }
    table("root mean squared error in degrees", {k: f"{v:.3f}" for k, v in errors.items()})
    level = {"tomorrow as today": 0.5 * (errors["tomorrow as today"] / SCALE) ** 2}
    draw("temperature", folder, {"GRU": losses}, level, "loss")
    return errors


if __name__ == "__main__":
    run(main)
