"""A certificate's last part: for every length, the accumulated adjoints are the derivative of the loss."""

from __future__ import annotations

from collections.abc import Iterator

from proofs.certificate_layout import Field, Layout, joined, total
from proofs.certificate_time import after, loss_type, own_loss, source


def sequence(layout: Layout) -> Iterator[str]:
    """The section's hypotheses, and how a run moves."""
    yield "\nSection Sequence."
    yield "Variables (T : nat) (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars)."
    yield f"Variables (loss : nat -> {loss_type(layout)}) (slope inc : nat -> incoming)."
    yield "Hypotheses (ran : run pt) (moved : moves pt e0 dir)."
    if layout.conditions:
        yield "Hypothesis reg : forall t, (t < T)%N -> regular (pt t e0)."
    yield "Hypothesis sloped : forall t, (t < T)%N -> loss_gradient (loss t) (pt t e0) (slope t)."
    yield "Hypothesis sent : adjoints T (pt ^~ e0) slope inc."
    yield "\nFixpoint dots t : vars :=\n  if t is t_.+1 then Vars"
    yield "\n".join(f"    ({_next_dot(layout, f)})" for f in layout.fields)
    yield "  else dir 0%N.\n"
    for f in layout.of_kind("parameter", "input"):
        lemma = layout.names.derived("dots_{}", f.rocq)
        yield f"Let {lemma} t : {f.rocq} (dots t) = {_direction(f)}. Proof. by case: t. Qed."
    yield from _run_tangents(layout)
    yield from _own_derivative(layout)


def _direction(f: Field, t: str = "t") -> str:
    """The direction that is given for a parameter or an input."""
    return f"{f.rocq} (dir {t if f.kind == 'input' else '0%N'})"


def _next_dot(layout: Layout, f: Field) -> str:
    if f.kind == "input":
        return f"{f.rocq} (dir t_.+1)"
    if f.kind != "past":
        return f"{f.rocq} (dir 0%N)"
    if f.lag == 1 and f.name in layout.defined:
        return f"{layout.dot(f.name)} (pt t_ e0) (dots t_)"
    return f"{source(layout, f)} (dots t_)"


def _run_tangents(layout: Layout) -> Iterator[str]:
    yield "\nLemma run_tangents t : (t < T)%N -> tangent_at (pt t) e0 (dots t).\nProof."
    yield "elim: t => [|t IH] tT; split."
    for f in layout.fields:
        yield (
            _constant(layout, f, "0%N")
            if f.kind == "constant"
            else (f"- exact: ({_moves(layout, f)} moved{' 0%N' if f.kind == 'input' else ''}).")
        )
    for f in layout.fields:
        if f.kind == "constant":
            yield _constant(layout, f, "t.+1")
        elif f.kind == "input":
            yield f"- exact: ({_moves(layout, f)} moved)."
        else:
            known = _at_past(layout, f) if f.kind == "past" else f"({_moves(layout, f)} moved)"
            step = " t.+1" if f.kind == "parameter" else ""
            yield f"- by apply: deriv_mx_ext {known} => eps; rewrite ({_run(layout, f)} ran{step})."
    yield "Qed."


def _moves(layout: Layout, f: Field) -> str:
    return layout.names.derived("moves_{}", f.rocq)


def _run(layout: Layout, f: Field) -> str:
    return layout.names.derived("run_{}", f.rocq)


def _constant(layout: Layout, f: Field, t: str) -> str:
    return (
        f"- by apply: deriv_mx_ext (curve_cst e0 ({f.rocq} (pt 0%N e0))) => eps; "
        f"rewrite ({_run(layout, f)} ran {t} eps e0)."
    )


def _at_past(layout: Layout, f: Field) -> str:
    """How the value that a past one comes from moved one step earlier."""
    if f.lag == 1 and f.name in layout.defined:
        reg = " (reg (ltnW tT))" if layout.conditions else ""
        lemma = layout.names.derived("{}_curve", layout.rocq[f.name])
        return f"({lemma} (IH (ltnW tT)){reg})"
    return f"({layout.names.derived('at_{}', source(layout, f))} (IH (ltnW tT)))"


def losses(layout: Layout) -> str:
    """The loss of step t along the curve."""
    return "loss t " + " ".join(f"({layout.rocq[n]} (pt t eps))" for n in layout.outputs)


def _own_derivative(layout: Layout) -> Iterator[str]:
    own = [f"⟨{layout.inn(n)} (slope t), {state_dot(layout, n)}⟩" for n in layout.outputs]
    reg = " (reg tT)" if layout.conditions else ""
    curves = [
        f"exact: ({layout.names.derived('{}_curve', layout.rocq[n])} ok{reg})"
        for n in layout.outputs
    ]
    yield f"\nLet own (t : nat) : R := {total(own)}."
    yield "Lemma own_derivative t : (t < T)%N ->"
    yield f"  deriv (fun eps => {losses(layout)}) e0 (own t).\nProof."
    yield "move=> tT; have ok := run_tangents tT."
    yield f"by apply: (sloped tT) => //; first [{' | '.join(curves)}].\nQed."


