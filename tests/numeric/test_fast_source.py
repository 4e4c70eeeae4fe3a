"""Fast files: right on every cell, whatever the sizes of stretches and blocks; workspaces that are used again."""

from __future__ import annotations

import ast
from functools import cache

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from derive.catalog import load, shipped
from derive.derivation import derive
from derive.language import read_cell
from numeric.fast_source import SETTINGS, generate_fast
from tests.generated import arguments, bars, called, module_of
from tests.numeric.test_source import ODD, every_cell, right_on
from tests.oracle import sample
from tests.strategies import samples


def fast_module(cell, *, rows: int = 2048, size: int = 1_000_000):
    """The fast file of a cell, with these sizes of stretches and blocks."""
    module = module_of(generate_fast(derive(cell)), cell.name)
    module.STRETCH_ROWS, module.BLOCK_BYTES = rows, size
    return module


@cache
def fast_shipped(name: str):
    return fast_module(load(name))


@every_cell
@pytest.mark.parametrize(("T", "B"), [(1, 2), (5, 1), (4, 3)])
def test_the_fast_code_of_a_shipped_cell_is_right(entry, T, B):
    right_on(sample(load(entry.name), T=T, B=B, seed=8), 1e-12, fast_shipped(entry.name))


@every_cell
@pytest.mark.parametrize(("rows", "size"), [(1, 1), (6, 1), (9, 600)])
def test_stretches_and_blocks_do_not_matter(entry, rows, size):
    cell = load(entry.name)
    right_on(sample(cell, T=7, B=2, seed=3), 1e-12, fast_module(cell, rows=rows, size=size))


@pytest.mark.parametrize(
    "spec", ["elman:g=relu", "elman:g=sigmoid", "elman:g=identity", "skip:d=1", "skip:d=7"]
)
def test_the_fast_code_of_a_cell_with_options_is_right(spec):
    right_on(sample(load(spec), T=5, B=2), 1e-12, fast_module(load(spec), rows=4))


@pytest.mark.parametrize("rows", [2, 2048])
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_the_fast_code_of_an_odd_cell_is_right(text, rows):
    cell = read_cell(text, "odd")
    right_on(sample(cell, T=4, B=3), 1e-11, fast_module(cell, rows=rows))
    right_on(sample(cell, T=4, B=1), 1e-11, fast_module(cell, rows=rows))


def test_adjoints_that_are_products_are_put_whole_into_the_rows_of_gates_of_several_sizes():
    lines = [
        "a[t] = A @ h[t-1] + p",
        "c[t] = C @ h[t-1] + q",
        "h[t] = tanh(D @ a[t] + E @ c[t] + U @ x[t])",
    ]
    cell = read_cell("dim a = 4\ndim c = 5\n" + "\n".join(lines), "two sizes")
    right_on(sample(cell, T=5, B=3), 1e-12, fast_module(cell, rows=6))
    right_on(sample(cell, T=5, B=1), 1e-12, fast_module(cell))


def test_a_gate_that_only_the_output_needs_is_no_work_for_the_loop():
    lines = [
        "f[t] = sigmoid(W_f @ x[t] + v_f * c[t-1] + b_f)",
        "c[t] = f[t] * c[t-1] + (1 - f[t]) * (W @ x[t])",
    ]
    lines += [
        "r[t] = sigmoid(W_r @ x[t] + v_r * c[t-1] + b_r)",
        "h[t] = r[t] * c[t] + (1 - r[t]) * (P @ x[t])",
    ]
    cell = read_cell("\n".join(lines), "sru")
    for rows in (4, 2048):
        right_on(sample(cell, T=5, B=3), 1e-12, fast_module(cell, rows=rows))
        right_on(sample(cell, T=5, B=1), 1e-12, fast_module(cell, rows=rows))


@pytest.mark.parametrize("B", [1, 3])
def test_a_function_of_a_function_of_a_state_is_computed_again_from_the_state(B):
    text = "c[t] = s[t-1] * c[t-1]\ns[t] = tanh(W @ s[t-1] + relu(c[t-1]) / (2 + sin(abs(c[t]))))"
    right_on(sample(read_cell(text, "twice"), T=4, B=B), 1e-12, fast_module(read_cell(text, "t")))


@pytest.mark.parametrize("B", [1, 3])
def test_a_state_whose_uses_cancel_hands_on_nothing(B):
    text = (
        "c[t] = tanh(W @ s[t-1] + x[t])\ns[t] = tanh((U @ x[t]) * (c[t-1] - c[t-1]) + V @ s[t-1])"
    )
    cell = read_cell(text, "cancelled")
    right_on(sample(cell, T=4, B=B), 1e-12, fast_module(cell))


