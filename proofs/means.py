"""The check that reads a file before anything of it runs: what it computes, it computes from what it is given.

A file that asks for the clock, the environment, random numbers of its own, the interpreter or how often it was called
can be right whenever it is looked at, and wrong afterwards. No run sees that; its text says it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType

import numpy as np

from numeric.library import own_functions
from proofs.branches import REPORT
from proofs.means_kept import kept
from proofs.means_names import whole_of
from proofs.means_scopes import Place, is_main, places
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
        *("geterr", "geterrcall", "getbufsize", "get_printoptions"),
    }
)  # fmt: skip
"""Functions of NumPy that read files or the clock, or set what holds for everybody."""
UNSEEN = frozenset(
    {"ctypes", "tofile", "dump", "dumps", "tb_frame", "gi_frame", "f_back", "f_globals"}
)
"""Attributes that lead to addresses, files, or to who is calling."""


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
    whole, called = whole_of(tree, own), _modules(tree)
    yield from _at_the_top(tree)
    for place in places(tree, own):
        for told in (*_outside(place, called), *kept(place, whole)):
            yield f"line {getattr(place.node, 'lineno', 1)}: {told}"


def _modules(tree: ast.Module) -> dict[str, str]:
    """The modules of the file by the names that they have there."""
    imports = (n for n in ast.walk(tree) if isinstance(n, ast.Import))
    names = (a for n in imports for a in n.names)
    return {
        a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
        for a in names
    }


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
        elif not (isinstance(node, ast.Import | ast.ImportFrom) or _is_text(node) or is_main(node)):
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


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _outside(place: Place, called: Mapping[str, str]) -> Iterator[str]:
    """What one node asks for that is no argument and not NumPy's."""
    node = place.node
    if isinstance(node, ast.Import):
        yield from (f"{a.name} is imported" for a in node.names if a.name not in MODULES)
    elif isinstance(node, ast.ImportFrom):
        yield from _from_modules(node)
    elif isinstance(node, ast.Name):
        if node.id in INTERPRETER or (node.id.startswith("__") and node.id.endswith("__")):
            yield f"{node.id} asks the interpreter"
        elif node.id == REPORT:
            yield f"{REPORT} asks who is looking"
        elif node.id in called and not (
            isinstance(place.parent, ast.Attribute) or _is_default_namespace(place)
        ):
            yield f"{ast.unparse(place.parent).splitlines()[0]}: {node.id} is a module, and handed on"
    elif isinstance(node, ast.Attribute):
        yield from _by_attribute(node, called)
    elif isinstance(node, ast.Call) and _draws_without_seed(node):
        yield "random numbers without a seed that is given"


def _is_default_namespace(place: Place) -> bool:
    """Whether this is the NumPy of ``xp: Any = np``, an array namespace where none is given."""
    arguments = place.parent
    if not isinstance(arguments, ast.arguments):
        return False
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return any(arg.arg == "xp" and default is place.node for arg, default in pairs)


def _from_modules(node: ast.ImportFrom) -> Iterator[str]:
    """What is imported from a module that a file must not have."""
    if node.module not in MODULES or node.level:
        yield f"{node.module} is imported"
        return
    for a in node.names:
        if node.module == "numpy":
            if not _is_numpys_own(a.name):
                yield f"np.{a.name}"
        elif _is_a_module(node.module, a.name):
            yield f"{node.module}.{a.name} is imported"


def _is_a_module(module: str, name: str) -> bool:
    """Whether a name of a module's stands for another module, numba's types apart."""
    known = sys.modules.get(module)
    return isinstance(getattr(known, name, None), ModuleType) and (module, name) != (
        "numba",
        "types",
    )


def _draws_without_seed(node: ast.Call) -> bool:
    """Whether a generator of random numbers is made from none, or always from the same."""
    made = ast.unparse(node.func).endswith("default_rng")
    return made and (not node.args or isinstance(node.args[0], ast.Constant))


def _by_attribute(node: ast.Attribute, called: Mapping[str, str]) -> Iterator[str]:
    base, dot, rest = ast.unparse(node.value).partition(".")
    module = called.get(base, base) + dot + rest
    dunder = node.attr.startswith("__") and node.attr.endswith("__")
    if (dunder and node.attr != "__init__") or node.attr in UNSEEN:
        yield f"{ast.unparse(node)} asks the interpreter"
    elif module == "numpy":
        if not _is_numpys_own(node.attr):
            yield f"np.{node.attr}"
    elif module == "numpy.random":
        if node.attr not in ("Generator", "default_rng"):
            yield f"np.random.{node.attr}"
    elif base in called and _is_a_module(module, node.attr):
        yield f"{ast.unparse(node)} is a module"
    elif base not in called and node.attr in OUTSIDE | {"random", "lib"} and not dot:
        yield f"{ast.unparse(node)} may be NumPy's {node.attr}"


def _is_numpys_own(name: str) -> bool:
    """Whether a name of NumPy's stands for a function of its arguments, a type or a number."""
    value = getattr(np, name, None)
    return name not in OUTSIDE and (
        name in ROOMS or not isinstance(value, ModuleType | dict | list | set)
    )
