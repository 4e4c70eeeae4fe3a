"""What is done with what belongs to the whole file: its lists, dicts and sets, its functions and classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from proofs.means_scopes import FUNCTIONS, Place

READING = frozenset({"get", "items", "keys", "values", "copy"})
"""What may be asked of a dict that belongs to the whole file."""
TAKING = frozenset(
    {
        *("len", "sorted", "list", "tuple", "set", "frozenset", "dict", "enumerate", "sum", "min", "max"),
        *("any", "all", "zip", "str", "range", "isinstance", "map"),
    }
)  # fmt: skip
"""Built-in functions that read what they are given, and hand on no more than its entries."""
PERHAPS = "for all later calls"


@dataclass(frozen=True, slots=True)
class Whole:
    """What belongs to the whole file.

    Args:
        mutable: names of lists, dicts and sets, with whether their entries are such, too.
        functions: names of functions.
        classes: names of classes.
        modules: names of modules, and of what is imported from them.
        house: the names of functions that are the house's own.
        plain: the names of functions of which no argument is said to be an object of a class of the file.
        giving_self: the names of methods that return the object that they are asked of.
    """

    mutable: Mapping[str, bool]
    functions: frozenset[str]
    classes: frozenset[str]
    modules: frozenset[str]
    house: frozenset[str]
    plain: frozenset[str]
    giving_self: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self.mutable) | self.functions | self.classes | self.modules


def whole_of(tree: ast.Module, own: frozenset[str]) -> Whole:
    """What belongs to a file.

    Args:
        tree: the file.
        own: the house's functions, as dumps of their trees.
    """
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    classes = frozenset(n.name for n in tree.body if isinstance(n, ast.ClassDef))
    imports = (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))
    return Whole(
        {
            t.id: _is_deep(n.value)
            for n in tree.body
            if isinstance(n, ast.Assign) and _displays(n.value)
            for t in n.targets
            if isinstance(t, ast.Name)
        },
        frozenset(functions),
        classes,
        frozenset((a.asname or a.name).partition(".")[0] for n in imports for a in n.names),
        frozenset(name for name, n in functions.items() if ast.dump(n) in own),
        frozenset(name for name, n in functions.items() if not _told_of(n) & classes),
        _giving_self(tree),
    )


def _told_of(function: ast.FunctionDef) -> frozenset[str]:
    """The names in the annotations of a function's arguments."""
    kinds = (a.annotation for a in ast.walk(function.args) if isinstance(a, ast.arg))
    names = (n for kind in kinds if kind for n in ast.walk(kind))
    return frozenset(n.id for n in names if isinstance(n, ast.Name))


def _giving_self(tree: ast.Module) -> frozenset[str]:
    """The names of methods that return the object that they are asked of, in every class that has them."""
    methods = [
        f
        for c in tree.body
        if isinstance(c, ast.ClassDef)
        for f in c.body
        if isinstance(f, ast.FunctionDef)
    ]
    others = {
        f.name
        for f in methods
        for n in ast.walk(f)
        if isinstance(n, ast.Return) and ast.unparse(n.value or ast.Constant(None)) != "self"
    }
    return frozenset(f.name for f in methods) - others


def _displays(value: ast.expr) -> list[ast.AST]:
    """The lists, dicts and sets written in a value; what ``frozenset`` is given does not stay one."""
    if isinstance(value, ast.Call):
        return []
    return [n for n in ast.walk(value) if isinstance(n, ast.List | ast.Dict | ast.Set)]


def _is_deep(value: ast.expr) -> bool:
    """Whether entries of a list, dict or set are such, too."""
    return len(_displays(value)) > 1 or not isinstance(value, ast.List | ast.Dict | ast.Set)


def by_a_name(place: Place, name: str, whole: Whole) -> Iterator[str]:
    """What is done with a name of the whole file's that could change what it stands for.

    Args:
        place: where the name stands.
        name: the name.
        whole: what belongs to the file.
    """
    if name in place.hidden:
        return
    if name in whole.mutable:
        if not _is_read(place, whole.mutable[name], whole):
            yield _told(place, name)
    elif name in whole.functions | whole.classes:
        if not _is_used(place, whole):
            yield f"{_context(place)}: {name} is handed on, and could be changed {PERHAPS}"
    elif name == "type" and not isinstance(place.parent, ast.Compare | ast.BinOp | ast.arg):
        call = place.outer
        if not (isinstance(call.node, ast.Call) and isinstance(call.parent, ast.Compare)):
            yield f"{_context(place)}: a type could be changed {PERHAPS}"


def _told(place: Place, name: str) -> str:
    return f"{_context(place)} may change {name} {PERHAPS}"


def _context(place: Place) -> str:
    """The smallest piece of text around a name that tells what is done with it."""
    outer = place.outer
    if isinstance(outer.node, ast.Attribute) and isinstance(outer.parent, ast.Call):
        return ast.unparse(outer.parent)
    return ast.unparse(outer.node).splitlines()[0]


