"""The lines of the derivation that mention later steps, as displayed, against the adjoints of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy.matrices.expressions import MatrixSymbol

from derive.backward import AdjointEquation
from derive.expressions import Adjoint, LossGradient, add, leaves, shifted, terms, zeros_like
from proofs.certificate_duality import opening
from proofs.certificate_errors import unsupported
from proofs.certificate_layout import Layout
from proofs.certificate_step import remembered
from proofs.certificate_time import after, own_loss


def displayed(layout: Layout) -> list[AdjointEquation]:
    """The equations of the derivation in which later steps occur."""
    made = layout.derivation.backward
    return [e for e in (*made.local, *made.inputs) if remembered(layout, e.lhs.name)]


def by_step(layout: Layout, equation: AdjointEquation) -> dict[int, Any]:
    """The terms that come from step t, t + 1, …, each group as written at its own step."""
    groups: dict[int, list[Any]] = {}
    for term in terms(equation.rhs):
        lags = {v.lag for v in leaves(term) if isinstance(v, Adjoint | LossGradient)}
        if len(lags) != 1 or -max(lags) not in (0, *layout.later(equation.lhs.name)):
            raise unsupported(f"a term of the adjoint of {equation.lhs.name} is of no single step")
        groups.setdefault(-lags.pop(), []).append(term)
    steps = (0, *layout.later(equation.lhs.name))
    none = zeros_like(equation.lhs)
    return {k: shifted(add(none, *groups.get(k, ())), k) for k in steps}


def parts(layout: Layout) -> Iterator[str]:
    """Per step: what the displayed terms of a step are, one lemma for each step that occurs."""
    if not displayed(layout):
        return
    inlined = "".join(f" /{layout.bar(v.name)}" for v in layout.derivation.backward.inlined)
    rest = f"{opening(layout)} ltac:(generic_adjoints pt inc). Qed."
    yield "\n(* The displayed terms of each step. *)"
    for e in displayed(layout):
        name, groups = e.lhs.name, by_step(layout, e)
        later = [f"A{k}_" for k in layout.later(name)]
        own = "own_" if name in layout.outputs else "0"
        bound = " ".join([*(["own_"] if name in layout.outputs else []), *later])
        yield (
            f"Lemma {_lemma(layout, name, 0)} pt inc {bound} :\n"
            f"  {layout.inn(name)} inc = {' + '.join([own, *later])} -> {layout.bar(name)} pt inc =\n"
            f"  {' + '.join([_at_step(layout, groups[0], name), *later])}."
        )
        yield f"Proof. by move=> e_; compare ltac:(rewrite /{layout.bar(name)} e_{inlined}) {rest}"
        for k in layout.later(name):
            bar = layout.bar(name, k)
            yield f"Lemma {_lemma(layout, name, k)} pt inc : {bar} pt inc =\n  {layout.value(groups[k])}."
            yield f"Proof. by compare ltac:(rewrite /{bar}{inlined}) {rest}"


def line_lemma(layout: Layout, name: str) -> str:
    """The name of the theorem about a quantity's displayed adjoint."""
    return layout.names.derived("{}_displayed", layout.bar(name))


def _lemma(layout: Layout, name: str, k: int) -> str:
    return layout.names.derived("{}_shown", layout.bar(name, k))


def _at_step(layout: Layout, group: Any, name: str) -> str:
    """The terms of step t, with the derivative of the loss called own."""

    def leaf(v: Any) -> str:
        return "own_" if isinstance(v, LossGradient) and v.name == name else layout.leaf(v)

    return layout.value(group, leaf)


def lines(layout: Layout) -> Iterator[str]:
    """In a run of T steps: every displayed line, with what is sent by steps after the last left out."""
    past = ", ".join(
        f"{layout.names.derived('run_{}', f.rocq)} ran" for f in layout.of_kind("past")
    )
    for e in displayed(layout):
        name, groups = e.lhs.name, by_step(layout, e)
        sums = [_in_run(layout, shifted(groups[k], -k), k, name) for k in groups]
        later = [f"before T {after('t', k)} ({s})" for k, s in enumerate(sums) if k]
        shown = [f"!{_lemma(layout, name, k)}" for k in layout.later(name)]
        yield f"\nTheorem {line_lemma(layout, name)} t : (t < T)%N -> {layout.bar(name)} (pt t e0) (inc t) =\n  "
        yield f"  {' + '.join([sums[0], *later])}."
        sent = f"{layout.names.derived('sent_{}', layout.rocq[name])} sent tT"
        yield (
            f"Proof. by move=> tT; rewrite ({_lemma(layout, name, 0)} (pt t e0) ({sent})) "
            f"{' '.join(shown)} ?({past}). Qed."
        )


def _in_run(layout: Layout, group: Any, k: int, name: str) -> str:
    """The terms that step t + k gives to step t, over the points of a run."""

    def leaf(v: Any) -> str:
        if isinstance(v, MatrixSymbol):
            return f"{layout.rocq[v.name]} (pt {after('t', k)} e0)"
        t = after("t", max(0, -v.lag))
        if isinstance(v, Adjoint):
            return f"{layout.bar(v.name)} (pt {t} e0) (inc {t})"
        if isinstance(v, LossGradient):
            own = v.name == name
            return own_loss(layout, name) if own else f"{layout.inn(v.name)} (inc {t})"
        read = layout.place(v) if v.lag >= 0 else layout.rocq[v.name]
        return f"{read} (pt {t} e0)"

    return layout.value(group, leaf)
