"""Rewrites the tables of files in ARCHITECTURE.md from the files' own first lines: ``make map``."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "ARCHITECTURE.md"


def rows(folder: str) -> list[str]:
    """One line per Python file of a folder: its name and the first line of its docstring."""
    found: list[str] = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text:
            subject = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
            found.append(f"| `{path.relative_to(ROOT).as_posix()}` | {subject} |")
    return found


def rewritten(page: str) -> str:
    """The page with the table under every heading ``### folder/: …`` made anew."""

    def section(match: re.Match[str]) -> str:
        table = "\n".join(["| file | subject |", "|---|---|", *rows(match[2])])
        return f"{match[1]}\n\n{table}\n"

    return (
        re.sub(
            r"(?ms)^(### (\w+)/:[^\n]*)\n.*?(?=^#|\Z)", lambda m: section(m) + "\n", page
        ).rstrip()
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
