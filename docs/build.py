"""Builds the documentation site from nothing: ``python -m docs.build FOLDER``; any warning is an error."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from docs.site_pages import pages
from docs.site_tutorials import executed, page, scripts

DOCS = Path(__file__).resolve().parent
SETTING = (
    "--T",
    "300",
    "--n",
    "16",
    "--m",
    "8",
    "--format",
    "html",
    "--force",
    "--no-bounds",
    "-q",
)
OWN = ("index", "gallery", "language", "checks", "extending", "sweeps")


def assemble(source: Path) -> None:
    """Every page of the site, as text.

    Args:
        source: an empty folder.
    """
    shutil.copytree(DOCS / "tours", source / "tours")
    shutil.copytree(DOCS / "images", source / "images")
    (source / "tutorials").mkdir()
    for picture in [*DOCS.glob("*.svg"), *DOCS.glob("*.png")]:
        shutil.copy(picture, source)
    found = sorted(DOCS.glob("*.md"))
    evidence = "\n".join(path.stem for path in found if path.stem not in OWN)
    for path in found:
        text = path.read_text(encoding="utf-8")
        if path.stem == "index":
            text = text.replace("EVIDENCE", evidence)
        (source / path.name).write_text(text, encoding="utf-8")
    for name, text in pages().items():
        (source / name).write_text(text, encoding="utf-8")


def tutorials(source: Path) -> None:
    """The tutorials, run and shown.

    Args:
        source: the folder of the site's pages.
    """
    for script in scripts():
        with tempfile.TemporaryDirectory() as folder:
            text, pictures = page(executed(script, Path(folder)), script.stem)
        (source / "tutorials" / f"{script.stem}.md").write_text(text, encoding="utf-8")
        for name, data in pictures.items():
            target = source / "tutorials" / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(data)


def gallery(target: Path) -> None:
    """Pages as the commands write them."""
    from click.testing import CliRunner

    from throughtime.cli import cli

    for command, cells in (("study", ["elman"]), ("compare", ["elman", "gru", "lstm"])):
        result = CliRunner().invoke(cli, [command, *cells, *SETTING, "-o", str(target / "pages")])
        if result.exit_code != 0:
            raise SystemExit(result.stderr)


def build(target: Path, say: Callable[[str], None] = lambda _: None) -> int:
    """The whole site; what was there is replaced.

    Args:
        target: the folder for the pages.
        say: called with each stage.

    Returns:
        Sphinx's exit code.
    """
    from sphinx.cmd.build import main

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        say("pages from the machinery")
        assemble(source)
        say("tutorials")
        tutorials(source)
        say("site")
        shutil.rmtree(target, ignore_errors=True)
        code = main(
            ["-W", "--keep-going", "-E", "-q", "-b", "html", "-c", str(DOCS), folder, str(target)]
        )
    if code == 0:
        say("gallery")
        gallery(target)
    return code


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]), lambda stage: print(stage, file=sys.stderr, flush=True)))
