"""The check that reads a file before anything of it runs: what it computes, it computes from what it is given.

A file that asks for the clock, the environment, random numbers of its own, the interpreter or how often it was called
can be right whenever it is looked at, and wrong afterwards. No run sees that; its text says it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from numeric.library import own_functions
from proofs.table import Check, measured

NAME = "own means"
WHAT = "what the text asks for besides its arguments and NumPy, or keeps from one call to the next"

MODULES = frozenset(
    {
        *("__future__", "numpy", "math", "typing", "collections.abc"),
        *("numba", "numba.extending", "concurrent.futures", "array_api_compat"),
    }
)
"""What a file may import: NumPy, what a file for Numba, threads or other arrays needs, and what has no state."""
INTERPRETER = frozenset(
    {
        *("breakpoint", "compile", "delattr", "dir", "eval", "exec", "getattr", "globals", "hash", "help"),
        *("id", "input", "locals", "memoryview", "open", "setattr", "vars"),
    }
)  # fmt: skip
"""Built-in functions that answer with more than their arguments hold, or change what is not theirs."""
ROOMS = frozenset({"linalg", "fft", "random"})
"""Parts of NumPy that a file may use; of the last, generators with a seed."""
OUTSIDE = frozenset(
    {
        *("load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "memmap"),
        *("fromregex", "get_include", "show_config", "show_runtime", "info", "test", "datetime64", "busdaycalendar"),
        *("seterr", "seterrcall", "setbufsize", "errstate", "set_printoptions", "printoptions", "frompyfunc"),
    }
)  # fmt: skip
"""Functions of NumPy that read files or the clock, or set what holds for everybody."""
UNSEEN = frozenset(
    {"ctypes", "tofile", "dump", "dumps", "tb_frame", "gi_frame", "f_back", "f_globals"}
)
"""Attributes that lead to addresses, files, or to who is calling."""
READING = frozenset({"get", "items", "keys", "values", "copy"})
"""What may be asked of a dict that belongs to the whole file."""


def own_means(source: str) -> Check:
    """The file asks for nothing but its arguments and NumPy, does nothing when it is loaded, and keeps nothing."""
    found = tuple(dict.fromkeys(reaching(source)))
    lines = f"{len(source.splitlines())} lines"
    return measured(NAME, WHAT, lines, len(found), 0, where=found, unit="wrong")


def reaching(source: str) -> Iterator[str]:
    """What a text asks for or keeps and must not, each with its line; the house's own functions are not asked.

    Args:
        source: the file; what is no Python is another check's affair.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    own = own_functions()
    defined = _defined(tree)
    yield from _at_the_top(tree)
    for node, seen in _walk(tree, own, defined):
        for told in (*_outside(node), *_kept(node, seen)):
            yield f"line {getattr(node, 'lineno', 1)}: {told}"
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            yield from _through_other_names(node, defined)


def _walk(
    node: ast.AST, own: frozenset[str], seen: frozenset[str]
) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Every node that is in none of the house's own functions, nor in what a program does with the file.

    Beside it the names that stand there for what belongs to the whole file: a function has names of its own.
    """
    for child in ast.iter_child_nodes(node):
        ours = isinstance(child, ast.FunctionDef) and ast.dump(child) in own
        if not ours and not _is_main(child):
            yield child, seen
            function = isinstance(child, ast.FunctionDef | ast.Lambda)
            yield from _walk(child, own, seen - _locals(child, seen) if function else seen)


def _locals(function: Any, seen: frozenset[str]) -> frozenset[str]:
    """The names of a function's own: arguments, unless the file's own are their defaults, and what it sets."""
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    names = {a.arg for a in (*given, arguments.vararg, arguments.kwarg) if a is not None}
    defaults = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
    if any(_root(value) in seen for value in defaults):
        names = set()
    names |= {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return frozenset(names)


def _defined(tree: ast.Module) -> frozenset[str]:
    """The names that belong to the whole file."""
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {n.id for t in targets if t for n in ast.walk(t) if isinstance(n, ast.Name)}
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).partition(".")[0] for a in node.names}
    return frozenset(names)


def _at_the_top(tree: ast.Module) -> Iterator[str]:
    """What runs when the file is loaded, and what is said twice."""
    seen: set[str] = set()
    for node in tree.body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [] if _is_overload(node) else [node.name]
        elif isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets):
            names = [t.id for t in node.targets if isinstance(t, ast.Name)]
            if not _is_still(node.value):
                yield f"line {node.lineno}: {names[0]} is computed when the file is loaded"
        elif not (
            isinstance(node, ast.Import | ast.ImportFrom) or _is_text(node) or _is_main(node)
        ):
            yield f"line {node.lineno}: {ast.unparse(node).splitlines()[0]} runs when the file is loaded"
        for name in names:
            if name in seen:
                yield f"line {node.lineno}: {name} is defined a second time"
        seen.update(names)


def _is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether Numba is told of a function: its own name does not matter."""
    return any(ast.unparse(d).partition("(")[0] == "overload" for d in node.decorator_list)


