"""A network's task for other gradient checks: its usual setting."""

from __future__ import annotations

from random import Random

import numpy as np

from derive.network import Network
from proofs.mutants_module import module_of
from proofs.mutants_network_calls import NetworkCall
from proofs.network_samples import draw_extent, draw_network
from proofs.opponents_tasks import SEED, SETTINGS, Task


def network_task(network: Network, source: str) -> Task:
    """A task for a network: its usual initial weights, random sequences, initial values of zero.

    Args:
        network: the network.
        source: the right source, for its initial weights.
    """
    rng = Random(SEED)  # noqa: S311 - no secret
    sample = draw_network(network, draw_extent(network, rng, largest=3), SEED)
    sizes = sample.extent.sizes
    initial = module_of(source).init_params(*(sizes[d] for d in network.dims), seed=SEED)
    call = NetworkCall(sample)
    call.params = {n: np.asarray(v, float) for n, v in initial.items()}
    call.state = {n: np.zeros_like(v) for n, v in call.state.items()}
    indices = frozenset(i for i, q in enumerate(network.inputs) if q.kind == "index")
    real = tuple(q.name for q in network.inputs if q.kind != "index")
    return Task(call, SETTINGS[0], indices=indices, real=real)
