"""Real-time recurrent learning in generated files: gradients forward in time, from the tangent equations.

    P_t = J_t P_{t−1} + ∂⁺s_t/∂θ        for every entry of θ one direction, all directions at once

Source: R. J. Williams and D. Zipser, Neural Computation 1 (1989).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from sympy import Expr
from sympy.matrices.expressions import MatrixExpr

from derive.cell import Quantity
from derive.chapters import refuse_network
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import Tangent, has_time
from derive.influence import influence_equations
from derive.network_derivation import NetworkDerivation
from numeric.body import listed, tuple_text
from numeric.checks import by_name
from numeric.forward_pass import Forward
from numeric.schedule import program
from numeric.sizes import own_axes, parameter_size, readings
from numeric.source import File, helpers
from numeric.spread import trailing
from numeric.stack_text import StackText
from numeric.stretches import sources

Array = np.ndarray
Arrays = dict[str, Array]

NAME = "real_time_gradients"


def real_time_start(params: Arrays, state: Arrays, depths: dict[str, int]) -> dict:
    """What real_time_step hands on before the first step: the state's values, and that nothing depends on θ yet."""
    values = {
        name: list(state[name]) if depth > 1 else [state[name]] for name, depth in depths.items()
    }
    still = {name: [np.zeros_like(v)[None] for v in found] for name, found in values.items()}
    return {"values": values, "influence": dict.fromkeys(params, still)}


def checked_memory(memory: dict, params: Arrays) -> dict:
    """What the step before handed on, if it is of these parameters."""
    kept = isinstance(memory, dict) and memory.keys() - {"known"} == {"values", "influence"}
    if not kept or memory["influence"].keys() != by_name("params", params).keys():
        raise ValueError(
            "memory is not of these parameters: expected what real_time_start or the step before returned"
        )
    return memory


def forward_in_time(
    step: Callable[[int, dict], tuple[Arrays, dict[str, Arrays], dict]],
    params: Arrays,
    state: Arrays,
    depths: dict[str, int],
    outputs_bar: Arrays,
    final_bar: Arrays | None,
    T: int,
) -> Arrays:
    """The gradients by the parameters: what every step adds, and what the loss sees of the final state."""
    memory = real_time_start(params, state, depths)
    totals = {
        name: np.zeros(np.size(value), np.asarray(value).dtype) for name, value in params.items()
    }
    for t in range(T):
        memory["known"] = params  # which are checked, and the same at every step
        _, sensitivities, memory = step(t, memory)
        bars = {name: np.asarray(bar)[t] for name, bar in outputs_bar.items()}
        for name, found in sensitivities.items():
            totals[name] = totals[name] + gradient_along(found, bars)
    for name, found in memory["influence"].items():
        last = {k: v[0] if len(v) == 1 else stacked(v) for k, v in found.items()}
        seen = {k: bar for k, bar in (final_bar or {}).items() if k in last}
        totals[name] = totals[name] + gradient_along(last, seen)
    return {name: totals[name].reshape(np.shape(value)) for name, value in params.items()}


def stacked(past: list[Array]) -> Array:
    """Directions at several steps, the oldest first, on an axis behind that of the entries."""
    return np.stack(np.broadcast_arrays(*past), axis=1)


def basis(shape: tuple[int, int], dtype: np.dtype) -> Array:
    """One direction for every entry of a matrix: (rows · columns, 1, rows, columns)."""
    return np.eye(shape[0] * shape[1], dtype=dtype).reshape(-1, 1, *shape)


def spread(scalar: Array, rows: int, columns: int) -> Array:
    """A scalar in every entry of a matrix."""
    return np.broadcast_to(scalar, (*scalar.shape[:-2], rows, columns))


def across(stack: Array, *front: int) -> Array:
    """A stack with at least these axes in front: what depends on no sample, or on no entry, is the same for all."""
    return np.broadcast_to(
        stack, (*np.broadcast_shapes(stack.shape[:-2], front), *stack.shape[-2:])
    )


def one_above_another(*parts: Array) -> Array:
    """[a; b; …], with axes in front that broadcast."""
    front = np.broadcast_shapes(*(p.shape[:-2] for p in parts))
    return np.concatenate([np.broadcast_to(p, front + p.shape[-2:]) for p in parts], axis=-2)


def gradient_along(sensitivity: Arrays, outputs_bar: Arrays) -> Array:
    """Σ ⟨∂ℓ/∂y, ∂y/∂θ⟩ over outputs y and samples, for every entry of one parameter."""
    total = 0.0
    for name, bar in outputs_bar.items():
        product = sensitivity[name] * np.asarray(bar)
        total = total + product.sum(axis=tuple(range(1, product.ndim)))
    return total


NAMES = (
    "real_time_start", "checked_memory", "forward_in_time", "stacked", "basis", "spread", "across",
    "one_above_another", "gradient_along",
)  # fmt: skip


