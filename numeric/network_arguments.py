"""The arguments of a network's functions: its inputs, and by keyword the lengths and how many steps to go."""

from __future__ import annotations

from derive.cell import Quantity
from derive.network import END, Network
from numeric.names import HELPERS, RESERVED
from numeric.network_texts import NUMPY, Idioms
from numeric.source import File
from numeric.spread import trailing

_LOCAL = frozenset(["out", "end", "losses", *HELPERS])


class Arguments:
    """Names the inputs of a network and writes them as arguments.

    Args:
        network: the network.
        files: the writers of its segments' functions, by name.
        sizes: identifiers of the network's sizes.
        idioms: of the array library.
        taken: names that the file needs besides those of all files.
    """

    def __init__(
        self,
        network: Network,
        files: dict[str, File],
        sizes: list[str],
        idioms: Idioms = NUMPY,
        taken: frozenset[str] = frozenset(),
    ) -> None:
        self.network, self.files, self.sizes, self.idioms = network, files, sizes, idioms
        self.reserved = {*RESERVED, *_LOCAL, *taken}
        self.used = {s.axis for s in network.segments}
        self.ragged = [axis for axis in network.masks if axis in self.used]
        self.padded = {d: axis for d, axis in network.lengths.items() if axis in self.ragged}

    def identifier(self, name: str) -> str:
        """An input's name as an argument."""
        lengths = {
            w
            for axis in self.ragged
            for w in (f"lengths_{axis}", f"T_{axis}", f"inside_{axis}", self.mask(axis))
        }
        steps = (f"steps_{axis}" for axis in self.used)
        taken = {*self.reserved, *self.sizes, *lengths, *steps}
        while name in taken:
            name += "_"
        return name

    def mask(self, axis: str) -> str:
        """The mask of a ragged axis; no quantity has its name."""
        return self.network.masks[axis]

    def along(self, axis: str) -> list[Quantity]:
        """The inputs along an axis."""
        return [q for q in self.network.inputs if self.network.axes[q.name] == axis]

    def steps_of(self, axis: str) -> str:
        """The length of an axis: that of an input along it, or an argument of its own."""
        if axis in self.ragged:
            return f"T_{axis}"
        given = self.along(axis)
        return (
            self.idioms.steps.format(self.identifier(given[0].name)) if given else f"steps_{axis}"
        )

    def keywords(self) -> dict[str, str]:
        """The arguments by keyword, with their types: lengths, and how far to run where nothing is given."""
        wanted = dict.fromkeys(s.axis for s in self.network.segments if not s.sequences)
        free = [axis for axis in wanted if self.steps_of(axis) == f"steps_{axis}"]
        found = {f"steps_{axis}": "int" for axis in free}
        for axis in self.ragged:
            optional = bool(self.along(axis))
            found[f"lengths_{axis}"] = "Array | None = None" if optional else "Array"
        return found

    def arguments(self) -> list[str]:
        """The network's inputs as arguments."""
        given = [f"{self.identifier(q.name)}: Array" for q in self.network.inputs]
        keywords = [f"{name}: {kind}" for name, kind in self.keywords().items()]
        starred = ["*", *keywords] if keywords else []
        return ["params: Arrays", *given, "state: Arrays | None = None", *starred]

    def passed_on(self) -> str:
        """The same arguments as they are passed on."""
        given = [self.identifier(q.name) for q in self.network.inputs]
        return ", ".join(["params", *given, "state", *(f"{k}={k}" for k in self.keywords())])

    def input_docs(self) -> list[str]:
        """The inputs and their axes."""
        docs = []
        for q in self.network.inputs:
            file = next(self.files[s.name] for s in self.network.segments if q.name in s.inputs)
            axis = self.network.axes[q.name]
            steps = [] if axis == END else ["T" if axis == "t" else f"T_{axis}"]
            index = q.kind == "index"
            shape = ", ".join([*steps, "B", *([] if index else trailing(q.symbol, file.dim))])
            of = file.cell.quantity(q.name).shape[0]
            below = f", whole numbers below {file.dim(of)}" if index else ""
            docs.append(f"{self.identifier(q.name)}: ({shape}{',' * (shape == 'B')}){below}.")
        return docs
