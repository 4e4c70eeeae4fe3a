"""Small helpers for messages: the nearest known name, lists of words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """`` Did you mean …?`` when a known word is close, else nothing."""
    spelled = {name.lower(): name for name in reversed([*known])}
    close = get_close_matches(word.lower(), reversed(spelled), n=1, cutoff=0.6)
    return f" Did you mean {spelled[close[0]]}?" if close else ""


def listed(words: Iterable[str]) -> str:
    """``a, b and c``."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def nearest_few(word: str, known: Iterable[str]) -> list[str]:
    """Up to three known words, nearest first."""
    return get_close_matches(word.lower(), list(known), n=3, cutoff=0.5)


def shortened(words: list[str], head: int, tail: int) -> list[str]:
    """The words, or the first and the last of them with an ellipsis between when there are many."""
    return words if len(words) <= head + tail + 1 else [*words[:head], "…", *words[-tail:]]


def a_step_earlier(written: str) -> str:
    """``h[t-1]`` for ``h[t]``, or however else the present step of a quantity was written."""
    name, _, index = written.partition("[")
    axis = re.match(r"\s*(\w+)", index)
    return f"{name}[{axis[1] if axis else 't'}-1]"