def test_a_cell_with_many_states_and_long_names_is_written_over_several_lines():
    names = [f"a_rather_long_name_{k}" for k in range(8)]
    lines = [f"{name}[t] = 0.5 * {name}[t-1] + U @ x[t]" for name in names]
    cell = read_cell("\n".join(lines), "many states")
    right_on(sample(cell, T=4, B=2), 1e-11, fast_module(cell, rows=4))


@settings(max_examples=25)
@given(samples())
def test_the_fast_code_of_a_random_cell_is_right(s):
    note(s.cell.text)
    right_on(s, 1e-9, fast_module(s.cell, rows=4, size=200))


# ── one sample, whose backward step is one product ──


@pytest.mark.parametrize("matrix", [0, 10**9])
@every_cell
def test_the_steps_of_one_sample_are_right_as_products_and_one_by_one(entry, matrix):
    cell = load(entry.name)
    for rows, size in ((2048, 1_000_000), (4, 200), (4, 1)):
        module = fast_module(cell, rows=rows, size=size)
        if hasattr(module, "MATRIX_SIZE"):
            module.MATRIX_SIZE = matrix
        right_on(sample(cell, T=7, B=1, seed=5), 1e-12, module)


MULTIPLIED = {
    "sizes that differ": "dim h = 4\ndim c = 3\nh[t] = tanh(W @ h[t-1] + V @ c[t-1] + U @ x[t] + b)\n"
    "c[t] = 0.3 * c[t-1] + (P @ h[t]) / (1 + d * d)",
    "two products one after the other": "k[t] = sigmoid(K @ h[t-1] + b)\nr[t] = tanh(R @ (k[t] * h[t-1]))\n"
    "h[t] = h[t-1] - tanh(W @ (r[t] * h[t-1]) + U @ x[t])",
    "a state that a readout reads": "h[t] = a * h[t-1] - tanh(W @ h[t-1] + U @ x[t])\ny[t] = V @ h[t]",
    "a negated product": "dim x = 3\ndim h = 3\na[t] = W @ h[t-1] + b\n"
    "h[t] = x[t] - a[t] - 0.2 * (tanh(a[t]) - h[t-1])",
    "one factor for two states": "a[t] = f * (a[t-1] + c[t-1]) + x[t]\nc[t] = tanh(V @ a[t-1]) + x[t]",
}


@pytest.mark.parametrize("text", MULTIPLIED.values(), ids=MULTIPLIED)
def test_the_steps_of_one_sample_of_an_odd_cell_are_products(text):
    cell = read_cell(text, "odd")
    assert "MATRIX_SIZE" in generate_fast(derive(cell))
    for rows, size in ((2048, 1_000_000), (4, 300)):
        right_on(sample(cell, T=7, B=1, seed=2), 1e-12, fast_module(cell, rows=rows, size=size))
        right_on(sample(cell, T=1, B=1, seed=2), 1e-12, fast_module(cell, rows=rows, size=size))
        right_on(sample(cell, T=5, B=2, seed=2), 1e-12, fast_module(cell, rows=rows, size=size))


def test_a_step_of_products_takes_as_many_of_them_as_the_gradient_passes_weights_in_turn():
    loops = {"lstm": 1, "elman": 1, "gru_reset_after": 1, "slstm": 1, "gru": 2}
    for name, count in loops.items():
        source = generate_fast(derive(load(name)))
        _, _, loop = source.partition("in ws.chain[:count][::-1]:\n")
        calls = [line for line in loop.splitlines()[:4] if line.strip().startswith("times")]
        assert len(calls) == count, name


def test_cells_whose_steps_multiply_by_no_weights_have_no_products():
    for name in ("mingru", "rglru", "lru", "deltanet", "skip"):
        assert "MATRIX_SIZE" not in generate_fast(derive(load(name)))


def test_a_step_through_which_many_ways_lead_is_taken_one_by_one():
    lines = ["k_0[t] = tanh(W @ h[t-1] + U @ x[t])", "m_0[t] = tanh(V @ h[t-1])"]
    for i in range(9):
        lines += [
            f"k_{i + 1}[t] = 0.5 * k_{i}[t] * m_{i}[t]",
            f"m_{i + 1}[t] = 0.5 * sin(k_{i}[t] + m_{i}[t])",
        ]
    cell = read_cell("\n".join([*lines, "h[t] = k_9[t] + m_9[t]"]), "many ways")
    assert "MATRIX_SIZE" not in generate_fast(derive(cell))
    right_on(sample(cell, T=4, B=1, seed=2), 1e-12, fast_module(cell))


