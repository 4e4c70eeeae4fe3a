"""Reversing with and without attention: the decoder looks back at the letters, or must have them all in one state.

The network attention (an encoder that reads from both sides, a decoder that looks at all of its steps) and the network
encoder_decoder, with states of one size, write sequences of six to twelve letters backwards, different lengths in one
batch. What is told: the share of letters that are right when each is shown the right one before it, and the share of
steps at which the largest weight of the attention lies on the letter that is to be written, or on one beside it (the
encoder's states know of those).

    python -m examples.reversing [STEPS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import throughtime
from examples.common import FOLDER, Array, Batch, draw, learn, module_of, run, table

LETTERS, SHORTEST, LONGEST = 8, 6, 12
START = LETTERS  # what the decoder is shown before the first letter
SIZE = 24
NETWORKS = {
    "attention": {
        "d_e": 8, "m": LETTERS, "n": SIZE, "n_b_h": SIZE, "d_M": SIZE, "n_dec_h": SIZE, "d_d": 8,
        "m_before": LETTERS + 1, "m_target": LETTERS,
    },
    "encoder_decoder": {
        "d_e": 8, "m": LETTERS, "n": SIZE, "d_d": 8, "m_before": LETTERS + 1, "k": LETTERS,
    },
}  # fmt: skip
AXES = {"attention": ("s", "t"), "encoder_decoder": ("t", "s")}
"""Along which axis each network reads, and along which it writes."""


def sequences(rng: np.random.Generator, count: int, axes: tuple[str, str]) -> Batch:
    """Letters (S, B), the letters before (T, B), the letters backwards (T, B), and both lengths."""
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    lengths[0] = LONGEST
    word = rng.integers(0, LETTERS, (LONGEST, count))
    target = np.take_along_axis(word, partners(lengths), axis=0)
    before = np.concatenate([np.full((1, count), START), target[:-1]])
    keywords = {f"lengths_{axis}": lengths for axis in axes}
    return Batch((word, before, target), lengths.sum(), keywords)


def partners(lengths: Array) -> Array:
    """Which letter is to be written at each step, (T, B)."""
    return np.maximum(lengths - 1 - np.arange(LONGEST)[:, None], 0)


def main(steps: int = 400, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train both, then compare on new sequences; returns shares of right letters, and of steps that look there."""
    losses: dict[str, list[float]] = {}
    shares: dict[str, float] = {}
    for name, sizes in NETWORKS.items():
        module = module_of(throughtime.load(name), f"reversing_{name}", folder, checked=checked)
        rng = np.random.default_rng(0)
        batches = (sequences(rng, 32, AXES[name]) for _ in range(steps))
        params, losses[name] = learn(module, module.init_params(**sizes, seed=0), batches, steps)
        test = sequences(rng, 500, AXES[name])
        lengths = test.keywords["lengths_t"]
        inside = np.arange(LONGEST)[:, None] < lengths
        outputs = test.forward(module, params)
        right = outputs["y"].argmax(axis=-1) == test.inputs[2]
        shares[f"letters, {name}"] = float(right[inside].mean())
        if "align" in outputs:
            away = np.abs(outputs["align"].argmax(axis=-1) - partners(lengths))
            shares["looking there"] = float((away <= 1)[inside].mean())
            chance = np.minimum(3, lengths) / lengths
            shares["looking there by chance"] = float(np.average(chance, weights=lengths))
    shares["letters, a guess"] = 1 / LETTERS
    table("written backwards", {k: f"{v:7.2%}" for k, v in shares.items()})
    guess = {"a guess": float(np.log(LETTERS))}
    draw("reversing", folder, losses, guess, "loss for each letter")
    return shares


if __name__ == "__main__":
    run(main)
