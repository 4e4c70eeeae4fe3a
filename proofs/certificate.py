"""Certificates: a file for Rocq whose theorems say that a cell's backward equations are its gradient.

For all sizes, lengths, weights and inputs, over the real numbers of mathcomp-analysis:

1. ``duality``: the backward equations of a step are the adjoint of its tangent equations;
2. ``tangents``: the tangents are derivatives, along any differentiable curve of all that the step reads;
3. ``gradient``: for every T, the accumulated backward equations are the derivative of the total loss.

The text is fixed by the derivation: every equation stands in it as derived, and a wrong one is refused by Rocq at the
lemma that carries its name. ``proofs.rocq_check`` has it checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.derivation import Derivation
from proofs.certificate_duality import comparisons, duality, tangents, unknowns
from proofs.certificate_gradient import gradient, sequence
from proofs.certificate_layout import Layout
from proofs.certificate_step import step
from proofs.certificate_time import existence, runs

THEOREM = "gradient"


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
    yield from sequence(layout)
    yield from gradient(layout)
    yield f"\nEnd Sequence.\n\nEnd Certificate.\n\nPrint Assumptions {THEOREM}."
