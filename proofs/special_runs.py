"""Runs of which something is special: where sizes meet, values vanish, or a matrix is its own transpose.

Random runs never go there, so code that is wrong only there would pass. Every row is one more run for one more check.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proofs.arithmetic import Array
from proofs.compare import ROUNDING, Comparison
from proofs.table import Check, measured
from proofs.unrolled import Place

Values = dict[Place, Array]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of one special run.

    Args:
        dims: the size of every dimension; ``None``: random ones, different for different dimensions.
        steps: T, at least as long as the lags need unless it is 1; ``None``: the largest lag, if it is 2 or more.
        samples: B.
        alike: whether every axis of a network has the same length, and each sample another along each of them.
    """

    dims: int | None
    steps: int | None
    samples: int
    alike: bool = False


SIZES: dict[str, Sizes] = {
    "every size 1": Sizes(1, 4, 2),
    "equal sizes": Sizes(3, 4, 2),
    "every size and B equal": Sizes(3, 4, 3),
    "every size, B and T equal": Sizes(4, 4, 4, alike=True),
    "one step of three samples": Sizes(None, 1, 3),
    "as many steps as the largest lag": Sizes(None, None, 3),
    "one sample of four steps": Sizes(None, 4, 1),
    "nine samples": Sizes(None, 3, 9),
    "sixteen steps": Sizes(None, 16, 2),
}
WIDE = Sizes(37, 3, 17)
"""Of the run that is wider than any other; checked along directions."""


@contextmanager
def unwritten() -> Generator[None]:
    """New arrays hold NaN until something is written to them, where NumPy promises nothing."""
    made, made_like = np.empty, np.empty_like

    def soiled(array: Array) -> Array:
        if array.dtype.kind in "fc":
            array.fill(np.nan)
        return array

    np.empty = lambda *a, **k: soiled(made(*a, **k))  # type: ignore[assignment]
    np.empty_like = lambda *a, **k: soiled(made_like(*a, **k))  # type: ignore[assignment]
    try:
        yield
    finally:
        np.empty, np.empty_like = made, made_like  # type: ignore[assignment]


def symmetric(a: Array) -> Array:
    """(A + Aᵀ) / 2 of a square matrix."""
    return (a + a.T) / 2


def diagonal(a: Array) -> Array:
    """The diagonal of a square matrix."""
    return np.diag(np.diag(a))


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which values are special: parameters by shape, and what is given over time.

    Args:
        square: of square matrices larger than 1.
        vector: of parameters with one column.
        matrix: of all other parameters.
        initial: of values before the first step.
        given: of inputs.
    """

    square: Callable[[Array], Array] | None = None
    vector: Callable[[Array], Array] | None = None
    matrix: Callable[[Array], Array] | None = None
    initial: Callable[[Array], Array] | None = None
    given: Callable[[Array], Array] | None = None


VALUES: dict[str, Kinds] = {
    "symmetric matrices": Kinds(square=symmetric),
    "diagonal matrices": Kinds(square=diagonal),
    "parameters zero": Kinds(square=np.zeros_like, vector=np.zeros_like, matrix=np.zeros_like),
    "initial values zero": Kinds(initial=np.zeros_like),
    "inputs zero": Kinds(given=np.zeros_like),
    "equal samples": Kinds(
        initial=lambda a: a[:1].repeat(len(a), 0), given=lambda a: a[:1].repeat(len(a), 0)
    ),
}


def vanishing(values: Values, fixed: frozenset[str]) -> Iterator[tuple[str, Values]]:
    """Runs in which all values of one name are zero, in turn."""
    for name in dict.fromkeys(n for n, _ in values if n not in fixed):
        yield f"{name} zero", {p: 0 * v if p[0] == name else v for p, v in values.items()}


def special_values(values: Values, fixed: frozenset[str]) -> Iterator[tuple[str, Values]]:
    """Every run of special values, made of an ordinary run.

    Args:
        values: parameters (rows, columns), all else (B, rows, columns).
        fixed: names that stay: constants, and indices.
    """
    for row, kinds in VALUES.items():
        yield row, changed(values, kinds, fixed)
    yield from vanishing(values, fixed)


def changed(values: Values, kinds: Kinds, fixed: frozenset[str]) -> Values:
    """The values of a run, those that are special replaced.

    Args:
        values: parameters (rows, columns), all else (B, rows, columns).
        kinds: what is special.
        fixed: names that stay: constants, and indices.
    """
    return {
        place: value if place[0] in fixed or change is None else change(value)
        for place, value in values.items()
        for change in [_change(place, value, kinds)]
    }


def _change(place: Place, value: Array, kinds: Kinds) -> Callable[[Array], Array] | None:
    if place[1] is not None:
        return kinds.initial if place[1] <= 0 else kinds.given
    rows, cols = value.shape
    if cols == 1:
        return kinds.vector
    return kinds.square if rows == cols else kinds.matrix


def strided(array: Array) -> Array:
    """The same numbers, none of which lies beside the next."""
    return np.stack([array, np.full_like(array, 7)], axis=-1)[..., 0]


def turned(array: Array) -> Array:
    """The same numbers in Fortran's order."""
    return np.array(array, order="F")


def locked(array: Array) -> Array:
    """The same numbers, that nobody may write to."""
    found = array.copy()
    found.flags.writeable = False
    return found


