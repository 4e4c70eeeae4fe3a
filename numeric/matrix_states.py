"""The Jacobian of a joint state that holds matrices, by the tangent and adjoint equations themselves.

A matrix state has no closed form of blocks; J X and Jᵀ Y need none: every direction runs through the equations. A
matrix stands in the joint state row after row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from derive.derivation import Derivation
from numeric.forward_run import Run
from numeric.interpret import Array, Look, Sizes, shape_of
from numeric.namespace import NUMPY, Namespace
from numeric.operators import JointJacobian
from numeric.scene import slots
from numeric.tape import Adjoints, Joint, Tangents


class EquationsJacobian:
    """∂s_t/∂s_{t−1} of any joint state, as ``JointJacobian`` is that of one of vectors.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        space: the namespace of the values.
    """

    def __init__(self, derivation: Derivation, sizes: Sizes, space: Namespace = NUMPY) -> None:
        self.space = space
        self.slots = slots(derivation, sizes)
        self.size = max(part.stop for part in self.slots.values())
        self._shapes = {q.name: shape_of(q.symbol, sizes) for q in derivation.cell.states}
        self._tangents = Tangents(derivation, sizes, space)
        self._adjoints = Adjoints(derivation, sizes, space)

    def apply(self, look: Look, x: Array) -> Array:
        """J X for directions X of s_{t−1}, (…, N, directions)."""
        return self._joined(self._tangents.push(look, self._split(x)), x)

    def pull(self, look: Look, y: Array) -> Array:
        """Jᵀ Y for cotangents Y of s_t, (…, N, directions)."""
        return self._joined(self._adjoints.pull(look, self._split(y))[0], y)

    def along(self, run: Run, first: int = 1) -> Callable[[int, Array], Array]:
        """(t, Y) ↦ Jᵀ Y at the steps of a run."""
        return lambda t, y: self.pull(run.look(t), y)

    def formed(self, look: Look) -> Array:
        """J itself, (N, N)."""
        return self.apply(look, self.space.eye(self.size))

    def _split(self, x: Array) -> Joint:
        """(…, N, K) as (…, K, rows, columns) by state and by how many steps back."""
        turned = self.space.turned(x)
        found: Joint = {}
        for (name, _), part in self.slots.items():
            shape = (*turned.shape[:-1], *self._shapes[name])
            found.setdefault(name, []).append(self.space.xp.reshape(turned[..., part], shape))
        return found

    def _joined(self, joint: Mapping[str, Sequence[Array]], like: Array) -> Array:
        """(…, K, rows, columns) by state as (…, N, K)."""
        xp, rows = self.space.xp, list[Array]()
        lead = (*like.shape[:-2], like.shape[-1])
        for (name, back), part in self.slots.items():
            value, shape = joint[name][back], (*lead, *self._shapes[name])
            ones = (1,) * (len(value.shape) - len(shape))
            spread = xp.broadcast_to(value, ones + shape)
            rows.append(xp.reshape(spread, (*lead, part.stop - part.start)))
        return self.space.turned(self.space.concat(rows, axis=-1))


Jacobian = JointJacobian | EquationsJacobian


def jacobian_of(derivation: Derivation, sizes: Sizes, space: Namespace = NUMPY) -> Jacobian:
    """The Jacobian of a cell's joint state: by its blocks where they have a closed form, else by the equations."""
    if has_blocks(derivation):
        return JointJacobian(derivation, sizes, space=space)
    return EquationsJacobian(derivation, sizes, space)


def has_blocks(derivation: Derivation) -> bool:
    """Whether the Jacobian of a cell has blocks in closed form: no state is a matrix."""
    return all(found.value is not None for found in derivation.jacobian)
