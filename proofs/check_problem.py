"""Somebody's loss and somebody's gradient as one problem: called, shortened, and differentiated by the loss alone.

The derivative along a direction comes from a complex step where the code admits complex numbers and central differences
agree with it, and from central differences extrapolated to step 0 (Ridders, 1982) elsewhere. Both come with an estimate
of their own error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from derive.errors import ArgumentError
from proofs.arithmetic import Array

Blocks = dict[str, Array]
STEP = 1e-200
DIFFERENCES = 0.02
"""The first step of the extrapolation, as a length; it is divided by √2 again and again."""
LEVELS = 8
EASY = 3
"""Steps of the stretch on which it is decided whether code takes complex numbers."""
LONG = 40
"""Steps that are looked at elsewhere: more than a usual truncation keeps."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A derivative along a direction.

    Args:
        value: the derivative.
        error: how far it may be off.
    """

    value: float
    error: float


@dataclass(frozen=True)
class Problem:
    """A loss, its claimed gradient, and where.

    Args:
        loss: f(params, *inputs).
        gradient: the claimed gradient: a dict for the params, or a pair of it and the inputs' gradients.
        params: arrays by name.
        inputs: arrays, passed by position.
        time: the inputs' axis of time, if they have one.
        batch: the inputs' axis of samples, if they have one.
        states: names of the params that are initial states: their first axis is that of the samples, if there is one.
        holomorphic: whether complex steps are to be trusted.
    """

    loss: Callable[..., Any]
    gradient: Callable[..., Any]
    params: Blocks
    inputs: tuple[Array, ...]
    time: int | None = 0
    batch: int | None = 1
    states: tuple[str, ...] = ()
    holomorphic: bool = False

    @property
    def blocks(self) -> Blocks:
        """Everything a gradient can be taken by."""
        real = {_input(i): x for i, x in enumerate(self.inputs) if x.dtype.kind == "f"}
        return {**self.params, **real}

    @property
    def steps(self) -> int:
        """T; 1 if there is no time."""
        return self._length(self.time)

    @property
    def samples(self) -> int:
        """B; 1 if there are none."""
        return self._length(self.batch)

    def _length(self, axis: int | None) -> int:
        shapes = [x.shape for x in self.inputs if axis is not None and x.ndim > axis]
        return shapes[0][axis] if shapes and axis is not None else 1

    def at(self, blocks: Mapping[str, Array]) -> Any:
        """The loss at other values.

        Raises:
            ArgumentError: it is no single number.
        """
        value = np.asarray(as_array(self.loss(*self._arguments(blocks))))
        if value.size != 1:
            raise ArgumentError(f"The loss has shape {value.shape}.", "Return one number.")
        return value.reshape(())[()]

    def claimed(self) -> Blocks:
        """The claimed gradient, as arrays by block; blocks that it leaves out are absent.

        Raises:
            ArgumentError: it is no dict, or no pair of a dict and the inputs' gradients.
        """
        found: Any = self.gradient(*self._arguments({n: v.copy() for n, v in self.blocks.items()}))
        given, others = _pair(found)
        if not hasattr(given, "items"):
            raise ArgumentError(
                f"The gradient is a {type(given).__name__}.",
                "Return a dict by name, or it and the inputs' gradients.",
            )
        blocks = {str(name): as_array(v) for name, v in _items(given) if v is not None}
        listed = _listed(others)
        return blocks | {_input(i): as_array(v) for i, v in enumerate(listed) if v is not None}

    def _arguments(self, blocks: Mapping[str, Array]) -> list[Any]:
        return [
            {n: blocks[n] for n in self.params},
            *(blocks.get(_input(i), x) for i, x in enumerate(self.inputs)),
        ]

    def changed(self, params: Blocks) -> Problem:
        """The same with other parameters."""
        return replace(self, params={**self.params, **params})

    def elsewhere(self, rng: np.random.Generator) -> Problem:
        """The same where every value has changed, by as much as it is large, or as weights usually are.

        Law: v + s ε with ε from N(0, 1) and s = ½ max(‖v‖ / √size, 1 / √columns).
        """
        moved = {n: _moved(v, rng) for n, v in self.blocks.items()}
        inputs = tuple(moved.get(_input(i), x) for i, x in enumerate(self.inputs))
        other = replace(self.changed({n: moved[n] for n in self.params}), inputs=inputs)
        return other.window(0, LONG) if self.time is not None and self.steps > LONG else other

    def window(self, start: int, stop: int) -> Problem:
        """The same for some of the steps."""
        return replace(self, inputs=tuple(_cut(x, self.time, start, stop) for x in self.inputs))

    def sample(self, b: int) -> Problem:
        """The same for one of the samples."""
        held = {n: v[b : b + 1] for n, v in self.params.items() if n in self.states and v.ndim > 1}
        cut = replace(self, inputs=tuple(_cut(x, self.batch, b, b + 1) for x in self.inputs))
        return cut.changed(held)

    @property
    def at_rest(self) -> Problem:
        """The same from initial states of zero."""
        return self.changed({n: 0 * self.params[n] for n in self.states})

    def slope(self, direction: Mapping[str, Array]) -> Slope:
        """The loss's derivative along a direction."""
        return self._complex(direction) if self.holomorphic else self._differences(direction)

    def _moved(self, direction: Mapping[str, Array], h: complex) -> Blocks:
        """The blocks, moved along the direction; all of them complex if the step is, for code that mixes no dtypes."""
        dtype = type(h)
        return {n: v.astype(dtype) + h * direction.get(n, 0.0) for n, v in self.blocks.items()}

    def _complex(self, direction: Mapping[str, Array]) -> Slope:
        value = complex(self.at(self._moved(direction, 1j * STEP))).imag / STEP
        return Slope(value, 1e-13 * abs(value))

    def _differences(self, direction: Mapping[str, Array]) -> Slope:
        """Two tables from steps of their own; how far they are apart is part of the error."""
        a, b = self._table(direction, DIFFERENCES), self._table(direction, DIFFERENCES / 7)
        best = a if a.error < b.error else b
        return Slope(best.value, max(a.error, b.error, abs(a.value - b.value)))

    def _table(self, direction: Mapping[str, Array], h: float) -> Slope:
        """Ridders' table: central differences at h, h/√2, …, extrapolated; the best entry and its error."""
        best, error = np.nan, np.inf
        rows: list[list[float]] = []
        for i in range(LEVELS):
            row = [
                complex(
                    self.at(self._moved(direction, h)) - self.at(self._moved(direction, -h))
                ).real
                / (2 * h)
            ]
            for j in range(i):
                row.append(row[j] + (row[j] - rows[-1][j]) / (2.0 ** (j + 1) - 1))
                guess = max(abs(row[-1] - row[-2]), abs(row[-1] - rows[-1][j]))
                if guess < error:
                    best, error = row[-1], guess
            rows.append(row)
            h /= np.sqrt(2.0)
        return Slope(float(best), 4 * float(error))

    def admits_complex(self, rng: np.random.Generator) -> bool:
        """Whether a complex step runs, without a warning, and agrees with differences on the first few steps."""
        if self.time is not None and self.steps > EASY:
            try:
                return self.window(0, EASY).admits_complex(rng)
            except Exception:  # noqa: BLE001, S110 - code that takes no other length is asked as it is
                pass
        direction = {n: rng.standard_normal(v.shape) for n, v in self.blocks.items()}
        size = np.sqrt(sum(float(np.sum(d * d)) for d in direction.values()))
        direction = {n: d / size for n, d in direction.items()}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = self._complex(direction).value
        except Exception:  # noqa: BLE001 - whatever code says to complex numbers, it does not take them
            return False
        check = self._differences(direction)
        doubt = check.error + 1e-5 * abs(check.value)
        return bool(np.isfinite(found) and abs(found - check.value) <= doubt)


