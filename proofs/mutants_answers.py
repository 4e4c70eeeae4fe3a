"""A generated module called with a sample, and what must come out for it.

The answers come from the cell's equations alone: values by evaluating them, gradients by complex steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from types import ModuleType
from typing import Any, cast

import numpy as np

from derive.cell import Cell
from derive.expressions import walk
from derive.functions import FUNCTIONS
from derive.nodes import Elementwise, Timed
from proofs import layout
from proofs.differences import complex_step_gradient
from proofs.floats import Floats
from proofs.point import Extent
from proofs.samples import Arrays, Sample, Values, draw, draw_smooth, reference
from proofs.unrolled import Place

TOLERANCE = 1e-9
"""Of the largest entry of one gradient at one step; rounding in either route stays below a thousandth of it."""
Results = tuple[Arrays, Arrays, Arrays, Arrays, Arrays]


class WrongError(Exception):
    """What a check found wrong."""


class Call:
    """The arguments of a generated module's functions.

    Args:
        sample: the run they are for.
        dtype: of every array.
    """

    def __init__(self, sample: Sample, dtype: Any = np.float64) -> None:
        self.steps = sample.extent.steps
        self.params = layout.parameters(sample, dtype)
        self.inputs = layout.inputs(sample, dtype)
        self.state = layout.state(sample, dtype)
        self.constants = layout.constants(sample)
        self.outputs_bar = layout.outputs_bar(sample, dtype)
        self.final_bar = layout.final_bar(sample, dtype)
        self.keywords: dict[str, Any] = {
            **self.constants,
            **({} if self.inputs else {"steps": self.steps}),
        }

    @property
    def named(self) -> dict[str, Any]:
        """Every array that is given, by what it is."""
        found: dict[str, Any] = {f"input {i}": x for i, x in enumerate(self.inputs)}
        for part in ("params", "state", "outputs_bar", "final_bar"):
            found |= {f"{part}[{n!r}]": v for n, v in getattr(self, part).items()}
        return found

    @property
    def names(self) -> list[str]:
        """The names of ``arrays``."""
        return list(self.named)

    @property
    def arrays(self) -> list[Any]:
        """Every array that is given."""
        return list(self.named.values())

    def forward(self, module: ModuleType, **changed: Any) -> tuple[Arrays, Arrays, Any]:
        """Outputs, final values and the cache."""
        return module.forward(
            self.params, *self.inputs, changed.get("state", self.state), **self.keywords
        )

    def run(self, module: ModuleType) -> Results:
        """Outputs, final values, and the three dicts of gradients."""
        outputs, final, cache = self.forward(module)
        params_bar, inputs_bar, state_bar = module.backward(
            self.params, cache, self.outputs_bar, self.final_bar
        )
        return outputs, final, params_bar, inputs_bar, state_bar

    def everything(self, module: ModuleType) -> Arrays:
        """What each of the module's functions returns for these arguments, by names that say which."""
        names = ("outputs", "final", "params_bar", "inputs_bar", "state_bar")
        parts: dict[str, Arrays] = dict(zip(names, self.run(module), strict=True))
        parts["forward from zeros"] = self._from_zeros(module)
        parts |= self.beyond(module)
        return {f"{part} {name}": v for part, d in parts.items() for name, v in d.items()}

    def beyond(self, module: ModuleType) -> dict[str, Arrays]:
        """What the functions return that are made of the two passes."""
        first = [x[0] for x in self.inputs]
        outputs, state = module.step(self.params, *first, self.state, **self.constants)
        value, gradients = module.value_and_grad(
            self._loss, self.params, *self.inputs, self.state, **self.keywords
        )
        return {"step": outputs, "state after a step": state, **whole(value, gradients)}

    def _from_zeros(self, module: ModuleType) -> Arrays:
        """The outputs where no state is given; what divides by a state of zero says so where nothing is infinite."""
        try:
            return self.forward(module, state=None)[0]
        except (ArithmeticError, ValueError) as error:
            return {type(error).__name__: np.zeros(())}

    def _loss(self, outputs: Arrays) -> tuple[Any, Arrays]:
        return sum(np.sum(outputs[n] * w) for n, w in self.outputs_bar.items()), self.outputs_bar

    def shaped(self, module: ModuleType, sizes: Iterable[int]) -> Call:
        """The same call with parameters of the module's own shapes, which sizes of 1 leave open otherwise."""
        shapes = module.parameter_shapes(*sizes)
        self.params = {n: v.reshape(shapes[n]) for n, v in self.params.items()}
        return self

    def lifted(self, lift: Callable[[Any], Any]) -> Call:
        """The same call with other numbers, each array put through a function."""
        other = copy(self)
        other.params, other.state = lift(self.params), lift(self.state)
        other.inputs = [lift(x) for x in self.inputs]
        other.outputs_bar, other.final_bar = lift(self.outputs_bar), lift(self.final_bar)
        return other

    def fresh(self) -> Call:
        """The same call with arrays of its own."""
        other = self.lifted(_copied)
        other.keywords = {n: np.array(v) if np.ndim(v) else v for n, v in self.keywords.items()}
        return other


