"""Texts in the generated files of networks that are the same for all."""

from __future__ import annotations

BACKWARD_HEAD = '''def backward(
    params: Arrays, cache: Arrays, outputs_bar: Arrays, final_bar: Arrays | None = None
) -> tuple[Arrays, Arrays, Arrays]:
    """Gradients of everything, given those of the outputs.

    Args and returns are those of a single cell's backward; gradients of parameters that several
    segments share are added up.
    """
    outputs_bar, final_bar = dict(outputs_bar), dict(final_bar or {})
    params_bar, inputs_bar, state_bar = {}, {}, {}'''

_KEYWORDS = {
    "steps": "how many steps to go along {}.",
    "lengths": "the length of each sample along {}, (B,); what is given beyond is not looked at, and outputs are\n"
    "            zero there.",
}


def forward_documentation(inputs: list[str], keywords: list[str]) -> list[str]:
    """The docstring of ``forward``.

    Args:
        inputs: one line for every input.
        keywords: the names of the arguments by keyword, ``steps_…`` and ``lengths_…``.
    """
    told = []
    for name in keywords:
        what, _, axis = name.partition("_")
        told += f"        {name}: {_KEYWORDS[what].format(axis)}".splitlines()
    return [
        '    """All segments, one after another.',
        "",
        "    Args:",
        "        params: the parameters, with the shapes of parameter_shapes.",
        *(f"        {line}" for line in inputs),
        "        state: the values before the first step, with the shapes of init_state; zeros if left out.",
        *told,
        "",
        "    Returns:",
        "        The outputs of all segments, their states after the last step, and what backward needs.",
        "",
        "    Raises:",
        "        ValueError, TypeError: an argument has a wrong name, shape or dtype, or is not finite.",
        '    """',
    ]
