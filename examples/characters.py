"""The next character of a text, learned from a chapter of Alice's Adventures in Wonderland (data/alice.txt).

The network next_character (embedding, LSTM, dropout by a mask that is given, softmax) reads windows of the chapter's
first nine tenths and is asked about the last one. The measure is the mean of −log₂ p over its characters, in bits.

    python -m examples.characters [STEPS]
"""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import numpy as np

import throughtime
from examples.common import FOLDER, Array, Arrays, Batch, draw, learn, module_of, run, table

TEXT = Path(__file__).parent / "data" / "alice.txt"
STEPS, SAMPLES, WIDTH, DROPPED = 40, 24, 64, 0.2


def read() -> tuple[Array, Array, list[str]]:
    """The chapter as indices, its first nine tenths and the rest; and its characters."""
    text = " ".join(TEXT.read_text(encoding="utf-8").split()).lower()
    kept = sorted(set(text))
    indices = np.array([kept.index(c) for c in text])
    cut = len(indices) * 9 // 10
    return indices[:cut], indices[cut:], kept


def windows(text: Array, rng: np.random.Generator) -> Batch:
    """Windows at random places; each character's target is the next one."""
    starts = rng.integers(0, len(text) - STEPS - 1, SAMPLES)
    char = np.stack([text[s : s + STEPS + 1] for s in starts], axis=1)
    keep = (rng.random((STEPS, SAMPLES, WIDTH)) >= DROPPED) / (1 - DROPPED)
    return Batch((char[:-1], keep, char[1:]), STEPS * SAMPLES)


def bits(module: ModuleType, params: Arrays, text: Array) -> float:
    """Mean −log₂ of what the network gives to each next character, read from the first on."""
    char, target = text[:-1, None], text[1:, None]
    outputs, _, _ = module.forward(params, char, np.ones((len(char), 1, WIDTH)), target)
    return float(outputs["loss"].mean()) / math.log(2)


def frequencies(train: Array, test: Array, kinds: int) -> float:
    """The same for the frequencies of single characters."""
    counted = np.bincount(train, minlength=kinds) + 1.0
    return float(-np.log2(counted / counted.sum())[test[1:]].mean())


def pairs(train: Array, test: Array, kinds: int) -> float:
    """The same for the frequencies of pairs: each character given the one before, smoothed by single ones."""
    single = np.bincount(train, minlength=kinds) + 1.0
    counted = np.zeros((kinds, kinds))
    np.add.at(counted, (train[:-1], train[1:]), 1.0)
    counted += single / single.sum()
    counted /= counted.sum(axis=1, keepdims=True)
    return float(-np.log2(counted[test[:-1], test[1:]]).mean())


def continued(module: ModuleType, params: Arrays, begin: str, kept: list[str], length: int) -> str:
    """What the network writes on, each character drawn from its distribution, sharpened a little."""
    rng = np.random.default_rng(1)
    said = [kept.index(c) for c in begin]
    for _ in range(length):
        char = np.array(said[-STEPS:])[:, None]
        outputs, _, _ = module.forward(params, char, np.ones((len(char), 1, WIDTH)), char)
        p = outputs["y"][-1, 0] ** 1.5
        said.append(int(rng.choice(len(kept), p=p / p.sum())))
    return "".join(kept[i] for i in said)


def main(steps: int = 1000, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train, then compare on the end of the chapter; returns the bits that each needs for a character."""
    module = module_of(
        throughtime.load("next_character"), "characters_network", folder, checked=checked
    )
    train, test, kept = read()
    rng = np.random.default_rng(0)
    params = module.init_params(16, len(kept), WIDTH, len(kept), seed=0)
    batches = (windows(train, rng) for _ in range(steps))
    params, losses = learn(module, params, batches, steps, rate=0.006)
    needed = {
        "network": bits(module, params, test),
        "pairs of characters": pairs(train, test, len(kept)),
        "single characters": frequencies(train, test, len(kept)),
        "all characters alike": math.log2(len(kept)),
    }
    table(
        "bits for each character of the chapter's end", {k: f"{v:.3f}" for k, v in needed.items()}
    )
    print(f"it writes: {continued(module, params, 'alice thought ', kept, 90)}")
    level = {k: v * math.log(2) for k, v in needed.items() if k.endswith(" characters")}
    draw("characters", folder, {"LSTM": losses}, level, "loss for each character")
    return needed


if __name__ == "__main__":
    run(main)
