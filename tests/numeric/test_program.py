"""The schedule: inputs' products before the loop, sums after it, and every statement after what it reads."""

from __future__ import annotations

import pytest
from hypothesis import given, note

from derive.catalog import load, shipped
from derive.derivation import derive
from derive.expressions import Adjoint, Timed, leaves
from derive.language import read_cell
from numeric.body import all_leaves
from numeric.program import StackSum, StackTerm
from numeric.schedule import program
from numeric.stacks import Stack
from tests.strategies import cells


def scheduled(spec: str):
    return program(derive(load(spec)))


def targets(statements) -> list[str]:
    return [getattr(s.target, "name", None) or [v.name for v in s.target] for s in statements]


def test_the_lstm_multiplies_its_inputs_once_before_the_loop_and_its_state_once_a_step():
    forward = scheduled("lstm").forward
    (before,) = forward["before"]
    assert before.target.suffix == "fiog"
    assert [(term.vector.name, term.bias) for term in before.value] == [("x", True)]
    first, *rest = forward["loop"]
    assert isinstance(first.target, Stack)
    assert first.add
    assert [(term.vector.name, term.bias) for term in first.value] == [("h", False)]
    assert targets(rest) == ["f", "i", "o", "g", "c", "tanh_c", "h"]
    assert forward["after"] == []


def test_the_lstm_sums_each_kind_of_weight_in_one_product_after_the_loop():
    backward = scheduled("lstm").backward
    sums = [s for s in backward["after"] if isinstance(s.value, StackSum)]
    assert [getattr(s.value.vector, "name", None) for s in sums] == ["h", "x", None]
    assert all(len(s.target) == 4 for s in sums)
    assert targets([s for s in backward["after"] if s not in sums]) == ["x"]


def test_no_parameter_s_gradient_is_computed_in_the_loop():
    for entry in shipped():
        p = scheduled(entry.name)
        parameters = {q.name for q in p.derivation.cell.parameters}
        for s in p.backward["loop"]:
            assert s.target.name not in parameters, entry.name


def test_what_depends_on_inputs_only_leaves_the_loop():
    p = scheduled("linear_attention_gated")
    assert targets(p.forward["before"]) == ["a_f", "f", "a_kvq"]
    assert targets(p.forward["loop"]) == ["S"]
    assert targets(p.forward["after"]) == ["y"]


def test_what_no_state_depends_on_comes_after_the_loop_and_goes_back_before_it():
    text = "h[t] = tanh(W @ h[t-1] + U @ x[t] + b)\ny[t] = softmax(V @ h[t] + c)\n"
    p = program(derive(read_cell(text)))
    assert targets(p.forward["after"])[-1] == "y"
    assert {*targets(p.backward["before"])} >= {"a_y", "h"}
    assert all(name != "a_y" for name in targets(p.backward["loop"]))


def test_a_carried_adjoint_goes_to_the_step_it_comes_from():
    lags = {(s.target.name, s.lag) for s in scheduled("skip:d=3").backward["loop"] if s.lag}
    assert lags == {("h", 1), ("h", 3)}


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_every_equation_of_the_derivation_is_computed_once(entry):
    p = scheduled(entry.name)
    d = p.derivation
    forward = [s for part in p.forward.values() for s in part]
    stacked = {m.target.name for s in p.stacks for m in s.members}
    computed = {s.target.name for s in forward if isinstance(s.target, Timed)}
    once = {s.target.name for s in p.still}
    assert computed | stacked | once == {a.name for a in d.assignments}
    assert not once & (computed | stacked)
    sums = [s.target for s in p.backward["after"]]
    found = [
        name for t in sums for name in ([v.name for v in t] if isinstance(t, tuple) else [t.name])
    ]
    parameters = [q.name for q in d.cell.parameters]
    assert sorted(n for n in found if n in parameters) == sorted(parameters)


def reads(s) -> set:
    """What a statement reads of this very step."""
    found = set(all_leaves(s.value))
    terms = s.value if isinstance(s.value, tuple) else ()
    for term in terms:
        if isinstance(term, StackTerm) and term.transposed:
            found |= {Adjoint(m.target) for m in term.stack.members}
    return found


@given(cells())
def test_a_statement_comes_after_what_it_reads(cell):
    note(cell.text)
    p = program(derive(cell))
    known = {q.name for q in cell.inputs}
    begun: set[str] = set()
    for s in (s for place in ("before", "loop", "after") for s in p.forward[place]):
        present = {v.name for v in reads(s) if isinstance(v, Timed) and v.lag == 0}
        assert present <= known | begun
        if isinstance(s.target, Stack):
            begun |= {m.target.name for m in s.target.members}
        else:
            known.add(s.target.name)


@given(cells())
def test_an_adjoint_comes_after_what_it_reads(cell):
    note(cell.text)
    p = program(derive(cell))
    memory = set(p.derivation.backward.carried)
    done: set[str] = set(memory)
    for s in (s for place in ("before", "loop", "after") for s in p.backward[place]):
        needed = {v.name for v in reads(s) if isinstance(v, Adjoint)}
        assert needed <= done, s
        done |= set() if isinstance(s.target, tuple) else {s.target.name}


@given(cells())
def test_what_is_read_outside_the_loop_is_stored(cell):
    note(cell.text)
    p = program(derive(cell))
    stacked = {m.target for s in p.stacks for m in s.members}
    memory = {q.symbol for q in (*cell.states, *cell.inputs)}
    for place in ("before", "after"):
        for s in p.backward[place]:
            for v in reads(s):
                if isinstance(v, Timed):
                    assert v.at(0) in p.stored | stacked | memory


def test_a_program_is_plain_data():
    p = scheduled("gru")
    assert p.stack_of("a_z") is p.stack_of("a_r")
    assert p.stack_of("h") is None
    assert all(
        not isinstance(v, StackTerm) for s in p.stacks for m in s.members for v in leaves(m.target)
    )
