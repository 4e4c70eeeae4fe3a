"""Runs leg by leg, each in stretches of steps, for generated files of networks; the generator copies what a file calls.

    ahead    from a leg's start to its end: the state before every stretch is kept, and what other legs read of it
    back     from its last stretch to its first: each is run again, forward and backward; the state's adjoint goes on

What legs read of each other comes back as sums: of a value that is held, over all stretches; of a sequence, stretch by
stretch; of an end, in the stretch in which a sample has its last step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from numeric.checks import alike, refuse_unknown

Array = np.ndarray
Arrays = dict[str, Array]


class Legs:
    """What the legs of a run read of each other, by name, and the gradients by it.

    ``kept`` holds whole sequences and values at [end], ``ends`` the last steps of sequences of which nothing else is
    read, (1, B, …), and ``final`` the states behind their last steps.
    """

    def __init__(self, stretches: int | None, longest: int) -> None:
        if stretches is not None and not 1 <= stretches <= longest:
            raise ValueError(
                f"stretches is {stretches}: expected 1 to T = {longest}, or None for what takes least memory"
            )
        self.stretches, self.made = stretches, {}
        self.kept, self.ends, self.final = {}, {}, {}
        self.kept_bar, self.ends_bar, self.final_bar = {}, {}, {}
        self.params_bar, self.inputs_bar, self.state_bar, self.losses = {}, {}, {}, []

    def ahead(
        self,
        run: Callable[[slice, Arrays], tuple[Arrays, Arrays, dict]],
        state: Arrays,
        T: int,
        held: float,
        *,
        turned: bool = False,
        read: bool = True,
    ) -> list[tuple[slice, Arrays]]:
        """Runs a leg, up to its last stretch if no other reads it; its stretches, each with the state before it."""
        count = min(
            T, int(np.ceil((held * T) ** 0.5)) if self.stretches is None else self.stretches
        )
        length = -(-T // count)
        cuts = [slice(max(0, stop - length), stop) for stop in range(T, 0, -length)]
        first, *rest = cuts if turned else cuts[::-1]
        before = [(first, state)]
        for steps in rest:
            before.append((steps, run(*before[-1])[1]))
        if read:
            self.final |= run(*before[-1])[1]
        return before

    def back(
        self,
        run: Callable[[slice, Arrays], tuple[Arrays, Arrays, dict]],
        turn: Callable[[slice, dict, Arrays, Arrays], Arrays],
        before: list[tuple[slice, Arrays]],
        bar: Arrays,
        loss: Callable[[Arrays, int], tuple[float, Arrays]] | None = None,
    ) -> Arrays:
        """Runs a leg's stretches again and turns back in each; the gradients by the state before its first one."""
        while before:
            steps, state = before.pop()
            outputs, _, cache = run(steps, state)
            outputs_bar = {}
            if loss is not None:
                value, outputs_bar = loss(outputs, steps.start)
                refuse_unknown("outputs_bar", outputs_bar, list(outputs))
                self.losses.append(value)
            del outputs
            bar = turn(steps, cache, dict(outputs_bar), bar)
            del cache
        return bar

    def trained(self, gradients: Arrays) -> None:
        """Adds the gradients by parameters of one segment in one stretch."""
        for name, value in gradients.items():
            add_up(self.params_bar, name, value)

    def hand_on(self, outputs: Arrays, steps: slice, T: int, names: list[str]) -> None:
        """Keeps what other legs read of these steps."""
        for name in names:
            value = outputs[name]
            if name not in self.kept:
                self.kept[name] = np.empty((T, *value.shape[1:]), value.dtype)
            self.kept[name][steps] = value

    def hand_on_end(self, outputs: Arrays, steps: slice, last: Array | int, name: str) -> None:
        """Keeps what other legs read of a sequence's end, for the samples whose last step is among these."""
        value = outputs[name]
        if name not in self.ends:
            self.ends[name] = np.empty((1, *value.shape[1:]), value.dtype)
        step, sample = ending_here(steps, last, value.shape[1])
        self.ends[name][0, sample] = value[step, sample]

    def come_back(self, outputs_bar: Arrays, steps: slice, names: list[str]) -> None:
        """Adds what came back for these steps from the legs that read them."""
        for name in names:
            add_beside(outputs_bar, name, self.kept_bar[name][steps])

    def come_back_end(
        self, outputs_bar: Arrays, steps: slice, last: Array | int, name: str
    ) -> None:
        """Adds what came back for a sequence's end."""
        end = self.ends_bar[name]
        value = np.zeros((steps.stop - steps.start, *end.shape[1:]), end.dtype)
        step, sample = ending_here(steps, last, value.shape[1])
        value[step, sample] = end[0, sample]
        add_beside(outputs_bar, name, value)


def ending_here(steps: slice, last: Array | int, B: int) -> tuple[Array, Array]:
    """The samples whose last step is one of these, each behind its step's place among them."""
    at = np.broadcast_to(last, B)
    sample = np.flatnonzero((at >= steps.start) & (at < steps.stop))
    return at[sample] - steps.start, sample


def add_beside(total: Arrays, name: str, value: Array) -> None:
    """Adds to a gradient that a caller may have given, which stays as it is."""
    if name in total:
        value = alike(name, total[name], value.shape, value.dtype) + value
    total[name] = value


def add_up(total: Arrays, name: str, value: Array) -> None:
    """Adds a gradient to a sum that has an array of its own."""
    if name in total:
        total[name] += value
    else:
        total[name] = value.copy()


def add_steps(total: Arrays, name: str, value: Array, steps: slice, T: int) -> None:
    """Adds the gradient of a stretch to that of the whole sequence, which has an array of its own."""
    if name not in total:
        total[name] = np.zeros((T, *value.shape[1:]), value.dtype)
    total[name][steps] += value


def refuse_other_length(name: str, sequence: Array, T: int) -> None:
    """Raises if a sequence has another number of steps than those beside it."""
    if np.shape(sequence)[:1] != (T,):
        raise ValueError(f"{name} has shape {np.shape(sequence)}: expected ({T}, B, …)")


def used_again(legs: Legs, make: Callable[[], object], *key: int) -> object:
    """The arrays of the last run of the same leg and length, used again; no others are kept."""
    if key not in legs.made:
        legs.made.clear()
        legs.made[key] = make()
    return legs.made[key].taken()


NAMES = (
    "Legs", "ending_here", "add_beside", "add_up", "add_steps", "refuse_other_length", "used_again",
)  # fmt: skip