def state_dot(layout: Layout, name: str) -> str:
    """The tangent of what step t makes, or of an input."""
    if name in layout.defined:
        return f"{layout.dot(name)} (pt t e0) (dots t)"
    return f"{layout.rocq[name]} (dots t)"


def sent(layout: Layout, f: Field, t: str) -> str:
    """⟨what step t sends back, the tangent there⟩."""
    return f"before T {t} ⟨{_bar(layout, f, t)}, {f.rocq} (dots {t})⟩"


def _bar(layout: Layout, f: Field, t: str = "t") -> str:
    return f"{layout.bar(f.name, f.lag)} (pt {t} e0) (inc {t})"


def _initial(layout: Layout, f: Field, t: int) -> tuple[str, str]:
    """What step t sends to the initial value f: its adjoint, and its product with the direction."""
    first = Field("", f.name, f.lag + t, "past", None)
    bar = _bar(layout, first, f"{t}%N")
    return f"before T {t}%N ({bar})", f"before T {t}%N ⟨{bar}, {f.rocq} (dir 0%N)⟩"


def initials(layout: Layout, f: Field) -> list[int]:
    """The steps that read an initial value."""
    return list(range(layout.cell.quantity(f.name).depth - f.lag + 1))


def gradient_terms(layout: Layout) -> dict[str, str]:
    """The terms of theorem 3, by field."""
    terms: dict[str, str] = {}
    for f in layout.of_kind("parameter"):
        terms[f.rocq] = f"⟨\\sum_(t < T) {_bar(layout, f)}, {_direction(f)}⟩"
    for f in layout.of_kind("input"):
        terms[f.rocq] = f"\\sum_(t < T) ⟨{_bar(layout, f)}, {_direction(f)}⟩"
    for f in layout.of_kind("past"):
        whole = total([_initial(layout, f, t)[0] for t in initials(layout, f)])
        terms[f.rocq] = f"⟨{whole}, {f.rocq} (dir 0%N)⟩"
    return terms


def gradient(layout: Layout) -> Iterator[str]:
    """Theorem 3 of the file."""
    depth, terms = layout.depth, gradient_terms(layout)
    past, kept = layout.of_kind("past"), layout.of_kind("parameter", "input")
    arriving = [f"⟨{layout.inn(n)} (inc t), {state_dot(layout, n)}⟩" for n in layout.incoming]
    yield f"\nLet arriving (t : nat) : R := {total(arriving)}."
    yield f"Let kept (t : nat) : R := {total([f'⟨{_bar(layout, f)}, {_direction(f)}⟩' for f in kept])}."
    yield "Let back (k t : nat) : R := match k with"
    for k in range(1, depth + 1):
        yield f"  | {k - 1} => {total([sent(layout, f, 't') for f in past if f.lag == k])}"
    yield "  | _ => 0 end.\n"
    yield "(* Theorem 3: the accumulated backward equations give the derivative of the total loss. *)"
    yield f"Theorem gradient : deriv (fun eps => \\sum_(t < T) {losses(layout)}) e0"
    yield "  (" + " +\n   ".join(terms.values()) + ").\nProof."
    yield "apply: deriv_eq (deriv_sum _ (fun t : 'I_T => own_derivative (ltn_ord t))) _."
    yield f"rewrite (@telescope R {depth} T arriving own kept back); first 1 last."
    yield from _step_case(layout)
    yield from _arriving_case(layout)
    yield (
        f"- by move=> k_ t tT; rewrite /back /before ltnNge tT; do {depth}? [case: k_ => [|k_]]; "
        "rewrite /= ?addr0."
    )
    yield from _final_case(layout, terms)
    yield "Qed."


def _generic(atoms: list[str]) -> str:
    return "  " + " ".join(f"generalize ({t});" for t in dict.fromkeys(atoms)) + " intros; ring."


def _by_lag(layout: Layout, t: str | None) -> str:
    """0 + what is sent over lag 1 + …, at step t, or arriving at step t."""
    whole = "0"
    for k in range(1, layout.depth + 1):
        at = t or after("t", k)
        whole += (
            f" + ({total([sent(layout, f, at) for f in layout.of_kind('past') if f.lag == k])})"
        )
    return whole


