"""Names in a certificate: a cell's own names where Rocq and the library leave them free, with a prime where not."""

from __future__ import annotations

RESERVED = frozenset(
    """
    AC ACl ACof Adjoints Arguments Assumptions Batch Certificate Def Defensive Definition End Fixpoint From
    GRing Hypotheses Hypothesis IH Implicit Import Incoming Lemma Let Local Ltac Moves Num Open Print Printing
    Proof Prop Qed R Record Regular Require Run SProp Scope Section Sequence Set SsrSyntax_is_Imported Strict
    T T_add T_bcast T_col T_had T_lse T_map T_mul T_opp T_restack T_scale T_softmax T_sub T_total T_tr T_zero
    TangentAt Theorem Theory Type Unset Variable Variables Vars add0r addIr add_law additive addr0 addrA
    adjoints adjoints_exist all_nz all_pos an apply arg arriving as at back backward_exists batch batches
    bcast before before_lt big1 big_ord0 big_ord_recr bijective bseq by case certificate char clear cofix
    col_mx com_law compare conj const_mx cos curve curve_abs curve_add curve_bcast curve_col curve_cos
    curve_cst curve_exp curve_had curve_log curve_lse curve_mul curve_npow curve_opp curve_pow curve_relu
    curve_restack curve_scale curve_sigmoid curve_sin curve_softmax curve_softplus curve_sqrt curve_sub
    curve_tanh curve_total curve_tr d_exp d_relu d_sigmoid d_sqrt d_tanh decreasing_seq deriv deriv_eq
    deriv_mx deriv_mx_ext deriv_sum dffun dir disjoint do dot dot0l dotDl dot_add dot_before dot_suml dots
    dsubmx duality duals dup dvd e0 elaborate elim else emap end eq_bigr epow eps eq_add equiv_rel erefl esym
    eta etrans exact exists exists2 expR f_equal ffun ffun_on first fix for forall fraction fun fun_adjunction
    g_abs g_cos g_log g_npow g_pow g_sin g_softplus gcd generalize generic_adjoints generic_tangents given
    gradient have homo id ideal_quot if iff in inc incoming increasing_seq intros inv inverse is k kept last
    law lcm leqW leqnn let lib linear ln logsumexp loss loss_gradient lrmorphism ltac ltnNge ltnW ltn_ord
    match mem mod_ideal mono morph move moved moves mul_law nat nondecreasing_seq nonincreasing_seq normed
    normr of ok on own own_derivative pick poly pose pred predC predD predD1 predI predU predU1 predX preim pt
    qualify ran rat ratio realType rec reg regular rel rel_adjunction relu restack return rewrite ring
    ring_scope rmorphism run run_exists run_tangents same_size scalar sdvd sent seq sequence series set sg
    shared shown sigmoid sin slope sloped softmax softplus split sqrt step subset sum_add sval swap t tT
    tangent_at tangents tanh telescope the theorems then through throughtime tnth total transitivity tuple
    type unit unlockable using usubmx vars vspace where with
    """.split()  # noqa: SIM905 - a paragraph of words reads better than a column of literals
)
"""What a name must not hide: every word that a certificate itself says, and words that Rocq reads as its own."""

FORBIDDEN = frozenset({"Admitted", "Admit", "admit", "Axiom", "Axioms", "Parameter", "Parameters"})
"""Words with which a proof could claim what it does not show; they occur in no certificate, not even as names."""


class Names:
    """Hands out Rocq identifiers, each once.

    Names that end in an underscore are never handed out: the proofs use them for what they introduce.
    """

    def __init__(self) -> None:
        self._taken = set(RESERVED | FORBIDDEN)
        self._derived: dict[tuple[str, str], str] = {}

    def fresh(self, wanted: str) -> str:
        """This name, or, if it is taken, the same with primes.

        Args:
            wanted: letters, digits and underscores.
        """
        name = wanted
        if name.startswith("_") or name.endswith("_") or name[0].isdigit() or _is_kind(name):
            name = f"v{name}v"
        while name in self._taken:
            name += "'"
        self._taken.add(name)
        return name

    def derived(self, form: str, base: str) -> str:
        """The name made of another: ``derived("{}_bar", "h")``; the same arguments give the same name."""
        if (form, base) not in self._derived:
            self._derived[form, base] = self.fresh(form.format(base))
        return self._derived[form, base]


def _is_kind(name: str) -> bool:
    """Whether it ends like the names of mathcomp's structures, some of which are words of its notations."""
    return name.endswith(("Type", "Mixin"))
