"""Mutants of a network's generated file, judged by the checks that its verification requires, cheapest first.

The rules and the equations of each segment are those of a cell, and are broken there; here it is the code that joins
them: sequences handed on, states handed over, masks, embeddings, losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np

from derive.network import Network
from derive.network_derivation import derive_network
from numeric.network_source import generate_network
from proofs.compare import compare
from proofs.modules import load_source
from proofs.mutants import Judgement, Mutant, MutantReport
from proofs.mutants_answers import Call
from proofs.mutants_compared import Right
from proofs.mutants_module import Poisoned, recorded
from proofs.mutants_network_calls import NetworkCall
from proofs.mutants_same import EXTENTS
from proofs.mutants_source import source_mutants
from proofs.network_checks import NetworkSubject
from proofs.network_contract import NUMERIC
from proofs.network_layout import NetworkCode, places
from proofs.network_samples import NetworkSample, complex_step_gradient
from proofs.network_verification import PROMISED
from proofs.subject import Known
from proofs.verification import guarded

BOUND = 1e-8
LONG = 40


class NetworkTrial:
    """A network, its right source, and the judge of its mutants.

    Args:
        network: the network.
        seed: of every random size and number.
        source: the right source; generated if not given.
    """

    def __init__(self, network: Network, seed: int = 0, source: str = "") -> None:
        self.network, self.seed, self.known = network, seed, Known()
        self.source = source or generate_network(derive_network(network))
        subject = self.subject(self.source)
        self.short, self.long = self.case(subject, 4), self.case(subject, LONG)

    def subject(self, source: str) -> NetworkSubject:
        """What the checks take."""
        module = load_source(source, "mutant", PROMISED)
        module.__dict__["np"] = Poisoned()
        return NetworkSubject(self.network, NetworkCode(module), self.seed, known=self.known)

    def case(self, subject: NetworkSubject, steps: int) -> tuple[NetworkSample, Any]:
        """A run whose loss looks at the last step only where it is long, and its true gradient."""
        sample = subject.sample(f"mutants {steps}", steps=steps, samples=2 if steps < LONG else 1)
        if steps >= LONG:
            last: dict[str, int] = {}
            for name, t in sample.weights:
                last[name] = max(last.get(name, 0), t or 0)
            weights = {p: w if p[1] == last[p[0]] else 0 * w for p, w in sample.weights.items()}
            sample = replace(sample, weights=weights)
        return sample, complex_step_gradient(sample)

    def mutants(self) -> Iterator[Mutant]:
        """Every mutant, always in the same order."""
        subject = self.subject(self.source)
        with recorded(subject.code.module) as seen:
            subject.code.gradient(self.short[0])
        return source_mutants(self.source, seen)

    def refusal(self, source: str) -> tuple[str, str]:
        """The first check that fails, and why; two empty texts if none does."""
        subject = guarded(lambda: self.subject(source))
        if isinstance(subject, str):
            return "runs", subject
        for name, case in (("gradients", self.short), ("long path", self.long)):
            wrong = guarded(lambda case=case: _wrong(subject, *case))
            if wrong:
                return (name, wrong) if wrong.startswith("wrong") else ("runs", wrong)
        for name, check in (("arguments", self.arguments), ("memory", self.memory)):
            wrong = guarded(lambda check=check: check(subject))
            if wrong:
                return (name, wrong) if wrong.startswith("wrong") else ("runs", wrong)
        for name, examine in NUMERIC.items():
            row = guarded(lambda examine=examine: examine(subject))
            if isinstance(row, str):
                return "runs", row
            if row.verdict == "fails":
                return name, ", ".join(row.where) or row.note
        return "", ""

    def sound(self) -> None:
        """Demands that nothing refuses the right file.

        Raises:
            RuntimeError: a check refuses it.
        """
        check, reason = self.refusal(self.source)
        if check:
            raise RuntimeError(f"the checks refuse {self.network.name} as it is: {check}: {reason}")

    def arguments(self, subject: NetworkSubject) -> str:
        """Initial values that are left out are zero."""
        given, named = subject.code.arguments(self.short[0])
        zeros = {n: np.zeros_like(v) for n, v in given[-1].items()}
        module = subject.code.module
        with_zeros = module.forward(*given[:-1], zeros, **named)[0]
        without = module.forward(*given[:-1], None, **named)[0]
        same = all(np.array_equal(without[n], v) for n, v in with_zeros.items())
        return "" if same else "wrong values where no state is given"

    def memory(self, subject: NetworkSubject) -> str:
        """What outlives a sequence is no view into the whole of it."""
        _, final, cache = subject.code.forward(self.short[0])
        state_bar = subject.code.backward(self.short[0], cache)[2]
        held = [n for d in (final, state_bar) for n, v in d.items() if _is_view(v)]
        return f"wrong: {', '.join(held)} hold a whole sequence in memory" if held else ""

    def judged(self, mutant: Mutant) -> Judgement:
        """What becomes of a mutant."""
        with np.errstate(all="ignore"):
            check, reason = self.refusal(mutant.source or "")
            if check:
                return Judgement(mutant, "killed", check, reason)
            if proof := self.sameness(mutant.source or ""):
                return Judgement(mutant, "equivalent", "comparison of results", proof)
        return Judgement(
            mutant, "survived", "", "no check refused it, and its results differ somewhere"
        )

    def sameness(self, source: str, rounds: int = 8) -> str:
        """The proof that a source says the same as the right one; empty if there is none."""
        return self._right.proof(source, rounds)

    @cached_property
    def _right(self) -> Right:
        right = self.subject(self.source)

        def plain() -> Iterator[Callable[[], NetworkCall]]:
            for i in count():
                steps, samples = 2 + 3 * i, 1 + i % 3
                sample = right.sample(
                    f"sameness {i}", smallest=2, largest=6, steps=steps, samples=samples
                )
                yield partial(NetworkCall, sample)

        def formal(module: ModuleType, i: int) -> Call:
            smallest, largest, steps, samples = EXTENTS[i]
            sample = right.sample(
                f"residues {i}", smallest=smallest, largest=largest, steps=steps, samples=samples
            )
            sizes = [sample.extent.sizes[d] for d in self.network.dims]
            return NetworkCall(sample).shaped(module, sizes)

        return Right(lambda text: self.subject(text).code.module, self.source, plain(), formal)


def _wrong(subject: NetworkSubject, sample: NetworkSample, true: Any) -> str:
    *_, cache = subject.code.forward(sample)
    found = places(sample, *subject.code.backward(sample, cache))
    wrong = compare(found, true, floor=0.0).wrong(BOUND)
    return f"wrong gradient of {', '.join(f'{n}' for n, _ in wrong[:3])}" if wrong else ""


def _is_view(value: Any) -> bool:
    return value.base is not None and value.base.size > value.size


def run_network_mutants(
    network: Network,
    *,
    every: int = 1,
    seed: int = 0,
    source: str = "",
    on_progress: Callable[[str], None] | None = None,
) -> MutantReport:
    """Breaks a network's generated file in every known way, and judges each broken file.

    Args:
        network: the network.
        every: judge each n-th mutant only.
        seed: of every random size and number.
        source: the source to break, as a user's edited file; generated if not given.
        on_progress: told what is being done.

    Raises:
        RuntimeError: the checks refuse the unbroken file.
    """
    trial = NetworkTrial(network, seed, source)
    trial.sound()
    judgements: list[Judgement] = []
    mutants = list(trial.mutants())[::every]
    for i, mutant in enumerate(mutants):
        if on_progress is not None and i % 50 == 0:
            on_progress(f"mutants of {network.name}: {i} of {len(mutants)}")
        judgements.append(trial.judged(mutant))
    return MutantReport(network.name, tuple(judgements))
