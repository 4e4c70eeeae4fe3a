"""Sentiment of a sentence, many to one: "not good", "good but dull". Counting words cannot tell, order can.

A sentence is one clause, or two with a "but" between them, and then the second decides; "not" turns the next
judging word round. The network many_to_one (embedding, LSTM, logistic readout at each sentence's own end) trains on
sentences of different lengths in one batch.

    python -m examples.sentiment [STEPS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import throughtime
from examples.common import FOLDER, Array, Batch, draw, learn, module_of, run, table

GOOD = ("good", "great", "moving", "clever", "warm", "funny")
BAD = ("bad", "dull", "weak", "slow", "cold", "empty")
FILLERS = ("the", "film", "was", "very", "really", "plot", "cast", "score", "and", "quite")
WORDS = (*GOOD, *BAD, *FILLERS, "not", "but")
INDEX = {word: i for i, word in enumerate(WORDS)}
LONGEST = 16


def clause(rng: np.random.Generator) -> tuple[list[str], bool]:
    """Fillers, perhaps a negation, a judging word; and whether it is praise."""
    good = bool(rng.integers(2))
    turned = rng.random() < 0.4
    judged = str(rng.choice(BAD if good == turned else GOOD))
    before = list(rng.choice(FILLERS, rng.integers(1, 5)))
    between = list(rng.choice(FILLERS, rng.integers(0, 2)))
    return [*before, *(["not"] if turned else []), *between, judged], good


def sentences(rng: np.random.Generator, count: int) -> Batch:
    """Word indices (T, B), whether it is praise (B, 1), and each sentence's length."""
    word = np.zeros((LONGEST, count), int)
    label, lengths = np.zeros((count, 1)), np.zeros(count, int)
    for b in range(count):
        said, good = clause(rng)
        if rng.random() < 0.5:
            other, good = clause(rng)
            said = [*said, "but", *other]
        said = said[-LONGEST:]
        word[: len(said), b] = [INDEX[w] for w in said]
        label[b], lengths[b] = good, len(said)
    longest = int(lengths.max())
    return Batch((word[:longest], label), count, {"lengths_t": lengths})


def counts(batch: Batch) -> Array:
    """How often each word stands in each sentence, (B, words)."""
    word, _ = batch.inputs
    inside = np.arange(len(word))[:, None] < batch.keywords["lengths_t"]
    return np.stack([((word == i) & inside).sum(axis=0) for i in range(len(WORDS))], axis=1)


def bag_of_words(train: Batch, test: Batch) -> Array:
    """Naive Bayes: what the words alone, without their order, say of the test sentences."""
    praise = train.inputs[1][:, 0] > 0.5
    of = counts(train)
    odds = np.log((of[praise].sum(0) + 1) / (of[praise].sum() + len(WORDS)))
    odds -= np.log((of[~praise].sum(0) + 1) / (of[~praise].sum() + len(WORDS)))
    prior = np.log(praise.mean() / (1 - praise.mean()))
    return counts(test) @ odds + prior > 0


def main(steps: int = 500, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train, then compare on new sentences; returns the share of sentences that each judges right."""
    module = module_of(
        throughtime.load("many_to_one"), "sentiment_network", folder, checked=checked
    )
    rng = np.random.default_rng(0)
    params = module.init_params(8, len(WORDS), 24, 1, seed=0)
    batches = (sentences(rng, 32) for _ in range(steps))
    params, losses = learn(module, params, batches, steps)
    test, seen = sentences(rng, 2000), sentences(rng, 5000)
    truth = test.inputs[1][:, 0] > 0.5
    judged = test.forward(module, params)["y"][0, :, 0] > 0.5
    right = {
        "network": float((judged == truth).mean()),
        "bag of words": float((bag_of_words(seen, test) == truth).mean()),
        "always the same": float(max(truth.mean(), 1 - truth.mean())),
    }
    table("sentences judged right", {k: f"{v:6.1%}" for k, v in right.items()})
    draw("sentiment", folder, {"LSTM": losses}, {"a coin": float(np.log(2))}, "loss")
    return right


if __name__ == "__main__":
    run(main)
