(* Derivatives of real functions of a real variable.                          *)
(*   deriv f x d   f is differentiable at x with derivative d                 *)
(* It is is_derive of mathcomp-analysis along the direction 1: the difference *)
(* quotient converges to d.                                                   *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import boolp classical_sets functions.
From mathcomp Require Import reals ereal signed topology normedtype landau.
From mathcomp Require Import sequences derive realfun exp trigo.
From mathcomp Require Import ring.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Def Num.Theory.
Import numFieldNormedType.Exports.
Local Open Scope classical_set_scope.
Local Open Scope ring_scope.

Definition deriv (R : realType) (f : R -> R) (x d : R) : Prop :=
  is_derive (x : R^o) (1 : R^o) (f : R^o -> R^o) d.

Section Rules.
Variable R : realType.
Implicit Types (f g : R -> R) (x a b : R).

Lemma deriv_eq f x a b : deriv f x a -> a = b -> deriv f x b.
Proof. by move=> df <-. Qed.

Lemma deriv_ext f g x a : (forall e, f e = g e) -> deriv f x a -> deriv g x a.
Proof. by move=> /funext ->. Qed.

Lemma deriv_cst k x : deriv (fun=> k) x 0.
Proof. exact: is_derive_cst. Qed.

Lemma deriv_id x : deriv id x 1.
Proof. exact: is_derive_id. Qed.

Lemma deriv_add f g x a b :
  deriv f x a -> deriv g x b -> deriv (fun e => f e + g e) x (a + b).
Proof. exact: is_deriveD. Qed.

Lemma deriv_opp f x a : deriv f x a -> deriv (fun e => - f e) x (- a).
Proof. exact: is_deriveN. Qed.

Lemma deriv_mul f g x a b : deriv f x a -> deriv g x b ->
  deriv (fun e => f e * g e) x (a * g x + f x * b).
Proof.
move=> df dg; apply: deriv_eq (is_deriveM df dg) _.
by rewrite addrC mulrC.
Qed.

Lemma deriv_scale k f x a : deriv f x a -> deriv (fun e => k * f e) x (k * a).
Proof. exact: is_deriveZ. Qed.

Lemma deriv_comp f g x a b : deriv f (g x) a -> deriv g x b ->
  deriv (fun e => f (g e)) x (a * b).
Proof. exact: is_derive1_comp. Qed.

Lemma deriv_inv f x a : deriv f x a -> f x != 0 ->
  deriv (fun e => (f e)^-1) x (- ((f x)^-1 * (f x)^-1) * a).
Proof.
move=> df fx; apply: deriv_eq (is_deriveV fx df) _.
by rewrite expr2 invfM.
Qed.

Lemma deriv_pow k f x a : deriv f x a ->
  deriv (fun e => f e ^+ k) x (k%:R * f x ^+ k.-1 * a).
Proof.
move=> df; elim: k => [|k IH].
  by rewrite !mul0r; apply: deriv_ext (deriv_cst 1 x) => e; rewrite expr0.
apply: deriv_eq (deriv_ext _ (deriv_mul df IH)) _.
  by move=> e; rewrite exprS.
by case: k {IH} => [|k] /=; rewrite ?expr0 ?exprS; ring.
Qed.

Lemma deriv_sum (I : Type) (r : seq I) (F : I -> R -> R) (d : I -> R) x :
  (forall i, deriv (F i) x (d i)) ->
  deriv (fun e => \sum_(i <- r) F i e) x (\sum_(i <- r) d i).
Proof.
move=> dF; elim: r => [|i r IH].
  by rewrite big_nil; apply: deriv_ext (deriv_cst 0 x) => e; rewrite big_nil.
rewrite big_cons; apply: deriv_ext (deriv_add (dF i) IH) => e.
by rewrite big_cons.
Qed.

Lemma deriv_near f g x a : {near x, f =1 g} -> deriv f x a -> deriv g x a.
Proof.
move=> fg /is_derive1_caratheodory[h [fE hC hx]].
have fgx : f x = g x by exact: nbhs_singleton fg.
apply/is_derive1_caratheodory.
exists (fun z => if z == x then a else (g z - g x) / (z - x)); split.
- move=> z; case: eqP => [->|/eqP]; first by rewrite !subrr mulr0.
  by rewrite -subr_eq0 => zx; rewrite divfK.
- have e : {near x, h =1 fun z => if z == x then a else (g z - g x) / (z - x)}.
    near=> z; case: eqP => [->//|/eqP]; rewrite -subr_eq0 => zx.
    have -> : g z = f z by apply/esym; near: z.
    by rewrite -fgx fE mulfK.
  have hx' : h z @[z --> x] --> a by rewrite -hx.
  suff : (if z == x then a else (g z - g x) / (z - x)) @[z --> x] --> a.
    by move=> c; rewrite /prop_for /= eqxx.
  apply: cvg_trans hx'; exact: near_eq_cvg.
- by rewrite eqxx.
Unshelve. all: by end_near. Qed.

Lemma near_pos x : 0 < x -> \forall z \near x, 0 < z.
Proof. by move=> x0; exact: open_nbhs_nbhs (conj (@open_gt R 0) x0). Qed.

Lemma near_neg x : x < 0 -> \forall z \near x, z < 0.
Proof. by move=> x0; exact: open_nbhs_nbhs (conj (@open_lt R 0) x0). Qed.

End Rules.

(* The functions of the language. *)
Section Functions.
Variable R : realType.
Implicit Types x y : R.

Definition sigmoid x : R := (1 + expR (- x))^-1.
Definition tanh x : R := (expR x - expR (- x)) / (expR x + expR (- x)).
Definition softplus x : R := ln (1 + expR x).
Definition relu x : R := if 0 < x then x else 0.
Definition step x : R := if 0 < x then 1 else 0.

Lemma expR_sum_gt0 x : 0 < expR x + expR (- x).
Proof. by rewrite addr_gt0 ?expR_gt0. Qed.

Lemma deriv_expR x : deriv (@expR R) x (expR x).
Proof. exact: is_derive_expR. Qed.

Lemma deriv_expRN x : deriv (fun e => expR (- e)) x (- expR (- x)).
Proof.
apply: deriv_eq (deriv_comp (deriv_expR (- x)) (deriv_opp (deriv_id x))) _.
by rewrite mulrN1.
Qed.

Lemma deriv_sigmoid x : deriv sigmoid x (sigmoid x * (1 - sigmoid x)).
Proof.
have nz : 1 + expR (- x) != 0 by rewrite gt_eqF // addr_gt0 // expR_gt0.
have d := deriv_add (deriv_cst 1 x) (deriv_expRN x).
apply: deriv_eq (deriv_inv d nz) _.
by rewrite /sigmoid; field.
Qed.

Lemma deriv_tanh x : deriv tanh x (1 - tanh x * tanh x).
Proof.
have nz : expR x + expR (- x) != 0 by rewrite gt_eqF // expR_sum_gt0.
have dn := deriv_add (deriv_expR x) (deriv_opp (deriv_expRN x)).
have dd := deriv_inv (deriv_add (deriv_expR x) (deriv_expRN x)) nz.
by apply: deriv_eq (deriv_mul dn dd) _; rewrite /tanh; field.
Qed.

Lemma deriv_softplus x : deriv softplus x (sigmoid x).
Proof.
have pos : 0 < 1 + expR x by rewrite addr_gt0 // expR_gt0.
pose f e : R := 1 + expR e.
have d : deriv f x (0 + expR x) := deriv_add (deriv_cst 1 x) (deriv_expR x).
have dl : deriv (@ln R) (f x) (f x)^-1 by exact: is_derive1_ln.
apply: deriv_eq (deriv_comp dl d) _.
rewrite /f /sigmoid expRN; have ? : expR x != 0 by rewrite gt_eqF // expR_gt0.
have ? : 1 + expR x != 0 by rewrite gt_eqF.
by field; rewrite [_ + 1]addrC; apply/andP.
Qed.

Lemma deriv_ln x : 0 < x -> deriv (@ln R) x x^-1.
Proof. exact: is_derive1_ln. Qed.

Lemma deriv_sin x : deriv (@sin R) x (cos x).
Proof. exact: is_derive_sin. Qed.

Lemma deriv_cos x : deriv (@cos R) x (- sin x).
Proof. exact: is_derive_cos. Qed.

Lemma deriv_recip x : x != 0 -> deriv (fun e => e^-1) x (- (x^-1 * x^-1)).
Proof.
by move=> nz; apply: deriv_eq (deriv_inv (deriv_id x) nz) _; rewrite mulr1.
Qed.

Lemma deriv_sqrt x : 0 < x -> deriv (@Num.sqrt R) x (2%:R * Num.sqrt x)^-1.
Proof.
move=> x0; have s0 : 0 < Num.sqrt x by rewrite sqrtr_gt0.
rewrite -{1}[x]sqr_sqrtr ?ltW //.
apply: (@is_derive_inverse R (fun e => e ^+ 2) Num.sqrt).
- near=> z; rewrite sqrtr_sqr gtr0_norm //; near: z; exact: near_pos.
- near=> z; exact: exprn_continuous.
- by apply: deriv_eq (deriv_pow 2 (deriv_id _)) _; rewrite expr1 mulr1.
- by rewrite mulf_neq0 ?pnatr_eq0 // gt_eqF.
Unshelve. all: by end_near. Qed.

Lemma deriv_relu x : x != 0 -> deriv relu x (step x).
Proof.
rewrite /step neq_lt => /orP[x0|x0]; last first.
  rewrite x0; apply: deriv_near (deriv_id x).
  by near=> z; rewrite /relu ifT //; near: z; exact: near_pos.
rewrite ltNge ltW //=; apply: deriv_near (deriv_cst 0 x).
near=> z; rewrite /relu ifF // ltNge ltW //; near: z; exact: near_neg.
Unshelve. all: by end_near. Qed.

Lemma deriv_abs x : x != 0 -> deriv (fun e => `|e|) x (sgr x).
Proof.
rewrite neq_lt => /orP[x0|x0].
  rewrite ltr0_sg //; apply: deriv_near (deriv_opp (deriv_id x)).
  near=> z; rewrite ltr0_norm //; near: z; exact: near_neg.
rewrite gtr0_sg //; apply: deriv_near (deriv_id x).
near=> z; rewrite gtr0_norm //; near: z; exact: near_pos.
Unshelve. all: by end_near. Qed.

End Functions.
