"""A block of cotangents made narrower: after many steps few of its directions still count, and only those are kept.

‖Y‖² = ‖Y Q‖² + ‖Y − Y Q Qᵀ‖² for orthonormal columns Q, now and after every further step, since both are products with
the same Jacobians on orthogonal directions. So what is left out at ε‖Y‖² changes no logarithm by more than ε/2, for as
long as it does not outgrow the rest; random probes of it are carried along and tell.
"""

from __future__ import annotations

import math

import numpy as np

from numeric.interpret import Array
from numeric.namespace import Namespace

KEPT = 3 / 8
"""Of the columns, at every narrowing."""
NARROWEST = 32
"""A block of fewer columns costs little and stays as it is."""
PROBES = 4
FIRST = 8
"""The lag at which it is first tried."""
ALARM = 100.0
"""What was left out may reach this many ε of the whole."""


class Narrowing:
    """Decides when a block is made narrower, and watches over what was left out.

    Args:
        space: the namespace of the blocks.
        seed: of the probes.

    Source: Halko, Martinsson and Tropp, SIAM Review 53 (2011), 217 (algorithms 4.1 and 4.2).
    """

    def __init__(self, space: Namespace, seed: int = 0) -> None:
        self.space, self.rng, self.due, self.probes = space, np.random.default_rng(seed), FIRST, 0
        self.rounding = float(np.finfo(space.dtype).eps)

    def outgrown(self, y: Array, length: float) -> bool:
        """Whether what was left out has become a part of the whole, whose length is given."""
        if not self.probes:
            return False
        left_out = self.space.norm(y[..., -PROBES:])
        return left_out**2 > ALARM * self.rounding * length**2

    def narrowed(self, y: Array, lag: int, length: float) -> Array:
        """The block, or a narrower one of the same length to within rounding.

        Args:
            y: (…, N, columns), the probes last.
            lag: how many steps back.
            length: ‖y‖.
        """
        columns = y.shape[-1] - self.probes
        if lag < self.due or columns < NARROWEST:
            return y
        block = y[..., :columns]
        q = self.space.xp.linalg.qr(self.space.turned(block) @ self._drawn(y.shape[-2], columns))[0]
        kept = block @ q
        rest = block - kept @ self.space.turned(q)
        share = (self.space.norm(rest) / length) ** 2
        if share > self.rounding:
            self.due = self._next(lag, share)
            return y
        self.due = lag + lag // 2
        probes = rest @ self.space.asarray(
            self.rng.standard_normal((columns, PROBES)) / math.sqrt(PROBES)
        )
        if self.probes:
            probes = probes + y[..., columns:]
        self.probes = PROBES
        return self.space.concat([kept, probes], axis=-1)

    def _drawn(self, rows: int, columns: int) -> Array:
        return self.space.asarray(self.rng.standard_normal((rows, int(KEPT * columns))))

    def _next(self, lag: int, share: float) -> int:
        """The share left out falls like e^(−a·lag): when it will be small enough."""
        wanted = lag * math.log(self.rounding) / math.log(min(share, 0.9))
        return max(lag + 4, min(4 * lag, math.ceil(wanted)))
