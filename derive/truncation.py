"""Truncated backpropagation through time, derived: windows, what runs back in each, and what is left out.

    e_j = min(j k₁, T)    b_j = max(1, e_j − k₂ + 1)    L_j = Σ_{t = e_{j−1}+1}^{e_j} ℓ_t

In window j the adjoints of L_j run back from e_j to b_j; the joint state before b_j counts as given. So a loss at t
reaches a parameter's use at k if and only if e(t) − k < k₂, with e(t) the end of the window that sees t:

    truncated gradient = Σ_{ρ < k₂} G_ρ,   G_ρ = Σ_t ∂ℓ_t/∂s_t (∏_{i=k+1}^{t} J_i) ∂⁺s_k/∂θ  with k = e(t) − ρ ≤ t

Source: R. J. Williams and J. Peng, Neural Computation 2 (1990), BPTT(h; h') with h = k₂ and h' = k₁.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from derive.backward import AdjointEquation
from derive.chapter import Chapter, ChapterLine
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import Adjoint, LossGradient, Tangent, terms
from derive.latex import LatexPrinter, latex_name
from derive.notation import Notation
from derive.printing import ATOM, PRODUCT
from derive.text import TextPrinter

LARGEST = 10**7


@dataclass(frozen=True, slots=True)
class Window:
    """One run of the adjoints; steps count from 1.

    Args:
        first: b, the last step that they reach.
        last: e, where they begin.
        seen: the last step whose loss an earlier window has seen.
    """

    first: int
    last: int
    seen: int


def windows(steps: int, k1: int, k2: int) -> tuple[Window, ...]:
    """The windows of a run of ``steps`` steps, first to last."""
    ends = [min(j * k1, steps) for j in range(1, -(-steps // k1) + 1)]
    return tuple(
        Window(max(1, end - k2 + 1), end, seen)
        for end, seen in zip(ends, (0, *ends[:-1]), strict=True)
    )


def checked_truncation(truncation: tuple[int, int]) -> tuple[int, int]:
    """k₁ and k₂, if they are a truncation.

    Raises:
        ArgumentError: not 1 ≤ k₁ ≤ k₂.
    """
    k1, k2 = truncation
    if not 1 <= k1 <= k2 <= LARGEST:
        raise ArgumentError(
            f"A truncation with k1 = {k1} and k2 = {k2}: expected 1 <= k1 <= k2. Every k1 steps the adjoints go back "
            "k2 steps; with k2 < k1 no window would see some of the losses.",
            "Give K1,K2 such as 20,40.",
        )
    return k1, k2


def truncate(
    derivation: Derivation,
    truncation: tuple[int, int],
    read: frozenset[str] = frozenset(),
    held: frozenset[str] = frozenset(),
) -> Chapter:
    """Derives the truncated gradients of a cell, and what they leave out.

    Args:
        derivation: of the cell.
        truncation: (k₁, k₂).
        read: outputs that other segments of a network read, so that more than the loss comes back to them.
        held: inputs that are the same at every step, which count as parameters do.

    Raises:
        ArgumentError: not 1 ≤ k₁ ≤ k₂.
    """
    k1, k2 = checked_truncation(truncation)
    return Chapter(
        "truncation",
        f"Truncated backpropagation through time, every k1 = {k1} steps, k2 = {k2} steps back",
        (
            *_windows(),
            *_adjoints(derivation, read),
            *_sums(derivation, read, held),
            *_left_out(derivation.notation),
        ),
    )


def _windows() -> Iterator[ChapterLine]:
    yield ChapterLine(
        "the step at which window j begins its way back",
        r"e_j = \min(j \, k_1,\; T), \qquad e_0 = 0", "e(j) = min(j * k1, T), e(0) = 0",
    )  # fmt: skip
    yield ChapterLine(
        "the last step that it reaches",
        r"b_j = \max(1,\; e_j - k_2 + 1)", "b(j) = max(1, e(j) - k2 + 1)",
    )  # fmt: skip
    yield ChapterLine(
        "the losses that it sees: each belongs to one window",
        r"L_j = \sum_{t=e_{j-1}+1}^{e_j} \ell_t, \qquad \sum_j L_j = L",
        "L(j) = sum over t = e(j-1)+1 ... e(j) of l[t], sum over j of L(j) = L",
    )  # fmt: skip


def _adjoints(d: Derivation, read: frozenset[str]) -> Iterator[ChapterLine]:
    """The adjoint equations of the cell inside a window: only where the loss enters does it show."""
    tex, plain = _WindowLatex(d.notation, read), _WindowText(d.notation, read)
    for e in d.backward.asked:
        yield ChapterLine(
            f"adjoint in window j, for t = e(j), ..., b(j); zero beyond e(j) ({e.owner})",
            f"{tex(e.lhs)} = {tex(e.rhs)}", f"{plain(e.lhs)} = {plain(e.rhs)}", e.rules,
        )  # fmt: skip
    for q in (q for q in d.cell.outputs if q.name in read):
        yield ChapterLine(
            f"what comes back to {q.name}: the losses that the window sees, and what later segments hand on",
            rf"\frac{{\partial L_j}}{{\partial {tex(q.symbol)}}} = \left[t > e_{{j-1}}\right] "
            rf"\frac{{\partial \ell_t}}{{\partial {tex(q.symbol)}}} + \cdots",
            f"dL(j)_d{q.name}[t] = [t > e(j-1)] * dl_d{q.name}[t] + what later segments hand on in window j",
        )  # fmt: skip
    if d.cell.states:
        yield ChapterLine(
            "the joint state before a window counts as given",
            r"\bar{\mathbf{s}}^{(j)}_{b_j - 1} := 0", d.notation.owned("s_bar(j)[b(j)-1] := 0"), ("truncation",),
        )  # fmt: skip


def _sums(d: Derivation, read: frozenset[str], held: frozenset[str]) -> Iterator[ChapterLine]:
    tex, plain = _WindowLatex(d.notation, read), _WindowText(d.notation, read)
    outer, inner = LatexPrinter(d.notation), TextPrinter(d.notation)
    for e in (e for e in d.backward.parameters if terms(e.rhs)):
        sums = _sum_of(tex, plain, e, outer(e.lhs), inner(e.lhs))
        yield ChapterLine(f"truncated gradient of {e.owner}", *sums, (*e.rules, "sum over windows"))
    for e in (e for e in d.backward.inputs if e.owner in held):
        sums = _sum_of(tex, plain, e, latex_name(e.owner, accent="bar"), f"{e.owner}_bar")
        yield ChapterLine(
            f"truncated gradient of {e.owner}, the same at every step: it counts as a parameter does, and what it is "
            "made of is run back through once, whole",
            *sums, (*e.rules, "sum over windows"),
        )  # fmt: skip


def _sum_of(
    tex: _WindowLatex, plain: _WindowText, e: AdjointEquation, latex: str, text: str
) -> tuple[str, str]:
    """A gradient as the sum over windows of what stands at their steps."""
    several = len(terms(e.rhs)) > 1
    inside = tex.brackets(tex(e.rhs)) if several else tex(e.rhs)
    return (
        rf"{latex} = \sum_j \sum_{{t=b_j}}^{{e_j}} {inside}",
        f"{text} = sum over j, t = b(j) ... e(j) of {plain(e.rhs)}",
    )


def _left_out(notation: Notation) -> Iterator[ChapterLine]:
    share = (
        r"G_\rho = \sum_j \sum_{t=k}^{e_j} [t > e_{j-1}] \, \frac{\partial \ell_t}{\partial \mathbf{s}_t} "
        r"\left(\prod_{i=t}^{k+1} \frac{\partial \mathbf{s}_i}{\partial \mathbf{s}_{i-1}}\right) "
        r"\frac{\partial^{+} \mathbf{s}_k}{\partial \theta}, \qquad k = e_j - \rho \ge 1"
    )
    yield ChapterLine(
        "the share of uses that lie rho steps before the end of the window that sees the loss",
        share,
        notation.owned(
            "G(rho) = sum over j, t = max(k, e(j-1)+1) ... e(j) of "
            "dl[t]/ds[t] @ (J[t] @ ... @ J[k+1]) @ d+s[k]/dtheta, k = e(j) - rho >= 1"
        ),
        ("chain rule",),
    )  # fmt: skip
    yield ChapterLine(
        "the truncated gradient, lag by lag",
        r"\left.\frac{\partial L}{\partial \theta}\right|_{k_1,k_2} = \sum_{\rho=0}^{k_2-1} G_\rho",
        "truncated dL/dtheta = sum over rho < k2 of G(rho)", ("linearity in the losses",),
    )  # fmt: skip
    yield ChapterLine(
        "its bias; for k1 = 1, rho is the lag t - k",
        r"\frac{\partial L}{\partial \theta} - \left.\frac{\partial L}{\partial \theta}\right|_{k_1,k_2} "
        r"= \sum_{\rho=k_2}^{T-1} G_\rho",
        "dL/dtheta - truncated dL/dtheta = sum over k2 <= rho < T of G(rho)",
        ("linearity in the losses",),
    )  # fmt: skip
    yield ChapterLine(
        "every lag up to k2 - k1 is whole, no lag from k2 on is there, and nothing is left out if k2 >= T",
        r"t - k \le k_2 - k_1 \;\Rightarrow\; \text{kept}, \qquad t - k \ge k_2 \;\Rightarrow\; \text{left out}",
        "t - k <= k2 - k1: kept; t - k >= k2: left out",
    )  # fmt: skip


class _WindowLatex(LatexPrinter):
    """Adjoints of window j; the loss counts at the steps that it sees."""

    def __init__(self, notation: Notation, read: frozenset[str]) -> None:
        super().__init__(notation)
        self.read = read

    def leaf(self, expr):
        """As on any page, with the window's number above."""
        if isinstance(expr, LossGradient) and expr.name in self.read:
            return rf"\frac{{\partial L_j}}{{\partial {self(expr.of)}}}", ATOM
        if isinstance(expr, LossGradient):
            now = self.index(expr.lag)
            return rf"\left[{now} > e_{{j-1}}\right] {super().leaf(expr)[0]}", PRODUCT
        if isinstance(expr, Adjoint) and not isinstance(expr, Tangent):
            return f"{{{super().leaf(expr)[0]}^{{(j)}}}}", ATOM
        return super().leaf(expr)


class _WindowText(TextPrinter):
    """Adjoints of window j; the loss counts at the steps that it sees."""

    def __init__(self, notation: Notation, read: frozenset[str]) -> None:
        super().__init__(notation)
        self.read = read

    def leaf(self, expr):
        """As in any terminal, with the window's number behind the name."""
        text, binding = super().leaf(expr)
        if isinstance(expr, LossGradient) and expr.name in self.read:
            return f"dL(j)_d{expr.name}[{self.index(expr.lag)}]", ATOM
        if isinstance(expr, LossGradient):
            return f"[{self.index(expr.lag)} > e(j-1)] * {text}", PRODUCT
        if isinstance(expr, Adjoint):
            name, bracket, time = text.partition("[")
            return f"{name}(j){bracket}{time}", binding
        return text, binding