# ── several adjoints in one call ──

GATE = "W_{0} @ h[t-1] + U_{0} @ x[t] + b_{0}"
GATES = {
    "f": f"f[t] = sigmoid({GATE.format('f')})",
    "i": f"i[t] = sigmoid({GATE.format('i')})",
    "g": f"g[t] = tanh({GATE.format('g')})",
}
IN_ONE_CALL = {
    "a state whose adjoint is handed on as it is": "c[t] = c[t-1] + i[t] * g[t]\nh[t] = f[t] * tanh(c[t])",
    "several products of one adjoint": "h[t] = f[t] * sin(h[t-1]) + g[t] * h[t-1] * i[t]",
    "three adjoints": "k[t] = f[t] * k[t-1] * g[t]\nc[t] = i[t] * c[t-1]\nh[t] = tanh(c[t]) + cos(k[t])",
    "a sum of three": "c[t] = f[t] * c[t-1] + g[t] * i[t]\nh[t] = sin(c[t]) + exp(-c[t]) * c[t-1] + cos(c[t])",
    "a product behind it": "c[t] = f[t] * c[t-1] + i[t] * g[t]\nh[t] = f[t] * tanh(c[t])\ny[t] = V @ h[t]",
}
IN_ONE_CALL = {"an LSTM": load("lstm").text} | {
    name: "\n".join([*GATES.values(), text]) for name, text in IN_ONE_CALL.items()
}


ONE_BY_ONE = {"a state whose adjoint is handed on as it is", "a product behind it"}
"""Cells of which a step takes no two calls fewer."""


@pytest.mark.parametrize("name", IN_ONE_CALL)
@pytest.mark.parametrize("B", [1, 3])
def test_adjoints_in_one_call_and_one_after_the_other_are_right(name, B):
    cell = read_cell(IN_ONE_CALL[name], "gates")
    assert ("TOGETHER_SIZE" in generate_fast(derive(cell))) == (name not in ONE_BY_ONE)
    for rows, size in ((2048, 1_000_000), (4 * B, 400)):
        for together in (0, 10**9):
            module = fast_module(cell, rows=rows, size=size)
            module.MATRIX_SIZE = 0
            module.TOGETHER_SIZE = together
            right_on(sample(cell, T=7, B=B, seed=3), 1e-12, module)
            right_on(sample(cell, T=1, B=B, seed=3), 1e-12, module)


@every_cell
def test_every_shipped_cell_is_right_without_adjoints_in_one_call(entry):
    cell = load(entry.name)
    module = fast_module(cell, rows=4, size=200)
    if hasattr(module, "TOGETHER_SIZE"):
        module.TOGETHER_SIZE = 0
        right_on(sample(cell, T=7, B=2, seed=5), 1e-12, module)


PRODUCT = st.tuples(
    st.lists(st.sampled_from(("f[t]", "i[t]", "g[t]", "tanh(c[t-1])", "cos(h[t-1])")), max_size=2),
    st.sampled_from(("c[t-1]", "h[t-1]", "sin(c[t-1])", "f[t]", "i[t]", "g[t]")),
)


@settings(max_examples=15)
@given(st.lists(PRODUCT, min_size=1, max_size=3), st.lists(PRODUCT, min_size=1, max_size=2))
def test_random_gates_are_right_in_one_call(first, second):
    sums = (" + ".join(" * ".join((*more, one)) for more, one in part) for part in (first, second))
    text = "c[t] = 0.5 * ({}) + f[t] * i[t] * g[t]\nh[t] = tanh(c[t]) * ({})".format(*sums)
    note(text)
    cell = read_cell("\n".join([*GATES.values(), text]), "gates")
    module = fast_module(cell, rows=9, size=400)
    module.MATRIX_SIZE = 0
    for together in (0, 10**9):
        module.TOGETHER_SIZE = together
        for B in (1, 3):
            right_on(sample(cell, T=5, B=B, seed=4), 1e-9, module)


def test_a_step_of_an_lstm_adds_up_and_multiplies_once():
    source = generate_fast(derive(load("lstm")))
    assert "[[1, 1, 0], [1, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 0]]" in source
    _, _, loop = source.partition("if ws.together:\n                    add_up_fiog(")
    both = loop.partition("else:")[0]
    assert both.count("multiply(") == 1


