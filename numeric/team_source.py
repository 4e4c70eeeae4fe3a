"""The class of a team: what a file says of its own inputs, states and loss, around functions that all files share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass

from derive.cell import Quantity
from derive.derivation import Derivation
from derive.network import END
from derive.network_derivation import NetworkDerivation
from numeric import team
from numeric.body import listed
from numeric.network_source import passes_of
from numeric.schedule import program
from numeric.source import File
from numeric.stretches import sources


def team_functions(derivation: Derivation | NetworkDerivation) -> list[str]:
    """The class of a file whose samples are shared out among threads, and its functions.

    Args:
        derivation: of the cell or the network; the file's functions must take a workspace.
    """
    write = _of_network if isinstance(derivation, NetworkDerivation) else _of_cell
    return [write(derivation), *sources(team, team.NAMES)]


def _of_cell(derivation: Derivation) -> str:
    file = File(program(derivation))
    inputs = {q.name: x for q, x in zip(file.cell.inputs, file.inputs, strict=True)}
    return _Writer(
        forward=file.signature("forward", _RUN, first="self"),
        value=file.value_and_grad("self"),
        call=lambda given: file.passed_on(given, "steps=steps"),
        inputs=inputs,
        axes=dict.fromkeys(inputs, 1),
        states=list(file.memory.values()),
    ).text()


def _of_network(derivation: NetworkDerivation) -> str:
    network, passes = derivation.network, passes_of(derivation)
    inputs = {q.name: passes.identifier(q.name) for q in network.inputs}
    words = [f"lengths_{axis}" for axis in passes.ragged]
    lengths = {_apart(word, inputs): word for word in words}
    others = [f"{name}={name}" for name in passes.keywords() if name not in words]

    def call(given: list[str]) -> str:
        at = len(inputs)
        named = [f"{name}={value}" for name, value in zip(words, given[at:], strict=True)]
        return ", ".join(["params", *given[:at], "state", *named, *others])

    return _Writer(
        forward="\n".join(listed("def forward(", ["self", *passes.arguments()], f") -> {_RUN}:")),
        value=passes.value_and_grad("self"),
        call=call,
        inputs=inputs | lengths,
        axes={q.name: int(network.axes[q.name] != END) for q in network.inputs}
        | dict.fromkeys(lengths, 0),
        states=[q for s in network.segments for q in passes.memory_of(s)],
    ).text()


def _apart(word: str, names: Collection[str]) -> str:
    """The word, written so that it is none of the names."""
    while word in names:
        word += "_"
    return word


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the class.

    Args:
        forward: the head of the method.
        value: the method ``value_and_grad``.
        call: the arguments of a call of ``forward``, given the text of every input.
        inputs: how each input, by name, is called as an argument.
        axes: where the samples of each input lie.
        states: what begins before the first step.
    """

    forward: str
    value: str
    call: Callable[[list[str]], str]
    inputs: dict[str, str]
    axes: dict[str, int]
    states: list[Quantity]

    def text(self) -> str:
        """The class."""
        states = [f'"{q.name}": {int(q.depth > 1)}' for q in self.states]
        axes = [f'"{name}": {axis}' for name, axis in self.axes.items()]
        given = [f'"{name}": {argument}' for name, argument in self.inputs.items()]
        shared = [f'given["{name}"]' for name in self.inputs]
        lines = [
            *listed("        self.inputs = {", axes, "}"),
            *listed("        self.states = {", states, "}"),
            "        self.sizes, self.workspaces, self.parts, self.whole = None, {}, [], ({}, {}, {})",
            "",
            *textwrap.indent(self.forward, "    ").splitlines(),
            '        """As the function of this name."""',
            "        return forward_by(",
            f"            self, lambda given, state, ws: forward({self.call(shared)}, workspace=ws),",
            *listed("            params, {", given, "}, state,"),
            "        )",
            "",
            *_BACK.splitlines(),
            "",
            textwrap.indent(self.value, "    "),
        ]
        return "\n".join([_HEAD, *lines])


_RUN = "tuple[Arrays, Arrays, Arrays]"

_HEAD = '''\
class Team:
    """Threads that share out the samples of a run; each has a workspace of its own.

    Results are those of the functions of the same names, gradients by parameters to rounding: they are added up over
    the threads. They last until the team's next run. Products that BLAS makes want one thread each, as with
    OPENBLAS_NUM_THREADS=1 (or MKL_NUM_THREADS, OMP_NUM_THREADS) set before NumPy is imported.
    """

    def __init__(self, threads: int) -> None:
        from concurrent.futures import ThreadPoolExecutor

        if threads < 1:
            raise ValueError(f"threads is {threads}: expected 1 or more")
        self.pool, self.threads = ThreadPoolExecutor(threads), threads'''

_BACK = '''\
    def backward(
        self, params: Arrays, cache: dict, outputs_bar: Arrays, final_bar: Arrays | None = None
    ) -> tuple[Arrays, Arrays, Arrays]:
        """As the function of this name; the cache is that of the team's last forward."""
        return backward_by(self, params, cache, outputs_bar, final_bar)'''
