"""One loop over the entries of a row: every value is read once and written once; what lies between is an expression.

    r = f ∘ c;  q = i ∘ g;  c' = r + q        becomes        c'[j] = f[j] * c[j] + i[j] * g[j]

Law: entry j of every operand is all that entry j of a result depends on, so the operations of a loop may be carried
out one entry after the other, and an intermediate result may be a number. All rows are read before any is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sympy.matrices.expressions import MatrixExpr

from numeric.operations import Bias, Gates, Made, Op, Value, shape_of

SIGNS = {"add": ("+", 1), "subtract": ("-", 1), "multiply": ("*", 2), "divide": ("/", 2)}
ATOM = 4


@dataclass(frozen=True, slots=True)
class Words:
    """How a loop says what it works on.

    Args:
        row: the name of the row that a value lies in.
        scalar: the name of the k-th number that a value is in this loop.
        constant: the name of a number; whether it is an exponent.
        call: the name of a function of one number.
        index: of the entry.
    """

    row: Callable[[Value], str]
    scalar: Callable[[Value, int], str]
    constant: Callable[[object, bool], str]
    call: Callable[[str], str]
    index: str


@dataclass(slots=True)
class _Version:
    """What a value is between two writes: read from its row, or made by an operation."""

    value: Value
    op: Op | None = None
    args: list[_Version | str] = field(default_factory=list)
    uses: int = 0
    text: str = ""
    rank: int = ATOM
    numbers: tuple[int, ...] = ()
    read: frozenset[Value] = frozenset()


def entry_lines(ops: list[Op], kept: Callable[[Value], bool], words: Words) -> list[str]:
    """The lines of the loop's body.

    Args:
        ops: operations on columns of one length, in order.
        kept: whether a value is needed after the loop.
        words: how the loop says what it works on.
    """
    made, last = _versions(ops, words)
    written = {value for value, v in last.items() if v.op is not None and kept(value)}
    counts: dict[Value, int] = {}
    lines: list[str] = []
    stores: list[str] = []
    for v in made:
        stored = v.value in written and last[v.value] is v
        _expression(v, words)
        if v.uses + stored == 0:
            continue
        alone = v.uses == 0 and not v.read & written
        if v.uses == 1 and not stored:
            continue
        if not alone:
            k = counts[v.value] = counts.get(v.value, -1) + 1
            name = words.scalar(v.value, k)
            lines.append(f"{name} = {v.text}{_note(v.numbers)}")
            v.text, v.rank, v.numbers, v.read = name, ATOM, (), frozenset()
        if stored:
            stores.append(f"{_place(v.value, words)} = {v.text}{_note(v.numbers)}")
    return [*lines, *stores]


def _versions(ops: list[Op], words: Words) -> tuple[list[_Version], dict[Value, _Version]]:
    """What is read and made, in order, and the last of each value."""
    made: list[_Version] = []
    last: dict[Value, _Version] = {}
    for op in ops:
        args: list[_Version | str] = []
        for a in op.args:
            if not isinstance(a, MatrixExpr | Gates | Made | Bias):
                args.append(words.constant(a, op.function == "power"))
                continue
            if a not in last:
                last[a] = _Version(a)
                made.append(last[a])
            last[a].uses += 1
            args.append(last[a])
        last[op.target] = _Version(op.target, op, args)
        made.append(last[op.target])
    return made, last


def _expression(v: _Version, words: Words) -> None:
    """The code of a version, from that of what it is made of."""
    if v.op is None:
        v.text, v.read = _place(v.value, words), frozenset({v.value})
        return
    parts = [a for a in v.args if isinstance(a, _Version)]
    v.numbers = (*(n for a in parts for n in a.numbers), *v.op.numbers)
    v.read = frozenset().union(*(a.read for a in parts))
    if v.op.function == "copy":
        v.text, v.rank = _operand(v.args[0], 0)
        return
    if v.op.function == "power":
        base, exponent = v.args
        v.text, v.rank = f"{_operand(base, ATOM)[0]} ** {exponent}", 3
        return
    if v.op.function not in SIGNS:
        v.text = f"{words.call(v.op.function)}({_operand(v.args[0], 0)[0]})"
        return
    sign, v.rank = SIGNS[v.op.function]
    left, right = v.args
    v.text = f"{_operand(left, v.rank)[0]} {sign} {_operand(right, v.rank + 1)[0]}"


def _operand(a: _Version | str, rank: int) -> tuple[str, int]:
    """An operand as code, in brackets where it binds less than it must."""
    if isinstance(a, str):
        return a, ATOM
    return (a.text, a.rank) if a.rank >= rank else (f"({a.text})", ATOM)


def _place(value: Value, words: Words) -> str:
    """The entry of a value's row."""
    same = shape_of(value)[0] == 1 and not isinstance(value, Made | Bias)
    return f"{words.row(value)}[{'0' if same else words.index}]"


def _note(numbers: tuple[int, ...]) -> str:
    return f"  # {', '.join(f'({k})' for k in dict.fromkeys(numbers))}" if numbers else ""
