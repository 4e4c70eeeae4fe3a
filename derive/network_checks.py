"""What must hold between segments: scans that hand over states remember alike, and the loss is a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from derive.errors import LanguageError, ShapeError
from derive.language_build import dimension
from derive.language_declarations import Declaration
from derive.language_roles import Named
from derive.network import Segment
from derive.shapes import SCALAR, Shapes
from derive.syntax import EquationText, Span


def with_a_number_for_loss(
    equations: Sequence[EquationText],
    named: Mapping[str, Named],
    inferred: Callable[[list[Declaration]], Shapes],
) -> Shapes:
    """The shapes, given that the loss of every step is one number.

    That may settle the shape of inputs, such as a weight of each step, and of nothing else.

    Args:
        equations: all of them.
        named: the role of every name.
        inferred: the shapes under further declarations.

    Raises:
        ShapeError: the loss has several entries.
    """
    free = inferred([])
    line = next((e for e in equations if e.target == "loss"), None)
    if line is None or free.of_name["loss"] == SCALAR:
        return free
    settled = inferred([Declaration("dim", "loss", line.target_span, ((1, ()),))])
    for name, shape in settled.of_name.items():
        touched = shape == SCALAR and free.of_name[name] != SCALAR
        if touched and name != "loss" and named[name].role != "input":
            rows, cols = (dimension(size, free.names) for size in free.of_name["loss"])
            raise ShapeError(
                f"The loss has shape ({rows}, {cols}); it must be one number.",
                "Take the sum or the mean, or one of the losses such as squared_error(y[t], d[t]); what is one number "
                "and cannot be known as such is declared, `dim name = 1`.",
                place=line.target_span.place,
            )
    return settled


def check_memories(segments: Sequence[Segment], places: Mapping[str, Span]) -> None:
    """Only one segment looks at earlier steps of an input: the values before the first step are given once.

    Args:
        segments: linked.
        places: where every name is defined.

    Raises:
        LanguageError: several do.
    """
    users: dict[str, Segment] = {}
    for s in segments:
        for q in (q for q in s.cell.inputs if q.depth):
            first = users.setdefault(q.name, s)
            if first is not s:
                raise LanguageError(
                    f"{first.name} and {s.name} both look at earlier steps of {q.name}.",
                    f"Give one of them a sequence of its own, e.g. earlier_{q.name}[t].",
                    place=places[s.cell.equations[0].target.name].place,
                )


def check_starts(segments: Sequence[Segment], places: Mapping[str, Span]) -> None:
    """A state starts from one that remembers as many steps.

    Args:
        segments: linked.
        places: where a scan that has a start is written, by its states.

    Raises:
        LanguageError: one remembers more steps than the other.
    """
    depth = {q.name: q.depth for s in segments for q in s.cell.states}
    for s in segments:
        for name, source in s.starts.items():
            given = depth.get(source.name, 1)
            if depth[name] != given:
                raise LanguageError(
                    f"{name} remembers {depth[name]} steps and {source.name} {given}.",
                    "Start a scan from one that looks back as far.",
                    place=places[name].place,
                )
