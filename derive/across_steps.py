"""Derivatives across many steps: the product of Jacobians, and each lag's share of a parameter's gradient."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import S, Symbol
from sympy.matrices.expressions import MatrixExpr

from derive.expressions import matmul, transpose
from derive.nodes import ThroughTime


@dataclass(frozen=True, slots=True)
class AcrossSteps:
    """A line on derivatives across many steps; what stands in it are names.

    Args:
        title: what it is, in words.
        lhs: left-hand side in the house's layout.
        rhs: right-hand side; the addend where it is summed.
        tex_sum: sums in front of it, as LaTeX.
        plain_sum: the same as text.
        tex_where: what is told of its names after it.
    """

    title: str
    lhs: MatrixExpr
    rhs: MatrixExpr
    tex_sum: str = ""
    plain_sum: str = ""
    tex_where: str = ""


def _across_steps() -> tuple[AcrossSteps, ...]:
    """∂s_T/∂s_k = J_T ⋯ J_{k+1}, and ∂L/∂θ = Σ_t Σ_{k≤t} (∂⁺s_k/∂θ)ᵀ (∂s_t/∂s_k)ᵀ ∂ℓ_t/∂s_t."""
    states, entries = Symbol("|s|"), Symbol("|theta|")

    def jacobian_of(text: str, tex: str, cols=states) -> ThroughTime:
        return ThroughTime(text, tex, states, cols)

    factors = [
        jacobian_of("J[T]", "J_T"),
        jacobian_of("J[T-1]", "J_{T-1}"),
        jacobian_of("...", r"\cdots"),
        jacobian_of("J[k+1]", "J_{k+1}"),
    ]
    long = jacobian_of("ds[T]/ds[k]", r"\frac{\partial \mathbf{s}_T}{\partial \mathbf{s}_k}")
    middle = jacobian_of("ds[t]/ds[k]", r"\frac{\partial \mathbf{s}_t}{\partial \mathbf{s}_k}")
    first = jacobian_of(
        "d+s[k]/dtheta", r"\frac{\partial^{+} \mathbf{s}_k}{\partial \theta}", entries
    )
    seen = ThroughTime(
        "dl[t]/ds[t]", r"\frac{\partial \ell_t}{\partial \mathbf{s}_t}", states, S.One
    )
    whole = ThroughTime("dL/dtheta", r"\frac{\partial L}{\partial \theta}", entries, S.One)
    step = r",\qquad J_j = \frac{\partial \mathbf{s}_j}{\partial \mathbf{s}_{j-1}}"
    return (
        AcrossSteps("product of Jacobians, latest first", long, matmul(*factors), tex_where=step),
        AcrossSteps(
            "each lag's share of a parameter's gradient",
            whole,
            matmul(transpose(first), transpose(middle), seen),
            r"\sum_{t=1}^{T} \sum_{k=1}^{t} ",
            "sum over t, k <= t of ",
        ),
    )


ACROSS_STEPS = _across_steps()
"""The product of Jacobians and the sum over lags, for the joint state s."""
