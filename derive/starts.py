"""Parameters that start as a user chooses instead of as the author declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from derive.cell import Cell
from derive.errors import ArgumentError, LanguageError
from derive.language_declarations import Declaration, inits, read_declaration
from derive.language_init import checked_starts
from derive.language_lines import Statement, read_lines
from derive.language_words import listed, nearest
from derive.network import Network
from derive.network_language import read_network

_FORM = "Write NAME=HOW, as in W=orthogonal, b_f=chrono(100) or b_i=-b_f."


def chosen_starts(texts: Iterable[str]) -> dict[str, str]:
    """``NAME=HOW`` by name; a later choice replaces an earlier one.

    Raises:
        ArgumentError: a text has not this form.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, how = (part.strip() for part in text.partition("="))
        if not (name and equals and how):
            raise ArgumentError(f"{text!r} starts nothing.", _FORM)
        found[name] = how
    return found


def cell_started(cell: Cell, chosen: Mapping[str, str]) -> Cell:
    """The cell with other starts.

    Args:
        cell: the cell.
        chosen: how a parameter starts, by name, as it is written in a declaration.

    Raises:
        LanguageError: a start is not in the language, or names no parameter.
        ShapeError: it does not fit the parameter's shape.
    """
    if not chosen:
        return cell
    declared = [_declaration(name, how) for name, how in chosen.items()]
    quantities = {q.name: q for q in cell.quantities}
    for d in declared:
        if d.name not in quantities or quantities[d.name].role != "parameter":
            known = [q.name for q in cell.parameters]
            raise LanguageError(
                f"{cell.name} has no parameter {d.name}.{nearest(d.name, known)}",
                f"Its parameters are {listed(known)}.",
                place=d.span.place,
            )
    kept = {name: start for name, start in cell.initial.items() if name not in chosen}
    spans = {d.name: d.span for d in declared}
    any_span = declared[0].span
    together = [(name, start, any_span) for name, start in kept.items()]
    together += [(name, start, spans[name]) for name, start, _ in inits(declared)]
    return replace(cell, initial=checked_starts(together, quantities))


def network_started(network: Network, chosen: Mapping[str, str]) -> Network:
    """The network with other starts; its text says so.

    Args:
        network: the network.
        chosen: how a parameter starts, by name: that of an equation (``V``), or one of a scan's cell (``f.W_f``).

    Raises:
        LanguageError: a start is not in the language, or names no parameter.
        ShapeError: it does not fit the parameter's shape.
    """
    if not chosen:
        return network
    for name, how in chosen.items():
        _statement(name, how)
    names = {_plain(name) for name in chosen}
    lines = network.text.rstrip("\n").split("\n")
    for statement in read_lines(network.text, network.name).statements:
        words = [token.text for token in statement.tokens]
        if words[0] == "init" and _plain("".join(words[1 : words.index("=")])) in names:
            for _, number, _ in statement.pieces:
                lines[number - 1] = ""
    kept = [
        line
        for line, before in zip(lines, network.text.split("\n"), strict=False)
        if line or not before
    ]
    text = "\n".join([*kept, *(f"init {name} = {how}" for name, how in chosen.items())]) + "\n"
    return read_network(text, network.name, network.cells.get)


def _plain(name: str) -> str:
    return name.replace(" ", "").replace(".", "_")


def _statement(name: str, how: str) -> Statement:
    """``init NAME = HOW`` as one statement.

    Raises:
        ArgumentError: it is several lines, or nothing.
    """
    statements = read_lines(f"init {name} = {how}", "--init").statements
    if len(statements) != 1 or any(c in name + how for c in "\r\n#"):
        raise ArgumentError(f"{name}={how} starts nothing.", _FORM)
    return statements[0]


def _declaration(name: str, how: str) -> Declaration:
    return read_declaration(_statement(name, how))
