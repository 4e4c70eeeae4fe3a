"""How large the gradient of each segment is at the start of training, on random data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from types import ModuleType

import numpy as np

from derive.network import Network
from proofs import network_layout
from proofs.network_samples import draw_extent, draw_network


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Of the parameters θ that one segment uses.

    Args:
        gradient: ‖∂L/∂θ‖.
        weights: ‖θ‖.
        entries: their number.
    """

    gradient: float
    weights: float
    entries: int

    @property
    def relative(self) -> float:
        """‖∂L/∂θ‖ / ‖θ‖; infinite where θ starts at zero."""
        return self.gradient / self.weights if self.weights else math.inf


def gradient_norms(
    network: Network, module: ModuleType, *, steps: int = 20, samples: int = 8
) -> dict[str, LayerNorm]:
    """‖∂L/∂θ‖ and ‖θ‖ over the parameters θ that each segment uses.

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
    found: dict[str, LayerNorm] = {}
    for s in network.segments:
        names = [q.name for q in s.cell.parameters]
        if names:
            gradient, weights = (
                math.sqrt(sum(float(np.sum(np.square(arrays[k]))) for k in names))
                for arrays in (by_params, params)
            )
            found[s.name] = LayerNorm(gradient, weights, sum(params[k].size for k in names))
    return found
