"""The settings in which other gradient checks are asked: as they are mostly used, and where they see least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from derive.cell import Cell
from proofs.arithmetic import Array
from proofs.mutants_answers import Call
from proofs.mutants_module import module_of
from proofs.point import Extent
from proofs.samples import draw

SEED = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """Sizes, weights and what the loss looks at.

    Args:
        name: a few words.
        hidden, features: sizes of the first dimension of the cell, and of the others.
        steps, samples: T and B.
        weights: what is done to a parameter at its usual initialisation.
        gain: of the square weights, for networks that amplify.
        last: whether only the last step's outputs are looked at, and not every output and the final values.
    """

    name: str
    hidden: int
    features: int
    steps: int
    samples: int
    weights: Callable[[Array], Array] = np.array
    last: bool = False
    gain: float = 1.0


def _symmetric(w: Array) -> Array:
    return (w + w.T) / 2 if _square(w) else w


def _diagonal(w: Array) -> Array:
    return np.diag(np.diag(w)) if _square(w) else w


def _square(w: Array) -> bool:
    return w.ndim == 2 and w.shape[0] == w.shape[1]


SETTINGS = (
    Setting("usual", 3, 2, 4, 2),
    Setting("n = 1", 1, 1, 3, 1),
    Setting("W symmetric", 2, 1, 3, 1, _symmetric),
    Setting("W diagonal", 2, 1, 3, 1, _diagonal),
    Setting("small weights", 2, 1, 8, 1, lambda w: 0.02 * w, last=True),
)


@dataclass
class Task:
    """A setting made ready for one cell.

    Args:
        call: the arguments of the generated functions.
        setting: what it is about.
        memo: values of the right forward pass by its arguments, for modules that share it.
        same_forward: whether the forward pass is the right one.
        indices: inputs that are whole numbers, by position: nothing is differentiated by them.
        real: the names of the other inputs, in order.
    """

    call: Call
    setting: Setting
    memo: dict[bytes, list[Array]] = field(default_factory=dict[bytes, list[Array]])
    same_forward: bool = False
    indices: frozenset[int] = frozenset()
    real: tuple[str, ...] = ()

    @property
    def arrays(self) -> list[Array]:
        """Every parameter, input and initial value that a gradient is taken by."""
        c = self.call
        real = [x for i, x in enumerate(c.inputs) if i not in self.indices]
        return [*c.params.values(), *real, *c.state.values()]

    def unflat(self, arrays: list[Array]) -> tuple[dict[str, Array], list[Array], dict[str, Array]]:
        """Parameters, inputs and initial values again."""
        c = self.call
        p, s = len(c.params), len(arrays) - len(c.state)
        real = iter(arrays[p:s])
        inputs = [x if i in self.indices else next(real) for i, x in enumerate(c.inputs)]
        params = dict(zip(c.params, arrays[:p], strict=True))
        return params, inputs, dict(zip(c.state, arrays[s:], strict=True))

    def forward(
        self, module: ModuleType, arrays: list[Array]
    ) -> tuple[dict[str, Array], dict[str, Array], Any]:
        """Outputs, final values and the cache."""
        params, inputs, state = self.unflat(arrays)
        return module.forward(params, *inputs, state, **self.call.keywords)

    def values(self, module: ModuleType, arrays: list[Array]) -> list[Array]:
        """What the loss looks at; found once where the forward pass is known to be the right one."""
        key = b"".join(a.tobytes() for a in arrays)
        if self.same_forward and key in self.memo:
            return self.memo[key]
        outputs, final, _ = self.forward(module, arrays)
        seen = [outputs[n][-1] if self.setting.last else outputs[n] for n in self.call.outputs_bar]
        found = _finite([np.array(v) for v in (*seen, *(final[n] for n in self._final))])
        if self.same_forward:
            self.memo[key] = found
        return found

    @property
    def _final(self) -> list[str]:
        return [] if self.setting.last else list(self.call.final_bar)

    def pulled(self, module: ModuleType, arrays: list[Array], bars: list[Array]) -> list[Array]:
        """The gradients by all arrays, given those by the values."""
        outputs, _, cache = self.forward(module, arrays)
        outputs_bar: dict[str, Array] = {}
        for name, bar in zip(self.call.outputs_bar, bars, strict=False):
            whole = np.zeros_like(outputs[name])
            whole[-1 if self.setting.last else ...] = bar
            outputs_bar[name] = whole
        final_bar = dict(zip(self._final, bars[len(outputs_bar) :], strict=True))
        found = module.backward(self.unflat(arrays)[0], cache, outputs_bar, final_bar or None)
        params_bar, inputs_bar, state_bar = found
        c = self.call
        params = [params_bar[n] for n in c.params]
        states = [state_bar[n] for n in c.state]
        inputs = [inputs_bar[n] for n in self.real]
        return _finite([np.asarray(v) for v in (*params, *inputs, *states)])


def _finite(arrays: list[Array]) -> list[Array]:
    """The arrays; what is not a number would be noticed by whoever trains with it."""
    if not all(np.all(np.isfinite(v)) for v in arrays):
        raise FloatingPointError("not a number")
    return arrays


def task(cell: Cell, source: str, setting: Setting) -> Task:
    """A task for a cell: its usual initial weights, a random sequence, initial values of zero.

    Args:
        cell: the cell.
        source: the right source, for its initial weights.
        setting: what to do with them.
    """
    sizes = {d: setting.hidden if i == 0 else setting.features for i, d in enumerate(cell.dims)}
    call = Call(draw(cell, Extent(sizes, setting.steps, setting.samples), SEED, gain=1.0))
    initial = module_of(source).init_params(*sizes.values(), seed=SEED)
    shape = {n: np.shape(v) for n, v in initial.items()}
    call.params = {
        n: np.asarray(setting.weights(np.asarray(v)), float).reshape(shape[n])
        for n, v in initial.items()
    }
    call.state = {n: np.zeros_like(v) for n, v in call.state.items()}
    return Task(call, setting, real=tuple(q.name for q in cell.inputs))


def growing(gain: float, steps: int) -> Setting:
    """A network that amplifies: no input to hold it, a random initial state, only the last step's outputs."""
    return Setting(f"gain {gain:g}, T = {steps}", 32, 1, steps, 1, last=True, gain=gain)


def amplified(cell: Cell, source: str, setting: Setting) -> Task:
    """A task of a growing network: square weights of the given gain, inputs of zero."""
    made = task(cell, source, setting)
    rng = np.random.default_rng(SEED)
    for name, w in made.call.params.items():
        if _square(w):
            made.call.params[name] = setting.gain * rng.standard_normal(w.shape) / np.sqrt(len(w))
    made.call.inputs = [0.0 * x for x in made.call.inputs]
    made.call.state = {n: rng.standard_normal(v.shape) for n, v in made.call.state.items()}
    return made
