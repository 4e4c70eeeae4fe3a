"""Where a cell is measured: sizes, weights, inputs and seed; and its runs there, as a stream and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.cell import Cell, Quantity
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import is_column
from numeric import initialisers
from numeric.forward_run import Run, run
from numeric.interpret import Array, shape_of
from numeric.limits import LARGEST, LONGEST, WIDEST
from numeric.namespace import NUMPY, Namespace
from numeric.stream import Stream, normal_inputs

SETTLING = 100
"""Steps before anything is measured, in which a run leaves its start."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a cell is measured.

    Args:
        steps: T of the run whose growth is measured.
        n: the first dimension.
        m: every other dimension.
        init: how square matrices start; ``own``: as the generated code starts them.
        gain: factor on every square matrix.
        values: parameters that are set to one number, by name.
        inputs: standard deviation of the inputs.
        seed: of weights and starts; of inputs and of losses one and two more, of directions see ``directions``.
        starts: how single parameters start, by name, as a declaration writes it; see ``derive.starts``.
        sizes: dimensions by name, instead of ``n`` and ``m``.
        weights: from whose file the weights come; ``""``: none.

    Raises:
        ArgumentError: a size or a number lies outside the limits of ``numeric.limits``, or a parameter is both set and
            started.
    """

    steps: int = 1000
    n: int = 32
    m: int = 16
    init: str = "own"
    gain: float = 1.0
    values: Mapping[str, float] | None = None
    inputs: float = 1.0
    seed: int = 0
    starts: Mapping[str, str] | None = None
    sizes: Mapping[str, int] | None = None
    weights: str = ""

    def __post_init__(self) -> None:
        """Refuses what lies outside the limits, and what is asked for in two ways.

        Raises:
            ArgumentError: says which, its value and the limit.
        """
        if twice := [name for name in self.starts or {} if name in (self.values or {})]:
            raise ArgumentError(
                f"How {twice[0]} starts is said twice: by --init as {(self.starts or {})[twice[0]]}, and by --set as "
                f"{(self.values or {})[twice[0]]:g}.",
                "Leave one of them out.",
            )
        whole = {"T": (self.steps, LONGEST), "n": (self.n, WIDEST), "m": (self.m, WIDEST)}
        for name, (size, most) in whole.items():
            if not 1 <= size <= most:
                raise ArgumentError(
                    f"{name} = {size:,}: expected a whole number from 1 to {most:,}.",
                    "Choose a smaller one." if size > most else "Choose a larger one.",
                )
        numbers = {"gain": self.gain, "inputs": self.inputs, **(self.values or {})}
        for name, number in numbers.items():
            least = 0.0 if name == "inputs" else -LARGEST
            if not least <= number <= LARGEST:
                raise ArgumentError(
                    f"{name} = {number:g}: expected a number from {least:,.0f} to {LARGEST:,.0f}.",
                    "Choose one within the limits.",
                )

    @property
    def directions(self) -> int:
        """The seed of directions that are followed: their numbers are not those of weights and starts.

        A start's own direction is special. Where states come to rest like a power of time, as tanh units with
        orthogonal weights do, it vanishes like another power of the lag than almost every other.
        """
        return self.seed + 3


def sizes_of(cell: Cell, setting: Setting) -> dict[Any, int]:
    """The dimensions of a cell in a setting."""
    given = setting.sizes or {}
    return {
        d: given.get(str(d), setting.n if i == 0 else setting.m) for i, d in enumerate(cell.dims)
    }


def is_square(q: Quantity) -> bool:
    """Whether a parameter is a square matrix for all sizes: what ``init`` and ``gain`` are about."""
    rows: Any = q.shape[0]
    return q.role == "parameter" and bool(rows == q.shape[1]) and not is_column(q.symbol)


def unheard(cell: Cell, setting: Setting) -> tuple[str, ...]:
    """What a setting asks of square matrices, ``gain`` or ``init``, if the cell has none."""
    asked = ("gain",) * (setting.gain != 1) + ("init",) * (setting.init != "own")
    return () if any(is_square(q) for q in cell.parameters) else asked


def told_unheard(by_cell: Mapping[str, Sequence[str]]) -> str:
    """One sentence on what some cells did not hear; empty if every cell heard all.

    Args:
        by_cell: what was not heard, by the name of the cell.
    """
    deaf = [name for name, asked in by_cell.items() if asked]
    asked = dict.fromkeys(word for name in deaf for word in by_cell[name])
    if not deaf:
        return ""
    are, have = ("is", "has") if len(deaf) == 1 else ("are", "have")
    return (
        f"{' and '.join(asked)} {'is' if len(asked) == 1 else 'are'} about square matrices: "
        f"{', '.join(deaf)} {have} none and {are} measured without."
    )


def refuse_unheard(cell: Cell, setting: Setting) -> None:
    """Refuse what is asked of square matrices where there are none.

    Raises:
        ArgumentError: says so.
    """
    if asked := unheard(cell, setting):
        names = [q.name for q in cell.parameters]
        raise ArgumentError(
            f"{asked[0]} is about square matrices, and {cell.name} has none.",
            f"Leave it out; --init {names[0]}=normal starts a parameter, --set {names[0]}=0.5 sets it."
            if names
            else "Leave it out.",
        )


def initial_weights(
    derivation: Derivation, setting: Setting, own: Mapping[str, Array]
) -> dict[str, Array]:
    """Every parameter and constant, (rows, columns).

    Args:
        derivation: of the cell.
        setting: what to change.
        own: the parameters as the generated code starts them, or as a user's model holds them.

    Raises:
        ArgumentError: a parameter to be set is unknown.
    """
    cell, sizes = derivation.cell, sizes_of(derivation.cell, setting)
    values = dict(setting.values or {})
    rng = np.random.default_rng(setting.seed)
    found: dict[str, Array] = {}
    for q in cell.parameters:
        shape = shape_of(q.symbol, sizes)
        value: Array = np.reshape(own[q.name], shape)
        if is_square(q):
            value = setting.gain * (
                value
                if setting.init == "own" or q.name in (setting.starts or {})
                else _square(setting.init, shape[0], rng)
            )
        found[q.name] = np.full(shape, values.pop(q.name)) if q.name in values else value
    for q in cell.constants:
        number = values.pop(q.name, 0.5 if q.value is None else float(q.value))
        found[q.name] = np.full((1, 1), number)
    if values:
        known = ", ".join(found)
        raise ArgumentError(
            f"{cell.name} has no parameter {next(iter(values))!r}.", f"Choose from {known}."
        )
    return found


def _square(init: str, n: int, rng: np.random.Generator) -> Array:
    return np.eye(n) if init == "identity" else getattr(initialisers, init)(rng, n, n, float)


class Runs:
    """A cell in a setting, run as often as it is measured: always the same inputs and the same start.

    Args:
        derivation: of the cell.
        fixed: from ``initial_weights``.
        setting: where.
        space: the namespace in which it runs.
    """

    def __init__(
        self,
        derivation: Derivation,
        fixed: Mapping[str, Array],
        setting: Setting,
        space: Namespace = NUMPY,
    ) -> None:
        self.derivation, self.fixed, self.setting, self.space = derivation, fixed, setting, space
        self.sizes = sizes_of(derivation.cell, setting)
        rng = np.random.default_rng(setting.seed)
        self._start = {
            q.name: 0.1 * rng.standard_normal(shape_of(q.symbol, self.sizes))
            for q in derivation.cell.states
        }

    def stream(self) -> Stream:
        """The run from its beginning, step by step."""
        given = self.derivation, self.sizes
        drawn = normal_inputs(*given, self.setting.seed + 1, self.setting.inputs, self.space)
        return Stream(*given, self.fixed, drawn, self._start, self.space)

    def stored(self, steps: int) -> Run:
        """The same run, stored, from where it has settled."""
        settled = self.stream()
        for _ in range(SETTLING):
            settled.step()
        cell, initial = self.derivation.cell, dict[tuple[str, int], Array]()
        for q in (*cell.states, *cell.inputs):
            symbol: Any = q.symbol
            initial |= {
                (q.name, -back): settled.look(symbol.at(back))[None, ...] for back in range(q.depth)
            }
        draw = normal_inputs(
            self.derivation, self.sizes, self.setting.seed + 1, self.setting.inputs
        )
        given = [draw(t) for t in range(1, SETTLING + steps + 1)][SETTLING:]
        inputs = {q.name: np.stack([g[q.name] for g in given])[:, None] for q in cell.inputs}
        weights = {k: v[None] for k, v in self.fixed.items()}
        return run(
            self.derivation, self.sizes, weights, inputs,
            steps=steps, initial=initial, space=self.space,
        )  # fmt: skip
