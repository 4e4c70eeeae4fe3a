"""The check of single precision, for cells and networks: a float32 run against the float64 run of the same numbers.

How far apart they may be, the run itself says. Rounding all that is given to float32 changes the gradient by some
relative error; rounding the results of a run's operations changes it by a few times as much. Where it changes it by
more, as where tanh is nearly 1 and 1 − tanh² is lost, the derived equations show it, evaluated in float32 as they are.
So the bound follows how well the gradient is conditioned there, and a function that is not as exact as float32 is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from proofs.compare import compare
from proofs.network_samples import NetworkSample
from proofs.samples import Arrays, Sample, Values
from proofs.table import Check, measured
from proofs.unrolled import Place

Run = TypeVar("Run", Sample, NetworkSample)

TIMES = 50
"""How many times the error of rounding what is given may be that of rounding in the run; right files stay below 31."""
AGAIN = 5
"""How many times the error of the derived equations in float32 it may be; right files stay below twice."""
LEAST, MOST = 1e-5, 1e-4
"""Between these bounds on the relative error in norm; right files stay below the first, ill-conditioned runs apart."""
NEIGHBOURS = 8
"""How many runs tell how well the derived equations go in float32."""
FLOOR = 1e-2
"""A block smaller than this share of the largest one is measured against that share."""


def single_precision_row(
    runs: Sequence[Run],
    code: Any,
    places: Callable[..., Values],
    label: Callable[[Run, Place], str],
    what: str,
    derived: Callable[[Run], float] = lambda _: 0.0,
) -> Check:
    """The row of the table: of the first run that fails, or of the ordinary one.

    A run of other sizes in which rounding grows beyond what a bound can follow says nothing.

    Args:
        runs: an ordinary one, and others of other sizes; their numbers are rounded to those of float32 first.
        code: the generated code at work.
        places: its gradients by place.
        label: how a place is called.
        what: what the check says that it compares.
        derived: the relative error of the derived equations in float32; asked for where the other bound is passed.
    """
    rows = [_row(sample, code, places, label, what, derived) for sample in runs]
    failing = [row for i, row in enumerate(rows) if not row.ok and (i == 0 or row.bound < MOST)]
    return (failing or rows)[0]


def _row(
    sample: Run,
    code: Any,
    places: Callable[..., Values],
    label: Callable[[Run, Place], str],
    what: str,
    derived: Callable[[Run], float],
) -> Check:
    """What one run says."""
    single = rounded(sample)
    outputs, final, cache = code.forward(single, np.float32)
    bars = code.backward(single, cache, np.float32)
    named: dict[str, Arrays] = {"outputs": outputs, "final": final, "cache": _floats_in(cache)}
    named |= dict(zip(("params_bar", "inputs_bar", "state_bar"), bars, strict=True))
    other = _not_single(named)
    extent = sample.extent
    if other:
        return measured(
            "float32", what, extent, float("inf"), LEAST, note="not float32", where=other
        )
    exact = code.gradient(single)
    by_rounding = compare(exact, code.gradient(sample), floor=FLOOR).worst
    bound = allowed(by_rounding)
    comparison = compare(places(single, *bars), exact, floor=FLOOR)
    if comparison.worst > bound:
        bound = max(bound, AGAIN * derived(single))
    wrong = tuple(label(sample, place) for place in comparison.wrong(bound))
    return measured("float32", what, extent, comparison.worst, bound, where=wrong)


def derived_error(gradient: Callable[[Run, Any], Values], sample: Run, seed: int) -> float:
    """The largest relative error of the derived equations in float32, over runs from numbers that are nearly these.

    How roundings add up is chance, so that one run may be lucky; runs that do not stay finite say nothing.

    Args:
        gradient: of a run, by the derived equations in some precision.
        sample: the run.
        seed: of the numbers nearby.
    """
    rng, worst = np.random.default_rng(seed), 0.0
    for _ in range(NEIGHBOURS):
        near = {
            p: v * (1 + np.finfo(np.float32).eps * rng.standard_normal(v.shape))
            for p, v in sample.values.items()
        }
        run = rounded(replace(sample, values=near))
        found = compare(gradient(run, np.float32), gradient(run, np.float64), floor=FLOOR).worst
        worst = max(worst, found if np.isfinite(found) else 0.0)
    return worst


def allowed(by_rounding: float) -> float:
    """The bound on a float32 run's relative error.

    Args:
        by_rounding: by how much the gradient changes when what is given is rounded to float32.
    """
    return min(MOST, max(LEAST, TIMES * by_rounding)) if np.isfinite(by_rounding) else MOST


def rounded(sample: Run) -> Run:
    """The run with numbers that float32 can hold."""
    parts = ("values", "weights", "final_weights")
    return replace(sample, **{part: _rounded(getattr(sample, part)) for part in parts})


def _rounded(values: Mapping[Place, Any]) -> Values:
    return {p: np.asarray(v).astype(np.float32).astype(np.float64) for p, v in values.items()}


def _not_single(named: Mapping[str, Arrays]) -> tuple[str, ...]:
    """The results that are of another type."""
    return tuple(
        f"{part}[{name!r}]: {array.dtype}"
        for part, arrays in named.items()
        for name, array in arrays.items()
        if array.dtype != np.float32
    )


def _floats_in(cache: Any) -> Arrays:
    """The arrays of a cache that hold real or complex numbers; a cache of another kind is the file's own affair."""
    items = cache if isinstance(cache, dict) else {}
    return {
        k: v
        for k, v in items.items()
        if getattr(getattr(v, "dtype", None), "kind", "") in ("f", "c")
    }
