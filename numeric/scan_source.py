"""The generated file of a recurrence that is linear in its state: all steps at once, by scans instead of loops."""

from __future__ import annotations

from sympy.matrices.expressions import MatrixExpr, OneMatrix

from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import Adjoint, Timed, is_timed
from derive.network_derivation import NetworkDerivation
from numeric.backward_pass import Backward
from numeric.body import Body, listed, tuple_text
from numeric.forward_pass import Forward
from numeric.network_source import generate_network
from numeric.program import Statement
from numeric.scan_program import BULK, SCAN, Edge, Group, scan_program
from numeric.schedule import program
from numeric.source import File
from numeric.spread import trailing


def generate_scan(derivation: Derivation) -> str:
    """The NumPy source of a cell whose steps are computed together.

    It has the functions of the ordinary file with the same arguments and results.

    Raises:
        ArgumentError: a scan makes no sense for this recurrence.
    """
    return ScanFile(scan_program(derivation)).text()


def generate_network_scan(derivation: NetworkDerivation) -> str:
    """The NumPy source of a network in which every recurrence that allows it is computed for all steps together.

    Raises:
        ArgumentError: none of its recurrences allows it.
    """
    reasons: list[str] = []

    def file_of(d: Derivation) -> File:
        if not d.cell.states:
            return File(program(d))
        try:
            return ScanFile(scan_program(d))
        except ArgumentError as error:
            reasons.append(error.problem)
            return File(program(d))

    source = generate_network(derivation, file_of)
    if len(reasons) == sum(bool(d.cell.states) for d in derivation.segments):
        told = reasons or ["It has no recurrence."]
        raise ArgumentError(
            f"A scan of {derivation.network.name}: no recurrence of it allows one.\n"
            + "\n".join(told),
            "Use the ordinary file.",
        )
    return source


class _Scans(Body):
    """What both passes share: factors of a recurrence as arrays over all steps."""

    def factor(self, value: MatrixExpr, like: Timed) -> str:
        """A factor with the axes of steps and samples; behind them it may be narrower than the state."""
        text = self.printer(whole=True)(value)
        if is_timed(value):
            return text
        return f"np.broadcast_to({text}, {tuple_text(['T', 'B', *trailing(like, self.dim)])})"

    def edges(self, group: Group, values: list[str]) -> list[str]:
        """The factors of a coupled recurrence: (to, of, lag, value)."""
        at = {state.name: i for i, state in enumerate(group.states)}
        return [
            f"({at[e.to.name]}, {at[e.of.name]}, {e.lag}, {value})"
            for e, value in zip(group.edges, values, strict=True)
        ]

    def depth(self, state: Timed) -> int:
        """How many values of a state are kept from before the first step."""
        return self.memory[state.name].depth

    @staticmethod
    def numbers(group: Group) -> str:
        """The numbers of a group's lines, as a comment."""
        return ", ".join(f"({n})" for n in group.numbers)


def _alone(group: Group) -> bool:
    """Whether a group is one state that reads itself, one step back."""
    return len(group.states) == 1 and [e.lag for e in group.edges] == [1]


def _filled(names: list[str]) -> str:
    """Arrays as the target of a list."""
    text = ", ".join(f"{name}[...]" for name in names)
    return f"[{text}]" if len(names) == 1 else text


