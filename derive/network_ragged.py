"""Axes along which samples have different lengths: every state holds its value where a sample has no step.

    h[t] = mask[t] * h_new[t] + (1 - mask[t]) * h[t-1]         mask[t] = 1 up to a sample's length, 0 beyond

So the state after the last step is the state at the sample's own end, and a reversed scan, which comes upon the
padding first, starts at the sample's own end from its initial state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from derive.errors import LanguageError
from derive.language_declarations import Declaration
from derive.language_lines import Statement
from derive.language_roles import Named
from derive.network import END
from derive.network_groups import Group
from derive.syntax import EquationText, Literal, Product, Ref, Span, Sum, references

WORD = "ragged"


def is_ragged(statement: Statement) -> bool:
    """Whether a statement reads ``ragged …``."""
    first, *rest = statement.tokens
    return first.text == WORD and not (rest and rest[0].text in ("[", "=", "."))


def read_ragged(statement: Statement) -> tuple[str, Span]:
    """The axis of ``ragged t``, and its place.

    Raises:
        LanguageError: the line has another form.
    """
    tokens = statement.tokens
    if len(tokens) != 2 or len(tokens[1].text) != 1 or tokens[1].kind != "name":
        token = tokens[-1] if len(tokens) < 3 else tokens[2]
        raise LanguageError(
            "Expected one axis.",
            "Write `ragged t` if samples have different lengths along t.",
            place=statement.place(token.start, token.stop),
        )
    return tokens[1].text, Span(statement, tokens[1].start, tokens[1].stop)


def masks_for(
    axes: Mapping[str, Span], groups: Sequence[Group], taken: Sequence[str]
) -> dict[str, str]:
    """The name of the mask of every ragged axis.

    Raises:
        LanguageError: nothing runs along the axis.
    """
    names: dict[str, str] = {}
    for axis, span in axes.items():
        if not any(g.axis == axis for g in groups) or axis == END:
            raise LanguageError(
                f"Nothing runs along {axis}.",
                "Name the axis of a scan or an equation, or remove the line.",
                place=span.place,
            )
        name = "mask" if len(axes) == 1 else f"mask_{axis}"
        while name in taken:
            name += "_"
        names[axis] = name
    return names


def with_masks(
    groups: Sequence[Group], named: Mapping[str, Named], masks: Mapping[str, str]
) -> tuple[list[Group], list[Declaration]]:
    """The groups with states held along ragged axes, and what is declared of the masks that they use.

    Raises:
        LanguageError: something remembers more than one step, or an input at an earlier step.
    """
    done, used = [], dict[str, Declaration]()
    for g in groups:
        if g.axis not in masks:
            done.append(g)
            continue
        equations: list[EquationText] = []
        for e in g.equations:
            _check_memory(e, g, named)
            if named[e.target].role != "state":
                equations.append(e)
                continue
            mask = masks[g.axis]
            equations += _held(e, mask, named)
            span = e.target_span
            used[mask] = Declaration("mask", mask, span, None)
        done.append(replace(g, equations=tuple(equations)))
    sizes = [Declaration("dim", d.name, d.span, ((1, ()),)) for d in used.values()]
    return done, [*used.values(), *sizes]


def _held(e: EquationText, mask: str, named: Mapping[str, Named]) -> list[EquationText]:
    """``h_new[t] = …`` and ``h[t] = mask[t] * h_new[t] + (1 - mask[t]) * h[t-1]``."""
    span = e.value.span
    fresh = f"{e.target}_new"
    while fresh in named:
        fresh += "_"
    seen, unseen = (
        Ref(span, mask, 0),
        Sum(span, ((1, Literal(span, Fraction(1))), (-1, Ref(span, mask, 0)))),
    )
    new = Product(span, ((1, seen), (1, Ref(span, fresh, 0))))
    old = Product(span, ((1, unseen), (1, Ref(span, e.target, 1))))
    return [replace(e, target=fresh), replace(e, value=Sum(span, ((1, new), (1, old))))]


def _check_memory(e: EquationText, g: Group, named: Mapping[str, Named]) -> None:
    for ref in references(e.value):
        if not ref.lag:
            continue
        far, given = ref.lag > 1, named[ref.name].role == "input"
        if far or given:
            what = f"looks {ref.lag} steps back" if far else "is an input at an earlier step"
            raise LanguageError(
                f"{ref.name}[{g.axis}-{ref.lag}] {what}; along {g.axis}, where samples have different lengths, "
                "only what the network itself had at the step before is known.",
                f"Give the earlier value as an input of its own, or remove `ragged {g.axis}`.",
                place=(g.span or ref.span).place,
            )
