"""A certificate's third part: runs of any length, and the hypotheses of its last theorem."""

from __future__ import annotations

from collections.abc import Iterator

from proofs.certificate_layout import Field, Layout, record


def after(t: str, k: int) -> str:
    """The step k after t."""
    return t + ".+1" * k


def source(layout: Layout, f: Field) -> str:
    """What becomes the past value f at the next step."""
    return layout.rocq[f.name] if f.lag == 1 else layout.field_of[f.name, f.lag - 1]


def runs(layout: Layout) -> Iterator[str]:
    """A run, how it moves, the losses' gradients and the adjoints, each as a record or definition."""
    name = layout.names.derived
    yield "\n(* A run: parameters shared by all steps, each step reads what earlier ones made. *)"
    yield from record(
        "Record run (pt : nat -> R -> vars) : Prop := Run",
        [
            f"{name('run_{}', f.rocq)} : {_shared(layout, f)}"
            for f in layout.of_kind("parameter", "constant", "past")
        ],
    )
    yield "\n(* How parameters, inputs and initial values move along the curve. *)"
    yield from record(
        "Record moves (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars) : Prop := Moves",
        [f"{name('moves_{}', f.rocq)} : {_given(f)}" for f in _given_fields(layout)],
    )
    yield from _losses(layout)
    yield "\n(* The adjoints of a run of T steps: own loss, and what later steps send back. *)"
    yield from record(
        "Record adjoints (T : nat) (pt : nat -> vars) (slope inc : nat -> incoming) : Prop := Adjoints",
        [_arrives(layout, n) for n in layout.incoming],
    )


def _given_fields(layout: Layout) -> list[Field]:
    return [*layout.of_kind("parameter"), *layout.of_kind("input"), *layout.of_kind("past")]


def _shared(layout: Layout, f: Field) -> str:
    if f.kind == "parameter":
        return f"forall t eps, {f.rocq} (pt t eps) = {f.rocq} (pt 0%N eps)"
    if f.kind == "constant":
        return f"forall t eps eps_, {f.rocq} (pt t eps) = {f.rocq} (pt 0%N eps_)"
    return f"forall t eps, {f.rocq} (pt t.+1 eps) = {source(layout, f)} (pt t eps)"


def _given(f: Field) -> str:
    if f.kind == "input":
        return f"forall t, deriv_mx (fun eps => {f.rocq} (pt t eps)) e0 ({f.rocq} (dir t))"
    return f"deriv_mx (fun eps => {f.rocq} (pt 0%N eps)) e0 ({f.rocq} (dir 0%N))"


def loss_type(layout: Layout) -> str:
    """The type of a loss of one step."""
    return " -> ".join([*(layout.shape(n) for n in layout.outputs), "R"])


def _losses(layout: Layout) -> Iterator[str]:
    curves = list(enumerate(layout.outputs))
    binders = " ".join(
        f"(c{i}_ : R -> {layout.shape(n)}) (d{i}_ : {layout.shape(n)})" for i, n in curves
    )
    yield "\n(* slope is the gradient of the loss at a point: along every curve through it. *)"
    yield f"Definition loss_gradient (loss : {loss_type(layout)}) (pt : vars) (slope : incoming) : Prop :="
    yield f"  forall (e0 : R) {binders},"
    for i, n in curves:
        yield f"  c{i}_ e0 = {layout.rocq[n]} pt -> deriv_mx c{i}_ e0 d{i}_ ->"
    points = " ".join(f"(c{i}_ eps)" for i, _ in curves)
    slopes = " + ".join(f"⟨{layout.inn(n)} slope, d{i}_⟩" for i, n in curves)
    yield f"  deriv (fun eps => loss {points}) e0 ({slopes})."


def own_loss(layout: Layout, name: str, slope: str = "slope", t: str = "t") -> str:
    """What the loss of step t gives to a quantity."""
    return f"{layout.inn(name)} ({slope} {t})" if name in layout.outputs else "0"


