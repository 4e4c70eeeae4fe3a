"""The matrix in front of a vector: what is linear in a leaf, read off, with sums and products as authors write them.

W (a ∘ v)  =  W diag(a) · v,      diag(a) V + diag(a) W  =  diag(a) (V + W)
"""

from __future__ import annotations

from sympy import S
from sympy.matrices.expressions import (
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.backward import common_factors, positive_first
from derive.expressions import (
    Block,
    Broadcast,
    Concat,
    Diag,
    Total,
    add,
    diag,
    hadamard,
    is_column,
    is_scalar,
    leaves,
    matmul,
    ones,
    operands,
    scale,
    split_coefficient,
    terms,
    transpose,
    transpose_of_product,
    zeros_like,
)


def chain(a: MatrixExpr, b: MatrixExpr) -> MatrixExpr:
    """A B with what is next to a diagonal factor merged into it, and products of sums of one term opened."""
    if isinstance(b, MatAdd) and isinstance(a, Diag):
        return add(*(chain(a, term) for term in b.args))
    if isinstance(a, MatAdd) and isinstance(b, Identity):
        return a
    product = matmul(a, b)
    c, core = split_coefficient(product)
    merged: list[MatrixExpr] = []
    for f in core.args if isinstance(core, MatMul) else (core,):
        one = _in_one(merged[-1], f) if merged else None
        merged = [*merged[:-1], one] if one is not None else [*merged, f]
    if len(merged) > 1:  # diag(s) of a number s is s
        merged = [operands(f)[0] if isinstance(f, Diag) and is_scalar(f) else f for f in merged]
    return scale(c, matmul(*merged))


def _in_one(a: MatrixExpr, b: MatrixExpr) -> MatrixExpr | None:
    """diag(a) diag(b) = diag(a b), diag(a) 1 = a and 1ᵀ diag(b) = bᵀ."""
    if isinstance(a, Diag) and isinstance(b, Diag):
        return diag(hadamard(*operands(a), *operands(b)))
    if isinstance(a, Diag) and isinstance(b, OneMatrix) and is_column(b):
        return operands(a)[0]
    if isinstance(b, Diag) and isinstance(a, OneMatrix) and a.shape[0] == 1:
        return transpose(operands(b)[0])
    return None


def matrix_in_front(expr: MatrixExpr, leaf: MatrixExpr) -> MatrixExpr | None:
    """M with expr = M · leaf + (terms without the leaf), or ``None`` if there is no such matrix."""
    if expr == leaf:
        return Identity(leaf.shape[0])
    if leaf not in set(leaves(expr)):
        return ZeroMatrix(expr.shape[0], leaf.shape[0])
    if not is_column(expr):
        return None
    reader = _READERS.get(type(expr))
    return reader(expr, leaf) if reader else None


def _of_sum(expr, leaf):
    fronts = [matrix_in_front(term, leaf) for term in expr.args]
    return None if None in fronts else sum_of_blocks(fronts)


def sum_of_blocks(blocks: list[MatrixExpr]) -> MatrixExpr:
    """A + B + …, with what stands in front of one block or behind one diagonal collected, and diagonals merged.

    A ∂u + B ∂u = (A + B) ∂u, diag(a) W + diag(b) W = diag(a + b) W and diag(a) V + diag(a) W = diag(a) (V + W).
    """
    fronts: dict[Block | None, list[MatrixExpr]] = {}
    for c, core in (split_coefficient(term) for block in blocks for term in terms(block)):
        parts = operands(core) if isinstance(core, MatMul) else ()
        shared = parts[-1] if parts and isinstance(parts[-1], Block) else None
        front = matmul(*parts[:-1]) if shared is not None else core
        fronts.setdefault(shared, []).append(scale(c, front))
    merged = [
        _merged(group) if shared is None else chain(_merged(group), shared)
        for shared, group in fronts.items()
    ]
    return add(zeros_like(blocks[0]), *_bracketed(merged))


def _merged(parts: list[MatrixExpr]) -> MatrixExpr:
    """The sum of matrices, with the diagonals in front of the same matrix, or of none, in one."""
    groups: dict[MatrixExpr, list[MatrixExpr]] = {}
    for part in parts:
        groups.setdefault(_behind(part)[1], []).append(part)
    return add(*(_one_diagonal(rest, group) for rest, group in groups.items()))


def _one_diagonal(rest: MatrixExpr, group: list[MatrixExpr]) -> MatrixExpr:
    """diag(a) W + diag(b) W = diag(a + b) W."""
    entries = [_behind(part)[0] for part in group]
    if len(group) < 2 or all(isinstance(e, OneMatrix) for e in entries):
        return add(*group)
    factors = [scale(split_coefficient(p)[0], e) for p, e in zip(group, entries, strict=True)]
    return chain(diag(common_factors(factors, factors[0])), rest)


def _behind(part: MatrixExpr) -> tuple[MatrixExpr, MatrixExpr]:
    """(a, W) of c diag(a) W; ones for what has no diagonal in front."""
    core = split_coefficient(part)[1]
    factors = operands(core) if isinstance(core, MatMul) else (core,)
    if isinstance(factors[0], Diag):
        rest = matmul(*factors[1:]) if factors[1:] else Identity(core.shape[0])
        return operands(factors[0])[0], rest
    return ones(core.shape[0], S.One), core


def _bracketed(parts: list[MatrixExpr]) -> list[MatrixExpr]:
    """diag(a) V + diag(a) W = diag(a) (V + W)."""
    groups: dict[MatrixExpr, list[MatrixExpr]] = {}
    for part in (term for p in parts for term in terms(p)):
        groups.setdefault(_behind(part)[0], []).append(part)
    found: list[MatrixExpr] = []
    for entries, group in groups.items():
        if len(group) < 2 or isinstance(entries, OneMatrix):
            found += group
        else:
            inner = [scale(split_coefficient(part)[0], _behind(part)[1]) for part in group]
            found.append(matmul(diag(entries), add(*positive_first(inner))))
    return found


def _of_product(expr, leaf):
    c, parts = split_coefficient(expr)[0], operands(expr)
    if leaf in set(leaves(parts[-1])):
        inner = matrix_in_front(parts[-1], leaf)
        return (
            None
            if inner is None
            else scale(c, chain(matmul(*parts[:-1]), inner) if parts[:-1] else inner)
        )
    return (
        _of_product(transpose_of_product(expr), leaf)
        if is_scalar(expr) and _moves_last(expr, leaf)
        else None
    )


def _moves_last(expr, leaf):
    return leaf in set(leaves(operands(expr)[0]))


def _of_hadamard(expr, leaf):
    moving = [a for a in operands(expr) if leaf in set(leaves(a))]
    fixed = [a for a in operands(expr) if leaf not in set(leaves(a))]
    inner = matrix_in_front(moving[0], leaf) if len(moving) == 1 else None
    return None if inner is None else chain(diag(hadamard(*fixed)), inner)


def _spread(expr, leaf):
    inner = matrix_in_front(operands(expr)[0], leaf)
    return None if inner is None else matmul(ones(expr.shape[0], S.One), inner)


def _of_total(expr, leaf):
    inner = matrix_in_front(operands(expr)[0], leaf)
    return None if inner is None else matmul(ones(S.One, operands(expr)[0].shape[0]), inner)


def _of_concat(expr, leaf):
    fronts = [matrix_in_front(part, leaf) for part in operands(expr)]
    return None if None in fronts else Concat(*fronts)


_READERS = {
    MatAdd: _of_sum,
    MatMul: _of_product,
    HadamardProduct: _of_hadamard,
    Broadcast: _spread,
    Total: _of_total,
    Concat: _of_concat,
    Transpose: lambda expr, leaf: None,
}