def test_a_workspace_of_products_forgets_what_an_earlier_run_was_given():
    module, s = fast_shipped("lstm"), sample(load("lstm"), T=6, B=1)
    positional, keywords = arguments(s)
    keywords = called(module, keywords)
    _, _, cache = module.forward(*positional, **keywords)
    outputs_bar, final_bar = bars(s)
    module.backward(positional[0], cache, outputs_bar, final_bar)
    again = module.backward(positional[0], cache, {"c": outputs_bar["c"]})
    fresh = module.forward(*positional, **keywords)[2]
    for found, expected in zip(
        again, module.backward(positional[0], fresh, {"c": outputs_bar["c"]}), strict=True
    ):
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14)


@settings(max_examples=25)
@given(samples())
def test_the_steps_of_one_sample_of_a_random_cell_are_right(s):
    note(s.cell.text)
    one = sample(s.cell, T=5, B=1, seed=11)
    right_on(one, 1e-9, fast_module(s.cell, rows=4, size=300))


# ── workspaces ──


def run_twice(name: str, T: int = 6, B: int = 3):
    module, s = fast_shipped(name), sample(load(name), T=T, B=B)
    positional, keywords = arguments(s)
    keywords = called(module, keywords)
    first = module.forward(*positional, **keywords)
    return module, s, positional, keywords, first


def test_a_workspace_gives_the_same_results_in_the_same_arrays():
    module, s, positional, keywords, (outputs, _, cache) = run_twice("lstm")
    expected = module.backward(positional[0], cache, *bars(s))
    kept = {k: v.copy() for k, v in outputs.items()}
    again, _, used = module.forward(*positional, **keywords, workspace=cache["workspace"])
    assert all(np.shares_memory(again[k], outputs[k]) for k in outputs)
    gradients = module.backward(positional[0], used, *bars(s))
    repeated = module.backward(positional[0], used, *bars(s))
    for name, value in kept.items():
        np.testing.assert_array_equal(again[name], value)
    for mine, theirs, _ in zip(gradients, expected, repeated, strict=True):
        for name in theirs:
            np.testing.assert_array_equal(mine[name], theirs[name])
    assert np.shares_memory(gradients[0]["W_f"], repeated[0]["W_f"])
    assert not np.shares_memory(expected[0]["W_f"], gradients[0]["W_f"])


def test_a_cache_whose_workspace_was_used_again_is_refused():
    module, s, positional, keywords, (_, _, cache) = run_twice("gru")
    module.forward(*positional, **keywords, workspace=cache["workspace"])
    with pytest.raises(ValueError, match="earlier run"):
        module.backward(positional[0], cache, *bars(s))


def test_a_workspace_for_other_sizes_is_refused():
    module, _, _, _, (_, _, cache) = run_twice("gru")
    (params, x), keywords = arguments(sample(load("gru"), T=5, B=3))
    with pytest.raises(ValueError, match=r"made for \(6, 3, .*expected one for \(5, 3"):
        module.forward(params, x, **keywords, workspace=cache["workspace"])


def test_what_is_no_workspace_of_this_file_is_refused():
    module, _, positional, keywords, (_, _, cache) = run_twice("gru")
    foreign = fast_module(load("gru")).Workspace(6, 3, 3, 2, np.dtype(np.float64))
    for wrong in (cache, {}, True, foreign, module.Workspace):
        with pytest.raises(TypeError, match="expected a Workspace of this file"):
            module.forward(*positional, **keywords, workspace=wrong)


def test_parameters_left_out_are_named_with_a_new_workspace_too():
    module, _, positional, keywords, _ = run_twice("gru")
    fresh = module.Workspace(6, 3, 3, 2, np.dtype(np.float64))
    with pytest.raises(ValueError, match=r"params\['\w+'\] is missing"):
        module.forward({}, *positional[1:], **keywords, workspace=fresh)


@pytest.mark.parametrize("name", ["W", *SETTINGS])
def test_a_quantity_may_be_called_like_the_stretch_of_steps_or_a_size_of_the_file(name):
    text = f"dim at = 4\nat[t] = tanh({name} @ at[t-1] + U @ x[t])\ny[t] = sigmoid(V @ at[t])"
    cell = read_cell(text, "named")
    right_on(sample(cell, T=5, B=2), 1e-11, fast_module(cell, rows=4))
    cell = read_cell(load("lstm").text.replace("U_g", name), "named")
    right_on(sample(cell, T=5, B=2), 1e-11, fast_module(cell, rows=4))


class Watching:
    """NumPy, with a look at what its ufuncs are given for the gates of one step."""

    def __init__(self, B: int, n: int, gates: int) -> None:
        self.shapes = {(B, n), *((k, B, n) for k in range(2, gates + 1)), (B, gates * n)}
        self.seen, self.scattered = 0, []

    def __getattr__(self, name: str):
        found = getattr(np, name)
        if not isinstance(found, np.ufunc):
            return found

        def watched(*args):
            of_a_step = [a for a in args if isinstance(a, np.ndarray) and a.shape in self.shapes]
            self.seen += len(of_a_step)
            self.scattered += [name for a in of_a_step if not a.flags.c_contiguous]
            return found(*args)

        return watched


