"""The Jacobian of a step, block by block in closed form, from the tangent equations.

For column states u, v the block ∂u_t/∂v_{t−d} is a matrix; each tangent equation is linear in the tangents on
its right, and reading off the matrix in front of each of them is all that happens here. The joint state of
a cell is all of its states together, with as many past values as it remembers.
"""

from __future__ import annotations

from dataclasses import dataclass

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

from derive.backward import positive_first
from derive.cell import Cell
from derive.expressions import (
    Block,
    Broadcast,
    Concat,
    Diag,
    Tangent,
    Timed,
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
from derive.normal import Assignment
from derive.tangents import tangent_equations


@dataclass(frozen=True, slots=True)
class JacobianBlock:
    """``∂target_t/∂source_{t−d} = value``.

    Args:
        block: the left-hand side.
        value: closed form over the step's quantities and blocks of earlier states; ``None`` if a state is a
            matrix, for which the tangent equation itself is the closed form.
        owner: the state whose row of the Jacobian this is.
    """

    block: Block
    value: MatrixExpr | None
    owner: str


def jacobian(cell: Cell, assignments: tuple[Assignment, ...]) -> tuple[JacobianBlock, ...]:
    """All blocks of the joint state's Jacobian that are not zero, in order of evaluation."""
    tangents = {a.target.of.name: a.expr for a in tangent_equations(assignments)}
    sources = [q.symbol.at(d) for q in cell.states for d in range(1, q.depth + 1)]
    states = {q.name for q in cell.states}
    order = [a.target for a in assignments]
    fronts = {u.name: _fronts(tangents[u.name], u) for u in order}
    found: list[JacobianBlock] = []
    for source in sources:
        rows = _rows_for(source, order, fronts, states)
        found += [JacobianBlock(Block(u, source), value, u.name) for u, value in rows]
    position = {a.name: i for i, a in enumerate(assignments)}
    return tuple(sorted(found, key=lambda b: position[b.owner]))


def _rows_for(source, order, fronts, states):
    """∂u/∂source for every state u, eliminating the intermediates from first to last."""
    known: dict[str, MatrixExpr | None] = {}
    for u in order:
        value = _total_block(fronts[u.name], u, source, known)
        closed = value is None or not isinstance(value, ZeroMatrix)
        if u.name in states and closed:
            yield u, value
            known[u.name] = Block(u, source) if value is not None else None
        else:
            known[u.name] = value


def _fronts(tangent, u) -> list[tuple[Tangent, MatrixExpr | None]]:
    """The tangents ẇ on the right, each with the matrix in front of it; it is the same for every source."""
    found = dict.fromkeys(v for v in leaves(tangent) if isinstance(v, Tangent))
    return [
        (w, matrix_in_front(tangent, w) if is_column(u) and is_column(w) else None)
        for w in found
        if isinstance(w.of, Timed)
    ]


def _total_block(fronts, u, source, known) -> MatrixExpr | None:
    """Σ over the tangents w on the right of (matrix in front of ẇ) · ∂w/∂source."""
    parts: list[MatrixExpr] = [ZeroMatrix(u.shape[0], source.shape[0])]
    for w, front in fronts:
        inner = (
            Identity(source.shape[0])
            if w.of == source
            else known.get(w.name)
            if w.lag == 0
            else False
        )
        if inner is False or isinstance(inner, ZeroMatrix) or (w.lag == 0 and w.name not in known):
            continue
        if inner is None or front is None or not is_column(source):
            return None
        parts.append(chain(front, inner))
    return sum_of_blocks(parts)


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
    """A + B + …, with what stands in front of one block collected, and diagonal terms merged.

    A ∂u + B ∂u = (A + B) ∂u, and diag(a) + diag(b) = diag(a + b).
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
    return add(zeros_like(blocks[0]), *merged)


def _merged(parts: list[MatrixExpr]) -> MatrixExpr:
    """The sum of matrices, the diagonal ones in one."""
    split = [split_coefficient(part) for part in parts]
    diagonal = [scale(c, operands(core)[0]) for c, core in split if isinstance(core, Diag)]
    if len(diagonal) < 2:
        return add(*parts)
    others = [scale(c, core) for c, core in split if not isinstance(core, Diag)]
    return add(diag(add(*positive_first(diagonal))), *others)


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
