"""The checker of general proofs: it believes nothing that a proof says, and computes everything again.

    python -m proofs.checker proof.json

A proof is plain data: a statement (the cell's equations, and the backward equations claimed for them) and steps.
This file and the four ``checker_…`` files decide whether it holds; they need Python's standard library only, and
share no code with what derives and proves. They are as short as what they decide: the proofs of the shipped cells and
networks pass through every line of them but the refusals, so that whatever is left out is an operation of the
language, or a step of the argument, that would then have to be believed.

Why an accepted proof is true, for all sizes, all T ≥ 1 and all directions: the steps ``base``, ``step`` and
``conclusion`` are identities between sums over indices, verified from the statement. With

    P(k):  Σ_{t=k+1}^T (loss at t) = Σ_{t=k+1}^T (parameters and inputs at t) + (carried over from step k)

they say that P(T) holds, that P(k) gives P(k − 1), and that P(0) is the theorem. The other steps say where the
backward equations come from: every rule follows from index notation, every line of the step from the rules, every
equation from the lines.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofs.checker_matrices import Expr, Matrices, RefusedError, demand, law, shifted, swap
from proofs.checker_rules import Rule
from proofs.checker_statement import GROUPS, Data, Statement, alike
from proofs.checker_sums import Sum

FORMAT = "throughtime general proof 1"
SEVERAL = ("theorem", "law", "rule", "naming", "line", "equation")
ORDER = (*SEVERAL, "claim", "base", "step", "conclusion")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The checker's word on a proof.

    Args:
        accepted: whether every step holds and none is missing.
        step: name of the step at which the check stopped; empty if accepted.
        reason: what does not hold there; empty if accepted.
        verified: names of the steps that hold.
    """

    accepted: bool
    step: str
    reason: str
    verified: tuple[str, ...]

    def __str__(self) -> str:
        if self.accepted:
            return f"accepted: {len(self.verified)} steps hold"
        return f"refused at {self.step}: {self.reason}"


def check(proof: Data, statement: Data | None = None) -> Verdict:
    """Checks a proof.

    Args:
        proof: the proof as plain data.
        statement: what it has to prove; without it, whatever the proof itself states.
    """
    name = "statement"
    verified: list[str] = []
    try:
        demand(proof["format"] == FORMAT, "not a proof of this format")
        demand(statement in (None, proof["statement"]), "this proves another statement")
        checking = Checking(proof["statement"])
        for data in proof["steps"]:
            name = str(data["name"])
            checking.next(data)
            verified.append(name)
        name = "end"
        checking.finish()
    except RefusedError as error:
        return Verdict(False, name, str(error), tuple(verified))
    except RecursionError:
        return Verdict(False, name, "nested too deep", tuple(verified))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return Verdict(False, name, f"malformed: {type(error).__name__}: {error}", tuple(verified))
    return Verdict(True, "", "", tuple(verified))


