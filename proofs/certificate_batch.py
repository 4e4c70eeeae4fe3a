"""Batches in a certificate: sequences of different lengths, with one set of parameters, add up."""

from __future__ import annotations

from collections.abc import Iterator

from proofs.certificate_gradient import gradient_terms
from proofs.certificate_layout import Field, Layout, joined
from proofs.certificate_time import loss_type

_BOUND = ("pt", "inc", "dir", "loss", "slope")


def batch(layout: Layout) -> Iterator[str]:
    """Theorem 4 of the file: the gradient of a batch is the sum of its samples' gradients."""
    losses = f"loss : 'I_B_ -> nat -> {loss_type(layout)}"
    yield "\n(* A batch: B sequences of T b steps; their parameters move in one direction. *)"
    yield "Section Batch."
    yield "Variables (B_ : nat) (T : 'I_B_ -> nat) (pt : 'I_B_ -> nat -> R -> vars) (e0 : R)."
    yield f"Variables (dir : 'I_B_ -> nat -> vars) ({losses})."
    yield "Variables (slope inc : 'I_B_ -> nat -> incoming) (shared : vars)."
    yield "Hypotheses (ran : forall b_, run (pt b_)) (moved : forall b_, moves (pt b_) e0 (dir b_))."
    if layout.conditions:
        yield "Hypothesis reg : forall b_ t, (t < T b_)%N -> regular (pt b_ t e0)."
    yield "Hypothesis sloped : forall b_ t, (t < T b_)%N ->"
    yield "  loss_gradient (loss b_ t) (pt b_ t e0) (slope b_ t)."
    yield "Hypothesis sent : forall b_, adjoints (T b_) (fun t => pt b_ t e0) (slope b_) (inc b_)."
    for f in layout.of_kind("parameter"):
        yield f"Hypothesis {_shared(layout, f)} : forall b_, {f.rocq} (dir b_ 0%N) = {f.rocq} shared."
    yield from _theorem(layout)
    yield "\nEnd Batch."


def _shared(layout: Layout, f: Field) -> str:
    return layout.names.derived("shared_{}", f.rocq)


def _of_sample(term: str) -> str:
    """A term of theorem 3, for sample b."""
    for name in _BOUND:
        term = term.replace(f"({name} ", f"({name} b_ ")
    return term.replace("(t < T)", "(t < T b_)").replace("before T ", "before (T b_) ")


def _theorem(layout: Layout) -> Iterator[str]:
    terms = {name: _of_sample(term) for name, term in gradient_terms(layout).items()}
    parameters = {f.rocq for f in layout.of_kind("parameter")}
    sums = {name: f"\\sum_(b_ < B_) {term}" for name, term in terms.items()}
    for f in layout.of_kind("parameter"):
        within = terms[f.rocq].removeprefix("⟨").partition(f", {f.rocq} (dir")[0]
        sums[f.rocq] = f"⟨\\sum_(b_ < B_) {within}, {f.rocq} shared⟩"
    points = " ".join(f"({layout.rocq[n]} (pt b_ t eps))" for n in layout.outputs)
    yield "\n(* Theorem 4: the gradient of a batch is the sum over its samples. *)"
    yield f"Theorem batch : deriv (fun eps => \\sum_(b_ < B_) \\sum_(t < T b_) loss b_ t {points}) e0"
    yield "  (" + " +\n   ".join(sums.values()) + ").\nProof."
    reg = " (@reg b_)" if layout.conditions else ""
    yield f"have G_ b_ := gradient (@ran b_) (@moved b_){reg} (@sloped b_) (@sent b_)."
    yield "apply: deriv_eq (deriv_sum _ G_) _."
    for i, f in enumerate(layout.of_kind("parameter")):
        yield f"have S{i}_ : \\sum_(b_ < B_) {terms[f.rocq]} =\n  {sums[f.rocq]}."
        yield f"  by rewrite dot_suml; apply: eq_bigr => b_ _; rewrite {_shared(layout, f)}."
    proofs = [f"S{i}_" if name in parameters else "erefl" for i, name in enumerate(terms)]
    yield f"exact: {joined('sum_add', proofs)}.\nQed."
