(* Curves of real matrices: differentiable entry by entry.                    *)
(*   deriv_mx A x dA    every entry of the curve A : R -> 'M_(m, n) is        *)
(*                      differentiable at x, and dA holds the derivatives     *)
(* One lemma per operation of the language, stated with the tangents T_op of  *)
(* tangents.v: proving a tangent right is applying them from the outside in.  *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import reals sequences exp trigo ring.
From throughtime Require Import hadamard tangents functions.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Def Num.Theory.
Local Open Scope ring_scope.

Definition deriv_mx (R : realType) m n (A : R -> 'M[R]_(m, n)) (x : R)
  (dA : 'M[R]_(m, n)) : Prop := forall i j, deriv (fun e => A e i j) x (dA i j).

(* Conditions on points: functions with a kink or a pole. *)
Definition all_pos (R : realType) m n (A : 'M[R]_(m, n)) := forall i j, 0 < A i j.
Definition all_nz (R : realType) m n (A : 'M[R]_(m, n)) := forall i j, A i j != 0.

Section Operations.
Variable R : realType.
Variable x : R.

Lemma deriv_mx_ext m n (A B : R -> 'M[R]_(m, n)) dA :
  (forall e, A e = B e) -> deriv_mx A x dA -> deriv_mx B x dA.
Proof. by move=> AB dAx i j; apply: deriv_ext (dAx i j) => e; rewrite AB. Qed.

Section SameShape.
Variables m n : nat.
Implicit Types (A B : R -> 'M[R]_(m, n)) (dA dB : 'M[R]_(m, n)).

Lemma deriv_mx_eq A dA dB : deriv_mx A x dA -> dA = dB -> deriv_mx A x dB.
Proof. by move=> dAx <-. Qed.

Lemma curve_cst (K : 'M[R]_(m, n)) : deriv_mx (fun=> K) x T_zero.
Proof. by move=> i j; rewrite T_zeroE zero_entry; exact: deriv_cst. Qed.

Lemma curve_add A B dA dB : deriv_mx A x dA -> deriv_mx B x dB ->
  deriv_mx (fun e => A e + B e) x (T_add dA dB).
Proof.
move=> dAx dBx i j; rewrite T_addE add_entry.
by apply: deriv_ext (deriv_add (dAx i j) (dBx i j)) => e; rewrite add_entry.
Qed.

Lemma curve_opp A dA : deriv_mx A x dA ->
  deriv_mx (fun e => - A e) x (T_opp dA).
Proof.
move=> dAx i j; rewrite T_oppE opp_entry.
by apply: deriv_ext (deriv_opp (dAx i j)) => e; rewrite opp_entry.
Qed.

Lemma curve_sub A B dA dB : deriv_mx A x dA -> deriv_mx B x dB ->
  deriv_mx (fun e => A e - B e) x (T_sub dA dB).
Proof.
move=> dAx dBx; have := curve_add dAx (curve_opp dBx).
by rewrite T_addE T_oppE -T_subE.
Qed.

Lemma curve_scale k A dA : deriv_mx A x dA ->
  deriv_mx (fun e => k *: A e) x (T_scale k dA).
Proof.
move=> dAx i j; rewrite T_scaleE scale_entry.
by apply: deriv_ext (deriv_scale k (dAx i j)) => e; rewrite scale_entry.
Qed.

Lemma curve_had A B dA dB : deriv_mx A x dA -> deriv_mx B x dB ->
  deriv_mx (fun e => A e .* B e) x (T_had (A x) dA (B x) dB).
Proof.
move=> dAx dBx i j; rewrite T_hadE add_entry !had_entry.
by apply: deriv_ext (deriv_mul (dAx i j) (dBx i j)) => e; rewrite had_entry.
Qed.

Lemma curve_tr A dA : deriv_mx A x dA ->
  deriv_mx (fun e => (A e)^T) x (T_tr dA).
Proof.
move=> dAx i j; rewrite T_trE tr_entry.
by apply: deriv_ext (dAx j i) => e; rewrite tr_entry.
Qed.

Lemma curve_total A dA : deriv_mx A x dA ->
  deriv_mx (fun e => total (A e)) x (T_total dA).
Proof.
move=> dAx i j; rewrite T_totalE total_entry.
apply: deriv_ext (deriv_sum _ (fun k => deriv_sum _ (dAx k))) => e.
by rewrite total_entry.
Qed.

Lemma curve_bcast (a : R -> 'M[R]_1) da : deriv_mx a x da ->
  deriv_mx (fun e => bcast m n (a e)) x (T_bcast m n da).
Proof.
move=> dax i j; rewrite T_bcastE bcast_entry.
by apply: deriv_ext (dax 0 0) => e; rewrite bcast_entry.
Qed.

Lemma curve_map f (D : 'M[R]_(m, n)) A dA :
  (forall i j, deriv f (A x i j) (D i j)) -> deriv_mx A x dA ->
  deriv_mx (fun e => emap f (A e)) x (T_map D dA).
Proof.
move=> dfx dAx i j; rewrite T_mapE had_entry.
by apply: deriv_ext (deriv_comp (dfx i j) (dAx i j)) => e; rewrite emap_entry.
Qed.

End SameShape.

Lemma curve_mul m k n (A : R -> 'M[R]_(m, k)) (B : R -> 'M[R]_(k, n)) dA dB :
  deriv_mx A x dA -> deriv_mx B x dB ->
  deriv_mx (fun e => A e *m B e) x (T_mul (A x) dA (B x) dB).
Proof.
move=> dAx dBx i j; rewrite T_mulE add_entry !mxE -big_split /=.
apply: deriv_ext (deriv_sum _ (fun l => deriv_mul (dAx i l) (dBx l j))) => e.
by rewrite mxE.
Qed.

Lemma curve_col m1 m2 n (A : R -> 'M[R]_(m1, n)) (B : R -> 'M[R]_(m2, n)) dA dB :
  deriv_mx A x dA -> deriv_mx B x dB ->
  deriv_mx (fun e => col_mx (A e) (B e)) x (T_col dA dB).
Proof.
move=> dAx dBx i j; rewrite -(splitK i) T_colE; case: (fintype.split i) => k /=.
  by rewrite col_mxEu; apply: deriv_ext (dAx k j) => e; rewrite col_mxEu.
by rewrite col_mxEd; apply: deriv_ext (dBx k j) => e; rewrite col_mxEd.
Qed.

Lemma curve_restack p q n (e : p = q) (A : R -> 'M[R]_(p, n)) dA :
  deriv_mx A x dA -> deriv_mx (fun t => restack e (A t)) x (T_restack e dA).
Proof.
move=> dAx i j; rewrite T_restackE restack_entry.
by apply: deriv_ext (dAx _ j) => t; rewrite restack_entry.
Qed.

Lemma curve_usub m1 m2 n (A : R -> 'M[R]_(m1 + m2, n)) dA :
  deriv_mx A x dA -> deriv_mx (fun e => usubmx (A e)) x (T_usub dA).
Proof.
move=> dAx i j; rewrite /T_usub -lock usub_entry.
by apply: deriv_ext (dAx _ j) => e; rewrite usub_entry.
Qed.

Lemma curve_dsub m1 m2 n (A : R -> 'M[R]_(m1 + m2, n)) dA :
  deriv_mx A x dA -> deriv_mx (fun e => dsubmx (A e)) x (T_dsub dA).
Proof.
move=> dAx i j; rewrite /T_dsub -lock dsub_entry.
by apply: deriv_ext (dAx _ j) => e; rewrite dsub_entry.
Qed.

End Operations.

(* The functions of the language, elementwise, and their derivatives. Those   *)
(* named d_f take the value of f; those named g_f take its argument.          *)
Section Elementwise.
Variables (R : realType) (m n : nat).
Implicit Types (S X : 'M[R]_(m, n)) (A : R -> 'M[R]_(m, n)).

Definition d_tanh S := const_mx 1 - S .* S.
Definition d_sigmoid S := S .* (const_mx 1 - S).
Definition d_exp S := S.
Definition d_recip S := - (S .* S).
Definition d_sqrt S := (1%:R / 2%:R) *: emap GRing.inv S.
Definition d_relu S := emap (@step R) S.
Definition g_softplus X := emap (@sigmoid R) X.
Definition g_log X := emap GRing.inv X.
Definition g_sin X := emap (@cos R) X.
Definition g_cos X := - emap (@sin R) X.
Definition g_abs X := emap sgr X.
Definition g_pow k X := k%:R *: epow X k.-1.
Definition g_npow k X := - (k%:R *: emap GRing.inv (epow X k.+1)).

Section Curves.
Variables (x : R) (A : R -> 'M[R]_(m, n)) (dA : 'M[R]_(m, n)).
Hypothesis dAx : deriv_mx A x dA.

Local Ltac entrywise d :=
  apply: curve_map dAx => i j; apply: deriv_eq;
  [ by apply: d; auto
  | by rewrite ?(add_entry, opp_entry, had_entry, const_entry, scale_entry,
                 emap_entry, epow_entry) ].

Lemma curve_tanh : deriv_mx (fun e => emap (@tanh R) (A e)) x
  (T_map (d_tanh (emap (@tanh R) (A x))) dA).
Proof. entrywise deriv_tanh. Qed.

Lemma curve_sigmoid : deriv_mx (fun e => emap (@sigmoid R) (A e)) x
  (T_map (d_sigmoid (emap (@sigmoid R) (A x))) dA).
Proof. entrywise deriv_sigmoid. Qed.

Lemma curve_exp : deriv_mx (fun e => emap expR (A e)) x
  (T_map (d_exp (emap expR (A x))) dA).
Proof. entrywise deriv_expR. Qed.

Lemma curve_softplus : deriv_mx (fun e => emap (@softplus R) (A e)) x
  (T_map (g_softplus (A x)) dA).
Proof. entrywise deriv_softplus. Qed.

Lemma curve_sin : deriv_mx (fun e => emap (@sin R) (A e)) x
  (T_map (g_sin (A x)) dA).
Proof. entrywise deriv_sin. Qed.

Lemma curve_cos : deriv_mx (fun e => emap (@cos R) (A e)) x
  (T_map (g_cos (A x)) dA).
Proof. entrywise deriv_cos. Qed.

Lemma curve_log : all_pos (A x) -> deriv_mx (fun e => emap (@ln R) (A e)) x
  (T_map (g_log (A x)) dA).
Proof. by move=> ok; entrywise deriv_ln. Qed.

Lemma curve_sqrt : all_pos (A x) ->
  deriv_mx (fun e => emap Num.sqrt (A e)) x
    (T_map (d_sqrt (emap Num.sqrt (A x))) dA).
Proof.
move=> ok; apply: curve_map dAx => i j; rewrite scale_entry !emap_entry.
by apply: deriv_eq (deriv_sqrt (ok i j)) _; rewrite invfM mul1r.
Qed.

Lemma curve_recip : all_nz (A x) ->
  deriv_mx (fun e => emap GRing.inv (A e)) x
    (T_map (d_recip (emap GRing.inv (A x))) dA).
Proof. by move=> ok; entrywise deriv_recip. Qed.

Lemma step_relu y : step (relu y) = step y :> R.
Proof. by rewrite /relu; case: (ltP 0 y) => [//|y0]; rewrite /step ltxx ltNge y0. Qed.

Lemma curve_relu : all_nz (A x) -> deriv_mx (fun e => emap (@relu R) (A e)) x
  (T_map (d_relu (emap (@relu R) (A x))) dA).
Proof.
move=> ok; apply: curve_map dAx => i j; rewrite !emap_entry step_relu.
exact: deriv_relu.
Qed.

Lemma curve_abs : all_nz (A x) -> deriv_mx (fun e => emap normr (A e)) x
  (T_map (g_abs (A x)) dA).
Proof. by move=> ok; entrywise deriv_abs. Qed.

Lemma curve_pow k : deriv_mx (fun e => epow (A e) k) x
  (T_map (g_pow k (A x)) dA).
Proof.
have d y : deriv (fun a : R => a ^+ k) y (k%:R * y ^+ k.-1).
  by apply: deriv_eq (deriv_pow k (deriv_id y)) _; rewrite mulr1.
entrywise d.
Qed.

Lemma curve_npow k : all_nz (A x) ->
  deriv_mx (fun e => emap GRing.inv (epow (A e) k)) x (T_map (g_npow k (A x)) dA).
Proof.
move=> ok i j; have nz : A x i j ^+ k != 0 by rewrite expf_neq0.
apply: deriv_ext (deriv_eq (deriv_inv (deriv_pow k (dAx i j)) nz) _) => [e|].
  by rewrite emap_entry epow_entry.
rewrite T_mapE had_entry opp_entry scale_entry emap_entry epow_entry mulrA.
congr (_ * _); case: k nz => [|k] nz; first by rewrite /= mul0r mulr0 mul0r oppr0.
by rewrite /= !exprSr; field; rewrite ok expf_neq0.
Qed.

End Curves.

End Elementwise.

(* The softmax of all entries (of a column: the usual one). *)
Section Softmax.
Variables (R : realType) (m n : nat).

Definition softmax (X : 'M[R]_(m, n)) : 'M[R]_(m, n) :=
  emap expR X .* bcast m n (emap GRing.inv (total (emap expR X))).

Lemma total_exp_nz (X : 'M[R]_(m, n)) (i : 'I_m) (j : 'I_n) :
  all_nz (total (emap expR X)).
Proof.
move=> a b; rewrite total_entry gt_eqF // (bigD1 i) // (bigD1 j) //= emap_entry.
rewrite -addrA ltr_paddr ?expR_gt0 // addr_ge0 //; apply: sumr_ge0 => k _.
  by rewrite emap_entry ltW ?expR_gt0.
by apply: sumr_ge0 => l _; rewrite emap_entry ltW ?expR_gt0.
Qed.

Lemma curve_softmax (x : R) (A : R -> 'M[R]_(m, n)) dA : deriv_mx A x dA ->
  deriv_mx (fun e => softmax (A e)) x (T_softmax (softmax (A x)) dA).
Proof.
move=> dAx i j; have dE := curve_exp dAx.
have dr := curve_recip (curve_total dE) (total_exp_nz (A x) i j).
have dS : deriv_mx (fun e => softmax (A e)) x _ :=
  curve_had dE (curve_bcast dr).
apply: deriv_eq (dS i j) _; rewrite T_softmaxE T_hadE T_bcastE T_totalE !T_mapE.
rewrite !(add_entry, opp_entry, had_entry, bcast_entry, emap_entry, total_entry).
set r := (\sum_i _)^-1.
have -> : \sum_i \sum_j (softmax (A x) .* dA) i j =
          r * \sum_i \sum_j (d_exp (emap expR (A x)) .* dA) i j.
  rewrite mulr_sumr; apply: eq_bigr => k _; rewrite mulr_sumr.
  apply: eq_bigr => l _.
  rewrite !(had_entry, bcast_entry, emap_entry, total_entry) /d_exp -/r.
  by rewrite mulrAC mulrC.
move: r (\sum_i0 _) => r s; ring.
Qed.

End Softmax.

(* The logarithm of the sum of the exponentials of all entries. *)
Section LogSumExp.
Variables (R : realType) (m n : nat).

Definition logsumexp (X : 'M[R]_(m, n)) : 'M[R]_1 :=
  emap (@ln R) (total (emap expR X)).

Lemma curve_lse (x : R) (A : R -> 'M[R]_(m, n)) dA : deriv_mx A x dA ->
  deriv_mx (fun e => logsumexp (A e)) x (T_lse (softmax (A x)) dA).
Proof.
move=> dAx; have dE := curve_total (curve_exp dAx).
have [[i j] _|none] := pickP (predT : pred ('I_m * 'I_n)%type); last first.
  move=> i j; rewrite T_lseE total_entry big1 => [|k _]; last first.
    by apply: big1 => l _; have := none (k, l).
  apply: deriv_ext (deriv_cst (@ln R 0) x) => e.
  rewrite /logsumexp emap_entry total_entry big1 // => k _.
  by apply: big1 => l _; have := none (k, l).
have pos : all_pos (total (emap expR (A x))).
  move=> a b; rewrite lt0r (total_exp_nz (A x) i j) total_entry.
  by do 2![apply: sumr_ge0 => ? _]; rewrite emap_entry ltW ?expR_gt0.
apply: deriv_mx_eq (curve_log dE pos) _; apply/matrixP => a b.
rewrite T_lseE T_mapE T_totalE T_mapE.
rewrite !(had_entry, emap_entry, total_entry) mulr_sumr.
apply: eq_bigr => k _; rewrite mulr_sumr; apply: eq_bigr => l _.
by rewrite !(had_entry, bcast_entry, emap_entry, total_entry) /d_exp mulrA [_^-1 * _]mulrC.
Qed.

End LogSumExp.

Ltac unfold_derivatives := rewrite /d_tanh /d_sigmoid /d_exp /d_recip /d_sqrt
  /d_relu
  /g_softplus /g_log /g_sin /g_cos /g_abs /g_pow /g_npow.
