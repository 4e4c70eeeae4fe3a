"""Truncated backpropagation through time in generated files: the functions that a file brings along.

    window j ends at e_j = min(j k₁, T), begins at b_j = max(1, e_j − k₂ + 1), and sees the losses after e_{j−1}

Source: R. J. Williams and J. Peng, Neural Computation 2 (1990), BPTT(h; h') with h = k₂ and h' = k₁.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import numpy as np

from derive.derivation import Derivation
from derive.network_derivation import NetworkDerivation
from derive.network_legs import legs_of
from derive.truncation import checked_truncation
from numeric.network_windows import windowed_network
from numeric.stretches import sources

Array = np.ndarray
Arrays = dict[str, Array]

DEPTHS: dict[str, int] = {}
HELD: frozenset[str] = frozenset()
"""Both stand for the file's own, as the three functions below do."""


def _of_the_file(*_: object) -> tuple:
    raise NotImplementedError("every file has its own")


backward = steps_and_samples = windows_of = _of_the_file


def truncated_gradients(
    params: Arrays,
    cache: dict,
    outputs_bar: Arrays,
    final_bar: Arrays | None = None,
    *,
    k1: int = 1,
    k2: int = 1,
) -> tuple[Arrays, Arrays, Arrays]:
    """The gradients with the way back cut off: every k1 steps, the adjoints of these steps' losses go back k2 steps.

    The state before a window counts as given. Windows that begin at the first step are one call of backward, so for
    k2 >= T this is backward itself; of the others, as many as take the memory of one more cache go side by side.

    Args and returns are those of backward; 1 <= k1 <= k2 (Williams and Peng, 1990).
    """
    if not all(isinstance(k, int | np.integer) for k in (k1, k2)):
        raise TypeError(f"k1 is {k1!r} and k2 is {k2!r}: expected whole numbers")
    if not 1 <= k1 <= k2:
        raise ValueError(f"k1 is {k1} and k2 is {k2}: expected 1 <= k1 <= k2")
    if k2 >= steps_and_samples(cache)[0]:
        return backward(params, cache, outputs_bar, final_bar)
    return in_windows(backward, params, cache, outputs_bar, final_bar or {}, k1, k2)


def in_windows(
    turn: Callable[..., tuple[Arrays, Arrays, Arrays]],
    params: Arrays,
    cache: dict,
    outputs_bar: Arrays,
    final_bar: Arrays,
    k1: int,
    k2: int,
) -> tuple[Arrays, Arrays, Arrays]:
    """The sums over all windows of what turns back in them; of inputs at every step, each where it lies."""
    T, B = steps_and_samples(cache)
    for name, value in outputs_bar.items():
        if np.shape(value)[:2] != (T, B):
            shape = np.shape(value)
            raise ValueError(f"outputs_bar[{name!r}] has shape {shape}: expected ({T}, {B}, …)")
    for name, value in final_bar.items():
        depth = DEPTHS.get(name, 1)
        front = (depth, B) if depth > 1 else (B,)
        if np.shape(value)[: len(front)] != front:
            axes = ", ".join(map(str, front))
            raise ValueError(
                f"final_bar[{name!r}] has shape {np.shape(value)}: expected ({axes}, …)"
            )
    first = k2 - k2 % k1
    early = {name: np.asarray(value)[:first] for name, value in outputs_bar.items()}
    params_bar, by_inputs, state_bar = turn(params, windows_of(cache, np.array([0]), first), early)
    inputs_bar = {
        name: x
        if name in HELD
        else np.concatenate((x, np.zeros((T - first, *x.shape[1:]), x.dtype)))
        for name, x in by_inputs.items()
    }
    ends = np.minimum(np.arange(first + k1, T + k1, k1), T)
    at_once = max(1, T // k2)
    for stops in np.split(ends, np.arange(at_once, len(ends), at_once)):
        starts, unseen = stops - k2, (stops - 1) // k1 * k1
        bars = {
            name: losses_of_windows(np.asarray(value), starts, unseen, k2)
            for name, value in outputs_bar.items()
        }
        final = {
            name: of_last_window(np.asarray(value), stops == T, DEPTHS.get(name, 1))
            for name, value in final_bar.items()
        }
        by_params, by_inputs, _ = turn(params, windows_of(cache, starts, k2), bars, final)
        params_bar = {name: params_bar[name] + value for name, value in by_params.items()}
        for name, value in by_inputs.items():
            if name in HELD:
                parts = value.reshape(len(starts), B, *value.shape[1:])
                inputs_bar[name] = inputs_bar[name] + parts.sum(axis=0)
                continue
            apart = value.reshape(k2, len(starts), B, *value.shape[2:])
            for window, start in enumerate(starts):
                inputs_bar[name][start : start + k2] += apart[:, window]
    return params_bar, inputs_bar, state_bar


def losses_of_windows(bar: Array, starts: Array, unseen: Array, length: int) -> Array:
    """The loss's gradients in windows side by side: zero at the steps whose losses an earlier window has seen."""
    steps = starts + np.arange(length)[:, None]
    found = bar[steps]
    found[steps < unseen] = 0.0
    return found.reshape(length, -1, *bar.shape[2:])


def of_last_window(bar: Array, last: Array, depth: int) -> Array:
    """The loss's gradient by the final state for windows side by side: it belongs to the one that ends with the run."""
    parts = [bar if is_last else np.zeros_like(bar) for is_last in last]
    return np.concatenate(parts, axis=min(depth, 2) - 1)


NAMES = ("truncated_gradients", "in_windows", "losses_of_windows", "of_last_window")


def truncated_functions(
    derivation: Derivation | NetworkDerivation, truncation: tuple[int, int]
) -> list[str]:
    """The functions of a file's truncated backward pass, with k₁ and k₂ as its defaults.

    Raises:
        ArgumentError: not 1 ≤ k₁ ≤ k₂, or a network of which no leg can be cut into windows.
    """
    k1, k2 = checked_truncation(truncation)
    whole, *parts = sources(sys.modules[__name__], NAMES)
    if isinstance(derivation, NetworkDerivation) and len(legs_of(derivation.network)) > 1:
        return [*windowed_network(derivation, k1, k2), *parts]
    whole = whole.replace("k1: int = 1", f"k1: int = {k1}").replace(
        "k2: int = 1", f"k2: int = {k2}"
    )
    return [whole, *parts]


def truncation_in(source: str) -> tuple[int, int] | None:
    """k₁ and k₂ of a file that brings a truncated backward pass along."""
    found = re.search(
        r"^def truncated_gradients\([^)]*k1: int = (\d+),\s*k2: int = (\d+)", source, re.MULTILINE
    )
    return (int(found[1]), int(found[2])) if found else None
