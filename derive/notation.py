"""How things are called: one place for the names that pages, terminals and code give to every leaf."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import (
    Adjoint,
    Concat,
    Elementwise,
    LossGradient,
    Tangent,
    Timed,
    has_time,
    leaves,
    operands,
    shifted,
    walk,
)
from derive.normal import FUNCTIONS_OF_NAMES, Assignment

GREEK = frozenset(
    """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau
    upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
    """.split()  # noqa: SIM905 - a paragraph of words reads better than a column of literals
)
ACCENTS = frozenset({"hat", "tilde"})

_OWN = re.compile(r"(?<!\w)(d\+?|)([sJPAbg])((?:_bar(?:\(j\))?)?[\['])")
"""What a page's own text calls: the joint state s, its Jacobian J or A, the influence P, the rest b and g."""


@dataclass(frozen=True, slots=True)
class WholeSequence:
    """A sequence that is taken as a matrix, a column for each of its steps in time.

    Args:
        name: whose values they are.
        axis: the letter of its time index.
        reverse: whether its steps are counted from the last.
    """

    name: str
    axis: str
    reverse: bool

    @property
    def index(self) -> str:
        """The step that column number ``axis`` is."""
        return f"T+1-{self.axis}" if self.reverse else self.axis

    @property
    def ends(self) -> tuple[str, str]:
        """The steps that the first and the last column are, as LaTeX."""
        ends = "1", "T" if self.axis == "t" else f"T_{{{self.axis}}}"
        return ends[::-1] if self.reverse else ends


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a network says of the names of a cell that runs in it.

    Args:
        held: names of what is the same at every step.
        last: names of what is there after all steps of a scan.
        once: whether everything is computed once, after the scans.
        wholes: what is a whole sequence as a matrix.
        owners: the scan whose quantity a name is: of enc for ``enc_h``, which is its h.
    """

    held: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()
    once: bool = False
    wholes: Mapping[str, WholeSequence] = field(default_factory=dict[str, WholeSequence])
    owners: Mapping[str, str] = field(default_factory=dict[str, str])

    def has_steps(self, name: str) -> bool:
        """Whether the quantity of this name has a value at every step."""
        return not (self.once or name in self.held or name in self.last)

    def scan_of(self, name: str) -> str:
        """The scan whose quantity has this name; empty if it is none's."""
        return scan_of(name, self.owners)

    def own_name(self, name: str) -> str:
        """The name within the scanned cell."""
        scan = self.scan_of(name)
        return name.removeprefix(f"{scan}_") if scan else name


def scan_of(name: str, owners: Mapping[str, str]) -> str:
    """The scan whose quantity has this name, or of whose it was made (``enc_h_new``); empty if it is none's."""
    while name and name not in owners:
        name = name.rpartition("_")[0]
    return owners.get(name, "")


ALONE = Surroundings()
"""A cell by itself: everything has a value at every step, and no name is a scan's."""


