"""A cell as a module of torch: the generated forward and backward pass behind torch's autograd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.errors import ArgumentError
from numeric.weights.files import library

if TYPE_CHECKING:
    from throughtime.model import Model


def torch_module(model: Model, seed: int, sizes: Mapping[str, int]) -> Any:
    """A ``torch.nn.Module`` that computes with the generated code, on the CPU.

    Args:
        model: the cell.
        seed: of the parameters at the start.
        sizes: the cell's dimensions by name.

    Returns:
        A module; its parameters have the cell's names. It is called with the inputs (T, B, …), in the order of the
        equations, by ``state=`` with values before the first step (zeros for those left out), and with what ``forward``
        takes besides: constants, and ``steps`` where there is no input. It returns two dicts: the outputs (T, B, …) and
        the state after the last step. They can be differentiated once.

    Raises:
        ArgumentError: a size is missing, unknown or no whole number from 1; torch keeps a parameter's name for itself,
            or is not installed.
    """
    from proofs.modules import load_source

    torch = library("torch", "A torch module")
    dims = [str(d) for d in model.cell.dims]
    if set(sizes) != set(dims):
        raise ArgumentError(
            f"The cell {model.name} has the sizes {', '.join(dims)}; given: {', '.join(sizes) or 'none'}.",
            f"For example to_torch({', '.join(f'{d}=4' for d in dims)}).",
        )
    if wrong := [f"{d} = {k!r}" for d, k in sizes.items() if not isinstance(k, int) or k < 1]:
        raise ArgumentError(f"{wrong[0]}: expected a whole number from 1.", "Give another size.")
    code = load_source(model.generate().source)
    names = [q.name for q in model.cell.inputs]
    through = _function(torch, code, names)
    start = code.init_params(*(sizes[d] for d in dims), seed=seed)
    if taken := [name for name in start if hasattr(torch.nn.Module(), name)]:
        raise ArgumentError(
            f"A torch module keeps the name {taken[0]} for itself.", "Call the parameter otherwise."
        )

    class Cell(torch.nn.Module):  # type: ignore[misc, name-defined]
        """The generated code of one cell."""

        def __init__(self) -> None:
            super().__init__()
            for name, value in start.items():
                self.register_parameter(name, torch.nn.Parameter(torch.from_numpy(np.array(value))))

        def forward(
            self, *inputs: Any, state: Mapping[str, Any] | None = None, **besides: Any
        ) -> tuple[Any, Any]:
            """The outputs and the state after the last step."""
            if len(inputs) != len(names):
                raise TypeError(
                    f"found {len(inputs)} inputs: expected {', '.join(names) or 'none'}, in this order"
                )
            parameters, first = dict(self.named_parameters()), dict(state or {})
            call = _Call(tuple(parameters), tuple(first), besides)
            values = through.apply(call, *parameters.values(), *inputs, *first.values())
            count = len(call.outputs)
            return (
                dict(zip(call.outputs, values[:count], strict=True)),
                dict(zip(call.final, values[count:], strict=True)),
            )

    return Cell()


@dataclass
class _Call:
    """What one call is about, by name: what it is given, and what it returns once it has run."""

    parameters: tuple[str, ...]
    states: tuple[str, ...]
    besides: Mapping[str, Any]
    outputs: tuple[str, ...] = ()
    final: tuple[str, ...] = ()

    def parted(self, tensors: Sequence[Any]) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
        """The tensors as arrays: the parameters, the inputs, and the values before the first step."""
        arrays = [tensor.detach().numpy() for tensor in tensors]
        p, s = len(self.parameters), len(arrays) - len(self.states)
        return (
            dict(zip(self.parameters, arrays[:p], strict=True)),
            arrays[p:s],
            dict(zip(self.states, arrays[s:], strict=True)),
        )


def _function(torch: Any, code: ModuleType, inputs: Sequence[str]) -> Any:
    """The generated passes as a ``torch.autograd.Function``."""

    class Through(torch.autograd.Function):  # type: ignore[misc, name-defined]
        """Forward and backward as generated."""

        @staticmethod
        def forward(ctx: Any, call: _Call, *tensors: Any) -> Any:
            params, given, state = call.parted(tensors)
            outputs, final, cache = code.forward(params, *given, state, **call.besides)
            call.outputs, call.final = tuple(outputs), tuple(final)
            ctx.save_for_backward(*tensors)
            ctx.kept = call, cache
            values = (*outputs.values(), *final.values())
            return tuple(torch.from_numpy(np.array(value)) for value in values)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, *bars: Any) -> Any:
            call, cache = ctx.kept
            params, _, _ = call.parted(ctx.saved_tensors)  # torch refuses what was changed since
            arrays = [bar.contiguous().numpy() for bar in bars]
            outputs_bar = dict(zip(call.outputs, arrays, strict=False))
            final_bar = dict(zip(call.final, arrays[len(call.outputs) :], strict=True))
            found = code.backward(params, cache, outputs_bar, final_bar)
            ordered = [found[0][k] for k in params] + [found[1].get(k) for k in inputs]
            ordered += [found[2][k] for k in call.states]
            tensors = [None if x is None else torch.from_numpy(np.array(x)) for x in ordered]
            return None, *tensors

    return Through
