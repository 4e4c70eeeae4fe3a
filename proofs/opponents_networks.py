"""A network's task for other gradient checks: its usual setting."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import numpy as np

from derive.network import Network
from proofs import network_layout as layout
from proofs.mutants_answers import Call
from proofs.mutants_module import module_of
from proofs.network_samples import NetworkSample, draw_extent, draw_network
from proofs.opponents_tasks import SEED, SETTINGS, Task


class NetworkCall:
    """The arguments of a network's generated functions, as ``Call`` has those of a cell's.

    Args:
        sample: the run they are for.
        params: the parameters.
    """

    def __init__(self, sample: NetworkSample, params: dict[str, Any]) -> None:
        self.params = params
        self.inputs = list(layout.inputs(sample, np.float64).values())
        self.state = {n: np.zeros_like(v) for n, v in layout.state(sample, np.float64).items()}
        self.keywords = layout.keywords(sample)
        self.outputs_bar = layout.outputs_bar(sample, np.float64)
        self.final_bar = layout.final_bar(sample, np.float64)


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
    call = NetworkCall(sample, {n: np.asarray(v, float) for n, v in initial.items()})
    indices = frozenset(i for i, q in enumerate(network.inputs) if q.kind == "index")
    real = tuple(q.name for q in network.inputs if q.kind != "index")
    return Task(cast(Call, call), SETTINGS[0], indices=indices, real=real)
