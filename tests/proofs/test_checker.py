"""The checker: what it needs, what it accepts, and that it refuses every broken proof and says where."""

from __future__ import annotations

import ast
import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from derive import catalog
from derive.derivation import derive
from proofs import checker
from proofs.checker import check
from proofs.general import prove

ROOT = Path(checker.__file__).parents[1]
FILES = sorted((ROOT / "proofs").glob("checker*.py"))
Proof = dict[str, Any]


@cache
def _text(name: str) -> str:
    return prove(derive(catalog.load(name))).dumps()


def proof_of(name: str) -> Proof:
    return json.loads(_text(name))


# ── what it is ──


def test_the_checker_needs_the_standard_library_and_itself_only() -> None:
    found: set[str] = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                found.add(node.module or "")
    ours = {f"proofs.{path.stem}" for path in FILES}
    assert found - ours <= sys.stdlib_module_names | {"collections.abc"}
    assert found & ours


def test_the_checker_runs_where_nothing_is_installed() -> None:
    code = (
        "import sys, json; from proofs.checker import check;"
        "print(check(json.load(sys.stdin)).accepted, {m.partition('.')[0] for m in sys.modules}"
        " & {'derive', 'sympy', 'numpy', 'numeric', 'reports'})"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        input=_text("gru"), cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == "True set()"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_of_the_checker_is_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 300


def test_the_command_says_what_holds_and_what_does_not(tmp_path: Path, capsys: Any) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(_text("elman"), "utf-8")
    broken = proof_of("elman")
    broken["steps"][-3]["at"] = "T - 1"
    bad.write_text(json.dumps(broken), "utf-8")
    assert checker.main([str(good)]) == 0
    assert checker.main([str(good), str(bad)]) == 3
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{good}: accepted: 19 steps hold"
    assert said[2] == f"{bad}: refused at base: the base must be at k = T"


# ── corruptions: each breaks one thing in the proof for an LSTM ──


def step(p: Proof, name: str) -> dict[str, Any]:
    return next(s for s in p["steps"] if s["name"] == name)


def claim(p: Proof, group: str, *key: Any) -> list[Any]:
    return next(e for e in p["statement"][group] if e[: len(key)] == [*key])


def changed(e: Any, old: Any, new: Any) -> Any:
    """The expression with every part ``old`` replaced by ``new``."""
    if e == old:
        return copy.deepcopy(new)
    return [changed(a, old, new) for a in e] if isinstance(e, list) else e


def edit(p: Proof, group: str, name: str, old: Any, new: Any) -> None:
    equation = claim(p, group, name)
    after = changed(equation[-1], old, new)
    assert after != equation[-1]
    equation[-1] = after


def bar(name: str, lag: int = 0) -> list[Any]:
    return ["bar", name, lag]


def value(name: str, lag: int | None = None) -> list[Any]:
    return ["value", name, lag]


WF_T = ["T", value("W_f")]


def dropped_transposition(p: Proof) -> None:
    edit(p, "adjoints", "h", WF_T, value("W_f"))


def wrong_sign(p: Proof) -> None:
    edit(p, "adjoints", "a_f", bar("c"), ["*", ["number", "-1"], bar("c")])


def wrong_factor(p: Proof) -> None:
    edit(p, "adjoints", "a_f", bar("c"), ["*", ["number", "2"], bar("c")])


def wrong_gate(p: Proof) -> None:
    edit(p, "adjoints", "h", bar("a_f", -1), bar("a_i", -1))


def dropped_path(p: Proof) -> None:
    equation = claim(p, "adjoints", "h")
    equation[-1] = [a for a in equation[-1] if a != ["@", ["T", value("W_o")], bar("a_o", -1)]]


def later_step_read_as_this_one(p: Proof) -> None:
    edit(p, "adjoints", "c", bar("c", -1), bar("c", 0))


def adjoint_one_step_too_late(p: Proof) -> None:
    edit(p, "adjoints", "h", bar("a_g", -1), bar("a_g", -2))


def gate_of_the_wrong_step(p: Proof) -> None:
    edit(p, "adjoints", "c", value("f", -1), value("f", 0))


def wrong_operand(p: Proof) -> None:
    edit(p, "adjoints", "a_f", value("c", 1), value("c", 0))


def swapped_states(p: Proof) -> None:
    edit(p, "adjoints", "h", ["loss", "h", 0], ["loss", "c", 0])
    edit(p, "adjoints", "c", ["loss", "c", 0], ["loss", "h", 0])


def loss_of_one_state_forgotten(p: Proof) -> None:
    equation = claim(p, "adjoints", "c")
    equation[-1] = [a for a in equation[-1] if a != ["loss", "c", 0]]


def law_of_the_wrong_function(p: Proof) -> None:
    edit(
        p,
        "adjoints",
        "a_f",
        ["*", ["number", "-1"], value("f", 0)],
        ["*", ["number", "-1"], ["f", "^2", value("f", 0)]],
    )


def wrong_law(p: Proof) -> None:
    step(p, "law sigmoid")["law"] = copy.deepcopy(step(p, "law tanh")["law"])


def carried_term_missing(p: Proof) -> None:
    step(p, "claim")["carried"].pop()


def carried_term_too_many(p: Proof) -> None:
    carried = step(p, "claim")["carried"]
    carried.append(copy.deepcopy(carried[0]))


def carried_to_the_wrong_step(p: Proof) -> None:
    pair = step(p, "claim")["carried"][0]
    pair[0] = changed(pair[0], bar("c", -1), bar("c", 0))


def truncated_through_time(p: Proof) -> None:
    """Nothing flows back to h: its later terms, its carried pair and its initial value are gone."""
    claim(p, "adjoints", "h")[-1] = ["loss", "h", 0]
    claim(p, "initial", "h", 0)[-1] = ["zeros", {"n": 1}, {"": 1}]
    carried = step(p, "claim")["carried"]
    carried[:] = [pair for pair in carried if pair[1][1] != "h"]


def parameter_without_an_equation(p: Proof) -> None:
    p["statement"]["parameters"].remove(claim(p, "parameters", "b_g"))


def parameter_left_out_everywhere(p: Proof) -> None:
    p["statement"]["parameters"].remove(claim(p, "parameters", "b_g"))
    step(p, "theorem")["terms"].remove(["parameter", "b_g"])
    p["steps"].remove(step(p, "equation b_g"))


def parameter_called_a_constant(p: Proof) -> None:
    parameter_left_out_everywhere(p)
    p["statement"]["quantities"]["b_g"]["role"] = "constant"


def sum_over_time_of_the_wrong_input(p: Proof) -> None:
    edit(p, "parameters", "W_f", value("h", 1), value("h", 0))


def outer_product_reversed(p: Proof) -> None:
    claim(p, "parameters", "W_f")[-1] = ["@", value("h", 1), ["T", bar("a_f")]]


def wrong_initial_value(p: Proof) -> None:
    equation = claim(p, "initial", "c", 0)
    equation[-1] = changed(equation[-1], value("f", -1), value("i", -1))


def initial_value_left_out(p: Proof) -> None:
    p["statement"]["initial"].remove(claim(p, "initial", "h", 0))


def input_without_one_gate(p: Proof) -> None:
    equation = claim(p, "inputs", "x")
    equation[-1].pop()


def base_at_another_step(p: Proof) -> None:
    step(p, "base")["at"] = "T + 1"


def step_of_two(p: Proof) -> None:
    step(p, "step")["to"] = "k - 2"


def conclusion_at_one(p: Proof) -> None:
    step(p, "conclusion")["at"] = "1"


def sums_one_too_long(p: Proof) -> None:
    step(p, "claim")["sums"] = ["k", "T"]


def time_from_zero(p: Proof) -> None:
    p["statement"]["time"] = ["0", "T"]


def another_cell(p: Proof) -> None:
    for e in (p["statement"]["equations"][0], claim(p, "lines", "f")):
        e[1][1] = "tanh"


def another_equation_than_the_lines(p: Proof) -> None:
    p["statement"]["equations"][0][1][1] = "tanh"


def rule_without_its_transposition(p: Proof) -> None:
    rule = step(p, "rule matrix product")
    rule["parts"][0][0] = changed(rule["parts"][0][0], ["T", value("B")], value("B"))
    rule["shapes"] = {name: [{"p": 1}, {"p": 1}] for name in rule["shapes"]}


def rule_with_a_false_link(p: Proof) -> None:
    rule = step(p, "rule elementwise product")
    rule["chain"][1] = changed(rule["chain"][1], ["dot", "B", None], ["dot", "A", None])


def rule_for_a_special_case(p: Proof) -> None:
    """True for A ∘ A, and then applied to A ∘ B."""
    rule = step(p, "rule elementwise product")
    a = value("A")
    rule["node"], rule["chain"] = ["∘", a, a], []
    rule["parts"] = [[["∘", value("Y"), a], "A"], [["∘", value("Y"), a], "A"]]


def rule_left_out(p: Proof) -> None:
    p["steps"].remove(step(p, "rule sum"))


def law_left_out(p: Proof) -> None:
    p["steps"].remove(step(p, "law tanh"))


def line_left_out(p: Proof) -> None:
    p["steps"].remove(step(p, "line a_o"))


def line_with_a_path_missing(p: Proof) -> None:
    step(p, "line c")["parts"].pop(0)


def line_with_a_wrong_contribution(p: Proof) -> None:
    parts = step(p, "line c")["parts"]
    parts[0][0] = changed(parts[0][0], value("c", 1), value("g", 0))


def line_by_the_wrong_rule(p: Proof) -> None:
    step(p, "line h")["rules"] = ["sum"]


def equation_without_its_step(p: Proof) -> None:
    p["steps"].remove(step(p, "equation W_i"))


def equation_from_too_few_lines(p: Proof) -> None:
    step(p, "equation x")["from"].pop()


def adjoints_in_another_order(p: Proof) -> None:
    p["statement"]["adjoints"].reverse()


def adjoint_from_the_past(p: Proof) -> None:
    edit(p, "adjoints", "c", bar("c", -1), bar("c", 1))


def base_left_out(p: Proof) -> None:
    p["steps"].remove(step(p, "base"))


def conclusion_before_the_step(p: Proof) -> None:
    p["steps"].append(p["steps"].pop(-2))


def ended_early(p: Proof) -> None:
    p["steps"].pop()


def unknown_step(p: Proof) -> None:
    p["steps"].insert(3, {"name": "trust me", "kind": "oracle"})


def a_private_method_as_a_step(p: Proof) -> None:
    p["steps"].insert(1, {"name": "x", "kind": "finish"})


def another_format(p: Proof) -> None:
    p["format"] = "something else"


def shapes_that_do_not_fit(p: Proof) -> None:
    p["statement"]["quantities"]["W_f"]["shape"] = [{"n": 1}, {"m": 1}]


def output_withheld(p: Proof) -> None:
    p["statement"]["outputs"].remove("c")
    loss_of_one_state_forgotten(p)


CORRUPTIONS: dict[Callable[[Proof], None], tuple[str, str]] = {
    dropped_transposition: ("equation h", "another adjoint of h"),
    wrong_sign: ("equation a_f", "another adjoint of a_f"),
    wrong_factor: ("equation a_f", "another adjoint of a_f"),
    wrong_gate: ("equation h", "another adjoint of h"),
    dropped_path: ("equation h", "another adjoint of h"),
    later_step_read_as_this_one: ("theorem", "the adjoint of c uses what is not known: bar of c"),
    adjoint_one_step_too_late: ("equation h", "another adjoint of h"),
    gate_of_the_wrong_step: ("equation c", "another adjoint of c"),
    wrong_operand: ("equation a_f", "another adjoint of a_f"),
    swapped_states: ("equation h", "another adjoint of h"),
    loss_of_one_state_forgotten: ("equation c", "another adjoint of c"),
    law_of_the_wrong_function: ("equation a_f", "another adjoint of a_f"),
    wrong_law: ("law sigmoid", "not the derivative of sigmoid"),
    carried_term_missing: ("step", "P(k) does not give P(k - 1)"),
    carried_term_too_many: ("step", "P(k) does not give P(k - 1)"),
    carried_to_the_wrong_step: ("base", "does not vanish after step T"),
    truncated_through_time: ("equation h", "another adjoint of h"),
    parameter_without_an_equation: ("theorem", "a gradient has no equation"),
    parameter_left_out_everywhere: ("theorem", "a gradient has no equation"),
    parameter_called_a_constant: ("line a_g", "a path is missing, or one too many"),
    sum_over_time_of_the_wrong_input: ("equation W_f", "another adjoint of W_f"),
    outer_product_reversed: ("equation W_f", "another adjoint of W_f"),
    wrong_initial_value: ("equation c at step 0", "another adjoint of c"),
    initial_value_left_out: ("theorem", "a gradient has no equation"),
    input_without_one_gate: ("equation x", "another adjoint of x"),
    base_at_another_step: ("base", "must be at k = T"),
    step_of_two: ("step", "must go from k to k - 1"),
    conclusion_at_one: ("conclusion", "must be at k = 0"),
    sums_one_too_long: ("claim", "must run from k + 1 to T"),
    time_from_zero: ("theorem", "time must run from 1 to T"),
    another_cell: ("line f", "another contribution to a_f"),
    another_equation_than_the_lines: ("naming", "the lines give another f"),
    rule_without_its_transposition: ("rule matrix product", "does not hold"),
    rule_with_a_false_link: ("rule elementwise product", "link 2 does not hold"),
    rule_for_a_special_case: ("line c", "is no rule for any"),
    rule_left_out: ("line a_f", "a rule that has not been proved"),
    law_left_out: ("line g", "no law for tanh"),
    line_left_out: ("equation h", "a line is missing"),
    line_with_a_path_missing: ("line c", "a path is missing"),
    line_with_a_wrong_contribution: ("line c", "another contribution to f"),
    line_by_the_wrong_rule: ("line h", "sum is no rule for ∘"),
    equation_without_its_step: ("claim", "an equation is not derived"),
    equation_from_too_few_lines: ("equation x", "a line left out"),
    adjoints_in_another_order: ("theorem", "uses what is not known"),
    adjoint_from_the_past: ("theorem", "uses what is not known"),
    base_left_out: ("end", "missing: base"),
    conclusion_before_the_step: ("step", "step after conclusion"),
    ended_early: ("end", "missing: conclusion"),
    unknown_step: ("trust me", "unknown kind of step: oracle"),
    a_private_method_as_a_step: ("x", "unknown kind of step: finish"),
    another_format: ("statement", "not a proof of this format"),
    shapes_that_do_not_fit: ("theorem", "operands that do not fit"),
    output_withheld: ("theorem", "an output is missing"),
}


def test_the_whole_proof_is_accepted() -> None:
    verdict = check(proof_of("lstm"))
    assert verdict.accepted
    assert (verdict.step, verdict.reason) == ("", "")
    assert len(verdict.verified) == len(proof_of("lstm")["steps"])


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda f: f.__name__)
def test_a_broken_proof_is_refused_where_it_is_broken(corrupt: Callable[[Proof], None]) -> None:
    p = proof_of("lstm")
    corrupt(p)
    assert p != proof_of("lstm")
    where, why = CORRUPTIONS[corrupt]
    verdict = check(p)
    assert not verdict.accepted
    assert (verdict.step, why in verdict.reason) == (where, True), verdict


