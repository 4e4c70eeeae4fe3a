"""Cells that the tests of proofs share: what ships, and what is hard."""

from __future__ import annotations

from functools import cache

from derive.catalog import load, shipped
from derive.derivation import Derivation, derive
from derive.language import read_cell
from numeric.source import generate

HARD = {
    "two_states": """
        a[t] = tanh(W @ h[t-1] + W.T @ c[t-2] + U @ x[t] + V @ x[t-1] + b)
        c[t] = a[t] * c[t-1] + softplus(U @ x[t]) * k[t]
        h[t] = sin(c[t]) * h[t-2] + relu(a[t]) + abs(W @ h[t-1])
        """,
    "layer_norm": """
        dim h = n
        a[t] = W @ h[t-1] + U @ x[t]
        mu[t] = mean(a[t])
        v[t] = mean((a[t] - mu[t])**2)
        h[t] = tanh(g * (a[t] - mu[t]) / sqrt(v[t] + 1/100) + b)
        """,
    "attention": """
        s[t] = softmax(W @ concat(h[t-1], x[t]))
        h[t] = s[t] * exp(-h[t-1] * h[t-1]) + (1 - s[t]) / (2 + cos(U @ x[t]))
        y[t] = log(1 + (V @ h[t])**2)
        """,
    "matrix_state": """
        k[t] = K @ x[t]
        v[t] = V @ x[t]
        S[t] = sigmoid(a) * S[t-1] + v[t] @ k[t].T - S[t-1] @ (k[t] @ k[t].T)
        y[t] = S[t] @ k[t]
        """,
    "autonomous": """
        h[t] = tanh(W @ h[t-1] + V @ h[t-2] + b)
        """,
}
SHIPPED = tuple(entry.name for entry in shipped())
EVERY = (*SHIPPED, *HARD)


@cache
def derivation_of(name: str) -> Derivation:
    """The derivation of a shipped or a hard cell."""
    return derive(read_cell(HARD[name], name) if name in HARD else load(name))


@cache
def source_of(name: str) -> str:
    """The code generated for a shipped or a hard cell."""
    return generate(derivation_of(name))
