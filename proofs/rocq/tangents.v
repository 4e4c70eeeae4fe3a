(* Tangent and adjoint of every operation of the equation language.           *)
(*   T_op ...      the tangent of one operation, from the tangents of its     *)
(*                 arguments (and the values that its derivative needs)       *)
(*   dual_op       ⟨G, T_op ...⟩ as a sum of ⟨adjoint, tangent of argument⟩   *)
(* Rewriting with `duals' takes an inner product with the tangent of any      *)
(* expression to the inner products with the tangents of its leaves: the      *)
(* reverse sweep, one rule per operation.                                     *)
From mathcomp Require Import all_ssreflect all_algebra.
From throughtime Require Import hadamard.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Tangents.
Variable R : comRingType.

Section SameShape.
Variables m n : nat.
Implicit Types A B D G S dA dB : 'M[R]_(m, n).

Definition T_zero : 'M[R]_(m, n) := 0.
Definition T_add dA dB := dA + dB.
Definition T_sub dA dB := dA - dB.
Definition T_opp dA := - dA.
Definition T_scale (k : R) dA := k *: dA.
Definition T_had A dA B dB := dA .* B + A .* dB.
(* a function applied to every entry, D its derivative there *)
Definition T_map D dA := D .* dA.
(* S the value of the softmax *)
Definition T_softmax S dA := S .* (dA - bcast m n (total (S .* dA))).
Definition T_tr dA := dA^T.
Definition T_total dA := total dA.
Definition T_bcast (da : 'M[R]_1) := bcast m n da.

Lemma dual_zero G : ⟨G, T_zero⟩ = 0.
Proof. exact: dot0r. Qed.

Lemma dual_add G dA dB : ⟨G, T_add dA dB⟩ = ⟨G, dA⟩ + ⟨G, dB⟩.
Proof. exact: dotDr. Qed.

Lemma dual_sub G dA dB : ⟨G, T_sub dA dB⟩ = ⟨G, dA⟩ + ⟨- G, dB⟩.
Proof. by rewrite /T_sub dotDr dotNr. Qed.

Lemma dual_opp G dA : ⟨G, T_opp dA⟩ = ⟨- G, dA⟩.
Proof. exact: dotNr. Qed.

Lemma dual_scale G k dA : ⟨G, T_scale k dA⟩ = ⟨k *: G, dA⟩.
Proof. exact: dotZr. Qed.

Lemma dual_had G A dA B dB :
  ⟨G, T_had A dA B dB⟩ = ⟨G .* B, dA⟩ + ⟨G .* A, dB⟩.
Proof. by rewrite /T_had dotDr (dot_hadl _ dA) dot_had. Qed.

Lemma dual_map G D dA : ⟨G, T_map D dA⟩ = ⟨G .* D, dA⟩.
Proof. exact: dot_had. Qed.

Lemma dual_softmax G S dA :
  ⟨G, T_softmax S dA⟩ = ⟨S .* (G - bcast m n (total (S .* G))), dA⟩.
Proof.
have hadBr X Y Z : X .* (Y - Z) = X .* Y - X .* Z :> 'M[R]_(m, n).
  by apply/matrixP => i j; rewrite !mxE mulrBr.
rewrite /T_softmax dot_had dotDr dotNr dotNl hadBr.
rewrite dot_bcast dot_total dot_had dotDl dotNl.
by rewrite (hadC (bcast _ _ _)) (hadC S G).
Qed.

Lemma dual_tr (G : 'M[R]_(n, m)) dA : ⟨G, T_tr dA⟩ = ⟨G^T, dA⟩.
Proof. exact: dot_tr. Qed.

Lemma dual_total (g : 'M[R]_1) dA : ⟨g, T_total dA⟩ = ⟨bcast m n g, dA⟩.
Proof. exact: dot_total. Qed.

Lemma dual_bcast G (da : 'M[R]_1) : ⟨G, T_bcast da⟩ = ⟨total G, da⟩.
Proof. exact: dot_bcast. Qed.

End SameShape.

Definition T_mul m k n (A dA : 'M[R]_(m, k)) (B dB : 'M[R]_(k, n)) :=
  dA *m B + A *m dB.

Lemma dual_mul m k n (G : 'M[R]_(m, n)) (A dA : 'M[R]_(m, k))
    (B dB : 'M[R]_(k, n)) :
  ⟨G, T_mul A dA B dB⟩ = ⟨G *m B^T, dA⟩ + ⟨A^T *m G, dB⟩.
Proof. by rewrite /T_mul dotDr dot_mull dot_mulr. Qed.

Definition T_col m1 m2 n (dA : 'M[R]_(m1, n)) (dB : 'M[R]_(m2, n)) :=
  col_mx dA dB.

Lemma dual_col m1 m2 n (G : 'M[R]_(m1 + m2, n)) (dA : 'M[R]_(m1, n))
    (dB : 'M[R]_(m2, n)) :
  ⟨G, T_col dA dB⟩ = ⟨usubmx G, dA⟩ + ⟨dsubmx G, dB⟩.
Proof. exact: dot_col. Qed.

Definition T_usub m1 m2 n (dA : 'M[R]_(m1 + m2, n)) := usubmx dA.
Definition T_dsub m1 m2 n (dA : 'M[R]_(m1 + m2, n)) := dsubmx dA.

Lemma dual_usub m1 m2 n (G : 'M[R]_(m1, n)) (dA : 'M[R]_(m1 + m2, n)) :
  ⟨G, T_usub dA⟩ = ⟨col_mx G 0, dA⟩.
Proof. exact: dot_usub. Qed.

Lemma dual_dsub m1 m2 n (G : 'M[R]_(m2, n)) (dA : 'M[R]_(m1 + m2, n)) :
  ⟨G, T_dsub dA⟩ = ⟨col_mx 0 G, dA⟩.
Proof. exact: dot_dsub. Qed.

End Tangents.

Arguments T_zero {R m n}.
Arguments T_bcast {R} m n da.

Definition duals := (dual_zero, dual_add, dual_sub, dual_opp, dual_scale,
  dual_had, dual_map, dual_softmax, dual_tr, dual_total, dual_bcast, dual_mul,
  dual_col, dual_usub, dual_dsub).

(* The definitions behind the marks, for comparing a tangent as derived with  *)
(* the tangent operation by operation.                                        *)
Ltac unfold_tangents := rewrite /T_zero /T_add /T_sub /T_opp /T_scale /T_had
  /T_map /T_softmax /T_tr /T_total /T_bcast /T_mul /T_col /T_usub /T_dsub.
