"""A cell as a module of torch: the generated forward and backward pass behind torch's autograd."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

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
        A module; its parameters have the cell's names. It is called with the inputs (T, B, …) and, by ``state=``, the
        values before the first step, and returns two dicts: the outputs (T, B, …) and the state after the last step.

    Raises:
        ArgumentError: a size is missing or unknown, or torch is not installed.
    """
    from proofs.modules import load_source

    torch = library("torch", "A torch module")
    dims = [str(d) for d in model.cell.dims]
    if set(sizes) != set(dims):
        raise ArgumentError(
            f"The cell {model.name} has the sizes {', '.join(dims)}; given: {', '.join(sizes) or 'none'}.",
            f"For example to_torch({', '.join(f'{d}=4' for d in dims)}).",
        )
    code = load_source(model.generate().source)
    names = [q.name for q in model.cell.inputs]
    function = _function(torch, code, names)
    given = [sizes[d] for d in dims]

    class Cell(torch.nn.Module):  # type: ignore[misc, name-defined]
        """The generated code of one cell."""

        def __init__(self) -> None:
            super().__init__()
            for name, value in code.init_params(*given, seed=seed).items():
                self.register_parameter(name, torch.nn.Parameter(torch.from_numpy(value)))

        def forward(self, *inputs: Any, state: Mapping[str, Any] | None = None) -> tuple[Any, Any]:
            """The outputs and the state after the last step."""
            parameters = dict(self.named_parameters())
            reference = next(iter(parameters.values()))
            zeros = code.init_state(inputs[0].shape[1], *given)
            start = {
                name: (state or {}).get(name, torch.from_numpy(zero).to(reference.dtype))
                for name, zero in zeros.items()
            }
            values = function.apply(
                tuple(parameters), tuple(start), *parameters.values(), *inputs, *start.values()
            )
            last = function.names
            count = len(last[0])
            return (
                dict(zip(last[0], values[:count], strict=True)),
                dict(zip(last[1], values[count:], strict=True)),
            )

    return Cell()


def _function(torch: Any, code: ModuleType, inputs: list[str]) -> Any:
    """The generated passes as a ``torch.autograd.Function``."""

    class Through(torch.autograd.Function):  # type: ignore[misc, name-defined]
        """Forward and backward as generated."""

        names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

        @staticmethod
        def forward(ctx: Any, parameters: tuple[str, ...], states: tuple[str, ...], *tensors: Any) -> Any:  # fmt: skip
            arrays = [t.detach().numpy() for t in tensors]
            p, s = len(parameters), len(states)
            params = dict(zip(parameters, arrays[:p], strict=True))
            state = dict(zip(states, arrays[len(arrays) - s :], strict=True))
            outputs, final, cache = code.forward(params, *arrays[p : len(arrays) - s], state)
            ctx.kept = params, cache, tuple(outputs), tuple(final), states
            Through.names = tuple(outputs), tuple(final)
            values = (*outputs.values(), *final.values())
            return tuple(torch.from_numpy(value.copy()) for value in values)

        @staticmethod
        def backward(ctx: Any, *bars: Any) -> Any:
            params, cache, outputs, final, states = ctx.kept
            arrays = [bar.contiguous().numpy() for bar in bars]
            outputs_bar = dict(zip(outputs, arrays, strict=False))
            final_bar = dict(zip(final, arrays[len(outputs) :], strict=True))
            found = code.backward(params, cache, outputs_bar, final_bar)
            ordered = [found[0][k] for k in params] + [found[1].get(k) for k in inputs]
            ordered += [found[2][k] for k in states]
            tensors = [None if each is None else torch.from_numpy(each.copy()) for each in ordered]
            return None, None, *tensors

    return Through
