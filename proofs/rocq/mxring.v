(* mx_ring: equality of two matrix expressions.                               *)
(* Transposes are pushed to the leaves, matrix products distributed over sums *)
(* and associated to the left, and the sides compared entry by entry with     *)
(* `ring', which sees the entry of a matrix product as one atom. Two products *)
(* whose factors are equal, but written otherwise, are first made the same    *)
(* by mx_ring itself, on the factors.                                         *)
From mathcomp Require Import all_ssreflect all_algebra reals ring.
From throughtime Require Import hadamard.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Transposes.
Variable R : realType.
Variables m n : nat.
Implicit Types A B : 'M[R]_(m, n).

Lemma tr_tr A : A^T^T = A.
Proof. exact: trmxK. Qed.
Lemma tr_add A B : (A + B)^T = A^T + B^T.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_opp A : (- A)^T = - A^T.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_zero : (0 : 'M[R]_(m, n))^T = 0.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_scale (k : R) A : (k *: A)^T = k *: A^T.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_had A B : (A .* B)^T = A^T .* B^T.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_emap f A : (emap f A)^T = emap f A^T.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_epow k A : (epow A k)^T = epow A^T k.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_cst (k : R) : (const_mx k : 'M[R]_(m, n))^T = const_mx k.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma tr_bcast (a : 'M[R]_1) : (bcast m n a)^T = bcast n m a.
Proof. by apply/matrixP => i j; rewrite tr_entry !bcast_entry. Qed.

Lemma total_add A B : total (A + B) = total A + total B.
Proof.
apply/matrixP => i j; rewrite add_entry !total_entry -big_split.
apply: eq_bigr => k _; rewrite -big_split; apply: eq_bigr => l _.
by rewrite add_entry.
Qed.
Lemma total_scale (k : R) A : total (k *: A) = k *: total A.
Proof.
apply/matrixP => i j; rewrite scale_entry !total_entry mulr_sumr.
apply: eq_bigr => l _; rewrite mulr_sumr; apply: eq_bigr => o _.
by rewrite scale_entry.
Qed.
Lemma total_opp A : total (- A) = - total A.
Proof. by rewrite -scaleN1r total_scale scaleN1r. Qed.
Lemma total_zero : total (0 : 'M[R]_(m, n)) = 0.
Proof. by rewrite -(scale0r 0) total_scale scale0r. Qed.
Lemma total_tr A : total A^T = total A.
Proof.
apply/matrixP => i j; rewrite !total_entry exchange_big.
by apply: eq_bigr => k _; apply: eq_bigr => l _; rewrite tr_entry.
Qed.

(* Full distribution, tried when the short way fails. *)
Lemma had_addl A B C : (A + B) .* C = A .* C + B .* C :> 'M[R]_(m, n).
Proof. by apply/matrixP => i j; rewrite !mxE mulrDl. Qed.
Lemma had_addr A B C : C .* (A + B) = C .* A + C .* B :> 'M[R]_(m, n).
Proof. by apply/matrixP => i j; rewrite !mxE mulrDr. Qed.
Lemma had_oppl A B : - A .* B = - (A .* B).
Proof. by apply/matrixP => i j; rewrite !mxE mulNr. Qed.
Lemma had_oppr A B : A .* - B = - (A .* B).
Proof. by apply/matrixP => i j; rewrite !mxE mulrN. Qed.
Lemma had_scalel (k : R) A B : (k *: A) .* B = k *: (A .* B).
Proof. by apply/matrixP => i j; rewrite !mxE mulrA. Qed.
Lemma had_scaler (k : R) A B : A .* (k *: B) = k *: (A .* B).
Proof. by apply/matrixP => i j; rewrite !mxE mulrCA. Qed.
Lemma had_cstl (k : R) A : const_mx k .* A = k *: A.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma had_cstr (k : R) A : A .* const_mx k = k *: A.
Proof. by apply/matrixP => i j; rewrite !mxE mulrC. Qed.
Lemma scale_add (k : R) A B : k *: (A + B) = k *: A + k *: B.
Proof. exact: scalerDr. Qed.
Lemma scale_opp (k : R) A : k *: - A = - (k *: A).
Proof. exact: scalerN. Qed.
Lemma epow1 A : epow A 1 = A.
Proof. by apply/matrixP => i j; rewrite !mxE expr1. Qed.
Lemma epow2 A : epow A 2 = A .* A.
Proof. by apply/matrixP => i j; rewrite !mxE expr2. Qed.
Lemma epow3 A : epow A 3 = A .* A .* A.
Proof. by apply/matrixP => i j; rewrite !mxE exprS expr2 mulrA. Qed.

End Transposes.

(* Matrices of one entry: a scalar product is a total. *)
Section Scalars.
Variable R : realType.

Lemma mul11 k (X : 'M[R]_(1, k)) (Y : 'M[R]_(k, 1)) : X *m Y = total (X^T .* Y).
Proof.
apply/matrixP => i j; rewrite mxE total_entry !ord1; apply: eq_bigr => l _.
by rewrite big_ord1 !mxE.
Qed.
Lemma tr11 (a : 'M[R]_1) : a^T = a.
Proof. by apply/matrixP => i j; rewrite mxE !ord1. Qed.
Lemma total11 (a : 'M[R]_1) : total a = a.
Proof. by apply/matrixP => i j; rewrite total_entry !big_ord1 !ord1. Qed.
Lemma bcast11 (a : 'M[R]_1) : bcast 1 1 a = a.
Proof. by apply/matrixP => i j; rewrite bcast_entry !ord1. Qed.

End Scalars.

(* The same as in mathcomp, for matrices over realType: one way of writing    *)
(* the ring, so that equal terms are the same to `ring'.                      *)
Section Products.
Variable R : realType.
Variables m k n : nat.
Implicit Types (A : 'M[R]_(m, k)) (B : 'M[R]_(k, n)).

Lemma tr_mul A B : (A *m B)^T = B^T *m A^T.
Proof. exact: trmx_mul. Qed.
Lemma mul_scalel (c : R) A B : (c *: A) *m B = c *: (A *m B).
Proof. by rewrite scalemxAl. Qed.
Lemma mul_scaler (c : R) A B : A *m (c *: B) = c *: (A *m B).
Proof. by rewrite scalemxAr. Qed.

Lemma inv_mul (x y : R) : (x * y)^-1 = x^-1 * y^-1.
Proof. exact: invfM. Qed.
Lemma inv_inv (x : R) : x^-1^-1 = x.
Proof. exact: invrK. Qed.
Lemma inv_one : 1^-1 = 1 :> R.
Proof. exact: invr1. Qed.
Lemma inv_pow (x : R) l : (x ^+ l)^-1 = x^-1 ^+ l.
Proof. by rewrite exprVn. Qed.

End Products.

Definition tr_rules := (tr_mul, tr_tr, tr_add, tr_opp, tr_zero, tr_scale,
  tr_had, tr_emap, tr_epow, tr_cst, tr_bcast).
Definition total_rules := (total_add, total_opp, total_scale, total_zero,
  total_tr).
Definition spread_rules := (had_addl, had_addr, had_oppl, had_oppr, had_scalel,
  had_scaler, had_cstl, had_cstr, epow1, epow2, epow3, scale_add, scale_opp).
Definition entry_rules := (add_entry, opp_entry, zero_entry, scale_entry,
  muln_entry, had_entry, emap_entry, epow_entry, const_entry, bcast_entry,
  tr_entry, usub_entry, dsub_entry, restack_entry).

Ltac mx_distribute :=
  rewrite ?(mulmxDl, mulmxDr, mulNmx, mulmxN, mul0mx, mulmx0, mul_scalel,
            mul_scaler, mulmxA).

(* Can the two be equal without being the same? Not if both are leaves.       *)
Ltac is_composite A :=
  lazymatch A with
  | had _ _ => idtac | GRing.add _ _ => idtac | GRing.opp _ => idtac
  | GRing.scale _ _ => idtac | emap _ _ => idtac | epow _ _ => idtac
  | mulmx _ _ => idtac | const_mx _ => idtac | bcast _ _ _ => idtac
  | total _ => idtac | usubmx _ => idtac | dsubmx _ => idtac
  | col_mx _ _ => idtac | trmx (col_mx _ _) => idtac
  | restack _ _ => idtac | trmx (restack _ _) => idtac
  end.

Ltac maybe_equal A B :=
  first [ constr_eq A B | is_composite A | is_composite B ].

(* Equality of sums of sizes, in any order.                                   *)
Ltac same_size := by rewrite ?(mulSn, mul0n); nat_norm; do ?nat_congr.

Ltac same_or tac :=
  lazymatch goal with
  | |- ?A = ?A => reflexivity
  | |- _ => tac
  end.

(* Make one pair of products (totals, stacks, rows) the same. *)
Ltac unify_pair rec :=
  match goal with
  | |- context [@mulmx ?R ?m ?k ?n ?A ?B] =>
    match goal with
    | |- context [@mulmx R m k n ?C ?D] =>
      assert_fails (constr_eq A C; constr_eq B D);
      maybe_equal A C; maybe_equal B D;
      let H := fresh "H" in
      assert (H : @mulmx R m k n C D = @mulmx R m k n A B);
      [ apply (f_equal2 (@mulmx R m k n)); same_or rec | rewrite H; clear H ]
    end
  | |- context [@total ?R ?m ?n ?A] =>
    match goal with
    | |- context [@total R m n ?C] =>
      assert_fails (constr_eq A C);
      maybe_equal A C;
      let H := fresh "H" in
      assert (H : @total R m n C = @total R m n A);
      [ apply (f_equal (@total R m n)); rec | rewrite H; clear H ]
    end
  | |- context [@col_mx ?R ?m1 ?m2 ?n ?A ?B] =>
    match goal with
    | |- context [@col_mx ?S m1 m2 n ?C ?D] =>
      assert_fails (constr_eq A C; constr_eq B D);
      let H := fresh "H" in
      assert (H : @col_mx S m1 m2 n C D = @col_mx R m1 m2 n A B);
      [ apply (f_equal2 (@col_mx R m1 m2 n)); same_or rec | rewrite H; clear H ]
    end
  | |- context [@fun_of_matrix ?R ?m ?n ?A ?i ?j] =>
    match goal with
    | |- context [@fun_of_matrix R m n A ?k j] =>
      assert_fails (constr_eq i k);
      let H := fresh "H" in
      assert (H : k = i); [ apply: val_inj => /=; same_size | rewrite H; clear H ]
    end
  end.

(* Numbers as p / q: `ring' does not know that 1 + 1/2 is 3/2. Reciprocals of *)
(* anything else are variables here.                                          *)
Ltac numbers :=
  repeat match goal with
  | |- context [@GRing.inv ?U ?x] =>
    lazymatch x with GRing.natmul _ _ => fail | _ => generalize (@GRing.inv U x) end
  end; intros; by field.

Ltac mx_finish rec :=
  rewrite ?entry_rules ?(expr1, inv_mul, inv_pow, inv_inv, inv_one);
  first [ reflexivity | by ring | unify_pair rec; mx_finish rec | numbers ].

Ltac mx_entries :=
  let i := fresh "i" in let j := fresh "j" in
  apply: entriesP => i j; rewrite ?(ord1 i) ?(ord1 j).

Ltac mx_short :=
  rewrite ?(tr_rules, mul11, tr11, total11, bcast11) ?total_rules; mx_distribute;
  same_or ltac:(mx_entries; mx_finish mx_short).

Ltac mx_long :=
  rewrite ?(tr_rules, mul11, tr11, total11, bcast11) ?spread_rules ?total_rules;
  mx_distribute; same_or ltac:(mx_entries; mx_finish mx_short).

Ltac mx_ring := solve [ mx_short | mx_long ].