def reversed_in_memory(array: Array) -> Array:
    """The same numbers, the last one first in memory."""
    every = (*(slice(None, None, -1),) * array.ndim, ...)
    return array[every].copy()[every]


def among_others(array: Array) -> Array:
    """The same numbers as a part of a larger array: gaps between rows, none within."""
    larger = np.full([side + 1 for side in array.shape], 7, array.dtype)
    part = larger[(*(slice(0, side) for side in array.shape), ...)]
    part[...] = array
    return part


def off_the_words(array: Array) -> Array:
    """The same numbers at addresses that are no multiple of their size."""
    size = array.nbytes
    found = np.empty(size + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    found[...] = array
    return found


PRESENTED: dict[str, Callable[[Array], Array]] = {
    "arrays with gaps": strided,
    "arrays in Fortran's order": turned,
    "arrays that are read-only": locked,
    "arrays that run backwards": reversed_in_memory,
    "parts of larger arrays": among_others,
    "arrays that are not aligned": off_the_words,
}
"""The same numbers in other arrays: nothing may change."""
LOUD = (2.0**40, 2.0**300)
"""Gradients are linear in the loss: a louder one makes all of them as much larger, whatever their size."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """All that forward and backward are given.

    Args:
        params: the parameters.
        inputs: the positional inputs.
        state: the values before the first step.
        named: the keyword arguments of forward.
        bars: the loss's gradients by outputs.
        ends: those by final values.
    """

    params: dict[str, Array]
    inputs: list[Array]
    state: dict[str, Array] | None
    named: dict[str, Any]
    bars: dict[str, Array]
    ends: dict[str, Array] | None

    def run(self, module: Any) -> dict[str, Array]:
        """Outputs, final values and gradients, each under a name that says which it is."""
        outputs, final, cache = module.forward(self.params, *self.inputs, self.state, **self.named)
        parts = module.backward(self.params, cache, self.bars, self.ends)
        groups = dict(zip(GROUPS, (outputs, final, *parts), strict=True))
        return {f"{g}[{k!r}]": np.array(v) for g, found in groups.items() for k, v in found.items()}

    def presented(self, how: Callable[[Array], Array]) -> Arguments:
        """The same numbers in other arrays."""

        def all_of(arrays: Mapping[str, Array] | None) -> dict[str, Array]:
            return {k: how(v) for k, v in (arrays or {}).items()}

        return Arguments(
            all_of(self.params),
            [how(x) for x in self.inputs],
            all_of(self.state),
            self.named,
            all_of(self.bars),
            all_of(self.ends),
        )


GROUPS = ("outputs", "final", "params_bar", "inputs_bar", "state_bar")


def partly_given(whole: Arguments) -> Iterator[tuple[str, Arguments, Arguments]]:
    """What may be left out, left out; and the same with zeros in its place."""
    for what, group in (
        ("state", whole.state),
        ("outputs_bar", whole.bars),
        ("final_bar", whole.ends),
    ):
        names = list(group or {})
        choices = {f"{what} without {n!r}": [k for k in names if k != n] for n in names}
        choices |= {f"{what} with {n!r} alone": [n] for n in names}
        choices |= {f"{what} empty": []}
        for how, kept in choices.items():
            if what == "state" and not (kept or whole.inputs):
                continue
            full = {k: v if k in kept else 0 * v for k, v in (group or {}).items()}
            some = {k: full[k] for k in kept}
            yield how, _with(whole, what, some), _with(whole, what, full)


def louder(whole: Arguments, factor: float) -> Arguments:
    """A loss that is so many times as large."""
    return replace(
        whole,
        bars={k: factor * v for k, v in whole.bars.items()},
        ends={k: factor * v for k, v in (whole.ends or {}).items()},
    )


def changed_in_place(whole: Arguments, module: Any) -> tuple[dict[str, Array], dict[str, Array]]:
    """A run in arrays that another run has seen with other numbers, and the same run in new ones.

    Args:
        whole: all that forward and backward are given.
        module: the file.
    """
    own = whole.presented(np.array)
    own.run(module)
    for group in (own.params, own.state, own.bars, own.ends, dict(enumerate(own.inputs))):
        for array in (a for a in (group or {}).values() if a.dtype.kind == "f"):
            array *= 1 + 2.0**-10
    return own.run(module), own.presented(np.array).run(module)


def _with(whole: Arguments, what: str, group: dict[str, Array]) -> Arguments:
    state = group if what == "state" else whole.state
    bars = group if what == "outputs_bar" else whole.bars
    ends = group if what == "final_bar" else whole.ends
    return Arguments(whole.params, whole.inputs, state, whole.named, bars, ends)


def summary(
    name: str,
    what: str,
    found: Mapping[str, Comparison],
    label: Callable[[Place], str],
    bound: float = ROUNDING,
) -> Check:
    """One row of the table on many runs.

    Args:
        name: of the check.
        what: is compared with what.
        found: how far gradients are apart, by run; the loss stands under no name.
        label: what a place is called.
        bound: on every relative error.
    """
    wrong = {
        f"{label(place) if place[0] else 'the loss'}: {row}": comparison.errors[place]
        for row, comparison in found.items()
        for place in comparison.wrong(bound)
    }
    worst = max((c.worst for c in found.values()), default=float("inf"))
    where = tuple(sorted(wrong, key=lambda told: -wrong[told]))
    return measured(name, what, f"{len(found)} runs", worst, bound, where=where)
