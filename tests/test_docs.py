"""The documentation site: what it shows happens, nothing is left out, it builds without a warning or a network."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import throughtime
from derive.catalog import shipped
from derive.initial import KINDS
from derive.language import read_cell
from derive.network_catalog import load as load_network
from derive.network_scans import WORDS
from derive.syntax import CALLABLE, DECLARATIONS
from numeric.grid_reader import read_grid
from proofs.addition_checks import OF_CELLS, OF_NETWORKS
from proofs.claims.conditions import BY_NAME
from proofs.claims.court import audit
from proofs.claims.syntax import RELATIONS
from proofs.claims.verdict import KINDS as KINDS_OF_VERDICT
from proofs.claims.vocabulary import RESERVED
from proofs.network_contract import NUMERIC as OF_WHOLE_NETWORKS
from proofs.network_verification import WHOLE
from proofs.verification import REQUIRED
from reports.pdf import find_browser
from tests.markdown_examples import commands, examples, mentioned, run, understood

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
LANGUAGE = (DOCS / "language.md").read_text(encoding="utf-8")
CLAIMS = (DOCS / "claims.md").read_text(encoding="utf-8")
TOOLS = ("sphinx", "myst_parser", "furo", "jupytext", "ipykernel")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(DOCS).as_posix())


@every_page
def test_what_a_page_shows_happens(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for example in examples(page.read_text(encoding="utf-8")):
        if example.language == "console":
            for command, expected in commands(example.text):
                run(command, expected)
        if example.language == "python":
            name = f"{page.name} from line {example.line}"
            exec(compile(example.text, name, "exec"), {})  # noqa: S102 - our own text


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda p: p.name)
def test_commands_in_the_text_of_a_page_are_understood(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("grid.toml", "model.safetensors", "my.cell", "my_cell.py", "FILE.py"):
        Path(name).touch()
    for command in mentioned(page.read_text(encoding="utf-8")):
        understood(command)


def test_the_grid_of_the_page_on_sweeps_is_read(tmp_path: Path) -> None:
    (grid,) = [e.text for e in examples((DOCS / "sweeps.md").read_text("utf-8"))]
    (tmp_path / "my.cell").write_text("h[t] = tanh(W @ h[t-1] + U @ x[t])", encoding="utf-8")
    (tmp_path / "grid.toml").write_text(grid, encoding="utf-8")
    read = read_grid(tmp_path / "grid.toml")
    assert len(read.tasks) == 4 * 2 * 3 * 2 * 10


def test_every_block_is_of_a_kind_that_a_test_runs() -> None:
    kinds = {e.language for page in PAGES for e in examples(page.read_text(encoding="utf-8"))}
    assert kinds == {"python", "console", "cell", "net", "claims", "toml", "coq"}


@pytest.mark.parametrize(
    "example",
    [e for e in examples(LANGUAGE) if e.language in ("cell", "net")],
    ids=lambda e: f"line {e.line}",
)
def test_every_example_of_the_language_is_read(example, tmp_path: Path) -> None:
    if example.language == "cell":
        assert read_cell(example.text, "example").states
        return
    path = tmp_path / "example.net"
    path.write_text(example.text, encoding="utf-8")
    assert load_network(str(path)).segments


def test_the_reference_has_an_example_of_every_construct() -> None:
    shown = "\n".join(e.text for e in examples(LANGUAGE) if e.language in ("cell", "net"))
    words = set(re.findall(r"[a-z_]+", shown))
    assert {*CALLABLE, *DECLARATIONS, *KINDS, *WORDS, "scan", "ragged", "end"} - words == set()
    signs = ("@", "*", "/", "**", ".T", "+", "-", "[t-3]", "[end]", "|", "# source:", "= -b_f")
    assert [sign for sign in signs if sign not in shown] == []


@pytest.mark.parametrize("example", examples(CLAIMS), ids=lambda e: f"line {e.line}")
def test_every_claim_of_a_page_comes_to_the_verdict_behind_it(example) -> None:
    assert example.language == "claims"
    told = re.findall(rf"(?m)# ({'|'.join(KINDS_OF_VERDICT)})$", example.text)
    assert [verdict.kind for verdict in audit(example.text, "example").verdicts] == told


def test_the_page_on_claims_names_every_word_condition_and_verdict() -> None:
    shown = "\n".join(e.text for e in examples(CLAIMS))
    assert [kind for kind in KINDS_OF_VERDICT if f"# {kind}\n" not in shown] == []
    rows = set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", CLAIMS))
    assert [c.spelling for c in BY_NAME.values() if c.spelling not in rows] == []
    words = set(re.findall(r"\w+", " ".join(rows)))
    assert {*RESERVED, "gamma"} - words == set()
    assert [sign for sign in RELATIONS if sign not in CLAIMS] == []


def test_every_check_has_its_paragraph_and_no_other_has_one() -> None:
    page = (DOCS / "checks.md").read_text(encoding="utf-8")
    brought = {name for table in (OF_CELLS, OF_NETWORKS) for row in table.values() for name in row}
    paragraphs = re.findall(r"(?m)^### (.+)\n\n(\S.+)$", page)
    assert {name for name, _ in paragraphs} == REQUIRED | OF_WHOLE_NETWORKS.keys() | brought | {
        WHOLE
    }
    assert len(paragraphs) == page.count("\n### ")


@pytest.mark.needs("sources")
def test_files_that_the_site_names_are_there_and_every_table_of_functions_is_named() -> None:
    page = (DOCS / "extending.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:derive|numeric|proofs)/[\w./]*)`", page))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    rooms = (
        path for room in ("derive", "numeric", "proofs") for path in (ROOT / room).rglob("*.py")
    )
    row = re.compile(r"(?m)^\s*(?:\"\w+\": [^\n]*)?(?:\"softplus\": |Function\(\"softplus\")")
    tables = {p.relative_to(ROOT).as_posix() for p in rooms if row.search(p.read_text("utf-8"))}
    assert len(tables) > 8
    assert tables <= named


def test_cells_theorems_and_public_names_are_all_there() -> None:
    from docs.site_pages import api, cells, theorems
    from proofs.theorems_library import LIBRARY

    assert re.findall(r"(?m)^## (.+)$", cells()) == [entry.name for entry in shipped()]
    written = theorems()
    assert re.findall(r"(?m)^## (.+)$", written) == [theorem.title for theorem in LIBRARY]
    assert "refuted" not in written
    names = re.findall(r"(?m)^\.\. auto\w+:: throughtime\.(\w+)$", api())
    assert names == sorted(set(throughtime.__all__) - {"__version__"})


def assert_every_page_is_there(site: Path) -> None:
    named = {p.relative_to(DOCS).with_suffix("").as_posix() for p in PAGES}
    named |= {f"tutorials/{p.stem}" for p in (DOCS / "tutorials").glob("*.py")}
    assert [name for name in sorted(named) if not (site / f"{name}.html").exists()] == []


def assert_no_host_is_asked(site: Path) -> None:
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        text = path.read_text(encoding="utf-8")
        loaded = r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=.(?:https?:)?//"
        assert re.findall(loaded, text) == [], path.name
        assert re.findall(r"url\([\"']?(?:https?:)?//", text) == [], path.name


def assert_local_links_lead_somewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        links = re.findall(r"<a [^>]*href=\"([^\":#?]+)[\"#]", text)
        assert [link for link in links if not (path.parent / link).exists()] == [], path.name


def assert_tutorials_show_what_they_computed(site: Path) -> None:
    shown = {p.stem: p.read_text(encoding="utf-8") for p in (site / "tutorials").glob("*.html")}
    assert "self_paced: verified" in shown["new_cell"]
    assert shown["why_gradients_vanish"].count("data:image/svg+xml;base64,") == 3
    assert "true under a condition" in shown["audit_a_slide"]
    assert "its transpose belongs" in shown["check_my_code"]
    with_formulas = ("new_cell", "why_gradients_vanish")
    assert all('class="math display"' in shown[name] for name in with_formulas)


def assert_formulas_show(browser: str, page: Path) -> None:
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu"]
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run(
        [*command, *offline, page.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert 'data-math="done"' in done.stdout
    assert 'data-math-errors="0"' in done.stdout, page.name
    assert "katex-html" in done.stdout


@pytest.mark.needs("sources")
def test_the_site_builds_without_a_warning_and_is_whole_with_the_network_off(
    tmp_path: Path,
) -> None:
    if absent := [tool for tool in TOOLS if find_spec(tool) is None]:
        pytest.skip(f"not installed: {', '.join(absent)}: make docs")
    site = tmp_path / "docs"
    command = [sys.executable, "-m", "docs.build", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert_every_page_is_there(site)
    assert_no_host_is_asked(site)
    assert_local_links_lead_somewhere(site)
    assert_tutorials_show_what_they_computed(site)
    browser = find_browser()
    if browser is None:
        pytest.skip("the site is whole, but no browser is here to show its formulas")
    for name in ("theorems", "language", "tutorials/new_cell"):
        assert_formulas_show(browser, site / f"{name}.html")
