"""Mutants compared with the right file: the same results in floating point and on residues, or no proof.

What the right file returns is found once, and every mutant is held against it. No mutant sees an array that another one
was given: broken code may write to what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, log10
from types import ModuleType
from typing import Any

import numpy as np

from proofs.mutants_answers import Call, close
from proofs.mutants_same import EXTENTS, FormalNumPy, residue
from proofs.samples import Arrays
from proofs.verification import guarded

LUCK = 1e-30
"""Two files that agree by luck with a larger probability are not shown to be the same."""


class Right:
    """The right file, and what shows that another one computes the same.

    Args:
        load: the module of a source text.
        source: of the right file.
        plain: the runs on floating-point numbers, as many as are asked for; each gives new arguments at every call.
        formal: the arguments of the i-th run whose floating-point numbers become residues, for a module of the file.
    """

    def __init__(
        self,
        load: Callable[[str], ModuleType],
        source: str,
        plain: Iterator[Callable[[], Call]],
        formal: Callable[[ModuleType, int], Call],
    ) -> None:
        self._load, self._source, self._plain, self._formal = load, source, plain, formal
        self._module = load(source)
        self._answers: list[tuple[Callable[[], Call], Arrays]] = []
        self._runs: dict[tuple[int, bool], FormalRun] = {}

    def proof(self, source: str, rounds: int) -> str:
        """The proof that a source says the same as the right one; empty if there is none.

        Args:
            source: the text.
            rounds: how many runs on floating-point numbers.
        """
        module = self._load(source)
        same_bits = True
        for call, right in self._answered(rounds):
            found = guarded(lambda call=call: call().everything(module))
            if isinstance(found, str) or not close(right, found):
                return ""
            same_bits = same_bits and all(
                np.array_equal(v, found[n], equal_nan=True) for n, v in right.items()
            )
        errors: list[float] = []
        for i in range(len(EXTENTS)):
            error = self._by_luck(module, i)
            if error is None:
                return ""
            errors.append(error)
        return _said(errors, rounds, same_bits=same_bits)

    def _answered(self, rounds: int) -> Iterator[tuple[Callable[[], Call], Arrays]]:
        """The runs on floating-point numbers, and what the right file returns there."""
        while len(self._answers) < rounds:
            call = next(self._plain)
            with np.errstate(all="ignore"):
                self._answers.append((call, call().everything(self._module)))
        return iter(self._answers[:rounds])

    def _by_luck(self, other: ModuleType, i: int) -> float | None:
        """The probability that a file agrees by luck in a run on residues; ``None`` if nothing shows that it agrees."""
        for divides in (True, False):
            if (i, divides) not in self._runs:
                module = self._load(self._source)
                call = self._formal(module, i)
                self._runs[i, divides] = FormalRun(module, call, i, divides=divides)
            run = self._runs[i, divides]
            if run.may_show:
                error = run.by_luck(other)
                if error is None or error < LUCK:
                    return error
        return None


class FormalRun:
    """One run on random residues.

    Args:
        right: the right file; what it knows as ``np`` is exchanged.
        call: the arguments, in floating-point numbers.
        seed: of the residues.
        divides: whether 1/x is what it is, or a function that is unknown.
    """

    def __init__(self, right: ModuleType, call: Call, seed: int, *, divides: bool) -> None:
        self._numpy = FormalNumPy(seed, divides=divides)
        self._call = call.lifted(self._numpy.random_like)
        self._right = self._results(right)
        self._known = self._numpy.known()
        least = 0 if self._right is None else self._numpy.error([*self._right.values()])
        self.may_show = least < LUCK
        """Whether luck is so improbable, already where the right file agrees with itself."""

    def by_luck(self, other: ModuleType) -> float | None:
        """The probability that a file agrees by luck; ``None`` if it does not agree.

        Args:
            other: the file, likewise.
        """
        self._numpy.know(self._known)
        found, right = self._results(other), self._right
        if found is None or right is None or found.keys() != right.keys():
            return None
        if not all(_equal(v, found[name]) for name, v in right.items()):
            return None
        return self._numpy.error([*right.values(), *found.values()])

    def _results(self, module: ModuleType) -> Arrays | None:
        """What the functions of a file return; code that fails on residues is not shown to be the same."""
        module.__dict__.update({"np": self._numpy, "common_dtype": _object})
        try:
            return self._call.fresh().everything(module)
        except Exception:  # noqa: BLE001 - whatever broken code raises
            return None


def _object(_: Any) -> Any:
    """The dtype of residues."""
    return np.dtype(object)


def _equal(a: Any, b: Any) -> bool:
    x, y = np.asarray(a, object), np.asarray(b, object)
    return x.shape == y.shape and all(
        residue(u).value == residue(v).value for u, v in zip(x.ravel(), y.ravel(), strict=True)
    )


def _said(errors: list[float], rounds: int, *, same_bits: bool) -> str:
    """The proof in words, for a report.

    Args:
        errors: the probability of luck in each run on residues.
        rounds: of runs on floating-point numbers.
        same_bits: whether those agreed in every bit, or up to rounding.
    """
    how = "in every bit" if same_bits else "up to rounding (1e-12)"
    bound = f"10^{ceil(log10(max(errors)))}"
    return (
        f"equal modulo 2^521 − 1 in every result of {len(errors)} runs of up to 50 steps, by luck with a probability "
        f"below {bound}; and {how} at {rounds} random sizes, lengths and weights"
    )
