"""HTML page to PDF through Chromium, without a network."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from derive.errors import ThroughtimeError
from reports.files import read_bytes, write_files

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    "--virtual-time-budget=10000",
)

_HEAD = rb"\(node\d{8}\)"


class PdfError(ThroughtimeError, RuntimeError):
    """The browser ran and gave no PDF."""


class BrowserMissingError(PdfError):
    """No Chromium is on the PATH."""

    exit_code = 2


def find_browser() -> str | None:
    """The path of the first Chromium on the PATH, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def render_pdf(html: str, *, timeout: float = 120.0) -> bytes:
    """A page as PDF bytes, printed on A4 by its own print style, with the network off.

    Args:
        html: a self-contained page, e.g. of ``reports.html.to_html``.
        timeout: seconds after which the browser is stopped.

    Raises:
        BrowserMissingError: no Chromium is on the PATH.
        PdfError: it failed, took too long, or wrote no PDF.
    """
    browser = find_browser()
    if browser is None:
        raise BrowserMissingError(
            f"A PDF needs Chromium, and none of {', '.join(BROWSERS)} is on the PATH.",
            "Install it (Debian: apt-get install chromium), or leave the PDF out.",
        )
    with tempfile.TemporaryDirectory(prefix="throughtime-pdf-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        page, paper = folder / "page.html", folder / "page.pdf"
        page.write_text(html, encoding="utf-8")
        options = [
            *_FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            f"--print-to-pdf={paper}",
            page.as_uri(),
        ]
        said = _run([browser, *options], folder, timeout)
        if not paper.is_file() or not (content := paper.read_bytes()).startswith(b"%PDF-"):
            raise PdfError(f"{browser} wrote no PDF. It said: {said or 'nothing'}", _REMEDY)
    return _settled(content)


_REMEDY = "Print the HTML page from a browser, or leave the PDF out."


def _run(command: list[str], folder: Path, timeout: float) -> str:
    """Run the browser in a process group of its own and return the end of what it said; leave no process behind."""
    with (folder / "said.txt").open("w+b") as said:
        process = subprocess.Popen(  # noqa: S603 - a browser found on the PATH, arguments written here
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**os.environ, "HOME": str(folder)},
            start_new_session=True,
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise PdfError(
                f"{command[0]} was stopped after {timeout:g} s without a PDF.", _REMEDY
            ) from None
        finally:
            _stop(process)
        said.seek(0)
        end = said.read().decode(errors="replace")[-800:].strip()
    if code != 0:
        raise PdfError(f"{command[0]} ended with code {code}. It said: {end or 'nothing'}", _REMEDY)
    return end


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the process group, also after Ctrl-C."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _settled(pdf: bytes) -> bytes:
    """The PDF with its two dates fixed and the browser's own numbers of table heads counted from 0.

    All is done in place, so that offsets inside the file stay right; the heads keep their order.
    """
    pdf = re.sub(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}", rb"\g<1>20000101000000", pdf)
    names = sorted(set(re.findall(_HEAD, pdf)))
    number = {name: b"(node%08d)" % k for k, name in enumerate(names)}
    return re.sub(_HEAD, lambda found: number[found[0]], pdf)


def to_pdf(
    html_path: str | os.PathLike[str], pdf_path: str | os.PathLike[str], *, force: bool = False
) -> None:
    """Print an HTML file to a PDF file, which appears whole or not at all.

    Args:
        html_path: a self-contained page.
        pdf_path: the file to write.
        force: replace a file that is there.

    Raises:
        BrowserMissingError, PdfError: see ``render_pdf``.
        OutputError: the page cannot be read or the PDF not written.
    """
    target = Path(pdf_path)
    content = render_pdf(read_bytes(Path(html_path)).decode("utf-8"))
    write_files(target.parent, {target.name: content}, force=force)
