"""Expressions as trees of a certificate's operations, and what those trees say in Rocq."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sympy import S
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.expressions import (
    LEAVES,
    Broadcast,
    Concat,
    Elementwise,
    LogSumExp,
    Rows,
    Softmax,
    Total,
    operands,
    scale,
    split_coefficient,
)
from proofs.certificate_errors import unsupported
from proofs.certificate_operations import FUNCTIONS, OPERATIONS
from proofs.certificate_sizes import Sizes, stacked


@dataclass(frozen=True, slots=True)
class Tree:
    """An operation applied to trees.

    Args:
        operation: a key of ``OPERATIONS``, or ``leaf``.
        parts: the operands.
        data: what the operation's form calls k, r and c; for a leaf, the leaf.
    """

    operation: str
    parts: tuple[Tree, ...] = ()
    data: tuple[Any, ...] = ()

    @property
    def words(self) -> dict[str, Any]:
        """The numbers and sizes of the operation, as its forms call them."""
        keys = ("r", "c") if self.operation == "spread" else ("k",)
        return dict(zip(keys, self.data, strict=False))


def tree(e: Any, sizes: Sizes) -> Tree:
    """The tree of an expression: every operation with one or two operands.

    Raises:
        CertificateError: certificates have no theorem for one of its nodes.
    """
    c, core = split_coefficient(e)
    if c != 1:
        inner = tree(core, sizes)
        return Tree("minus", (inner,)) if c == -1 else Tree("scale", (inner,), (sizes.number(c),))
    if isinstance(e, OneMatrix | ZeroMatrix | Identity):
        kind = {OneMatrix: "ones", ZeroMatrix: "zeros", Identity: "identity"}[type(e)]
        shape: Any = e.shape
        return Tree(kind, (), (sizes.matrix(shape),))
    if isinstance(e, LEAVES):
        return Tree("leaf", (), (e,))
    if type(e) not in _NODES:
        raise unsupported(f"it would need {type(e).__name__}")
    return _NODES[type(e)](e, [tree(part, sizes) for part in operands(e)], sizes)


def _sum(e: Any, parts: list[Tree], sizes: Sizes) -> Tree:
    """From left to right, a term with a minus sign as a difference."""
    whole = parts[0]
    for term, part in zip(e.args[1:], parts[1:], strict=True):
        c, core = split_coefficient(term)
        if c.could_extract_minus_sign():
            whole = Tree("difference", (whole, tree(scale(-c, core), sizes)))
        else:
            whole = Tree("sum", (whole, part))
    return whole


def _leftwards(operation: str) -> Callable[[Any, list[Tree], Sizes], Tree]:
    return lambda e, parts, sizes: reduce(lambda a, b: Tree(operation, (a, b)), parts)


def _power(e: Any, parts: list[Tree], sizes: Sizes) -> Tree:
    k = int(e.args[1])
    return Tree("power" if k > 0 else "negative power", tuple(parts), (abs(k),))


def _function(e: Any, parts: list[Tree], sizes: Sizes) -> Tree:
    if e.function not in FUNCTIONS:
        raise unsupported(f"the function {e.function}")
    return Tree(e.function, tuple(parts))


def _of_column(operation: str) -> Callable[[Any, list[Tree], Sizes], Tree]:
    def node(e: Any, parts: list[Tree], sizes: Sizes) -> Tree:
        if operands(e)[0].shape[1] != 1:
            raise unsupported(f"{operation} of what is no column")
        return Tree(operation, tuple(parts))

    return node


def _stack(e: Any, parts: list[Tree], sizes: Sizes) -> Tree:
    """From the last part upwards; another order than the type's is written as the type's."""
    whole = reduce(lambda low, top: Tree("stack", (top, low)), reversed(parts))
    lemma = sizes.restacked.get(stacked(e))
    return Tree("restack", (whole,), (lemma,)) if lemma else whole


def _rows(e: Any, parts: list[Tree], sizes: Sizes) -> Tree:
    """One part of a stack: from the upper and lower halves of halves."""
    for blocks, lemma in sizes.ways(operands(e)[0].shape[0]):
        whole = Tree("restack", (parts[0],), (f"(esym {lemma})",)) if lemma else parts[0]
        at: Any = S.Zero
        for i, rows in enumerate(blocks):
            if (at - e.start).expand() == 0 and (at + rows - e.stop).expand() == 0:
                whole = reduce(lambda v, _: Tree("lower rows", (v,)), range(i), whole)
                return whole if i == len(blocks) - 1 else Tree("upper rows", (whole,))
            at = at + rows
    raise unsupported(f"rows {e.start} to {e.stop} are not a part of a stack")


_NODES: dict[type, Callable[[Any, list[Tree], Sizes], Tree]] = {
    MatAdd: _sum,
    MatMul: _leftwards("product"),
    HadamardProduct: _leftwards("elementwise"),
    HadamardPower: _power,
    Transpose: lambda e, parts, sizes: Tree("transpose", tuple(parts)),
    Elementwise: _function,
    Softmax: _of_column("softmax"),
    LogSumExp: _of_column("log-sum-exp"),
    Concat: _stack,
    Broadcast: lambda e, parts, sizes: Tree(
        "spread", tuple(parts), (sizes.size(e.shape[0]), sizes.size(e.shape[1]))
    ),
    Total: lambda e, parts, sizes: Tree("total", tuple(parts)),
    Rows: _rows,
}

Leaf = Callable[[Any], str]


def value(t: Tree, leaf: Leaf) -> str:
    """What the tree is, given what its leaves are."""
    if t.operation == "leaf":
        return leaf(t.data[0])
    parts = dict(zip("ab", (value(p, leaf) for p in t.parts), strict=False))
    return OPERATIONS[t.operation].value.format(**t.words, **parts)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the step: how its tree is differentiated.

    Args:
        tree: the right-hand side.
        name: the value of the line, as a term.
        leaf: the value of a leaf, as a term.
        moves: whether a leaf has a tangent.
    """

    tree: Tree
    name: str
    leaf: Leaf
    moves: Callable[[Any], bool]

    def words(self, t: Tree) -> dict[str, Any]:
        """What all forms may mention at this node."""
        own = self.name if t is self.tree else value(t, self.leaf)
        parts = dict(zip("ab", (value(p, self.leaf) for p in t.parts), strict=False))
        return {**t.words, **parts, "y": own}

    def tangent(self, dot: Leaf, t: Tree | None = None) -> str:
        """The tangent, operation by operation."""
        t = t or self.tree
        if t.operation == "leaf":
            return f"({dot(t.data[0])})" if self.moves(t.data[0]) else "T_zero"
        parts = [self.tangent(dot, p) for p in t.parts]
        dots = dict(zip(("da", "db"), parts, strict=False))
        return self.form(t, OPERATIONS[t.operation].tangent).format(**self.words(t), **dots)

    def curve(self, proof: Leaf, ok: Callable[[str, str], str], t: Tree | None = None) -> str:
        """The proof that the tangent is the derivative.

        Args:
            proof: for every leaf.
            ok: from a condition and an argument to the proof that the argument satisfies it.
            t: a part of the line; all of it if left out.
        """
        t = t or self.tree
        if t.operation == "leaf":
            return proof(t.data[0])
        words, rule = self.words(t), OPERATIONS[t.operation]
        inner = dict(zip("AB", [self.curve(proof, ok, p) for p in t.parts], strict=False))
        where = {"ok": ok(rule.where, words["a"])} if rule.where else {}
        return self.form(t, rule.curve).format(**words, **inner, **where)

    def pulled(self, G: str, t: Tree | None = None) -> Iterator[tuple[Any, str]]:
        """What every occurrence of a leaf receives when the line's adjoint is G."""
        t = t or self.tree
        if t.operation == "leaf":
            if self.moves(t.data[0]):
                yield t.data[0], G
            return
        words = self.words(t)
        for part, form in zip(t.parts, OPERATIONS[t.operation].pulled, strict=True):
            yield from self.pulled(form.format(**words, G=G), part)

    def form(self, t: Tree, form: str) -> str:
        """A form that must be there."""
        if not form:
            raise unsupported(f"{t.operation} in an equation")
        return form
