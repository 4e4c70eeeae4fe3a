"""The sum over time, by induction over k from T down to 0: claim, base, step, conclusion.

    P(k):  Σ_{t=k+1}^T Σ_v ⟨∂ℓ_t/∂v_t, v̇_t⟩ = Σ_{t=k+1}^T (Σ_θ ⟨θ̄_t, θ̇⟩ + Σ_x ⟨x̄_t, ẋ_t⟩) + Φ_k

Φ_k is what quantities up to step k receive from later steps, each paired with its direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy.matrices.expressions import MatrixExpr

from derive.derivation import Derivation
from derive.expressions import Adjoint, LossGradient, Tangent, Timed, leaves
from derive.latex import LatexPrinter, latex_name
from derive.notation import Notation
from derive.text import TextPrinter
from proofs.general_encode import encode
from proofs.general_latex import lines, pair
from proofs.general_statement import Claimed, carried_pairs

Draft = tuple[str, str, str, str, str, dict[str, Any]]
"""(name, kind, title, LaTeX, text, data)"""


class At(LatexPrinter):
    """Prints with another letter for the present step.

    Args:
        notation: the names.
        letter: the present step, such as k.
    """

    def __init__(self, notation: Notation, letter: str) -> None:
        super().__init__(notation)
        self.letter = letter

    def index(self, lag: int) -> str:
        """The time index of a quantity at this lag."""
        return super().index(lag).replace("t", self.letter)


def terms_of(claimed: tuple[Claimed, ...]) -> list[list[Any]]:
    """The gradients that the theorem names."""
    kinds = {"parameters": "parameter", "inputs": "input"}
    named = [[kinds[e.group], e.name] for e in claimed if e.group in kinds]
    named.sort(key=lambda term: term[0] == "input")
    return named + [["initial", e.name, e.back] for e in claimed if e.group == "initial"]


@dataclass(frozen=True, slots=True)
class Induction:
    """Writes the four steps of the induction.

    Args:
        d: the derivation.
        claimed: its backward equations.
    """

    d: Derivation
    claimed: tuple[Claimed, ...]

    def group(self, name: str) -> list[Claimed]:
        """The equations of one group."""
        return [e for e in self.claimed if e.group == name]

    def rows(self, pairs: list[str], before: str = "", per_row: int = 3) -> list[str]:
        """A long sum in rows."""
        rows = [" + ".join(pairs[i : i + per_row]) for i in range(0, len(pairs), per_row)] or ["0"]
        return [f"{before}{rows[0]}", *(rf"&\quad + {row}" for row in rows[1:])]

    def losses(self, tex: LatexPrinter) -> list[str]:
        """⟨∂ℓ/∂v, v̇⟩ for every output."""
        symbols = [q.symbol for q in self.d.cell.outputs]
        return [pair(tex(LossGradient(v)), tex(Tangent(v))) for v in symbols]

    def own(self, tex: LatexPrinter) -> list[str]:
        """What parameters and inputs receive at one step."""
        pairs = [(e.rhs, Tangent(e.lhs.of)) for e in self.group("parameters")]
        pairs += [(e.lhs, Tangent(e.lhs.of)) for e in self.group("inputs")]
        return [pair(tex(a), tex(b)) for a, b in pairs]

    def carried(self, tex: LatexPrinter) -> list[str]:
        """The pairs of Φ."""
        return [pair(tex(a), tex(b)) for a, b in carried_pairs(self.d)]

    def theorem(self) -> Draft:
        """What is proved."""
        d, tex, plain = self.d, LatexPrinter(self.d.notation), TextPrinter(self.d.notation)
        dims = ",\\, ".join(latex_name(str(n)) for n in d.cell.dims)
        loss = ",\\, ".join(tex(q.symbol) for q in d.cell.outputs)
        rows = [rf"L &= \sum_{{t=1}}^{{T}} \ell_t({loss})"]
        rows += self.rows(self.gradients(), r"\dot L &= ", 4)
        rows += [rf"&\text{{for all }} {dims} \ge 1,\ T \ge 1 \text{{ and all directions}}"]
        names = ", ".join(plain(Adjoint(e.lhs.of)) for e in self.group("parameters"))
        text = f"the gradients of the parameters ({names}), inputs and initial values are right for all sizes and T"
        return "theorem", "theorem", "Theorem", lines(rows), text, {"terms": terms_of(self.claimed)}

    def gradients(self) -> list[str]:
        """The pairs on the right of the theorem."""
        tex = LatexPrinter(self.d.notation)
        pairs = [pair(tex(e.lhs), tex(Tangent(e.lhs.of))) for e in self.group("parameters")]
        pairs += [
            rf"\sum_{{t=1}}^{{T}} {pair(tex(e.lhs), tex(Tangent(e.lhs.of)))}"
            for e in self.group("inputs")
        ]
        return pairs + self.initial()

    def initial(self) -> list[str]:
        """⟨v̄, v̇⟩ for every initial value."""
        found: list[str] = []
        for e in self.group("initial"):
            tex = LatexPrinter(self.d.notation, now=-e.back)
            found.append(pair(tex(e.lhs), tex(Tangent(e.lhs.of))))
        return found

    def steps(self) -> Iterator[Draft]:
        """Claim, base, step and conclusion."""
        yield self.claim()
        yield self.base()
        yield self.step()
        yield self.conclusion()

    def claim(self) -> Draft:
        """P(k), and what is carried over."""
        tex, at_k = LatexPrinter(self.d.notation), At(self.d.notation, "k")
        left = rf"\sum_{{t=k+1}}^{{T}} \left({' + '.join(self.losses(tex))}\right)"
        rows = [rf"P(k):\quad {left} &= \sum_{{t=k+1}}^{{T}} G_t + \Phi_k"]
        rows += self.rows(self.own(tex), "G_t &= ")
        rows += self.rows(self.carried(at_k), r"\Phi_k &= ")
        data = {
            "sums": ["k + 1", "T"],
            "carried": [[encode(a), encode(b)] for a, b in carried_pairs(self.d)],
        }
        text = "P(k): the losses after step k = what parameters and inputs receive after step k + what is carried over"
        return "claim", "claim", "The claim, for k = T, …, 0", lines(rows), text, data

    def base(self) -> Draft:
        """P(T)."""
        later = dict.fromkeys(v for a, _ in carried_pairs(self.d) for v in leaves(a) if _is_bar(v))
        tex = At(self.d.notation, "T")
        zeros = " = ".join(dict.fromkeys(tex(v) for v in later))
        latex = (
            rf"P(T):\quad 0 = \Phi_T, \qquad\text{{since }} {zeros} = 0" if zeros else r"\Phi_T = 0"
        )
        text = "P(T): both sums are empty, and every term carried over holds an adjoint after step T, which is zero"
        return "base", "base", "The base, k = T", latex, text, {"at": "T"}

    def step(self) -> Draft:
        """P(k) ⇒ P(k − 1)."""
        at_k = At(self.d.notation, "k")
        zero = r"\sum_v \langle R_v - \bar v_k,\, \dot v_k \rangle + \sum_v \langle \bar v_k,\, \dot v_k - S_v \rangle"
        rows = [
            f"0 &= {zero}",
            r"&= \sum_v \langle R_v,\, \dot v_k \rangle - \sum_v \langle \bar v_k,\, S_v \rangle",
            rf"&= {' + '.join(self.losses(at_k))} + \Phi_k - G_k - \Phi_{{k-1}}",
        ]
        text = (
            "P(k) gives P(k-1): over all lines v, <R_v - v_bar, v_dot> + <v_bar, v_dot - S_v> is zero, with R_v"
            " and S_v the right sides for v_bar and v_dot; it is loss(k) + Phi(k) - G(k) - Phi(k-1)"
        )
        return "step", "step", "From k to k − 1", lines(rows), text, {"from": "k", "to": "k - 1"}

    def conclusion(self) -> Draft:
        """P(0) is the theorem."""
        rows = self.rows(self.initial(), r"\Phi_0 &= ", 4)
        rows += self.rows(self.gradients(), r"\dot L &= ", 4)
        text = "P(0) is the theorem: what is carried over from step 0 is what the initial values receive"
        return "conclusion", "conclusion", "The conclusion, k = 0", lines(rows), text, {"at": "0"}


def _is_bar(leaf: MatrixExpr) -> bool:
    return isinstance(leaf, Adjoint | LossGradient) and isinstance(leaf.of, Timed)
