"""Generated files as modules: loaded from the very bytes that are checked, kept apart, and stopped if they hang."""

from __future__ import annotations

import ast
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from types import CodeType, ModuleType
from typing import Any, cast

import numpy as np

from derive.errors import ArgumentError
from proofs import layout
from proofs.branches import REPORT, Watch
from proofs.samples import Arrays, Sample, Values

PROMISED = ("init_params", "init_state", "forward", "backward", "step", "value_and_grad")


STATED = ("NAME", "EQUATIONS", "NETWORK")
"""The strings in which a file says what it computes; they are read without running it."""

FILENAME = "<checked file>"
"""What the interpreter calls a loaded text."""


def line_of(error: BaseException) -> int | None:
    """The line of a loaded text at which an error arose, the innermost; none if it arose elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if f.filename == FILENAME), None)


class HangError(Exception):
    """Code ran longer than it was given."""


class _Text(InspectLoader):
    """Loads a text; no compiled file is read or written, so that what runs is what was read."""

    def __init__(self, source: str, watch: Watch | None) -> None:
        self.source, self.watch = source, watch

    def get_source(self, fullname: str) -> str:
        """The text."""
        return self.source

    def get_code(self, fullname: str) -> CodeType:
        """The text compiled, its lines to be found in tracebacks."""
        text: Any = self.source if self.watch is None else self.watch.instrumented()
        return self.source_to_code(text, FILENAME)


ASLEEP = 10
"""How many times longer by the clock code may take that does not run: it waits, or the machine is busy with others."""


@contextmanager
def time_limit(seconds: float) -> Generator[None]:
    """Stops code that computes for longer, or takes ``ASLEEP`` times as long by the clock.

    Outside the main thread, where Python offers no alarm, nothing is stopped.

    Raises:
        HangError: the time is over.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or not hasattr(signal, "setitimer"):
        yield
        return
    with (
        _alarm(signal.ITIMER_PROF, signal.SIGPROF, seconds),
        _alarm(signal.ITIMER_REAL, signal.SIGALRM, ASLEEP * seconds),
    ):
        yield


@contextmanager
def _alarm(timer: int, number: int, seconds: float) -> Generator[None]:
    def ring(*_: Any) -> None:
        raise HangError(f"it ran for more than {seconds:g} s")

    before = signal.signal(number, ring)
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)


def load_source(
    source: str,
    name: str = "checked",
    promised: tuple[str, ...] = PROMISED,
    watch: Watch | None = None,
) -> ModuleType:
    """A module from a text, under a name that no import finds.

    Args:
        source: the text.
        name: what it is called in messages.
        promised: the functions that it must define.
        watch: told which ways its branches go; it must be of the same text.

    Raises:
        ArgumentError: it does not offer the functions that a generated file promises.
        Exception: whatever the text raises.
    """
    unique = f"throughtime-{name}-{id(source):x}"
    spec = spec_from_loader(unique, _Text(source, watch))
    if spec is None or spec.loader is None:
        raise ArgumentError(f"{name} cannot be loaded.", "Generate it anew.")
    module = module_from_spec(spec)
    if watch is not None:
        setattr(module, REPORT, watch.report)
    sys.modules[unique] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[unique]
    missing = [f for f in promised if not callable(getattr(module, f, None))]
    if missing:
        raise ArgumentError(f"{name} does not define {', '.join(missing)}.", "Generate it anew.")
    for stated in STATED:
        said = constant_of(source, stated)
        if said is not None and getattr(module, stated, None) != said:
            raise ArgumentError(
                f"{name} states {stated} at first, and another one when it has run: expected one for both.",
                f"Leave one {stated}, a plain string.",
            )
    return module


def text_of(module: Any) -> str:
    """The text that a module was loaded from by ``load_source``."""
    return str(module.__spec__.loader.get_source(module.__name__))


class Code:
    """Generated code at work on samples.

    Args:
        module: a loaded file.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def forward(self, sample: Sample, dtype: Any = np.float64) -> tuple[Arrays, Arrays, Any]:
        """Outputs, final values and the cache."""
        return self.module.forward(
            layout.parameters(sample, dtype),
            *layout.inputs(sample, dtype),
            layout.state(sample, dtype),
            **layout.keywords(sample),
        )

    def gradient(self, sample: Sample, dtype: Any = np.float64) -> Values:
        """The gradients of the sample's loss, by place."""
        *_, cache = self.forward(sample, dtype)
        return layout.places(sample, *self.backward(sample, cache, dtype))

    def backward(
        self, sample: Sample, cache: Any, dtype: Any = np.float64
    ) -> tuple[Arrays, Arrays, Arrays]:
        """The gradients of the sample's loss as the code returns them."""
        found: Any = self.module.backward(
            layout.parameters(sample, dtype),
            cache,
            layout.outputs_bar(sample, dtype),
            layout.final_bar(sample, dtype),
        )
        parts = cast("tuple[Arrays, Arrays, Arrays]", found) if isinstance(found, tuple) else ()
        if len(parts) != 3:
            raise layout.LayoutError("backward did not return (params_bar, inputs_bar, state_bar)")
        return parts

    def loss(self, sample: Sample) -> Any:
        """L."""
        outputs, final, _ = self.forward(sample)
        return layout.loss(sample, outputs, final)


def constant_of(source: str, name: str) -> str | None:
    """A string constant at the top of a file, read without running the file.

    Raises:
        ArgumentError: the file is no Python.
    """
    return _constants(source).get(name)


@lru_cache(8)
def _constants(source: str) -> Mapping[str, str | None]:
    """What the top of a file assigns to names at first: strings, or no string."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ArgumentError(f"The file is no Python: {error}.", "Generate it anew.") from None
    found: dict[str, str | None] = {}
    for node in (node for node in tree.body if isinstance(node, ast.Assign)):
        value = node.value.value if isinstance(node.value, ast.Constant) else None
        said = value if isinstance(value, str) else None
        found |= {t.id: said for t in node.targets if isinstance(t, ast.Name) and t.id not in found}
    return found
