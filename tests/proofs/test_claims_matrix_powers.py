r"""Powers in LaTeX: ``W^2`` is W W and ``W^{t-k}`` a product of factors, while ``h_t^2`` is entry by entry."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit
from proofs.claims.verdict import CONDITIONAL, PROVED, REFUTED

LINEAR = "cell\n    h[t] = W @ h[t-1] + U @ x[t]\nloss sum over t of L(h)\n"
RIGHT = (
    r"\frac{\partial h_t}{\partial h_{t-2}} = W^2",
    r"\frac{\partial h_t}{\partial h_k} = W^{t-k}",
    r"\frac{\partial h_t}{\partial x_k} = W^{t-k} U",
    r"h_t = W^t h_0 + \sum_{k=1}^t W^{t-k} U x_k",
    r"\left\| \frac{\partial h_t}{\partial h_k} \right\| = \|W^{t-k}\|",
    r"\frac{\partial L}{\partial h_t} = \sum_{j=t}^T (W^\top)^{j-t} \frac{\partial L_j}{\partial h_j}",
    r"\frac{\partial L}{\partial h_t} = \sum_{j=t}^T (W^{j-t})^\top \frac{\partial L_j}{\partial h_j}",
    r"\frac{\partial L}{\partial h_t} = \sum_{j=t}^T (W^\top)^{T-j} \frac{\partial L_{T+t-j}}{\partial h_{T+t-j}}",
    r"\frac{\partial h_{t+1}}{\partial h_k} = W^{t-k+1}",
    r"\frac{\partial h_t}{\partial h_{t-2}} = \left(\frac{\partial h_t}{\partial h_{t-1}}\right)^2",
)
WRONG = (
    r"\frac{\partial h_t}{\partial h_k} = W^{t-k+1}",
    r"\frac{\partial h_t}{\partial h_{t-2}} = W^3",
    r"\frac{\partial h_t}{\partial h_{t-2}} = W \odot W",
    r"h_t = W^t h_0 + \sum_{k=1}^t W^{t-k+1} U x_k",
    r"\frac{\partial L}{\partial h_t} = \sum_{j=t}^T W^{j-t} \frac{\partial L_j}{\partial h_j}",
    r"\frac{\partial L}{\partial h_t} = \sum_{j=t+1}^T (W^\top)^{j-t} \frac{\partial L_j}{\partial h_j}",
)


def kinds(head: str, formulas: tuple[str, ...]) -> list[str]:
    text = head + "".join(f"claim : ${formula}$\n" for formula in formulas)
    return [verdict.kind for verdict in audit(text).verdicts]


def test_powers_of_matrices_are_products() -> None:
    assert kinds(LINEAR, RIGHT) == [PROVED] * len(RIGHT)
    assert set(kinds(LINEAR, WRONG)) <= {REFUTED, CONDITIONAL}


@pytest.mark.parametrize(
    "formula",
    [
        r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^2) W",
        r"\mathrm{diag}(h_t)^2 = \mathrm{diag}(h_t^2)",
        r"\left\|\frac{\partial h_{t+1}}{\partial h_k}\right\| \le \|W\|^{t-k+1}",
        r"\|\frac{\partial h_t}{\partial h_{t-2}} W^2\| \le \|W\|^4",
    ],
)
def test_powers_of_vectors_and_of_numbers_are_what_they_were(formula) -> None:
    assert kinds("cell elman\n", (formula,)) == [PROVED]


def test_a_batch_is_no_square_matrix() -> None:
    cell = "cell\n    dim H = B, n\n    dim X = B, m\n    H[t] = tanh(X[t] @ U + H[t-1] @ W)\nloss sum over t of L(H)\n"
    formula = r"\frac{\partial L}{\partial W} = \sum_t H_{t-1}^\top (\frac{\partial L}{\partial H_t} \odot (1 - H_t^2))"
    assert kinds(cell, (formula,)) == [PROVED]