@pytest.mark.parametrize("name", ["lstm", "lstm_peephole", "gru", "gru_reset_after", "slstm"])
def test_the_ufuncs_of_a_step_see_no_gate_within_rows(name):
    cell = load(name)
    module = module_of(generate_fast(derive(cell)), name)
    sizes = dict(zip(cell.dims, (5, 2), strict=False))
    s = sample(cell, sizes=sizes, T=11, B=7, seed=4)
    positional, keywords = arguments(s)
    module.np = Watching(B=7, n=5, gates=4)
    *_, cache = module.forward(*positional, **keywords)
    module.backward(positional[0], cache, *bars(s))
    assert module.np.seen > 11 * 20
    assert module.np.scattered == []


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_large_arrays_of_a_workspace_begin_with_a_line_of_the_cache(dtype):
    module = fast_shipped("lstm")
    workspace = module.Workspace(50, 8, 32, 16, np.dtype(dtype))
    workspace.for_backward()
    large = {k: a for k, a in workspace.arrays.items() if a.nbytes >= 16_384 and k != "x_one"}
    assert {"gates_fiog", "c_all", "delta_fiog", "W_fiog"} <= large.keys()
    assert all(a.ctypes.data % 64 == 0 for a in large.values())
    assert {a.dtype for a in large.values()} == {np.dtype(dtype)}


def test_without_a_workspace_calls_share_nothing():
    module, s, positional, keywords, (outputs, _, cache) = run_twice("lstm")
    other = module.forward(*positional, **keywords)[0]
    assert not np.shares_memory(outputs["h"], other["h"])
    first, second = (module.backward(positional[0], cache, *bars(s)) for _ in range(2))
    for mine, theirs in zip(first, second, strict=True):
        assert not any(np.shares_memory(mine[k], theirs[k]) for k in mine)


def test_repeated_calls_with_a_workspace_allocate_nothing_that_grows_with_the_sequence():
    tracemalloc = pytest.importorskip("tracemalloc")
    cell = load("lstm")
    module, s = (
        fast_shipped("lstm"),
        sample(cell, T=400, B=8, sizes=dict(zip(cell.dims, (32, 16), strict=True))),
    )
    positional, keywords = arguments(s)
    cache = module.forward(*positional, **keywords)[2]
    workspace = cache["workspace"]
    given_bars = {"h": bars(s)[0]["h"]}

    def run():
        _, _, used = module.forward(*positional, **keywords, workspace=workspace)
        module.backward(positional[0], used, given_bars)

    run()
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < positional[1].nbytes


# ── readable ──


@every_cell
def test_a_fast_file_is_the_same_on_every_run_and_leaves_nothing_unused(entry):
    d = derive(load(entry.name))
    source = generate_fast(d)
    assert source == generate_fast(derive(load(entry.name)))
    tree = ast.parse(source)
    imports = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert imports == ["from __future__ import annotations", "import numpy as np"]
    assert max(map(len, source.splitlines())) <= 140
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        assert ast.get_docstring(function) or function.name == "__init__"
        names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
        stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        loaded = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        added = [n.target for n in ast.walk(function) if isinstance(n, ast.AugAssign)]
        loaded |= {n.id for n in added if isinstance(n, ast.Name)}
        if function.name not in ("step", "for_backward"):
            assert stored - loaded <= {"_"}, function.name


def test_shipped_cells_are_all_tried():
    assert len(shipped()) >= 28


def test_a_size_that_only_the_start_shows_is_read_from_it_in_every_run():
    """A memory's rows are in no parameter: no start at all is no start of zeros, and a workspace is for one size."""
    module = fast_module(read_cell(ODD["a memory whose rows only its start shows"], "memory"))
    params, rng = module.init_params(3, 2, 4), np.random.default_rng(0)
    x, start = rng.standard_normal((5, 2, 4)), {"M": rng.standard_normal((2, 3, 2))}
    _, _, cache = module.forward(params, x, start)
    for kept in (None, cache["workspace"]):
        with pytest.raises(ValueError, match="state"):
            module.forward(params, x, workspace=kept)
    with pytest.raises(ValueError, match="the workspace is made for"):
        module.forward(params, x, {"M": np.zeros((2, 6, 2))}, workspace=cache["workspace"])
