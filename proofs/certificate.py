"""Certificates: a file for Rocq whose theorems say that a cell's backward equations are its gradient.

For all sizes, lengths, weights and inputs, over the real numbers of mathcomp-analysis:

1. ``duality``: the backward equations of a step are the adjoint of its tangent equations;
2. ``tangents``: the tangents are derivatives, along any differentiable curve of all that the step reads;
3. ``gradient``: for every T, the accumulated backward equations are the derivative of the total loss;
4. ``batch``: the same for the sum over any number of sequences of any lengths.

Runs and adjoints as in 3 exist (``run_exists``, ``adjoints_exist``), and the adjoints satisfy the lines of the
derivation as displayed, later steps included (``…_displayed``).

The text is fixed by the derivation: every equation stands in it as derived, and a wrong one is refused by Rocq at the
lemma that carries its name. ``proofs.rocq_check`` has it checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.derivation import Derivation
from proofs.certificate_batch import batch
from proofs.certificate_display import displayed, line_lemma, lines, parts
from proofs.certificate_duality import comparisons, duality, tangents, unknowns
from proofs.certificate_gradient import gradient, sequence
from proofs.certificate_layout import Layout
from proofs.certificate_step import step
from proofs.certificate_time import existence, runs

THEOREMS = "theorems"


def certificate(derivation: Derivation) -> str:
    """The certificate of a derivation, as the text of a Rocq file.

    Raises:
        CertificateError: the cell holds something for which certificates have no theorem; the message names it.
    """
    return "\n".join(_parts(Layout(derivation))) + "\n"


def _parts(layout: Layout) -> Iterator[str]:
    found = unknowns(layout)
    called = re.sub(r"[^\w .-]", "_", layout.cell.name)
    yield f"(* Certificate: the gradient of {called} through time. *)"
    yield from step(layout)
    yield from comparisons(layout, found)
    yield from tangents(layout)
    yield from duality(layout, found)
    yield from runs(layout)
    yield from existence(layout)
    yield from parts(layout)
    yield from sequence(layout)
    yield from lines(layout)
    yield from gradient(layout)
    yield "\nEnd Sequence."
    yield from batch(layout)
    yield "\nEnd Certificate."
    yield from _assumptions(layout)


def theorems(layout: Layout) -> list[str]:
    """The theorems of the file, in order."""
    shown = [line_lemma(layout, e.lhs.name) for e in displayed(layout)]
    return ["duality", "tangents", "run_exists", "adjoints_exist", *shown, "gradient", "batch"]


def _assumptions(layout: Layout) -> Iterator[str]:
    """The last words: what all theorems together rest on."""
    yield "\n(* What the theorems rest on. *)"
    yield f"Definition {THEOREMS} :=\n  ({', '.join(f'@{name}' for name in theorems(layout))})."
    yield f"Print Assumptions {THEOREMS}."
