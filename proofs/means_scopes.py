"""A walk over a file that knows what every name stands for: what belongs to the whole file, or a function's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a file, and where it stands.

    Args:
        node: the node.
        above: what it stands in, the innermost last.
        hidden: names that are there no names of the whole file, as functions around have their own.
    """

    node: ast.AST
    above: tuple[ast.AST, ...]
    hidden: frozenset[str]

    @property
    def parent(self) -> ast.AST:
        """What the node stands in."""
        return self.above[-1]

    @property
    def outer(self) -> Place:
        """The place of what the node stands in."""
        return Place(self.above[-1], self.above[:-1], self.hidden)

    @property
    def function(self) -> Any:
        """The innermost function around; none at the top."""
        return next((n for n in reversed(self.above) if isinstance(n, FUNCTIONS)), None)


def places(tree: ast.Module, own: frozenset[str]) -> Iterator[Place]:
    """Every node that is in none of the house's own functions, nor in what a program does with the file.

    Args:
        tree: the file.
        own: the house's own functions, as dumps of their trees.
    """
    elsewhere: dict[int, frozenset[str]] = {}

    def below(node: ast.AST, above: tuple[ast.AST, ...], hidden: frozenset[str]) -> Iterator[Place]:
        inside, within = (*above, node), hidden | names_of(node)
        elsewhere.update((id(part), hidden) for part in _evaluated_outside(node))
        for child in ast.iter_child_nodes(node):
            ours = isinstance(child, ast.FunctionDef) and ast.dump(child) in own
            if ours or (node is tree and is_main(child)):
                continue
            seen = elsewhere.get(id(child), within)
            yield Place(child, inside, seen)
            yield from below(child, inside, seen)

    return below(tree, (), frozenset())


def is_main(node: ast.AST) -> bool:
    """Whether this is what runs only where the file is no module but the program: ``if __name__ == "__main__":``."""
    return (
        isinstance(node, ast.If)
        and ast.unparse(node.test) == "__name__ == '__main__'"
        and not node.orelse
    )


def names_of(node: Any) -> frozenset[str]:
    """The names that a function or a comprehension has of its own; none of another node.

    Args:
        node: of which scopes inside have names of theirs, that are not counted.
    """
    if isinstance(node, COMPREHENSIONS):
        targets = (n for g in node.generators for n in ast.walk(g.target))
        return frozenset(n.id for n in targets if isinstance(n, ast.Name))
    if not isinstance(node, FUNCTIONS):
        return frozenset()
    a = node.args
    given = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
    names = {arg.arg for arg in given if arg is not None}
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    shared = {n for s in body for k in ast.walk(s) if isinstance(k, ast.Global) for n in k.names}
    return frozenset(names | {n for s in body for n in _bound(s)}) - shared


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds in the scope that it stands in."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, COMPREHENSIONS):
        yield from (n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        return
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((a.asname or a.name).partition(".")[0] for a in node.names)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


def _evaluated_outside(node: Any) -> list[ast.AST]:
    """What of a function or a comprehension is evaluated where it stands, not within it."""
    if isinstance(node, COMPREHENSIONS):
        return [node.generators[0].iter]
    if isinstance(node, ast.Lambda):
        return [node.args]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.args, *node.decorator_list, *filter(None, [node.returns])]
    return []
