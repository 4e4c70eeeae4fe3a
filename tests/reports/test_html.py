from __future__ import annotations

import base64
import re
import subprocess
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from reports.html import to_html
from reports.notebook import Section, Text, build
from reports.pdf import find_browser
from tests.reports.specimens import EVIL, report, run_with_hash_seed

PROGRAM = """
import hashlib
from reports.html import to_html
from tests.reports.specimens import report
print(hashlib.sha256(to_html(report()).encode()).hexdigest())
"""


class Tags(HTMLParser):
    """Every start tag with its attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._raw = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._raw = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@cache
def page() -> str:
    return to_html(report())


@cache
def tags() -> Tags:
    return Tags(page())


def ids() -> list[str]:
    return [attributes["id"] for _, attributes in tags().tags if "id" in attributes]


def test_a_page_is_the_same_bytes_under_any_hash_seed() -> None:
    assert run_with_hash_seed(PROGRAM, 1) == run_with_hash_seed(PROGRAM, 2)


def test_a_page_refers_to_no_host() -> None:
    for tag, attributes in tags().tags:
        for name in ("src", "srcset", "href", "data", "poster", "action", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (
                tag,
                name,
                attributes[name][:80],
            )
    assert not tags().named("link")
    assert re.findall(r"@import|url\((?!data:)", page()) == []
    # What is left are names of XML vocabularies, which no browser asks for.
    assert set(re.findall(r"https?://[^\s\"'`)\\<]+", page())) <= {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
    }


def test_only_the_two_scripts_of_the_page_are_there_and_allowed() -> None:
    assert len(tags().named("script")) == 2
    policy = next(
        m["content"]
        for m in tags().named("meta")
        if m.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")
    assert policy.count("'sha256-") == 2
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_hostile_text_is_shown_and_does_nothing() -> None:
    assert not any(name.startswith("on") for _, attributes in tags().tags for name in attributes)
    assert [image["src"][:19] for image in tags().named("img")] == ["data:image/svg+xml;"]
    assert "javascript:" not in "".join(a.get("href", "") for a in tags().named("a"))
    assert tags().text.count("<script>window.hit=1</script>") >= 4
    assert " ".join(EVIL.split()) in tags().text


@pytest.mark.parametrize(
    "text",
    ["<b>x</b>", "<div onclick=x>", '<a id="q" onclick="x">y</a>', "<!-- c -->", "<a href=x>"],
)
def test_raw_html_is_text(text: str) -> None:
    written = Tags(to_html(build("T", [Section("s", [Text(text), Text(f"in {text} line")])])))
    assert written.text.count(text.replace("</a>", "")) == 2


def test_an_anchor_is_a_link_target() -> None:
    assert {"eq-7", "eq-8a", "check-vjp", "fig-flow", "code-L3", "cell-code-02"} <= set(ids())
    assert len(ids()) == len(set(ids()))


def test_every_link_within_the_page_has_its_target() -> None:
    assert {a["href"][1:] for a in tags().named("a") if a.get("href", "").startswith("#")} <= set(
        ids()
    )


def test_equation_code_and_check_link_to_each_other() -> None:
    line = re.search(r'id="code-L3".*', page())
    assert line is not None
    assert '<a href="#eq-7">(7)</a>' in line[0]
    assert "eq-99" not in page()
    assert '<a href="#code-L3">' in page()
    assert '<a href="#check-vjp">' in page()


def test_the_contents_list_the_headings() -> None:
    contents = page().split("</nav>")[0].split("<nav")[1]
    assert re.findall(r'href="#([\w-]+)"', contents) == [
        "sec-the-equations-h-t",
        "sec-product",
        "sec-code",
        "sec-checks",
    ]


def test_two_headings_of_one_name_have_ids_of_their_own() -> None:
    written = Tags(to_html(build("T", [Section("s", [Text("## A\n\n## A")])])))
    assert [h["id"] for h in written.named("h2")] == ["sec-a", "sec-a-2"]


def test_formulas_can_be_read_without_scripts() -> None:
    assert "\\bar{h}_t &\\mathrel{+}= \\frac{\\partial \\ell_t}{\\partial h_t}" in tags().text


def test_a_verdict_has_its_colour_and_a_bar_stays_in_its_cell() -> None:
    assert '<td class="good">✓ holds</td>' in page()
    assert '<td class="bad">✗ failed</td>' in page()
    assert "<code>a|b</code>" in page()


def test_the_assets_may_stand_in_a_page() -> None:
    assets = files("reports") / "assets"
    script = (assets / "katex" / "katex.min.js").read_text(encoding="utf-8")
    style = (assets / "katex" / "katex.min.css").read_text(encoding="utf-8")
    assert "</" not in style
    fonts = {font.name for font in (assets / "katex" / "fonts").iterdir()}
    assert set(re.findall(r"fonts/([\w-]+\.woff2)", style)) == fonts
    version = re.search(r"\*\*([\d.]+)\*\*", (assets / "README.md").read_text(encoding="utf-8"))
    assert version is not None
    assert f'"{version[1]}"' in script
    assert (assets / "katex" / "LICENSE").is_file()


@pytest.mark.needs("chromium")
def test_a_browser_without_a_network_typesets_everything(tmp_path: Path) -> None:
    document = run_browser(page(), tmp_path)
    html = document.split("<head", 1)[0]
    assert 'data-math="done"' in html
    assert 'data-math-errors="0"' in html
    assert 'class="katex-display"' in document
    assert "katex-error" not in document.split("<main>")[1].split("<script>")[0]
    assert document.count('class="math typeset"') >= 4


@pytest.mark.needs("chromium")
def test_a_browser_counts_formulas_that_are_wrong(tmp_path: Path) -> None:
    wrong = to_html(
        build("T", [Section("s", [Text(r"$\nonsense$ and $\href{javascript:x}{y}$ and $x$")])])
    )
    assert 'data-math-errors="2"' in run_browser(wrong, tmp_path)


@pytest.mark.needs("chromium")
def test_a_script_that_got_into_a_page_does_not_run(tmp_path: Path) -> None:
    mark = "document.documentElement.dataset.hit = 1"
    broken = page().replace(
        "</main>", f"<script>{mark}</script><img src=x onerror='{mark}'></main>"
    )
    assert 'data-hit="1"' not in run_browser(broken, tmp_path)
    free = re.sub(r"<meta http-equiv[^>]*>", "", broken)
    assert 'data-hit="1"' in run_browser(free, tmp_path)  # without the policy it would


def run_browser(text: str, folder: Path) -> str:
    """The page's document after its scripts have run, with the network off."""
    browser = find_browser()
    assert browser is not None
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
    flags += ["--virtual-time-budget=5000", "--dump-dom", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [browser, *flags, path.as_uri()], capture_output=True, timeout=120, check=True
    )
    return done.stdout.decode()


def test_the_figure_is_an_image_of_its_own() -> None:
    source = tags().named("img")[0]["src"].removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(source).startswith(b"<svg")
    assert tags().named("img")[0]["alt"] == EVIL
