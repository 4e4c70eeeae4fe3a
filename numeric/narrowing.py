"""A block of cotangents made narrower: after many steps few of its directions still count, and only those are kept.

‖Y‖² = ‖Y Q‖² + ‖Y − Y Q Qᵀ‖² for orthonormal columns Q, now and after every further step, since both are products with
the same Jacobians on orthogonal directions. So what is left out at δ‖Y‖² changes no logarithm by more than δ/2, for as
long as it does not outgrow the rest; random probes of it are carried along and tell. δ is a few ε, as is the rounding
of the products themselves.
"""

from __future__ import annotations

import math

import numpy as np

from numeric.interpret import Array
from numeric.namespace import Namespace

SKETCH = 5 / 8
"""Of the columns: so many at most are kept, or it is not worth a decomposition."""
MARGIN = 1.15
"""A sketch finds a little less than the best directions, and what is left out falls ever more slowly."""
NARROWEST = 16
"""A block of fewer columns costs little and stays as it is."""
PROBES = 4
FIRST = 10
"""The lag at which it is first tried."""
LEFT_OUT, ALARM = 4.0, 100.0
"""How many ε of the whole may be left out, and how many it may become later."""


class Narrowing:
    """Decides when a block is made narrower, and watches over what was left out.

    Args:
        space: the namespace of the blocks.
        seed: of the probes.

    Source: Halko, Martinsson and Tropp, SIAM Review 53 (2011), 217 (algorithms 4.1 and 4.2).
    """

    def __init__(self, space: Namespace, seed: int = 0) -> None:
        self.space, self.rng, self.due, self.probes = space, np.random.default_rng(seed), FIRST, 0
        self.eps = float(np.finfo(space.dtype).eps)
        self.small = LEFT_OUT * self.eps
        self._before: list[tuple[int, Array, int]] = []

    def outgrown(self, y: Array, length: float) -> bool:
        """Whether what was left out has become a part of the whole, whose length is given."""
        if not self.probes:
            return False
        left_out = self.space.norm(y[..., -PROBES:])
        return left_out**2 > ALARM * self.eps * length**2

    def taken_back(self, lag: int) -> tuple[int, Array]:
        """Undo the last narrowing, after which what was left out outgrew the rest at a lag; none follows before it.

        Returns:
            The lag of that narrowing, and the block as it was.
        """
        before, y, self.probes = self._before.pop()
        self.due = lag
        return before, y

    def narrowed(self, y: Array, lag: int, length: float) -> Array:
        """The block, or a narrower one of the same length to within rounding.

        Args:
            y: (…, N, columns), the probes last.
            lag: how many steps back.
            length: ‖y‖.
        """
        count = y.shape[-1] - self.probes
        if lag < self.due or count < NARROWEST:
            return y
        turned, rows = self.space.turned, self.space.turned(y)  # every direction in one piece
        block = rows[..., :count, :]
        sketch = self._drawn(y.shape[-2], int(SKETCH * count))
        q = self.space.xp.linalg.qr(block @ sketch)[0]
        along = turned(q) @ block
        rest = block - q @ along
        shares = self._left_out(along, rest, length)
        if shares[-1] > self.small:
            self.due = self._next(lag, shares[-1])
            return y
        kept = int(np.argmax(shares <= self.small))
        self.due = self._next(lag, shares[int(SKETCH * kept)])
        left_out = rest + q[..., kept:] @ along[..., kept:, :]
        probes = (self._drawn(PROBES, count) / math.sqrt(PROBES)) @ left_out
        if self.probes:
            probes = probes + rows[..., count:, :]
        self._before.append((lag, y, self.probes))
        self.probes = PROBES
        return turned(self.space.concat([along[..., :kept, :], probes], axis=-2))

    def _left_out(self, along: Array, rest: Array, length: float) -> Array:
        """By k: the share of ‖Y‖² = length² outside the first k rows of Qᵀ Yᵀ; rest is what is outside all of them."""
        rows = self.space.numpy(self.space.xp.sum(along**2, axis=-1)).astype(float).ravel()
        outside = self.space.norm(rest) ** 2
        return np.cumsum(np.append(outside, rows[::-1]))[::-1] / length**2

    def _drawn(self, rows: int, columns: int) -> Array:
        return self.space.asarray(self.rng.standard_normal((rows, columns)))

    def _next(self, lag: int, share: float) -> int:
        """The share left out falls about like e^(−a·lag): when it will be small enough."""
        wanted = MARGIN * lag * math.log(self.small) / math.log(min(share, 0.9))
        return max(lag + 4, min(4 * lag, math.ceil(wanted)))
