"""The ways in which a file is asked for gradients, each with what must come of it: what one backward pass gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proofs.arithmetic import Array
from proofs.special_runs import GROUPS, Arguments

LOSS = "the loss"
LENGTHS, STEPWISE, CUT = "lengths", "step after step", "in windows"
WINDOW = 1, 2
"""k₁ and k₂ of truncated gradients."""
Found = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Call:
    """One way.

    Args:
        found: what the file gives: of the file, what it is given, what the loss is, and workspaces by precision.
        of_loss: whether it asks a loss for its gradients by the outputs, and so knows none by final values.
        stated: the name of the loss that is stated, if it is asked for.
        by_itself: whether it gives another gradient: it is compared with itself in an ordinary run.
        gives: the groups of what forward and backward give that it gives.
        most: of how many numbers, entries of a matrix times steps and samples, it is asked.
    """

    found: Callable[[Any, Arguments, float, dict[str, Any]], Found]
    of_loss: bool = False
    stated: str = ""
    by_itself: bool = False
    gives: tuple[str, ...] = GROUPS
    most: float = float("inf")

    def true(self, module: Any, given: Arguments, loss: float) -> Found:
        """What forward and backward give that stand behind it.

        Args:
            module: the file.
            given: all that they are given, nothing left out.
            loss: what the loss is.
        """
        if self.by_itself:
            return self.found(module, given, loss, {})
        if not self.of_loss:
            return {k: v for k, v in given.run(module).items() if k.startswith(self.gives)}
        bars, value = given.bars, np.array(loss)
        if self.stated:
            outputs = module.forward(given.params, *given.inputs, given.state, **given.named)[0]
            bars = {self.stated: np.ones_like(outputs[self.stated])}
            value = np.sum(outputs[self.stated])
        whole = replace(given, bars=bars, ends=None).run(module)
        parts = {k: v for k, v in whole.items() if k.startswith(GROUPS[2:])}
        return {**parts, LOSS: value}


def calls_of(module: Any, stated: str, *, of_cell: bool) -> dict[str, Call]:
    """The ways that a file offers, by name.

    Args:
        module: the file.
        stated: the name of the loss that it states, if any.
        of_cell: whether every input goes along the one axis that there is.
    """
    made = {"forward and backward": Call(lambda m, g, _, __: g.run(m))}
    asked = {"value_and_grad": _valued("value_and_grad", stated)}
    if hasattr(module, "checkpointed_value_and_grad"):
        asked["in three stretches"] = _valued("checkpointed_value_and_grad", stated, stretches=3)
    if hasattr(module, "Team"):
        made["a team"] = Call(lambda m, g, _, __: g.run(m.Team(2)))
    if of_cell:
        made[STEPWISE] = Call(_step_after_step, gives=GROUPS[:2])
    if hasattr(module, "truncated_gradients"):
        made[CUT] = Call(_in_windows, by_itself=True)
    if hasattr(module, "real_time_gradients"):
        made["in real time"] = Call(_in_real_time, gives=GROUPS[2:3], most=16_000)
    if hasattr(module, "Workspace"):
        for name, call in ((n, c) for n, c in ({**made, **asked}).items() if n in OVER):
            asked[f"{name} over a used workspace"] = _over_a_workspace(call)
    return {**made, **asked}


OVER = ("forward and backward", "value_and_grad")


def _step_after_step(module: Any, given: Arguments, _: float, __: dict[str, Any]) -> Found:
    """Outputs and final values of a cell, one step after another."""
    steps = len(next(iter(given.bars.values()))) if not given.inputs else len(given.inputs[0])
    named = {k: v for k, v in given.named.items() if k != "steps"}
    state, found = given.state, list[dict[str, Array]]()
    for t in range(steps):
        now = [x[t] for x in given.inputs]
        outputs, state = module.step(given.params, *now, state, **named)
        found.append({k: np.array(v) for k, v in outputs.items()})
    whole = {f"outputs[{k!r}]": np.stack([o[k] for o in found]) for k in found[0]}
    return whole | {f"final[{k!r}]": np.array(v) for k, v in (state or {}).items()}


def _in_windows(module: Any, given: Arguments, _: float, __: dict[str, Any]) -> Found:
    """Truncated gradients, every step two steps back."""
    cache = module.forward(given.params, *given.inputs, given.state, **given.named)[2]
    k1, k2 = WINDOW
    parts = module.truncated_gradients(given.params, cache, given.bars, given.ends, k1=k1, k2=k2)
    groups = zip(GROUPS[2:], parts, strict=True)
    return {f"{g}[{k!r}]": np.array(v) for g, part in groups for k, v in part.items()}


def _in_real_time(module: Any, given: Arguments, _: float, __: dict[str, Any]) -> Found:
    """Gradients by the parameters, forward in time."""
    found = module.real_time_gradients(
        given.params, *given.inputs, given.bars, given.state, final_bar=given.ends, **given.named
    )
    return {f"params_bar[{k!r}]": np.array(v) for k, v in found.items()}


def _valued(name: str, stated: str, **more: int) -> Call:
    """A function that asks a loss, or knows the one that is stated."""

    def found(module: Any, given: Arguments, value: float, _: dict[str, Any]) -> Found:
        left = [value]

        def loss(outputs: dict[str, Array], start: int = 0) -> tuple[float, dict[str, Array]]:
            """Of what runs in stretches, those outputs that a stretch has; the value is told at the first."""
            shown = {k: v for k, v in outputs.items() if k in given.bars}
            parts = {k: given.bars[k][start : start + len(v)] for k, v in shown.items()}
            return left.pop() if left else 0.0, parts

        named = given.named | more
        if more and given.inputs and len(given.inputs[0]) < more["stretches"]:
            named = given.named
        first = () if stated else (loss,)
        told, parts = getattr(module, name)(
            *first, given.params, *given.inputs, given.state, **named
        )
        groups = zip(GROUPS[2:], parts, strict=True)
        arrays = {f"{g}[{k!r}]": np.array(v) for g, part in groups for k, v in part.items()}
        return {**arrays, LOSS: np.array(told)}

    return Call(found, True, stated)


def _over_a_workspace(call: Call) -> Call:
    """The same over a workspace that an earlier run of these sizes has left, if there was one."""

    def found(module: Any, given: Arguments, value: float, used: dict[str, Any]) -> Found:
        precision = str(next(iter(given.params.values())).dtype)
        if precision not in used:
            outputs_of = module.forward(given.params, *given.inputs, given.state, **given.named)
            used[precision] = outputs_of[2]["workspace"]
        named = {**given.named, "workspace": used[precision]}
        return call.found(module, replace(given, named=named), value, used)

    return Call(found, call.of_loss, call.stated)


def without(given: Arguments, left: str, whole: dict[str, Any]) -> tuple[Arguments, Arguments]:
    """What is given with zeros for what is left out, and every step for lengths; and without it.

    Args:
        given: all that forward and backward are given.
        left: what is left out.
        whole: the lengths of samples that have every step.
    """
    state, ends = given.state or {}, given.ends or {}
    kept = dict(list(given.bars.items())[:1]) if len(given.bars) > 1 else {}
    if left == "state":
        return replace(given, state={k: 0 * v for k, v in state.items()}), replace(
            given, state=None
        )
    if left == "final_bar":
        return replace(given, ends={k: 0 * v for k, v in ends.items()}), replace(given, ends=None)
    if left == "outputs_bar":
        zeros = {k: 0 * v for k, v in given.bars.items()}
        return replace(given, bars={**zeros, **kept}), replace(given, bars=kept)
    if left == LENGTHS:
        rest = {k: v for k, v in given.named.items() if k not in whole}
        return replace(given, named=given.named | whole), replace(given, named=rest)
    return given, given
