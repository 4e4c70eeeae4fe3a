"""Which gates are fused: those that multiply the same vectors, however their terms are ordered."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, note

from derive.catalog import load
from derive.expressions import is_column, is_scalar, matmul, terms
from derive.language import read_cell
from derive.normal import normal_form
from numeric.stacks import affine, stacks
from tests.strategies import cells


def stacks_of(cell):
    return stacks(normal_form(cell), frozenset(q.name for q in cell.states))


def names_of(text: str) -> list[tuple[str, list[str]]]:
    """Each stack's name with its members', several or one."""
    return [(s.name, [m.target.name for m in s.members]) for s in stacks_of(read_cell(text))]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("lstm", [["a_f", "a_i", "a_o", "a_g"]]),
        ("lstm_bare", [["a_f", "a_i", "a_o", "a_g"]]),
        ("lstm_stacked", [["a_f", "a_i", "a_o", "a_g"]]),
        ("gru", [["a_z", "a_r"], ["a_g"]]),
        ("skip:d=3", [["a_h"]]),
    ],
)
def test_the_gates_of_a_shipped_cell_are_fused(spec, expected):
    found = stacks_of(load(spec))
    assert [[m.target.name for m in s.members] for s in found] == expected


def test_the_order_of_terms_does_not_keep_gates_apart():
    text = "f[t] = sigmoid(W @ h[t-1] + U @ x[t] + b)\ni[t] = sigmoid(c + V @ x[t] + A @ h[t-1])\nh[t] = f[t] * i[t]\n"
    assert names_of(text) == [("a_fi", ["a_f", "a_i"])]


def test_gates_over_other_vectors_stay_apart():
    gates = "f[t] = sigmoid(W @ h[t-1])\ni[t] = sigmoid(V @ x[t])\no[t] = sigmoid(A @ h[t-2])\n"
    text = gates + "h[t] = f[t] * i[t] * o[t]\n"
    assert [members for _, members in names_of(text)] == [["a_f"], ["a_i"], ["a_o"]]


def test_gates_with_and_without_a_bias_stay_apart():
    text = "f[t] = sigmoid(W @ h[t-1] + b)\ni[t] = sigmoid(V @ h[t-1])\nh[t] = f[t] * i[t]\n"
    assert len(names_of(text)) == 2


def test_many_gates_are_named_by_the_first_and_the_last():
    gates = [f"gate{i}[t] = sigmoid(W{i} @ h[t-1])" for i in range(4)]
    text = "\n".join([*gates, "h[t] = gate0[t] * gate1[t] * gate2[t] * gate3[t]"])
    assert names_of(text)[0][0] == "a_gate0_to_gate3"


def assignment(text: str, name: str):
    cell = read_cell(text)
    return next(a for a in normal_form(cell) if a.name == name)


def test_what_is_no_product_of_a_weight_and_a_vector_is_left_over():
    text = "h[t] = tanh(2 * W @ h[t-1] + V @ x[t] + p * h[t-1] + b + c + A @ V @ x[t])\n"
    read = affine(assignment(text, "a_h"))
    assert [str(matrix) for matrix in read.products.values()] == ["V"]
    assert str(read.bias) == "b"
    assert len(read.rest) == 4


def test_a_second_product_with_the_same_vector_is_left_over():
    read = affine(assignment("h[t] = tanh(W @ h[t-1] + V @ h[t-1] + b)\n", "a_h"))
    assert len(read.products) == 1
    assert len(read.rest) == 1


def test_products_with_scalars_and_of_matrices_are_no_stack():
    assert (
        affine(assignment("dim q = 1\nh[t] = tanh(w @ q[t-1] + h[t-1])\nq[t] = sum(h[t])\n", "a_h"))
        is None
    )
    assert affine(assignment("dim S = n, m\nS[t] = tanh(A @ S[t-1])\n", "a_S")) is None


@given(cells())
def test_an_affine_reading_loses_nothing(cell):
    note(cell.text)
    for a in normal_form(cell):
        read = affine(a)
        if read is None:
            continue
        parts = [matmul(matrix, vector) for vector, matrix in read.products.items()]
        bias = [] if read.bias is None else [read.bias]
        assert Counter([*parts, *bias, *read.rest]) == Counter(terms(a.expr))
        assert all(is_column(v) and not is_scalar(v) for v in read.products)


@given(cells())
def test_the_members_of_a_stack_share_their_vectors_and_no_intermediate_is_in_two(cell):
    note(cell.text)
    found = stacks_of(cell)
    members = [m.target.name for s in found for m in s.members]
    assert len(set(members)) == len(members)
    for s in found:
        assert all(set(m.products) == set(s.vectors) for m in s.members)
        assert len({m.bias is None for m in s.members}) == 1
        for vector in s.vectors:
            assert len(s.matrices(vector)) == len(s.members)