def _step_case(layout: Layout) -> Iterator[str]:
    """What arrives at a step is what it gives on: theorem 1."""
    terms: list[str] = []
    proofs: list[str] = []
    for f in [f for f in layout.fields if f.kind != "constant"]:
        if f.kind == "past":
            terms.append(sent(layout, f, "t"))
            proofs.append("(esym (before_lt _ tT))")
        else:
            terms.append(f"⟨{_bar(layout, f)}, {_direction(f)}⟩")
            proofs.append(
                f"(f_equal (dot ({_bar(layout, f)})) ({layout.names.derived('dots_{}', f.rocq)} t))"
            )
    yield f"- move=> t tT; transitivity ({total(terms)})."
    # Term by term: given all at once, many terms take minutes to be matched.
    yield "    apply: etrans (duality (pt t e0) (dots t) (inc t)) _."
    for proof in reversed(proofs[1:]):
        yield f"    apply: eq_add; last exact: {proof}."
    yield f"    exact: {proofs[0]}."
    yield f"  have e_ : \\sum_(k < {layout.depth}) back k t = {_by_lag(layout, 't')}"
    yield "    by rewrite !big_ord_recr big_ord0."
    yield "  apply: etrans (eq_add (esym e_) erefl); rewrite /kept; clear e_."
    yield _generic(terms)


def _arriving_case(layout: Layout) -> Iterator[str]:
    """What arrives is the loss and what later steps send: the definition of the adjoints."""
    groups: list[str] = []
    proofs: list[str] = []
    atoms: list[str] = []
    for n in layout.incoming:
        dot = state_dot(layout, n)
        own = f"⟨{own_loss(layout, n)}, {dot}⟩" if n in layout.outputs else "0"
        past = {f.lag: f for f in layout.of_kind("past") if f.name == n}
        terms = [own, *(sent(layout, past[k], after("t", k)) for k in layout.later(n))]
        proof = "erefl" if n in layout.outputs else "(dot0l _)"
        for _ in layout.later(n):
            proof = f"(dot_add {proof} (dot_before _ _ _ _))"
        lemma = layout.names.derived("sent_{}", layout.rocq[n])
        groups.append(f"({total(terms)})")
        atoms += [t for t in terms if t != "0"]
        proofs.append(f"(etrans (f_equal (fun z_ => ⟨z_, {dot}⟩) ({lemma} sent tT)) {proof})")
    yield f"- move=> t tT; transitivity ({total(groups)})."
    yield f"    exact: {joined('eq_add', proofs)}."
    yield f"  have e_ : \\sum_(k < {layout.depth}) back k (k.+1 + t)%N = {_by_lag(layout, None)}"
    yield "    by rewrite !big_ord_recr big_ord0."
    yield "  apply: etrans (eq_add erefl (esym e_)); rewrite /own; clear e_."
    yield _generic(atoms)


def _final_case(layout: Layout, terms: dict[str, str]) -> Iterator[str]:
    """Sums over time, and what reaches the initial values."""
    kept, past = layout.of_kind("parameter", "input"), layout.of_kind("past")
    sums = [terms[f.rocq] for f in kept]
    proofs = ["(esym (dot_suml _ _ _ _))" if f.kind == "parameter" else "erefl" for f in kept]
    by_sum = f" := {joined('sum_add', proofs)}" if kept else "; first by apply: big1"
    yield f"have K_ : \\sum_(t < T) kept t = {total(sums)}{by_sum}."
    yield f"have I_ : \\sum_(k < {layout.depth}) \\sum_(t < k.+1) back k t = {_at_start(layout)}"
    yield "  by rewrite !big_ord_recr !big_ord0."
    yield "apply: etrans (eq_add K_ I_) _; clear K_ I_."
    groups: list[str] = []
    for i, f in enumerate(past):
        parts = [_initial(layout, f, t)[1] for t in initials(layout, f)]
        proof = joined("dot_add", ["(dot_before _ _ _ _)"] * len(parts))
        yield f"have J{i}_ : {terms[f.rocq]} = {total(parts)} := {proof}."
        groups.append(f"({total(parts)})")
    clear = " ".join(f"clear J{i}_;" for i in range(len(past)))
    atoms = [_initial(layout, f, t)[1] for f in past for t in initials(layout, f)]
    yield f"transitivity ({total(sums)} + ({total(groups)}))."
    yield f"  {clear}{_generic(sums + atoms)}"
    back = joined("eq_add", [f"(esym J{i}_)" for i in range(len(past))])
    yield f"apply: etrans (eq_add erefl {back}) _; {clear}"
    yield _generic([*terms.values()])


def _at_start(layout: Layout) -> str:
    """0 + (0 + what step 0 sends over lag 1) + …: everything that leaves the sequence at its start."""
    whole, past = "0", layout.of_kind("past")
    for k in range(1, layout.depth + 1):
        whole += " + (0"
        for t in range(k):
            reached = [f for f in past if f.lag == k - t and _reaches(layout, f, t)]
            whole += f" + ({total([_initial(layout, f, t)[1] for f in reached])})"
        whole += ")"
    return whole


def _reaches(layout: Layout, f: Field, t: int) -> bool:
    return t in initials(layout, f)
