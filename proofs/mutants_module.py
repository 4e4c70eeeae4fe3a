"""Broken modules made deterministic: memory that nobody wrote has a known value, and local variables can be seen."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from proofs.modules import load_source

PROMISED = ("init_params", "init_state", "forward", "backward", "value_and_grad")
"""What the files of cells and of networks define alike."""


class Poisoned:
    """NumPy whose new arrays are not zero by luck: what nobody writes is not a number.

    ``np.empty`` returns whatever the memory held: a result that was never written can look right once. Here it never
    does.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = np.float64) -> Any:
        """An array full of NaN."""
        return np.full(shape, np.nan, dtype)


def module_of(source: str, numpy: Any = np) -> ModuleType:
    """The module that a source text defines.

    Args:
        source: a generated file.
        numpy: what the module shall know as ``np``.

    Raises:
        Exception: whatever a broken text raises.
    """
    module = load_source(source, "mutant", PROMISED)
    module.__dict__["np"] = numpy
    return module


@contextmanager
def recorded(module: ModuleType) -> Generator[dict[str, dict[str, Any]]]:
    """The local variables of the module's functions, as they were when each function returned last.

    Yields:
        By function name; filled while the block runs.
    """
    found: dict[str, dict[str, Any]] = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_globals is module.__dict__:
            found[frame.f_code.co_name] = dict(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(before)
