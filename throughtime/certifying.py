"""What ``throughtime certify`` has to say: the certificate, or Rocq's verdict on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from derive.errors import ArgumentError
from throughtime.console import Outcome
from throughtime.progress import Progress

if TYPE_CHECKING:
    from proofs.rocq_check import Verdict
    from throughtime.model import Model
    from throughtime.network_model import NetworkModel

REFUSED = 3


def refuse_name(path: Path | None) -> None:
    """Say no to a name that Rocq would not read: a file is a module there.

    Raises:
        ArgumentError: the name is none for a Rocq file.
    """
    if path is not None and not re.fullmatch(r"[A-Za-z]\w*\.v", path.name, re.ASCII):
        stem = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
        name = stem if stem[:1].isalpha() else f"cell{stem}"
        raise ArgumentError(f"{path.name} is not a Rocq file's name.", f"Name it {name}.v.")


def one_cell(model: Model | NetworkModel) -> Model:
    """The model, if it is of a cell: a certificate's theorem is about the steps of one cell.

    Raises:
        ArgumentError: it is of a network.
    """
    from throughtime.model import Model as OfCell

    if isinstance(model, OfCell):
        return model
    raise ArgumentError(
        f"A certificate is of one cell, and {model.name} is a network of cells.",
        "Certify the cells that it scans, e.g. throughtime certify lstm.",
    )


def certified(model: Model, output: Path | None, *, check: bool, say: Progress) -> Outcome:
    """The certificate of a model, checked or not; nothing is written here, and the caller bounds the time.

    Args:
        model: whose.
        output: where the caller writes the file if it was not refused.
        check: whether Rocq is to check it.
        say: called with the name of each stage as it begins.
    """
    certificate = model.certify()
    verdict = certificate.check(timeout=None, on_progress=say) if check else None
    accepted = verdict is None or verdict.accepted
    data = {
        "cell": model.name,
        "file": output if accepted else None,
        "source": str(certificate) if output is None and not check else None,
        "check": None if verdict is None else verdict.to_dict(),
    }
    lines = [str(output)] if output is not None and accepted else []
    if verdict is None:
        return Outcome(data, "\n".join(lines) or str(certificate))
    lines.append(told(verdict))
    return Outcome(data, "\n".join(lines), 0 if accepted else REFUSED, f"{verdict.seconds:.1f} s")


def told(verdict: Verdict) -> str:
    """The verdict in words; the same for the same file."""
    if not verdict.accepted:
        place = f" at {verdict.lemma}" if verdict.lemma else ""
        return f"REFUSED by Rocq{place}: {verdict.message}"
    lines = [
        "accepted by Rocq's kernel, for all sizes, lengths, weights and inputs:",
        "  duality   the backward equations are the adjoint of the step's tangents",
        "  tangents  the tangents are the derivatives along any differentiable curve",
        "  gradient  the accumulated adjoints are the derivative of the loss of T steps",
        "  batch     the gradients of any number of sequences add up",
        "assuming:" if verdict.assumptions else "assuming nothing",
        *(f"  {name}" for name in verdict.assumptions),
    ]
    return "\n".join(lines)
