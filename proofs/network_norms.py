"""How large the gradient of each segment is at the start of training, on random data."""

from __future__ import annotations

from random import Random
from types import ModuleType

import numpy as np

from derive.network import Network
from proofs import network_layout
from proofs.network_samples import draw_extent, draw_network


def gradient_norms(
    network: Network, module: ModuleType, *, steps: int = 20, samples: int = 8
) -> dict[str, float]:
    """‖∂L/∂θ‖ over the parameters θ that each segment uses.

    Args:
        network: the network; where it declares no loss, L is half the squared sum of all outputs.
        module: its generated file.
        steps: T.
        samples: B.

    Returns:
        The norms by segment, without segments that have no parameters.
    """
    rng = Random(0)  # noqa: S311 - no secret
    extent = draw_extent(network, rng, smallest=8, largest=16, steps=steps, samples=samples)
    sample = draw_network(network, extent, 0)
    params = module.init_params(*extent.sizes.values(), seed=0)
    given = [params, *network_layout.inputs(sample, np.float64).values(), None]
    state = {k: np.zeros_like(v) for k, v in network_layout.state(sample, np.float64).items()}
    given[-1] = state
    outputs, _, cache = module.forward(*given, **network_layout.keywords(sample))
    bars = dict(outputs)
    if network.loss is not None:
        bars = {network.loss.name: np.ones_like(outputs[network.loss.name])}
    by_params = module.backward(params, cache, bars)[0]
    found: dict[str, float] = {}
    for s in network.segments:
        parts = [float(np.sum(by_params[q.name] ** 2)) for q in s.cell.parameters]
        if parts:
            found[s.name] = float(np.sqrt(sum(parts)))
    return found
