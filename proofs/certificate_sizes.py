"""Sizes and numbers of a certificate: how many rows a matrix has, and how they are stacked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sympy import Add, Integer, Mul, Pow, Rational, Symbol

from derive.expressions import Concat, operands, walk
from proofs.certificate_errors import unsupported
from proofs.certificate_names import Names

Parts = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes and numbers in Rocq.

    Args:
        names: the Rocq name of every free dimension.
        stacks: the parts, in order, of every size that is stacked up of several.
        restacked: every other way in which a size is stacked up, with the name of the lemma that
            it is the same size: in Rocq n + m and m + n are two types of matrices.
    """

    names: dict[Any, str]
    stacks: dict[Any, Parts]
    restacked: dict[tuple[Any, Parts], str]

    @classmethod
    def of(cls, dims: Iterable[Any], exprs: Iterable[Any], names: Names) -> Sizes:
        """The sizes of a cell."""
        found = cls({d: names.fresh(str(d)) for d in sorted(dims, key=str)}, {}, {})
        for node in (v for expr in exprs for v in walk(expr) if isinstance(v, Concat)):
            size, parts = stacked(node)
            if (
                found.stacks.setdefault(size, parts) != parts
                and (size, parts) not in found.restacked
            ):
                found.restacked[size, parts] = names.derived(
                    "same_size_{}", str(len(found.restacked) + 1)
                )
        return found

    def size(self, size: Any) -> str:
        """A number of rows or columns."""
        if size in self.stacks:
            return self.stack(self.stacks[size])
        if size in self.names:
            return self.names[size]
        if isinstance(size, Integer) and size >= 0:
            return str(int(size))
        if isinstance(size, Add | Mul):
            sign = " + " if isinstance(size, Add) else " * "
            return f"({sign.join(self.size(p) for p in size.args)})"
        raise unsupported(f"the size {size}")

    def stack(self, parts: Parts) -> str:
        """A size that is stacked up of these."""
        sizes = [self.size(p) for p in parts]
        return reduce(lambda low, top: f"({top} + {low})", reversed(sizes))

    def ways(self, size: Any) -> Iterator[tuple[Parts, str]]:
        """How a size is stacked up, each way with its lemma; the first way, which is its type, has none."""
        if size in self.stacks:
            yield self.stacks[size], ""
        yield from ((parts, name) for (of, parts), name in self.restacked.items() if of == size)

    def matrix(self, shape: tuple[Any, Any]) -> str:
        """The type of matrices of this shape."""
        return f"'M[R]_({self.size(shape[0])}, {self.size(shape[1])})"

    def number(self, c: Any) -> str:
        """A number, possibly made of dimensions, as 1/n."""
        if isinstance(c, Rational):
            if c < 0:
                return f"(- {self.number(-c)})"
            if max(c.p, c.q) > LARGEST:
                raise unsupported(
                    f"the number {c}, with more than {LARGEST:,} above or below its line"
                )
            return _whole(c.p) if c.q == 1 else f"({_whole(c.p)} / {_whole(c.q)})"
        if isinstance(c, Symbol):
            return f"{self.names[c]}%:R"
        if isinstance(c, Pow) and c.exp.is_Integer:
            base = self.number(c.base) if c.exp > 0 else f"(inverse R {self.size(c.base)})"
            return base if abs(c.exp) == 1 else f"({base} ^+ {abs(c.exp)})"
        if isinstance(c, Mul | Add):
            sign = " * " if isinstance(c, Mul) else " + "
            return f"({sign.join(self.number(p) for p in c.args)})"
        raise unsupported(f"the number {c}")


LARGEST = 10**6
"""Rocq's ring tactic counts numbers up; it needs seconds for a million, and no end for a thousand times as many."""


def stacked(e: Any) -> tuple[Any, Parts]:
    """The size of a stack, and the sizes of its parts."""
    return e.shape[0], tuple(part.shape[0] for part in operands(e))


def _whole(number: int) -> str:
    """A whole number; large ones in base 1000, as Rocq counts each up from 0."""
    rest, digits = divmod(int(number), 1000)
    if not rest:
        return f"{digits}%:R"
    more = f" + {digits}%:R" if digits else ""
    return f"({_whole(rest)} * 1000%:R{more})"