class Checking(Statement):
    """The statement, and what has been verified so far; one method for each kind of step."""

    def __init__(self, statement: Data) -> None:
        super().__init__(statement)
        self.kinds: list[str] = []
        self.laws: set[str] = set()
        self.rules: dict[str, Rule] = {}
        self.parts: dict[str, list[list[Expr]]] = {}
        self.derived: list[Any] = []
        self.carried: list[list[Expr]] = []

    def next(self, data: Data) -> None:
        """Verifies one step."""
        kind, last = data["kind"], self.kinds[-1] if self.kinds else "theorem"
        demand(kind in ORDER, f"unknown kind of step: {kind}")
        demand(ORDER.index(kind) >= ORDER.index(last), f"{kind} after {last}")
        demand(kind in SEVERAL or kind not in self.kinds, f"a second {kind}")
        getattr(self, kind)(data)
        self.kinds.append(kind)

    def finish(self) -> None:
        """Refuses a proof that lacks a part."""
        missing = [k for k in ORDER if k not in self.kinds and k not in ("law", "rule")]
        demand(not missing, f"missing: {', '.join(missing)}")

    def theorem(self, data: Data) -> None:
        """The statement is well-posed, and the theorem names every parameter, input and initial value."""
        self.well_posed()
        named = alike(data["terms"], self.gradients())
        demand(named, "the theorem leaves a gradient out, or names another")

    # ── laws, rules, and the lines of one step ──

    def law(self, data: Data) -> None:
        """f′ is what it is said to be."""
        any_shape = [{"p": 1}, {"q": 1}]
        x, y = ["value", "x", None], ["value", "y", None]
        true = law(data["function"], x, y, ["ones", *any_shape])
        m = Matrices({"x": any_shape, "y": any_shape}, set())
        demand(m.equal(data["law"], true), f"this is not the derivative of {data['function']}")
        self.laws.add(data["function"])

    def rule(self, data: Data) -> None:
        """An adjoint rule, for all sizes."""
        self.rules[data["rule"]] = Rule(data).proved()

    def naming(self, data: Data) -> None:
        """With the names of intermediate values written out, the lines are the author's equations."""

        def leaf(v: Expr) -> Expr:
            return swap(self.lines[v[1]], leaf) if v[1] in self.s["names"] else v

        authors = [v for v in self.lines if v in self.quantities]
        demand([v for v, _ in self.s["equations"]] == authors, "an equation has no line")
        for name, e in self.s["equations"]:
            demand(self.equal(swap(self.lines[name], leaf), e), f"the lines give another {name}")

    def line(self, data: Data) -> None:
        """⟨v̄, v̇⟩ = Σ ⟨contribution, direction of a leaf⟩, one rule at a time, outermost first."""
        name, rules = data["of"], iter(data["rules"])
        found: list[tuple[Expr, Expr]] = []
        todo = [(["bar", name, 0], self.lines[name], ["value", name, 0])]
        while todo:
            bar, node, y = todo.pop()
            if node[0] in ("value", "ones", "zeros"):
                moves = node[0] == "value" and node[1] not in self.constants
                found += [(bar, node)] if moves else []
                continue
            demand(node[0] != "f" or node[1] in self.laws, f"no law for {node[1]}")
            rule = self.rules.get(next(rules, ""))
            demand(rule is not None, "a rule that has not been proved, or none")
            parts = rule.applied(self, bar, node, y) if rule else []
            todo += [(part, a, a) for part, a in reversed(parts)]
        demand(not list(rules), "more rules than needed")
        paths = [a for _, a in found] == [a for _, a in data["parts"]]
        demand(paths, "a path is missing, or one too many")
        for (true, a), (claimed, _) in zip(found, data["parts"], strict=True):
            same = self.equal(self.written_out(true), self.written_out(claimed))
            demand(same, f"another contribution to {a[1]}")
        self.parts[name] = data["parts"]

    def equation(self, data: Data) -> None:
        """A backward equation: the loss, and everything that the lines contribute, at the step where they do."""
        demand(self.parts.keys() == self.lines.keys(), "a line is missing")
        group, name, back = data["group"], data["of"], data.get("back", 0)
        key = [name, back] if group == "initial" else [name]
        claimed = [e[-1] for e in self.s[group] if e[:-1] == key]
        demand(len(claimed) == 1 and [group, *key] not in self.derived, f"no equation for {name}")
        found = [
            (line, a[2], part)
            for line in self.lines
            for part, a in self.parts[line]
            if a[1] == name and (group != "initial" or a[2] > back)
        ]
        demand([[line, lag] for line, lag, _ in found] == data["from"], "a line left out, or added")
        terms = [shifted(part, -(lag or 0)) for _, lag, part in found]
        if group in ("adjoints", "inlined") and name in self.s["outputs"]:
            terms.append(["loss", name, 0])
        total = ["+", ["zeros", *map(dict, self.shapes[name])], *terms]
        latest = -1 - back if group == "initial" else 0
        same = self.equal(*(self.written_out(e, latest) for e in (total, claimed[0])))
        demand(same, f"the lines give another adjoint of {name}")
        self.derived.append([group, *key])

    # ── the sum over time ──

    def pairing(self, pairs: list[list[Expr]], sign: int = 1, at: int = 0, latest: int = 0) -> Sum:
        """± Σ ⟨a, b⟩ over the pairs, t replaced by t − at."""
        out = [[self.written_out(shifted(e, at), latest) for e in pair] for pair in pairs]
        sums = [self.inner(a, b) for a, b in out]
        return [(sign * c, term) for p in sums for c, term in p]

    def claim(self, data: Data) -> None:
        """P(k): what is summed from k + 1 to T, and what is carried over from step k."""
        every = [[group, *e[:-1]] for group in GROUPS for e in self.s[group]]
        demand(alike(self.derived, every), "an equation is not derived")
        demand(data["sums"] == ["k + 1", "T"], "the sums must run from k + 1 to T")
        self.carried = data["carried"]

    def base(self, data: Data) -> None:
        """P(T): the sums are empty; every term carried over holds an adjoint after step T, which is zero."""
        demand(data["at"] == "T", "the base must be at k = T")
        for _, term in self.pairing(self.carried, latest=-1):
            later = [n for n, _, x in term if n[0] in ("bar", "loss") and n[2] < 0 and x > 0]
            demand(bool(later), "something carried over does not vanish after step T")

    def step(self, data: Data) -> None:
        """P(k − 1) − P(k) at t = k: tangent and backward equations, each paired with the other's unknown.

        0 = Σᵥ ⟨right side of v̄ − v̄, v̇⟩ + Σᵥ ⟨v̄, v̇ − right side of v̇⟩ over all lines v, and so is the difference.
        """
        demand([data["from"], data["to"]] == ["k", "k - 1"], "the step must go from k to k - 1")
        s, every = self.s, [*self.s["adjoints"], *self.s["inlined"]]
        loss = [[["loss", v, 0], ["dot", v, 0]] for v in s["outputs"]]
        own = [[e, ["dot", v, None]] for v, e in s["parameters"]]
        own += [[e, ["dot", v, 0]] for v, e in s["inputs"]]
        left = self.pairing(loss) + self.pairing(self.carried)
        left += self.pairing(own, -1) + self.pairing(self.carried, -1, 1)
        right = self.pairing([[e, ["dot", v, 0]] for v, e in every])
        tangents = [(v, self.direction(e, ["value", v, 0])) for v, e in s["lines"]]
        right += self.pairing([[["bar", v, 0], e] for v, e in tangents], -1)
        difference = self.form(left + [(-c, term) for c, term in right])
        demand(not difference, "P(k) does not give P(k - 1)")

    def conclusion(self, data: Data) -> None:
        """P(0) is the theorem: what is carried over from step 0 belongs to the initial values."""
        demand(data["at"] == "0", "the conclusion must be at k = 0")
        first = [[shifted(e, back), ["dot", v, back]] for v, back, e in self.s["initial"]]
        rest = self.form(self.pairing(self.carried, latest=-1) + self.pairing(first, -1, latest=-1))
        demand(not rest, "what is carried over from step 0 is not what the initial values receive")


def main(paths: list[str]) -> int:
    """Checks proofs in files of JSON; 0 if all are accepted, else 3."""
    verdicts = [check(json.loads(Path(path).read_text("utf-8"))) for path in paths]
    for path, v in zip(paths, verdicts, strict=True):
        sys.stdout.write(f"{path}: {v}\n")
    return 0 if all(v.accepted for v in verdicts) else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
