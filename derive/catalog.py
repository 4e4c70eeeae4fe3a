"""The cells that ship, and the one way from what a user writes (``lstm``, ``skip:d=3``, ``my.cell``) to a cell."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from derive.cell import Cell
from derive.errors import ArgumentError, CellError, UnknownCellError
from derive.language import read_cell
from derive.language_declarations import Option, choose, is_declaration, read_declaration
from derive.language_lines import MAX_TEXT, read_lines
from derive.language_words import listed, nearest_few

SUFFIX, NETWORK = ".cell", ".net"
ENDINGS = "A cell's file ends in .cell, and a network's in .net."
MAX_BYTES = 4 * MAX_TEXT


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One shipped cell.

    Args:
        name: what ``load`` takes.
        title: a line of description.
        reference: where its equations come from.
        options: the choices it offers, each with default and allowed values.
        text: its source text.
    """

    name: str
    title: str
    reference: str
    options: tuple[Option, ...]
    text: str


@cache
def shipped() -> tuple[CatalogEntry, ...]:
    """The cells that ship, by name."""
    folder = files("derive") / "cells"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(SUFFIX))
    return tuple(
        _entry(name.removesuffix(SUFFIX), (folder / name).read_text("utf-8")) for name in names
    )


def _entry(name: str, text: str) -> CatalogEntry:
    document = read_lines(text, name + SUFFIX)
    declarations = [read_declaration(s) for s in document.statements if is_declaration(s)]
    return CatalogEntry(name, document.title, document.reference, choose(declarations, {})[1], text)


def load(spec: str) -> Cell:
    """The cell that a user asks for.

    Args:
        spec: a shipped cell's name, or the path of a cell's file (it holds a path separator or ends in ``.cell``);
            then, after a colon, options: ``elman:g=relu``, ``my.cell:g=relu,d=2``.

    Raises:
        UnknownCellError: there is no such cell or file.
        ArgumentError: an option or its value is unknown, or the options are misspelled.
        CellError: the file cannot be read as text, or is no valid cell.
    """
    return read_cell(*source_of(spec))


def source_of(spec: str, folder: Path | None = None) -> tuple[str, str, dict[str, str]]:
    """The text, the name and the options of the cell that a user asks for: what ``read_cell`` takes.

    Args:
        spec: as ``load`` takes it.
        folder: what a relative path is relative to; the working folder if left out.

    Raises:
        UnknownCellError: there is no such cell or file.
        ArgumentError: the options are misspelled.
        CellError: the file cannot be read as text.
    """
    place, options = _split(spec)
    _refuse_network(place, options)
    if _is_path(place):
        path = Path(place)
        text = file_text(path if folder is None else folder / path)
        return text, path.name.removesuffix(SUFFIX) or path.name, options
    for entry in shipped():
        if entry.name == place:
            return entry.text, entry.name, options
    raise _unknown(place)


def _networks() -> list[str]:
    """The names of the networks that ship."""
    there = (item.name for item in (files("derive") / "networks").iterdir())
    return sorted(name.removesuffix(NETWORK) for name in there if name.endswith(NETWORK))


def _refuse_network(place: str, options: dict[str, str]) -> None:
    """Say no to a network, shipped or a file, where a cell is asked for, and to options of one."""
    if place.endswith(NETWORK) or place in _networks():
        if options:
            raise ArgumentError(
                f"{place} is a network of cells, and has no options; its cells have.",
                "Write an option's value into a file of your own, with the cell: scan(elman(relu), x[t]).",
            )
        raise UnknownCellError(
            f"{place} is a network of cells, and here a cell is asked for.",
            "Name the cells that it scans; of networks are derive, generate, verify, report and study.",
        )


def _is_path(place: str) -> bool:
    return (
        place.endswith(SUFFIX) or os.sep in place or (os.altsep is not None and os.altsep in place)
    )


def _split(spec: str) -> tuple[str, dict[str, str]]:
    """What stands before the options, and the options."""
    place, colon, tail = spec.rpartition(":")
    if not colon or ("=" not in tail and (os.sep in tail or tail.endswith(SUFFIX))):
        return spec, {}
    options: dict[str, str] = {}
    for part in tail.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value) or name in options:
            raise ArgumentError(
                f"{spec}: {part!r} is not an option.",
                "Write options as name=value, each once: elman:g=relu.",
            )
        options[name] = value
    return place, options


def _unknown(name: str) -> UnknownCellError:
    if not name or "." in name:
        return _no_file(name)
    names = [entry.name for entry in shipped()]
    close = nearest_few(name, [*names, *_networks()])
    there = [name + ending for ending in (SUFFIX, NETWORK) if _exists(Path(name + ending))]
    hint = f" For the file write {' or '.join(there)}." if there else ""
    shown = name if len(name) <= 80 else name[:77] + "…"
    return UnknownCellError(
        f"No shipped cell or network is called {shown!r}."
        + (f" The nearest: {listed(close)}." if close else "")
        + hint,
        f"The shipped cells are {listed(names)}; a file is given by its path, e.g. ./my.cell.",
    )


def _no_file(name: str) -> UnknownCellError:
    """The error for what is no shipped cell's name, and looks like a path that is not read."""
    shown = repr(name if len(name) <= 80 else name[:77] + "…")
    problem = f"There is no file {shown}."
    if not name:
        problem = "The name of the cell is empty."
    elif _exists(Path(name)):
        problem = f"{shown} ends neither in .cell nor in .net."
    return UnknownCellError(
        problem,
        f"{ENDINGS} A file with another ending is read where its path has a separator, as ./my.txt.",
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def file_text(path: Path) -> str:
    """The text of a user's file, of bounded length."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UnknownCellError(f"There is no file {path}.", f"Check the path. {ENDINGS}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CellError(
            f"The file {path} cannot be read: {reason}.", "Give the path of a readable text file."
        ) from None
    if len(data) > MAX_BYTES:
        raise CellError(
            f"The file {path} has more than {MAX_BYTES:,} bytes.",
            "A cell is a few equations; is this the right file?",
        )
    if b"\0" in data:
        raise CellError(
            f"The file {path} is not text: it holds NUL bytes.", "Give a text file in UTF-8."
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CellError(
            f"The file {path} is not UTF-8: line {line} holds the byte 0x{data[error.start]:02X}.",
            "Save it as UTF-8.",
        ) from None