def _is_used(place: Place, whole: Whole) -> bool:
    """Whether a function or a class is called, told as a type, or given to what leaves it as it is."""
    node, parent = place.node, place.parent
    if _is_a_type(place) or _is_for_the_compiler(place.function):
        return True
    if isinstance(parent, ast.Call):
        called = ast.unparse(parent.func)
        if parent.func is node or called in whole.house | whole.modules | {"isinstance", "map"}:
            return True
        return isinstance(node, ast.Name) and node.id in whole.functions and called in whole.plain
    if isinstance(parent, ast.ClassDef):
        return node in parent.bases
    if isinstance(parent, ast.arguments):
        plain = isinstance(node, ast.Name) and node.id in whole.functions
        return plain and _is_only_called(_argument_of(node, parent), place.above)
    if isinstance(parent, ast.Tuple):
        return isinstance(place.outer.parent, ast.Call) and (
            ast.unparse(place.outer.parent.func) == "isinstance"
        )
    decorated = isinstance(parent, ast.FunctionDef) and node in parent.decorator_list
    return decorated or isinstance(parent, ast.Compare | ast.BinOp)


def _argument_of(default: ast.AST, arguments: ast.arguments) -> str:
    """The name of the argument whose default this is."""
    last = [*arguments.posonlyargs, *arguments.args][::-1]
    pairs = [
        *zip(last, arguments.defaults[::-1], strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return next(arg.arg for arg, value in pairs if value is default)


def _is_only_called(name: str, above: Sequence[ast.AST]) -> bool:
    """Whether a function's argument is called wherever it is used: what it stands for is then left as it is."""
    function = next(n for n in reversed(above) if isinstance(n, FUNCTIONS))
    called = {id(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
    uses = (n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name)
    return all(id(n) in called for n in uses)


def _is_for_the_compiler(function: ast.AST | None) -> bool:
    """Whether a function tells Numba which one to compile: it runs for no caller."""
    decorators = function.decorator_list if isinstance(function, ast.FunctionDef) else []
    return any(ast.unparse(d).partition("(")[0] == "overload" for d in decorators)


def _is_a_type(place: Place) -> bool:
    """Whether a name stands in an annotation, which nothing evaluates."""
    inner = place.node
    for around in reversed(place.above):
        if isinstance(around, ast.arg) or (
            isinstance(around, ast.AnnAssign) and inner is around.annotation
        ):
            return True
        if isinstance(around, ast.Call):
            return False
        if isinstance(around, FUNCTIONS):
            return inner is getattr(around, "returns", None)
        if isinstance(around, ast.stmt):
            return False
        inner = around
    return False


def _is_read(place: Place, deep: bool, whole: Whole) -> bool:
    """Whether what is done with a list, dict or set of the whole file leaves it as it is.

    Args:
        place: where it stands, or an entry of it.
        deep: whether its entries are such, too.
        whole: what belongs to the file.
    """
    node, parent = place.node, place.parent
    if isinstance(parent, ast.Compare | ast.FormattedValue | ast.Delete) or _is_a_type(place):
        return not isinstance(parent, ast.Delete)
    if isinstance(parent, ast.Subscript):
        loaded = parent.value is not node or isinstance(parent.ctx, ast.Load)
        return loaded and (not deep or _is_read(place.outer, False, whole))
    if isinstance(parent, ast.Attribute):
        call = place.outer
        asked = isinstance(call.parent, ast.Call) and call.parent.func is parent
        if not asked or parent.attr not in READING:
            return False
        return not deep or _is_read_in_turn(call.outer)
    if isinstance(parent, ast.Call) and node in parent.args:
        called = ast.unparse(parent.func)
        return called in whole.house | {"len", "isinstance"} or (not deep and called in TAKING)
    if isinstance(parent, ast.keyword | ast.Starred | ast.Dict | ast.BinOp):
        return not deep and getattr(parent, "arg", None) is None
    if isinstance(parent, ast.For | ast.comprehension):
        return parent.iter is node and not deep
    return isinstance(parent, ast.If | ast.IfExp | ast.While) and parent.test is node


def _is_read_in_turn(place: Place) -> bool:
    """Whether the entries of what is gone through are only asked, and handed to nobody."""
    loop = place.parent
    if not isinstance(loop, ast.For | ast.comprehension) or loop.iter is not place.node:
        return False
    entries = loop.target.elts[1:] if isinstance(loop.target, ast.Tuple) else [loop.target]
    names = {n.id for e in entries for n in ast.walk(e) if isinstance(n, ast.Name)}
    around = place.function or loop
    above = {child: node for node in ast.walk(around) for child in ast.iter_child_nodes(node)}
    for n in above:
        if isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load):
            parent = above[n]
            read = isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Load)
            asked = isinstance(parent, ast.Attribute) and parent.attr in READING
            if not (read or asked or isinstance(parent, ast.Compare)):
                return False
    return True
