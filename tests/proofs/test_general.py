"""General proofs: for every cell of the language, accepted by the checker, the same on every machine, and readable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from derive import catalog
from derive.cell import Cell
from derive.derivation import derive
from derive.language import read_cell
from proofs import general
from proofs.checker import check
from proofs.general import SECTIONS, GeneralProof, prove
from proofs.general_encode import encode
from proofs.general_rules import RULE_PROOFS
from tests.strategies import cells

ROOT = Path(general.__file__).parents[1]
SHIPPED = [entry.name for entry in catalog.shipped()]

CONSTRUCTS = {
    "stacks in two orders": """
        a[t] = tanh(W @ concat(h[t-1], x[t]))
        b[t] = tanh(V @ concat(x[t], h[t-1]))
        h[t] = a[t] * b[t]""",
    "a product of stacks cut at different places": """
        u[t] = concat(h[t-1], x[t]) * concat(x[t], h[t-1])
        h[t] = tanh(W @ u[t])""",
    "a stack under a product": """
        z[t] = sigmoid(V @ x[t])
        u[t] = z[t] * (concat(h[t-1], x[t]) + p)
        h[t] = tanh(W @ u[t])""",
    "a stack of stacks and a scalar": """
        s[t] = sum(h[t-1])
        u[t] = concat(concat(h[t-1], x[t]), h[t-1], s[t])
        h[t] = tanh(W @ u[t])""",
    "a stack in a denominator": """
        y[t] = V @ x[t]
        u[t] = y[t] / concat(h[t-1], x[t])
        h[t] = tanh(W @ u[t])""",
    "a stack of parameters": "h[t] = tanh(W @ h[t-1] + concat(p, q) * x[t] + M @ concat(p, q))",
    "a stack of matrices": """
        dim S = n + m, k
        dim A = n, n + m
        S[t] = concat(A @ S[t-1], x[t] @ v.T)""",
    "totals and powers": "h[t] = tanh(W @ h[t-1]) * sum(x[t])**3 / sum(exp(h[t-1]))",
    "means over two sizes": "h[t] = tanh(W @ h[t-1] + U @ x[t]) - mean(h[t-1]) + mean(concat(h[t-1], x[t])) * b",
    "a layer norm": """
        a[t] = W @ h[t-1] + U @ x[t]
        h[t] = (a[t] - mean(a[t])) / sqrt(mean((a[t] - mean(a[t]))**2) + 1) * g""",
    "softmax named and not": """
        a[t] = softmax(W @ h[t-1] + U @ x[t])
        h[t] = tanh(V @ a[t]) + softmax(h[t-1]) * a[t]""",
    "the same softmax twice": """
        a[t] = softmax(W @ h[t-1])
        b[t] = softmax(W @ h[t-1])
        h[t] = tanh(V @ a[t]) + b[t]""",
    "a value whose derivative has a name": """
        p[t] = sigmoid(h[t-1])
        q[t] = softplus(h[t-1])
        h[t] = p[t] * q[t] * x[t]""",
    "a function of a parameter": """
        p[t] = sigmoid(w)
        q[t] = softplus(w)
        h[t] = p[t] * q[t] * x[t] * h[t-1]""",
    "W and its transpose, many lags, late inputs": """
        h[t] = tanh(W @ h[t-1] + W.T @ c[t-2] + U @ x[t-1])
        c[t] = h[t] * y[t-3] * h[t-4] + W @ W @ W.T @ h[t-1]""",
    "a matrix state at two lags": """
        k[t] = P @ x[t]
        v[t] = Q @ x[t]
        S[t] = a * S[t-1] @ S[t-2].T @ M + k[t] @ v[t].T + M.T
        y[t] = S[t] @ v[t]""",
    "a transposed state in a denominator": "S[t] = (S[t-1] + x[t] @ x[t].T).T / (1 + S[t-1].T)",
    "a quadratic form": """
        s[t] = h[t-1].T @ A @ h[t-1] + s[t-1]
        h[t] = tanh(A @ h[t-1] + x[t]) * s[t]""",
    "every function": """
        a[t] = relu(W @ h[t-1]) + abs(x[t]) + softplus(h[t-1]) * sin(x[t]) * cos(h[t-1])
        h[t] = a[t] + exp(h[t-1]) * log(x[t]) + sqrt(x[t])**-3""",
    "states that feed each other": """
        a[t] = tanh(W @ b[t-1] + U @ x[t])
        b[t] = sigmoid(V @ a[t-1])""",
    "outputs from the past": """
        h[t] = tanh(W @ h[t-1] + x[t])
        y[t] = V @ h[t] + V @ h[t-2]
        z[t] = softmax(y[t])
        q[t] = y[t] * 2""",
    "a state used only late": """
        h[t] = tanh(x[t])
        c[t] = c[t-1] * 0.5 + h[t-3]""",
    "a row": """
        dim h = 1, n
        dim x = 1, m
        h[t] = tanh(h[t-1] @ W + x[t] @ U)""",
    "sizes that are numbers": """
        dim h = 3
        dim x = 2
        h[t] = tanh(W @ concat(h[t-1], x[t]))""",
    "a constant under a root": """
        const alpha = 1/3
        h[t] = alpha * h[t-1] + (1 - alpha) * tanh(W @ h[t-1] + x[t]) * sqrt(alpha)""",
    "a high power of a sum": "h[t] = tanh(W @ h[t-1] + U @ x[t] + b + c + d)**32",
    "a loss among the equations": """
        h[t] = tanh(W @ h[t-1] + x[t])
        e[t] = sum((h[t] - x[t])**2) * 0.5""",
    "a cross entropy": """
        h[t] = tanh(W @ h[t-1] + x[t])
        y[t] = softmax(V @ h[t])
        e[t] = cross_entropy(y[t], d[t])""",
    "powers of one state": "h[t] = h[t-1] * h[t-1] * (x[t] - h[t-1] / 2)",
    "no input and no parameter": "h[t] = tanh(h[t-1]) + 0.5 * h[t-2]",
}


def cell_of(text: str) -> Cell:
    return read_cell(
        "\n".join(line.strip() for line in text.strip().splitlines()) + "\n", "made_up"
    )


def proof_of(cell: Cell) -> GeneralProof:
    return prove(derive(cell))


def through_json(proof: GeneralProof) -> dict[str, Any]:
    return json.loads(proof.dumps())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_proof_for_a_shipped_cell_is_accepted(name: str) -> None:
    proof = proof_of(catalog.load(name))
    verdict = check(through_json(proof), proof.statement)
    assert (verdict.accepted, verdict.reason) == (True, "")
    assert len(verdict.verified) == len(proof.steps)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_every_construct_of_the_language_can_be_proved(name: str) -> None:
    verdict = check(through_json(proof_of(cell_of(CONSTRUCTS[name]))))
    assert verdict.accepted, verdict


@given(cells())
def test_the_proof_for_any_cell_is_accepted(cell: Cell) -> None:
    verdict = check(through_json(proof_of(cell)))
    assert verdict.accepted, verdict


def test_the_constructs_use_every_rule() -> None:
    used = {s.name for text in CONSTRUCTS.values() for s in proof_of(cell_of(text)).section("rule")}
    assert used == {f"rule {rule.name}" for rule in RULE_PROOFS.values()}


def test_what_is_proved_is_what_was_derived() -> None:
    d = derive(catalog.load("gru"))
    statement = prove(d).statement
    assert statement["adjoints"] == [[e.lhs.name, encode(e.rhs)] for e in d.backward.local]
    assert statement["parameters"] == [[e.lhs.name, encode(e.rhs)] for e in d.backward.parameters]
    assert statement["lines"] == [[a.name, encode(a.expr)] for a in d.assignments]
    assert statement["equations"] == [[e.target.name, encode(e.expr)] for e in d.cell.equations]


def test_a_wrong_derivation_is_written_down_and_refused() -> None:
    d, other = derive(catalog.load("gru")), derive(catalog.load("gru_mirrored"))
    wrong = type(d)(d.cell, d.assignments, other.backward, d.jacobian)
    assert not check(through_json(prove(wrong))).accepted


def test_a_proof_survives_json() -> None:
    proof = proof_of(catalog.load("lstm_peephole"))
    assert through_json(proof) == proof.to_json()


def test_a_proof_names_every_step_once_and_in_order() -> None:
    proof = proof_of(catalog.load("lstm"))
    assert len({s.name for s in proof.steps}) == len(proof.steps)
    assert [s.number for s in proof.steps] == [*range(1, len(proof.steps) + 1)]
    assert {s.kind for s in proof.steps} == SECTIONS.keys()


def test_a_proof_of_a_lagged_cell_gives_every_initial_value_its_gradient() -> None:
    proof = proof_of(catalog.load("skip"))
    assert [e[:2] for e in proof.statement["initial"]] == [["h", 0], ["h", 1], ["h", 2]]
    assert proof.steps[-1].data == {"at": "0"}


def test_the_same_proof_comes_out_whatever_the_hash_seed() -> None:
    code = (
        "from derive import catalog; from derive.derivation import derive; from proofs.general import prove;"
        "print(''.join(prove(derive(catalog.load(c))).dumps() for c in ('gru', 'lstm_gamma')))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT, env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1


# ── as it is read ──


def test_a_line_reads_as_an_author_would_write_it() -> None:
    steps = {s.name: s for s in proof_of(catalog.load("elman")).steps}
    assert steps["line a_h"].text == (
        "<delta_h[t], a_h_dot[t]> = <delta_h[t] @ h[t-1].T, W_dot> + <W.T @ delta_h[t], h_dot[t-1]>"
        " + <delta_h[t] @ x[t].T, U_dot> + <U.T @ delta_h[t], x_dot[t]> + <delta_h[t], b_dot>"
    )
    assert steps["rule matrix product"].latex.splitlines()[-2] == (
        r"&= \langle \bar Y \, B^{\top},\, \dot A \rangle + \langle A^{\top} \, \bar Y,\, \dot B \rangle"
    )
    assert steps["base"].latex == r"P(T):\quad 0 = \Phi_T, \qquad\text{since } \delta_{h,T+1} = 0"


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", ["lstm", "gru", *list(CONSTRUCTS)[::3]])
def test_katex_accepts_every_step(name: str) -> None:
    from reports.strict import complaints

    cell = cell_of(CONSTRUCTS[name]) if name in CONSTRUCTS else catalog.load(name)
    assert complaints([s.latex for s in proof_of(cell).steps]) == []


def test_the_document_escapes_its_titles() -> None:
    document = proof_of(catalog.load("lstm")).latex()
    assert r"The line of a\_f." in document
    assert r"From k to k $-$ 1." in document
    assert document.count(r"\begin{equation*}") == document.count(r"\end{equation*}") == 49
