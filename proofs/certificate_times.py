"""Certificates of the cells that ship before Rocq: accepted or refused, and in what time.

    python -m proofs.certificate_times > table.md
    python -m proofs.certificate_times lstm gru

Processor time, so that other programs do not count; compiling the library comes before and is not in it.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

from derive import catalog
from derive.derivation import derive
from proofs.certificate import certificate
from proofs.certificate_layout import Layout
from proofs.rocq_check import build_library, check_certificate


def rows(names: list[str]) -> Iterator[str]:
    """One row of the table for each cell, as soon as it is known."""
    yield "| cell | equations of the step | lines of Rocq | kernel | seconds of processor time |"
    yield "|---|---|---|---|---|"
    build_library()
    for name in names:
        derivation = derive(catalog.load(name))
        text = certificate(derivation)
        begun = _seconds()
        verdict = check_certificate(text, timeout=1800.0)
        said = "accepted" if verdict.accepted else f"REFUSED at `{verdict.lemma}`"
        if verdict.accepted and "Hypothesis reg" in text:
            said = "accepted, off the kinks and poles"
        lines = len(Layout(derivation).lines)
        yield f"| {name} | {lines} | {text.count(chr(10))} | {said} | {_seconds() - begun:.0f} |"


def _seconds() -> float:
    """The processor time of all programs that were run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    for row in rows(sys.argv[1:] or [entry.name for entry in catalog.shipped()]):
        print(row, flush=True)  # noqa: T201 - a command's output
