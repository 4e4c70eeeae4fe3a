"""What a proof states, and whether it is well-posed: time runs forward, adjoints run backward, nothing is left out.

It needs Python's standard library and the checker's own files only. A statement is data:

    quantities  name → role, shape, depth (the largest lag, so the number of initial values)
    names       name → shape, for intermediate values that the author did not name
    equations   [name, expr], the author's; lines: the same, one operation each; outputs: what a loss may look at
    adjoints    [name, expr] at step t, in order of evaluation; inlined: [name, expr], never mentioned by name
    inputs      [name, expr]; parameters: [name, expr], the addend of step t
    initial     [name, j, expr] for the initial value at step −j, time counted from there
"""

from __future__ import annotations

from typing import Any

from proofs.checker_matrices import Expr, Matrices, demand, leaves, shifted, swap

Data = dict[str, Any]
FUNCTIONS = ("f", "softmax", "logsumexp")
GROUPS = ("adjoints", "inlined", "inputs", "parameters", "initial")


def alike(a: list[Any], b: list[Any]) -> bool:
    """Whether two lists hold the same, in whatever order."""
    return sorted(map(repr, a)) == sorted(map(repr, b))


class Statement(Matrices):
    """A statement, with the expressions over its quantities."""

    def __init__(self, statement: Data) -> None:
        self.s, self.quantities = statement, statement["quantities"]
        shapes = {name: q["shape"] for name, q in self.quantities.items()}
        demand(not shapes.keys() & statement["names"].keys(), "a name is taken twice")
        super().__init__(shapes | statement["names"], set(self.of("constant")))
        self.lines: dict[str, Expr] = dict(statement["lines"])
        self.inlined: dict[str, Expr] = dict(statement["inlined"])
        self.values = {v: e for v, e in self.lines.items() if e[0] in FUNCTIONS}

    def of(self, *roles: str) -> list[str]:
        """The quantities of these roles."""
        return [name for name, q in self.quantities.items() if q["role"] in roles]

    def past(self, v: str) -> range:
        """How far back initial values are needed: steps 0, −1, …"""
        return range(self.quantities[v]["depth"])

    def gradients(self) -> list[Any]:
        """Everything that has a gradient."""
        named: list[Any] = [["parameter", v] for v in self.of("parameter")]
        named += [["input", v] for v in self.of("input")]
        return named + [["initial", v, j] for v in self.of("state", "input") for j in self.past(v)]

    def well_posed(self) -> None:
        """Refuses a statement that does not define values, adjoints, and every gradient once."""
        self.forward()
        self.backward()
        s = self.s
        demand(s["time"] == ["1", "T"], "time must run from 1 to T")
        given: list[Any] = [["parameter", v] for v, _ in s["parameters"]]
        given += [["input", v] for v, _ in s["inputs"]]
        given += [["initial", v, j] for v, j, _ in s["initial"]]
        demand(alike(given, self.gradients()), "a gradient has no equation, or two")

    def forward(self) -> None:
        """Every line uses what is known when it is evaluated; what no line uses is an output."""
        done: set[str] = set()
        used: set[str] = set()
        for name, e in self.s["lines"]:
            m = self.matrix(e)
            demand((m.rows, m.cols) == self.shapes[name], f"the line of {name} has another shape")
            for tag, v, lag in leaves(e):
                role = self.quantities[v]["role"] if v in self.quantities else "intermediate"
                past = role in ("state", "input") and lag in [j + 1 for j in self.past(v)]
                present = lag == 0 and (role == "input" or v in done)
                fixed = lag is None and role in ("parameter", "constant")
                known = tag == "value" and (past or present or fixed)
                demand(known, f"the line of {name} uses {v} where it is not known")
                used.add(v)
            demand(name not in done, f"{name} has two lines")
            done.add(name)
        named = set(self.of("state", "intermediate"))
        demand(done == named | self.s["names"].keys(), "a quantity has no line")
        outputs = set(self.s["outputs"])
        demand(set(self.of("state")) | (named - used) <= outputs <= named, "an output is missing")

    def backward(self) -> None:
        """The equations give every adjoint, for t = T, …, 1, from the loss and from later ones."""
        kept = [name for name, _ in self.s["adjoints"]]
        once = sorted([*kept, *self.inlined]) == sorted(self.lines)
        demand(once, "an adjoint has no equation, or two")
        ordered = [(name, e, kept[:n], 0) for n, (name, e) in enumerate(self.s["adjoints"])]
        for group in ("inputs", "parameters"):
            ordered += [(name, e, kept, 0) for name, e in self.s[group]]
        ordered += [(name, e, kept, -1 - back) for name, back, e in self.s["initial"]]
        for name, e, known, latest in ordered:
            for tag, v, lag in leaves(self.written_out(e)):
                bar = tag == "bar" and (lag < 0 or v in known) and v in kept
                loss = tag == "loss" and v in self.s["outputs"]
                given = tag == "value" or ((bar or loss) and lag <= latest)
                demand(given, f"the adjoint of {name} uses what is not known: {tag} of {v}")

    def written_out(self, e: Expr, latest: int = 0) -> Expr:
        """With adjoints that have no name written out; and p as softmax(a), where that is p's line.

        The lines hold at the steps 1, …, T, so p is written out at lags up to ``latest`` only.
        """

        def leaf(v: Expr) -> Expr:
            if v[0] == "bar" and v[1] in self.inlined:
                return self.written_out(shifted(self.inlined[v[1]], v[2]), latest)
            known = v[0] == "value" and v[1] in self.values and v[2] <= latest
            return self.written_out(shifted(self.values[v[1]], v[2]), latest) if known else v

        return swap(e, leaf)
