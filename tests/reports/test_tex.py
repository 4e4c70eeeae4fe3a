from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.notebook import Section, Text, build
from reports.tex import to_tex
from reports.texchars import escape_tex
from reports.texmarkdown import markdown_to_tex
from tests.reports.specimens import EVIL, report, run_with_hash_seed

PROGRAM = """
import hashlib
from reports.tex import to_tex
from tests.reports.specimens import report
document = to_tex(report())
print(hashlib.sha256(document.text.encode() + b"".join(document.figures.values())).hexdigest())
"""


def compile_tex(text: str, figures: dict[str, bytes], folder: Path) -> str:
    """Run pdflatex twice and return its log; skip where there is none."""
    latex = shutil.which("pdflatex")
    if latex is None:
        pytest.skip("pdflatex is not on the PATH")
    (folder / "report.tex").write_text(text, encoding="utf-8")
    for name, content in figures.items():
        (folder / name).write_bytes(content)
    command = [
        latex,
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "report.tex",
    ]
    for _ in range(2):
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
    return (folder / "report.log").read_text(errors="replace")


def test_a_document_is_the_same_bytes_under_any_hash_seed() -> None:
    assert run_with_hash_seed(PROGRAM, 1) == run_with_hash_seed(PROGRAM, 2)


def test_a_report_compiles_with_every_link_defined(tmp_path: Path) -> None:
    document = to_tex(report())
    log = compile_tex(document.text, document.figures, tmp_path)
    assert "has been referenced but does not exist" not in log
    assert "Missing character" not in log


def test_any_text_compiles(tmp_path: Path) -> None:
    sample = "".join(
        map(chr, [*range(32, 0x250), *range(0x370, 0x400), *range(0x2190, 0x2300), 0x4E2D, 0x1F600])
    )
    cells = [Text(f"x {sample[i : i + 60]}".replace("\n", " ")) for i in range(0, len(sample), 60)]
    mathematics = [
        Text(r"$α_t ∘ é + \text{ℓ} % c$ and $\input{x}$ and $a } b$ and $x \end{document}$")
    ]
    document = to_tex(build(sample, [Section("s", [*cells, *mathematics])]))
    compile_tex(document.text, {}, tmp_path)


@given(st.text(max_size=30))
@example(EVIL)
@example("v̄ \x1f\x1d")
def test_escaped_text_holds_no_character_that_latex_reads(text: str) -> None:
    written = escape_tex(text)
    commands = r"\\(text[a-z]+|ensuremath|ldots|S|[\\=.^~\"$&#%_{}])|\\[A-Za-z]+"
    rest = re.sub(commands, "", written)
    assert not re.search(
        r"[$&#%_^~\\\x00-\x08\x0b-\x1f]", re.sub(r"\{\}[_^]\{[^}]*\}|\{\}\^\{\}", "", rest)
    )
    assert written.count("{") - written.count(r"\{") == written.count("}") - written.count(r"\}")


@pytest.mark.parametrize(
    ("markdown", "latex"),
    [
        ("a **b** *c* `d_e`", r"a \textbf{b} \emph{c} \texttt{d\_e}"),
        ("## Head $h_t$", r"\section{\texorpdfstring{Head $h_t$}{Head ht}}"),
        ("[x](#eq-7)", r"\hyperlink{eq-7}{x}"),
        ("[x](https://a.org/b_c%20#d)", r"\href{https://a.org/b_c\%20\#d}{x}"),
        ("[x](javascript:alert)", "x"),
        ("- a\n- b", "\\begin{itemize}\n\\item {}a\n\\item {}b\n\\end{itemize}"),
        ("1. a", "\\begin{enumerate}\n\\item {}a\n\\end{enumerate}"),
        ("$\\bar{h}_t$ and \\$5", r"$\bar{h}_t$ and \$5"),
        ("<b>x</b>", r"\textless{}b\textgreater{}x\textless{}/b\textgreater{}"),
        (r"$\input{/x}$", r"\texttt{\textbackslash{}input\{/x\}}"),
        (r"$\write 18$", r"\texttt{\textbackslash{}write 18}"),
        ("$a } b$", r"\texttt{a \} b}"),
    ],
)
def test_markdown_becomes_latex(markdown: str, latex: str) -> None:
    assert markdown_to_tex(markdown) == latex


def test_an_equation_keeps_its_number_and_its_target() -> None:
    text = markdown_to_tex('<a id="eq-7"></a>\n\n$$\na &= b\n\\tag{7}\n$$')
    assert text == "\\begin{equation*}\\target{eq-7}\n\\fit{a &= b}\\tag{7}\n\\end{equation*}"


def test_a_table_becomes_rows_with_columns_that_fit() -> None:
    text = markdown_to_tex(f"| a | b |\n| --- | --- |\n| 1 | {'word ' * 30} |")
    assert "\\begin{longtable}{@{}l>{\\raggedright\\arraybackslash}p{" in text
    assert "  1 & word" in text


def test_lines_of_code_are_targets_and_link_to_their_equations() -> None:
    text = to_tex(report()).text
    line = next(line for line in text.splitlines() if "code-L3" in line and "codeline" in line)
    assert "\\hyperlink{eq-7}{(7)}" in line
    assert "eq-99" not in text


def test_figures_are_files_beside_the_document() -> None:
    document = to_tex(report())
    assert list(document.figures) == ["fig-flow.pdf"]
    assert document.figures["fig-flow.pdf"].startswith(b"%PDF-")
    assert "\\reportpicture{fig-flow.pdf}{fig-flow}" in document.text
