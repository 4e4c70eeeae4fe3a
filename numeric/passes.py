"""The passes that make a program fast: each turns a program into one that computes the same.

    in_order        gates that are logistic come first in their stack: one function call for all of them
    continued       a stack begun before the loop and completed in it has its place in the loop
    halved          σ(a) = ½ tanh(½ a) + ½, the ½ inside folded into the weights: one tanh for all gates
    added_late      what the loop completes gets its bias there: a compiled loop adds it for nothing
    interpolated    (1 − z) ∘ a + z ∘ b = a + z ∘ (b − a): three operations for four
    hoisted         what multiplies an adjoint in the backward loop and does not depend on one is computed
                    for many steps at once, before their part of the loop
    recomputed      a function of a value that is kept anyway is not kept too, but taken again with the factors

Law of each: the values of everything that the program keeps, and all gradients, are those of the program before,
to rounding.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import S
from sympy.matrices.expressions import HadamardProduct, MatAdd, MatrixExpr, OneMatrix

from derive.derivation import Derivation
from derive.expressions import (
    Adjoint,
    Elementwise,
    LossGradient,
    Timed,
    add,
    hadamard,
    is_timed,
    leaves,
    negate,
    ones_like,
    operands,
    scale,
    split_coefficient,
    terms,
    with_operands,
)
from numeric.body import all_leaves
from numeric.operations import CALLS, UFUNCS, is_elementwise
from numeric.program import Program, StackSum, StackTerm, Statement
from numeric.schedule import program
from numeric.stacks import Affine, Stack, stack_of

FACTOR = "°factor"
"""How the names of hoisted factors begin; no quantity of a cell can be called so."""
MANY = "block"
"""The place of what is computed for many steps at once, before their part of the backward loop."""


def fast(derivation: Derivation, *, hoist: bool = True) -> Program:
    """The program of a derivation after all passes.

    Args:
        derivation: what is computed.
        hoist: whether factors of the backward loop are computed before it; a compiled loop has them for nothing,
            and biases too.
    """
    prepared = interpolated(halved(continued(in_order(derivation))))
    return recomputed(hoisted(prepared)) if hoist else added_late(prepared)


# ── logistic gates ──────────────────────────────────────────────────────────────────────────────────


def in_order(derivation: Derivation) -> Program:
    """The program with the logistic members of every stack first."""
    logistic = {
        operands(a.expr)[0]
        for a in derivation.assignments
        if isinstance(a.expr, Elementwise) and a.expr.function == "sigmoid"
    }

    def arrange(stack: Stack) -> Stack:
        members = sorted(stack.members, key=lambda m: m.target not in logistic)
        return stack_of(members)

    return _scheduled(program(derivation, arrange=arrange, least=1))


def _scheduled(prog: Program) -> Program:
    """The program with notes on what the schedule did."""
    begun = [s.target for s in prog.forward["before"] if isinstance(s.target, Stack)]
    summed = {s.value.stack: None for s in prog.backward["after"] if isinstance(s.value, StackSum)}
    return (
        prog.noted("settled", [s.target for s in prog.still], _SETTLED)
        .noted("fused", [s for s in prog.stacks if len(s.members) > 1], _FUSED)
        .noted("early", begun, _EARLY)
        .noted("deferred", summed, _DEFERRED)
    )


_SETTLED = "what no step changes is computed once, before all steps; what reaches it is a sum over time once"
_FUSED = (
    "weights in front of the same vectors lie one below the other, those of logistic gates first: one product for "
    "all gates, and one call for neighbours"
)
_EARLY = "what steps are given is multiplied before their loop, for a stretch of steps at once"
_DEFERRED = "sums over time are made after the loop over a stretch, one product for all its steps"


def continued(prog: Program) -> Program:
    """The program in which a stack that begins before the loop and is completed in it is taken up at every step.

    Law: a = a. The loop then finds the stack's members in a place of their own, whatever completes them.
    """
    loop, moved = list(prog.forward["loop"]), []
    taken = {s.target.name for s in loop if isinstance(s.target, Stack)}
    for s in prog.forward["before"]:
        if isinstance(s.target, Stack) and s.target.name not in taken:
            members = {m.target for m in s.target.members}
            first = next((k for k, part in enumerate(loop) if part.target in members), None)
            if first is not None:
                loop.insert(first, Statement(s.target, (), add=True))
                moved.append(s.target)
    why = "what is begun before the loop and completed in it has its place there"
    return replace(prog, forward={**prog.forward, "loop": loop}).noted("continued", moved, why)


def added_late(prog: Program) -> Program:
    """The program in which a stack that has products before the loop and in it gets its bias in the loop.

    Law: (V x + b) + W h = V x + (W h + b).
    """
    late = {
        s.target for s in prog.forward["loop"] if isinstance(s.target, Stack) and s.value and s.add
    }
    before, moved = [], set()
    for s in prog.forward["before"]:
        if s.target in late and any(t.bias for t in s.value):
            moved.add(s.target)
            s = replace(s, value=tuple(replace(t, bias=False) for t in s.value))
        before.append(s)
    loop = [
        replace(s, value=(*s.value[:-1], replace(s.value[-1], bias=True)))
        if s.target in moved
        else s
        for s in prog.forward["loop"]
    ]
    why = "(V x + b) + W h = V x + (W h + b): a compiled loop adds the bias for nothing"
    done = replace(prog, forward={**prog.forward, "before": before, "loop": loop})
    return done.noted("added late", sorted(moved, key=lambda stack: stack.name), why)


def halved(prog: Program) -> Program:
    """The program with σ(a) computed as ½ tanh(a′) + ½ where a stack can make a′ = ½ a.

    Law: σ(a) = ½ tanh(½ a) + ½. A member of a stack in the loop qualifies if nothing but its own logistic
    function reads it.
    """
    looped = {s.target.name for s in prog.forward["loop"] if isinstance(s.target, Stack)}
    chosen = {
        m.target
        for stack in prog.stacks
        for m in stack.members
        if stack.name in looped and _only_logistic(prog, m.target)
    }
    forward = {
        place: [_halved_statement(s, chosen) for s in statements]
        for place, statements in prog.forward.items()
    }
    bent = [s.target for part in prog.forward.values() for s in part if _is_logistic(s, chosen)]
    why = "σ(a) = ½ tanh(½ a) + ½, the ½ inside within the weights: one tanh does for all gates"
    return replace(prog, forward=forward).noted("halved", bent, why)


def _is_logistic(s: Statement, chosen: set[Timed]) -> bool:
    """Whether a statement is the logistic function of one of these."""
    logistic = isinstance(s.value, Elementwise) and s.value.function == "sigmoid"
    return logistic and operands(s.value)[0] in chosen


def _only_logistic(prog: Program, a: Timed) -> bool:
    readers = [s for s in _all(prog) if any(v == a for v in _leaves(s.value))]
    logistic = [s for s in readers if s.value == Elementwise(a, "sigmoid")]
    return len(readers) == len(logistic) == 1


def _halved_statement(s: Statement, chosen: set[Timed]) -> Statement:
    if isinstance(s.target, Stack):
        stack = _halved_stack(s.target, chosen)
        value = tuple(replace(term, stack=stack) for term in s.value)
        return replace(s, target=stack, value=value)
    if s.target in chosen:
        return replace(s, value=scale(S.Half, s.value))
    if _is_logistic(s, chosen):
        bent = Elementwise(operands(s.value)[0], "tanh")
        return replace(s, value=add(scale(S.Half, bent), scale(S.Half, ones_like(bent))))
    return s


def _halved_stack(stack: Stack, chosen: set[Timed]) -> Stack:
    return replace(
        stack, members=tuple(_halved_member(m) if m.target in chosen else m for m in stack.members)
    )


def _halved_member(m: Affine) -> Affine:
    return replace(
        m,
        products={v: scale(S.Half, w) for v, w in m.products.items()},
        bias=None if m.bias is None else scale(S.Half, m.bias),
        rest=tuple(scale(S.Half, term) for term in m.rest),
    )


# ── interpolation ───────────────────────────────────────────────────────────────────────────────────


def interpolated(prog: Program) -> Program:
    """The program with (1 − z) ∘ a + z ∘ b computed as a + z ∘ (b − a)."""
    loop = [
        replace(s, value=_interpolation(s.value)) if isinstance(s.value, MatAdd) else s
        for s in prog.forward["loop"]
    ]
    changed = [s.target for s, old in zip(loop, prog.forward["loop"], strict=True) if s != old]
    why = "(1 − z) ∘ a + z ∘ b = a + z ∘ (b − a): three operations for four"
    return replace(prog, forward={**prog.forward, "loop": loop}).noted("interpolated", changed, why)


def _interpolation(expr: MatAdd) -> MatrixExpr:
    parts = terms(expr)
    if len(parts) != 2:
        return expr
    for one, other in (parts, parts[::-1]):
        if not (isinstance(one, HadamardProduct) and isinstance(other, HadamardProduct)):
            return expr
        (first, *a), (z, *b) = operands(one), operands(other)
        if first == add(ones_like(z), negate(z)) and not isinstance(z, OneMatrix):
            left, right = hadamard(*a), hadamard(*b)
            return add(left, hadamard(z, add(right, negate(left))))
    return expr


# ── hoisted factors ─────────────────────────────────────────────────────────────────────────────────


def hoisted(prog: Program) -> Program:
    """The program whose backward loop multiplies adjoints with factors that are there already.

    Law: in (s ∘ (1 − s) ∘ v) ∘ v̄ the first factor depends on stored values only, so it may be computed for any
    number of steps before the loop comes to them.
    """
    hoister = _Hoister()
    loop = [hoister.statement(s) for s in prog.backward["loop"]]
    many = [Statement(target, expr) for expr, target in hoister.factors.items()]
    stored = prog.stored | {v.at(0) for s in many for v in leaves(s.value) if isinstance(v, Timed)}
    why = "what multiplies adjoints and depends on none is made before the loop, for a block of steps at once"
    done = replace(prog, backward={**prog.backward, MANY: many, "loop": loop}, stored=stored)
    return done.noted("hoisted", [s.target for s in many], why)


def recomputed(prog: Program) -> Program:
    """The program that takes tanh c again with the factors instead of keeping it beside c for all steps.

    Law: v = f(u) is the same whenever it is computed. A value of the loop qualifies if it is one function of one
    kept value, no output, and read back by the factors alone.
    """
    wanted = {q.symbol for q in prog.derivation.cell.outputs}
    elsewhere = {
        v.at(0)
        for place, statements in prog.backward.items()
        for s in statements
        for v in all_leaves(s.value)
        if place != MANY and isinstance(v, Timed)
    }
    again = {
        s.target: s.value
        for s in prog.forward["loop"]
        if not s.add
        and s.target in prog.stored - wanted - elsewhere
        and _one_call(s.value, prog.stored)
    }
    late = {
        v.at(0) for s in prog.forward["after"] for v in all_leaves(s.value) if isinstance(v, Timed)
    }
    again = {v: f for v, f in again.items() if v not in late}
    many = [replace(s, value=_with(s.value, again)) for s in prog.backward.get(MANY, [])]
    why = "not kept for all steps beside what it is a function of, but made again with the factors: less memory to read"
    done = replace(prog, backward={**prog.backward, MANY: many}, stored=prog.stored - again.keys())
    return done.noted("recomputed", again, why)


def _with(expr: MatrixExpr, values: dict[Timed, MatrixExpr]) -> MatrixExpr:
    """The expression with leaves replaced by what they are, and what stands in that too."""
    if expr in values:
        return _with(values[expr], values)
    return with_operands(expr, [_with(part, values) for part in operands(expr)])


def _one_call(expr: object, kept: frozenset[MatrixExpr]) -> bool:
    """Whether an expression is one function of one kept value of the same step."""
    if not isinstance(expr, Elementwise) or expr.function not in UFUNCS | CALLS.keys():
        return False
    return operands(expr)[0] in kept


class _Hoister:
    def __init__(self) -> None:
        self.factors: dict[MatrixExpr, Timed] = {}

    def statement(self, s: Statement) -> Statement:
        if isinstance(s.value, tuple):
            value = tuple(v if isinstance(v, StackTerm) else self.expression(v) for v in s.value)
        else:
            value = self.expression(s.value)
        return replace(s, value=value)

    def expression(self, expr: MatrixExpr) -> MatrixExpr:
        """The expression with all that is known before the loop by name."""
        c, core = split_coefficient(expr)
        if isinstance(core, HadamardProduct):
            known = [f for f in operands(core) if _is_known(f)]
            others = [self.expression(f) for f in operands(core) if not _is_known(f)]
            return hadamard(*others, self.named(hadamard(scale(c, ones_like(core)), *known)))
        if _is_known(expr):
            return self.named(expr)
        return with_operands(expr, [self.expression(part) for part in operands(expr)])

    def named(self, expr: MatrixExpr) -> MatrixExpr:
        """A name for a value at every step; what is a leaf already, or no such value, stays."""
        worth = operands(expr) and is_timed(expr) and is_elementwise(expr)
        if not worth:
            return expr
        if expr not in self.factors:
            self.factors[expr] = Timed(f"{FACTOR} {len(self.factors) + 1}", 0, *expr.shape)
        return self.factors[expr]


def _is_known(expr: MatrixExpr) -> bool:
    return not any(isinstance(v, Adjoint | LossGradient) for v in leaves(expr))


def _all(prog: Program):
    for part in (prog.forward, prog.backward):
        for statements in part.values():
            yield from statements


def _leaves(value: object):
    if isinstance(value, MatrixExpr):
        yield from leaves(value)
    elif isinstance(value, tuple):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, StackTerm) and value.vector is not None and not value.transposed:
        yield value.vector
