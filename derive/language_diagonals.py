"""Where ``diag(a)`` may stand in a text: as a factor of a matrix product, beside one that it scales."""

from __future__ import annotations

from derive.errors import LanguageError
from derive.syntax import Applied, Chain, Node, children


def is_diagonal(node: Node) -> bool:
    """Whether a part of a text reads ``diag(…)``."""
    return isinstance(node, Applied) and node.function == "diag"


def check_diagonals(value: Node) -> None:
    """Refuse a ``diag(a)`` that scales nothing.

    Raises:
        LanguageError: it is no factor of a matrix product, or all factors are diagonals.
    """
    stack: list[tuple[Node, bool]] = [(value, False)]
    while stack:
        node, scales = stack.pop()
        if is_diagonal(node) and not scales:
            raise LanguageError(
                "diag(a) scales the rows or columns of what it multiplies, and here it multiplies nothing.",
                "Write it beside a factor that is none, diag(a) @ B or B @ diag(a), with numbers within, "
                "diag(c * a); multiply brackets out, as in S @ diag(a) - (S @ k) @ k.T; the product of diag(a) "
                "and diag(b) is diag(a * b).",
                place=node.span.place,
            )
        parts = children(node)
        within = isinstance(node, Chain) and not all(is_diagonal(part) for part in parts)
        stack += [(part, within) for part in parts]
