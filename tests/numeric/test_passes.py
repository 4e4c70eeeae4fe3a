"""Passes: each alone leaves outputs and gradients as they are, does what it says, and is missed when it is wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sympy import Rational

from derive.catalog import load
from derive.derivation import derive
from derive.expressions import Adjoint, Elementwise, LossGradient, leaves, scale, walk
from numeric import passes
from numeric.compiled_source import generate_compiled
from numeric.fast_again import generate_small
from numeric.fast_source import FastFile, generate_fast
from numeric.passes import (
    MANY,
    added_late,
    continued,
    fast,
    halved,
    hoisted,
    in_order,
    interpolated,
    recomputed,
)
from numeric.schedule import program
from numeric.stacks import Stack
from tests.generated import module_of
from tests.numeric.test_source import right_on
from tests.oracle import sample

CELLS = ["lstm", "gru", "gru_reset_after", "lstm_peephole", "slstm", "skip", "mlstm", "leaky"]
ALONE = {
    "in order": in_order,
    "continued": lambda d: continued(in_order(d)),
    "added late": lambda d: added_late(continued(in_order(d))),
    "halved": lambda d: halved(in_order(d)),
    "interpolated": lambda d: interpolated(in_order(d)),
    "hoisted": lambda d: hoisted(in_order(d)),
    "recomputed": lambda d: recomputed(hoisted(in_order(d))),
    "as scheduled": lambda d: program(d, least=1),
}


def run_with(prog, spec: str) -> None:
    module = module_of(FastFile(prog).text(), spec)
    right_on(sample(load(spec), T=4, B=2, seed=5), 1e-12, module)


@pytest.mark.parametrize("spec", CELLS)
@pytest.mark.parametrize("make", ALONE.values(), ids=ALONE)
def test_a_pass_alone_changes_no_value(make, spec):
    run_with(make(derive(load(spec))), spec)


def test_a_bias_is_added_late_where_the_loop_has_a_product_and_else_stays():
    def biased(prog, part):
        return [t.bias for s in prog.forward[part] if isinstance(s.target, Stack) for t in s.value]

    prog = in_order(derive(load("lstm")))
    assert (biased(prog, "before"), biased(prog, "loop")) == ([True], [False])
    late = added_late(prog)
    assert (biased(late, "before"), biased(late, "loop")) == ([False], [True])
    alone = in_order(derive(load("mingru")))
    assert biased(added_late(alone), "before") == biased(alone, "before")
    assert True in biased(alone, "before")


def test_a_bias_added_before_the_loop_and_in_it_is_noticed():
    prog = in_order(derive(load("lstm")))
    forward = {**added_late(prog).forward, "before": prog.forward["before"]}
    with pytest.raises(AssertionError):
        run_with(replace(prog, forward=forward), "lstm")


def test_logistic_gates_come_first_and_become_one_tanh():
    prog = fast(derive(load("lstm")))
    (stack,) = [s.target for s in prog.forward["loop"] if isinstance(s.target, Stack)]
    assert [m.target.name for m in stack.members] == ["a_f", "a_i", "a_o", "a_g"]
    functions = [
        e.function
        for s in prog.forward["loop"]
        if not isinstance(s.target, Stack)
        for e in walk(s.value)
        if isinstance(e, Elementwise)
    ]
    assert set(functions) == {"tanh"}


def test_a_gate_that_something_else_reads_is_not_halved():
    from derive.language import read_cell

    d = derive(
        read_cell("a[t] = W @ h[t-1] + U @ x[t]\nh[t] = sigmoid(a[t]) * a[t]\n", "read twice")
    )
    before = in_order(d)
    assert halved(before).forward == before.forward


def test_hoisted_factors_hold_no_adjoint_and_the_loop_holds_no_function_of_stored_values():
    for spec in CELLS:
        prog = fast(derive(load(spec)))
        for s in prog.backward[MANY]:
            assert not any(isinstance(v, Adjoint | LossGradient) for v in leaves(s.value))
    loop = fast(derive(load("lstm"))).backward["loop"]
    values = [
        part for s in loop for part in (s.value if isinstance(s.value, tuple) else (s.value,))
    ]
    held = [v for part in values if hasattr(part, "args") for v in walk(part)]
    assert len(fast(derive(load("lstm"))).backward[MANY]) == 5
    assert not any(isinstance(v, Elementwise) or type(v).__name__ == "HadamardPower" for v in held)


def test_what_is_a_function_of_a_kept_value_is_not_kept_beside_it():
    before = hoisted(in_order(derive(load("lstm"))))
    after = recomputed(before)
    assert {v.name for v in before.stored - after.stored} == {"tanh_c"}
    many = [e for s in after.backward[MANY] for e in walk(s.value)]
    assert any(isinstance(e, Elementwise) and str(e.args[0].name) == "c" for e in many)
    assert not any(getattr(v, "name", "") == "tanh_c" for e in many for v in leaves(e))


def test_what_is_an_output_or_read_by_the_loop_or_by_a_sum_stays_kept():
    from derive.language import read_cell

    texts = [
        "c[t] = W @ tanh(c[t-1]) + U @ x[t]\n",
        "c[t] = U @ x[t] + W @ s[t-1]\ns[t] = tanh(c[t])\nh[t] = V @ s[t]\n",
    ]
    for text in texts:
        before = hoisted(in_order(derive(read_cell(text, "kept"))))
        assert recomputed(before).stored == before.stored, text


def test_interpolation_saves_a_product():
    def products(prog):
        return sum(
            type(v).__name__ == "HadamardProduct"
            for s in prog.forward["loop"]
            if not isinstance(s.value, tuple)
            for v in walk(s.value)
        )

    before = in_order(derive(load("gru")))
    assert products(interpolated(before)) == products(before) - 1


@pytest.mark.parametrize("what", ["half", "factor", "interpolation", "recomputed"])
def test_a_wrong_pass_is_noticed(monkeypatch, what):
    right = {
        "half": passes._halved_member,
        "factor": passes._Hoister.named,
        "interpolation": passes._interpolation,
        "recomputed": passes._with,
    }
    if what == "half":
        monkeypatch.setattr(passes, "_halved_member", lambda m: right["half"](right["half"](m)))
    if what == "factor":
        monkeypatch.setattr(
            passes._Hoister,
            "named",
            lambda self, e: right["factor"](self, scale(Rational(1001, 1000), e)),
        )
    if what == "interpolation":
        wrong = lambda e: scale(Rational(1001, 1000), right[what](e))  # noqa: E731
        monkeypatch.setattr(passes, "_interpolation", wrong)
    if what == "recomputed":
        wrong = lambda e, values: right[what](e, {v: scale(2, f) for v, f in values.items()})  # noqa: E731
        monkeypatch.setattr(passes, "_with", wrong)
    spec = "lstm" if what == "recomputed" else "gru"
    with pytest.raises(AssertionError):
        run_with(fast(derive(load(spec))), spec)


TAGS = re.compile(r"^ +(?:.*\S  )?# ([a-z][a-z ,]*)$", re.MULTILINE)
NOTES = re.compile(r"^# ([a-z ]+) \((.+?)\): (.+)", re.MULTILINE)


def told(text: str) -> dict[str, tuple[str, str]]:
    """What the head of a file says of the passes: by name, to what, and why."""
    block = text[text.index("# What was done to the order") : text.index("class Workspace")]
    whole = block.replace("\n#     ", " ")
    return {name: (what, why) for name, what, why in NOTES.findall(whole)}


@pytest.mark.parametrize("spec", CELLS)
@pytest.mark.parametrize("make", [generate_fast, generate_small, generate_compiled])
def test_the_code_says_which_pass_did_what_and_why(make, spec):
    text = make(derive(load(spec)))
    notes = told(text)
    tags = {tag for tags in TAGS.findall(text) for tag in tags.split(", ")}
    assert tags <= notes.keys()
    assert tags or spec == "mlstm"
    for what, why in notes.values():
        assert why.endswith(".")
        names = [name for name in what.split(", ") if name != "…"]
        code = text[text.index("class Workspace") :]
        assert all(re.search(rf"(?<![^\W_]){name}(?![^\W_])", code) for name in names)


def test_a_pass_that_does_nothing_is_not_told():
    found = told(generate_fast(derive(load("elman"))))
    assert found.keys() == {"early", "deferred", "hoisted", "chained"}
    lstm = told(generate_fast(derive(load("lstm"))))
    assert lstm["halved"] == (
        "f, i, o",
        "σ(a) = ½ tanh(½ a) + ½, the ½ inside within the weights: one tanh does for all gates.",
    )
    assert lstm["recomputed"][0] == "tanh_c"
    assert "interpolated" not in lstm
    assert told(generate_fast(derive(load("gru"))))["interpolated"][0] == "h"
    assert told(generate_compiled(derive(load("lstm"))))["added late"][0] == "fiog"
