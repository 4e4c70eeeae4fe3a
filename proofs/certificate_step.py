"""A certificate's first part: the step, its tangents and its backward equations, as derived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy.matrices.expressions import MatrixSymbol, ZeroMatrix

from derive.backward import AdjointEquation
from derive.expressions import Tangent, Timed, zeros_like
from derive.tangents import tangent_equations
from proofs.certificate_layout import Layout, record

_HEAD = """\
From throughtime Require Import certificate.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Certificate.
Variable R : realType."""


def step(layout: Layout) -> Iterator[str]:
    """The definitions."""
    yield _HEAD
    if layout.sizes.names:
        yield f"Variables {' '.join(layout.sizes.names.values())} : nat."
    yield from _same_sizes(layout)
    yield "\n(* What a step reads: parameters, inputs, and values of earlier steps. *)"
    yield from record(
        "Record vars := Vars",
        [f"{f.rocq} : {layout.sizes.matrix(f.leaf.shape)}" for f in layout.fields],
    )
    yield "\n(* The step. *)"
    for a in layout.lines:
        yield from _definition(
            layout.rocq[a.name], "(pt : vars)", layout.shape(a.name), layout.value(a.expr)
        )
    yield "\n(* Its tangent, as derived. *)"
    for a in tangent_equations(layout.lines, lambda leaf: _direction(layout, leaf)):
        name = a.target.name
        yield from _definition(
            layout.dot(name), "(pt dir : vars)", layout.shape(name), layout.value(a.expr)
        )
    yield "\n(* What arrives at a step from its loss and from later steps. *)"
    yield from record(
        "Record incoming := Incoming",
        [f"{layout.inn(n)} : {layout.shape(n)}" for n in layout.incoming],
    )
    yield "\n(* The backward equations, as derived. *)"
    yield from backward_equations(layout)
    yield from _generic(layout)


def _same_sizes(layout: Layout) -> Iterator[str]:
    """What is stacked up in several orders has one size: its rows can be counted in any of them."""
    sizes = layout.sizes
    for (size, parts), name in sizes.restacked.items():
        yield "\n(* One size, stacked up in two orders. *)"
        yield f"Lemma {name} : {sizes.stack(parts)}%N = {sizes.size(size)}%N."
        yield "Proof. same_size. Qed."


def _definition(name: str, arguments: str, shape: str, body: str) -> Iterator[str]:
    yield f"Definition {name} {arguments} : {shape} :=\n  {body}."


def _direction(layout: Layout, leaf: Any) -> Any:
    moves = isinstance(leaf, Timed | MatrixSymbol) and layout.moves(leaf)
    return Tangent(leaf) if moves else zeros_like(leaf)


def backward_equations(layout: Layout) -> Iterator[str]:
    """Adjoints of the lines, latest first, and of everything that the step reads."""
    made = layout.derivation.backward
    local = {e.lhs.name: e for e in made.local}
    inlined = {adjoint.name: e for adjoint, e in made.inlined.items()}
    for a in reversed(layout.lines):
        body = _received(layout, a.name, local.get(a.name) or inlined[a.name])
        yield from _adjoint(layout.bar(a.name), layout.shape(a.name), body)
    parameters = {e.lhs.name: e for e in made.parameters}
    inputs = {e.lhs.name: e for e in made.inputs}
    for f in layout.fields:
        if f.kind == "constant":
            continue
        if f.kind == "past":
            sent = made.carried[f.name].get(f.lag)
            body = layout.value(sent.rhs if sent else zeros_like(f.leaf))
        elif f.kind == "parameter":
            body = layout.value(parameters[f.name].rhs)
        else:
            body = _received(layout, f.name, inputs[f.name])
        yield from _adjoint(layout.bar(f.name, f.lag), layout.sizes.matrix(f.leaf.shape), body)


def _adjoint(name: str, shape: str, body: str) -> Iterator[str]:
    yield from _definition(name, "(pt : vars) (inc : incoming)", shape, body)


def remembered(layout: Layout, name: str) -> bool:
    """Whether later steps use a quantity: then what arrives holds the loss and what they send back."""
    return name in layout.derivation.backward.carried


def _received(layout: Layout, name: str, equation: AdjointEquation) -> str:
    """An adjoint at step t: for a quantity with memory what arrives, and what this step itself gives."""
    if not remembered(layout, name):
        return layout.value(equation.rhs)
    arrives = f"{layout.inn(name)} inc"
    if isinstance(equation.present, ZeroMatrix):
        return arrives
    return f"{arrives} + {layout.value(equation.present)}"


def _generic(layout: Layout) -> Iterator[str]:
    """Tactics that make variables of everything a comparison is not about."""
    fields = [f"({f.rocq} pt)" for f in layout.fields]
    values = [f"({layout.rocq[a.name]} pt)" for a in layout.lines]
    dots = [f"({layout.dot(a.name)} pt dir)" for a in layout.lines]
    bars = [f"({layout.bar(a.name)} pt inc)" for a in layout.lines]
    directions = [f"({f.rocq} dir)" for f in layout.fields]
    arriving = [f"({layout.inn(n)} inc)" for n in layout.incoming]
    yield _tactic("generic_tangents pt dir", [*dots, *values, *directions, *fields])
    yield _tactic("generic_adjoints pt inc", [*bars, *values, *arriving, *fields])


def _tactic(head: str, terms: list[str]) -> str:
    return f"\nLtac {head} :=\n  " + "\n  ".join(f"generalize {t};" for t in terms) + " intros."
