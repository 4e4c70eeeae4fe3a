"""Other notations: what a message says that is written instead is read, and has the same value."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from derive.derivation import derive
from derive.errors import LanguageError
from derive.language import read_cell
from derive.language_elsewhere import NUMBERS, WRITTEN
from numeric.source import generate
from tests.generated import module_of

SAME = {
    "silu": lambda a: a / (1 + np.exp(-a)),
    "leaky_relu": lambda a: np.where(a > 0, a, 0.01 * a),
    "elu": lambda a: np.where(a > 0, a, np.expm1(a)),
    "selu": lambda a: 1.0507009874 * np.where(a > 0, a, 1.6732632423 * np.expm1(a)),
    "gelu": lambda a: a / 2 * (1 + np.vectorize(math.erf)(a / math.sqrt(2))),
    "mish": lambda a: a * np.tanh(np.log1p(np.exp(a))),
    "softsign": lambda a: a / (1 + np.abs(a)),
    "hard_sigmoid": lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    "hardsigmoid": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "hardtanh": lambda a: np.clip(a, -1, 1),
    "clip": lambda a: np.clip(a, -1, 1),
    "relu6": lambda a: np.clip(a, 0, 6),
    "expit": lambda a: 1 / (1 + np.exp(-a)),
    "logsigmoid": lambda a: -np.log1p(np.exp(-a)),
    "log_softmax": lambda a: a - np.log(np.exp(a).sum(axis=-1, keepdims=True)),
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "expm1": np.expm1,
    "softmin": lambda a: np.exp(-a) / np.exp(-a).sum(axis=-1, keepdims=True),
    "var": lambda a: a.var(axis=-1, keepdims=True),
    "std": lambda a: a.std(axis=-1, keepdims=True),
    "square": np.square,
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_written_instead_has_the_value_that_was_meant(name):
    formula = re.sub(r"\ba\b", "x[t]", WRITTEN[name].partition(", ")[0])
    cell = read_cell(f"dim x = 7\ny[t] = {formula}\nh[t] = h[t-1] + x[t]", "my")
    x = np.array([-9.0, -3.0, -0.7, -0.0, 0.4, 2.0, 8.0]).reshape(1, 1, 7)
    outputs, _, _ = module_of(generate(derive(cell)), "my").forward({}, x)
    np.testing.assert_allclose(outputs["y"], SAME[name](x), atol=5e-4 if name == "gelu" else 2e-4)


HINTS = {
    "a module's function": ("h[t] = np.tanh(h[t-1])", "np.tanh", "Write tanh(…)."),
    "another's function": ("h[t] = F.LayerNorm(h[t-1])", "F.LayerNorm", "mean(a)"),
    "a method": ("h[t] = W.dot(h[t-1])", "W.dot", "Write A @ b"),
    "a method without an argument": ("h[t] = x[t] * h[t-1].sum()", ")", "sum(a) for a.sum()"),
    "a subscript in braces": ("h[t] = W @ h_{t-1}", "{", "h[t-1] for h_{t-1}"),
    "LaTeX": (r"h[t] = \tanh(W @ h[t-1])", "\\", "Write names and functions as words"),
    "a slice": ("h[t] = h[t-1][:4]", ":", "no slices"),
    "MATLAB's stack": ("h[t] = W @ [h[t-1]; x[t]]", ";", "concat(a, b)"),
    "MATLAB's transpose": ("S[t] = S[t-1] + v[t] @ k[t]'", "'", ".T"),
    "the transpose as a power": ("S[t] = S[t-1] + v[t] @ k[t]^T", "^", "Write .T."),
    "LaTeX's transpose": (r"S[t] = S[t-1] + v[t] @ k[t]^\top", "^", "Write .T."),
    "a comparison": ("h[t] = h[t-1] > 1", ">", "sigmoid(10 * a)"),
    "a condition": ("h[t] = h[t-1] if m[t] else x[t]", "if", "m[t] * a + (1 - m[t]) * b"),
    "bars": ("h[t] = h[t-1] / |x[t]|", "|", "abs(a)"),
    "bars first": ("h[t] = |x[t]| * h[t-1]", "|", "abs(a)"),
    "a root as a power": ("h[t] = h[t-1]**0.5", "**", "x**0.5 is sqrt(x)"),
    "a sum over an axis": ("h[t] = h[t-1] + sum(V**2, 1)", "sum(V**2, 1)", "A @ repeat(1).T"),
    "a number": ("alpha = 0.5\nh[t] = alpha * h[t-1]", "alpha", "`const alpha = 0.5`"),
    "a subscript t": ("h_t = tanh(W @ h_p)", "h_t", "Write h[t] = …, and h[t-1]"),
    "an initial value": ("h[0] = 0\nh[t] = W @ h[t-1]", "h[0]", "zeros if left out"),
    "two at once": ("i, f = W @ x[t]", "i, f", "an equation for each name"),
    "the start of a state": ("h[t] = W @ h[t-1]\ninit h = zeros", "h", "given to the code"),
    "a size of a size": ("dim x = m\ndim m = 3\nh[t] = h[t-1] + U @ x[t]", "m", "`dim x = 3`"),
    "the identity by another name": ("h[t] = (W - identity) @ h[t-1]", "identity", "matrix is I"),
    "the largest": ("g[t] = exp(-max(0, h[t-1]))", "max", "Write relu(a) for max(0, a)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "remedy"), HINTS.values(), ids=HINTS)
def test_a_message_names_the_place_and_the_remedy_of_another_notation(text, place, remedy):
    with pytest.raises(LanguageError) as caught:
        read_cell(text, "my")
    found = caught.value.place
    assert found is not None
    assert found.text[found.column : found.column + found.width] == place
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_a_number_elsewhere_is_no_parameter_unless_it_is_declared(name: str) -> None:
    text = f"h[t] = tanh(W @ h[t-1]) + {name} * x[t]"
    with pytest.raises(LanguageError, match=f"{name} is not known here") as caught:
        read_cell(text)
    assert f"dim {name} = n" in str(caught.value)
    cell = read_cell(f"dim {name} = n\n{text}")
    assert name in {q.name for q in cell.parameters}
    with pytest.raises(LanguageError, match="is unknown"):
        read_cell(f"h[t] = tanh(W @ h[t-1]) + np.{name} * x[t]")


def test_pi_is_declared_as_it_is_told() -> None:
    line = NUMBERS["pi"].split("`")[1]
    (pi,) = read_cell(f"{line}\nh[t] = tanh(W @ h[t-1] + sin(2 * pi * x[t]))").constants
    assert float(pi.value or 0) == math.pi
