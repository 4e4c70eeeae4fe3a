"""How much of the last step's loss reaches the start of each layer of a network, by the length of the sequence."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from types import ModuleType

import numpy as np

from derive.network import Network
from proofs import network_layout
from proofs.network_samples import draw_extent, draw_network


def state_norms(
    network: Network, module: ModuleType, lengths: Sequence[int], *, samples: int = 4
) -> dict[str, np.ndarray]:
    """‖∂L_T/∂s_0‖ for the state s of each layer, by the length T: how much of the last step's loss reaches its start.

    Args:
        network: the network; the loss counts at the last step only, and where it declares none, L is half the squared
            sum of the last step's outputs.
        module: its generated file.
        lengths: T.
        samples: sequences of random data, one after the other; the norm is their root mean square.

    Returns:
        The norms by name of the state, (lengths,). A layer that runs in reverse starts at the last step.
    """
    found: dict[str, list[float]] = {}
    for steps in lengths:
        squares: dict[str, float] = {}
        for seed in range(samples):
            extent = draw_extent(network, Random(0), smallest=8, largest=16, steps=steps, samples=1)  # noqa: S311 - no secret
            sample = draw_network(network, extent, seed)
            params = module.init_params(*extent.sizes.values(), seed=seed)
            state = {
                k: np.zeros_like(v) for k, v in network_layout.state(sample, np.float64).items()
            }
            given = [params, *network_layout.inputs(sample, np.float64).values(), state]
            outputs, _, cache = module.forward(*given, **network_layout.keywords(sample))
            last = {network.loss.name} if network.loss is not None else set(outputs)
            bars = {k: _last(v, network.loss is None) for k, v in outputs.items() if k in last}
            for name, value in module.backward(params, cache, bars)[2].items():
                squares[name] = squares.get(name, 0.0) + float(np.sum(value**2)) / samples
        for name, square in squares.items():
            found.setdefault(name, []).append(float(np.sqrt(square)))
    return {name: np.array(values) for name, values in found.items()}


def _last(output: np.ndarray, itself: bool) -> np.ndarray:
    """The gradient by an output, at its last step only: one, or the output itself."""
    bar = np.zeros_like(output)
    bar[-1] = output[-1] if itself else 1.0
    return bar
