"""Losses and logarithms of probabilities written out, in the fused and stable forms of the field.

    squared_error(y, d)         = ½ Σ (y − d)²
    binary_cross_entropy(p, d)  = Σ softplus(a) − d ∘ a             where p = sigmoid(a)
    cross_entropy(p, d)         = (Σ d) logsumexp(a) − Σ d ∘ a      where p = softmax(a)

so that the gradients by a come out as p − d and (Σ d) p − d. Where d is an index or a softmax, Σ d = 1 is left out.
Where p is not defined by a sigmoid or a softmax, the plain forms −Σ d ∘ log p − (1 − d) ∘ log(1 − p) and −Σ d ∘ log p
are taken. The two forms are equal for every d.

    log(sigmoid(a)) = −softplus(−a)        log(1 − sigmoid(a)) = −softplus(a)

so that no digit is lost where a probability is small.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derive.errors import LanguageError
from derive.syntax import (
    Applied,
    EquationText,
    Literal,
    Loss,
    Node,
    Power,
    Product,
    Ref,
    Span,
    Sum,
    postorder,
    with_children,
)

_FUSED = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}


def write_out(
    equations: Sequence[EquationText], indices: Collection[str], *, stable: bool = True
) -> list[EquationText]:
    """The equations with every loss written out, and the logarithms of logistic functions.

    A fused loss names the argument of its prediction's function.

    Args:
        equations: of a cell or a network.
        indices: the inputs that are one-hot columns.
        stable: in the fused forms; else in the plain ones, in which a loss reads the prediction itself, and with
            logarithms as they are.

    Raises:
        LanguageError: an index is given as the prediction.
    """
    if not stable:
        plain = _Writer({}, frozenset())
        return [replace(e, value=mapped(e.value, plain.loss)) for e in equations]
    if not any(_is_written_out(node) for e in equations for node in postorder(e.value)):
        return list(equations)
    writer = _Writer({e.target: e for e in equations}, frozenset(indices))
    done = [replace(e, value=mapped(mapped(e.value, writer.loss), logarithm)) for e in equations]
    return [new for e in done for new in writer.with_argument(e)]


def logarithm(node: Node) -> Node:
    """The logarithm of a logistic function, or of one minus it, by softplus; any other node as it is."""
    match node:
        case Applied(span, "log", Applied(_, "sigmoid", a)):
            return _negative(span, Applied(span, "softplus", _negative(span, a)))
        case Applied(span, "log", Sum(_, ((1, Literal(_, one)), (-1, Applied(_, "sigmoid", a))))):
            return _negative(span, Applied(span, "softplus", a)) if one == 1 else node
    return node


def _is_written_out(node: Node) -> bool:
    return isinstance(node, Loss) or logarithm(node) is not node


def _negative(span: Span, of: Node) -> Node:
    return Sum(span, ((-1, of),))


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with ``change`` applied to every node, operands first."""
    return remapped(node, lambda _, new: change(new))


def remapped(node: Node, change: Callable[[Node, Node], Node]) -> Node:
    """The tree with every node changed, operands first; ``change`` is given each as it was and with new operands."""
    return change(node, with_children(node, lambda of: remapped(of, change)))


@dataclass(slots=True)
class _Writer:
    defined: dict[str, EquationText]
    indices: frozenset[str]
    arguments: dict[str, Ref] = field(default_factory=dict)

    def loss(self, node: Node) -> Node:
        if not isinstance(node, Loss):
            return node
        span, p, d = node.span, node.prediction, node.target
        if node.function == "squared_error":
            square = Power(span, Sum(span, ((1, p), (-1, d))), 2)
            return Product(span, ((1, _number(span, 1, 2)), (1, Applied(span, "sum", square))))
        if isinstance(p, Ref) and p.name in self.indices:
            raise LanguageError(
                f"{p.name} is an index, and no prediction: the logarithm of its zeros would be taken.",
                f"The prediction comes first: {node.function}(y[t], {p.name}[t]).",
                place=p.span.place,
            )
        a = self.argument(p, _FUSED[node.function])
        if node.function == "cross_entropy":
            return self.cross_entropy(span, p, d, a)
        return self.binary(span, p, d, a)

    def cross_entropy(self, span: Span, p: Node, d: Node, a: Ref | None) -> Node:
        if a is None:
            plain = Product(span, ((1, d), (1, Applied(span, "log", p))))
            return Sum(span, ((-1, Applied(span, "sum", plain)),))
        matched = Applied(span, "sum", Product(span, ((1, d), (1, a))))
        total: Node = Applied(span, "logsumexp", a)
        if not self.sums_to_one(d):
            total = Product(span, ((1, Applied(span, "sum", d)), (1, total)))
        return Sum(span, ((1, total), (-1, matched)))

    def sums_to_one(self, d: Node) -> bool:
        """Whether the entries of a target do so by what it is."""
        if not isinstance(d, Ref) or d.lag != 0:
            return False
        return d.name in self.indices or self.argument_of(d.name, "softmax") is not None

    @staticmethod
    def binary(span: Span, p: Node, d: Node, a: Ref | None) -> Node:
        if a is None:
            one = _number(span, 1, 1)
            other = Applied(span, "log", Sum(span, ((1, one), (-1, p))))
            no = Product(span, ((1, Sum(span, ((1, one), (-1, d)))), (1, other)))
            yes = Product(span, ((1, d), (1, Applied(span, "log", p))))
            return Applied(span, "sum", Sum(span, ((-1, yes), (-1, no))))
        matched = Product(span, ((1, d), (1, a)))
        return Applied(span, "sum", Sum(span, ((1, Applied(span, "softplus", a)), (-1, matched))))

    def argument_of(self, name: str, function: str) -> Node | None:
        """The argument of the function by which a quantity is defined, or ``None`` if that is another one."""
        equation = self.defined.get(name)
        value = None if equation is None else equation.value
        return value.of if isinstance(value, Applied) and value.function == function else None

    def argument(self, prediction: Node, function: str) -> Ref | None:
        """The argument of the function that defines a prediction, by a name; ``None`` if another one does."""
        if not isinstance(prediction, Ref) or prediction.lag != 0:
            return None
        of = self.argument_of(prediction.name, function)
        if of is None:
            return None
        if prediction.name not in self.arguments:
            name = f"a_{prediction.name}"
            while name in self.defined:
                name += "_"
            self.arguments[prediction.name] = Ref(of.span, name, 0)
        return self.arguments[prediction.name]

    def with_argument(self, equation: EquationText) -> list[EquationText]:
        """The equation; before it that of its function's argument, if a loss needs it by name."""
        a = self.arguments.get(equation.target)
        if a is None or not isinstance(equation.value, Applied):
            return [equation]
        named = EquationText(a.name, a.span, equation.value.of)
        return [named, replace(equation, value=replace(equation.value, of=a))]


def _number(span: Span, top: int, bottom: int) -> Literal:
    return Literal(span, Fraction(top, bottom))
