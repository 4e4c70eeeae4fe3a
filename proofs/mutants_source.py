"""Mutants of generated source: one node, one statement or one name of its functions changed.

What is changed is whatever computes: the two passes, the initial state, ``step``, ``value_and_grad`` and the numeric
helpers. Functions that check arguments or draw initial weights are left alone: they compute no gradient.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from proofs.mutants import Mutant
from proofs.mutants_syntax import OPERATORS, called, loops

Locals = Mapping[str, Mapping[str, Any]]
PERIODS = (2, 5, 35)
"""After how many steps a mutant of the truncating kind cuts the path; 35 is a usual length of truncated training."""


def source_mutants(source: str, seen: Locals) -> Iterator[Mutant]:
    """Every source that differs from this one by one mistake, in the order of its lines.

    Args:
        source: a generated module.
        seen: the local variables of its functions after a run, by function: what names can be confused.
    """
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    guards = _guards(functions)
    for function in functions:
        drawn = _draws(function) or function.name.startswith("init_params")
        if function.name not in guards and not drawn:
            yield from _Function(source, function, seen.get(function.name, {}), guards).mutants()


def _guards(functions: list[ast.FunctionDef]) -> set[str]:
    """Functions that raise, and those that return what such a function made of an argument."""
    guards = {f.name for f in functions if any(isinstance(node, ast.Raise) for node in ast.walk(f))}
    passed = {
        f.name
        for f in functions
        if len(f.body) <= 3 and any(called(node) in guards for node in ast.walk(f))
    }
    return guards | passed | {f.name for f in functions if f.name.startswith("parameter_shapes")}


def _draws(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == "rng" for node in ast.walk(function)
    ) or any(a.arg == "rng" for a in function.args.args)


@dataclass(frozen=True, slots=True)
class _Edit:
    """Text in place of the text of a node or statement."""

    kind: str
    node: ast.expr | ast.stmt
    text: str
    shown: str = ""


class _Function:
    """Mutates one function."""

    def __init__(
        self, source: str, function: ast.FunctionDef, seen: Mapping[str, Any], guards: set[str]
    ) -> None:
        self.source, self.function, self.guards = source, function, guards
        self.lines = source.encode().splitlines(keepends=True)
        self.names = _Names(function, seen)

    def mutants(self) -> Iterator[Mutant]:
        done = {self.source}
        for edit in self.edits():
            text = self.applied(edit)
            if text not in done:
                done.add(text)
                yield self.mutant(edit, text)

    def mutant(self, edit: _Edit, text: str) -> Mutant:
        line = edit.node.lineno
        before = self.source.splitlines()[line - 1].strip()
        after = edit.shown or text.splitlines()[line - 1].strip()
        return Mutant(
            "source",
            edit.kind,
            f"{self.function.name}, line {line}",
            f"{before}  became  {after}",
            source=text,
        )

    def applied(self, edit: _Edit) -> str:
        """The whole source with the edit made; positions are in bytes."""
        node = edit.node
        start = sum(map(len, self.lines[: node.lineno - 1])) + node.col_offset
        end = sum(map(len, self.lines[: (node.end_lineno or node.lineno) - 1])) + (
            node.end_col_offset or 0
        )
        whole = b"".join(self.lines)
        return (whole[:start] + edit.text.encode() + whole[end:]).decode()

    def edits(self) -> Iterator[_Edit]:
        body = self.function.body[1:] if ast.get_docstring(self.function) else self.function.body
        yield from self.block(body, in_loop=False)

    def block(self, body: list[ast.stmt], *, in_loop: bool) -> Iterator[_Edit]:
        for i, statement in enumerate(body):
            if isinstance(statement, ast.For):
                for kind, other in loops(statement.iter):
                    yield _Edit(kind, statement.iter, ast.unparse(other))
                yield from self.block(statement.body, in_loop=True)
                continue
            yield from self.statement(statement, in_loop=in_loop)
            if in_loop and i + 1 < len(body):
                yield from self.exchanged(statement, body[i + 1])

    def statement(self, s: ast.stmt, *, in_loop: bool) -> Iterator[_Edit]:
        if self.reads_arguments(s):
            yield from self.targets(s)
            return
        yield from self.whole(s, in_loop=in_loop)
        yield from self.targets(s)
        yield from self.keys(s)
        for node in _computing(s):
            for operator in OPERATORS:
                for kind, other in operator(node):
                    text = _tight(other)
                    lost = "mask" in ast.unparse(node) and "mask" not in text
                    yield _Edit("lost mask" if lost else kind, node, text)
            yield from self.confused(node)

    def reads_arguments(self, s: ast.stmt) -> bool:
        """Whether a statement checks arguments or reads sizes off them."""
        nodes = list(ast.walk(s))
        sized = any(isinstance(v, ast.Attribute) and v.attr in ("shape", "dtype") for v in nodes)
        names_only = isinstance(s, ast.Assign) and all(
            not isinstance(t, ast.Subscript) for t in s.targets
        )
        guarded = any(called(v) in self.guards or called(v).startswith("init_state") for v in nodes)
        return guarded or (
            sized and names_only and self.function.name.startswith(("forward", "backward"))
        )

    def whole(self, s: ast.stmt, *, in_loop: bool) -> Iterator[_Edit]:
        """Mistakes in a whole statement: lost, accumulated or not, negated, done now and then."""
        text = ast.unparse(s)
        if isinstance(s, ast.AugAssign):
            target, value = ast.unparse(s.target), ast.unparse(s.value)
            yield _Edit("lost path", s, "pass")
            yield _Edit("accumulation", s, f"{target} = {value}")
            yield _Edit("sign", s, f"{target} -= {value}")
            for k in PERIODS if in_loop else ():
                yield _Edit("truncation", s, f"{target} += ({value}) * (t % {k} != {k - 1})")
        elif isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Subscript):
            yield _Edit("stale buffer", s, "pass")
            yield _Edit("accumulation", s, text.replace(" = ", " += ", 1))
            yield from self.negated(s)
        elif isinstance(s, ast.Assign) and _computes(s.value):
            yield from self.negated(s)

    def negated(self, s: ast.Assign) -> Iterator[_Edit]:
        yield _Edit("sign", s.value, f"-({ast.unparse(s.value)})")

    def targets(self, s: ast.stmt) -> Iterator[_Edit]:
        """Two neighbours exchanged where several names are assigned at once."""
        target = s.targets[0] if isinstance(s, ast.Assign) else None
        if not isinstance(target, ast.Tuple | ast.List):
            return
        names = [ast.unparse(e) for e in target.elts]
        for a, b in pairwise(target.elts):
            x, y = ast.unparse(a), ast.unparse(b)
            if self.names.alike(x, y):
                swapped = [y if n == x else x if n == y else n for n in names]
                yield _Edit(
                    "wrong gate", target, f"[{', '.join(swapped)}]", f"[{', '.join(swapped)}] = …"
                )

    def keys(self, s: ast.stmt) -> Iterator[_Edit]:
        """An entry of a dict confused with another one."""
        for node in ast.walk(s):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.slice, ast.Constant)
                and isinstance(node.slice.value, str)
            ):
                container = ast.unparse(node.value)
                for other in self.names.keys_like(container, node.slice.value):
                    yield _Edit("wrong gate", node.slice, repr(other))

    def confused(self, node: ast.expr) -> Iterator[_Edit]:
        """A name confused with another one of the same shape."""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            for other in self.names.siblings(node.id, node.lineno):
                yield _Edit(self.names.kind(node.id, other), node, other)

    def exchanged(self, a: ast.stmt, b: ast.stmt) -> Iterator[_Edit]:
        """Two statements of a loop in the wrong order, where the order matters."""
        if isinstance(b, ast.For) or not self.names.depend(a, b):
            return
        both = ast.Pass(
            lineno=a.lineno,
            col_offset=a.col_offset,
            end_lineno=b.end_lineno,
            end_col_offset=b.end_col_offset,
        )
        first, second = ast.unparse(b), ast.unparse(a)
        yield _Edit("order", both, f"{first}\n{' ' * a.col_offset}{second}", f"{first}; {second}")


def _computes(value: ast.expr) -> bool:
    moved = ("empty", "zeros", "split", "concatenate", "copy")
    return isinstance(value, ast.BinOp | ast.Call) and called(value) not in moved


def _computing(s: ast.stmt) -> Iterator[ast.expr]:
    """The nodes of a statement that compute: not shapes, not the keys of dicts, not what is assigned in whole."""
    stack: list[ast.AST] = [s]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.expr):
            yield node
        if called(node) in ("empty", "zeros", "split", "reshape"):
            stack += [node.func] if called(node) == "reshape" else []  # type: ignore[attr-defined]
        elif isinstance(node, ast.Subscript):
            stack.append(node.value)
        elif isinstance(node, ast.Dict):
            stack += node.values
        else:
            stack += list(ast.iter_child_nodes(node))


def _tight(node: ast.expr) -> str:
    text = ast.unparse(ast.fix_missing_locations(node))
    return f"({text})" if isinstance(node, ast.BinOp | ast.UnaryOp) else text


class _Names:
    """What names of a function can be confused: those that held arrays of the same shape when it ran."""

    def __init__(self, function: ast.FunctionDef, seen: Mapping[str, Any]) -> None:
        self.seen: dict[str, Any] = {
            n: v for n, v in seen.items() if isinstance(v, np.ndarray | np.generic)
        }
        self.dicts: dict[str, dict[str, Any]] = {
            n: v for n, v in seen.items() if isinstance(v, dict)
        }
        self.first = {a.arg: 0 for a in function.args.args}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.first[node.id] = min(self.first.get(node.id, node.lineno), node.lineno)

    def alike(self, a: str, b: str) -> bool:
        """Whether both names held arrays of the same shape."""
        return (
            a in self.seen and b in self.seen and np.shape(self.seen[a]) == np.shape(self.seen[b])
        )

    def siblings(self, name: str, line: int, most: int = 2) -> list[str]:
        """The next names of the same shape that are known before this line."""
        if name not in self.seen:
            return []
        same = [
            n
            for n in self.seen
            if self.alike(n, name) and (n == name or self.first.get(n, line) < line)
        ]
        at = same.index(name)
        return [*same[at + 1 :], *same[:at]][:most]

    def keys_like(self, container: str, key: str, most: int = 2) -> list[str]:
        """The next keys of a dict whose arrays have the same shape."""
        entries = self.dicts.get(container, {})
        arrays = {k: v for k, v in entries.items() if isinstance(v, np.ndarray)}
        if key not in arrays:
            return []
        same = [k for k, v in arrays.items() if v.shape == arrays[key].shape]
        at = same.index(key)
        return [*same[at + 1 :], *same[:at]][:most]

    def kind(self, a: str, b: str) -> str:
        """The sort of mistake that a confusion is."""
        if np.shares_memory(self.seen[a], self.seen[b]):
            return "time index"
        if "bar" in a.split("_") and "bar" in b.split("_"):
            return "swapped states"
        inner = {re.sub(r"^[a-z]+_", "", n) for n in (a, b)}
        return "wrong point" if len(inner) == 1 else "wrong gate"

    def depend(self, a: ast.stmt, b: ast.stmt) -> bool:
        """Whether one of two statements writes memory that the other one reads or writes."""
        return self.meet(_written(a), _mentioned(b)) or self.meet(_written(b), _mentioned(a))

    def meet(self, some: set[str], others: set[str]) -> bool:
        """Whether a name of the one set stands for memory of the other's."""
        arrays = self.seen
        return bool(some & others) or any(
            np.shares_memory(arrays[a], arrays[b])
            for a in some & arrays.keys()
            for b in others & arrays.keys()
        )


def _mentioned(s: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(s) if isinstance(node, ast.Name)} - {"t", "np"}


def _written(s: ast.stmt) -> set[str]:
    targets = (
        s.targets
        if isinstance(s, ast.Assign)
        else [s.target]
        if isinstance(s, ast.AugAssign)
        else []
    )
    return {next(n.id for n in ast.walk(t) if isinstance(n, ast.Name)) for t in targets}
