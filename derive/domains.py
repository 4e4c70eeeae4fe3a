"""The domain of what is given: where inputs, parameters and initial values must lie, so that all has a value.

log(a) and sqrt(a) need a > 0. That is carried back through the equations to what is given from outside: log(1 - p[t])
to p < 1; and sqrt(P @ q[t]) to P > 0 and q > 0, which is not needed but enough. Where no such way is found the demand
stays open, and that is told. What is given and divides must not be 0; what is computed and divides is hardly ever 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sympy import Rational
from sympy.matrices.expressions import HadamardPower, MatrixSymbol, Transpose

from derive.cell import Cell
from derive.domain_origins import Origin, Part, origins, parts_of
from derive.domain_rules import POSITIVELY, Demand, range_of, wishes
from derive.expressions import split_coefficient
from derive.functions import FUNCTIONS
from derive.intervals import ANY, Range
from derive.network import Network
from derive.nodes import Broadcast, Elementwise, Timed, walk
from derive.notation import Notation
from derive.text import TextPrinter


@dataclass(frozen=True, slots=True)
class Domain:
    """An open interval in which every entry of a given quantity lies.

    Args:
        low: its lower end, a number or −∞.
        high: its upper end.
        needed: whether something has no value outside of it, or it is only enough that it has one inside.
        divides: whether 0 does not belong to it, wherever its ends are.
    """

    low: float = -math.inf
    high: float = math.inf
    needed: bool = True
    divides: bool = False

    @property
    def word(self) -> str:
        """``needed`` or ``enough``"""
        return "needed" if self.needed else "enough"

    def within(self, demand: Demand) -> Domain:
        """The part of it where a demand holds."""
        low, high = self.low, self.high
        if demand.sign > 0:
            low = max(low, demand.bound)
        else:
            high = min(high, 0.0 - demand.bound)
        if (low, high) != (self.low, self.high):
            return replace(self, low=low, high=high, needed=self.needed and demand.needed)
        alone = (low, high) in ((demand.bound, math.inf), (-math.inf, 0.0 - demand.bound))
        return replace(self, needed=self.needed or (demand.needed and alone))

    def holds(self, value: float | None) -> bool:
        """Whether a number belongs to it; ``None`` stands for any number but 0."""
        if value is None:
            return (self.low, self.high) == (-math.inf, math.inf)
        return self.low < value < self.high and not (self.divides and value == 0)

    def text(self, name: str, unequal: str = "!=") -> str:
        """``p > 0``, ``0 < p < 1`` or ``p != 0``."""
        hole = f"{name} {unequal} 0" if self.divides and self.low < 0 < self.high else ""
        if self.holds(None):
            return hole
        if self.high == math.inf:
            ends = f"{name} > {self.low:g}"
        else:
            above = "" if self.low == -math.inf else f"{self.low:g} < "
            ends = f"{above}{name} < {self.high:g}"
        return f"{ends}, {hole}" if hole else ends


@dataclass(frozen=True, slots=True)
class Domains:
    """What is demanded of everything that is given.

    Args:
        of: the domains by name, of inputs, parameters and initial values; of all other names nothing is demanded.
        open: the expressions that must be positive, and of which no domain was found that makes them so.
    """

    of: dict[str, Domain] = field(default_factory=dict)
    open: tuple[str, ...] = ()

    def asked(
        self, name: Callable[[str], str] = str, unequal: str = "!="
    ) -> Iterator[tuple[str, list[str]]]:
        """What is needed, and what is enough, as far as there is any.

        Args:
            name: how a quantity is called.
            unequal: the sign of what must not be 0.
        """
        for word in ("needed", "enough"):
            told = [d.text(name(q), unequal) for q, d in self.of.items() if d.word == word]
            if told:
                yield word, told

    def words(self, name: Callable[[str], str] = str, unequal: str = "!=") -> str:
        """``asked`` as a sentence without its stop; empty if anything may be given."""
        parts = []
        for word, told in self.asked(name, unequal):
            every = " and ".join([*filter(None, [", ".join(told[:-1])]), told[-1]])
            parts.append(f"{every} {'are' if told[1:] else 'is'} {word}")
        return "; ".join(parts)

    def told(self) -> str:
        """What stayed open, and what to do; empty if nothing did."""
        if not self.open:
            return ""
        return (
            f"{' and '.join(self.open)} must be positive under log or sqrt, and it is not known for which values of "
            "what is given that holds. Write there what is positive by itself, such as exp(a), softplus(a) or "
            "1 + a**2, or a quantity that is given for this alone."
        )


def domains_of(model: Cell | Network) -> Domains:
    """The domains of everything that a cell or a network is given.

    Law: where all that is given lies in its domain and nothing stayed open, every log and every sqrt has a value, and
    so has every quotient by what is given.

    Args:
        model: the cell, or the network.
    """
    return _domains(parts_of(model))


@lru_cache(maxsize=64)
def _domains(parts: tuple[Part, ...]) -> Domains:
    nodes = [(p.name, node) for p in parts for e in p.equations for node in walk(e.expr)]
    arguments = [
        (at, node.args[0])
        for at, node in nodes
        if isinstance(node, Elementwise) and FUNCTIONS[node.function].positive
    ]
    search = _Search({p.name: p for p in parts})
    for at, argument in sorted(arguments, key=lambda found: len(list(walk(found[1])))):
        search.demand_positive(at, argument)
    for at, node in nodes:
        if isinstance(node, HadamardPower) and node.args[1] < 0:
            search.demand_nonzero(at, node.args[0])
    return Domains(search.found, tuple(dict.fromkeys(search.open)))


PATIENCE = 4
"""How often more may be asked of one equation than before."""


class _Search:
    """The way back from what must be positive to what is given.

    Args:
        parts: the segments, by name.
    """

    def __init__(self, parts: dict[str, Part]) -> None:
        self.parts = parts
        self.found: dict[str, Domain] = {}
        self.open: list[str] = []
        self.asked: dict[tuple[str, str, int], list[float]] = {}
        self.ranges: dict[tuple[str, Any], Range] = {}

    def demand_positive(self, at: str, argument: Any) -> None:
        """Demands it of an argument; what was found on the way is forgotten if that leads nowhere."""
        before = dict(self.found), {key: [*bounds] for key, bounds in self.asked.items()}
        self.ranges = {}
        for part in self.parts.values():
            for equation in part.equations:
                self.range(part.name, equation.target)
        if not self._can_hold(at, argument, POSITIVELY):
            self.found, self.asked = before
            self.open.append(TextPrinter(Notation({}))(argument))

    def demand_nonzero(self, at: str, divisor: Any) -> None:
        """Demands it of a divisor that is given as it stands, but for a number before it."""
        _, leaf = split_coefficient(divisor)
        while isinstance(leaf, Transpose | Broadcast):
            _, leaf = split_coefficient(leaf.args[0])
        if isinstance(leaf, Timed | MatrixSymbol):
            for origin in origins(self.parts, at, leaf):
                if origin.free:
                    domain = self.found.get(origin.name, Domain())
                    self.found[origin.name] = replace(domain, divides=True)

    def _can_hold(self, at: str, expr: Any, demand: Demand) -> bool:
        """Whether a demand holds, once it is made of all that is given."""
        left = [(at, expr, demand)]
        while left:
            at, expr, demand = left.pop()
            if isinstance(expr, Timed | MatrixSymbol):
                for origin in origins(self.parts, at, expr):
                    more = self._of_given if origin.expr is None else self._of_computed
                    wishes_of = more(origin, demand)
                    if wishes_of is None:
                        return False
                    left += wishes_of
                continue
            found = wishes(expr, demand, lambda part, at=at: self.range(at, part))
            if found is None:
                return False
            left += [(at, part, wish) for part, wish in found]
        return True

    def _of_computed(self, origin: Origin, demand: Demand) -> list[tuple[str, Any, Demand]] | None:
        """By induction over the steps a demand is made of an equation once: what it shows of a step held before.

        A recurrence that asks for ever more of the step before shows nothing.
        """
        bounds = self.asked.setdefault((origin.part, origin.name, demand.sign), [])
        if any(demand.bound <= bound for bound in bounds):
            return []
        if len(bounds) == PATIENCE:
            return None
        bounds.append(demand.bound)
        return [(origin.part, origin.expr, demand)]

    def _of_given(self, origin: Origin, demand: Demand) -> list[tuple[str, Any, Demand]] | None:
        """What is given is demanded to lie where the demand holds; no more is asked, or it cannot be."""
        if origin.fixed is not None:
            return [] if demand.met_by(origin.fixed) else None
        domain = self.found.get(origin.name, Domain()).within(demand)
        self.found[origin.name] = domain
        return [] if domain.low < domain.high else None

    def range(self, at: str, expr: Any) -> Range:
        """The interval of an expression, by the domains before; of a state nothing is known before the step."""
        key = (at, expr)
        if key not in self.ranges:
            self.ranges[key] = ANY
            if isinstance(expr, Timed | MatrixSymbol):
                found = [self._range_of(origin) for origin in origins(self.parts, at, expr)]
                self.ranges[key] = min(low for low, _ in found), max(high for _, high in found)
            else:
                self.ranges[key] = range_of(expr, lambda part: self.range(at, part))
        return self.ranges[key]

    def _range_of(self, origin: Origin) -> Range:
        if origin.fixed is not None:
            return origin.fixed
        if origin.expr is None:
            domain = self.found.get(origin.name, Domain())
            return _exact(domain.low), _exact(domain.high)
        return self.range(origin.part, origin.expr)


def _exact(end: float) -> Any:
    """An end of a domain as an exact number, or ±∞."""
    return Rational(end) if math.isfinite(end) else ANY[end > 0]
