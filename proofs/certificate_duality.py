"""A certificate's second part: the tangents are derivatives, and the backward equations are their adjoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from derive.expressions import Timed
from proofs.certificate_layout import Layout, joined, record, total


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that has an adjoint.

    Args:
        leaf: the leaf that stands for it.
        bar: its adjoint's definition.
        shape: its type.
        parts: what it receives, as terms.
        within: whether a line of the step defines it.
    """

    leaf: Any
    bar: str
    shape: str
    parts: tuple[str, ...]
    within: bool


def unknowns(layout: Layout) -> list[Unknown]:
    """The lines and what they read, with everything that the lines send to each."""
    received: dict[Any, list[str]] = {}
    for a in layout.lines:
        for leaf, sent in layout.trees[a.name].pulled(f"({layout.bar(a.name)} pt inc)"):
            received.setdefault(leaf, []).append(sent)
    leaves = [(a.target, a.name, 0) for a in layout.lines]
    leaves += [(f.leaf, f.name, f.lag) for f in layout.fields if f.kind != "constant"]
    found: list[Unknown] = []
    for leaf, name, lag in leaves:
        arrives = [f"{layout.inn(name)} inc"] if lag == 0 and name in layout.incoming else []
        parts = (*arrives, *received.get(leaf, []))
        within = lag == 0 and name in layout.defined
        shape = layout.sizes.matrix(leaf.shape)
        found.append(Unknown(leaf, layout.bar(name, lag), shape, parts, within))
    return found


def comparisons(layout: Layout, found: list[Unknown]) -> Iterator[str]:
    """The lemmas at which a wrong derivation fails: each equation against what the operations give."""
    name = layout.names.derived
    inlined = "".join(f" /{layout.bar(v.name)}" for v in layout.derivation.backward.inlined)
    yield "\n(* Each tangent is the one made operation by operation. *)"
    for a in layout.lines:
        dot, made = layout.dot(a.name), layout.trees[a.name].tangent(layout.tangent)
        yield f"Lemma {name('{}E', dot)} pt dir : {dot} pt dir =\n  {made}."
        yield (
            f"Proof. by compare ltac:(rewrite /{dot}) {opening(layout)} "
            "ltac:(generic_tangents pt dir). Qed."
        )
    yield "\n(* Each adjoint is the sum of what the lines below it send. *)"
    for u in found:
        made = " + ".join(u.parts) or f"(0 : {u.shape})"
        yield f"Lemma {name('{}E', u.bar)} pt inc : {u.bar} pt inc =\n  {made}."
        yield (
            f"Proof. by compare ltac:(rewrite /{u.bar}{inlined}) {opening(layout)} "
            "ltac:(generic_adjoints pt inc). Qed."
        )


def opening(layout: Layout) -> str:
    """The tactic that writes out named function values."""
    opened = layout.opened()
    return f"ltac:(rewrite {opened})" if opened else "ltac:(idtac)"


def tangents(layout: Layout) -> Iterator[str]:
    """Theorem 2 of the file: along any differentiable curve, every line moves along its tangent."""
    name, lines = layout.names.derived, layout.lines
    steps = [_moves(layout, a.name) for a in lines]  # collects the conditions, too
    yield "\n(* A curve of everything that a step reads. *)"
    yield from record(
        "Record tangent_at (curve : R -> vars) (e0 : R) (dir : vars) : Prop := TangentAt",
        [
            f"{name('at_{}', f.rocq)} : deriv_mx (fun eps => {f.rocq} (curve eps)) e0 "
            + ("T_zero" if f.kind == "constant" else f"({f.rocq} dir)")
            for f in layout.fields
        ],
    )
    if layout.conditions:
        yield "\n(* Points at which every function is differentiable. *)"
        rows = [f"{layout.regular(i)} : {k} ({v})" for i, (k, v) in enumerate(layout.conditions)]
        yield from record("Record regular (pt : vars) : Prop := Regular", rows)
    goals = [moving(layout, a.name, "(curve eps)", "(curve e0) dir") for a in lines]
    yield "\n(* Theorem 2: the tangents are derivatives. *)"
    yield "Theorem tangents (curve : R -> vars) e0 dir :"
    yield f"  tangent_at curve e0 dir{_if_regular(layout)} ->\n  " + " /\\\n  ".join(goals) + "."
    yield f"Proof.\nmove=> ok{_reg(layout)}."
    for a, goal, step in zip(lines, goals, steps, strict=True):
        yield f"have {_own(a.name)} : {goal}.\n  {step}"
    yield f"exact: {_conjunction([_own(a.name) for a in lines])}.\nQed."
    yield from _each(layout, goals)


def moving(layout: Layout, name: str, point: str, at: str) -> str:
    """The statement that a line moves along its tangent."""
    return f"deriv_mx (fun eps => {layout.rocq[name]} {point}) e0 ({layout.dot(name)} {at})"


def _own(name: str) -> str:
    return f"D_{name}_"


def _if_regular(layout: Layout) -> str:
    return " -> regular (curve e0)" if layout.conditions else ""


def _reg(layout: Layout) -> str:
    return " reg" if layout.conditions else ""


def _moves(layout: Layout, name: str) -> str:
    def proof(leaf: Any) -> str:
        if isinstance(leaf, Timed) and leaf.lag == 0 and leaf.name in layout.defined:
            return _own(leaf.name)
        return f"({layout.names.derived('at_{}', layout.place(leaf))} ok)"

    def known(leaf: Any) -> str:
        constant = f"(curve_cst _ {layout.value(leaf)})"
        return proof(leaf) if hasattr(leaf, "name") else constant

    made = layout.trees[name].curve(known, layout.condition)
    return f"rewrite {layout.names.derived('{}E', layout.dot(name))}; exact: {made}."


