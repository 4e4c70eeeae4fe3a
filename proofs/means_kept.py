"""What a file keeps from one call to the next, as its text says: nothing may be, but in what a function hands out.

What belongs to the whole file lives as long as the file: its lists, dicts and sets, its functions and classes, and the
modules that it imports. So of each it is asked what is done with it, and only what cannot change it, nor hand it to
where it could be changed, is let pass. Attributes are set of objects that were made during a call alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from proofs.means_names import PERHAPS, Whole, by_a_name
from proofs.means_scopes import FUNCTIONS, Place

WITHOUT_SELF = frozenset({"__new__", "__init_subclass__", "__class_getitem__", "__set_name__"})
"""Methods whose first argument is the class."""


def kept(place: Place, whole: Whole) -> Iterator[str]:
    """What one node keeps, or could keep, beyond the call.

    Args:
        place: the node.
        whole: what belongs to the file.
    """
    node = place.node
    if isinstance(node, ast.Global | ast.Nonlocal):
        yield f"{type(node).__name__.lower()} {', '.join(node.names)}"
    elif isinstance(node, FUNCTIONS):
        yield from _by_a_function(node, whole)
    elif isinstance(node, ast.ClassDef):
        yield from _by_a_class(node)
    elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        if not _may_be_set(place, whole):
            yield f"{ast.unparse(node)} is changed {PERHAPS}"
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from by_a_name(place, node.id, whole)


def _by_a_function(node: Any, whole: Whole) -> Iterator[str]:
    """Defaults are made once; what decorates a function may keep whatever it likes."""
    for value in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
        if not isinstance(value, ast.Constant | ast.Name | ast.Attribute | ast.UnaryOp):
            yield f"the default {ast.unparse(value)} is kept from call to call"
    for decorator in getattr(node, "decorator_list", ()):
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = ast.unparse(called)
        if name not in whole.house | whole.modules | {"staticmethod", "property"}:
            yield f"@{name} may keep something {PERHAPS}"


def _by_a_class(node: ast.ClassDef) -> Iterator[str]:
    """What stands in a class itself belongs to all of its objects."""
    for part in (*node.decorator_list, *node.keywords):
        yield f"{ast.unparse(part)} of {node.name} may keep something {PERHAPS}"
    for part in node.body:
        written = isinstance(part, ast.Assign | ast.AnnAssign) and (
            part.value is None or isinstance(part.value, ast.Constant) or _is_names(part.value)
        )
        text = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
        if not (written or text or isinstance(part, ast.FunctionDef | ast.Pass)):
            told = ast.unparse(part).splitlines()[0]
            yield f"{told} belongs to all objects of {node.name}, {PERHAPS}"
        elif isinstance(part, ast.FunctionDef) and part.name in WITHOUT_SELF:
            yield f"{part.name} of {node.name} may change the class {PERHAPS}"


def _is_names(value: ast.expr) -> bool:
    """Whether this is a tuple of texts, as ``__slots__`` is one."""
    return isinstance(value, ast.Tuple) and all(isinstance(e, ast.Constant) for e in value.elts)


def _may_be_set(place: Place, whole: Whole) -> bool:
    """Whether an entry or an attribute is one of an object that was made during a call, or handed in."""
    node: Any = place.node
    root = root_of(node)
    if root in whole.names and root not in place.hidden:
        return False
    if isinstance(node, ast.Subscript):
        return True
    if root is None:
        return False
    function = place.function
    if _is_method(function, place) and function.args.args[0].arg == root:
        return True
    return isinstance(function, ast.FunctionDef) and _is_made(root, function, whole)


def _is_method(function: Any, place: Place) -> bool:
    """Whether a function is one of a class, and no more than that."""
    if not isinstance(function, ast.FunctionDef) or not function.args.args:
        return False
    around = place.above[place.above.index(function) - 1]
    return isinstance(around, ast.ClassDef) and not function.decorator_list


def _is_made(name: str, function: ast.FunctionDef, whole: Whole) -> bool:
    """Whether a name only ever stands for an object of a class of the file."""
    for n in ast.walk(function):
        if isinstance(n, ast.Assign | ast.AnnAssign):
            targets = n.targets if isinstance(n, ast.Assign) else [n.target]
            plain = any(isinstance(t, ast.Name) and t.id == name for t in targets)
            if plain and not _is_an_object(n.value, whole):
                return False
            others = [t for t in targets if not isinstance(t, ast.Name)]
        elif isinstance(n, ast.For | ast.comprehension | ast.NamedExpr):
            others = [n.target]
        else:
            others = [n.optional_vars] if isinstance(n, ast.withitem) and n.optional_vars else []
        if any(name in _stored(t) for t in others):
            return False
    given = [*function.args.args, *function.args.kwonlyargs]
    argument = next((a for a in given if a.arg == name), None)
    kind = "" if argument is None else ast.unparse(argument.annotation or ast.Constant(None))
    return argument is None or kind.partition(" ")[0] in whole.classes


def _stored(target: ast.AST) -> frozenset[str]:
    """The names that a target sets."""
    names = (n for n in ast.walk(target) if isinstance(n, ast.Name))
    return frozenset(n.id for n in names if not isinstance(n.ctx, ast.Load))


def _is_an_object(value: ast.expr | None, whole: Whole) -> bool:
    """Whether a value is an object of a class of the file, or what a function of the house finds."""
    if isinstance(value, ast.IfExp):
        return _is_an_object(value.body, whole) and _is_an_object(value.orelse, whole)
    if not isinstance(value, ast.Call):
        return False
    if isinstance(value.func, ast.Attribute):
        return value.func.attr in whole.giving_self
    return ast.unparse(value.func) in whole.classes | whole.house


def root_of(node: ast.AST) -> str | None:
    """The name at the beginning of ``a.b[c].d``; none where there is no name."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
