"""Which ways a file's branches went while its checks ran: what never ran was never checked.

Every condition of a loaded text reports whether it held, and every body of a loop that it was entered. A side that does
nothing but raise need not be seen: it gives no wrong number away.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

REPORT = "_throughtime_seen"
"""The name under which a watched module finds what it reports to."""

N = TypeVar("N", bound=ast.AST)


@dataclass(frozen=True, slots=True)
class Branch:
    """A place at which a file goes one way or another.

    Args:
        line: of the file.
        text: the condition, or the loop.
        function: in which it stands.
        sides: the outcomes that must be seen.
        body: whether it is a body, that must run, and no condition.
    """

    line: int
    text: str
    function: int
    sides: frozenset[bool]
    body: bool = False

    def told(self, side: bool) -> str:
        """That one of its sides was never seen."""
        how = "never ran" if self.body else f"was never {'true' if side else 'false'}"
        return f"line {self.line}: {self.text} {how}"


@dataclass(slots=True)
class Watch:
    """A text's branches, and which sides of them were seen.

    Args:
        source: the text.
        plainly: whether functions that a decorator would compile are run as they stand; if not, they are not watched.
    """

    source: str
    plainly: bool = False
    branches: list[Branch] = field(default_factory=list)
    seen: set[tuple[int, bool]] = field(default_factory=set)
    entered: set[int] = field(default_factory=set)
    functions: dict[int, str] = field(default_factory=dict)

    def instrumented(self) -> ast.Module:
        """The text's tree, every branch of which reports to ``report``."""
        tree = ast.parse(self.source)
        left = frozenset[str]() if self.plainly else _compiled(tree)
        tree = _Reporting(self.branches, self.functions, left).visit(tree)
        return ast.fix_missing_locations(tree)

    @property
    def meanings(self) -> frozenset[str]:
        """The functions that are watched, each by its ``meaning``."""
        return frozenset(self.functions.values())

    @property
    def leaves_out(self) -> bool:
        """Whether some functions of the text are compiled, and so not watched."""
        return not self.plainly and bool(_compiled(ast.parse(self.source)))

    def report(self, place: int, outcome: Any) -> Any:
        """Notes which way a branch went, and hands the outcome on; a negative place is a function's beginning."""
        if place < 0:
            self.entered.add(place)
        elif getattr(outcome, "ndim", 0):
            self.seen |= {(place, True), (place, False)}  # many outcomes at once decide nothing
        else:
            self.seen.add((place, bool(outcome)))
        return outcome

    def unseen(
        self, known: frozenset[str] = frozenset(), unasked: re.Pattern[str] | None = None
    ) -> tuple[str, ...]:
        """What never happened, in the functions that ran.

        Args:
            known: functions by their ``meaning``, which are tested elsewhere, whatever their branches.
            unasked: conditions of which one side may stay unseen.
        """
        return tuple(
            b.told(side)
            for place, b in enumerate(self.branches)
            if b.function in self.entered
            and self.functions[b.function] not in known
            and not (unasked and unasked.fullmatch(b.text))
            for side in sorted(b.sides, reverse=True)
            if (place, side) not in self.seen
        )


class _Reporting(ast.NodeTransformer):
    """Puts reports around conditions and at the beginnings of bodies, within functions."""

    def __init__(
        self, branches: list[Branch], functions: dict[int, str], left: frozenset[str]
    ) -> None:
        self.branches, self.meanings, self.left = branches, functions, left
        self.function = 0
        self.functions = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function; one that a decorator compiles is left as it is, or run as it stands."""
        if node.name in self.left:
            return node
        outer = self.function
        self.functions -= 1
        self.function = self.functions
        self.meanings[self.function] = meaning(node)
        if _is_compiled(node):
            node.decorator_list = []
        node.body = [self.visit(s) for s in node.body]
        begins = 1 if _is_text(node.body[0]) else 0
        node.body.insert(begins, _at(node.body[0], ast.Expr(_report(self.function, _true()))))
        self.function = outer
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """A statement with two sides."""
        sides = _sides(node.body, node.orelse)
        if sides:
            node.test = self._condition(node.test, sides)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """An expression with two sides."""
        node.test = self._condition(node.test, frozenset((True, False)))
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        """A loop that runs while something holds."""
        node.test = self._condition(node.test, frozenset((True,)))
        node.body = self._block(node.body)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """A loop: its body must run."""
        node.iter = self.visit(node.iter)
        begin = self._begin(node, f"the loop over {ast.unparse(node.iter)}")
        node.body = [begin, *self._block(node.body)]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """What is done about an error."""
        if not _raises(node.body):
            node.body = [self._begin(node, "except"), *self._block(node.body)]
        return node

    def visit_match_case(self, node: Any) -> ast.AST:
        """One case of several."""
        if not _raises(node.body):
            node.body = [self._begin(node.pattern, "case"), *self._block(node.body)]
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """A loop within an expression, and what it lets through."""
        node.iter = self.visit(node.iter)
        node.ifs = [self._condition(c, frozenset((True,))) for c in node.ifs]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A comparison whose outcome is used as a number."""
        return self._condition(node, frozenset((True, False)))

    def _condition(self, test: ast.expr, sides: frozenset[bool]) -> ast.expr:
        if not self.function:
            return test
        return _at(test, _report(self._place(test, ast.unparse(test), sides), test))

    def _begin(self, node: ast.AST, text: str) -> ast.stmt:
        place = self._place(node, text, frozenset((True,)), body=True)
        return _at(node, ast.Expr(_report(place, _true())))

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """A block's statements; what leads to an error only is left as it is."""
        return body if _raises(body) else [self.visit(s) for s in body]

    def _place(self, node: Any, text: str, sides: frozenset[bool], *, body: bool = False) -> int:
        self.branches.append(Branch(node.lineno, text, self.function, sides, body))
        return len(self.branches) - 1


def _is_compiled(node: ast.FunctionDef) -> bool:
    """Whether a decorator makes something else of a function."""
    plain = {"staticmethod", "classmethod", "property"}
    return any(not isinstance(d, ast.Name) or d.id not in plain for d in node.decorator_list)


def _compiled(tree: ast.Module) -> frozenset[str]:
    """The functions that a decorator compiles, and those that they name."""
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    found: set[str] = set()
    waiting = [name for name, n in functions.items() if _is_compiled(n)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            named = {
                n.id for b in functions[name].body for n in ast.walk(b) if isinstance(n, ast.Name)
            }
            waiting += sorted(named & functions.keys())
    return frozenset(found)


def meaning(function: ast.AST) -> str:
    """What a function says, wherever it stands."""
    return ast.dump(function)


def _sides(body: list[ast.stmt], orelse: list[ast.stmt]) -> frozenset[bool]:
    """The sides that must be seen: those that can end in something else than an error."""
    found: Iterable[bool] = (
        side for side, block in ((True, body), (False, orelse)) if not _raises(block)
    )
    sides = frozenset(found)
    return frozenset() if sides == {False} and not orelse else sides


def _raises(body: list[ast.stmt]) -> bool:
    """Whether a block ends in an error."""
    return bool(body) and isinstance(body[-1], ast.Raise)


def _report(place: int, value: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(REPORT, ast.Load()), [ast.Constant(place), value], [])


def _true() -> ast.expr:
    return ast.Constant(True)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _at(node: Any, new: N) -> N:
    """A new node at the place of another."""
    return ast.copy_location(new, node)
