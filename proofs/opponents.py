"""Other people's gradient checks, run on the same broken code: what they accept, at their own defaults.

Each checks the two passes of a generated module as its users would: wrapped as an operation of the framework, every
parameter, input and initial value an argument, every output and final value compared. An exception counts as a
refusal. Memory from ``np.empty`` is not a number for them as it is for us, so that no verdict depends on luck.

    gradcheck             torch.autograd.gradcheck(f, inputs), double precision (eps 1e-6, atol 1e-5, rtol 1e-3)
    check_grads           jax.test_util.check_grads(f, args, order=1, modes=["rev"]), double precision
    central differences   the usual twenty lines: eps 1e-6 on a scalar loss, relative error in norm below 1e-4
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from proofs.opponents_tasks import Task

EPSILON, RELATIVE = 1e-6, 1e-4
Accepts = Callable[[ModuleType, Task], bool]


@dataclass(frozen=True, slots=True)
class Opponent:
    """A gradient check.

    Args:
        name: what it is called.
        package: the package it comes from, empty if it needs none.
        accepts: whether it accepts a module's backward pass on a task; may raise anything, which is a refusal.
    """

    name: str
    package: str
    accepts: Accepts

    @property
    def version(self) -> str:
        """The package's version; empty if it is not installed, or if there is no package."""
        try:
            return version(self.package) if self.package else ""
        except PackageNotFoundError:
            return ""

    @property
    def present(self) -> bool:
        """Whether it can run here."""
        return not self.package or find_spec(self.package) is not None

    def refuses(self, module: ModuleType, task: Task) -> bool:
        """Whether it notices: it says no, or it raises."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return not self.accepts(module, task)
            except Exception:  # noqa: BLE001 - whatever broken code raises would be noticed
                return True


def by_torch(module: ModuleType, task: Task) -> bool:
    """``torch.autograd.gradcheck`` with its defaults."""
    torch: Any = import_module("torch")
    operation = _torch_operation(torch, module, task)
    inputs = [torch.tensor(v, requires_grad=True) for v in task.arrays]
    return bool(torch.autograd.gradcheck(operation.apply, inputs))


def _torch_operation(torch: Any, module: ModuleType, task: Task) -> Any:
    class Passes(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *given: Any) -> Any:
            ctx.given = [v.detach().numpy().copy() for v in given]
            return tuple(torch.from_numpy(v.copy()) for v in task.values(module, ctx.given))

        @staticmethod
        def backward(ctx: Any, *bars: Any) -> Any:
            found = task.pulled(module, ctx.given, [b.detach().numpy().copy() for b in bars])
            return tuple(torch.from_numpy(np.array(v)) for v in found)

    return Passes


def by_jax(module: ModuleType, task: Task) -> bool:
    """``jax.test_util.check_grads`` in double precision, reverse mode, first order."""
    jax: Any = import_module("jax")
    check_grads = import_module("jax.test_util").check_grads
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    given = tuple(jnp.asarray(v) for v in task.arrays)

    @jax.custom_vjp
    def passes(*args: Any) -> Any:
        return tuple(jnp.asarray(v) for v in task.values(module, [np.array(a) for a in args]))

    def bwd(args: Any, bars: Any) -> Any:
        found = task.pulled(module, [np.array(a) for a in args], [np.array(b) for b in bars])
        return tuple(jnp.asarray(v) for v in found)

    passes.defvjp(lambda *args: (passes(*args), args), bwd)
    try:
        check_grads(passes, given, order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def by_differences(module: ModuleType, task: Task) -> bool:
    """Central differences of the loss Σ ½ ‖output − target‖² by every entry, block by block."""
    arrays = [v.copy() for v in task.arrays]
    values = task.values(module, arrays)
    rng = np.random.default_rng(len(arrays))
    targets = [rng.standard_normal(v.shape) for v in values]
    found = task.pulled(module, arrays, [v - y for v, y in zip(values, targets, strict=True)])

    def loss() -> float:
        now = task.values(module, arrays)
        return sum(0.5 * float(np.sum((v - y) ** 2)) for v, y in zip(now, targets, strict=True))

    for block, gradient in zip(arrays, found, strict=True):
        if gradient.shape != block.shape:
            return False
        numeric = np.zeros_like(block)
        for entry in np.ndindex(*block.shape):
            kept = block[entry]
            block[entry] = kept + EPSILON
            above = loss()
            block[entry] = kept - EPSILON
            numeric[entry] = (above - loss()) / (2 * EPSILON)
            block[entry] = kept
        scale = max(np.linalg.norm(numeric) + np.linalg.norm(gradient), 1e-8)
        if not np.linalg.norm(numeric - gradient) / scale < RELATIVE:
            return False
    return True


OPPONENTS = (
    Opponent("gradcheck", "torch", by_torch),
    Opponent("check_grads", "jax", by_jax),
    Opponent("central differences", "", by_differences),
)