def _conjunction(parts: list[str]) -> str:
    whole = parts[-1]
    for part in reversed(parts[:-1]):
        whole = f"(conj {part} {whole})"
    return whole


def _each(layout: Layout, goals: list[str]) -> Iterator[str]:
    """Theorem 2 for each output."""
    wanted = [a.name for a in layout.lines]
    for i, n in enumerate(wanted):
        if n not in layout.outputs:
            continue
        lemma = layout.names.derived("{}_curve", layout.rocq[n])
        holds = f"tangent_at curve e0 dir{_if_regular(layout)}"
        yield f"Lemma {lemma} (curve : R -> vars) e0 dir : {holds} ->\n  {goals[i]}."
        last = i == len(wanted) - 1
        pick = "[_ " * i + ("H_" if last else "[H_ _]") + "]" * i
        yield (
            f"Proof. by move=> ok{_reg(layout)}; have := tangents ok{_reg(layout)}; "
            f"move=> {pick}. Qed."
        )


def duality(layout: Layout, found: list[Unknown]) -> Iterator[str]:
    """Theorem 1 of the file: for every direction, ⟨what arrives, tangents⟩ = Σ ⟨adjoint, direction⟩."""
    name = layout.names.derived
    yield "\n(* Each line, from its adjoint to what it reads. *)"
    for a in layout.lines:
        lemma, dot = name("{}_line", layout.rocq[a.name]), layout.dot(a.name)
        parts = [f"⟨{g}, {layout.tangent(v)}⟩" for v, g in layout.trees[a.name].pulled("G_")]
        yield f"Lemma {lemma} pt dir G_ : ⟨G_, {dot} pt dir⟩ =\n  {total(parts)}."
        yield f"Proof. by rewrite {name('{}E', dot)} ?duals ?addr0 ?add0r ?addrA. Qed."
    for u in found:
        parts = [f"⟨{g}, X_⟩" for g in u.parts]
        yield f"Lemma {name('{}_sum', u.bar)} pt inc X_ : ⟨{u.bar} pt inc, X_⟩ =\n  {total(parts)}."
        yield f"Proof. by rewrite {name('{}E', u.bar)} ?dotDl ?dot0l. Qed."
    yield from _theorem(layout, found)


def _theorem(layout: Layout, found: list[Unknown]) -> Iterator[str]:
    inner, outer = [u for u in found if u.within], [u for u in found if not u.within]
    left = total(
        [f"⟨{layout.inn(n)} inc, {layout.tangent(_symbol(layout, n))}⟩" for n in layout.incoming]
    )
    right = total([_pair(layout, u) for u in outer])
    own = total(
        [f"⟨{layout.bar(a.name)} pt inc, {layout.dot(a.name)} pt dir⟩" for a in layout.lines]
    )
    by_line = [_sent(layout, a.name) for a in layout.lines]
    by_inner, by_outer = ([_collected(layout, u) for u in us] for us in (inner, outer))
    lines, ins, outs = (_groups(x) for x in (by_line, by_inner, by_outer))
    yield "\n(* Theorem 1: the backward equations are the adjoint of the tangent equations. *)"
    yield f"Theorem duality pt dir inc :\n  {left} =\n  {right}.\nProof."
    yield f"have L_ : {own} =\n  {lines} :=\n  {_by_lines(layout)}."
    yield f"have A_ : {own} =\n  {ins} :=\n  {_by_sums(layout, inner)}."
    yield f"have U_ : {right} =\n  {outs} :=\n  {_by_sums(layout, outer)}."
    yield f"apply: (addIr ({own}))."
    yield f"transitivity ({left} + ({lines})); first exact: eq_add erefl L_."
    yield f"transitivity (({outs}) + ({ins})); last exact: esym (eq_add U_ A_)."
    yield "clear L_ A_ U_."
    for term in dict.fromkeys(t for ts in (*by_line, *by_inner, *by_outer) for t in ts):
        yield f"generalize {term};"
    yield "intros.\nby ring.\nQed."


def _symbol(layout: Layout, name: str) -> Any:
    return layout.cell.quantity(name).symbol


def _pair(layout: Layout, u: Unknown) -> str:
    return f"⟨{u.bar} pt inc, {layout.tangent(u.leaf)}⟩"


def _sent(layout: Layout, name: str) -> list[str]:
    pulled = layout.trees[name].pulled(f"({layout.bar(name)} pt inc)")
    return [f"⟨{g}, {layout.tangent(v)}⟩" for v, g in pulled]


def _collected(layout: Layout, u: Unknown) -> list[str]:
    return [f"⟨{g}, {layout.tangent(u.leaf)}⟩" for g in u.parts]


def _groups(groups: list[list[str]]) -> str:
    return total([f"({total(terms)})" for terms in groups])


def _by_lines(layout: Layout) -> str:
    lemma = layout.names.derived
    return joined(
        "eq_add",
        [
            f"({lemma('{}_line', layout.rocq[a.name])} pt dir ({layout.bar(a.name)} pt inc))"
            for a in layout.lines
        ],
    )


def _by_sums(layout: Layout, us: list[Unknown]) -> str:
    lemma = layout.names.derived
    return joined(
        "eq_add",
        [f"({lemma('{}_sum', u.bar)} pt inc ({layout.tangent(u.leaf)}))" for u in us],
    )
