"""A generated module judged in milliseconds: its functions called, and every array compared with what must come out.

The answers are found once for a cell, from its equations alone; then each mutant costs a few calls. Checks run from the
cheapest to the dearest, and the first to fail names the reason. No size is 1, no two sizes are equal, no initial state
is zero, and memory that nobody wrote is not a number.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from random import Random
from types import ModuleType
from typing import Any

import numpy as np

from derive.cell import Cell
from derive.expressions import walk
from derive.nodes import Elementwise
from proofs.mutants_answers import (
    Call,
    Case,
    WrongError,
    close_arrays,
    close_everywhere,
    drawn,
    equal,
    last_only,
)
from proofs.mutants_compared import Right
from proofs.mutants_module import Poisoned, module_of, recorded
from proofs.mutants_same import EXTENTS
from proofs.point import Extent, draw_sizes
from proofs.samples import Arrays, draw

SINGLE = 2e-3
"""The same in single precision."""
LONG = 40
"""Steps of the run whose loss looks at the end only: a path cut anywhere leaves the first steps without gradient."""


class NumericJudge:
    """Judges generated modules of one cell.

    Args:
        cell: the cell.
        seed: of sizes and samples.
    """

    def __init__(self, cell: Cell, seed: int = 0) -> None:
        self.cell, self.seed = cell, seed
        rng = Random(seed)  # noqa: S311 - no secret
        depth = cell.depth
        self.short = Case(drawn(cell, Extent(draw_sizes(cell, rng, largest=3), 4 + depth, 2), seed))
        long = drawn(cell, Extent(draw_sizes(cell, rng, largest=3), LONG, 1), seed + 1)
        self.long = Case(replace(long, weights=last_only(long)))
        self._rights: dict[str, Right] = {}
        self.checks: dict[str, Callable[[ModuleType], None]] = {
            "values and gradients": self.short.judge,
            "long path": self.long.judge,
            "arguments": self.arguments,
            "precision": self.precision,
            "streaming": self.streaming,
            "memory": self.memory,
            "saturation": self.saturation,
        }

    def refusal(self, source: str) -> tuple[str, str]:
        """The first check that fails, and why; two empty texts if none does."""
        name = "runs"
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                module = module_of(source, Poisoned())
                for name, check in self.checks.items():  # noqa: B007 - the name outlives the loop
                    check(module)
            except WrongError as error:
                return name, str(error)
            except Exception as error:  # noqa: BLE001 - whatever broken code raises is its refusal
                return "runs", f"{type(error).__name__}: {error}"
        return "", ""

    def arguments(self, module: ModuleType) -> None:
        """What is left out is zero: the initial state, an output's gradient, the final state's gradient."""
        call = self.short.call
        zeros = {n: np.zeros_like(v) for n, v in call.state.items()}
        equal(
            "forward without a state",
            call.forward(module, state=None)[0],
            call.forward(module, state=zeros)[0],
        )
        cache = call.forward(module)[2]
        nothing = {n: np.zeros_like(v) for n, v in call.final_bar.items()}
        for name, bar in call.outputs_bar.items():
            one = {n: v if n == name else np.zeros_like(v) for n, v in call.outputs_bar.items()}
            alone = module.backward(call.params, cache, {name: bar})
            for part, other in zip(
                alone, module.backward(call.params, cache, one, nothing), strict=True
            ):
                equal("backward with gradients left out", part, other)

    def precision(self, module: ModuleType) -> None:
        """Single precision in, single precision out, and as close as it can be."""
        call = Call(self.short.sample, np.float32)
        results = call.run(module)
        for array in (v for part in results for v in part.values()):
            if np.asarray(array).dtype != np.float32:
                raise WrongError(
                    f"a result is {np.asarray(array).dtype} where all arguments are float32"
                )
        close_everywhere(
            self.short.found(results), self.short.expected, SINGLE, "in single precision"
        )

    def streaming(self, module: ModuleType) -> None:
        """Step by step as at once; ``value_and_grad`` as the two passes."""
        call = self.short.call
        outputs, final, cache = call.forward(module)
        state: Any = call.state
        for t in range(call.steps):
            out, state = module.step(
                call.params, *(x[t] for x in call.inputs), state, **call.constants
            )
            close_arrays(
                f"step's results at step {t + 1}", out, {n: v[t] for n, v in outputs.items()}
            )
        close_arrays("step's final state", state, final)

        def loss(found: Mapping[str, Any]) -> tuple[float, Arrays]:
            return float(
                sum(np.sum(found[n] * w) for n, w in call.outputs_bar.items())
            ), call.outputs_bar

        value, gradients = module.value_and_grad(
            loss, call.params, *call.inputs, call.state, **call.keywords
        )
        close_arrays(
            "value_and_grad", {"value": np.asarray(value)}, {"value": np.asarray(loss(outputs)[0])}
        )
        for part, other in zip(
            gradients, module.backward(call.params, cache, call.outputs_bar), strict=True
        ):
            equal("value_and_grad", part, other)

    def memory(self, module: ModuleType) -> None:
        """Nothing given is written to; a second call gives the same; what outlives a sequence owns its memory."""
        call = Call(self.short.sample)
        first = call.run(module)
        kept = [{n: np.array(v) for n, v in part.items()} for part in first]
        for part, before in zip(call.run(module), kept, strict=True):
            equal("a second call", part, before)
        fresh = Call(self.short.sample)
        for name, given, copy in zip(call.names, call.arrays, fresh.arrays, strict=True):
            if not np.array_equal(given, copy):
                raise WrongError(f"the argument {name} was written to")
        for name, value in (*first[1].items(), *first[4].items()):
            if value.base is not None and value.base.size > value.size:
                raise WrongError(
                    f"the final value or initial gradient of {name} is a view into a whole sequence"
                )

    def saturation(self, module: ModuleType) -> None:
        """Huge inputs saturate without a warning, wherever activations are bounded."""
        used = {
            node.function
            for eq in self.cell.equations
            for node in walk(eq.expr)
            if isinstance(node, Elementwise)
        }
        if not used or not used <= {"tanh", "sigmoid"}:
            return
        call = Call(self.short.sample)
        call.inputs = [1e4 * x for x in call.inputs]
        with np.errstate(over="raise", invalid="raise"):
            try:
                call.forward(module)
            except FloatingPointError as error:
                raise WrongError(f"inputs of size 10⁴: {error}") from None

    def sameness(self, right: str, source: str, rounds: int = 12) -> str:
        """The proof that a source says the same as the right one; empty if there is none."""
        if right not in self._rights:
            load = partial(module_of, numpy=Poisoned())
            self._rights[right] = Right(load, right, self._plain(), self._formal)
        return self._rights[right].proof(source, rounds)

    def _plain(self) -> Iterator[Callable[[], Call]]:
        rng = Random(self.seed)  # noqa: S311 - no secret
        for i in count():
            extent = Extent(draw_sizes(self.cell, rng, 2, 7), rng.randint(1, 50), rng.randint(1, 5))
            yield partial(Call, draw(self.cell, extent, i, gain=rng.uniform(0.5, 2.0)))

    def _formal(self, module: ModuleType, i: int) -> Call:
        smallest, largest, steps, samples = EXTENTS[i]
        sizes = draw_sizes(self.cell, Random(i), smallest, largest)  # noqa: S311 - no secret
        call = Call(draw(self.cell, Extent(sizes, steps, samples), i))
        return call.shaped(module, sizes.values())


def learned_names(cell: Cell, source: str) -> dict[str, dict[str, Any]]:
    """The local variables of a module's functions after a run at sizes that are all different."""
    primes = iter((3, 2, 5, 7, 13, 17, 19, 23))
    extent = Extent({d: next(primes) for d in cell.dims}, 29, 11)
    module = module_of(source)
    with recorded(module) as seen, np.errstate(all="ignore"):
        Call(draw(cell, extent, 0, gain=0.7)).run(module)
    return seen
