"""The house's own functions that generated files bring along, letter for letter: each is tested where it is kept."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from types import ModuleType

from numeric import (
    buffers,
    checkpointed,
    checks,
    initialisers,
    portable_primitives,
    primitives,
    ragged,
    realtime,
    scans,
    training,
    truncated,
)

MODULES: tuple[ModuleType, ...] = (
    buffers,
    checkpointed,
    checks,
    initialisers,
    portable_primitives,
    primitives,
    ragged,
    realtime,
    scans,
    training,
    truncated,
)


@cache
def own_functions() -> frozenset[str]:
    """Every function that the generator copies, as the dump of its syntax tree."""
    found: set[str] = set()
    for module in MODULES:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef):
                found.add(ast.dump(node))
    return frozenset(found)
