"""Options of ``study`` that would go unheard, by what is studied: they are refused, with what to do instead."""

from __future__ import annotations

import click
from click.core import ParameterSource

from derive.errors import ArgumentError

IDLE = {
    "a sweep": (
        ("steps", "n", "m", "inits", "gain", "values", "inputs", "seed", "weights", "layer", "output", "formats"),
        "Write it into the grid's file; its rows go to --rows.",
    ),
    "the study of given weights": (("n", "m", "gain"), "Leave it out: the weights' shapes say how large they are."),
    "the study of a network": (
        ("n", "m", "inits", "gain", "values", "inputs", "seed", "weights", "layer"),
        "Leave it out: a network is measured as it starts, at sizes of its own; or study one of its cells.",
    ),
}  # fmt: skip
"""The options that would go unheard, by what is done, and what to do instead."""


def refuse_idle(kind: str) -> None:
    """Refuse what was typed but would go unheard.

    Args:
        kind: of ``IDLE``.

    Raises:
        ArgumentError: an option was given that is not read there.
    """
    names, remedy = IDLE[kind]
    context = click.get_current_context()
    for option in context.command.params:
        typed = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if option.name in names and typed:
            raise ArgumentError(f"{option.opts[-1]} has no say in {kind}.", remedy)
