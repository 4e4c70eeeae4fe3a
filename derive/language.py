"""Cells from text and from SymPy expressions: the one door through which equations enter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sympy import Symbol
from sympy.matrices.expressions import MatrixExpr

from derive.cell import Cell, Equation, Quantity
from derive.dimensions import Size
from derive.errors import LanguageError
from derive.expressions import Timed
from derive.language_build import build, dimension
from derive.language_declarations import (
    Declaration,
    check_twice,
    choose,
    inits,
    is_declaration,
    read_declaration,
)
from derive.language_diagonals import means_identity
from derive.language_expressions import Choices, read_expression
from derive.language_indices import (
    each_index_once,
    indices_of,
    kinds_of,
    write_out_embeddings,
)
from derive.language_init import checked_starts
from derive.language_lines import Document, Statement, Token, read_lines
from derive.language_roles import Named, check_state, evaluation_order, roles
from derive.language_still import stands_still, with_steps
from derive.language_sympy import constant_text, equations_as_text
from derive.language_timed import timed
from derive.losses import write_out
from derive.shapes import Shapes, infer
from derive.syntax import RESERVED, EquationText, Span, references

__all__ = ["cell_from_sympy", "read_cell", "timed"]


def read_cell(
    text: str,
    name: str = "cell",
    options: Mapping[str, str] | None = None,
    *,
    stable: bool = True,
) -> Cell:
    """The cell that a text describes, checked.

    Args:
        text: equations ``name[t] = expression`` and declarations, one a line; see ``derive.syntax``.
        name: the cell's short name.
        options: values for the cell's options, e.g. ``{"g": "relu"}``; the others take their defaults.
        stable: losses in their fused forms, which lose no digit; else as their formulas say, which read predictions.

    Raises:
        LanguageError: the text is not in the language.
        ShapeError: two shapes would have to agree and cannot.
        ArgumentError: an option or its value is unknown.
    """
    source = name if "." in name else f"{name}.cell"
    parts = read_parts(text, source, options or {})
    declarations, chosen, document = parts.declarations, parts.chosen, parts.document
    equations = write_out(parts.equations, indices_of(declarations), stable=stable)
    named = roles(equations, declarations)
    ordered = evaluation_order(equations)
    check_state(equations, named)
    shapes = infer(ordered, named, declarations)
    quantities = _quantities(shapes, named, declarations)
    return Cell(
        name=name,
        equations=tuple(_equation(e, quantities, shapes) for e in ordered),
        quantities=tuple(quantities.values()),
        dims=tuple(dimension(Size(0, ((v, 1),)), shapes.names) for v in shapes.names),
        text=text,
        title=document.title,
        reference=document.reference,
        options=chosen,
        initial=checked_starts(inits(declarations), quantities),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """A cell's text, read line by line.

    Args:
        document: its statements and comments.
        declarations: its declarations.
        chosen: the value of every option.
        equations: its equations, losses not yet written out.
    """

    document: Document
    declarations: list[Declaration]
    chosen: dict[str, str]
    equations: list[EquationText]

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options, in order."""
        return tuple(self.chosen)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in order of first appearance."""
        defined = {e.target for e in self.equations}
        used = (r for e in self.equations for r in references(e.value) if r.lag is not None)
        return tuple(dict.fromkeys(r.name for r in used if r.name not in defined))


def read_parts(text: str, source: str, options: Mapping[str, str]) -> Parts:
    """The lines of a cell's text, before roles and shapes are known.

    Raises:
        LanguageError: a line is not in the language.
        ArgumentError: an option or its value is unknown.
    """
    document = read_lines(text, source)
    declarations = [read_declaration(s) for s in document.statements if is_declaration(s)]
    check_twice(declarations)
    chosen, _ = choose(declarations, options)
    written = _equations(document.statements, chosen, source)
    equations, indices = write_out_embeddings(written)
    return Parts(document, each_index_once([*declarations, *indices]), chosen, equations)


def cell_from_sympy(
    name: str,
    equations: Mapping[Timed, MatrixExpr] | Iterable[tuple[Timed, MatrixExpr]],
    constants: Mapping[str, object] | Iterable[str] = (),
    dims: Mapping[Symbol, int] | None = None,
    *,
    title: str = "",
    reference: str = "",
    initial: Mapping[str, str] | None = None,
) -> Cell:
    """A cell from SymPy expressions, through the same checks as a text.

    The equations are written in the language and read back, so the cell has a text, and messages
    show places in it. Sizes become positive integer symbols of the same name.

    Args:
        name: the cell's short name.
        equations: targets ``h[0]`` (see ``timed``) with their values over ``h[-1]``, … and MatrixSymbols;
            SymPy's ``applyfunc``, HadamardProduct, BlockMatrix of one column and so on are understood.
        constants: names of scalars that are not trained, with or without default values.
        dims: numbers to put in place of sizes.
        title: a line of description.
        reference: where the equations come from.
        initial: how parameters start, e.g. ``{"W": "identity"}``.

    Raises:
        LanguageError: an expression is not in the language.
        ShapeError: two shapes would have to agree and cannot.
    """
    values = dict(constants) if isinstance(constants, Mapping) else dict.fromkeys(constants)
    pairs = equations.items() if isinstance(equations, Mapping) else equations
    lines, shapes = equations_as_text(pairs, values, dims or {})
    head = [f"# {' '.join(title.split())}"] if title else []
    head += [f"# source: {' '.join(reference.split())}"] if reference else []
    head += [constant_text(constant, value) for constant, value in values.items()]
    sizes = {quantity: ", ".join(shape) for quantity, shape in shapes.items()}
    head += [
        f"dim {quantity} = {size}" for quantity, size in sizes.items() if quantity not in values
    ]
    head += [f"init {parameter} = {kind}" for parameter, kind in (initial or {}).items()]
    return read_cell("\n".join([*head, *lines]) + "\n", name)


def _equations(
    statements: tuple[Statement, ...], chosen: Mapping[str, str], source: str
) -> list[EquationText]:
    choices = Choices(
        {option: value for option, value in chosen.items() if not value.isdigit()},
        {option: int(value) for option, value in chosen.items() if value.isdigit()},
        means_identity(statements),
    )
    found = [equation_text(s, choices, still=True) for s in statements if not is_declaration(s)]
    if not found:
        raise LanguageError(
            f"{source} holds no equation.", "Write e.g. h[t] = tanh(W @ h[t-1] + U @ x[t])."
        )
    return with_steps(found)


def equation_text(statement: Statement, choices: Choices, *, still: bool = False) -> EquationText:
    """One equation as read.

    Args:
        statement: where it stands.
        choices: what names stand for that are no quantities.
        still: whether a name without an index may stand on the left.

    Raises:
        LanguageError: the line is no equation.
    """
    tokens = statement.tokens
    signs = [i for i, token in enumerate(tokens) if token.text == "="]
    if len(signs) != 1:
        token = tokens[signs[1]] if signs else tokens[0]
        raise LanguageError(
            "This line is no equation." if not signs else "An equation has one `=`.",
            "Write name[t] = expression.",
            place=statement.place(token.start, token.stop if signs else tokens[-1].stop),
        )
    value = tokens[signs[0] + 1 :]
    bare = still and signs[0] == 1 and stands_still(tokens[0].text, value)
    target = _target(statement, signs[0], bare=bare)
    return EquationText(tokens[0].text, target, read_expression(statement, value, choices), bare)


def _target(statement: Statement, stop: int, *, bare: bool) -> Span:
    """The place of the left side ``name[t]``, or of a bare ``name``."""
    tokens = statement.tokens[:stop]
    span = Span(statement, tokens[0].start if tokens else 0, tokens[-1].stop if tokens else 1)
    texts = [token.text for token in tokens]
    name = texts[0] if texts and tokens[0].kind == "name" else "name"
    if (
        len(texts) > 3
        and tokens[0].kind == "name"
        and texts[1:3] == ["[", "t"]
        and texts[3] in "+-"
    ):
        raise LanguageError(
            "An equation defines the present step; the left side has another time index.",
            f"Write {name}[t] on the left and shift the indices on the right.",
            place=span.place,
        )
    if texts[1:] != ([] if bare else ["[", "t", "]"]) or tokens[0].kind != "name":
        raise LanguageError(
            "The left side of an equation is a name with the index t.",
            _written_target(name, texts[1:], statement.tokens[stop + 1 :]),
            place=span.place,
        )
    if name in RESERVED:
        raise LanguageError(
            f"{name} is a word of the language.", "Choose another name.", place=span.place
        )
    return span


def _written_target(name: str, rest: list[str], value: tuple[Token, ...]) -> str:
    """How the left side is written that reads ``name`` and what stands after it, before this value."""
    if not rest and [token.kind for token in value] == ["number"]:
        return f"Write {name}[t] = …, or declare the number, `const {name} = {value[0].text}`."
    if rest == ["[", "0", "]"]:
        return (
            f"Write {name}[t] = …; what {name} starts from is given to the code, zeros if left out."
        )
    if not rest and len(name) > 2 and name.endswith("_t"):
        return f"Write {name[:-2]}[t] = …, and {name[:-2]}[t-1] for the step before."
    if rest[:1] == [","]:
        return f"Write {name}[t] = …, an equation for each name, with weights of its own."
    return f"Write {name}[t] = …"


def _quantities(
    shapes: Shapes, named: Mapping[str, Named], declarations: list[Declaration]
) -> dict[str, Quantity]:
    values = {d.name: d.value for d in declarations if d.kind == "const"}
    kinds = kinds_of(declarations)
    found = {}
    for name, known in named.items():
        rows, cols = (dimension(size, shapes.names) for size in shapes.of_name[name])
        kind = kinds.get(name, "real")
        found[name] = Quantity(name, known.role, (rows, cols), known.depth, values.get(name), kind)
    return found


def _equation(
    equation: EquationText, quantities: Mapping[str, Quantity], shapes: Shapes
) -> Equation:
    expr = build(equation.value, quantities, shapes.of_node, shapes.names)
    return Equation(quantities[equation.target].symbol, expr, equation.line)
