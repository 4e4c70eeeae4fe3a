"""Random cells for property tests: ``@given(cells())``.

A cell is drawn as its text in the equation language, so that a failing example can be read, shrinks to few and short
equations, and can be pasted into a file. Every text is valid: each name's shape is declared, expressions are drawn for
a wanted shape, and arguments of roots, logarithms and divisors stay away from zero. What occurs:

- one to four equations over columns of three different sizes, rows, scalars and matrices;
- states at lags 1 to 3 and intermediates, several inputs at lags 0 to 2, or none;
- parameters used more than once, W and W.T in one cell, constants with and without a value, or no parameters at all;
- gates over the same vectors, sums, products of both kinds, quotients, powers, transposes, stacking;
- sums and means over entries, softmax, rows and columns scaled by diagonals, every function.

``@given(samples())`` gives such a cell with numbers for everything in it, of which no value grows beyond bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from derive.cell import Cell
from derive.language import read_cell
from tests.oracle import Sample, moderate, sample

Shape = tuple[str, str]

COLUMNS: tuple[Shape, ...] = (("n", "1"), ("m", "1"), ("k", "1"))
SCALAR: Shape = ("1", "1")
MATRICES: tuple[Shape, ...] = (("n", "m"), ("n", "n"), ("m", "k"), ("1", "n"))

SMOOTH = ("tanh", "sigmoid", "softplus", "sin", "cos", "exp", "log", "sqrt")
KINKED = ("relu", "abs")
_SAFE = {
    "exp": "exp(sin({}))",
    "log": "log(2 + cos({}))",
    "sqrt": "sqrt(1 + ({})**2)",
}
"""How a function is applied so that its argument lies in its domain and its value stays moderate."""


@dataclass
class _Grammar:
    """What an equation may use.

    Args:
        targets: the names that the cell defines, with their shapes, in order.
        defined: how many of them stand before the present equation.
        functions: the names of functions that may occur.
        declared: the declarations of what has been used so far.
    """

    targets: dict[str, Shape]
    functions: tuple[str, ...]
    defined: int = 0
    declared: dict[str, str] = field(default_factory=dict)

    def declare(self, name: str, shape: Shape) -> str:
        rows, cols = shape
        self.declared[name] = f"dim {name} = {rows}" + ("" if cols == "1" else f", {cols}")
        return name


def _tag(shape: Shape) -> str:
    rows, cols = shape
    return rows.replace("1", "o") + cols.replace("1", "")


def _leaf(grammar: _Grammar, shape: Shape) -> st.SearchStrategy[str]:
    """A name of this shape: a parameter, an input, a quantity of an earlier step or of an earlier line."""
    timed = [name for name, of in grammar.targets.items() if of == shape]
    ready = {name for name in timed if name in [*grammar.targets][: grammar.defined]}
    uses = [f"{name}[t-{lag}]" for name in timed for lag in (1, 2, 3)]
    uses += [f"{name}[t]" for name in timed if name in ready]
    letter = "W" if "1" not in shape else "p"
    fixed = [f"{letter}_{_tag(shape)}", f"{'V' if letter == 'W' else 'b'}_{_tag(shape)}"]
    inputs = [
        f"{x}_{_tag(shape)}[{index}]" for x in ("x", "u") for index in ("t", "t-1", "t-2")
    ] * (shape != SCALAR)
    constants = ["alpha", "0.5"] if shape == SCALAR else []

    def known(use: str) -> str:
        name = use.partition("[")[0]
        if name == "alpha":
            grammar.declared[name] = "const alpha = 0.75"
        elif name not in grammar.targets and not name[0].isdigit():
            grammar.declare(name, shape)
        return use

    return st.sampled_from([*inputs, *uses, *fixed, *constants]).map(known)


@st.composite
def _expression(draw, grammar: _Grammar, shape: Shape, depth: int) -> str:
    """An expression of this shape, in brackets unless it is a name or a call."""
    kinds = ["leaf"]
    if depth > 0:
        kinds += [
            "function", "sum", "product", "matmul", "affine", "difference", "transpose", "scalar", "quotient",
            "negative", "number", "complement", "power", "spread", "rows_scaled", "columns_scaled",
        ]  # fmt: skip
        kinds += ["sum_of", "mean", "inner", "logsumexp"] * (shape == SCALAR)
        kinds += ["softmax", "gate", "gate"] * (shape[1] == "1")
        kinds += ["stacked"] * (shape[0] != "1")
        kinds += ["outer"] * ("1" not in shape)
    kind = draw(st.sampled_from(kinds))
    if kind == "leaf":
        return draw(_leaf(grammar, shape))

    def part(of: Shape = shape) -> str:
        return draw(_expression(grammar, of, depth - 1))

    return draw(_compound(grammar, kind, shape, part))


@st.composite
def _compound(draw, grammar: _Grammar, kind: str, shape: Shape, part) -> str:
    rows, cols = shape
    if kind in _ENTRYWISE:
        return _ENTRYWISE[kind].format(*(part() for _ in range(_ENTRYWISE[kind].count("{}"))))
    if kind in ("gate", "affine", "stacked"):
        return draw(_weighted(grammar, kind, shape, part))
    if kind == "function":
        name = draw(st.sampled_from(grammar.functions))
        return _SAFE.get(name, f"{name}({{}})").format(part())
    if kind == "matmul":
        inner = draw(st.sampled_from("nmk"))
        return f"({part((rows, inner))} @ {part((inner, cols))})"
    if kind == "outer":
        return f"({part((rows, '1'))} @ ({part((cols, '1'))}).T)"
    if kind == "inner":
        inner = (draw(st.sampled_from("nmk")), "1")
        return f"(({part(inner)}).T @ {part(inner)})"
    if kind == "rows_scaled":
        return f"(diag({part((rows, '1'))}) @ {part()})"
    if kind == "columns_scaled":
        return f"({part()} @ diag({part((cols, '1'))}))"
    if kind == "transpose":
        return f"({part((cols, rows))}).T"
    if kind in _WITH_SCALAR:
        return _WITH_SCALAR[kind].format(part(SCALAR), part())
    of = COLUMNS if kind == "logsumexp" else (*COLUMNS, *MATRICES)
    return f"{kind.removesuffix('_of')}({part(draw(st.sampled_from(of)))})"


@st.composite
def _weighted(draw, grammar: _Grammar, kind: str, shape: Shape, part) -> str:
    """Parameters by vectors."""
    rows, cols = shape
    if kind == "gate":
        inner, letter = draw(st.sampled_from("nm")), draw(st.sampled_from("WVQ"))
        weight = grammar.declare(f"{letter}_{_tag((rows, inner))}", (rows, inner))
        vector, bias = draw(_leaf(grammar, (inner, "1"))), draw(_leaf(grammar, shape))
        return f"sigmoid({weight} @ {vector} + {bias})"
    if kind == "affine":
        inner = draw(st.sampled_from("mnk"))
        weight = grammar.declare(f"W_{_tag((rows, inner))}", (rows, inner))
        return f"({weight} @ {part((inner, cols))} + {part()})"
    top, low = draw(st.sampled_from([("n", "m"), ("m", "k"), ("n", "n")]))
    weight = grammar.declare(f"K_{rows}{top}{low}", (rows, f"{top} + {low}"))
    return f"({weight} @ concat({part((top, cols))}, {part((low, cols))}))"


_WITH_SCALAR = {"scalar": "({} * {})", "spread": "({} + {})"}
_ENTRYWISE = {
    "sum": "({} + {})",
    "difference": "({} - {})",
    "product": "({} * {})",
    "quotient": "({} / (2 + sin({})))",
    "negative": "(-{})",
    "number": "(0.3 * {})",
    "complement": "(1 - {})",
    "power": "(tanh({})**2)",
    "softmax": "softmax({})",
}

_SQUASHED = ("tanh({})", "sigmoid({})", "sin({})", "{}")


@st.composite
def cell_texts(
    draw,
    *,
    equations: int = 4,
    depth: int = 3,
    functions: tuple[str, ...] = (*SMOOTH, *KINKED),
    matrices: bool = True,
) -> str:
    """The text of a valid cell.

    Args:
        equations: at most so many.
        depth: nodes of an expression stand at most so deep.
        functions: the functions that may occur; ``SMOOTH`` leaves out those with kinks.
        matrices: whether targets may be rows and matrices too, and not only columns and scalars.
    """
    shapes = [*COLUMNS, SCALAR, *(MATRICES if matrices else ())]
    names = draw(st.integers(1, equations).map(lambda count: ("h", "c", "s", "y")[:count]))
    targets = {name: draw(st.sampled_from(shapes)) for name in names}
    grammar = _Grammar(targets, functions)
    lines = []
    for i, (name, shape) in enumerate(targets.items()):
        grammar.defined = i
        grammar.declare(name, shape)
        body = draw(_expression(grammar, shape, depth))
        if i == 0:  # so that there is a state
            body = f"{body} + 0.5 * {name}[t-{draw(st.integers(1, 3))}]"
        lines.append(f"{name}[t] = {draw(st.sampled_from(_SQUASHED)).format(body)}")
    return "\n".join([*grammar.declared.values(), *lines]) + "\n"


def cells(**limits) -> st.SearchStrategy[Cell]:
    """A random cell; its text is ``cell.text``. The arguments are those of ``cell_texts``."""
    return cell_texts(**limits).map(lambda text: read_cell(text, "random"))


def samples(*, T: int = 4, B: int = 2, **limits) -> st.SearchStrategy[Sample]:
    """A random cell, ``.cell``, with random numbers for T steps and B samples; moderate values throughout."""
    return cells(**limits).map(lambda cell: sample(cell, T=T, B=B)).filter(moderate)
