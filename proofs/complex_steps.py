"""Complex steps by every entry of what is given, or, where that is very many, along directions in their stead.

A place of up to a thousand entries has a step for each. A larger one is looked at block by block, along a random
direction in each block, and by single entries at its corners and beside every power of two, where tiles begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product

import numpy as np

from proofs.arithmetic import Array
from proofs.samples import Values
from proofs.unrolled import Place

TINY = 1e-200
ENTRIES = 1_000
"""Of a place with more entries, not every one is moved by itself."""
BLOCKS = (4, 12)
"""Into how many rows and columns of blocks a large matrix is cut, at most."""
TOGETHER = 4_000_000
"""How many numbers all values together have that are moved in one run."""

Probe = tuple[slice, slice, Array]
"""A direction that is 0 outside of a block."""
Slopes = Callable[[Values, int], Array]


@lru_cache(64)
def probes(rows: int, cols: int) -> tuple[Probe, ...]:
    """The directions along which a large matrix is looked at; none for a small one, of which every entry is.

    Args:
        rows: of the matrix.
        cols: of the matrix.
    """
    if rows * cols <= ENTRIES:
        return ()
    rng = np.random.default_rng((rows, cols))
    cuts = [
        np.array_split(np.arange(side), min(side, k))
        for side, k in zip((rows, cols), BLOCKS, strict=True)
    ]
    blocks = [(slice(r[0], r[-1] + 1), slice(c[0], c[-1] + 1)) for r, c in product(*cuts)]
    found = [(r, c, rng.standard_normal((r.stop - r.start, c.stop - c.start))) for r, c in blocks]
    single = product(_places_along(rows), _places_along(cols))
    found += [(slice(r, r + 1), slice(c, c + 1), np.ones((1, 1))) for r, c in single]
    return tuple(found)


def _places_along(side: int) -> list[int]:
    """The ends, and both sides of the larger powers of two."""
    powers = [2**k for k in range(5, side.bit_length()) if 2**k < side]
    near = {0, side - 1, *powers, *(k - 1 for k in powers)}
    return sorted(near) if len(near) < 6 else sorted({0, side - 1, *sorted(near)[-4:]})


def looked_at(gradient: Values) -> Values:
    """A gradient as complex steps give it: of a large place what it is along its directions, of others every entry.

    Args:
        gradient: by place, as matrices.
    """
    return {place: _answers(value) for place, value in gradient.items()}


def _answers(value: Array) -> Array:
    found = probes(*value.shape[-2:]) if value.ndim > 1 else ()
    if not found:
        return value
    parts = [np.sum(value[..., r, c] * d, axis=(-1, -2)) for r, c, d in found]
    return np.stack(parts, axis=-1)[..., None]


def told(values: Values) -> str:
    """What is looked at in place of every entry, in words; empty where every entry is.

    Args:
        values: of a run, by place.
    """
    large = {
        p[0]: (v.shape[-2] * v.shape[-1], len(probes(*v.shape[-2:])))
        for p, v in values.items()
        if probes(*v.shape[-2:])
    }
    return "; ".join(f"{name}: {k} directions in {n} entries" for name, (n, k) in large.items())


def by_complex_steps(
    values: Values, places: list[Place], slopes: Slopes, *, every: bool = True
) -> Values:
    """∂L/∂(every entry, or along every direction), in as few runs as memory allows.

    Args:
        values: of the run, by place.
        places: what a gradient is taken by.
        slopes: the slope of the loss in every lane, one for each sample: of values with a first axis of lanes.
        every: whether large places, too, have a step for each entry.
    """
    shapes = {p: values[p].shape[-2:] for p in places}
    ways = {p: () if every else probes(*shape) for p, shape in shapes.items()}
    steps = [(p, way) for p in places for way in ways[p] or _entries(*shapes[p])]
    total = sum(v.size for v in values.values())
    at_once = max(1, min(len(steps), TOGETHER // max(1, total)))
    found: dict[Place, list[Array]] = {p: [] for p in places}
    for start in range(0, len(steps), at_once):
        some = steps[start : start + at_once]
        for (place, _), slope in zip(some, slopes(_moved(values, some), len(some)), strict=True):
            found[place].append(slope.sum() if place[1] is None else slope)
    rows = {p: (len(ways[p]), 1) if ways[p] else shapes[p] for p in places}
    return {
        p: np.array(found[p]).T.reshape(rows[p] if p[1] is None else (-1, *rows[p])) for p in places
    }


def slopes_along(values: Values, directions: Values, slopes: Slopes) -> dict[Place, float]:
    """⟨∂L/∂(a place), its direction⟩ for every place, by one complex step each.

    Args:
        values: of the run, by place.
        directions: by place.
        slopes: the slope of the loss in every lane, one for each sample: of values with a first axis of lanes.
    """
    places, total = list(directions), sum(v.size for v in values.values())
    at_once = max(1, min(len(places), TOGETHER // max(1, total)))
    found: list[float] = []
    for start in range(0, len(places), at_once):
        some = places[start : start + at_once]
        moved: Values = {p: v.astype(complex) for p, v in values.items()}
        for lane, p in enumerate(some):
            basis = np.zeros((len(some), *directions[p].shape))
            basis[lane] = directions[p]
            moved[p] = moved[p] + 1j * TINY * (basis[:, None] if p[1] is None else basis)
        found += slopes(moved, len(some)).sum(axis=1).tolist()
    return dict(zip(places, found, strict=True))


def _entries(rows: int, cols: int) -> Iterator[Probe]:
    """Every entry by itself."""
    one = np.ones((1, 1))
    for i, j in np.ndindex(rows, cols):
        yield slice(i, i + 1), slice(j, j + 1), one


def _moved(values: Values, steps: list[tuple[Place, Probe]]) -> Values:
    """The values, each that a step is about with a lane for every step."""
    moved: Values = {p: v.astype(complex) for p, v in values.items()}
    for place in dict.fromkeys(p for p, _ in steps):
        basis = np.zeros((len(steps), 1, *values[place].shape[-2:]))
        for lane, (p, (r, c, direction)) in enumerate(steps):
            if p == place:
                basis[lane, 0, r, c] = direction
        moved[place] = moved[place] + 1j * TINY * basis
    return moved