def realtime_functions(derivation: Derivation | NetworkDerivation, source: str) -> list[str]:
    """The functions of a file that computes gradients forward in time.

    Args:
        derivation: of the cell.
        source: the file to which they come, for the helpers that it has already.

    Raises:
        ArgumentError: a network, or a cell without parameters.
    """
    if isinstance(derivation, NetworkDerivation):
        refuse_network(derivation)
    if not derivation.cell.parameters:
        raise ArgumentError(
            f"Real-time recurrent learning of {derivation.cell.name}: it has no parameters.",
            "Use the ordinary file.",
        )
    parts = [*_Writer(derivation).functions(), *sources(sys.modules[__name__], NAMES)]
    brought = [h for h in helpers("\n".join(parts)) if h.partition("(")[0] not in source]
    return [*parts, *brought]


class _Writer(File):
    """Writes ``real_time_step`` and ``real_time_gradients``."""

    def __init__(self, derivation: Derivation) -> None:
        super().__init__(program(derivation))
        self.derivation = derivation
        self.show = StackText(self.leaf, self.dim)

    def leaf(self, leaf: MatrixExpr) -> str:
        """A value or a direction, with its own lag if it has a time."""
        return self.names.lagged(leaf, leaf.lag) if has_time(leaf) else self.names.of(leaf)

    def functions(self) -> list[str]:
        """Both functions."""
        return [self.step_function(), self.whole_function()]

    def step_function(self) -> str:
        """One step: outputs, their sensitivities, and what is handed on."""
        self.lines = []
        head = self.signature(
            "real_time_step", "tuple[Arrays, dict[str, Arrays], dict]", now=True, steps=False
        ).replace("state: Arrays | None = None", "memory: dict")
        self.lines += [head, *_STEP]
        self.given()
        for a in self.derivation.assignments:
            self.write(f"{self.names.of(a.target)} = {self.show.line(a.expr)}")
        self.write("influence, sensitivities = {}, {}")
        self.write("for name in params:")
        self.directions()
        for e in influence_equations(self.cell, self.derivation.assignments):
            self.write(f"{self.names.of(e.target)} = {self.show.line(e.expr)}", indent=2)
        self.handed_on()
        return "\n".join(self.lines)

    def given(self) -> None:
        """Sizes, parameters, inputs and past values, checked, as matrices."""
        self.write('values = checked_memory(memory, params)["values"]')
        first = next(iter(self.memory))
        self.write(f'B = np.shape(values["{first}"][-1])[0]')
        self.write('known = memory.get("known") is params')
        taken = f'np.asarray(values["{first}"][-1]).dtype'
        self.write(f"dtype = {taken} if known else common_dtype(params)")
        for d, name in self.sizes.items():
            self.write(f"{name} = {self.size_here(d)}")
        self.write("if not known:")
        shapes = f"parameter_shapes({', '.join(self.sizes.values())})"
        self.write(f"unpacked(params, {shapes}, dtype)", indent=2)
        for q in self.cell.parameters:
            shape = f"({self.show.shape(q.symbol)})"
            self.write(f'{self.names.of(q.symbol)} = np.asarray(params["{q.name}"]).reshape{shape}')
        for name in self.constants:
            self.write(f"{name} = np.asarray({name}, dtype).reshape(1, 1)")
        for q in self.cell.inputs:
            value = self.matrix(q.name, self.names.now(q.symbol), q)
            self.write(f"{self.names.of(q.symbol)} = {value}")
        for q in self.memory.values():
            for d in range(1, q.depth + 1):
                name = f"memory['values']['{q.name}']"
                value = self.matrix(name, f'values["{q.name}"][-{d}]', q, past=True)
                self.write(f"{self.names.lagged(q.symbol, d)} = {value}")

    def size_here(self, d: Expr) -> str:
        """A size, from parameters, inputs or past values."""

        def length(q: Quantity, axis: int) -> str:
            if q.role == "parameter":
                return parameter_size(q, axis)
            rank = len(own_axes(q))
            if q.role == "input":
                return f'size("{q.name}", {self.names.now(q.symbol)}, {axis + 1}, {rank + 1})'
            past = f'values["{q.name}"][-1]'
            return f"size(\"memory['values']['{q.name}']\", {past}, {axis + 1}, {rank + 1})"

        return readings(self.cell)[d].text(length)

    def matrix(self, name: str, text: str, q: Quantity, *, past: bool = False) -> str:
        """An array (B, …) of generated code, checked, as (B, rows, columns)."""
        if q.kind == "index" and not past:
            rows = self.dim(q.shape[0])
            chosen = f'checked_index("{name}", {text}, (B,), {rows})'
            return f"one_hot({chosen}, {rows}, dtype)[..., None]"
        shape = tuple_text(["B", *trailing(q.symbol, self.dim)])
        return f'checked("{name}", {text}, {shape}, dtype).reshape(-1, {self.show.shape(q.symbol)})'

    def directions(self) -> None:
        """The direction of every parameter and of past states, for the entries of one parameter."""
        for q in self.cell.parameters:
            shape = f"({self.show.shape(q.symbol)})"
            dot = self.names.of(Tangent(q.symbol))
            moved = f"basis({shape}, dtype)"
            if len(self.cell.parameters) > 1:
                moved += f' if name == "{q.name}" else np.zeros({shape}, dtype)'
            self.write(f"{dot} = {moved}", indent=2)
        for q in self.cell.states:
            for d in range(1, q.depth + 1):
                dot = self.names.lagged(Tangent(q.symbol), d)
                past = f'memory["influence"][name]["{q.name}"][-{d}]'
                column = "[..., None]" if q.shape[1] == 1 else ""
                self.write(f"{dot} = {past}{column}", indent=2)

    def handed_on(self) -> None:
        """Past values and directions one step later, and what is returned."""
        self.write("influence[name] = {", indent=2)
        for q in self.cell.states:
            dot = self.flat(Tangent(q.symbol), q, "1, B")
            past = f'*memory["influence"][name]["{q.name}"][1:], ' if q.depth > 1 else ""
            self.write(f'"{q.name}": [{past}{dot}],', indent=3)
        self.write("}", indent=2)
        self.write("sensitivities[name] = {", indent=2)
        for q in self.cell.outputs:
            dot = self.flat(Tangent(q.symbol), q, "np.size(params[name]), B")
            self.write(f'"{q.name}": {dot},', indent=3)
        self.write("}", indent=2)
        later = []
        for q in self.memory.values():
            past = f'*values["{q.name}"][1:], ' if q.depth > 1 else ""
            later.append(f'"{q.name}": [{past}{self.flat(q.symbol, q, "B")}]')
        self.lines += listed("    values = {", later, "}")
        outputs = [f'"{q.name}": {self.flat(q.symbol, q, "B")}' for q in self.cell.outputs]
        self.lines += listed("    outputs = {", outputs, "}")
        self.write('return outputs, sensitivities, {"values": values, "influence": influence}')

    def flat(self, leaf: MatrixExpr, q: Quantity, front: str) -> str:
        """A stack of matrices with the axes of generated code: those in front, and of a column one."""
        text = f"across({self.names.of(leaf)}, {front})"
        return f"{text}[..., 0]" if q.shape[1] == 1 else text

    def whole_function(self) -> str:
        """The gradients of a whole sequence."""
        self.lines = self.signature(NAME, "Arrays", option="final_bar: Arrays | None = None").replace(
            "state: Arrays | None = None", "outputs_bar: Arrays, state: Arrays | None = None"
        ).splitlines()  # fmt: skip
        checks = _Arguments(self.program, self.names)
        checks.arguments()
        self.lines += [*_WHOLE, *checks.lines]
        given = [f"{x}[t]" for x in self.inputs]
        constants = [f"{c}={c}" for c in self.constants]
        step = f"real_time_step({', '.join(['params', *given, 'memory', *constants])})"
        depths = ", ".join(f'"{q.name}": {q.depth}' for q in self.memory.values())
        self.write("return forward_in_time(")
        self.write(f"lambda t, memory: {step},", indent=2)
        self.write(f"params, {{**zeros, **(state or {{}})}}, {{{depths}}},", indent=2)
        self.write('by_name("outputs_bar", outputs_bar), final_bar, T,', indent=2)
        self.write(")")
        return "\n".join(self.lines)


