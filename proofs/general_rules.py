"""The adjoint rules with their proofs in index notation, for symbolic sizes, as plain data.

A rule says ⟨Ȳ, direction of the node⟩ = Σ ⟨contribution, direction of the operand⟩. Its chain leads from the left
side to the right one, each link with its reason; ``checker_rules`` verifies every link.

Source: Giles, "An extended collection of matrix derivative results", 2008, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Data = list[Any]
Size = dict[str, int]

A, B, Y, C, VALUE = (["value", v, None] for v in ("A", "B", "Y", "c", "y"))
DA, DB = ["dot", "A", None], ["dot", "B", None]
P, Q, R, ONE = {"p": 1}, {"q": 1}, {"r": 1}, {"": 1}
MINUS = ["number", "-1"]

DEFINITION = "by definition"
DISTRIBUTE = "by distribution over sums"
EXCHANGE = "by exchange of finite sums and order of factors"
CUT = "by cutting the sum over the stacked rows in two"
RENAME = "by other names for the bound indices"


@dataclass(frozen=True, slots=True)
class RuleProof:
    """One adjoint rule and why it holds.

    Args:
        name: as derivations name it.
        node: what it is a rule for, over the variables A, B and the number c.
        shapes: the variables' shapes in symbolic sizes.
        moving: the direction of the node.
        parts: the contribution to the adjoint of each operand.
        chain: the sums over indices between the two sides.
        reasons: why each equality holds, one more than there are sums.
    """

    name: str
    node: Data
    shapes: dict[str, list[Size]]
    moving: Data
    parts: list[tuple[Data, str]]
    chain: list[Data]
    reasons: list[str]

    def data(self) -> dict[str, Any]:
        """The rule as plain data."""
        start: Data = ["inner", Y, self.moving]
        return {
            "rule": self.name,
            "shapes": self.shapes,
            "node": self.node,
            "parts": [[part, a] for part, a in self.parts],
            "chain": [start, *self.chain],
            "reasons": self.reasons,
        }


def over(letters: dict[str, Size], body: Data) -> Data:
    """Σ over letters with their ranges."""
    return ["Σ", [[k, d] for k, d in letters.items()], body]


def at(a: Data, i: Any, j: Any = None) -> Data:
    """An entry."""
    return ["at", a, i, j]


def product(*factors: Data) -> Data:
    """A product of numbers."""
    return ["·", *factors]


def plus(*terms: Data) -> Data:
    """A sum of numbers."""
    return ["+", *terms]


def alike(*names: str) -> dict[str, list[Size]]:
    """Variables of shape p × q."""
    return {name: [P, Q] for name in names}


IJ = {"i": P, "j": Q}
IJK = {"i": P, "j": R, "k": Q}
yij, aij, bij = at(Y, "i", "j"), at(DA, "i", "j"), at(DB, "i", "j")
minus = at(MINUS, None, None)

_SUM = RuleProof(
    "sum", ["+", A, B], alike("A", "B", "Y"), ["+", DA, DB], [(Y, "A"), (Y, "B")],
    [
        over(IJ, product(yij, plus(aij, bij))),
        plus(over(IJ, product(yij, aij)), over(IJ, product(yij, bij))),
    ],
    [DEFINITION, DISTRIBUTE, DEFINITION],
)  # fmt: skip

_MULTIPLE = RuleProof(
    "multiple", ["*", C, A], alike("A", "Y") | {"c": [ONE, ONE]}, ["*", C, DA], [(["*", C, Y], "A")],
    [
        over(IJ, product(yij, at(C, None), aij)),
        over(IJ, product(product(at(C, None), yij), aij)),
    ],
    [DEFINITION, EXCHANGE, DEFINITION],
)  # fmt: skip

_PRODUCT = RuleProof(
    "matrix product", ["@", A, B], {"A": [P, Q], "B": [Q, R], "Y": [P, R]},
    ["+", ["@", DA, B], ["@", A, DB]],
    [(["@", Y, ["T", B]], "A"), (["@", ["T", A], Y], "B")],
    [
        over({"i": P, "j": R}, product(yij, plus(
            over({"k": Q}, product(at(DA, "i", "k"), at(B, "k", "j"))),
            over({"k": Q}, product(at(A, "i", "k"), at(DB, "k", "j"))),
        ))),
        plus(
            over(IJK, product(yij, at(DA, "i", "k"), at(B, "k", "j"))),
            over(IJK, product(yij, at(A, "i", "k"), at(DB, "k", "j"))),
        ),
        plus(
            over({"i": P, "k": Q}, product(over({"j": R}, product(yij, at(B, "k", "j"))), at(DA, "i", "k"))),
            over({"k": Q, "j": R}, product(over({"i": P}, product(at(A, "i", "k"), yij)), at(DB, "k", "j"))),
        ),
    ],
    [DEFINITION, DISTRIBUTE, EXCHANGE, DEFINITION],
)  # fmt: skip

_HADAMARD = RuleProof(
    "elementwise product", ["∘", A, B], alike("A", "B", "Y"), ["+", ["∘", DA, B], ["∘", A, DB]],
    [(["∘", Y, B], "A"), (["∘", Y, A], "B")],
    [
        over(IJ, product(yij, plus(product(aij, at(B, "i", "j")), product(at(A, "i", "j"), bij)))),
        plus(
            over(IJ, product(product(yij, at(B, "i", "j")), aij)),
            over(IJ, product(product(yij, at(A, "i", "j")), bij)),
        ),
    ],
    [DEFINITION, DISTRIBUTE, DEFINITION],
)  # fmt: skip

_DERIVATIVE = ["f'", "φ", A, VALUE]
_FUNCTION = RuleProof(
    "function", ["f", "φ", A], alike("A", "Y", "y"), ["∘", _DERIVATIVE, DA],
    [(["∘", Y, _DERIVATIVE], "A")],
    [over(IJ, product(yij, at(_DERIVATIVE, "i", "j"), aij))],
    [DEFINITION, DEFINITION],
)  # fmt: skip

_TRANSPOSE = RuleProof(
    "transpose", ["T", A], {"A": [P, Q], "Y": [Q, P]}, ["T", DA], [(["T", Y], "A")],
    [
        over({"i": Q, "j": P}, product(yij, at(DA, "j", "i"))),
        over({"i": P, "j": Q}, product(at(Y, "j", "i"), aij)),
    ],
    [DEFINITION, RENAME, DEFINITION],
)  # fmt: skip

_COLUMN = [P, ONE]
yi, vi, ai = at(Y, "i"), at(VALUE, "i"), at(DA, "i")
vk, ak, yk = at(VALUE, "k"), at(DA, "k"), at(Y, "k")
_FLOW = ["∘", VALUE, DA]
_SOFTMAX = RuleProof(
    "softmax", ["softmax", A], {"A": _COLUMN, "Y": _COLUMN, "y": _COLUMN},
    ["+", _FLOW, ["*", MINUS, ["∘", VALUE, ["broadcast", ["total", _FLOW], P, ONE]]]],
    [(["∘", VALUE, ["+", Y, ["*", MINUS, ["broadcast", ["@", ["T", VALUE], Y], P, ONE]]]], "A")],
    [
        over({"i": P}, product(yi, plus(product(vi, ai), product(minus, vi, over({"k": P}, product(vk, ak)))))),
        plus(
            over({"i": P}, product(yi, vi, ai)),
            over({"i": P, "k": P}, product(minus, yi, vi, vk, ak)),
        ),
        over({"i": P}, product(vi, plus(yi, product(minus, over({"k": P}, product(vk, yk)))), ai)),
    ],
    [DEFINITION, DISTRIBUTE, EXCHANGE, DEFINITION],
)  # fmt: skip

_SOFT = ["softmax", A]
si = at(_SOFT, "i")
_LOG_SUM_EXP = RuleProof(
    "log-sum-exp", ["logsumexp", A], {"A": _COLUMN, "Y": [ONE, ONE]}, ["total", ["∘", _SOFT, DA]],
    [(["∘", ["broadcast", Y, P, ONE], _SOFT], "A")],
    [
        product(at(Y, None), over({"i": P}, product(si, ai))),
        over({"i": P}, product(product(at(Y, None), si), ai)),
    ],
    [DEFINITION, DISTRIBUTE, DEFINITION],
)  # fmt: skip

_PR = {"p": 1, "r": 1}
_STACK = RuleProof(
    "stacking", ["concat", A, B], {"A": [P, Q], "B": [R, Q], "Y": [_PR, Q]}, ["concat", DA, DB],
    [(["rows", Y, {}, P], "A"), (["rows", Y, P, _PR], "B")],
    [
        over({"i": _PR, "j": Q}, product(yij, at(["concat", DA, DB], "i", "j"))),
        plus(
            over(IJ, product(yij, aij)),
            over({"i": R, "j": Q}, product(at(Y, [P, "i"], "j"), bij)),
        ),
    ],
    [DEFINITION, CUT, DEFINITION],
)  # fmt: skip

_BROADCAST = RuleProof(
    "broadcast", ["broadcast", A, P, Q], {"A": [ONE, ONE], "Y": [P, Q]}, ["broadcast", DA, P, Q],
    [(["total", Y], "A")],
    [over(IJ, product(yij, at(DA, None))), product(over(IJ, yij), at(DA, None))],
    [DEFINITION, DISTRIBUTE, DEFINITION],
)  # fmt: skip

_TOTAL = RuleProof(
    "total", ["total", A], {"A": [P, Q], "Y": [ONE, ONE]}, ["total", DA],
    [(["broadcast", Y, P, Q], "A")],
    [product(at(Y, None), over(IJ, aij)), over(IJ, product(at(Y, None), aij))],
    [DEFINITION, DISTRIBUTE, DEFINITION],
)  # fmt: skip

RULE_PROOFS: dict[str, RuleProof] = {
    rule.node[0]: rule
    for rule in (
        _SUM, _MULTIPLE, _PRODUCT, _HADAMARD, _FUNCTION, _TRANSPOSE, _SOFTMAX, _LOG_SUM_EXP,
        _STACK, _BROADCAST, _TOTAL,
    )
}  # fmt: skip
"""The rule for every kind of node, by its tag."""
