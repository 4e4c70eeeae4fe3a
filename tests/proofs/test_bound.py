"""What the exact identities say of their own error: the prime follows the degree; too small a one decides nothing."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from proofs import linear_exact, network_exact, realtime_exact, smallest, truncation_exact
from proofs.degrees import ENOUGH, Bounds, Degrees, bound_for, degrees_of
from proofs.field import MERSENNE_PRIMES

TIMES = 27
POWER = "\n".join(f"a{i}[t] = a{i - 1}[t]**32" for i in range(1, TIMES))
HIGH = f"a0[t] = W @ h[t-1] + U @ x[t]\n{POWER}\nh[t] = a{TIMES - 1}[t]"
LINEAR = f"a0[t] = U @ x[t]\n{POWER}\nh[t] = lam * h[t-1] + a{TIMES - 1}[t]"
NETWORK = "f = scan(high, x[t])\ny[t] = tanh(V @ f.h[t] + c)\nloss[t] = squared_error(y[t], d[t])"


def identity(module: ModuleType) -> Any:
    """What a module finds of a cell whose identities have a degree of more than 2¹³⁰."""
    high = derive(read_cell(LINEAR if module is linear_exact else HIGH, "high"))
    return {
        linear_exact: lambda: linear_exact.prove_linear(high),
        realtime_exact: lambda: realtime_exact.prove_real_time(high),
        truncation_exact: lambda: truncation_exact.prove_truncation(high),
        network_exact: lambda: network_exact.prove_network(
            derive_network(read_network(NETWORK, "specimen", {"high": HIGH}.get)), repeats=1
        ),
    }[module]()


MODULES = (linear_exact, realtime_exact, truncation_exact, network_exact)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_a_high_degree_takes_a_larger_prime(module: ModuleType) -> None:
    found = identity(module)
    assert found.wrong == found.bound.undecided == ()
    assert found.bound.degree >= 32 ** (TIMES - 1)
    assert found.bound.prime > 2**500


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_too_small_a_prime_decides_nothing(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "bound_for", partial(bound_for, primes=MERSENNE_PRIMES[:2]))
    (told,) = identity(module).bound.undecided
    assert "prime of 127 bits is too large" in told


def test_sympys_derivative_over_too_small_a_prime_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smallest, "bound_for", partial(bound_for, primes=MERSENNE_PRIMES[:2]))
    found = smallest.prove_smallest(derive(read_cell(HIGH, "high")))
    assert "undecided" in found.reason
    assert found.compared == 0


def test_the_bound_is_the_worst_of_all_points_over_the_first_prime_that_decides() -> None:
    bound = bound_for([Degrees(5, 7, 2), Degrees(9, 3, 1)], primes=(101, 2**61 - 1, 2**127 - 1))
    assert (bound.degree, bound.arguments, bound.argument_degree, bound.repeats) == (9, 7, 2, 2)
    assert bound.prime == 2**61 - 1
    assert bound.total < ENOUGH
    assert not bound_for([]).decides


def test_degrees_count_what_eliminating_reciprocals_costs() -> None:
    def largest(bounds: Bounds) -> int:
        x = bounds.leaf((1, 1))
        inverse = bounds.power(bounds.add(bounds.mul(x, x), bounds.number(1)), -1)
        return int(bounds.function("tanh", bounds.mul(inverse, x)).max())

    assert degrees_of(largest) == Degrees(3, 1, 6)
    assert degrees_of(largest, samples=2) == Degrees(5, 2, 10)