def _copied(x: Any) -> Any:
    if isinstance(x, Mapping):
        return {n: np.array(v) for n, v in cast("Arrays", x).items()}
    return np.array(x)


def whole(value: Any, gradients: tuple[Arrays, Arrays, Arrays]) -> dict[str, Arrays]:
    """What ``value_and_grad`` returned, by names that say which."""
    names = ("whole params_bar", "whole inputs_bar", "whole state_bar")
    return {"whole": {"value": value}, **dict(zip(names, gradients, strict=True))}


class Case:
    """A sample, and what must come out for it."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        tape = reference(sample, Floats())
        wanted = {
            **sample.weights,
            **{(f"final {n}", t): v for (n, t), v in sample.final_weights.items()},
        }
        values = {
            place: tape.get(Timed, (place[0].removeprefix("final "), place[1])) for place in wanted
        }
        self.expected: Values = {
            **values,
            **{_bar(p): v for p, v in complex_step_gradient(sample).items()},
        }

    @property
    def call(self) -> Call:
        """Arguments of its own for each caller: broken code may write to what it is given."""
        return Call(self.sample)

    def found(self, results: Results) -> Values:
        """What a module returned, by place."""
        outputs, final, *gradients = results
        values = layout.sequences(self.sample, outputs, final)
        return {**values, **{_bar(p): v for p, v in layout.places(self.sample, *gradients).items()}}

    def judge(self, module: ModuleType) -> None:
        """Every value and every gradient, each step by itself."""
        try:
            found = self.found(self.call.run(module))
        except layout.LayoutError as error:
            raise WrongError(str(error)) from None
        close_everywhere(found, self.expected, TOLERANCE)


def drawn(cell: Cell, extent: Extent, seed: int) -> Sample:
    """A run away from kinks and poles, if there is one."""
    kinked = any(
        FUNCTIONS[node.function].kink is not None or FUNCTIONS[node.function].positive
        for eq in cell.equations
        for node in walk(eq.expr)
        if isinstance(node, Elementwise)
    )
    smooth = draw_smooth(cell, extent, seed, margin=1e-4) if kinked else None
    return smooth or draw(cell, extent, seed, gain=1.1)


def last_only(sample: Sample) -> Values:
    """The loss's weights, zero but for the last step."""
    return {
        p: v if p[1] == sample.extent.steps else np.zeros_like(v) for p, v in sample.weights.items()
    }


def _bar(place: Place) -> Place:
    return (f"gradient of {place[0]}", place[1])


def close_everywhere(found: Values, expected: Values, tolerance: float, note: str = "") -> None:
    """Demands every place within the tolerance, measured against that place's own largest entry."""
    for place, value in expected.items():
        error = float(np.max(np.abs(found[place] - value), initial=0.0))
        largest = float(np.max(np.abs(value), initial=0.0))
        if not error <= tolerance * largest:
            where = f"{place[0]}{'' if place[1] is None else f' at t = {place[1]}'}"
            raise WrongError(
                f"{where} is off by {error:.1e}, its largest entry being {largest:.1e} {note}".strip()
            )


def close_arrays(what: str, found: Arrays, expected: Arrays) -> None:
    """Demands the same shapes, and the same entries up to rounding."""
    for name, value in expected.items():
        if np.shape(found[name]) != np.shape(value) or not np.allclose(
            found[name], value, rtol=TOLERANCE, atol=1e-12
        ):
            raise WrongError(f"{what}: {name} differs")


def close(found: Arrays, expected: Arrays) -> bool:
    """Whether names and shapes are the same, and the entries up to rounding."""
    return found.keys() == expected.keys() and all(
        np.shape(found[n]) == np.shape(v)
        and np.allclose(found[n], v, rtol=1e-12, atol=1e-300, equal_nan=True)
        for n, v in expected.items()
    )


def equal(what: str, found: Arrays, expected: Arrays) -> None:
    """Demands the same names and the same bits."""
    if found.keys() != expected.keys():
        raise WrongError(f"{what}: other names")
    for name, value in expected.items():
        if not np.array_equal(found[name], value):
            raise WrongError(f"{what}: {name} differs")
