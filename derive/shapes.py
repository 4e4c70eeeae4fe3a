"""The shapes of a cell's quantities and of every part of its expressions, by unification.

First all that is certain: matrix products, functions, transposes, stacks, targets. Then ``+``, ``-``, ``*``,
``/``, where a scalar (1, 1) meets any shape and all others agree. At last what nothing determines: the columns of
a quantity are 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from derive.dimensions import FIXED, ONE, VARYING, Contradiction, Dimensions, Size, combine
from derive.errors import LanguageError
from derive.language_declarations import Declaration
from derive.language_roles import Named
from derive.shape_messages import Demand, conflict, undecided
from derive.shape_names import name_sizes
from derive.shape_numbers import made_of_numbers
from derive.syntax import (
    REDUCTIONS,
    Applied,
    Chain,
    EquationText,
    Literal,
    Node,
    Power,
    Product,
    Ref,
    Span,
    Stack,
    Sum,
    Transposed,
    children,
    postorder,
)

Shape = tuple[Size, Size]

GIVEN_ROWS = 1  # the rows of an input or a parameter, and of what softmax acts on
ANY_ROWS = 2  # the rows of anything
TIMED_COLUMNS = 4  # the columns of a quantity with a time index

SCALAR: Shape = (ONE, ONE)


@dataclass(frozen=True, slots=True)
class Shapes:
    """What inference found.

    Args:
        of_name: (rows, columns) of every quantity.
        of_node: (rows, columns) of every part of every expression.
        names: the name of each unknown size that is left, in order of first appearance.
    """

    of_name: dict[str, Shape]
    of_node: dict[Node, Shape]
    names: dict[object, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """A matrix that has the values of a sequence as its columns.

    Args:
        matrix: its name.
        sequence: the name of the sequence, whose values are columns themselves.
        length: the name of the size that is how many steps there are.
        span: the place that says so.
    """

    matrix: str
    sequence: str
    length: str
    span: Span


def infer(
    equations: Sequence[EquationText],
    named: Mapping[str, Named],
    declared: Iterable[Declaration],
    alike: Iterable[tuple[str, str, Span]] = (),
    columns: Iterable[Columns] = (),
) -> Shapes:
    """The shapes of a cell.

    Args:
        equations: in order of evaluation.
        named: the role of every name.
        declared: the declarations.
        alike: pairs of names of one shape, and the place that says so.
        columns: matrices made of sequences.

    Raises:
        ShapeError: two shapes would have to agree and cannot, or a size cannot be decided.
    """
    work = _Inference(named)
    try:
        work.start()
        for c in columns:
            work.made_of_columns(c)
        work.run(equations, [d for d in declared if d.kind in ("dim", "const")], alike)
    except Contradiction as found:
        raise conflict(
            found, work.dimensions, name_sizes(work.shapes(), named, work.dimensions)
        ) from None
    if work.dimensions.waiting:
        names = name_sizes(work.shapes(), named, work.dimensions)
        raise undecided(work.dimensions.waiting[0], work.dimensions, names)
    shapes = work.shapes()
    resolve = work.dimensions.resolve
    nodes = {node: (resolve(rows), resolve(cols)) for node, (rows, cols) in work.nodes.items()}
    return Shapes(shapes, nodes, name_sizes(shapes, named, work.dimensions))


@dataclass(slots=True)
class _Inference:
    named: Mapping[str, Named]
    dimensions: Dimensions[Demand] = field(default_factory=lambda: Dimensions[Demand]())
    of_name: dict[str, Shape] = field(default_factory=dict)
    nodes: dict[Node, Shape] = field(default_factory=dict)

    def shapes(self) -> dict[str, Shape]:
        """The quantities' shapes as far as known."""
        resolve = self.dimensions.resolve
        return {name: (resolve(rows), resolve(cols)) for name, (rows, cols) in self.of_name.items()}

    def start(self) -> None:
        """An unknown shape for every name."""
        for name, found in self.named.items():
            given = found.role in ("input", "parameter")
            fixed = FIXED if found.role == "parameter" else 0
            rows = self.dimensions.new(ANY_ROWS | fixed | (GIVEN_ROWS if given else 0))
            self.of_name[name] = (rows, self.dimensions.new(fixed or TIMED_COLUMNS))

    def run(
        self,
        equations: Sequence[EquationText],
        declared: list[Declaration],
        alike: Iterable[tuple[str, str, Span]],
    ) -> None:
        for declaration in declared:
            self.declare(declaration)
        for a, b, span in alike:
            self.same(self.of_name[a], self.of_name[b], Demand("alike", span, span))
        order = [node for equation in equations for node in postorder(equation.value)]
        for node in order:
            self.nodes[node] = _RULES[type(node)](self, node)
        for equation in equations:
            self.target(equation)
        open_nodes = [
            n for n in order if isinstance(n, Sum | Product) and not self.join_if_clear(n)
        ]
        self.numbers(equations)
        for node in open_nodes:
            self.join(node)
        self.dimensions.settle()
        for node in order:
            if isinstance(node, Applied) and node.function in ("softmax", "logsumexp"):
                self.column(node)
        self.default_columns()
        for node in order:
            if isinstance(node, Applied) and node.function == "repeat":
                self.repeated(node)
        self.dimensions.settle()

    def same(self, a: Shape, b: Shape, demand: Demand) -> None:
        """Rows equal rows, and columns equal columns."""
        self.dimensions.equate(a[0], b[0], demand)
        self.dimensions.equate(a[1], b[1], demand.columns())

    def made_of_columns(self, c: Columns) -> None:
        """The rows of the sequence, and a column for each step."""
        demand = Demand("columns", c.span, c.span)
        rows, cols = self.of_name[c.sequence]
        self.dimensions.equate(cols, ONE, demand.columns())
        made = (rows, self.dimensions.declared(c.length))
        self.dimensions.mark(made[1], VARYING)
        self.same(self.of_name[c.matrix], made, demand)

    def declare(self, declaration: Declaration) -> None:
        if declaration.kind == "const":
            sizes: Shape = SCALAR
        else:
            first, *rest = [self.size(declaration, size) for size in declaration.value]  # type: ignore[attr-defined]
            sizes = (first, rest[0] if rest else ONE)
        self.same(
            self.of_name[declaration.name],
            sizes,
            Demand("declared", declaration.span, declaration.span),
        )

    def size(self, declaration: Declaration, size: tuple[int, tuple[tuple[str, int], ...]]) -> Size:
        constant, names = size
        for name, _ in names:
            if name in self.named:
                raise LanguageError(
                    f"{name} is a quantity and cannot be the name of a size.",
                    "Rename one of them.",
                    place=declaration.span.place,
                )
        return combine(
            [(1, Size(constant)), *((k, self.dimensions.declared(name)) for name, k in names)]
        )

    def target(self, equation: EquationText) -> None:
        """The two sides of an equation have one shape."""
        demand = Demand("equation", equation.target_span, equation.value.span)
        self.same(self.of_name[equation.target], self.nodes[equation.value], demand)

    # ── certain rules: each returns the shape of its node ──

    def literal(self, node: Literal) -> Shape:
        return SCALAR

    def ref(self, node: Ref) -> Shape:
        return self.of_name[node.name]

    def transposed(self, node: Transposed) -> Shape:
        rows, cols = self.nodes[node.of]
        return cols, rows

    def power(self, node: Power) -> Shape:
        return self.nodes[node.base]

    def applied(self, node: Applied) -> Shape:
        if node.function in ("softmax", "logsumexp"):
            self.dimensions.mark(self.nodes[node.of][0], GIVEN_ROWS)
        if node.function == "diag":
            rows, cols = self.nodes[node.of]
            self.dimensions.equate(cols, ONE, Demand("diag", node.of.span, node.of.span, 1))
            return rows, rows
        if node.function == "repeat":
            rows, cols = self.nodes[node.of]
            self.dimensions.equate(cols, ONE, Demand("repeat", node.of.span, node.of.span, 1))
            return rows, self.dimensions.new()
        if node.function == "number":
            self.same(self.nodes[node.of], SCALAR, Demand("number", node.of.span, node.of.span))
        return SCALAR if node.function in REDUCTIONS else self.nodes[node.of]

    def chain(self, node: Chain) -> Shape:
        left = node.factors[0]
        for right in node.factors[1:]:
            demand = Demand("product", left.span, right.span, 1, 0)
            self.dimensions.equate(self.nodes[left][1], self.nodes[right][0], demand)
            left = right
        return self.nodes[node.factors[0]][0], self.nodes[left][1]

    def stack(self, node: Stack) -> Shape:
        first = node.parts[0]
        for part in node.parts[1:]:
            demand = Demand("stack", first.span, part.span, 1, 1)
            self.dimensions.equate(self.nodes[first][1], self.nodes[part][1], demand)
        return combine((1, self.nodes[part][0]) for part in node.parts), self.nodes[first][1]

    def entrywise(self, node: Sum | Product) -> Shape:
        """Left open here: ``join`` decides it."""
        if len(children(node)) == 1:
            return self.nodes[children(node)[0]]
        return self.dimensions.new(), self.dimensions.new()

    # ── what is normalised ──

    def column(self, node: Applied) -> None:
        """softmax and logsumexp act on a column; a matrix, whose columns are the rows of something, is no column.

        Asked when all else is settled: earlier, the demand would silently make a number of whatever meets the matrix.
        """
        cols = self.nodes[node.of][1]
        demand = Demand("softmax", node.of.span, node.of.span, 1)
        if self.dimensions.flags_of(self.dimensions.resolve(cols)) & ANY_ROWS:
            raise Contradiction(cols, ONE, demand)
        self.dimensions.equate(cols, ONE, demand)

    def repeated(self, node: Applied) -> None:
        """How many columns there are is said by what stands beside them.

        Raises:
            LanguageError: nothing says it.
        """
        cols = self.dimensions.resolve(self.nodes[node][1])
        known = {v for shape in self.shapes().values() for size in shape for v in size.unknowns}
        if any(v not in known and not v.name for v in cols.unknowns):
            raise LanguageError(
                f"{node.span.text}: nothing says how many columns there are.",
                "Add it to a matrix, or multiply one by it entry by entry: M[t] + repeat(a[t]).",
                place=node.span.place,
            )

    # ── sums and entrywise products ──

    def resolved(self, node: Node) -> Shape:
        rows, cols = self.nodes[node]
        return self.dimensions.resolve(rows), self.dimensions.resolve(cols)

    def others(self, node: Node) -> list[Node]:
        """The operands that are not known to be scalar."""
        return [part for part in children(node) if self.resolved(part) != SCALAR]

    def join_if_clear(self, node: Node) -> bool:
        """Settle a node of which at most one operand is not known to be scalar."""
        others = self.others(node)
        if len(others) > 1:
            return False
        part = others[0] if others else children(node)[0]
        self.same(self.nodes[part], self.nodes[node], Demand("entrywise", part.span, node.span))
        return True

    def join(self, node: Node) -> None:
        """Settle a node: scalars meet any shape, all other operands agree."""
        others = self.others(node)
        if any(self.is_extended(part) for part in others):
            for part in [part for part in others if self.is_scalar_by_default(part)]:
                self.same(self.nodes[part], SCALAR, Demand("default", part.span, part.span))
                others.remove(part)
        first = others[0] if others else children(node)[0]
        for part in others[1:]:
            self.same(
                self.nodes[first], self.nodes[part], Demand("entrywise", first.span, part.span)
            )
        self.same(self.nodes[first], self.nodes[node], Demand("entrywise", first.span, node.span))

    def numbers(self, equations: Sequence[EquationText]) -> None:
        """What is made of numbers alone is a number."""
        open_names = {
            name: all(size == ONE or self.is_free(size) for size in shape)
            for name, shape in self.shapes().items()
            if shape != SCALAR
        }
        for name in made_of_numbers(
            equations, open_names, lambda node: self.resolved(node) == SCALAR
        ):
            span = self.named[name].span
            self.same(self.of_name[name], SCALAR, Demand("default", span, span))

    def is_free(self, size: Size) -> bool:
        """Whether nothing that is given has a say in a size."""
        v = size.single
        return v is not None and not v.name and not self.dimensions.flags[v] & (GIVEN_ROWS | FIXED)

    def is_extended(self, node: Node) -> bool:
        """Whether some row count in its shape is one that inputs or parameters bring, or a number above 1."""
        rows, cols = self.resolved(node)
        declared = any(v.name for v in (*rows.unknowns, *cols.unknowns))
        flags = self.dimensions.flags_of(rows) | self.dimensions.flags_of(cols)
        return declared or rows.constant > 1 or cols.constant > 1 or bool(flags & GIVEN_ROWS)

    def is_scalar_by_default(self, node: Node) -> bool:
        """Whether both sizes will be 1, as columns of quantities that change with time and are nothing else."""
        return all(
            size == ONE
            or (self.is_one_by_default(size) and self.dimensions.flags_of(size) & TIMED_COLUMNS)
            for size in self.resolved(node)
        )

    def is_one_by_default(self, size: Size) -> bool:
        if size == ONE:
            return True
        if size.single is None or size.single.name:
            return False
        flags = self.dimensions.flags[size.single]
        return not flags & GIVEN_ROWS and bool(flags & TIMED_COLUMNS or not flags & ANY_ROWS)

    def default_columns(self) -> None:
        """Columns that nothing determines are 1: of what is given first, then of all but the rows of a matrix."""
        given = [n for n, found in self.named.items() if found.role in ("input", "parameter")]
        for name in dict.fromkeys([*given, *self.of_name]):
            size = self.dimensions.resolve(self.of_name[name][1])
            one = size != ONE and self.is_one_by_default(size)
            if one and (name in given or not self.is_rows_of_a_matrix(size)):
                span: Span = self.named[name].span
                self.dimensions.equate(size, ONE, Demand("default", span, span, 1))

    def is_rows_of_a_matrix(self, size: Size) -> bool:
        """Whether something with as many rows has as many columns as something that is given has rows."""
        return any(
            rows == size
            and any(v.name or self.dimensions.flags[v] & GIVEN_ROWS for v in cols.unknowns)
            for rows, cols in self.shapes().values()
            if cols != size
        )


_RULES: dict[type[Node], Callable[[_Inference, Any], Shape]] = {
    Literal: _Inference.literal,
    Ref: _Inference.ref,
    Sum: _Inference.entrywise,
    Product: _Inference.entrywise,
    Chain: _Inference.chain,
    Power: _Inference.power,
    Transposed: _Inference.transposed,
    Applied: _Inference.applied,
    Stack: _Inference.stack,
}
