"""Names in generated code: every leaf, array and weight gets one identifier, and no two the same."""

from __future__ import annotations

import keyword

from sympy.matrices.expressions import MatrixExpr

from derive.cell import Cell
from derive.expressions import has_time, parameter
from derive.notation import Notation
from numeric.buffers import NAMES as BUFFERS
from numeric.checks import NAMES as CHECKS
from numeric.initialisers import NAMES as INITIALISERS
from numeric.legs import NAMES as LEGS
from numeric.primitives import NAMES as PRIMITIVES
from numeric.ragged import NAMES as RAGGED
from numeric.scans import NAMES as SCANS
from numeric.sequences import NAMES as SEQUENCES
from numeric.team import NAMES as TEAM

RESERVED = frozenset(
    """
    np Array Arrays NAME EQUATIONS STATE_AXES T B t params state zeros shapes steps cache
    outputs final outputs_bar final_bar params_bar inputs_bar state_bar loss value seed dtype
    rng name only parameter_shapes init_params init_state forward backward step value_and_grad
    stretches in_stretches legs memory values influence sensitivities real_time_step real_time_start
    real_time_gradients checked_memory forward_in_time stacked basis spread across one_above_another gradient_along
    run_stretch Team given STRETCH_ROWS PIECE_SIZE BLOCK_BYTES MATRIX_SIZE SMALL_STEP TOGETHER_SIZE
    range reversed len type int float str dict tuple annotations
    workspace Workspace ws known flat block chain count start stop first last at slice zip map self
    """.split()  # noqa: SIM905 - a paragraph of words reads better than a column of literals
)

HELPERS = frozenset(
    [*PRIMITIVES, *BUFFERS, *CHECKS, *INITIALISERS, *LEGS, *RAGGED, *SCANS, *SEQUENCES, *TEAM]
)


class Names:
    """Hands out identifiers.

    Args:
        notation: the names on the page, on which the identifiers are built.
        taken: identifiers that are in use already.
    """

    def __init__(self, notation: Notation, taken: frozenset[str] = frozenset()) -> None:
        self.notation = notation
        self.given: dict[object, str] = {}
        self.taken = {*RESERVED, *HELPERS, *taken}
        self.authors: set[str] = set()

    def of(self, leaf: MatrixExpr) -> str:
        """The identifier of a leaf, whatever its lag."""
        key = leaf.at(0) if hasattr(leaf, "at") and has_time(leaf) else leaf
        return self.named(key, self.notation.identifier(leaf))

    def named(self, key: object, wish: str) -> str:
        """The identifier for a key: the wish itself, or the wish and an underscore if it is taken."""
        if key not in self.given:
            name = wish
            while name in self.taken or keyword.iskeyword(name) or keyword.issoftkeyword(name):
                name += "_"
            self.taken.add(name)
            self.given[key] = name
        return self.given[key]

    def lagged(self, leaf: MatrixExpr, lag: int) -> str:
        """The view of a sequence that holds, at step t, the value at t − lag."""
        if lag == 0:
            return self.of(leaf)
        return self.named((leaf.at(0), lag), f"{self.of(leaf)}_prev{lag if lag > 1 else ''}")

    def now(self, leaf: MatrixExpr) -> str:
        """The argument that is one step of a sequence, of a function that knows no names but the author's."""
        key = (leaf.at(0), "now")
        if key not in self.given:
            name = f"{self.of(leaf)}_t"
            while name in self.authors:
                name += "_"
            self.taken.add(name)
            self.given[key] = name
        return self.given[key]

    def storage(self, leaf: MatrixExpr) -> str:
        """The array that holds a sequence together with the values before it."""
        return self.named((leaf.at(0), "all"), f"{self.of(leaf)}_all")


def primal_names(cell: Cell, names: Names) -> dict[str, str]:
    """The identifiers of a cell's sizes and quantities, which are handed out before all others: by quantity."""
    for d in cell.dims:
        names.named(("dim", d), str(d))
    found = {q.name: names.of(q.symbol) for q in cell.quantities}
    names.given |= {parameter(q.name, *q.shape): found[q.name] for q in cell.quantities}
    names.authors |= set(found.values())
    return found


def argument_names(cell: Cell) -> dict[str, str]:
    """What the arguments of generated code are called: as the quantity, but for names that the code needs itself."""
    return primal_names(cell, Names(Notation({})))