def sent_back(layout: Layout, name: str, k: int, t: str, point: str) -> str:
    """What step t + k sends back to a quantity at step t; nothing if there is no such step."""
    at = after(t, k)
    return f"before T {at} ({layout.bar(name, k)} ({point.format(at)}) (inc {at}))"


def _arrives(layout: Layout, name: str) -> str:
    later = [f" +\n    {sent_back(layout, name, k, 't', 'pt {}')}" for k in layout.later(name)]
    lemma = layout.names.derived("sent_{}", layout.rocq[name])
    return (
        f"{lemma} : forall t, (t < T)%N -> {layout.inn(name)} (inc t) =\n    "
        f"{own_loss(layout, name)}{''.join(later)}"
    )


def existence(layout: Layout) -> Iterator[str]:
    """The hypotheses can be met: runs and adjoints exist for whatever is given."""
    yield "\n(* Runs exist: whatever parameters, inputs and initial values are given. *)"
    yield "Fixpoint through (given : nat -> R -> vars) (eps : R) (t : nat) : vars :="
    yield "  if t is t_.+1 then let pt := through given eps t_ in Vars"
    for f in layout.fields:
        made = f"{source(layout, f)} pt" if f.kind == "past" else f"{f.rocq} (given 0%N eps)"
        yield f"    ({f.rocq} (given t eps))" if f.kind == "input" else f"    ({made})"
    yield "  else given 0%N eps."
    constants = layout.of_kind("constant")
    fixed = [
        f"(forall eps eps_, {f.rocq} (given 0%N eps) = {f.rocq} (given 0%N eps_)) ->"
        for f in constants
    ]
    yield "\nTheorem run_exists (given : nat -> R -> vars) :"
    for line in fixed:
        yield f"  {line}"
    yield "  run (fun t eps => through given eps t)."
    fixes = " ".join(f"c{i}_" for i, _ in enumerate(constants))
    yield f"Proof.\n{f'move=> {fixes}; ' if fixes else ''}split."
    fixed_by = iter(fixes.split())
    for f in layout.of_kind("parameter", "constant", "past"):
        yield (
            f"- by case=> [|t] eps eps_; exact: {next(fixed_by)}."
            if f.kind == "constant"
            else ("- by []." if f.kind == "past" else "- by case.")
        )
    yield "Qed."
    yield from _adjoints_exist(layout)


def _adjoints_exist(layout: Layout) -> Iterator[str]:
    arrives = [
        " + ".join(
            [own_loss(layout, n), *(sent_back(layout, n, k, "t", "pt {}") for k in layout.later(n))]
        )
        for n in layout.incoming
    ]
    yield "\n(* Adjoints exist: from the last step back to the first. *)"
    yield "Theorem adjoints_exist T (pt : nat -> vars) (slope : nat -> incoming) :"
    yield "  exists inc, adjoints T pt slope inc.\nProof."
    yield "pose back_ (t : nat) (inc : nat -> incoming) := Incoming"
    yield "\n".join(f"  ({a})" for a in arrives) + "."
    yield "have later_ t inc inc_ : (forall u_, (t < u_)%N -> inc u_ = inc_ u_) -> back_ t inc = back_ t inc_."
    yield "  move=> e_."
    for k in range(1, layout.depth + 1):
        after_t = "(leqW " * (k - 1) + "(leqnn _)" + ")" * (k - 1)
        yield f"  have e{k}_ : inc {after('t', k)} = inc_ {after('t', k)} := e_ _ {after_t}."
    used = " ".join(f"?e{k}_" for k in range(1, layout.depth + 1))
    yield f"  by rewrite /back_ {used}."
    yield (
        "have none_ := Incoming "
        + " ".join(f"(0 : {layout.shape(n)})" for n in layout.incoming)
        + "."
    )
    yield "have [inc [_ step_]] := backward_exists none_ T later_."
    yield "by exists inc; split=> t tT; rewrite (step_ t tT).\nQed."
