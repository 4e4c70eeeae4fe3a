"""One mistake at one node of a syntax tree: every way in which a line of array code goes wrong.

An operator takes a node and yields (kind, replacement) pairs; the replacement is a node. None of them knows what the
code computes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

Operator = Callable[[ast.expr], Iterator[tuple[str, ast.expr]]]


def parsed(text: str) -> ast.expr:
    """An expression's tree."""
    return ast.parse(text, mode="eval").body


def called(node: ast.AST) -> str:
    """The last name of what a call calls: ``sum`` for ``np.sum(…)``; empty for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def transposed(node: ast.expr) -> ast.expr:
    """Xᵀ, and X for Xᵀ."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def binary(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Signs, operands lost, operands in the wrong order, transposes lost or too many."""
    if not isinstance(node, ast.BinOp):
        return
    left, right = node.left, node.right
    if isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "sign", ast.BinOp(left, other, right)
        yield "dropped term", left
        if isinstance(node.op, ast.Add):
            yield "dropped term", right
    elif isinstance(node.op, ast.Mult):
        yield "dropped factor", left
        yield "dropped factor", right
    elif isinstance(node.op, ast.MatMult):
        yield "order", ast.BinOp(right, ast.MatMult(), left)
        yield "transpose", ast.BinOp(transposed(left), ast.MatMult(), right)
        yield "transpose", ast.BinOp(left, ast.MatMult(), transposed(right))
    elif isinstance(node.op, ast.Div):
        yield "dropped factor", left
        yield "order", ast.BinOp(right, ast.Div(), left)
    elif isinstance(node.op, ast.Pow):
        yield "wrong power", left
        yield (
            "wrong power",
            ast.BinOp(left, ast.Pow(), ast.BinOp(right, ast.Add(), ast.Constant(1))),
        )


def unary(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """A minus sign lost; a number doubled or negated."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value:
        yield "factor", ast.Constant(2.0 * node.value)
        yield "sign", ast.UnaryOp(ast.USub(), node)


def transposes(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """``.T`` and ``.swapaxes(…)`` lost; ``.copy()`` lost."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", node.value
    elif called(node) == "swapaxes":
        yield "transpose", node.func.value  # type: ignore[union-attr]
    elif (
        called(node) == "copy"
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
    ):
        yield "stale buffer", node.func.value


def calls(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Sums over too little, products of the wrong side, allocations of the wrong sort."""
    if not isinstance(node, ast.Call):
        return
    name, args = called(node), node.args
    if name in ("zeros", "empty"):
        yield from _allocations(node)
    elif name == "sum":
        yield from _sums(node)
    elif name == "outer_sum":
        yield "lost sum over samples", _with(node, [_sliced(a, ":, :1") for a in args])
        yield "lost sum over time", _with(node, [_sliced(a, "-1:") for a in args])
        yield "swapped operands", _with(node, args[::-1])
        yield "transpose", transposed(node)
    elif name == "product":
        yield "transpose", _with(node, [args[0], transposed(args[1])])
    elif name in ("concatenate", "stack") and isinstance(args[0], ast.Tuple):
        for swapped in _neighbours(args[0].elts):
            yield "wrong gate", _with(node, [ast.Tuple(swapped, ast.Load()), *args[1:]])


def _sums(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """``np.sum(a, …)`` and ``a.sum(…)`` over one sample, over one step, and as a mean."""
    function = call.func
    method = not call.args and isinstance(function, ast.Attribute)
    for kind, slices in (("lost sum over samples", ":, :1"), ("lost sum over time", "-1:")):
        if not _over_all(call):
            break
        if method:
            cut = ast.Attribute(_sliced(function.value, slices), "sum", ast.Load())  # type: ignore[union-attr]
            yield kind, ast.Call(cut, [], call.keywords)
        elif call.args:
            yield kind, _with(call, [_sliced(call.args[0], slices), *call.args[1:]])
    if isinstance(function, ast.Attribute):
        mean = ast.Attribute(function.value, "mean", ast.Load())
        yield "factor", ast.Call(mean, call.args, call.keywords)


def _over_all(call: ast.Call) -> bool:
    """Whether a sum runs over time and samples."""
    axes = [ast.unparse(k.value) for k in call.keywords if k.arg == "axis"]
    return not axes or axes == ["(0, 1)"]


def _allocations(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    if called(call) == "zeros":
        yield "stale buffer", ast.Call(parsed("np.empty"), call.args, call.keywords)
        yield "initial value", ast.Call(parsed("np.ones"), call.args, call.keywords)
    if len(call.args) > 1:
        yield "precision", _with(call, [call.args[0], parsed("np.float32")])


def _with(call: ast.Call, args: list[ast.expr]) -> ast.Call:
    return ast.Call(call.func, args, call.keywords)


def _sliced(node: ast.expr, slices: str) -> ast.expr:
    return parsed(f"({ast.unparse(node)})[{slices}]")


def _neighbours(items: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """The list with two neighbours exchanged, for each pair of neighbours."""
    for i in range(len(items) - 1):
        yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def subscripts(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Steps and slices off by one."""
    if not isinstance(node, ast.Subscript):
        return
    index = node.slice
    for other in _shifted(index):
        yield "time index", ast.Subscript(node.value, other, node.ctx)
    if isinstance(index, ast.Tuple):
        for i, part in enumerate(index.elts):
            for other in _shifted(part) if isinstance(part, ast.Slice) and part.upper else ():
                changed = ast.Tuple([*index.elts[:i], other, *index.elts[i + 1 :]], ast.Load())
                yield "off by one", ast.Subscript(node.value, changed, node.ctx)


def _shifted(index: ast.expr) -> Iterator[ast.expr]:
    """The index, or every bound of the slice, one less and one more."""
    for step in (-1, 1):
        if isinstance(index, ast.Slice) and (index.lower or index.upper):
            yield ast.Slice(_moved(index.lower, step), _moved(index.upper, step), index.step)
        elif isinstance(index, ast.Name) or _number(index) is not None:
            yield _moved(index, step) or index


def _moved(bound: ast.expr | None, step: int) -> ast.expr | None:
    if bound is None:
        return None
    value = _number(bound)
    return parsed(
        f"{ast.unparse(bound)} {'+' if step > 0 else '-'} 1" if value is None else str(value + step)
    )


def _number(node: ast.expr) -> int | None:
    if (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
    ):
        return -node.operand.value if isinstance(node.operand.value, int) else None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


def loops(iterable: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """What a loop over time runs over: the wrong way, too few steps, the last three only."""
    text = ast.unparse(iterable)
    backwards = called(iterable) == "reversed"
    steps = text[len("reversed(") : -1] if backwards else text
    if called(parsed(steps)) != "range":
        return
    stop = steps[len("range(") : -1]
    yield "order", parsed(steps if backwards else f"reversed({steps})")
    for kind, other in (
        ("off by one", f"range(1, {stop})"),
        ("off by one", f"range({stop} - 1)"),
        (
            "truncation",
            f"range(max({stop} - 3, 0), {stop})" if backwards else f"range(min({stop}, 3))",
        ),
    ):
        yield kind, parsed(f"reversed({other})" if backwards else other)


OPERATORS: tuple[Operator, ...] = (binary, unary, transposes, calls, subscripts)
