"""What several commands share: cells read, files written, verdicts told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from derive.errors import ArgumentError
from throughtime.progress import Progress

if TYPE_CHECKING:
    from proofs.claims.court import Audit
    from throughtime.model import Model, Verification
    from throughtime.network_model import NetworkModel

NOT_VERIFIED = 3

EPILOG = """\b
CELL is the name of a shipped cell (lstm), with options if it has any (elman:g=relu),
or the path of your own file (my.cell). A network of cells is named alike:
tagger, or my.net, with the cells of its own in files beside it.

\b
Exit codes: 0 done, 1 internal error, 2 usage, 3 verification failed, or a claim does not
stand as written, 4 the input is not a valid cell.
"""
EPILOG_OF_CLAIMS = """\b
CLAIMS is the path of a file of claims, or the name of one that ships, such as museum
or deck_002. A file of two lines:
    cell elman
    claim "slope" : dh[t]/dh[t-1] == diag(1 - h[t]**2) @ W
The page docs/claims.md describes the language. Of a document (.tex, .md, .ipynb) the
formulas about the cell are judged: notes.tex --cell lstm.

\b
Exit codes: 0 every claim is proved, or true in another layout; 3 some claim is not:
true under a condition only, refuted, numerically false, meaningless or undecided;
1 internal error, 2 usage, 4 the input is not a valid file of claims: some claim is
not in the language, and the others are judged all the same.
"""


def load(cell: str, say: Progress, starts: tuple[str, ...] = ()) -> Model | NetworkModel:
    """The model of a cell or a network, its parameters started as was asked for."""
    say(f"reading {cell}")
    from throughtime.model import load as of_spec

    if not starts:
        return of_spec(cell)
    from derive.starts import chosen_starts

    return of_spec(cell, init=chosen_starts(starts))


def refuse_existing(path: Path | None, *, force: bool) -> None:
    """Say no before the work, not after it."""
    if path is not None and path.exists() and not force:
        raise ArgumentError(f"{path} exists already.", "Choose another name, or pass --force.")


def audited(place: str, spec: str | None, say: Progress) -> Audit:
    """A file of claims, or a document, judged."""
    from derive.catalog import load as load_cell
    from proofs.claims.court import audit
    from proofs.claims.register import claims_text
    from proofs.claims.said import as_written
    from proofs.documents.hearing import audit_paper
    from proofs.documents.pages import MAX_BYTES, is_document

    cell = as_written(load_cell(spec)) if spec is not None else None
    if is_document(place):
        return audit_paper(*claims_text(place, MAX_BYTES), cell, say)
    return audit(*claims_text(place), say, cell)


def write(path: Path, text: str, *, force: bool) -> None:
    """One file, whole or not at all."""
    write_all(path.parent, {path.name: text}, force=force)


def write_all(folder: Path, texts: Mapping[str, str], *, force: bool) -> None:
    """Several files into a folder, all or none."""
    from reports.files import write_files

    write_files(folder, {name: text.encode() for name, text in texts.items()}, force=force)


def exit_code(verification: Verification) -> int:
    """The exit code that tells a verdict."""
    return 0 if verification.ok else NOT_VERIFIED


def verdict(verification: Verification) -> str:
    """A verdict in one line."""
    if verification.ok:
        return "verified: every check ran and held"
    names = ", ".join(check.name for check in verification.failures)
    return f"NOT verified; failed: {names}"
