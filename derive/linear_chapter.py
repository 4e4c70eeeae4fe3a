"""The chapter on a recurrence that is linear in its state: how it reads, and how its steps compose."""

from __future__ import annotations

from collections.abc import Iterator

from derive.chapter import Chapter, ChapterLine
from derive.latex import LatexPrinter
from derive.linear import Linearity
from derive.notation import Notation
from derive.text import TextPrinter


def linear_chapter(found: Linearity, notation: Notation) -> Chapter | None:
    """What a linear recurrence allows; nothing for any other.

    Args:
        found: of the cell.
        notation: the names on the page.
    """
    if not found.linear:
        return None
    how = "entry by entry" if found.elementwise else "as a matrix"
    return Chapter(
        "linear",
        f"The recurrence is linear in its state, and acts on it {how}",
        (*_recurrence(found, notation), *_laws(notation)),
    )


def _recurrence(found: Linearity, notation: Notation) -> Iterator[ChapterLine]:
    yield ChapterLine(
        "the Jacobian of a step holds no state: inputs and parameters only",
        r"\mathbf{s}_t = \mathbf{A}_t \, \mathbf{s}_{t-1} + \mathbf{b}_t, \qquad "
        r"\mathbf{A}_t = \frac{\partial \mathbf{s}_t}{\partial \mathbf{s}_{t-1}}",
        notation.owned("s[t] = A[t] @ s[t-1] + b[t], A[t] = ds[t]/ds[t-1]"),
        ("tangents",),
    )
    tex, plain = LatexPrinter(notation), TextPrinter(notation)
    for row in found.rows:
        yield ChapterLine(
            f"the recurrence of {row.state.name}: factors of past states, and the rest",
            f"{tex(row.state)} = {tex(row.value)}",
            f"{plain(row.state)} = {plain(row.value)}",
            ("tangents",),
        )


def _laws(notation: Notation) -> Iterator[ChapterLine]:
    A, b, g = (notation.own(name) for name in "Abg")
    yield ChapterLine(
        "two steps in one, the later one on the left; this is associative",
        r"(\mathbf{A}', \mathbf{b}') \circ (\mathbf{A}, \mathbf{b}) "
        r"= (\mathbf{A}' \mathbf{A},\; \mathbf{A}' \mathbf{b} + \mathbf{b}')",
        f"({A}', {b}') o ({A}, {b}) = ({A}' @ {A}, {A}' @ {b} + {b}')",
    )
    yield ChapterLine(
        "so the steps of a chunk can be taken together before the state is known",
        r"\mathbf{s}_t = \Big(\prod_{i=t}^{1} \mathbf{A}_i\Big) \mathbf{s}_0 "
        r"+ \sum_{k=1}^{t} \Big(\prod_{i=t}^{k+1} \mathbf{A}_i\Big) \mathbf{b}_k",
        notation.owned(
            "s[t] = (A[t] @ ... @ A[1]) @ s[0] + sum over k <= t of (A[t] @ ... @ A[k+1]) @ b[k]"
        ),
        ("composition",),
    )
    yield ChapterLine(
        f"the adjoint is such a recurrence too, from the last step down; {g} is what the loss and later lines give",
        r"\bar{\mathbf{s}}_t = \mathbf{A}_{t+1}^{\top} \, \bar{\mathbf{s}}_{t+1} + \mathbf{g}_t",
        notation.owned("s_bar[t] = A[t+1].T @ s_bar[t+1] + g[t]"),
        ("adjoint of a linear map",),
    )
