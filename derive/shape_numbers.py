"""Which quantities are numbers because all that they are made of is, as what keeps gates in range that are numbers.

A quantity of one number meets any shape, so that nothing forces ``m[t] = a[t] + relu(f[t] + m[t-1] - a[t])`` to be a
number where a and f are. But nothing makes it anything else, and an author who declares the gates means it so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from derive.syntax import (
    REDUCTIONS,
    Applied,
    EquationText,
    Literal,
    Node,
    Power,
    Product,
    Ref,
    Sum,
    Transposed,
    children,
    references,
)


def made_of_numbers(
    equations: Sequence[EquationText],
    open_names: Mapping[str, bool],
    is_number: Callable[[Node], bool],
) -> list[str]:
    """The names that are numbers if what is known to be a number is all that they are made of.

    Law: the largest set of names whose equations hold, entry by entry, nothing but numbers and each other; and of each,
    what it is made of leads to a quantity that the equations compute and that is known to be a number, not to constants
    or given factors alone: those meet a vector as well.

    Args:
        equations: in order of evaluation.
        open_names: the names whose shape is not known, each with whether it may be a number.
        is_number: whether a part of an expression is known to be one number.
    """
    computed = {e.target: e for e in equations}
    chosen = {name for name in computed if open_names.get(name)}

    def numeric(node: Node) -> bool:
        if is_number(node) or isinstance(node, Literal):
            return True
        if isinstance(node, Applied) and node.function in REDUCTIONS:
            return True
        if isinstance(node, Ref):
            return node.name in chosen
        entrywise = isinstance(node, Sum | Product | Power | Transposed | Applied)
        return entrywise and all(map(numeric, children(node)))

    while wrong := {name for name in chosen if not numeric(computed[name].value)}:
        chosen -= wrong
    return [name for name in computed if name in chosen & _led(computed, chosen, is_number)]


def _led(
    computed: Mapping[str, EquationText], chosen: set[str], is_number: Callable[[Node], bool]
) -> set[str]:
    """Those that lead to a computed number that is known, through others of them."""
    led: set[str] = set()

    def leads(name: str) -> bool:
        refs = references(computed[name].value)
        return any(r.name in led or (r.name in computed and is_number(r)) for r in refs)

    while new := {name for name in chosen - led if leads(name)}:
        led |= new
    return led