class _Arguments(Forward):
    """Writes the checks of what ``real_time_gradients`` is given: of that of forward, and of the loss's gradients."""

    def arguments(self) -> None:
        """What forward checks, and gradients by outputs and final values."""
        super().arguments()
        outputs = {q.name: self.whole_shape(q.symbol) for q in self.cell.outputs}
        states = {q.name: self.history(q) for q in self.memory.values()}
        for what, shapes in (("outputs_bar", outputs), ("final_bar", states)):
            parts = [f'"{name}": {shape}' for name, shape in shapes.items()]
            self.write_list(f'gradients("{what}", {what}, {{', parts, "}, dtype)")

    def take_parameters(self) -> None:
        """Sizes, the dtype, and the parameters, which every step takes by itself."""
        self.sizes_and_dtype()
        self.write(f"unpacked(params, {self.shapes}, dtype)")

    def initial_values(self, sizes: list[str]) -> None:
        """The values before the first step, which the first step takes."""
        self.write(f"zeros = init_state({', '.join(['B', *sizes])}, dtype=dtype)")
        self.write("unpacked_state(state, zeros, dtype)")


_STEP = '''    """One step of real-time recurrent learning.

    Args:
        params: the parameters; inputs (B, …) as for step, and what the step before handed on (real_time_start).

    Returns:
        The outputs (B, …); for every parameter θ and output y the sensitivity ∂y/∂θ, (entries of θ, B, …), for
        gradient_along; and what to hand on.

    Raises:
        ValueError, TypeError: an argument has a wrong name, shape or dtype, or is not finite.
    """'''.splitlines()
_WHOLE = '''    """The gradients by the parameters, computed forward in time: no step is taken back, and none is kept.

    It costs the square of the state's size times the number of parameters at every step, and is meant for small
    cells and for checking. Args are those of forward, and the loss's gradients as backward takes them; so are errors.
    """'''.splitlines()
