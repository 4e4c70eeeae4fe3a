"""The README's examples do what it says: its Python runs, its commands print what stands under them."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.markdown_examples import Example, commands, examples, matches, run

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

needs_model = pytest.mark.skipif(
    find_spec("throughtime.model") is None, reason="throughtime.model is not written yet"
)


def test_the_readme_has_examples_of_both_kinds() -> None:
    assert {"python", "console"} == {example.language for example in examples(README)}


@needs_model
def test_the_console_examples_print_what_they_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for example in examples(README):
        if example.language == "console":
            for command, expected in commands(example.text):
                run(command, expected)


@needs_model
@pytest.mark.parametrize(
    "example",
    [e for e in examples(README) if e.language == "python"],
    ids=lambda e: f"line {e.line}",
)
def test_the_python_examples_run(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(example.text, f"README.md from line {example.line}", "exec"), {})  # noqa: S102 - our own text


def test_what_it_shows_of_make_is_in_the_makefile() -> None:
    targets = set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    shown = set(re.findall(r"(?m)(?:^    |`)make ([\w-]+)", README))
    assert {"report", "test"} <= shown <= targets


@pytest.mark.needs("sources")
def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_system_has_its_row() -> None:
    rows = re.findall(r"(?m)^\| (A\d+) \|[^|]+\|([^|]+)\|$", README)
    assert [number for number, _ in rows] == [f"A{n}" for n in range(1, 24)]
    assert all(status.strip() for _, status in rows)


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("...\nlstm...\n...\n", "elman x\nlstm y\n  z\n", True),
        ("...\nlstm...\n...\n", "elman x\ngru y\n", False),
        ("a\n", "a\nb\n", False),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(
    expected: str, printed: str, same: bool
) -> None:
    assert matches(expected, printed) is same