def test_a_right_proof_of_another_statement_is_refused_when_one_was_asked_for() -> None:
    asked = proof_of("lstm")["statement"]
    assert check(proof_of("lstm"), asked).accepted
    assert "another statement" in check(proof_of("lstm_coupled"), asked).reason


@pytest.mark.parametrize("nothing", [{}, {"format": checker.FORMAT}, [], None, "proof", 3])
def test_what_is_no_proof_is_refused_and_not_raised(nothing: Any) -> None:
    assert not check(nothing).accepted


def test_deep_nesting_is_refused_and_not_raised() -> None:
    p = proof_of("elman")
    for _ in range(5000):
        p["statement"]["parameters"][0][1] = ["+", p["statement"]["parameters"][0][1]]
    assert "nested too deep" in check(p).reason


# ── every small change of every backward equation ──


def neighbours(e: Any) -> Iterator[Any]:
    """The expression with one small change."""
    if e[0] in ("value", "bar", "loss"):
        if e[2] is not None:
            yield from ([e[0], e[1], e[2] + d] for d in (-1, 1))
        yield ["*", ["number", "-1"], e]
        return
    if e[0] == "T":
        yield e[1]
    if e[0] in ("+", "∘", "@") and len(e) > 2:
        yield from ([e[0], *e[1:k], *e[k + 1 :]] for k in range(1, len(e)))
    if e[0] == "f" and e[1] == "^2":  # but not (−a)², which is the same
        yield e[2]
        yield from (["f", "^2", new] for new in neighbours(e[2]) if new[0] != "*")
        return
    for k, a in enumerate(e):
        if isinstance(a, list) and e[0] != "number":
            yield from ([*e[:k], new, *e[k + 1 :]] for new in neighbours(a))


def small_changes(name: str) -> Iterator[tuple[str, Proof]]:
    for group in ("adjoints", "inputs", "parameters", "initial"):
        for n, equation in enumerate(proof_of(name)["statement"][group]):
            for new in neighbours(equation[-1]):
                p = proof_of(name)
                p["statement"][group][n][-1] = new
                yield f"{group} {equation[:-1]}: {new}", p


def test_every_small_change_of_a_backward_equation_is_refused() -> None:
    survivors = [what for what, p in small_changes("gru") if check(p).accepted]
    assert survivors == []
    assert sum(1 for _ in small_changes("gru")) > 150


class InductionAlone(checker.Checking):
    """Leaves out the steps that say where the backward equations come from."""

    def claim(self, data: Proof) -> None:
        self.carried = data["carried"]


def test_the_induction_alone_refuses_every_small_change() -> None:
    survivors: list[str] = []
    for what, p in [("the true proof", proof_of("gru")), *small_changes("gru")]:
        alone = InductionAlone(p["statement"])
        try:
            for kind in ("theorem", "claim", "base", "step", "conclusion"):
                alone.next(step(p, kind))
        except (ValueError, TypeError):
            continue
        survivors.append(what)
    assert survivors == ["the true proof"]
