"""The checks of files that compute all steps together: the law, the recurrence, and their own scans over integers."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from derive.derivation import Derivation, derive
from proofs.arithmetic import Array
from proofs.linear_exact import prove_linear
from proofs.network_checks import NetworkSubject
from proofs.scan_law import prove_scan_law
from proofs.subject import Subject
from proofs.table import Check, measured

LAW, LINEAR, INTEGERS = "scan, law", "exact, linear recurrence", "scan, over the integers"
LENGTHS = (1, 2, 3, 5, 6, 16, 17, 40)
WIDE = 1100
"""Entries of a step that is too wide to be taken together with others."""

Factors = list[tuple[int, int, int, Array]]


def law(subject: Subject | NetworkSubject) -> Check:
    """Composition of steps is associative, for all sizes."""
    found = prove_scan_law()
    wrong = tuple(x.name for x in found if not x.holds)
    what = "that composing steps is associative and means one after the other, read by the checker of proofs"
    return measured(LAW, what, "all", len(wrong) if found else 1, 0, where=wrong, unit="refused")


def linear(subject: Subject) -> Check:
    """The states' recurrences, modulo a prime, with factors that no state changes."""
    return _linear([subject.derivation])


def linear_segments(subject: NetworkSubject) -> Check:
    """The same for every segment of a network that is linear in its state."""
    every = (derive(s.cell) for s in subject.network.segments)
    return _linear([d for d in every if d.linearity.elementwise])


def _linear(derivations: list[Derivation]) -> Check:
    what = "each state as factors of past states and a rest, both free of states, modulo a prime"
    results = [prove_linear(d) for d in derivations]
    wrong = tuple(name for r in results for name in (*r.wrong, *r.bound.undecided))
    ran = bool(results) and all(r.compared for r in results)
    sizes = "; ".join(str(r.extent) for r in results)
    note = "; ".join(dict.fromkeys(r.bound.note for r in results))
    figure = len(wrong) if ran else 1
    return measured(LINEAR, what, sizes, figure, 0, note=note, where=wrong, unit="wrong")


def over_integers(subject: Subject | NetworkSubject) -> Check:
    """The file's own scans over whole numbers, where nothing rounds, against the recurrence step after step."""
    what = "the file's scans against steps one by one, over whole numbers of any size"
    wrong = tuple(dict.fromkeys(_wrong_scans(subject.code.module)))
    sizes = f"T = {', '.join(map(str, LENGTHS))}, n = 3; T = 7, n = {WIDE}; B = 2"
    return measured(INTEGERS, what, sizes, len(wrong), 0, where=wrong, unit="wrong")


def _wrong_scans(module: ModuleType) -> Iterator[str]:
    """The names of the functions that give another result than the recurrence itself."""
    rng = np.random.default_rng(0)

    def whole(*shape: int) -> Array:
        return rng.integers(-9, 10, shape).astype(object)

    for T, n in (*((T, 3) for T in LENGTHS), (7, WIDE)):
        b, before = whole(T, 2, n), whole(1, 2, n)
        coupled = [
            (i, j, d, whole(T, 2, n)) for i, j, d in ((0, 0, 1), (0, 1, 1), (1, 0, 2), (1, 1, 3))
        ]
        rests, befores = [b, whole(T, 2, n)], [whole(2, 2, n), whole(3, 2, n)]
        cases: list[tuple[str, tuple[Any, ...], list[Array]]] = [
            ("running_sum", (b, before), _steps([(0, 0, 1, np.ones_like(b))], [b], [before])),
            ("coupled_scan", (coupled, rests, befores), _steps(coupled, rests, befores)),
            ("coupled_adjoint_scan", (coupled, rests), _steps_back(coupled, rests)),
        ]
        for a in (whole(T, 2, n), whole(T, 2, 1)):
            alone = [(0, 0, 1, a)]
            cases.append(("linear_scan", (a, b, before), _steps(alone, [b], [before])))
            cases.append(("adjoint_scan", (a, b), _steps_back(alone, [b])))
        for name, given, true in cases:
            if hasattr(module, name) and not _equal(getattr(module, name)(*given), true):
                yield name


def _equal(found: Any, true: list[Array]) -> bool:
    """Whether a scan's array, or list of arrays, is this."""
    listed = found if isinstance(found, list) else [found]
    return all(np.array_equal(p, q) for p, q in zip(listed, true, strict=True))


def _steps(factors: Factors, rests: list[Array], before: list[Array]) -> list[Array]:
    """h_{i,t} = Σ a_t ∘ h_{j,t−d} + b_{i,t}, one step after the other."""
    whole: list[list[Any]] = [list(h) for h in before]
    for t in range(len(rests[0])):
        for i, b in enumerate(rests):
            read = [a[t] * whole[j][len(before[j]) + t - d] for k, j, d, a in factors if k == i]
            whole[i].append(sum(read, b[t]))
    return [np.stack(h[len(start) :]) for h, start in zip(whole, before, strict=True)]


def _steps_back(factors: Factors, gradients: list[Array]) -> list[Array]:
    """h̄_{j,t} = g_{j,t} + Σ a_{t+d} ∘ h̄_{i,t+d}, from the last step to the first."""
    T = len(gradients[0])
    bars: list[dict[int, Any]] = [{} for _ in gradients]
    for t in range(T - 1, -1, -1):
        for k, g in enumerate(gradients):
            later = [a[t + d] * bars[i][t + d] for i, j, d, a in factors if j == k and t + d < T]
            bars[k][t] = sum(later, g[t])
    return [np.stack([found[t] for t in range(T)]) for found in bars]
