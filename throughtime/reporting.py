"""The files of a report: everything is computed first, then all files appear at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.files import OutputExistsError, write_files

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from numeric.study import Study
    from reports.report_certificate import Certified
    from throughtime.model import Model

Say = Callable[[str], None]


def write_report(
    model: Model,
    folder: Path,
    formats: Sequence[str],
    *,
    force: bool,
    say: Say,
    certify: bool = False,
) -> Mapping[str, Path]:
    """Write the report of a model.

    Args:
        model: whose.
        folder: where.
        formats: some of html, ipynb, tex, pdf; pdf is left out where there is no Chromium.
        force: replace files that are there.
        say: called with the name of each stage as it begins.
        certify: whether the certificate for Rocq is written and, where Rocq is installed, checked.

    Returns:
        The files by format, with ``v`` for the certificate if one was asked for,
        ``py`` for the code (only if every check held), ``proof`` for the general proof as its
        checker reads it, and ``json`` for the verification.

    Raises:
        OutputExistsError: a file is there and ``force`` is false; nothing was done.
        OutputError: the operating system refused.
    """
    names = {kind: f"{model.name}.{kind}" for kind in (*formats, "py")} | {
        "proof": f"{model.name}.proof.json",
        "json": "verification.json",
    }
    if certify:
        names["v"] = f"{_module(model.name)}.v"
    if not force:
        refuse_existing(folder, names.values())
    say(f"deriving {model.name}")
    derivation = model.derive()
    say(f"generating {model.name}")
    code = model.generate().source
    verification = model.verify(on_progress=say)
    say("measuring the gradient flow")
    flow = _study(model) if verification.ok else "The code is not verified."
    say("writing the report")
    from reports.report import Findings, build_report
    from reports.report_proof import proof_of

    proof = proof_of(derivation)
    certificate = _certified(model, say) if certify else None
    findings = Findings(derivation, code, verification, proof, flow, certificate)
    notebook = build_report(findings)
    contents = rendered(notebook, names, formats, say)
    if verification.ok:
        contents[names["py"]] = model.certified().source.encode()
    if proof is not None:
        contents[names["proof"]] = proof.general.dumps().encode()
    if certificate is not None and certificate.source:
        contents[names["v"]] = certificate.source.encode()
    told = json.dumps(_plain(verification.to_dict()), indent=2, ensure_ascii=False)
    contents[names["json"]] = f"{told}\n".encode()
    written = dict(zip(contents, write_files(folder, contents, force=force), strict=True))
    return {kind: written[name] for kind, name in names.items() if name in written}


def _module(name: str) -> str:
    """A name that Rocq reads: there a file is a module."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return word if word[:1].isalpha() else f"cell{word}"


def _certified(model: Model, say: Say) -> Certified:
    from reports.report_certificate import certified

    say("certifying")
    return certified(model.derive())


def refuse_existing(folder: Path, names: Iterable[str]) -> None:
    """Say no before the work, not after it."""
    for name in names:
        if (folder / name).exists():
            raise OutputExistsError(
                f"{folder / name} is there already, so nothing was written.",
                "Choose another folder, or pass --force to replace it.",
            )


def _study(model: Model) -> Study | str:
    """The gradient flow, or why it could not be measured."""
    from numeric.measure import MeasureError
    from numeric.study import study
    from proofs.modules import load_source

    try:
        return study(model.derive(), load_source(model.generate().source))
    except MeasureError as error:
        return error.problem


def rendered(
    notebook: NotebookNode, names: Mapping[str, str], formats: Sequence[str], say: Say
) -> dict[str, bytes]:
    """The notebook in every format, by file name; LaTeX brings its figures along."""
    contents: dict[str, bytes] = {}
    page = ""
    if {"html", "pdf"} & set(formats):
        from reports.html import to_html

        page = to_html(notebook)
    if "html" in formats:
        contents[names["html"]] = page.encode()
    if "ipynb" in formats:
        from reports.notebook import to_ipynb

        contents[names["ipynb"]] = to_ipynb(notebook)
    if "tex" in formats:
        from reports.tex import to_tex

        document = to_tex(notebook)
        contents |= {names["tex"]: document.text.encode(), **document.figures}
    if "pdf" in formats:
        contents |= _pdf(page, names["pdf"], say)
    return contents


def _pdf(page: str, name: str, say: Say) -> dict[str, bytes]:
    from reports.pdf import find_browser, render_pdf

    if find_browser() is None:
        return {}
    say("printing the PDF")
    return {name: render_pdf(page)}


def _plain(value: object) -> object:
    from throughtime.console import plain

    return plain(value)
