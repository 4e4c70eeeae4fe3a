"""What the checks of training share: dicts of arrays of many shapes, and when two of them are equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs.arithmetic import Array

BOUND, LONG, FEW = 1e-12, 1e-11, 4
"""On relative errors; the second where those of more than a few steps add up."""
SHAPES: dict[str, tuple[int, ...]] = {
    **dict(zip("Wbs", ((3, 2), (4,), ()), strict=True)),
    **{f"b_{i}": (2,) for i in range(1, 11)},
}
"""More arrays than a slice of a fixed length would take, none of them in the order of the alphabet."""
LATE = 1_030
"""Beyond every number that a file may name without being asked for more: of steps, and of entries along an axis."""
LARGE = {"V": (3, LATE), "c": (LATE,), "U": (LATE, 2)}
SMALL = {"a": (2,)}
Arrays = dict[str, Array]


def numbers(subject: Any) -> np.random.Generator:
    """Random numbers of a check."""
    return np.random.default_rng(subject.seed)


def drawn(
    rng: np.random.Generator, scale: float, shapes: dict[str, tuple[int, ...]] = SHAPES
) -> Arrays:
    """Normal arrays.

    Args:
        rng: where they come from.
        scale: their standard deviation.
        shapes: by name.
    """
    return {name: np.asarray(scale * rng.standard_normal(shape)) for name, shape in shapes.items()}


def accepted(module: Any, name: str, *given: object) -> list[str]:
    """What is wrong with a function that takes what it should refuse with a word."""
    try:
        with np.errstate(invalid="ignore"):
            getattr(module, name)(*given)
    except (ValueError, TypeError):
        return []
    except (LookupError, ArithmeticError) as error:
        return [f"{name}: {type(error).__name__} at nonsense"]
    return [f"{name}: nonsense accepted"]


def close(found: Arrays, law: Arrays, bound: float = BOUND) -> bool:
    """Equal names, shapes and, to rounding, values."""
    return found.keys() == law.keys() and all(
        np.shape(found[k]) == np.shape(v) and np.allclose(found[k], v, rtol=bound, atol=0)
        for k, v in law.items()
    )
