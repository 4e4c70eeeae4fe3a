"""Inputs nearly right: an example, changed in a few places at random."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

NASTY = (
    b"\x00", b"\xff", b"\xc3\x28", "\u202e".encode(), "\u200b".encode(), "е".encode(), "ﬁ".encode(), b"\r", b"\t",
    b"(" * 200, b")" * 50, b"[" * 99,
    b"{", b"}", b"\\", b'"', b"'", b"'''", b"`", b"$", b"</script>", b"<!--", b"&amp;",
    b"__import__('os')", b"eval", b"exec", b"lambda x: x", b"\\input{x}", b"%s%n", b"{0}", b"${HOME}", b"; rm -rf /",
    b"9" * 400, b"1e999", b"-1", b"0", b"1/0", b"nan", b"inf", b"[t+1]", b"[t-0]", b"[t-99999]", b"h[t]",
    b"x[t]", b"W @",
    b".T", b"**", b"** 99", b"concat(", b"sum(", b"scan(", b"dL/d", b"d+", b"== ", b"=", b"\n", b"\n\n",
    b"#", b"claim : ",
    b"cell lstm\n", b"dim n = ", b"const a = ", b"option g = ", b"init W = ", b"index ", b"ragged t\n",
    b"None", b"if",
    b"\xf0\x9f\x98\x80", b"\xe2\x88\x82", b"\\frac{\\partial L}{", b"product(j, ", b"~= 1 within ",
)  # fmt: skip
_TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _flip(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _insert(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(NASTY) + data[at:]


def _cut(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    a, b = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:a] + data[b:]


def _repeat(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    a, b = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:b] + data[a:b] * rng.choice((1, 2, 20)) + data[b:]


def _splice(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _tokens(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One token replaced by another of the examples, dropped or doubled."""
    parts = _TOKEN.findall(data)
    if not parts:
        return data
    at = rng.randrange(len(parts))
    other = _TOKEN.findall(rng.choice(others)) or [b""]
    parts[at : at + 1] = rng.choice(([], [parts[at]] * 2, [rng.choice(other)], [rng.choice(NASTY)]))
    return b"".join(parts)


def _swap(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    parts = _TOKEN.findall(data)
    if len(parts) > 1:
        a, b = rng.randrange(len(parts)), rng.randrange(len(parts))
        parts[a], parts[b] = parts[b], parts[a]
    return b"".join(parts)


def _lines(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    other = rng.choice(others).split(b"\n")
    lines[rng.randrange(len(lines))] = rng.choice(other)
    return b"\n".join(lines)


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _insert, _cut, _repeat, _splice, _tokens, _tokens, _tokens, _swap, _lines,
)  # fmt: skip


def mutated(rng: random.Random, examples: Sequence[bytes]) -> bytes:
    """An example with one to four changes."""
    data = rng.choice(examples)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        data = rng.choice(MUTATIONS)(rng, data, examples)
    return data[:200_000]
