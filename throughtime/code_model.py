"""What is made of a cell and of a network alike: code, its checks, and the certificate behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from throughtime.display import Code, certified_code, code_with

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.network_derivation import NetworkDerivation
    from proofs.table import Verification

Progress = Callable[[str], None]


class CodeModel(ABC):
    """A cell or a network, its code, and what the checks say of code for it."""

    def __init__(self) -> None:
        self._verified: dict[tuple[str, int], Verification] = {}

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name."""

    @cached_property
    @abstractmethod
    def _derivation(self) -> Derivation | NetworkDerivation: ...

    @cached_property
    @abstractmethod
    def _code(self) -> Code: ...

    @abstractmethod
    def _judged(self, source: str, seed: int, on_progress: Progress | None) -> Verification: ...

    def generate(
        self,
        *,
        truncation: tuple[int, int] | None = None,
        checkpoint: bool = False,
        scan: bool = False,
        real_time: bool = False,
        portable: bool = False,
        optimize: str = "readable",
        backend: str = "numpy",
        threads: bool = False,
    ) -> Code:
        """The NumPy code of forward and backward pass; ``verify`` tells whether it is right.

        Args:
            truncation: (k1, k2): bring along truncated gradients, every k1 steps, k2 steps back.
            checkpoint: bring along gradients with O(√T) memory.
            scan: compute all steps together, where a recurrence is linear in its state.
            real_time: bring along gradients forward in time, for small cells.
            portable: for any array namespace, not for NumPy alone.
            optimize: ``readable``, in the order of the textbook; ``speed``; or ``size``, for little memory.
            backend: ``numpy``, or ``numba``, whose loops over time are compiled.
            threads: bring along a team of threads that share out the samples, with ``numba``.

        Raises:
            ArgumentError: it makes no sense for this cell or network; the message says why.
        """
        plain = (optimize, backend, threads) == ("readable", "numpy", False)
        if plain and truncation is None and not (checkpoint or scan or real_time or portable):
            return self._code
        return code_with(
            self._derivation, truncation, checkpoint, scan, real_time, portable, optimize, backend,
            threads=threads,
        )  # fmt: skip

    def verify(
        self, source: str | None = None, *, seed: int = 0, on_progress: Progress | None = None
    ) -> Verification:
        """Run every check on the derivation and on code for it.

        Args:
            source: the code; what ``generate`` gives if left out.
            seed: of the random sizes, weights, sequences and lengths.
            on_progress: called with the name of each stage as it begins.
        """
        text = self._code.source if source is None else source
        if (text, seed) not in self._verified:
            self._verified[text, seed] = self._judged(text, seed, on_progress)
        return self._verified[text, seed]

    def certified(
        self, source: str | None = None, *, seed: int = 0, on_progress: Progress | None = None
    ) -> Code:
        """Code with the certificate of its checks behind it.

        Args:
            source: the code; what ``generate`` gives if left out.
            seed: of the random sizes, weights and sequences.
            on_progress: called with the name of each stage as it begins.

        Raises:
            NotVerifiedError: a check failed.
        """
        text = self._code.source if source is None else source
        return certified_code(
            self.name, text, self.verify(text, seed=seed, on_progress=on_progress)
        )
