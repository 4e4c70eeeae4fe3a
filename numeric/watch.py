"""Gradient flow along training: a callback of the generated training loop that measures one sequence as weights move.

``params = module.train(params, value_and_gradient, batches, each=watch)`` with ``watch = Watch(model.derive(),
{"x": x}, loss, every=10)``; then ``watch.moments`` holds what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.cell import Quantity
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import is_column, is_scalar
from derive.language_words import listed
from numeric.forward_run import Run, run
from numeric.given_weights import parameters_from
from numeric.interpret import Array, shape_of
from numeric.lags import lag_shares
from numeric.singular import log_largest_singular

Loss = Callable[[dict[str, Array]], tuple[float, Mapping[str, Array]]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What was measured at one step of training.

    Args:
        step: of the training, from 0.
        loss: as the loop had it, on its batch.
        norms: ‖∂L/∂θ‖ by parameter, on the loop's batch, before clipping.
        lags: ‖G_d‖ by lag d, on the watched sequence: what reaches the parameters' use d steps before the loss.
        shares: each lag's share of the gradient there; they add up to one.
        rate: log σ₁(∂s_T/∂s_0) / T of the watched sequence: the largest exponent over its length.
    """

    step: int
    loss: float
    norms: Mapping[str, float]
    lags: Array
    shares: Array
    rate: float


class Watch:
    """Measures one sequence every so many steps of training; give it to ``train`` as ``each``.

    Args:
        derivation: of the cell that is trained.
        inputs: the sequence, by input: (T, entries).
        loss: from the outputs, (T, 1, entries) by name, to the loss and its gradients by them, as for value_and_grad.
        every: steps between two measurements.
        constants: values of the cell's constants that have none, or other ones.

    Raises:
        ArgumentError: an input is missing or unknown, or the sequences differ in length.
    """

    def __init__(
        self,
        derivation: Derivation,
        inputs: Mapping[str, Array],
        loss: Loss,
        *,
        every: int = 1,
        constants: Mapping[str, float] | None = None,
    ) -> None:
        names = [q.name for q in derivation.cell.inputs]
        lengths = {len(value) for value in inputs.values()}
        if set(names) != set(inputs) or len(lengths) != 1 or 0 in lengths or every < 1:
            raise ArgumentError(
                f"Watch: expected one sequence of at least one step for each of {listed(names or ['no input'])}, and "
                f"every >= 1; found {listed(sorted(inputs) or ['none'])} of lengths {sorted(lengths)}, "
                f"every = {every}.",
                'Write Watch(derivation, {"x": x}, loss, every=10) with x of shape (T, m).',
            )
        self.derivation, self.inputs, self.every, self._loss = derivation, inputs, every, loss
        self._constants = {
            q.name: 0.5 if q.value is None else float(q.value) for q in derivation.cell.constants
        } | dict(constants or {})
        self.moments: list[Moment] = []

    def __call__(
        self, step: int, loss: float, params: Mapping[str, Array], gradients: Mapping[str, Array]
    ) -> None:
        """Measure, if it is time."""
        if step % self.every:
            return
        stored = self._run(params)
        shares = lag_shares(stored, self._bars(stored))
        rate = float(log_largest_singular(stored, (stored.steps,))[0]) / stored.steps
        norms = {name: float(np.linalg.norm(g)) for name, g in gradients.items()}
        self.moments.append(Moment(step, float(loss), norms, shares.norms, shares.shares, rate))

    def _run(self, params: Mapping[str, Array]) -> Run:
        cell = self.derivation.cell
        named, fixed = parameters_from(cell, params, "the parameters in training")
        sizes: dict[Any, int] = {d: named[str(d)] for d in cell.dims}
        fixed |= {name: np.full((1, 1), value) for name, value in self._constants.items()}
        steps = len(next(iter(self.inputs.values())))
        given = {
            q.name: _fitted(q.name, self.inputs[q.name], (steps, 1, *shape_of(q.symbol, sizes)))
            for q in cell.inputs
        }
        return run(
            self.derivation, sizes, {k: v[None] for k, v in fixed.items()}, given, steps=steps
        )

    def _bars(self, stored: Run) -> dict[str, Array]:
        """∂ℓ_t/∂y of the loss at the outputs of the run, (T, rows, columns)."""
        times = range(1, stored.steps + 1)
        outputs = {
            q.name: np.stack([_axes(q, stored.values[q.name, t][0]) for t in times])
            for q in self.derivation.cell.outputs
        }
        _, bars = self._loss(outputs)
        shapes = {q.name: shape_of(q.symbol, stored.sizes) for q in self.derivation.cell.outputs}
        if unknown := sorted(set(bars) - set(shapes)):
            raise ArgumentError(
                f"Watch: the loss gives a gradient by {listed(unknown)}; the outputs are {listed(list(shapes))}.",
                "Return the loss, and its gradients by outputs by their names.",
            )
        return {
            name: _fitted(f"the loss's gradient by {name}", bar, (stored.steps, *shapes[name]))
            for name, bar in bars.items()
        }


def _axes(q: Quantity, value: Array) -> Array:
    """(1, rows, columns) with the axes of generated code: a column has one."""
    return value[..., 0] if is_column(q.symbol) or is_scalar(q.symbol) else value


def _fitted(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Numbers in a shape that has as many entries.

    Raises:
        ArgumentError: they are no numbers, or not as many.
    """
    found = np.asarray(value)
    if found.dtype.kind not in "fiu" or found.size != np.prod(shape):
        raise ArgumentError(
            f"Watch: {name} has shape {found.shape} of {found.dtype}: expected numbers of shape "
            f"{(shape[0], *(k for k in shape[1:] if k > 1))}.",
            "Give one sequence, (T, entries), whose entries fit the parameters in training.",
        )
    return np.reshape(found, shape)
