"""Adjoint rules: verified once from index notation, for all sizes, and then applied.

It needs Python's standard library and the checker's own two files only. A rule is data:

    shapes  variables and their shapes, such as A: p × q; Y is the adjoint of the node, y its value, c a number
    node    ["@", A, B], what it is a rule for
    parts   [[["@", Y, ["T", B]], "A"], …], the contribution to each operand
    chain   the sums over indices that lead from ⟨Y, direction of the node⟩ to Σ ⟨contribution, direction⟩:
            sum   ::= ["Σ", [[letter, size], …], sum] | ["+", sum, …] | ["·", sum, …]
                    | ["inner", expression, expression] | ["at", expression, index, index]
            index ::= letter | [offset, letter] | null
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from proofs.checker_matrices import NOWHERE, Expr, Matrices, RefusedError, demand, is_expression
from proofs.checker_sums import Index, Size, Sum, plus, size, summed, times

NARY = ("+", "∘", "@", "concat")


def variable(name: str) -> Expr:
    """A variable of a rule."""
    return ["value", name, None]


def written(m: Matrices, e: Expr, at: dict[str, Index]) -> Sum:
    """A sum over indices; ``at`` holds the letters in scope."""

    def index(i: Any) -> Index:
        if i is None:
            return NOWHERE
        if is_expression(i):
            offset, letter = index(i[1])
            return plus(offset, size(i[0])), letter
        return at[i]

    match e:
        case ["inner", a, b]:
            return m.inner(a, b)
        case ["Σ", ranges, body]:
            new = {k: m.index(size(d)) for k, d in ranges}
            return summed(written(m, body, at | new), *new.values())
        case ["+", *parts]:
            return [t for part in parts for t in written(m, part, at)]
        case ["·", *parts]:
            return times(*(written(m, part, at) for part in parts))
        case ["at", a, i, j]:
            return m.matrix(a).entry(index(i), index(j))
        case _:
            raise RefusedError(f"not a sum over indices: {e[:1]}")


class Rule:
    """One adjoint rule, as a proof gives it."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.shapes, self.node, self.parts = data["shapes"], data["node"], data["parts"]
        self.chain, self.name = data["chain"], data["rule"]

    def proved(self) -> Rule:
        """The rule, every link of its chain verified."""
        m = Matrices(self.shapes, {"c"})
        moving = m.direction(self.node, variable("y"))
        pairs = [m.inner(part, ["dot", a, None]) for part, a in self.parts]
        links = [m.inner(variable("Y"), moving)]
        links += [written(m, e, {}) for e in self.chain]
        links += [[term for p in pairs for term in p]]
        for n, (a, b) in enumerate(pairwise(links), 1):
            demand(m.form(a) == m.form(b), f"{self.name}: link {n} does not hold")
        return self

    def applied(self, m: Matrices, bar: Expr, node: Expr, y: Expr) -> list[tuple[Expr, Expr]]:
        """(contribution, operand) for every operand of a node with adjoint ``bar`` and value ``y``."""
        if node[0] in NARY and len(node) > 3:
            node = [node[0], node[1], [node[0], *node[2:]]]
        demand(node[0] == self.node[0], f"{self.name} is no rule for {node[0]}")
        bound: dict[str, Any] = {"Y": bar, "y": y}
        for p, a in zip(self.node[1:], node[1:], strict=True):
            if not isinstance(p, dict):
                name = str(p[1] if is_expression(p) else p)
                free = name not in bound and p in ("φ", variable(name))
                demand(free, f"{self.name} is no rule for any {node[0]}")
                bound[name] = a
        sizes = self.sizes(m, bound)

        def put(e: Any) -> Any:
            if is_expression(e):
                return bound[e[1]] if e[0] == "value" else [e[0], *map(put, e[1:])]
            return bound.get(e, e) if isinstance(e, str) else dict(extent(e, sizes))

        return [(put(part), bound[a]) for part, a in self.parts]

    def sizes(self, m: Matrices, bound: dict[str, Expr]) -> dict[str, Size]:
        """The rule's sizes, from the shapes of what its variables stand for."""
        sizes: dict[str, Size] = {}
        shapes = {v: m.matrix(bound[v]) for v in self.shapes}
        pairs = [
            (d, actual)
            for v, (rows, cols) in self.shapes.items()
            for d, actual in ((rows, shapes[v].rows), (cols, shapes[v].cols))
        ]
        for d, actual in pairs:
            if [*d.values()] == [1] and "" not in d:
                sizes.setdefault(next(iter(d)), actual)
        fits = all(extent(d, sizes) == actual for d, actual in pairs)
        demand(fits, f"the shapes do not fit the rule of {self.name}")
        return sizes


def extent(d: dict[str, int], sizes: dict[str, Size]) -> Size:
    """A rule's size, such as p + r, with what its letters stand for."""
    out: Size = ()
    for k, v in d.items():
        for _ in range(v):
            out = plus(out, sizes[k] if k else size({"": 1}))
    return out