class ScanForward(_Scans, Forward):
    """Writes the forward pass."""

    def all_steps(self) -> None:
        """The states."""
        for s in self.program.forward[SCAN]:
            self.scan(s)

    def scan(self, s: Statement) -> None:
        """A group of states, for all steps."""
        group, show = s.target, self.printer(whole=True)
        values, rests = s.value[: len(group.edges)], s.value[len(group.edges) :]
        shown = [show.over(r, u) for r, u in zip(rests, group.states, strict=True)]
        before = [f"{self.names.storage(u)}[:{self.depth(u)}]" for u in group.states]
        targets = [self.names.of(u) for u in group.states]
        if _alone(group):
            (value,), (rest,), (start,), (target,) = values, shown, before, targets
            call = (
                f"running_sum({rest}, {start})"
                if isinstance(value, OneMatrix)
                else f"linear_scan({self.factor(value, group.states[0])}, {rest}, {start})"
            )
            self.write(f"{target}[...] = {call}  # {self.numbers(group)}")
            return
        factors = [self.factor(v, e.to) for v, e in zip(values, group.edges, strict=True)]
        self.lines.append(f"    {_filled(targets)} = coupled_scan(  # {self.numbers(group)}")
        for items in (self.edges(group, factors), shown, before):
            self.lines += listed("        [", items, "],")
        self.write(")")


class ScanBackward(_Scans, Backward):
    """Writes the backward pass."""

    def all_steps(self) -> None:
        """The adjoints of the states, and what depends on them."""
        for s in self.program.backward[SCAN]:
            self.scan(s)
        for s in self.program.backward[BULK]:
            self.bulk(s)

    def bulk(self, s: Statement) -> None:
        """A statement for all steps at once; a contribution to an earlier step goes to its view."""
        if not s.lag:
            super().bulk(s)
            return
        target = self.names.lagged(s.target, s.lag)
        self.write(f"{target} += {self.value(s.value, whole=True)}", number=s.number)

    def scan(self, s: Statement) -> None:
        """The adjoints of a group of states, for all steps and for the values before the first."""
        group = s.target
        values = s.value[: len(group.edges)]
        bars = {u.name: self.names.of(Adjoint(u)) for u in group.states}
        factors = [self.named(e, v) for e, v in zip(group.edges, values, strict=True)]
        note = self.numbers(group)
        if _alone(group):
            (bar,), (factor,) = bars.values(), factors
            call = (
                f"running_sum({bar}[::-1], np.zeros_like({bar}[:1]))[::-1]"
                if not factor
                else f"adjoint_scan({factor}, {bar})"
            )
            self.write(f"{bar}[...] = {call}  # {note}")
        else:
            filled = _filled(list(bars.values()))
            self.lines.append(f"    {filled} = coupled_adjoint_scan(  # {note}")
            # The adjoint of what is read gets from the adjoint of what reads it.
            turned = [Edge(e.of, e.to, e.lag) for e in group.edges]
            shown = [
                f or f"np.ones_like({bars[e.to.name]})"
                for f, e in zip(factors, group.edges, strict=True)
            ]
            edges = self.edges(Group(group.states, tuple(turned), ()), shown)
            self.lines += listed("        [", edges, "],")
            self.lines += listed("        [", list(bars.values()), "],")
            self.write(")")
        for edge, factor in zip(group.edges, factors, strict=True):
            self.first(edge, factor, bars)

    def named(self, edge: Edge, value: MatrixExpr) -> str:
        """The array of a factor, under a name of its own; empty for ones."""
        if isinstance(value, OneMatrix):
            return ""
        wish = f"{edge.to.name}_by_{edge.of.name}" if edge.to != edge.of else f"{edge.to.name}_by"
        name = self.names.named((edge, "factor"), wish)
        self.write(f"{name} = {self.factor(value, edge.to)}")
        return name

    def first(self, edge: Edge, factor: str, bars: dict[str, str]) -> None:
        """What the first steps give to a state's values before them."""
        store, depth, d = self.names.storage(Adjoint(edge.to)), self.depth(edge.to), edge.lag
        begin = f"{depth - d}:" if depth > d else ":"
        short = "[:T]" if d > 1 else ""
        times = f"{factor}[:{d}] * " if factor else ""
        self.write(f"{store}[{begin}{depth}]{short} += {times}{bars[edge.of.name]}[:{d}]")


class ScanFile(File):
    """Writes the functions of one cell."""

    forward_writer = ScanForward
    backward_writer = ScanBackward
