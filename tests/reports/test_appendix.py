from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from derive import catalog, network_catalog
from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from reports.appendix import Appendix, appendix

CELLS = [entry.name for entry in catalog.shipped()]
NETWORKS = [entry.name for entry in network_catalog.shipped()]
PAPER = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath,amssymb,longtable}
\begin{document}
%s
\bibliographystyle{plain}
\bibliography{paper}
\end{document}
"""
TWO = """# Two states & a lag: 100 % of _it_
# source: A. Müller, On $x^2$ & {braces} (2020), section 3
s[t] = tanh(W @ x[t] + V @ h[t-2])
h[t] = h[t-1] + sigmoid(W @ x[t]) * s[t]
"""


def compiled(text: str, bibliography: str, folder: Path) -> str:
    """The log of pdflatex after bibtex; skip where they are not."""
    if shutil.which("pdflatex") is None or shutil.which("bibtex") is None:
        pytest.skip("pdflatex or bibtex is not on the PATH")
    (folder / "paper.tex").write_text(text, encoding="utf-8")
    (folder / "paper.bib").write_text(bibliography, encoding="utf-8")
    latex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper"]
    for command in (latex, ["bibtex", "paper"], latex, latex):
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
    return (folder / "paper.log").read_text(errors="replace")


def merged(parts: list[Appendix]) -> str:
    """The entries of all, each key once."""
    entries = [
        entry for part in parts for entry in part.bibliography.strip().split("\n\n") if entry
    ]
    return "\n\n".join({entry.split(",")[0]: entry for entry in entries}.values())


def test_every_shipped_cell_and_network_compiles_in_one_paper(tmp_path: Path) -> None:
    parts = [appendix(derive(catalog.load(name))) for name in CELLS]
    parts += [appendix(derive_network(network_catalog.load(name))) for name in NETWORKS]
    parts.append(appendix(derive(read_cell(TWO, "two_é cells"))))
    log = compiled(PAPER % "\n".join(part.section for part in parts), merged(parts), tmp_path)
    assert not re.findall(r"undefined|multiply.defined", log)
    far = [float(pt) for pt in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide", log)]
    assert max(far, default=0) < 40


def test_every_line_of_the_derivation_has_its_number_and_its_label() -> None:
    derivation = derive(catalog.load("gru"))
    section = appendix(derivation).section
    assert re.findall(r"\\label\{eq:gru:(\d+)\}", section) == [
        str(s.number) for s in derivation.steps
    ]
    for step in derivation.steps:
        assert step.latex.replace("=", "&=", 1)[:30] in section


def test_quantities_and_sources_are_there() -> None:
    found = appendix(derive(catalog.load("lstm")))
    for name in ("W_{f}", "U_{g}", "b_{o}", "c_{t}", "x_{t}"):
        assert f"${name}$" in found.section
    assert r"\cite{hochreiter1997}" in found.section
    assert "@article{hochreiter1997," in found.bibliography
    assert "% @article{hochreiter1997," in str(found)


def test_a_cell_without_a_source_cites_nothing() -> None:
    found = appendix(derive(read_cell("h[t] = tanh(W @ h[t-1] + x[t])", "mine")))
    assert "\\cite" not in found.section
    assert found.bibliography == ""
    assert str(found) == found.section
