"""How much of the last step's loss reaches the start of each layer of a network, by the length of the sequence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import ModuleType

import numpy as np

from derive.network import Network
from proofs import network_layout
from proofs.network_samples import draw_extent, draw_network

LIFT = 960
"""Powers of two by which a loss is multiplied, up or down, where its gradient leaves the floats."""
TINY = 1e-280
"""Beyond it and its inverse a gradient is computed again: some of it may have been lost."""


def log_state_norms(
    network: Network, module: ModuleType, lengths: Sequence[int], *, samples: int = 4
) -> dict[str, np.ndarray]:
    """log ‖∂L_T/∂s_0‖ for the state s of each layer, by the length T: how much of the last loss reaches its start.

    Args:
        network: the network; the loss counts at the last step only, and where it declares none, L is half the squared
            sum of the last step's outputs.
        module: its generated file.
        lengths: T.
        samples: sequences of random data, one after the other; the norm is their root mean square.

    Returns:
        Natural logarithms by name of the state, (lengths,): also of norms that are no floats; minus infinity where
        nothing arrives. A layer that runs in reverse starts at the last step.
    """
    found: dict[str, list[float]] = {}
    for steps in lengths:
        logs: dict[str, list[float]] = {}
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

            def pulled(factor: float, given=(params, cache, bars)) -> Mapping[str, np.ndarray]:
                p, c, b = given
                return module.backward(p, c, {k: factor * v for k, v in b.items()})[2]

            for name, log in _log_norms(pulled).items():
                logs.setdefault(name, []).append(log)
        for name, every in logs.items():
            square = np.logaddexp.reduce(2 * np.array(every)) - math.log(samples)
            found.setdefault(name, []).append(float(square) / 2)
    return {name: np.array(values) for name, values in found.items()}


def _log_norms(pulled: Callable[[float], Mapping[str, np.ndarray]]) -> dict[str, float]:
    """log of each norm of what is linear in a factor, which is chosen so that nothing leaves the floats."""
    found: dict[str, float] = {}
    for power in (0, LIFT, -LIFT):
        with np.errstate(all="ignore"):
            values = pulled(2.0**power)
        for name, value in values.items():
            size = float(np.abs(value).max(initial=0.0))
            if TINY < size < 1 / TINY and found.get(name, -math.inf) == -math.inf:
                length = math.log(size) + math.log(float(np.linalg.norm(value / size)))
                found[name] = length - power * math.log(2)
            found.setdefault(name, -math.inf)
        if -math.inf not in found.values():
            break
    return found


def _last(output: np.ndarray, itself: bool) -> np.ndarray:
    """The gradient by an output, at its last step only: one, or the output itself."""
    bar = np.zeros_like(output)
    bar[-1] = output[-1] if itself else 1.0
    return bar
