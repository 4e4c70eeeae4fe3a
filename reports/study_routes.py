"""The routes in a study: the product of Jacobians split by the way on which the gradient leaves the direct path."""

from __future__ import annotations

import math
from itertools import groupby

from derive.derivation import Derivation
from derive.latex import LatexPrinter, latex_name
from numeric.ledger import Ledger, Route
from reports.figures import Series, line_figure, to_picture
from reports.markdown import equation, table
from reports.notebook import Figure, Section, Text
from reports.report_links import heading
from reports.report_study import number_of_log, percent
from reports.study_gain import exp


def routes_section(derivation: Derivation, book: Ledger | None) -> Section:
    """Table, formulas and figure of the routes.

    Args:
        derivation: of the cell.
        book: the parts; ``None`` where the Jacobian has no blocks.
    """
    if book is None:
        text = "A state of this cell is a matrix: its Jacobian has no blocks in closed form, and is not split by route."
        return Section("routes", [Text(heading("routes", "By which route") + text)])
    taken = [route for route in book.routes if route.addends]
    if not taken:
        text = "There is no route: no state depends on an earlier one, so no gradient reaches an earlier step by one."
        return Section("routes", [Text(heading("routes", "By which route") + text)])
    if len(taken) == 1:
        return Section("routes", [Text(_only(derivation, taken[0], book))])
    return Section("routes", [Text(_text(derivation, book)), _figure(book)])


def _only(derivation: Derivation, route: Route, book: Ledger) -> str:
    """What there is to say where every part of the gradient goes the same way."""
    return (
        heading("routes", "By which route")
        + f"There is one route only, {name_of(route)}: whatever reaches an earlier step has taken it at every step.\n\n"
        + "\n\n".join(_formulas(derivation, route))
        + f"\n\n{_checked(book, 'The product along it')}"
    )


def _first(book: Ledger) -> str:
    """What a part of the product is."""
    if any(route.direct and route.addends for route in book.routes):
        return (
            "what, on its way back from the last step, leaves the direct path for the first time by this route; that "
            "of the direct path itself never leaves it."
        )
    return "what takes this route at its first step back."


def _checked(book: Ledger, what: str) -> str:
    check = "✓" if book.difference < 1e-8 else "✗"
    return (
        f"{check} {what} against the product by the backward equations: relative difference at most "
        f"${scientific(book.difference)}$."
    )


def _formulas(derivation: Derivation, route: Route) -> list[str]:
    """The addends of a route, block by block."""
    tex = LatexPrinter(derivation.notation)
    return [
        f"in $\\displaystyle {tex(block)}$, {name_of(route)}:\n\n"
        + equation(" + ".join(tex(e) for e in exprs).replace("+ -", "-"))
        for block, exprs in route.addends.items()
    ]


def name_of(route: Route, *, plain: bool = False) -> str:
    """What a route is called."""
    if route.direct:
        names = tuple(dict.fromkeys(route.through))
        through = f" through {_joined(names, plain)}" if names else ""
        return f"the direct path{through}"
    return f"through {_joined(route.through, plain)}" if route.through else "without a matrix"


def _joined(names: tuple[str, ...], plain: bool) -> str:
    """The names in order; one that follows itself is told once, with how often: no two routes are called alike."""
    runs = [(name, len(list(same))) for name, same in groupby(names)]
    shown = [(name if plain else f"${latex_name(name)}$", count) for name, count in runs]
    return ", ".join(f"{name} ({count}×)" if count > 1 else name for name, count in shown)


def _text(derivation: Derivation, book: Ledger) -> str:
    last = len(book.total) - 1
    shown = sorted({k for k in (1, 10, 50, 200) if k < last} | {last})
    rows = [
        [name_of(route).replace(" ", "\N{NO-BREAK SPACE}"), number_of_log(float(book.gains[i, last])),
         *(percent(float(book.shares[i, k])) for k in shown)]
        for i, route in enumerate(book.routes)
        if route.addends
    ]  # fmt: skip
    head = ["route", f"gain, $k = {last}$", *(f"share, $k = {k}$" for k in shown)]
    lines = [line for route in book.routes for line in _formulas(derivation, route)]
    return (
        heading("routes", "By which route")
        + "Every addend of the step's Jacobian is a route. The product over $k$ steps, $P$, is the sum of parts $P_r$, "
        f"one for each route: {_first(book)} The table gives the gain of each part and its share "
        r"$\langle P_r, P\rangle/\langle P, P\rangle$, negative where the part pulls against the whole."
        + _sampled(book, shown)
        + f"\n\n{table(head, rows)}\n\n"
        f"{_checked(book, 'The sum of the parts')}\n\n### The routes\n\n" + "\n\n".join(lines)
    )


def _sampled(book: Ledger, lags: list[int]) -> str:
    """How far the numbers may be off where random directions stand for all."""
    if not book.probes:
        return ""
    off = percent(float(book.errors[:, lags].max()))
    return (
        f" Both are estimated from {book.probes} random directions of this wide state: a gain has a standard error of "
        f"up to {percent(1 / math.sqrt(2 * book.probes))} of itself, a share of up to {off}."
    )


def told(book: Ledger) -> list[str]:
    """The shares at the largest lag in lines of plain text; none where there is no route."""
    last, taken = len(book.total) - 1, [i for i, route in enumerate(book.routes) if route.addends]
    if not taken:
        return []
    if book.total[last] == -math.inf:
        return [f"no gradient arrives at lag {last}, so no route has a share of it"]
    off = 100 * float(book.errors[:, last].max())
    sampled = (
        f" (standard error up to {off:.1f} %, from {book.probes} random directions)"
        if book.probes
        else ""
    )
    lead = f"shares of the routes at lag {last}{sampled}; a negative one pulls against the whole:"
    return [
        lead,
        *(
            f"  {round(100 * float(book.shares[i, last]), 1) + 0.0:7.1f} %  {name_of(book.routes[i], plain=True)}"
            for i in taken
        ),
    ]


def scientific(value: float) -> str:
    """A number as LaTeX, with one digit after the point."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    return rf"{value / 10.0**exponent:.1f} \cdot 10^{{{exponent}}}"


def _figure(book: Ledger) -> Figure:
    lags = list(range(len(book.total)))
    series = [Series("whole", lags, [exp(v) for v in book.total])]
    series += [
        Series(name_of(r), lags, [exp(v) for v in book.gains[i]])
        for i, r in enumerate(book.routes)
        if any(v > -700 for v in book.gains[i][1:])
    ]
    drawn = line_figure(series, xlabel="lag $k$ in steps", ylabel="gain", logy=True)
    return Figure(
        to_picture(drawn),
        "**Figure.** The gain of each part of the product, by route, and of the whole product.",
        f"Gain of the product's parts by route against the lag, {len(series)} lines, logarithmic.",
        "fig-routes",
    )
