"""Threads that share out samples: they run side by side, wait for each other, and use their arrays again."""

from __future__ import annotations

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.network_derivation import derive_network
from numeric.additions import Additions, additions_in, generate_with
from numeric.fast_source import generate_fast, generate_fast_network
from numeric.team import at_once
from numeric.team_source import team_functions
from proofs.modules import load_source
from tests.generated import module_of
from tests.networks import read


def fast(name: str) -> ModuleType:
    """A cell's file over a workspace, with a team."""
    derivation = derive(load(name))
    parts = [generate_fast(derivation).rstrip(), *team_functions(derivation)]
    return load_source("\n\n\n".join(parts) + "\n")


def cuts_of(threads: int) -> list[slice]:
    """Four samples for each thread."""
    return [slice(4 * i, 4 * i + 4) for i in range(threads)]


def test_an_input_may_be_called_as_the_lengths_are() -> None:
    network = read("ragged s\nf = scan(elman, x[s])\nu[t] = W @ lengths_s[t]")
    derivation = derive_network(network)
    parts = [generate_fast_network(derivation).rstrip(), *team_functions(derivation)]
    module = module_of("\n\n\n".join(parts) + "\n")
    params = module.init_params(2, 3, 4, 5)
    rng = np.random.default_rng(0)
    x, given = rng.standard_normal((4, 6, 3)), rng.standard_normal((2, 6, 5))
    lengths = np.array([4, 1, 3, 2, 4, 1])
    alone, _, _ = module.forward(params, x, given, lengths_s=lengths)
    team = module.Team(2)
    found, _, _ = team.forward(params, x, given, lengths_s=lengths)
    assert all(np.allclose(found[k], v) for k, v in alone.items())


def test_work_is_done_at_once_and_its_results_stand_in_order() -> None:
    meet = threading.Barrier(3, timeout=60)

    def work(i: int) -> int:
        meet.wait()
        return i

    with ThreadPoolExecutor(3) as pool:
        assert at_once(pool, work, cuts_of(3)) == [0, 1, 2]


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_is_raised_when_no_thread_works_any_more(failing: int) -> None:
    done = threading.Event()

    def work(i: int) -> None:
        if i == failing:
            raise ValueError(str(i))
        done.set()

    with ThreadPoolExecutor(2) as pool, pytest.raises(ValueError, match=str(failing)) as caught:
        at_once(pool, work, cuts_of(2))
    assert done.is_set()
    first = 4 * failing
    assert caught.value.__notes__ == [f"This is of samples {first} to {first + 3} alone."]


def test_each_thread_runs_its_share_of_the_samples() -> None:
    module, seen = fast("lstm"), []
    ordinary = module.forward

    def watched(params, x, *rest, **named):
        seen.append((threading.get_ident(), x.shape))
        return ordinary(params, x, *rest, **named)

    module.forward = watched
    params, x = module.init_params(3, 2), np.ones((4, 5, 2))
    module.Team(3).forward(params, x)
    assert sorted(shape for _, shape in seen) == [(4, 1, 2), (4, 2, 2), (4, 2, 2)]
    assert (threading.get_ident(), (4, 1, 2)) in seen


def test_runs_of_a_team_make_no_large_arrays() -> None:
    module = fast("lstm")
    crew, params = module.Team(2), module.init_params(4, 3)
    x, bar = np.ones((400, 6, 3)), np.ones((400, 6, 4))

    def run() -> None:
        cache = crew.forward(params, x)[2]
        crew.backward(params, cache, {"h": bar})

    run(), run()
    peaks = []
    for _ in range(5):  # in some, both threads hold what they need at the same moment
        tracemalloc.start()
        run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert min(peaks) < x.nbytes


def test_shapes_are_told_as_they_were_given() -> None:
    module = fast("lstm")
    crew, params, x = module.Team(2), module.init_params(3, 2), np.ones((4, 5, 2))
    with pytest.raises(
        ValueError, match=r"state\['h'\] has shape \(4, 3\): expected 5 samples on axis 0"
    ):
        crew.forward(params, x, {"h": np.ones((4, 3))})
    with pytest.raises(ValueError, match=r"x has shape .*: expected \(T, B, …\)"):
        crew.forward(params, x[..., 0])
    with pytest.raises(ValueError, match=r"threads is 0: expected 1 or more"):
        module.Team(0)


def test_compiled_functions_let_other_threads_run() -> None:
    pytest.importorskip("numba", reason="numba is not installed: make frameworks")
    source = generate_with(derive(load("elman")), Additions(compiled=True, threads=True))
    assert additions_in(source).threads
    module = load_source(source)
    for function in (module.forward_loop, module.backward_loop, module.dots):
        assert function.targetoptions["nogil"]
