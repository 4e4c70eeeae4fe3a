"""A network: cells run along sequences, and what is computed from their states.

A network is a list of segments. Each segment is a cell (its equations, possibly without a state) run along one
time axis in one direction; it takes its inputs from outside or from earlier segments, and its initial states
from outside or from the final states of an earlier segment,
or from values that one computes after a scan. So the gradients of a network are those of its
segments, taken in reverse order:

    forward     for k = 1 … K :  (outputs, final)ₖ = segmentₖ(inputs, initial)
    backward    for k = K … 1 :  (inputs̄, initial̄)ₖ = segmentₖᵀ(outputs̄, final̄), added up where they came from
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sympy import Expr

from derive.cell import Cell, Quantity
from derive.initial import Start

END = "end"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a segment's input or initial state comes from: a sequence's value at the same step, if not said otherwise.

    Args:
        segment: name of an earlier segment; empty if it comes from outside.
        name: the output or state there, or the name of the network's input.
        last: whether it is the value after the whole scan rather than the sequence.
        whole: whether it is the whole sequence as one matrix, a column for each step.
        held: whether it is one value, the same at every step of the segment.
    """

    segment: str
    name: str
    last: bool = False
    whole: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """One cell along one axis.

    Args:
        name: the scan's name, or that of its first equation.
        cell: its equations, with names as in the network (``f_h`` for state h of scan f).
        axis: the letter of its time index; ``end`` for what is computed once, after the scans.
        reverse: whether it runs from the last step to the first.
        inputs: the source of every input.
        starts: the source of initial states that are not given from outside, by state.
        joint: sizes of the cell that are sums of the network's, where the cell cannot tell these apart.
    """

    name: str
    cell: Cell
    axis: str
    reverse: bool
    inputs: dict[str, Source]
    starts: dict[str, Source] = field(default_factory=dict)
    joint: dict[Expr, Expr] = field(default_factory=dict)

    @property
    def sequences(self) -> list[Quantity]:
        """The inputs that are given step by step: all but the mask and what is the same at every step."""
        return [q for q in self.cell.inputs if q.kind != "mask" and not self.inputs[q.name].held]

    def in_network(self, q: Quantity) -> Quantity:
        """A quantity of the cell with the network's sizes."""
        rows, cols = (side.xreplace(self.joint) for side in q.shape)
        return replace(q, shape=(rows, cols))


@dataclass(frozen=True, slots=True)
class Network:
    """Segments in order of evaluation.

    Args:
        name: short name.
        segments: in order; each takes its inputs from outside or from earlier ones.
        inputs: the quantities given from outside, in order of first appearance.
        axes: the axis of every input.
        dims: the free dimensions.
        lengths: sizes that are how many steps an axis has, each with its axis.
        cells: the texts of the scanned cells, by name.
        loss: the segment and the output whose sum over time is the loss; ``None`` if there is none.
        text: the source text.
        title: a line of description.
        reference: where it comes from.
        initial: how parameters start, as in ``Cell``.
        masks: the axes along which samples have different lengths, each with the name of its mask.
        owners: the scan whose quantity a name is, or the name under which its start is computed: f for ``f_h``.
    """

    name: str
    segments: tuple[Segment, ...]
    inputs: tuple[Quantity, ...]
    axes: dict[str, str]
    dims: tuple[Expr, ...]
    lengths: dict[Expr, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    loss: Source | None = None
    text: str = ""
    title: str = ""
    reference: str = ""
    initial: dict[str, Start] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[Quantity, ...]:
        """All trained quantities, each once; segments that share one name share the parameter."""
        found = {q.name: s.in_network(q) for s in self.segments for q in s.cell.parameters}
        return tuple(found.values())

    @property
    def states(self) -> tuple[Quantity, ...]:
        """The states whose initial values are given from outside."""
        return tuple(
            s.in_network(q) for s in self.segments for q in s.cell.states if q.name not in s.starts
        )

    @property
    def lengths_of_states(self) -> tuple[Expr, ...]:
        """The sizes that are how many steps an axis has, where a state that is given from outside is as large."""
        sides = [side for q in self.states for side in q.shape]
        return tuple(d for d in self.lengths if any(side.has(d) for side in sides))

    def is_computed(self, start: Source) -> bool:
        """Whether an initial state is a value at [end], and not the final state of a scan."""
        return self.segment(start.segment).axis == END

    def segment(self, name: str) -> Segment:
        """The segment of this name.

        Raises:
            KeyError: there is none.
        """
        for s in self.segments:
            if s.name == name:
                return s
        raise KeyError(name)
