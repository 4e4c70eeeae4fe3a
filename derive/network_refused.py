"""Lines of a network that cannot be as they stand: cells as functions, scans of what is not there yet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from derive.errors import LanguageError
from derive.language_lines import Statement
from derive.language_words import a_step_earlier
from derive.network_columns import as_written
from derive.network_scans import Scan
from derive.syntax import CALLABLE


def refuse_call(statement: Statement, cell_text: Callable[[str], str | None]) -> None:
    """A cell is no function: it runs in a scan.

    Args:
        statement: a line that is no scan.
        cell_text: the text of the cell of a name, if there is one.

    Raises:
        LanguageError: the line reads ``name = cell(…`` or ``name[t] = … cell(…``.
    """
    tokens = statement.tokens
    for called, bracket in itertools.pairwise(tokens[2:]):
        cell = called.text.lower()
        if bracket.text != "(" or called.kind != "name" or called.text in CALLABLE:
            continue
        if cell_text(cell) is not None:
            raise LanguageError(
                f"{called.text} is a cell and no function: it runs along a sequence.",
                f"Write a line of its own, e.g. f = scan({cell}, x[t]), and read its state, f.h[t].",
                place=statement.place(called.start, called.stop),
            )


def refuse_own_output(scan: Scan) -> None:
    """A scan cannot read what it has not computed yet.

    Raises:
        LanguageError: it is fed by its own output at the same step, or runs from the end and is fed by it at all.
    """
    for ref in scan.inputs:
        text = as_written(ref.span)
        if text.startswith(f"{scan.name}.") and (scan.reverse or ref.lag == 0):
            how, remedy = "", f"Feed back an earlier step: {a_step_earlier(text)}."
            if scan.reverse:
                how = "runs from the end and "
                remedy = "Remove the word reverse, and feed back an earlier step."
            problem = f"{scan.name} {how}is fed by its own output, which is not there yet."
            raise LanguageError(problem, remedy, place=ref.span.place)


def refuse_turned_lags(scans: Iterable[Scan]) -> None:
    """In a scan from the end, the step before in time is not the step before in the scan's order.

    Raises:
        LanguageError: a reversed scan runs along an earlier step.
    """
    for scan in scans:
        for ref in (r for r in scan.inputs if scan.reverse and r.lag):
            text, named = as_written(ref.span), f"u[{scan.axis}]"
            raise LanguageError(
                f"{text} in a scan that runs from the end could mean the step before in time, or in the scan's order.",
                f"Say which in a line of its own: {named} = {text} is the step before in time; then scan {named}.",
                place=ref.span.place,
            )