@dataclass(frozen=True, slots=True)
class Notation:
    """The names in one derivation.

    Args:
        assignments: the step in normal form; intermediates that we named are written as their expression
            where that is short.
        identifiers: how adjoints, tangents and the loss's derivatives are called, by their kind and the
            quantity's name: no two alike, and none like a quantity.
        around: what a network says of the names.
        still: the names of what no step changes.
    """

    assignments: dict[str, Assignment]
    identifiers: dict[tuple[type, str], str] = field(default_factory=dict[tuple[type, str], str])
    around: Surroundings = ALONE
    still: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        assignments: tuple[Assignment, ...],
        names: Iterable[str] = (),
        around: Surroundings = ALONE,
        still: frozenset[str] = frozenset(),
    ) -> Notation:
        """The notation of a step in normal form, in a cell whose quantities have these names."""
        notation = cls({a.name: a for a in assignments}, around=around, still=still)
        every = list(dict.fromkeys((*names, *notation.assignments)))
        taken = set(every)
        for name in every:
            for kind in (Adjoint, Tangent, LossGradient):
                wish = notation.wish(kind, name)
                while wish in taken:
                    wish += "_"
                taken.add(wish)
                notation.identifiers[kind, name] = wish
        return notation

    def written_out(self, leaf: MatrixExpr) -> MatrixExpr | None:
        """The expression that stands on the page for an intermediate that we named, if it is short."""
        if not isinstance(leaf, Timed) or leaf.name not in self.assignments:
            return None
        a = self.assignments[leaf.name]
        if a.kind not in ("value", "operand", "number"):
            return None
        short = isinstance(a.expr, Concat) or len(list(leaves(a.expr))) <= 2
        return shifted(a.expr, leaf.lag) if short else None

    def has_index(self, leaf: MatrixExpr) -> bool:
        """Whether a leaf is written with a time index: it has a time, and a step can change it."""
        return has_time(leaf) and leaf.name not in self.still

    def has_indices(self, expr: MatrixExpr) -> bool:
        """Whether any leaf of an expression is written with a time index."""
        return any(map(self.has_index, leaves(expr)))

    def is_delta(self, leaf: MatrixExpr) -> bool:
        """Whether the leaf is the adjoint of a pre-activation, which the field writes as δ."""
        return isinstance(leaf, Adjoint) and self.is_preactivation(leaf.name)

    def is_preactivation(self, name: str) -> bool:
        """Whether the name is that of the argument of a function."""
        return name in self.assignments and self.assignments[name].kind == "preactivation"

    def function_of(self, name: str) -> str:
        """The function whose argument a pre-activation is."""
        nodes = (node for a in self.assignments.values() for node in walk(a.expr))
        functions = (node for node in nodes if isinstance(node, FUNCTIONS_OF_NAMES))
        over = next(f for f in functions if getattr(operands(f)[0], "name", "") == name)
        return over.function if isinstance(over, Elementwise) else type(over).__name__.lower()

    def delta_of(self, name: str) -> str:
        """The subscript of a pre-activation's δ: its owner, and a number from the owner's second on."""
        owner = self.assignments[name].owner
        own = [a.name for a in self.assignments.values() if a.owner == owner]
        before = [other for other in own if self.is_preactivation(other)].index(name)
        return f"{owner}_{before + 1}" if before else owner

    def wish(self, kind: type, name: str) -> str:
        """What a derived quantity is called if nothing else is called so."""
        if kind is LossGradient:
            return f"dl_d{name}"
        if kind is Adjoint and self.is_preactivation(name):
            return f"delta_{self.delta_of(name)}"
        return f"{name}_bar" if kind is Adjoint else f"{name}_dot"

    def identifier(self, leaf: MatrixExpr) -> str:
        """The leaf's name in text and code, without its time: ``h``, ``h_bar``, ``delta_f``, ``h_dot``."""
        kind = type(leaf)
        if kind not in (Adjoint, Tangent, LossGradient):
            return leaf.name
        return self.identifiers.get((kind, leaf.name)) or self.wish(kind, leaf.name)

    def own(self, wish: str) -> str:
        """A name that the page itself brings, as s for the joint state, or the like if a quantity is called so."""
        taken = {name for _, name in self.identifiers} | set(self.identifiers.values())
        while wish in taken:
            wish += "_"
        return wish

    def owned(self, text: str) -> str:
        """A text of the page's own about the joint state, s[t], J[t] and ds[t]/ds[k], in names that no quantity has."""
        return _OWN.sub(lambda found: f"{found[1]}{self.own(found[2])}{found[3]}", text)

    def is_evasive(self, leaf: MatrixExpr) -> bool:
        """Whether the leaf could not be called as usual, because a quantity is."""
        return self.identifier(leaf) != self.wish(type(leaf), leaf.name)


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """An identifier as base and subscripts: ``W_in2`` → ``W``, (``in``, ``2``)."""
    head, *rest = [part for part in name.split("_") if part] or [name]
    base = head.rstrip("0123456789") or head
    digits = head[len(base) :]
    return base, (*((digits,) if digits else ()), *rest)
