"""Equations without a time index, as ``r = exp(-exp(nu))``: values of parameters alone, one for all steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from derive.errors import LanguageError
from derive.language_lines import Token
from derive.losses import mapped
from derive.syntax import EquationText, Node, Ref


def stands_still(name: str, value: Sequence[Token]) -> bool:
    """Whether a right side may define a name without an index: it uses names, none of them with one, and not this.

    A name such as ``h_t`` is meant to have one.
    """
    if name.endswith("_t"):
        return False
    names = {token.text for token in value if token.kind == "name"}
    return bool(names) and name not in names and all(token.text != "[" for token in value)


def with_steps(equations: Sequence[EquationText]) -> list[EquationText]:
    """The equations, with the index t at every name that one without an index defines.

    Law: what no step changes has the same value at every step, so ``r[t]`` says the same as ``r``.

    Raises:
        LanguageError: such a name is used with an index.
    """
    still = {e.target for e in equations if e.still}

    def indexed(node: Node) -> Node:
        if not isinstance(node, Ref) or node.name not in still:
            return node
        if node.lag is not None:
            raise LanguageError(
                f"{node.name} is the same at every step: its equation has no time index.",
                f"Write {node.name}, or give its equation an index, {node.name}[t] = ….",
                place=node.span.place,
            )
        return replace(node, lag=0)

    return (
        [replace(e, value=mapped(e.value, indexed)) for e in equations] if still else [*equations]
    )
