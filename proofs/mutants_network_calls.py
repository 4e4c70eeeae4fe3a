"""A network's generated file called with a sample, as ``Call`` calls that of a cell."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from proofs import network_layout as layout
from proofs.mutants_answers import Call, whole
from proofs.network_samples import NetworkSample
from proofs.samples import Arrays


class NetworkCall(Call):
    """The arguments of a network's generated functions.

    Args:
        sample: the run they are for.
    """

    def __init__(self, sample: NetworkSample) -> None:
        self.network = sample.network
        self.params = layout.parameters(sample, np.float64)
        self.inputs = list(layout.inputs(sample, np.float64).values())
        self.state = layout.state(sample, np.float64)
        self.keywords = layout.keywords(sample)
        self.outputs_bar = layout.outputs_bar(sample, np.float64)
        self.final_bar = layout.final_bar(sample, np.float64)

    def beyond(self, module: ModuleType) -> dict[str, Arrays]:
        """The sum of the network's own losses, and its gradients; and a single step, where there is one."""
        value, gradients = module.value_and_grad(
            self.params, *self.inputs, self.state, **self.keywords
        )
        parts = whole(value, gradients)
        if hasattr(module, "step"):
            first = layout.at_step(self.network, self.inputs, 0)
            parts["step"], parts["state after a step"] = module.step(
                self.params, *first, self.state
            )
        return parts
