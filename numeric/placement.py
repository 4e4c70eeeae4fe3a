"""Operations of a step put together: results in place, places used again, neighbours in one call, no idle copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy.matrices.expressions import (
    MatrixExpr,
)

from numeric.operations import Bias, Gates, InRows, Made, Op, Value, shape_of


def in_place(
    ops: list[Op],
    scratch: Callable[[Value], bool],
    wanted: Callable[[Op], bool] = lambda op: True,
) -> list[Op]:
    """The same operations, an intermediate result written where what is made of it will lie.

    Law: r = f(a); x = g(r, b) gives x the value of x = f(a); x = g(x, b), if nothing else reads r, and nothing
    from the first operation on needs what x held before.

    Args:
        ops: the operations of a step.
        scratch: whether a value is an intermediate result that only these operations see.
        wanted: whether what an operation reads should lie where it puts its own result.
    """
    out = list(ops)
    for k in range(len(out) - 1, -1, -1):
        r = out[k].target
        readers = [j for j in range(len(out)) if r in out[j].args]
        writers = [j for j in range(len(out)) if out[j].target == r]
        if scratch(r) and len(readers) == 1 and writers == [k] and readers[0] > k:
            j = readers[0]
            if wanted(out[j]) and _may_lie_there(out, k, j):
                x = out[j].target
                out[k] = replace(out[k], target=x)
                if out[j].function == "copy":
                    out[k] = replace(out[k], numbers=(*out[k].numbers, *out[j].numbers))
                out[j] = replace(out[j], args=tuple(x if v == r else v for v in out[j].args))
    return [op for op in out if op.function != "copy" or op.args != (op.target,)]


def _may_lie_there(ops: list[Op], k: int, j: int) -> bool:
    """Whether the result of operation k may lie where operation j, the only one to read it, puts its own."""
    made, used = ops[k], ops[j]
    r, x = made.target, used.target
    whole = {"formula", "dot"}
    if used.function in whole or made.function == "formula" or shape_of(r) != shape_of(x):
        return False
    if any(overlap(v, x) for v in used.args):
        return False
    entrywise = made.function not in whole
    if any(overlap(v, x) and not (entrywise and v == x) for v in made.args):
        return False
    return not any(overlap(v, x) for op in ops[k + 1 : j] for v in (*op.args, op.target))


def uncopied(ops: list[Op]) -> list[Op]:
    """The same operations, a copy left out whose only reader puts its own result in its place.

    Law: x = a; x = g(x, b) gives x the value of x = g(a, b), if nothing between them touches x or changes a.
    """
    out = list(ops)
    for k in range(len(out) - 1, -1, -1):
        x = out[k].target
        touching = [j for j in range(k + 1, len(out)) if _touches(out[j], x)]
        if out[k].function != "copy" or not touching:
            continue
        (a,), j = out[k].args, touching[0]
        used = out[j]
        entrywise = used.function not in {"formula", "dot"} and used.target == x and x in used.args
        if entrywise and not any(overlap(a, op.target) for op in out[k:j]):
            args = tuple(a if v == x else v for v in used.args)
            out[j] = replace(used, args=args, numbers=(*out[k].numbers, *used.numbers))
            del out[k]
    return out


def _touches(op: Op, x: Value) -> bool:
    return any(overlap(v, x) for v in (*op.args, op.target))


def shared(ops: list[Op], scratch: Callable[[Value], bool]) -> list[Op]:
    """The same operations, an intermediate result in the place of one that is no longer needed.

    Law: names of intermediate results do not matter as long as no two that are needed at once are alike.
    """
    last = {v: k for k, op in enumerate(ops) for v in (*op.args, op.target)}
    free: dict[object, list[Value]] = {}
    now: dict[Value, Value] = {}
    out: list[Op] = []
    for k, op in enumerate(ops):
        args = tuple(now.get(v, v) for v in op.args)
        target = op.target
        if scratch(target) and target not in now:
            pool = free.get(shape_of(target), [])
            now[target] = pool.pop() if pool else target
        out.append(replace(op, args=args, target=now.get(target, target)))
        for v in dict.fromkeys((*op.args, op.target)):
            if v in now and last[v] == k:
                free.setdefault(shape_of(v), []).append(now[v])
    return out


def joined(ops: list[Op]) -> list[Op]:
    """The same operations, those on neighbouring members of a stack as one.

    Law: f(a), f(b) = f([a; b]). An operation moves to an earlier one only past those that neither write what
    it reads or writes nor read what it writes.
    """
    out = list(ops)
    k = 0
    while k < len(out):
        found = next(((j, op) for j in range(k + 1, len(out)) if (op := _join(out, k, j))), None)
        if found is None:
            k += 1
            continue
        out[k] = found[1]
        del out[found[0]]
    return out


def _join(ops: list[Op], k: int, j: int) -> Op | None:
    """Operation j carried out together with operation k, if that is possible."""
    a, b = ops[k], ops[j]
    if a.function != b.function or not isinstance(a.target, Gates) or a.function == "formula":
        return None
    parts = [_beside(x, y) for x, y in zip((a.target, *a.args), (b.target, *b.args), strict=True)]
    if None in parts or any(_clash(ops[i], b) for i in range(k, j)):
        return None
    target, *args = parts
    return Op(a.function, target, tuple(args), (*a.numbers, *b.numbers))


def _beside(x: Value, y: Value) -> Value | None:
    """Two operands as one: neighbours in a stack, or the same number."""
    if isinstance(x, Gates) and isinstance(y, Gates) and x.stack == y.stack:
        if x.stop == y.first:
            return Gates(x.stack, x.first, y.stop)
        return Gates(x.stack, y.first, x.stop) if y.stop == x.first else None
    return x if not isinstance(x, MatrixExpr | Gates | Made | Bias | InRows) and x == y else None


def _clash(op: Op, moved: Op) -> bool:
    """Whether the order of two operations matters."""
    return any(overlap(op.target, v) for v in (moved.target, *moved.args)) or any(
        overlap(v, moved.target) for v in op.args
    )


def overlap(x: Value, y: Value) -> bool:
    """Whether two operands share memory."""
    if isinstance(x, Gates) and isinstance(y, Gates):
        return x.stack == y.stack and x.first < y.stop and y.first < x.stop
    return isinstance(x, MatrixExpr | Made | Bias | InRows) and x == y
