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
    compiled_products,
    compiled_text,
    initialisers,
    legs,
    portable_primitives,
    portable_ragged,
    primitives,
    ragged,
    realtime,
    rooms,
    scans,
    sequences,
    team,
    training,
    truncated,
)

MODULES: tuple[ModuleType, ...] = (
    buffers,
    checkpointed,
    checks,
    initialisers,
    legs,
    portable_primitives,
    portable_ragged,
    primitives,
    ragged,
    realtime,
    rooms,
    scans,
    sequences,
    team,
    training,
    truncated,
)


@cache
def own_functions() -> frozenset[str]:
    """Every function that the generator copies, methods of its classes too, as the dump of its syntax tree."""
    texts = [inspect.getsource(module) for module in MODULES]
    texts += [compiled_text.HEAD, *(text() for text in compiled_products.FUNCTIONS.values())]
    nodes = [node for text in texts for node in ast.walk(ast.parse(text))]
    return frozenset(ast.dump(node) for node in nodes if isinstance(node, ast.FunctionDef))
