"""The networks that ship, and the one way from what a user writes (``tagger``, ``my.net``) to a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from derive import catalog
from derive.catalog import file_text
from derive.errors import UnknownCellError
from derive.language_lines import read_lines
from derive.language_words import listed, nearest_few
from derive.network import Network
from derive.network_language import read_network

SUFFIX = ".net"


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """One shipped network.

    Args:
        name: what ``load`` takes.
        title: a line of description.
        reference: where it comes from.
        text: its source text.
    """

    name: str
    title: str
    reference: str
    text: str


@cache
def shipped() -> tuple[NetworkEntry, ...]:
    """The networks that ship, by name."""
    folder = files("derive") / "networks"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(SUFFIX))
    return tuple(_entry(name, (folder / name).read_text("utf-8")) for name in names)


def _entry(file: str, text: str) -> NetworkEntry:
    document = read_lines(text, file)
    return NetworkEntry(file.removesuffix(SUFFIX), document.title, document.reference, text)


def is_network(spec: str) -> bool:
    """Whether a user's word means a network: a path that ends in ``.net``, or a shipped network's name."""
    return spec.endswith(SUFFIX) or any(entry.name == spec for entry in shipped())


def load(spec: str) -> Network:
    """The network that a user asks for.

    Args:
        spec: a shipped network's name, or the path of a file that ends in ``.net``; the cells that it names are
            files beside it, or shipped.

    Raises:
        UnknownCellError: there is no such network or file.
        CellError: the file cannot be read as text, or is no valid network.
    """
    if spec.endswith(SUFFIX):
        path = Path(spec)
        return read_network(
            file_text(path), path.name.removesuffix(SUFFIX) or path.name, beside(path)
        )
    for entry in shipped():
        if entry.name == spec:
            return read_network(entry.text, entry.name, shipped_cell)
    names = [entry.name for entry in shipped()]
    close = nearest_few(spec, names)
    hint = f" The nearest: {listed(close)}." if close else ""
    raise UnknownCellError(
        f"No shipped network is called {spec!r}.{hint}",
        f"The shipped networks are {listed(names)}.",
    )


def shipped_cell(name: str) -> str | None:
    """The text of a shipped cell, or of one that only networks run."""
    return next((entry.text for entry in catalog.shipped() if entry.name == name), _inner(name))


@cache
def _inner(name: str) -> str | None:
    """The text of a cell beside the shipped networks."""
    file = files("derive") / "networks" / f"{name}{catalog.SUFFIX}"
    return file.read_text("utf-8") if file.is_file() else None


def beside(path: Path) -> Callable[[str], str | None]:
    """The texts of cells for a network's file: those beside it, then those that ship."""

    def cell_text(name: str) -> str | None:
        mine = path.parent / f"{name}{catalog.SUFFIX}"
        return file_text(mine) if mine.is_file() else shipped_cell(name)

    return cell_text
