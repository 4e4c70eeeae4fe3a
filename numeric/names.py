"""Names in generated code: every leaf, array and weight gets one identifier, and no two the same."""

from __future__ import annotations

import keyword

from sympy.matrices.expressions import MatrixExpr

from derive.notation import Notation
from numeric.primitives import NAMES as PRIMITIVES

RESERVED = frozenset(
    """np Array params state cache outputs final outputs_bar final_bar params_bar inputs_bar state_bar loss value seed
    dtype rng t T B forward backward step init_params init_state value_and_grad size checked sizes orthogonal glorot
    EQUATIONS NAME PARAMETERS INPUTS STATES OUTPUTS sum range len float int zip dict tuple list annotations""".split()
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
        self.taken = set(RESERVED | set(PRIMITIVES) | taken)

    def of(self, leaf: MatrixExpr) -> str:
        """The identifier of a leaf, whatever its lag."""
        key = leaf.at(0) if hasattr(leaf, "at") and Notation.has_time(leaf) else leaf
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

    def storage(self, leaf: MatrixExpr) -> str:
        """The array that holds a sequence together with the values before it."""
        return self.named((leaf.at(0), "all"), f"{self.of(leaf)}_all")
