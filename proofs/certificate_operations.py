"""What a certificate knows of every operation: value, tangent, proof that it is the tangent, and adjoint.

In the forms, for an operation y = f(a, b):

    {a} {b}      the operands' values            {da} {db}    their tangents
    {A} {B}      proofs of the operands          {G}          the adjoint of y
    {y}          the value of y                  {k} {r} {c}  a number, or sizes
    {ok}         proof that f is differentiable there
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Args:
        value: y, from the operands' values.
        tangent: ẏ, as one of the marks of ``tangents.v``; empty for what occurs in adjoints only.
        curve: the proof that it is the derivative along a curve, by a lemma of ``curves.v``.
        pulled: what each operand receives; its law is one of the lemmas ``dual_…``.
        where: the condition under which the derivative exists, empty if it always does.
    """

    value: str
    tangent: str = ""
    curve: str = ""
    pulled: tuple[str, ...] = ()
    where: str = ""


def _by_value(value: str, name: str, where: str = "") -> Operation:
    """A function applied to every entry, whose derivative is a function of its value."""
    ok = " {ok}" if where else ""
    return Operation(
        f"(emap ({value}) ({{a}}))",
        f"(T_map (d_{name} ({{y}})) {{da}})",
        f"(curve_{name} {{A}}{ok})",
        (f"({{G}} .* (d_{name} ({{y}})))",),
        where,
    )


def _by_argument(value: str, name: str, where: str = "") -> Operation:
    """A function applied to every entry, whose derivative is a function of its argument."""
    ok = " {ok}" if where else ""
    return Operation(
        f"(emap ({value}) ({{a}}))",
        f"(T_map (g_{name} ({{a}})) {{da}})",
        f"(curve_{name} {{A}}{ok})",
        (f"({{G}} .* (g_{name} ({{a}})))",),
        where,
    )


FUNCTIONS = {
    "tanh": _by_value("@tanh R", "tanh"),
    "sigmoid": _by_value("@sigmoid R", "sigmoid"),
    "exp": _by_value("expR", "exp"),
    "sqrt": _by_value("Num.sqrt", "sqrt", "all_pos"),
    "relu": _by_value("@relu R", "relu", "all_nz"),
    "softplus": _by_argument("@softplus R", "softplus"),
    "log": _by_argument("@ln R", "log", "all_pos"),
    "sin": _by_argument("@sin R", "sin"),
    "cos": _by_argument("@cos R", "cos"),
    "abs": _by_argument("Num.Def.normr", "abs", "all_nz"),
    "step": Operation("(emap (@step R) ({a}))"),
    "sign": Operation("(emap (Num.sg) ({a}))"),
}

OPERATIONS = FUNCTIONS | {
    "ones": Operation("(const_mx 1 : {k})", "T_zero", "(curve_cst _ (const_mx 1 : {k}))"),
    "zeros": Operation("(0 : {k})", "T_zero", "(curve_cst _ (0 : {k}))"),
    "identity": Operation("(1%:M : {k})", "T_zero", "(curve_cst _ (1%:M : {k}))"),
    "sum": Operation("({a} + {b})", "(T_add {da} {db})", "(curve_add {A} {B})", ("{G}", "{G}")),
    "difference": Operation(
        "({a} - {b})", "(T_sub {da} {db})", "(curve_sub {A} {B})", ("{G}", "(- {G})")
    ),
    "minus": Operation("(- {a})", "(T_opp {da})", "(curve_opp {A})", ("(- {G})",)),
    "scale": Operation(
        "({k} *: {a})", "(T_scale {k} {da})", "(curve_scale {k} {A})", ("({k} *: {G})",)
    ),
    "product": Operation(
        "({a} *m {b})",
        "(T_mul ({a}) {da} ({b}) {db})",
        "(curve_mul {A} {B})",
        ("({G} *m ({b})^T)", "(({a})^T *m {G})"),
    ),
    "elementwise": Operation(
        "({a} .* {b})",
        "(T_had ({a}) {da} ({b}) {db})",
        "(curve_had {A} {B})",
        ("({G} .* {b})", "({G} .* {a})"),
    ),
    "power": Operation(
        "(epow ({a}) {k})",
        "(T_map (g_pow {k} ({a})) {da})",
        "(curve_pow {A} {k})",
        ("({G} .* (g_pow {k} ({a})))",),
    ),
    "negative power": Operation(
        "(emap GRing.inv (epow ({a}) {k}))",
        "(T_map (g_npow {k} ({a})) {da})",
        "(curve_npow {A} {k} {ok})",
        ("({G} .* (g_npow {k} ({a})))",),
        "all_nz",
    ),
    "softmax": Operation(
        "(softmax ({a}))",
        "(T_softmax ({y}) {da})",
        "(curve_softmax {A})",
        ("({y} .* ({G} - bcast _ _ (total ({y} .* {G}))))",),
    ),
    "log-sum-exp": Operation(
        "(logsumexp ({a}))",
        "(T_lse (softmax ({a})) {da})",
        "(curve_lse {A})",
        ("(bcast _ _ {G} .* softmax ({a}))",),
    ),
    "transpose": Operation("({a})^T", "(T_tr {da})", "(curve_tr {A})", ("({G})^T",)),
    "stack": Operation(
        "(col_mx ({a}) ({b}))",
        "(T_col {da} {db})",
        "(curve_col {A} {B})",
        ("(usubmx {G})", "(dsubmx {G})"),
    ),
    "restack": Operation(
        "(restack {k} ({a}))",
        "(T_restack {k} {da})",
        "(curve_restack {k} {A})",
        ("(restack (esym {k}) {G})",),
    ),
    "spread": Operation(
        "(bcast {r} {c} ({a}))",
        "(T_bcast {r} {c} {da})",
        "(curve_bcast (m:={r}) (n:={c}) {A})",
        ("(total {G})",),
    ),
    "total": Operation(
        "(total ({a}))", "(T_total {da})", "(curve_total {A})", ("(bcast _ _ {G})",)
    ),
    "upper rows": Operation("(usubmx ({a}))"),
    "lower rows": Operation("(dsubmx ({a}))"),
}
