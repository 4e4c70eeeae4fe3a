"""Names in a sentence, a tag for every word: the same name is a person, a place or a firm by what stands around it.

"in Lincoln" is a place, "Lincoln said" a person and "Lincoln shares" a firm, so a tagger must look to both sides. The
network tagger (embedding, one LSTM from each side, softmax) trains on sentences of different lengths in one batch.

    python -m examples.tagging [STEPS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import throughtime
from examples.common import FOLDER, Array, Batch, draw, learn, module_of, run, table

TAGS = ("other", "person", "place", "firm")
NAMES = ("Lincoln", "Paris", "Ford", "Sydney", "Florence", "Chase", "Austin", "Jordan")
ALIKE = ("the", "news", "again", "today", "and", "then", "once", "more", "late")
BEFORE_PLACE = ("in", "near", "from")
AFTER_PERSON = ("said", "smiled", "wept")
AFTER_FIRM = ("shares", "profits", "board")
WORDS = (*NAMES, *ALIKE, *BEFORE_PLACE, *AFTER_PERSON, *AFTER_FIRM)
INDEX = {word: i for i, word in enumerate(WORDS)}
LONGEST = 18


def mention(rng: np.random.Generator) -> list[tuple[str, str]]:
    """A name of one or two words with what gives it away, each word with its tag."""
    tag = str(rng.choice(TAGS[1:]))
    name = [(str(word), tag) for word in rng.choice(NAMES, rng.integers(1, 3), replace=False)]
    clue = {"place": BEFORE_PLACE, "person": AFTER_PERSON, "firm": AFTER_FIRM}[tag]
    told = [(str(rng.choice(clue)), "other")]
    return [*told, *name] if tag == "place" else [*name, *told]


def sentences(rng: np.random.Generator, count: int) -> Batch:
    """Word indices (T, B), tags (T, B), and each sentence's length."""
    word, tag = np.zeros((LONGEST, count), int), np.zeros((LONGEST, count), int)
    lengths = np.zeros(count, int)
    for b in range(count):
        said: list[tuple[str, str]] = []
        for _ in range(rng.integers(1, 4)):
            said += [(str(w), "other") for w in rng.choice(ALIKE, rng.integers(1, 4))]
            said += mention(rng)
        said = said[:LONGEST]
        lengths[b] = len(said)
        word[: len(said), b] = [INDEX[w] for w, _ in said]
        tag[: len(said), b] = [TAGS.index(t) for _, t in said]
    longest = int(lengths.max())
    return Batch((word[:longest], tag[:longest]), lengths.sum(), {"lengths_t": lengths})


def inside(batch: Batch) -> Array:
    """Where a sentence has a word, (T, B)."""
    return np.arange(len(batch.inputs[0]))[:, None] < batch.keywords["lengths_t"]


def commonest(train: Batch) -> Array:
    """Each word's most frequent tag."""
    word, tag = (array[inside(train)] for array in train.inputs)
    return np.array(
        [np.bincount(tag[word == i], minlength=len(TAGS)).argmax() for i in range(len(WORDS))]
    )


def main(steps: int = 250, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train, then compare on new sentences; returns the share of the names' words that each tags right."""
    module = module_of(throughtime.load("tagger"), "tagging_network", folder, checked=checked)
    rng = np.random.default_rng(0)
    params = module.init_params(8, len(WORDS), 16, 16, len(TAGS), seed=0)
    batches = (sentences(rng, 32) for _ in range(steps))
    params, losses = learn(module, params, batches, steps)
    test, seen = sentences(rng, 1000), sentences(rng, 2000)
    word, tag = test.inputs
    names = inside(test) & (tag > 0)
    found = test.forward(module, params)["y"].argmax(axis=-1)
    right = {
        "network": float((found == tag)[names].mean()),
        "each word's commonest tag": float((commonest(seen)[word] == tag)[names].mean()),
    }
    table("words of names tagged right", {k: f"{v:6.1%}" for k, v in right.items()})
    draw("tagging", folder, {"two LSTMs": losses}, {}, "loss for each word")
    return right


if __name__ == "__main__":
    run(main)
