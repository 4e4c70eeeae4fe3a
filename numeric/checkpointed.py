"""Square-root checkpointing in generated files: the functions that a file brings along, and their writer.

    keep the state before every stretch of ⌈√T⌉ steps; then, from the last stretch to the first, run it again,
    forward and backward, and hand the state's adjoint on

Two forward passes instead of one, and O(√T) values in memory at any time besides inputs and their gradients.
Source: T. Chen et al., Training deep nets with sublinear memory cost (2016), arXiv:1604.06174.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.network_derivation import NetworkDerivation
from derive.network_stretches import refuse_unless_stretchable
from numeric.body import listed
from numeric.network_source import passes_of
from numeric.program import program
from numeric.source import File
from numeric.stretches import sources

Array = np.ndarray
Arrays = dict[str, Array]

NAME = "checkpointed_value_and_grad"
_RETURNS = "tuple[float, tuple[Arrays, Arrays, Arrays]]"
_COUNTED = "steps=steps.stop - steps.start"
_KEYWORD = "stretches: int | None = None"


def _of_the_file(*_: object) -> tuple:
    raise NotImplementedError("every file has its own")


backward = _of_the_file


def in_stretches(
    run: Callable[[slice, Arrays | None], tuple[Arrays, Arrays, dict]],
    loss: Callable[[Arrays, int], tuple[float, Arrays]],
    params: Arrays,
    state: Arrays | None,
    T: int,
    stretches: int | None,
) -> tuple[float, tuple[Arrays, Arrays, Arrays]]:
    """Loss and gradients with no more in memory than the states between stretches, and what one stretch needs."""
    count = int(np.ceil(T**0.5)) if stretches is None else stretches
    if not 1 <= count <= T:
        raise ValueError(f"stretches is {stretches}: expected 1 to T = {T}, or None for √T")
    length = -(-T // count)
    cuts = [slice(start, min(start + length, T)) for start in range(0, T, length)]
    before = [state]
    for cut in cuts[:-1]:
        before.append(run(cut, before[-1])[1])
    losses, params_bar, inputs_bar, state_bar = [], {}, {}, None
    for cut in reversed(cuts):
        outputs, _, cache = run(cut, before.pop())
        value, outputs_bar = loss(outputs, cut.start)
        del outputs
        by_params, by_inputs, state_bar = backward(params, cache, outputs_bar, state_bar)
        losses.append(value)
        for name, bar in by_params.items():
            params_bar[name] = params_bar[name] + bar if name in params_bar else bar
        for name, bar in by_inputs.items():
            inputs_bar.setdefault(name, np.empty((T, *bar.shape[1:]), bar.dtype))[cut] = bar
    return sum(losses[::-1]), (params_bar, inputs_bar, state_bar)


NAMES = ("in_stretches",)


def checkpointed_functions(derivation: Derivation | NetworkDerivation) -> list[str]:
    """The functions of a file that computes gradients with O(√T) memory.

    Raises:
        ArgumentError: a network whose steps cannot be run a stretch at a time.
    """
    of_network = isinstance(derivation, NetworkDerivation)
    own = _of_network(derivation) if of_network else _of_cell(derivation)
    return [own, *sources(sys.modules[__name__], NAMES)]


def _of_cell(derivation: Derivation) -> str:
    file = File(program(derivation))
    head = file.signature(NAME, _RETURNS, first="loss", option=_KEYWORD)
    run = f"forward({file.passed_on('[steps]', _COUNTED)})"
    steps = next((f"len({x})" for x in file.inputs), "steps")
    return _text([head], run, "loss", steps)


def _of_network(derivation: NetworkDerivation) -> str:
    network = derivation.network
    refuse_unless_stretchable(network, "Checkpointing")
    if network.masks:
        raise ArgumentError(
            f"Checkpointing: samples of {network.name} have lengths of their own, and a stretch may lie beyond the "
            "end of one of them.",
            "Ask for it where all samples are as long.",
        )
    passes, loss = passes_of(derivation), network.loss
    steps = passes.steps_of(network.segments[0].axis)
    given = [a for a in passes.arguments() if a != "*"]
    keywords = [a for a in given if a.partition(":")[0] in passes.keywords()]
    positional = [*([] if loss else ["loss"]), *(a for a in given if a not in keywords)]
    head = listed(f"def {NAME}(", [*positional, "*", _KEYWORD, *keywords], f") -> {_RETURNS}:")
    inputs = [f"{passes.identifier(q.name)}[steps]" for q in network.inputs]
    counted = [f"{name}={_COUNTED.partition('=')[2]}" for name in passes.keywords()]
    run = f"forward({', '.join(['params', *inputs, 'state', *counted])})"
    summed = (
        f'lambda out, _: (out["{loss.name}"].sum(), {{"{loss.name}": np.ones_like(out["{loss.name}"])}})'
        if loss
        else "loss"
    )
    return _text(head, run, summed, steps)


_TOLD = '''    """Loss and gradients as value_and_grad gives them, with O(√T) values in memory instead of O(T).

    The run is cut into stretches, √T if not said otherwise, and each is run again on the way back.'''
_LOSS = """

    ``loss(outputs, start)`` returns, for the stretch of steps that begins at step ``start`` (from 0), its value and
    its gradients by the outputs; the values are added up."""


def _text(head: list[str], run: str, loss: str, steps: str) -> str:
    return "\n".join(
        [
            *head,
            _TOLD + _LOSS * (loss == "loss"),
            '    """',
            "    return in_stretches(",
            f"        lambda steps, state: {run},",
            f"        {loss},",
            f"        params, state, {steps}, stretches,",
            "    )",
        ]
    )
