"""Files for any array namespace, against the NumPy files: in array-api-strict, torch and JAX, and by every check."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from derive import catalog
from derive.cell import Cell
from derive.derivation import derive
from derive.language import read_cell
from numeric import portable_primitives, primitives
from numeric.portable_source import generate_portable
from numeric.source import generate
from proofs.modules import load_source
from proofs.verification import verify
from tests.generated import needs_standard
from tests.strategies import cells

pytestmark = needs_standard

T, B = 5, 2
NAMES = [entry.name for entry in catalog.shipped()]
TEXTS = {
    "index": "index x\nh[t] = tanh(W @ h[t-1] + U @ x[t] + b)",
    "autonomous": "h[t] = tanh(W @ h[t-1] + V @ h[t-3])",
    "kinks": "h[t] = relu(W @ h[t-1] + x[t]) + abs(V @ x[t-2]) - softplus(x[t]) * softmax(U @ h[t-1])",
    "collisions": "xp[t] = tanh(like @ xp[t-1] + device @ x[t] + namespace)",
    "const": "const alpha = 0.5\nh[t] = alpha * h[t-1] + (1 - alpha) * tanh(W @ x[t])",
    "still": "const tau = 3\nk = exp(-1 / tau)\nA = W - W.T\nr = exp(-exp(nu))\nh[t] = k * r * h[t-1] + tanh(A @ x[t])",
}
Arrays = dict[str, Any]


@cache
def made(name: str) -> tuple[Cell, ModuleType, ModuleType]:
    cell = read_cell(TEXTS[name], name) if name in TEXTS else catalog.load(name)
    derivation = derive(cell)
    return cell, load_source(generate(derivation)), load_source(generate_portable(derivation))


def sample(name: str, seed: int = 0) -> tuple[Arrays, list[np.ndarray], Arrays]:
    """Parameters, inputs and initial states of sizes that all differ."""
    cell, plain, _ = made(name)
    rng = np.random.default_rng(seed)
    sizes = {d: 3 + i for i, d in enumerate(cell.dims)}
    params = plain.init_params(*sizes.values(), seed=seed)
    inputs = []
    for q in cell.inputs:
        rows, cols = (int(s.subs(sizes)) for s in q.shape)
        if q.kind == "index":
            inputs.append(rng.integers(0, rows, (T, B)))
        else:
            inputs.append(rng.standard_normal((T, B, rows) if cols == 1 else (T, B, rows, cols)))
    state = {
        k: 1 + 0.3 * rng.standard_normal(v.shape)
        for k, v in plain.init_state(B, *sizes.values()).items()
    }
    return params, inputs, state


def run(module: ModuleType, name: str, xp: Any, back: Any) -> list[Arrays]:
    """Everything that a file computes of a sample, as NumPy arrays."""
    params, inputs, state = sample(name)
    rng = np.random.default_rng(1)

    def arrays(given: Arrays) -> Arrays:
        return {k: xp.asarray(v) for k, v in given.items()}

    steps = {} if inputs else {"steps": T}
    xs = [xp.asarray(x) for x in inputs]
    outputs, final, kept = module.forward(arrays(params), *xs, arrays(state), **steps)
    bars = {k: rng.standard_normal(tuple(v.shape)) for k, v in outputs.items()}
    last = {k: rng.standard_normal(tuple(v.shape)) for k, v in final.items()}
    found = module.backward(arrays(params), kept, arrays(bars), arrays(last))
    return [{k: back(v) for k, v in part.items()} for part in (outputs, final, *found)]


def same(name: str, xp: Any, back: Any) -> None:
    _, plain, portable = made(name)
    for ours, theirs in zip(
        run(portable, name, xp, back), run(plain, name, np, np.asarray), strict=True
    ):
        assert ours.keys() == theirs.keys()
        for k, v in theirs.items():
            np.testing.assert_allclose(ours[k], v, rtol=1e-10, atol=1e-12, err_msg=k)


@pytest.mark.parametrize("name", [*NAMES, *TEXTS])
def test_numpy_computes_the_same(name: str) -> None:
    same(name, np, np.asarray)


@pytest.mark.parametrize("name", [*NAMES, *TEXTS])
def test_a_strict_namespace_computes_the_same(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    same(name, strict, np.from_dlpack)


@pytest.mark.parametrize("name", ["lstm", "skip", "rwkv", "mlstm", *TEXTS])
def test_torch_computes_the_same_and_its_autograd_agrees(name: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("array_api_compat")
    same(name, torch, lambda v: v.numpy())


@pytest.fixture
def jax() -> Iterator[Any]:
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("name", ["lstm", "skip", "deltanet", *TEXTS])
def test_jax_computes_the_same(name: str, jax: Any) -> None:
    same(name, jax.numpy, np.asarray)


def test_jax_compiles_it(jax: Any) -> None:
    _, plain, portable = made("gru")
    params, (x,), state = sample("gru")

    def gradient(params: Arrays, x: Any, state: Arrays) -> Any:
        outputs, _, kept = portable.forward(params, x, state)
        return portable.backward(params, kept, {"h": outputs["h"]})[0]

    found = jax.jit(gradient)(params, x, state)
    outputs, _, kept = plain.forward(params, x, state)
    for k, v in plain.backward(params, kept, {"h": outputs["h"]})[0].items():
        np.testing.assert_allclose(found[k], v, rtol=1e-9)


@pytest.mark.parametrize("name", ["gru", "skip", "index"])
def test_every_check_of_numpy_files_holds(name: str) -> None:
    cell = made(name)[0]
    derivation = derive(cell)
    found = verify(cell, generate_portable(derivation), derivation=derivation)
    assert found.ok, found.table()


@settings(max_examples=4)
@given(cells())
def test_every_check_holds_for_random_cells(cell: Cell) -> None:
    derivation = derive(cell)
    found = verify(cell, generate_portable(derivation), derivation=derivation)
    assert found.ok, found.table()


def test_nothing_but_numpys_random_numbers_is_taken_from_numpy() -> None:
    source = generate_portable(derive(catalog.load("lstm")))
    passes = source[source.index("def forward(") : source.index("def step(")]
    assert not re.findall(r"\bnp\.", passes)
    assert not re.findall(r"\w\[[^\]]*\] [+*-]?= ", passes.replace("_all[", ""))


def test_functions_are_those_of_the_numpy_files() -> None:
    x = np.array([[-1e4, -2.0, -1e-3, 0.5, 3.0, 1e4]])
    names = set(primitives.NAMES) & set(portable_primitives.NAMES)
    elementwise = names - {"matvec", "product", "outer_sum", "one_hot"}
    assert len(elementwise) == 9
    for name in elementwise:
        found = getattr(portable_primitives, name)(x)
        np.testing.assert_allclose(found, getattr(primitives, name)(x), rtol=1e-14, err_msg=name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"U": np.ones((3, 5))}, "x has shape"),
        ({"U": np.ones((3, 4), np.float32)}, "dtypes"),
        ({"W": np.full((3, 3), np.nan)}, "not finite"),
        ({"V": np.ones(3)}, "do not know V"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change: Arrays, says: str) -> None:
    _, _, portable = made("elman")
    params, (x,), state = sample("elman")
    with pytest.raises((ValueError, TypeError), match=says):
        portable.forward({**params, **change}, x, state)


def test_arrays_that_name_no_namespace_are_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As NumPy's before 2.0 and torch's, where array-api-compat is not there."""

    class Nameless:
        pass

    monkeypatch.setitem(sys.modules, "array_api_compat", None)
    with pytest.raises(ImportError, match=r"Nameless.*install array-api-compat.*numpy>=2"):
        portable_primitives.namespace(Nameless())
