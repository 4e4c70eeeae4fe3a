"""Square-root checkpointing in generated files: the functions that a file brings along, and their writer.

    keep the state before every stretch of steps; then, from the last stretch to the first, run it again, forward
    and backward, and hand the state's adjoint on

Two forward passes instead of one, and O(√T) values in memory at any time besides inputs and their gradients. With k
stretches that is k states and T / k steps; a step that holds r times what a state holds makes k = √(r T) the least.
A file over a workspace uses one for all stretches; the first is shorter where the others would not be alike.
Source: T. Chen et al., Training deep nets with sublinear memory cost (2016), arXiv:1604.06174.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from derive.derivation import Derivation
from derive.network_derivation import NetworkDerivation
from numeric import rooms
from numeric.costs import held_by_a_step
from numeric.network_legs import NAME, stretched_network
from numeric.schedule import program
from numeric.source import HELPERS, File, helpers
from numeric.stretches import sources

Array = np.ndarray
Arrays = dict[str, Array]

_RETURNS = "tuple[float, tuple[Arrays, Arrays, Arrays]]"
_COUNTED = "steps=steps.stop - steps.start"
_KEYWORD = "stretches: int | None = None"


def _of_the_file(*_: object) -> tuple:
    raise NotImplementedError("every file has its own")


backward = _of_the_file


def in_stretches(
    run: Callable[[slice, Arrays | None, object], tuple[Arrays, Arrays, dict]],
    workspace_of: Callable[[dict], object],
    loss: Callable[[Arrays, int], tuple[float, Arrays]],
    params: Arrays,
    state: Arrays | None,
    T: int,
    stretches: int | None,
    held: float,
) -> tuple[float, tuple[Arrays, Arrays, Arrays]]:
    """Loss and gradients with no more in memory than the states between stretches, and what one stretch needs."""
    count = min(T, int(np.ceil((held * T) ** 0.5))) if stretches is None else stretches
    if not 1 <= count <= T:
        raise ValueError(
            f"stretches is {stretches}: expected 1 to T = {T}, or None for √({held} T)"
        )
    length = -(-T // count)
    cuts = [slice(max(0, stop - length), stop) for stop in range(T, 0, -length)][::-1]
    used = {}

    def run_again(cut: slice, state: Arrays | None) -> tuple[Arrays, Arrays, dict]:
        steps = cut.stop - cut.start
        workspace = used.get(steps)
        used.clear()
        found = run(cut, state, workspace)
        used[steps] = workspace_of(found[2])
        return found

    before = [state]
    for cut in cuts[:-1]:
        before.append(run_again(cut, before[-1])[1])
    losses, params_bar, inputs_bar, state_bar = [], {}, {}, None
    for cut in reversed(cuts):
        outputs, _, cache = run_again(cut, before.pop())
        value, outputs_bar = loss(outputs, cut.start)
        del outputs
        by_params, by_inputs, state_bar = backward(params, cache, outputs_bar, state_bar)
        del cache
        losses.append(value)
        for name, bar in by_params.items():
            if name in params_bar:
                params_bar[name] += bar
            else:
                params_bar[name] = bar.copy()
        for name, bar in by_inputs.items():
            if name not in inputs_bar:
                inputs_bar[name] = np.empty((T, *bar.shape[1:]), bar.dtype)
            inputs_bar[name][cut] = bar
    return sum(losses[::-1]), (params_bar, inputs_bar, state_bar)


NAMES = ("in_stretches",)


def checkpointed_functions(
    derivation: Derivation | NetworkDerivation, source: str, *, workspace: bool = False
) -> list[str]:
    """The functions of a file that computes gradients with O(√T) memory.

    Args:
        derivation: of the cell or the network.
        source: the file to which they come, for the helpers that it has already.
        workspace: whether ``forward`` takes one.
    """
    if isinstance(derivation, NetworkDerivation):
        text, own = stretched_network(derivation, workspace=workspace), []
    else:
        text, own = _of_cell(derivation, workspace), sources(sys.modules[__name__], NAMES)
    called = helpers(text, (*HELPERS, rooms) if workspace else HELPERS)
    more = [h for h in called if h.partition("(")[0].partition(":")[0] not in source]
    return [text, *own, *more]


def _of_cell(derivation: Derivation, workspace: bool) -> str:
    file = File(program(derivation))
    head = file.signature(NAME, _RETURNS, first="loss", option=_KEYWORD)
    run = file.passed_on([f"{x}[steps]" for x in file.inputs], _COUNTED)
    steps = next((f"len({x})" for x in file.inputs), "steps")
    checked = [f'    refuse_other_length("{x}", {x}, {steps})' for x in [*file.inputs][1:]]
    return _text([head], checked, run, steps, held_by_a_step([derivation]), workspace)


_TOLD = '''    """Loss and gradients as value_and_grad gives them, with O(√T) values in memory instead of O(T).

    The run is cut into stretches, and each is run again on the way back: √({held} T) of them if not said otherwise,
    as a step holds about {held} times what the state does.'''
_LOSS = """

    ``loss(outputs, start)`` returns, for the stretch of steps that begins at step ``start`` (from 0), its value and
    its gradients by the outputs; the values are added up."""
_OVER = """
    Stretches share their arrays: what it is given, and what it returns, are overwritten after the call."""


def _text(
    head: list[str], checked: list[str], run: str, steps: str, held: str, workspace: bool
) -> str:
    """The function, whose body hands everything to ``in_stretches``."""
    told = _TOLD.format(held=held) + _LOSS + _OVER * workspace
    again, kept = (
        ("ws", 'lambda cache: cache["workspace"]') if workspace else ("_", "lambda _: None")
    )
    over = ", workspace=ws" if workspace else ""
    return "\n".join(
        [
            *head,
            told,
            '    """',
            *checked,
            "    return in_stretches(",
            f"        lambda steps, state, {again}: forward({run}{over}),",
            f"        {kept},",
            "        loss,",
            f"        params, state, {steps}, stretches, {held},",
            "    )",
        ]
    )
