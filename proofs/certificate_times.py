"""Certificates of the cells that ship before Rocq: accepted or refused, and in what time.

    python -m proofs.certificate_times > docs/rocq-times.md

Processor time, so that other programs do not count; compiling the library comes before and is not in it.
"""

from __future__ import annotations

import resource
import sys

from derive import catalog
from derive.derivation import derive
from proofs.certificate import certificate
from proofs.certificate_layout import Layout
from proofs.rocq_check import build_library, check_certificate

HEAD = """\
# Certificates of the cells that ship

What Rocq's kernel says of each, and in how many seconds of processor time of coqc: loading mathcomp and the answer to
`Print Assumptions` take about four of them. Made by `python -m proofs.certificate_times`.
*Off the kinks and poles*: the theorem has the hypothesis `regular`, as it uses relu, abs, log, sqrt or division.

| cell | equations of the step | lines of Rocq | kernel | seconds |
|---|---|---|---|---|
"""


def row(name: str) -> str:
    """What the kernel says of a cell, as a row of the table."""
    derivation = derive(catalog.load(name))
    text, begun = certificate(derivation), _seconds()
    verdict = check_certificate(text, timeout=1800.0)
    said = "accepted" if verdict.accepted else f"REFUSED at `{verdict.lemma}`"
    if verdict.accepted and "Hypothesis reg " in text:
        said += ", off the kinks and poles"
    lines, seconds = len(Layout(derivation).lines), _seconds() - begun
    return f"| {name} | {lines} | {text.count(chr(10))} | {said} | {seconds:.0f} |\n"


def _seconds() -> float:
    """The processor time of all programs that were run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(names: list[str]) -> None:
    """Print the table for the cells named, or for all that ship."""
    build_library()
    sys.stdout.write(HEAD)
    for name in names or [entry.name for entry in catalog.shipped()]:
        sys.stdout.write(row(name))
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
