"""A cell as a module of torch: its gradients are autograd's, and what torch cannot know is refused."""

from __future__ import annotations

from typing import Any

import pytest

import throughtime
from derive.errors import ArgumentError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")
WIDE = {"dtype": torch.float64}


def module_of(text: str, **sizes: int) -> Any:
    return throughtime.read(text, "mine").to_torch(seed=1, **sizes)


def test_a_parameter_that_is_a_number_and_a_constant_have_autograds_gradients() -> None:
    module = module_of(
        "const a\ndim z = 1\nh[t] = a * z * h[t-1] + W @ h[t-3] + x[t]\ninit z = 0.7", n=3
    )
    x = torch.randn(5, 2, 3, **WIDE, requires_grad=True)
    h = torch.randn(3, 2, 3, **WIDE, requires_grad=True)
    outputs, final = module(x, state={"h": h}, a=0.3)
    found = torch.autograd.grad(
        outputs["h"].sin().sum() + final["h"].cos().sum(), [module.z, module.W, x, h]
    )
    states = list(h)
    for x_t in x:
        states.append(0.3 * module.z * states[-1] + states[-3] @ module.W.T + x_t)
    loss = torch.stack(states[3:]).sin().sum() + torch.stack(states[-3:]).cos().sum()
    for ours, theirs in zip(
        found, torch.autograd.grad(loss, [module.z, module.W, x, h]), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_cell_without_parameters_or_inputs_goes_as_many_steps_as_it_is_told() -> None:
    module = module_of("h[t] = sin(h[t-1])", n=2)
    h = torch.tensor([[0.3, 1.0]], **WIDE, requires_grad=True)
    outputs, _ = module(state={"h": h}, steps=3)
    torch.testing.assert_close(outputs["h"][-1], h.sin().sin().sin())
    (bar,) = torch.autograd.grad(outputs["h"][-1].sum(), h)
    torch.testing.assert_close(bar, torch.autograd.grad(h.sin().sin().sin().sum(), h)[0])


def test_weights_that_changed_between_the_passes_are_refused_as_torch_refuses_them() -> None:
    module = module_of("h[t] = tanh(W @ h[t-1] + x[t])", n=2)
    loss = module(torch.ones(4, 1, 2, **WIDE))[0]["h"].sum()
    with torch.no_grad():
        module.W.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_gradient_is_not_differentiated_again_in_silence() -> None:
    module = module_of("h[t] = tanh(W @ h[t-1] + x[t])", n=2)
    loss = (module(torch.ones(4, 1, 2, **WIDE))[0]["h"] ** 2).sum()
    (bar,) = torch.autograd.grad(loss, module.W, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        (loss + (bar**2).sum()).backward()


def test_a_call_with_other_inputs_or_states_is_told() -> None:
    module = module_of("h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ z[t])", n=2, m=3, m_z=4)
    x, z = torch.ones(4, 1, 3, **WIDE), torch.ones(4, 1, 4, **WIDE)
    with pytest.raises(TypeError, match="found 1 inputs: expected x, z, in this order"):
        module(x)
    with pytest.raises(ValueError, match="state does not know hidden: expected h"):
        module(x, z, state={"hidden": torch.zeros(1, 2, **WIDE)})


def test_sizes_and_names_that_make_no_module_are_told() -> None:
    with pytest.raises(ArgumentError, match="n = 0: expected a whole number from 1"):
        module_of("h[t] = tanh(W @ h[t-1])", n=0)
    with pytest.raises(ArgumentError, match="A torch module keeps the name type for itself"):
        module_of("h[t] = tanh(type @ h[t-1])", n=2)