def _is_still(value: ast.expr) -> bool:
    """Whether a value of the whole file is written down, or another name for a type."""
    if isinstance(value, ast.Call):
        plain = isinstance(value.func, ast.Name) and value.func.id == "frozenset"
        return plain and all(map(_is_still, value.args))
    return not any(
        isinstance(n, ast.Call | ast.Lambda | ast.NamedExpr | ast.Await | ast.comprehension)
        for n in ast.walk(value)
    )


def _is_main(node: ast.AST) -> bool:
    """Whether this is what runs only where the file is no module but the program: ``if __name__ == "__main__":``."""
    return (
        isinstance(node, ast.If)
        and ast.unparse(node.test) == "__name__ == '__main__'"
        and not node.orelse
    )


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _outside(node: ast.AST) -> Iterator[str]:
    """What one node asks for that is no argument and not NumPy's."""
    if isinstance(node, ast.Import):
        yield from (f"{a.name} is imported" for a in node.names if a.name not in MODULES)
    elif isinstance(node, ast.ImportFrom):
        if node.module not in MODULES or node.level:
            yield f"{node.module} is imported"
        elif node.module == "numpy":
            yield from (f"np.{a.name}" for a in node.names if not _is_numpys_own(a.name))
    elif isinstance(node, ast.Name):
        if node.id in INTERPRETER or (node.id.startswith("__") and node.id.endswith("__")):
            yield f"{node.id} asks the interpreter"
    elif isinstance(node, ast.Attribute):
        yield from _by_attribute(node)
    elif isinstance(node, ast.Call) and _draws_without_seed(node):
        yield "random numbers without a seed that is given"


def _draws_without_seed(node: ast.Call) -> bool:
    """Whether a generator of random numbers is made from none, or always from the same."""
    made = ast.unparse(node.func).endswith("default_rng")
    return made and (not node.args or isinstance(node.args[0], ast.Constant))


def _by_attribute(node: ast.Attribute) -> Iterator[str]:
    base = ast.unparse(node.value)
    dunder = node.attr.startswith("__") and node.attr.endswith("__")
    if (dunder and node.attr != "__init__") or node.attr in UNSEEN:
        yield f"{ast.unparse(node)} asks the interpreter"
    elif base in ("np", "numpy") and not _is_numpys_own(node.attr):
        yield f"np.{node.attr}"
    elif base in ("np.random", "numpy.random") and node.attr not in ("Generator", "default_rng"):
        yield f"np.random.{node.attr}"


def _is_numpys_own(name: str) -> bool:
    """Whether a name of NumPy's stands for a function of its arguments, a type or a number."""
    value = getattr(np, name, None)
    return name not in OUTSIDE and (name in ROOMS or not isinstance(value, ModuleType))


def _kept(node: ast.AST, defined: frozenset[str]) -> Iterator[str]:
    """What one node keeps beyond the call: in the file's own names, in defaults, or in NumPy and built-ins."""
    if isinstance(node, ast.Global):
        yield f"global {', '.join(node.names)}"
    elif isinstance(node, ast.FunctionDef | ast.Lambda):
        defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        for value in defaults:
            if not isinstance(value, ast.Constant | ast.Name | ast.Attribute | ast.UnaryOp):
                yield f"the default {ast.unparse(value)} is kept from call to call"
    elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        nameless = isinstance(node, ast.Attribute) and _root(node) is None
        if nameless or _root(node) in defined:
            yield f"{ast.unparse(node)} is changed for all later calls"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        base = node.func.value
        if (
            isinstance(base, ast.Name)
            and base.id.isupper()
            and base.id in defined
            and node.func.attr not in READING
        ):
            yield f"{ast.unparse(node)} may change {base.id} for all later calls"
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("next", "iter")
    ):
        yield from (
            f"{ast.unparse(node)} goes on where it was" for a in node.args if _root(a) in defined
        )


def _root(node: ast.AST) -> str | None:
    """The name at the beginning of ``a.b[c].d``; none where there is no name."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _through_other_names(
    function: ast.FunctionDef | ast.Lambda, defined: frozenset[str]
) -> Iterator[str]:
    """Attributes of the whole file's functions and classes that are set through another name for them."""
    aliases = {
        t.id
        for n in ast.walk(function)
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Name) and n.value.id in defined
        for t in n.targets
        if isinstance(t, ast.Name)
    } - set(dir(builtins))
    for n in ast.walk(function):
        if (
            isinstance(n, ast.Attribute | ast.Subscript)
            and not isinstance(n.ctx, ast.Load)
            and _root(n) in aliases
        ):
            yield f"line {n.lineno}: {ast.unparse(n)} is changed for all later calls"
