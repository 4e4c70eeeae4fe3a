"""I and diag(a) in brackets: multiplied out to what an author would write by hand, or refused where they stand."""

from __future__ import annotations

import pytest

from derive.errors import LanguageError, ShapeError
from derive.language import read_cell
from derive.network_language import read_network

GATED = "k[t] = K @ x[t]\nv[t] = V @ x[t]\na[t] = sigmoid(A @ x[t])\nw[t] = sigmoid(B @ x[t])\n"
DELTA = "dim b = 1\nk[t] = K @ x[t]\nv[t] = V @ x[t]\nb[t] = sigmoid(r @ x[t])\ng[t] = sigmoid(s @ x[t])\n"

SAME = {
    "antisymmetric, with damping": (
        "const c\nh[t] = tanh((W - W.T - c * I) @ h[t-1] + U @ x[t])",
        "const c\nh[t] = tanh((W - W.T) @ h[t-1] - c * h[t-1] + U @ x[t])",
    ),
    "damping that is learned is a number": (
        "h[t] = tanh((W - W.T - c * I) @ h[t-1] + U @ x[t])",
        "dim c = 1\nh[t] = tanh((W - W.T) @ h[t-1] - c * h[t-1] + U @ x[t])",
    ),
    "the delta rule, gated": (
        f"{DELTA}S[t] = S[t-1] @ (g[t] * (I - b[t] * k[t] @ k[t].T)) + b[t] * v[t] @ k[t].T",
        f"dim g = 1\n{DELTA}S[t] = g[t] * S[t-1] - g[t] * (S[t-1] @ (b[t] * k[t]) @ k[t].T) + b[t] * v[t] @ k[t].T",
    ),
    "a diagonal and one more": (
        f"{GATED}S[t] = S[t-1] @ (diag(w[t]) - k[t] @ (a[t] * k[t]).T) + v[t] @ k[t].T",
        f"{GATED}S[t] = S[t-1] @ diag(w[t]) - S[t-1] @ k[t] @ (a[t] * k[t]).T + v[t] @ k[t].T",
    ),
    "two brackets": (
        "h[t] = (I - A) @ (I + B) @ h[t-1] + x[t]",
        "h[t] = h[t-1] + B @ h[t-1] - A @ h[t-1] - A @ B @ h[t-1] + x[t]",
    ),
    "a bracket turned, and divided by a number": (
        "h[t] = (diag(a) - A @ B).T / 2 @ h[t-1] + x[t]",
        "h[t] = diag(a) @ h[t-1] / 2 - (A @ B).T @ h[t-1] / 2 + x[t]",
    ),
    "the identity alone": ("h[t] = -I @ h[t-1] + W @ x[t] @ I", "h[t] = -h[t-1] + W @ x[t]"),
    "a product of brackets in a bracket": (
        "h[t] = ((I - A) @ (I - B)) @ h[t-1] + x[t]",
        "h[t] = h[t-1] - B @ h[t-1] - A @ h[t-1] + A @ B @ h[t-1] + x[t]",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("short", "long"), SAME.values(), ids=SAME)
def test_brackets_with_a_diagonal_matrix_are_multiplied_out(short, long):
    cells = [read_cell(text, "my") for text in (short, long)]
    assert [e.expr for e in cells[0].equations] == [e.expr for e in cells[1].equations]
    assert {q.name for q in cells[0].quantities} == {q.name for q in cells[1].quantities}


OWN = {
    "with a time index": "I[t] = 0.9 * I[t-1] + W @ x[t]",
    "declared": "dim I = n, n\nh[t] = tanh(I @ h[t-1] + U @ x[t])",
    "that starts somehow": "h[t] = tanh(I @ h[t-1] + U @ x[t])\ninit I = orthogonal",
}


@pytest.mark.parametrize("text", OWN.values(), ids=OWN)
def test_an_author_may_call_a_quantity_of_his_own_I(text):
    assert read_cell(text, "my").quantity("I").role in ("state", "parameter")


def test_networks_know_the_identity_too():
    net = read_network("f = scan(elman, x[t])\ny[t] = (V - V.T - I) @ f.h[t]\n", "my", {
        "elman": "h[t] = tanh(W @ h[t-1] + U @ x[t])"
    }.get)  # fmt: skip
    assert "I" not in {q.name for s in net.segments for q in s.cell.quantities}


REFUSED = {
    "in a sum that multiplies nothing": ("S[t] = S[t-1] + I", "I is the identity matrix"),
    "within a function": ("h[t] = tanh(W - I) @ h[t-1]", "I is the identity matrix"),
    "entry by entry": ("h[t] = (I - A) * h[t-1]", "I is the identity matrix"),
    "divided by": ("h[t] = (A / I) @ h[t-1]", "I is the identity matrix"),
    "diagonals alone": ("S[t] = S[t-1] + I @ diag(a)", "I is the identity matrix"),
    "a diagonal in such a sum": ("S[t] = S[t-1] + (diag(a) - A)", "multiplies nothing"),
    "too many brackets": (f"h[t] = {'(I - A) @ ' * 5}h[t-1]", "more than 16 terms"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_a_diagonal_matrix_that_multiplies_nothing_is_refused_at_its_place(text, said):
    with pytest.raises(LanguageError, match=said) as caught:
        read_cell(text, "my")
    assert caught.value.place is not None


def test_what_multiplies_the_identity_is_a_number():
    with pytest.raises(ShapeError, match="v\\[t\\] must have 1 row; it has n rows") as caught:
        read_cell("dim v = n\ndim h = n\nh[t] = (I - v[t] * I) @ h[t-1] + x[t]", "my")
    assert "diag(a)" in str(caught.value)
