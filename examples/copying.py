"""Copying through an encoder and a decoder: what was read must fit into the state that one hands to the other.

The network encoder_decoder (two LSTMs, the encoder reading backwards) is shown sequences of three to six letters of
different lengths in one batch, trains with the right letter before it, and is then asked to write on its own, each
letter fed back. The share of sequences that come out whole stands beside what a guess of every letter reaches.

    python -m examples.copying [STEPS]
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

import throughtime
from examples.common import FOLDER, Array, Arrays, Batch, draw, learn, module_of, run, table

LETTERS, SHORTEST, LONGEST = 8, 3, 6
START = LETTERS  # what the decoder is shown before the first letter


def sequences(rng: np.random.Generator, count: int) -> Batch:
    """Letters (T, B), the letters before (S, B), the letters to write (S, B), and both lengths."""
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    lengths[0] = LONGEST
    word = rng.integers(0, LETTERS, (LONGEST, count))
    before = np.concatenate([np.full((1, count), START), word[:-1]])
    return Batch((word, before, word), lengths.sum(), {"lengths_t": lengths, "lengths_s": lengths})


def written(module: ModuleType, params: Arrays, batch: Batch) -> Array:
    """What the decoder writes on its own, (S, B): every letter is fed back as the next one's letter before."""
    word, before, _ = batch.inputs
    before = np.full_like(before, START)
    found = np.zeros_like(word)
    for s in range(LONGEST):
        outputs, _, _ = module.forward(params, word, before, found, **batch.keywords)
        found[s] = outputs["y"][s].argmax(axis=-1)
        if s + 1 < LONGEST:
            before[s + 1] = found[s]
    return found


def main(steps: int = 800, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train, then compare on new sequences; returns shares of letters and of whole sequences that are right."""
    module = module_of(
        throughtime.load("encoder_decoder"), "copying_network", folder, checked=checked
    )
    rng = np.random.default_rng(0)
    params = module.init_params(8, LETTERS, 48, 8, LETTERS + 1, LETTERS, seed=0)
    batches = (sequences(rng, 32) for _ in range(steps))
    params, losses = learn(module, params, batches, steps)
    test = sequences(rng, 1000)
    lengths = test.keywords["lengths_s"]
    inside = np.arange(LONGEST)[:, None] < lengths
    same = written(module, params, test) == test.inputs[2]
    shares = {
        "letters, network": float(same[inside].mean()),
        "letters, a guess": 1 / LETTERS,
        "whole sequences, network": float((same | ~inside).all(axis=0).mean()),
        "whole sequences, a guess": float(np.mean(float(LETTERS) ** -lengths)),
    }
    table("copied right", {k: f"{v:7.2%}" for k, v in shares.items()})
    draw(
        "copying",
        folder,
        {"encoder and decoder": losses},
        {"a guess": float(np.log(LETTERS))},
        "loss for each letter",
    )
    return shares


if __name__ == "__main__":
    run(main)
