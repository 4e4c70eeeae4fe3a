"""Texts in the generated files of networks: those that are the same for all, and the idioms of an array library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Idioms:
    """How an array library says what a network does with whole sequences; ``{}`` stands for an array.

    Args:
        placed: the line that finds the dtype of a dict of arrays, and whatever else new arrays need.
        lengths: what the lengths of samples are made into arrays with.
        alone: an argument's value at one step as a sequence of one step.
        now: the same of what is an array for certain.
        step: the only step of a sequence.
        first: a sequence's first step, as a sequence.
        last: its last.
        turned: its steps in reverse order.
        steps: how many it has.
        summed: the sum of all entries.
        ones: ones of the same shape.
        own: an array in memory of its own, where outputs can be written to; empty where they are read-only.
        values: where sequences of the forward pass are kept, as the last argument of what makes them.
        sums: where gradients are added up, likewise.
        ends: where those by final values are.
    """

    placed: str = "dtype = common_dtype({})"
    lengths: str = ""
    alone: str = "np.asarray({})[None]"
    now: str = "{}[None]"
    step: str = "{}[0]"
    first: str = "{}[:1]"
    last: str = "{}[-1:]"
    turned: str = "{}[::-1]"
    steps: str = "len({})"
    summed: str = "{}.sum()"
    ones: str = "np.ones_like({})"
    own: str = ""
    values: str = ""
    sums: str = ""
    ends: str = ""


NUMPY = Idioms()
WORKSPACE = Idioms(values=", ws.values", sums=", ws.sums", ends=", ws.ends")
ARRAY_API = Idioms(
    placed="xp, dtype, device = placed({})",
    lengths=", xp, device",
    alone="{}[None, ...]",
    now="{}[None, ...]",
    step="{}[0, ...]",
    first="{}[:1, ...]",
    last="{}[-1:, ...]",
    turned="turned({})",
    steps="{}.shape[0]",
    summed="namespace({0}).sum({0})",
    ones="namespace({0}).ones_like({0})",
    own="copied({})",
)

BACKWARD_HEAD = '''def backward(
    params: Arrays, cache: Arrays, outputs_bar: Arrays, final_bar: Arrays | None = None
) -> tuple[Arrays, Arrays, Arrays]:
    """Gradients of everything, given those of the outputs.

    Args and returns are those of a single cell's backward; gradients of parameters that several
    segments share are added up.
    """
    params = by_name("params", params)
    outputs_bar = dict(by_name("outputs_bar", outputs_bar))
    final_bar = dict(by_name("final_bar", final_bar))
    params_bar, inputs_bar, state_bar = {}, {}, {}'''

_KEYWORDS = {
    "steps": "how many steps to go along {}.",
    "lengths": "the length of each sample along {}, (B,); what is given beyond is not looked at, and outputs are\n"
    "            zero there.",
    "workspace": "arrays of earlier calls with the same sizes, which this one overwrites, its outputs\n"
    "            included; new arrays if left out.",
}


def forward_documentation(inputs: list[str], keywords: list[str]) -> list[str]:
    """The docstring of ``forward``.

    Args:
        inputs: one line for every input.
        keywords: the names of the arguments by keyword, ``steps_…``, ``lengths_…`` and ``workspace``.
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
