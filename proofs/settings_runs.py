"""Runs of a file at other settings than its own: whatever they are, no result may change.

The sizes at the head of a file made for speed decide in how many stretches and blocks it goes, and which of its ways.
At the sizes of other checks all steps are one block, so code that is wrong between two blocks would pass there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from numeric.fast_source import SETTINGS
from proofs.arithmetic import Array
from proofs.compare import Comparison, compare
from proofs.covering import covering
from proofs.unrolled import Place

STEPS, SAMPLES = 11, (1, 3)
"""Several stretches of several blocks, the last ones shorter."""
LEAST, BEYOND = 0, 10**12
"""At their least, and beyond all sizes."""
LEVELS = {
    "STRETCH_ROWS": (LEAST, 8, BEYOND),
    "BLOCK_BYTES": (LEAST, *(2**k for k in range(8, 16)), BEYOND),
}
"""What the settings are set to which do not only choose between two ways."""


@contextmanager
def settings(module: object, values: Mapping[str, int]) -> Generator[None]:
    """Settings of a file at these values."""
    before = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, ordinary in before.items():
            setattr(module, name, ordinary)


def other_settings(module: object) -> Iterator[tuple[int, dict[str, int]]]:
    """The samples and settings of runs in which any three of these meet; none if there are no settings."""
    names = [name for name in SETTINGS if hasattr(module, name)]
    axes = [SAMPLES, *(LEVELS.get(name, (LEAST, BEYOND)) for name in names)]
    for row in covering(tuple(map(len, axes)), tuple(range(len(axes)))) if names else ():
        samples, *values = (axis[i] for axis, i in zip(axes, row, strict=True))
        yield samples, dict(zip(names, values, strict=True))


def at_other_settings(
    module: object,
    draw: Callable[[int], Any],
    true: Callable[[Any], dict[Place, Array]],
    found: Callable[[Any], dict[Place, Array]],
) -> Iterator[tuple[str, Comparison]]:
    """How far gradients are from the true ones, run by run.

    Args:
        module: the file.
        draw: a run of so many samples.
        true: what is true of it.
        found: what the file finds.
    """
    known: dict[int, tuple[Any, dict[Place, Array]]] = {}
    for samples, values in other_settings(module):
        if samples not in known:
            sample = draw(samples)
            known[samples] = sample, true(sample)
        sample, expected = known[samples]
        told = ", ".join(f"{name} = {value}" for name, value in values.items())
        with settings(module, values):
            yield f"B = {samples}, {told}", compare(found(sample), expected)
