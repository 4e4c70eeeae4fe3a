"""Stretches of a run in generated files: what a cache holds, step by step, cut into windows that lie side by side.

Truncation and checkpointing run a part of the steps by itself. A cell's file can do that always; a network's if all
of its segments run forward along one axis.
"""

from __future__ import annotations

import inspect
import textwrap
from types import ModuleType

import numpy as np

from derive.derivation import Derivation
from derive.network_derivation import NetworkDerivation
from numeric.body import listed
from numeric.forward_pass import Forward
from numeric.schedule import program
from numeric.source import File

Array = np.ndarray


def side_by_side(array: Array, starts: Array, length: int) -> Array:
    """The rows from each start on, (length, W·B, …) of an array (T, B, …): windows side by side as samples."""
    found = array[starts + np.arange(length)[:, None]]
    return found.reshape(length, -1, *array.shape[2:])


NAMES = ("side_by_side",)


def stored_by_step(derivation: Derivation) -> dict[str, int]:
    """The arrays of a cell's cache with one entry a step: how many values before the first step each begins with."""
    file = File(program(derivation))
    kept = Forward(file.program, file.names).cached()
    constants = {q.name for q in file.cell.constants}
    return {
        name: file.memory[name].depth if name in file.memory else 0
        for name in kept
        if name not in constants
    }


def depths(derivation: Derivation | NetworkDerivation) -> dict[str, int]:
    """The states, and inputs with memory: how many values before the first step each has."""
    parts = derivation.segments if isinstance(derivation, NetworkDerivation) else (derivation,)
    quantities = (q for d in parts for q in (*d.cell.states, *d.cell.inputs))
    return {q.name: q.depth for q in quantities if q.depth}


def stretch_functions(derivation: Derivation | NetworkDerivation) -> list[str]:
    """The constants and functions by which a file cuts its caches."""
    head = _table("DEPTHS", depths(derivation))
    if isinstance(derivation, NetworkDerivation):
        return [head, *_of_network(derivation)]
    stored = stored_by_step(derivation)
    first, depth = next(iter(stored.items()))
    return [
        head,
        _table("STORED", stored),
        _steps_and_samples(f'cache["{first}"]', depth),
        "\n".join(
            [
                "def windows_of(cache: dict, starts: Array, length: int) -> dict:",
                '    """The cache of windows of this many steps, side by side as samples."""',
                "    cut = {name: side_by_side(cache[name], starts, length + d) for name, d in STORED.items()}",
                "    return {**cache, **cut}",
            ]
        ),
    ]


def _of_network(derivation: NetworkDerivation) -> list[str]:
    network = derivation.network
    stored = {
        s.name: stored_by_step(d)
        for s, d in zip(network.segments, derivation.segments, strict=True)
    }
    segment = network.segments[0].name
    first, depth = next(iter(stored[segment].items()))
    rows = [f'    "{name}": {_dict(found)},' for name, found in stored.items()]
    lengths = [
        line
        for axis in network.masks
        for line in (
            f'    lengths, _ = cache["lengths of {axis}"]',
            "    lengths = np.clip(lengths - starts[:, None], 0, length).ravel()",
            f'    cut["lengths of {axis}"] = lengths, length',
        )
    ]
    return [
        "\n".join(["STORED = {", *rows, "}"]),
        _steps_and_samples(f'cache["{segment}"]["{first}"]', depth),
        "\n".join(
            [
                "def windows_of(cache: dict, starts: Array, length: int) -> dict:",
                '    """The cache of windows of this many steps, side by side as samples."""',
                "    cut = {",
                "        segment: {**cache[segment], **{",
                "            name: side_by_side(cache[segment][name], starts, length + d)",
                "            for name, d in stored.items()",
                "        }}",
                "        for segment, stored in STORED.items()",
                "    }",
                *lengths,
                "    return {**cache, **cut}",
            ]
        ),
    ]


def _steps_and_samples(array: str, depth: int) -> str:
    before = f" - {depth}" if depth else ""
    return "\n".join(
        [
            "def steps_and_samples(cache: dict) -> tuple[int, int]:",
            '    """T and B of the run that left this cache."""',
            f"    T, B = {array}.shape[:2]",
            f"    return T{before}, B",
        ]
    )


def _dict(found: dict[str, int]) -> str:
    return "{" + ", ".join(f'"{name}": {depth}' for name, depth in found.items()) + "}"


def _table(name: str, found: dict[str, int]) -> str:
    items = [f'"{key}": {depth}' for key, depth in found.items()]
    return "\n".join(listed(f"{name} = {{", items, "}"))


def sources(module: ModuleType, names: tuple[str, ...]) -> list[str]:
    """The text of functions, to be copied into a file."""
    return [textwrap.dedent(inspect.getsource(getattr(module, name))).rstrip() for name in names]