def as_input(value: Any) -> Array:
    """An input in double precision, or whole numbers as they are."""
    array = as_array(value)
    return array if array.dtype.kind in "iub" else array.astype(float)


def as_array(value: Any) -> Array:
    """Numbers of any framework as a NumPy array."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def _moved(v: Array, rng: np.random.Generator) -> Array:
    usual = 1 / np.sqrt(v.shape[-1]) if v.ndim else 1.0
    size = max(float(np.sqrt(np.mean(v * v))), usual) if v.size else 0.0
    return v + 0.5 * size * rng.standard_normal(v.shape)


def _pair(found: Any) -> tuple[Any, Any]:
    """The params' gradients and the inputs'."""
    both = type(found) is tuple and len(cast("tuple[Any, ...]", found)) == 2
    return cast("tuple[Any, Any]", found) if both else (found, ())


def _items(values: Any) -> list[tuple[Any, Any]]:
    return list(values.items())


def _listed(values: Any) -> list[Any]:
    """The inputs' gradients in order, however they came."""
    if isinstance(values, Mapping):
        return [v for _, v in _items(values)]
    return [*values] if isinstance(values, list | tuple) else [values]


def _input(i: int) -> str:
    return f"input {i}"


def _cut(x: Array, axis: int | None, start: int, stop: int) -> Array:
    if axis is None or x.ndim <= axis:
        return x
    return x[(slice(None),) * axis + (slice(start, stop),)]
