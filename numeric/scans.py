"""Linear recurrences over all steps at once, for generated files; the generator copies what a file calls.

    h_t = a_t ∘ h_{t−1} + b_t

Steps compose: (a', b') ∘ (a, b) = (a' a, a' b + b'), and this is associative. So the steps are cut into chunks; within
all chunks at once the products of the factors and the values from zero are formed, and then the state is carried from
chunk to chunk. There are only products, no quotients: a product that vanishes does no harm.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def chunks_of(T: int, width: int) -> tuple[int, int]:
    """How many chunks of how many steps: √T of them, fewer where steps are wide; one where a step fills a call."""
    count = min(int(T**0.5), 16384 // width) if T > 5 and width < 1024 else 1
    length = -(-T // count)
    return -(-T // length), length


def running_sum(b: Array, before: Array) -> Array:
    """h_t = h_{t−1} + b_t, from ``before``, (1, …)."""
    whole = np.concatenate((before, b))
    if b[0].size < 256:
        return np.cumsum(whole, axis=0)[1:]
    for t in range(1, len(whole)):
        whole[t] += whole[t - 1]
    return whole[1:]


def linear_scan(a: Array, b: Array, before: Array) -> Array:
    """h_t = a_t ∘ h_{t−1} + b_t for all t, from ``before``, (1, …); a may be narrower than b and broadcasts."""
    T = len(b)
    count, length = chunks_of(T, b[0].size)
    if count == 1:
        return coupled_scan([(0, 0, 1, a)], [b], [before])[0]
    spare = count * length - T  # fills the last chunk; what comes out there is not looked at
    factor = np.concatenate((a, a[:spare])).reshape(count, length, *a.shape[1:])
    value = np.concatenate((b, b[:spare])).reshape(count, length, *b.shape[1:])
    value[0, 0] += factor[0, 0] * before[0]
    for i in range(1, length):
        value[:, i] += factor[:, i] * value[:, i - 1]
        factor[1:, i] *= factor[1:, i - 1]
    for c in range(1, count):
        value[c] += factor[c] * value[c - 1, -1]
    return value.reshape(-1, *b.shape[1:])[:T]


def adjoint_scan(a: Array, g: Array) -> Array:
    """h̄_t = g_t + a_{t+1} ∘ h̄_{t+1} for all t, with nothing after the last step."""
    later = np.concatenate((np.zeros_like(a[:1]), a[:0:-1]))
    return linear_scan(later, g[::-1], np.zeros_like(g[:1]))[::-1]


def coupled_scan(
    factors: list[tuple[int, int, int, Array]], rests: list[Array], before: list[Array]
) -> list[Array]:
    """Several recurrences that read each other: h_{i,t} = Σ a_t ∘ h_{j,t−d} + b_{i,t} over the factors (i, j, d, a).

    ``before`` holds each one's values before the first step, the oldest first.
    """
    depths = [len(h) for h in before]
    at = [sum(depths[:i]) for i in range(len(depths))]
    T, size = len(rests[0]), sum(depths)
    count, length = chunks_of(T, rests[0][0].size * size)
    if count == 1:
        return one_by_one(factors, rests, before)
    spare = count * length - T  # fills the last chunk; what comes out there is not looked at
    shape = (count, length, *rests[0].shape[1:])
    rows, factor = [], np.zeros((size, size, count * length, *shape[2:]), rests[0].dtype)
    for i, j, d, a in factors:
        factor[at[i], at[j] + d - 1, :T] += a
    for k, depth, b in zip(at, depths, rests, strict=True):
        whole = np.concatenate((b, b[:spare]))
        rows += [whole, *[np.zeros_like(whole)] * (depth - 1)]
        for back in range(1, depth):
            factor[k + back, k + back - 1] = 1
    factor, value = factor.reshape(size, size, *shape), np.stack(rows).reshape(size, *shape)
    first = np.concatenate([h[::-1] for h in before])
    value[:, 0, 0] += (factor[:, :, 0, 0] * first).sum(axis=1)
    for i in range(1, length):
        value[:, :, i] += (factor[:, :, :, i] * value[:, :, i - 1]).sum(axis=1)
        made = factor[:, :, None, 1:, i] * factor[None, :, :, 1:, i - 1]
        factor[:, :, 1:, i] = made.sum(axis=1)
    for c in range(1, count):
        value[:, c] += (factor[:, :, c] * value[:, c - 1, None, -1][None]).sum(axis=1)
    found = value.reshape(size, -1, *shape[2:])[:, :T]
    return [found[k] for k in at]


def one_by_one(
    factors: list[tuple[int, int, int, Array]], rests: list[Array], before: list[Array]
) -> list[Array]:
    """The same, step after step."""
    whole = [np.concatenate((h, b)) for h, b in zip(before, rests, strict=True)]
    now = [len(h) for h in before]
    for t in range(len(rests[0])):
        for i, j, d, a in factors:
            whole[i][now[i] + t] += a[t] * whole[j][now[j] + t - d]
    return [h[n:] for h, n in zip(whole, now, strict=True)]


def coupled_adjoint_scan(
    factors: list[tuple[int, int, int, Array]], gradients: list[Array]
) -> list[Array]:
    """h̄_{j,t} = g_{j,t} + Σ a_{t+d} ∘ h̄_{i,t+d} over the factors (i, j, d, a), with nothing after the last step."""
    turned, depths = [], [1] * len(gradients)
    for i, j, d, a in factors:
        later = np.zeros_like(a)
        later[d:] = a[: d - 1 if d > 1 else None : -1][: len(a) - d]
        turned.append((j, i, d, later))
        depths[i] = max(depths[i], d)
    before = [np.zeros((d, *g.shape[1:]), g.dtype) for d, g in zip(depths, gradients, strict=True)]
    found = coupled_scan(turned, [g[::-1] for g in gradients], before)
    return [h[::-1] for h in found]


NAMES = (
    "chunks_of", "running_sum", "linear_scan", "adjoint_scan", "coupled_scan", "one_by_one", "coupled_adjoint_scan",
)  # fmt: skip
