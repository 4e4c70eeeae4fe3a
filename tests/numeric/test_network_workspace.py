"""Networks over a workspace: used again it gives the same, makes few large arrays, and refuses other sizes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from derive.network_derivation import derive_network
from numeric import checks, ragged, rooms
from numeric.fast_again import generate_small_network
from numeric.fast_source import generate_fast_network
from numeric.network_source import generate_network
from tests import networks
from tests.generated import module_of
from tests.networks import SHARED_START, TEXTS, Numbers, module_named, network_of, numbers, read

KINDS = {"speed": generate_fast_network, "size": generate_small_network}


@cache
def fast(name: str, kind: str = "speed") -> ModuleType:
    """One of ``TEXTS`` over a workspace."""
    return module_of(KINDS[kind](derive_network(network_of(name))), f"{name}_{kind}")


def seeded(outputs: dict) -> dict:
    """Some gradient by every output."""
    return {k: np.cos(np.arange(v.size)).reshape(v.shape) for k, v in outputs.items()}


def run(module: ModuleType, n: Numbers, **over: object) -> tuple[dict, list[dict]]:
    """All that forward and backward return, and the cache."""
    outputs, final, used = module.forward(
        n.params, *n.inputs.values(), n.state, **n.keywords, **over
    )
    gradients = module.backward(n.params, used, seeded(outputs), seeded(final))
    return used, [outputs, final, *gradients]


def agree(found: Sequence[dict], true: Sequence[dict]) -> None:
    """All that is returned has the same names and, to rounding, the same numbers."""
    for mine, theirs in zip(found, true, strict=True):
        assert mine.keys() == theirs.keys()
        for k in theirs:
            np.testing.assert_allclose(mine[k], theirs[k], rtol=1e-10, atol=1e-12)


def other(n: Numbers, seed: int) -> Numbers:
    """Other numbers of the same sizes, the samples' lengths and indices in another order."""
    rng = np.random.default_rng(seed)
    real = {
        k: rng.standard_normal(x.shape) if x.dtype.kind == "f" else x[..., ::-1]
        for k, x in n.inputs.items()
    }
    turned = {k: v[::-1] if k.startswith("lengths") else v for k, v in n.keywords.items()}
    return replace(
        n, inputs=real, params={k: v * 0.9 for k, v in n.params.items()}, keywords=turned
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_workspace_used_again_gives_what_the_ordinary_file_gives(name: str, kind: str) -> None:
    module, plain = fast(name, kind), module_named(name)
    first = numbers(network_of(name), plain)
    workspace = module.Workspace()
    for n in (first, other(first, 1), first):
        used, found = run(module, n, workspace=workspace)
        assert used["workspace"] is workspace
        agree(found, run(plain, n)[1])


@pytest.mark.parametrize("name", [name for name in TEXTS if "scan" in TEXTS[name]])
def test_runs_over_a_workspace_make_no_large_arrays(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "LENGTHS", {"t": 400, "s": 300})
    module = fast(name)
    n = numbers(network_of(name), module, samples=16)
    n = replace(n, params={k: 0.3 * v for k, v in n.params.items()})
    outputs, final, _ = module.forward(n.params, *n.inputs.values(), n.state, **n.keywords)
    bars, ends = seeded(outputs), seeded(final)
    del outputs, final

    def peak(**over: object) -> int:
        for _ in range(2):
            _, _, used = module.forward(n.params, *n.inputs.values(), n.state, **n.keywords, **over)
            module.backward(n.params, used, bars, ends)
            del used
        tracemalloc.start()
        _, _, used = module.forward(n.params, *n.inputs.values(), n.state, **n.keywords, **over)
        module.backward(n.params, used, bars, ends)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    again, anew = peak(workspace=module.Workspace()), peak()
    assert again < 0.25 * anew


def test_without_a_workspace_calls_share_nothing() -> None:
    module = fast("tied")
    n = numbers(network_of("tied"), module)
    outputs, final, used = module.forward(n.params, *n.inputs.values(), n.state)
    bars, ends = seeded(outputs), seeded(final)
    first, second = (module.backward(n.params, used, bars, ends) for _ in range(2))
    for mine, theirs in zip(first, second, strict=True):
        assert not any(np.shares_memory(mine[k], theirs[k]) for k in mine)
        for k in mine:
            np.testing.assert_array_equal(mine[k], theirs[k])


def test_the_workspace_of_a_cache_can_be_given_too_and_its_cache_is_refused_then() -> None:
    module = fast("ragged")
    n = numbers(network_of("ragged"), module)
    used, found = run(module, n)
    again, same = run(module, n, workspace=used["workspace"])
    for mine, true in zip(same, found, strict=True):
        for k in true:
            np.testing.assert_array_equal(mine[k], true[k])
    assert again["workspace"] is used["workspace"]
    with pytest.raises(ValueError, match="workspace was used again"):
        module.backward(n.params, used, seeded(found[0]))


def test_sums_of_sequences_and_of_final_values_lie_apart_even_where_their_shapes_agree() -> None:
    network = read(SHARED_START)
    derivation = derive_network(network)
    module = module_of(generate_fast_network(derivation), "apart")
    plain = module_of(generate_network(derivation), "together")
    n = numbers(network, plain)
    n = replace(n, inputs={**n.inputs, "x": n.inputs["x"][:2]})
    agree(run(module, n)[1], run(plain, n)[1])


def test_a_run_that_is_refused_ends_what_earlier_caches_stand_for() -> None:
    module = fast("ragged")
    n = numbers(network_of("ragged"), module)
    workspace = module.Workspace()
    used, (outputs, *_) = run(module, n, workspace=workspace)
    wrong = replace(n, inputs={k: v if k == "x" else v[:-1] for k, v in n.inputs.items()})
    with pytest.raises(ValueError, match="has shape"):
        run(module, wrong, workspace=workspace)
    with pytest.raises(ValueError, match="workspace was used again"):
        module.backward(n.params, used, seeded(outputs))


@pytest.mark.parametrize("given", [{}, True, "its cache", "another file's", "its class"])
def test_what_is_no_workspace_of_this_file_is_refused(given: object) -> None:
    module, other_file = fast("aligned"), fast("aligned", "size")
    n = numbers(network_of("aligned"), module)
    cache = run(module, n)[0]
    given = {
        "its cache": cache,
        "another file's": other_file.Workspace(),
        "its class": module.Workspace,
    }.get(given, given) if isinstance(given, str) else given  # fmt: skip
    with pytest.raises(TypeError, match="expected a Workspace of this file"):
        run(module, n, workspace=given)


def test_names_of_what_the_file_needs_are_free_for_quantities() -> None:
    text = "at = scan(gru, room[t])\nsums[t] = softmax(rooms @ at.h[t])\nslice[t] = held @ sums[t] + workspace[t]"
    network = read(text)
    derivation = derive_network(network)
    module = module_of(generate_fast_network(derivation), "names")
    plain = module_of(generate_network(derivation), "plain_names")
    n = numbers(network, plain)
    agree(run(module, n)[1], run(plain, n)[1])


def test_a_workspace_refuses_runs_of_other_sizes() -> None:
    module = fast("ragged_encoder_decoder")
    n = numbers(network_of("ragged_encoder_decoder"), module)
    used, _ = run(module, n)
    few = numbers(network_of("ragged_encoder_decoder"), module, samples=2)
    with pytest.raises(ValueError, match=r"the workspace is made for .*expected one for"):
        run(module, few, workspace=used["workspace"])


def test_value_and_grad_takes_a_workspace() -> None:
    module, plain = fast("tagger"), module_named("tagger")
    n = numbers(network_of("tagger"), module)
    workspace = module.Workspace()
    for _ in range(2):
        value, found = module.value_and_grad(
            n.params, *n.inputs.values(), n.state, workspace=workspace
        )
        expected, true = plain.value_and_grad(n.params, *n.inputs.values(), n.state)
        assert abs(value - expected) < 1e-12 * abs(expected)
        agree(found, true)


# ── what is done with whole sequences ──


LENGTHS = np.array([3, 5, 1])
SEQUENCE = np.arange(5 * 3 * 2, dtype=np.float64).reshape(5, 3, 2)


@pytest.mark.parametrize("sequence", [SEQUENCE, SEQUENCE[..., 0], SEQUENCE.astype(int)[..., 1]])
def test_what_lies_beyond_the_lengths_is_held_and_cut_as_in_the_ordinary_file(sequence) -> None:
    kept: dict = {}
    for _ in range(2):
        np.testing.assert_array_equal(
            rooms.held("x", sequence, LENGTHS, 5, kept), ragged.held("x", sequence, LENGTHS, 5)
        )
        mine, theirs = {"x": sequence, "y": sequence}, {"x": sequence, "y": sequence}
        rooms.cut(mine, ["x", "z"], LENGTHS, 5, kept)
        ragged.cut(theirs, ["x", "z"], LENGTHS, 5)
        np.testing.assert_array_equal(mine["x"], theirs["x"])
        assert mine["y"] is sequence
    assert len(kept) == 1
    for function in (rooms.held, ragged.held):
        more = (kept,) if function is rooms.held else ()
        with pytest.raises(ValueError, match=r"x has shape .*expected \(4, 3"):
            function("x", sequence, LENGTHS, 4, *more)


def test_sums_of_sequences_are_those_of_new_arrays_whatever_was_there_before() -> None:
    kept: dict = {}
    end = SEQUENCE[:1]
    for given in ({}, {"h": SEQUENCE}):
        total, true = dict(given), dict(given)
        for _ in range(2):
            rooms.add_at_end(total, "h", end, LENGTHS, 5, kept)
            rooms.add_at_step(total, "h", end, -1, 5, kept)
            rooms.add_all(total, {"h": SEQUENCE, "new": end}, kept)
            checks.add_to(true, "h", ragged.from_end(end, LENGTHS, 5))
            checks.add_to(true, "h", checks.at_step(end, -1, 5))
            checks.add_all(true, {"h": SEQUENCE, "new": end})
        assert total["h"].dtype == true["h"].dtype
        np.testing.assert_array_equal(total["h"], true["h"])
        np.testing.assert_array_equal(total["new"], true["new"])
    np.testing.assert_array_equal(SEQUENCE.ravel(), np.arange(30))


@pytest.mark.parametrize("add", [checks.add_to, lambda *a: rooms.add_to(*a, {})])
def test_nothing_is_added_to_a_gradient_of_another_shape_or_dtype(add) -> None:
    with pytest.raises(
        ValueError, match=r"the gradient by h has shape \(2,\): expected \(5, 3, 2\)"
    ):
        add({"h": np.ones(2)}, "h", SEQUENCE)
    with pytest.raises(TypeError, match="the gradient by h has dtype float32: expected float64"):
        add({"h": SEQUENCE.astype(np.float32)}, "h", SEQUENCE)
