"""Subject and verb that agree across a clause: does the gradient from the verb still reach the subject?

"The dog, which the cats … saw, IS": the number of the first noun decides the last verb, and the nouns between them
mislead. An Elman network and an LSTM train on it with generated code, NumPy alone; a reader who remembers only the
last noun is right half of the time.

    python -m examples.agreement [STEPS]
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

import throughtime
from examples.common import FOLDER, draw, learn, module_of, run, table

WORDS = 15
NOUNS = ("singular", "plural")
VOCABULARY = 2 + 4  # a singular or a plural noun, and four other words

CELLS = {
    "elman": "h[t] = tanh(W @ h[t-1] + U @ x[t] + b)",
    "lstm": """
f[t] = sigmoid(W_f @ h[t-1] + U_f @ x[t] + b_f)
i[t] = sigmoid(W_i @ h[t-1] + U_i @ x[t] + b_i)
o[t] = sigmoid(W_o @ h[t-1] + U_o @ x[t] + b_o)
g[t] = tanh(W_g @ h[t-1] + U_g @ x[t] + b_g)
c[t] = f[t] * c[t-1] + i[t] * g[t]
h[t] = o[t] * tanh(c[t])
init b_f = 1
""",
}
HEAD = """
p[t] = sigmoid(V @ h[t] + d)
loss[t] = binary_cross_entropy(p[t], verb[t])
"""


def sentences(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Words as one-hot vectors (T, B, words), and whether the verb is plural (T, B, 1); it counts at the last step."""
    words = rng.integers(2, VOCABULARY, (WORDS, count))
    words[0] = rng.integers(0, 2, count)
    for place in (4, 8, 12):
        words[place] = rng.integers(0, 2, count)
    verb = np.broadcast_to(
        (words[0] == NOUNS.index("plural")).astype(float)[None, :, None], (WORDS, count, 1)
    )
    return np.eye(VOCABULARY)[words], verb.copy()


def last_step(outputs: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
    """The mean loss at the last step, and its gradient."""
    losses = outputs["loss"]
    bar = np.zeros_like(losses)
    bar[-1] = 1.0 / losses.shape[1]
    return float(losses[-1].mean()), {"loss": bar}


def learned(module: ModuleType, steps: int, hidden: int = 16) -> tuple[float, float, list[float]]:
    """Accuracy after training, the subject's share of the input gradient before training, and the losses."""
    rng = np.random.default_rng(0)
    params = module.init_params(hidden, VOCABULARY, 1, seed=0)
    words, verb = sentences(rng, 64)
    _, (_, by_input, _) = module.value_and_grad(last_step, params, words, verb)
    norms = np.sqrt(np.sum(by_input["x"] ** 2, axis=(1, 2)))

    def value_and_gradient(
        now: dict[str, np.ndarray], batch: tuple
    ) -> tuple[float, dict[str, np.ndarray]]:
        value, (by_params, _, _) = module.value_and_grad(last_step, now, *batch)
        return value, by_params

    batches = (sentences(rng, 32) for _ in range(steps))
    params, losses = learn(module, params, batches, steps, gradient=value_and_gradient)
    words, verb = sentences(rng, 500)
    outputs, _, _ = module.forward(params, words, verb)
    right = (outputs["p"][-1] > 0.5) == (verb[-1] > 0.5)
    return float(right.mean()), float(norms[0] / norms[-1]), losses


def main(steps: int = 600, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train both networks; returns the share of sentences whose verb each gets right."""
    losses, right = {}, {"the last noun, or a guess": 0.5}
    told = {"the last noun, or a guess": " 50.0%"}
    for name, text in CELLS.items():
        model = throughtime.read(text + HEAD, name)
        module = module_of(model, f"agreement_{name}", folder, checked=checked)
        right[name], reach, losses[name] = learned(module, steps)
        told[name] = f"{right[name]:6.1%}   {reach:.1e}"
    table("verbs right   gradient at the subject / at the last word, before training", told)
    draw("agreement", folder, losses, {"a coin": float(np.log(2))}, "loss at the verb")
    return right


if __name__ == "__main__":
    run(main)
