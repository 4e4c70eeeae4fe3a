"""What holds for every file that ships: who imports whom, size, docstrings, no text evaluated."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("sources")
ROOT = Path(__file__).resolve().parents[1]
ORDER = ("derive", "numeric", "proofs", "reports", "throughtime")
LONGEST_FILE = 400
ARRAYS_AND_PAGES = {"numpy", "scipy", "matplotlib", "nbformat", "nbconvert", "click"}
EVALUATES_TEXT = {"sympify", "parse_expr", "eval", "exec", "lambdify"}


def shipped_files() -> list[Path]:
    return sorted(path for package in ORDER for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


every_file = pytest.mark.parametrize(
    "path", [pytest.param(path, id=name_of(path)) for path in shipped_files()]
)


def imports_of(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import, wherever it stands; for types only counts too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, package if node.level else (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            for name in [arg.value for arg in node.args if isinstance(arg, ast.Constant)]:
                yield node.lineno, str(name).partition(".")[0]


def called(node: ast.Call) -> str:
    function = node.func
    return getattr(function, "attr", None) or getattr(function, "id", "")


def test_the_packages_that_ship_are_the_ones_in_the_order() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert tuple(build["targets"]["wheel"]["packages"]) == ORDER
    assert [package for package in ORDER if not (ROOT / package / "__init__.py").exists()] == []


@every_file
def test_imports_run_one_way(path: Path) -> None:
    package = name_of(path).partition("/")[0]
    above = set(ORDER[ORDER.index(package) + 1 :]) | {"tests", "benchmarks"}
    wrong = [f"line {n}: {name}" for n, name in imports_of(tree_of(path), package) if name in above]
    assert wrong == []


@every_file
def test_derive_knows_mathematics_only(path: Path) -> None:
    if not name_of(path).startswith("derive/"):
        return
    found = imports_of(tree_of(path), "derive")
    assert [f"line {n}: {name}" for n, name in found if name in ARRAYS_AND_PAGES] == []


def module_imports(path: Path) -> set[str]:
    """The shipped modules that the file imports anywhere, imports for types excepted."""
    tree = tree_of(path)
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_cycle_hides_in_a_function() -> None:
    modules = {}
    for path in shipped_files():
        dotted = name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        modules[dotted] = path
    edges = {m: (module_imports(p) & modules.keys()) - {m} for m, p in modules.items()}
    while leaves := [m for m, targets in edges.items() if not targets & edges.keys()]:
        for leaf in leaves:
            del edges[leaf]
    assert {m: sorted(targets & edges.keys()) for m, targets in edges.items()} == {}


@every_file
def test_no_file_is_longer_than_one_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def evaluations_of(tree: ast.Module) -> list[str]:
    """Every mention of a function that evaluates text: called, passed on, renamed or imported."""
    found: list[str] = []
    for node in ast.walk(tree):
        names = {getattr(node, "id", None), getattr(node, "attr", None)}
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {part for alias in node.names for part in alias.name.split(".")}
        line = getattr(node, "lineno", 0)
        found += [f"line {line}: {name}" for name in names & EVALUATES_TEXT]
    return found


@every_file
def test_text_is_never_evaluated(path: Path) -> None:
    assert evaluations_of(tree_of(path)) == []


@pytest.mark.parametrize(
    "text",
    [
        "eval(text)",
        "builtins.exec(text)",
        "run = sympy.lambdify",
        "from sympy import sympify as s",
        "from sympy.parsing.sympy_parser import parse_expr",
        "def f():\n    return list(map(eval, texts))",
    ],
)
def test_an_evaluation_is_seen_however_it_is_written(text: str) -> None:
    assert evaluations_of(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "import reports.files",
        "from reports import files",
        "def f():\n    from reports.files import write_files",
        "importlib.import_module('reports.files')",
        "if TYPE_CHECKING:\n    import reports",
    ],
)
def test_an_import_is_seen_wherever_it_stands(text: str) -> None:
    assert "reports" in {name for _, name in imports_of(ast.parse(text), "derive")}


def public_definitions(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_") or "overload" in map(ast.unparse, node.decorator_list):
            continue
        yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node, f"{prefix}{node.name}.")


@every_file
def test_public_names_say_what_they_are(path: Path) -> None:
    tree = tree_of(path)
    silent = [] if ast.get_docstring(tree) else ["the module"]
    silent += [name for name, node in public_definitions(tree) if not ast.get_docstring(node)]
    assert silent == []


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files are tracked is unknown")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_tracked_file_names_a_folder_of_somebodys_machine() -> None:
    folders = "|".join(("work", "farm", "home", "Users", "root", "opt", "srv", "mnt", "tmp"))
    absolute = re.compile(rf"(?<![\w.)\]}}~-])/(?:{folders})/\w|file://|\b[A-Z]:\\Users")
    found = []
    for path in tracked_files():
        text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
        if "\0" in text or path.suffix in {".js", ".css"}:
            continue  # binary, or other people's code as they ship it
        for number, line in enumerate(text.splitlines(), 1):
            if path != Path(__file__).resolve() and (hit := absolute.search(line)):
                found.append(f"{name_of(path)}:{number}: {hit.group()}")
    assert found == []


def test_every_file_has_its_line_in_the_architecture() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    names = {name_of(path): path for path in shipped_files() if path.stat().st_size}
    absent = [name for name in names if f"`{name}`" not in page]
    subjects = {n: (ast.get_docstring(tree_of(names[n])) or "").partition("\n")[0] for n in absent}
    lines = "\n".join(f"| `{name}` | {subject} |" for name, subject in subjects.items())
    assert not absent, f"ARCHITECTURE.md lacks:\n{lines}"
    gone = set(re.findall(r"(?m)^\| `([\w/]+\.py)` \|", page)) - names.keys()
    assert not gone, f"ARCHITECTURE.md still has: {sorted(gone)}"


def test_every_invariant_names_a_test_that_exists() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert named, "ARCHITECTURE.md names no test"
    gone = []
    for file, test in named:
        text = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).exists() else ""
        if f"def {test}(" not in text:
            gone.append(f"{file}::{test}")
    assert gone == []
