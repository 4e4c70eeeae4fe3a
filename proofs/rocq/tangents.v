(* Tangent and adjoint of every operation of the equation language.           *)
(*   T_op ...      the tangent of one operation, from the tangents of its     *)
(*                 arguments (and the values that its derivative needs)       *)
(*   dual_op       ⟨G, T_op ...⟩ as a sum of ⟨adjoint, tangent of argument⟩   *)
(* Rewriting with `duals' takes an inner product with the tangent of any      *)
(* expression to the inner products with the tangents of its leaves: the      *)
(* reverse sweep, one rule per operation.                                     *)
From mathcomp Require Import all_ssreflect all_algebra reals.
From throughtime Require Import hadamard.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Tangents.
Variable R : realType.

Section SameShape.
Variables m n : nat.
Implicit Types A B D G S dA dB : 'M[R]_(m, n).

Definition T_zero : 'M[R]_(m, n) := locked (0).
Definition T_add dA dB := locked (dA + dB).
Definition T_sub dA dB := locked (dA - dB).
Definition T_opp dA := locked (- dA).
Definition T_scale (k : R) dA := locked (k *: dA).
Definition T_had A dA B dB := locked (dA .* B + A .* dB).
(* a function applied to every entry, D its derivative there *)
Definition T_map D dA := locked (D .* dA).
(* S the value of the softmax *)
Definition T_softmax S dA := locked (S .* (dA - bcast m n (total (S .* dA)))).
Definition T_tr dA := locked (dA^T).
Definition T_total dA := locked (total dA).
Definition T_bcast (da : 'M[R]_1) := locked (bcast m n da).

Lemma dual_zero G : ⟨G, T_zero⟩ = 0.
Proof. by rewrite /T_zero -lock dot0r. Qed.

Lemma dual_add G dA dB : ⟨G, T_add dA dB⟩ = ⟨G, dA⟩ + ⟨G, dB⟩.
Proof. by rewrite /T_add -lock dotDr. Qed.

Lemma dual_sub G dA dB : ⟨G, T_sub dA dB⟩ = ⟨G, dA⟩ + ⟨- G, dB⟩.
Proof. by rewrite /T_sub -lock dotDr dotNr. Qed.

Lemma dual_opp G dA : ⟨G, T_opp dA⟩ = ⟨- G, dA⟩.
Proof. by rewrite /T_opp -lock dotNr. Qed.

Lemma dual_scale G k dA : ⟨G, T_scale k dA⟩ = ⟨k *: G, dA⟩.
Proof. by rewrite /T_scale -lock dotZr. Qed.

Lemma dual_had G A dA B dB :
  ⟨G, T_had A dA B dB⟩ = ⟨G .* B, dA⟩ + ⟨G .* A, dB⟩.
Proof. by rewrite /T_had -lock dotDr (dot_hadl _ dA) dot_had. Qed.

Lemma dual_map G D dA : ⟨G, T_map D dA⟩ = ⟨G .* D, dA⟩.
Proof. by rewrite /T_map -lock dot_had. Qed.

Lemma dual_softmax G S dA :
  ⟨G, T_softmax S dA⟩ = ⟨S .* (G - bcast m n (total (S .* G))), dA⟩.
Proof.
have hadBr X Y Z : X .* (Y - Z) = X .* Y - X .* Z :> 'M[R]_(m, n).
  by apply/matrixP => i j; rewrite !mxE mulrBr.
rewrite /T_softmax -lock dot_had dotDr dotNr dotNl hadBr.
rewrite dot_bcast dot_total dot_had dotDl dotNl.
by rewrite (hadC (bcast _ _ _)) (hadC S G).
Qed.

Lemma dual_tr (G : 'M[R]_(n, m)) dA : ⟨G, T_tr dA⟩ = ⟨G^T, dA⟩.
Proof. by rewrite /T_tr -lock dot_tr. Qed.

Lemma dual_total (g : 'M[R]_1) dA : ⟨g, T_total dA⟩ = ⟨bcast m n g, dA⟩.
Proof. by rewrite /T_total -lock dot_total. Qed.

Lemma dual_bcast G (da : 'M[R]_1) : ⟨G, T_bcast da⟩ = ⟨total G, da⟩.
Proof. by rewrite /T_bcast -lock dot_bcast. Qed.

End SameShape.

Definition T_mul m k n (A dA : 'M[R]_(m, k)) (B dB : 'M[R]_(k, n)) :=
  locked (dA *m B + A *m dB).

Lemma dual_mul m k n (G : 'M[R]_(m, n)) (A dA : 'M[R]_(m, k))
    (B dB : 'M[R]_(k, n)) :
  ⟨G, T_mul A dA B dB⟩ = ⟨G *m B^T, dA⟩ + ⟨A^T *m G, dB⟩.
Proof. by rewrite /T_mul -lock dotDr dot_mull dot_mulr. Qed.

Definition T_col m1 m2 n (dA : 'M[R]_(m1, n)) (dB : 'M[R]_(m2, n)) :=
  locked (col_mx dA dB).

Lemma dual_col m1 m2 n (G : 'M[R]_(m1 + m2, n)) (dA : 'M[R]_(m1, n))
    (dB : 'M[R]_(m2, n)) :
  ⟨G, T_col dA dB⟩ = ⟨usubmx G, dA⟩ + ⟨dsubmx G, dB⟩.
Proof. by rewrite /T_col -lock dot_col. Qed.

Definition T_restack p q n (e : p = q) (dA : 'M[R]_(p, n)) := locked (restack e dA).

Lemma dual_restack p q n (e : p = q) (G : 'M[R]_(q, n)) (dA : 'M[R]_(p, n)) :
  ⟨G, T_restack e dA⟩ = ⟨restack (esym e) G, dA⟩.
Proof. by rewrite /T_restack -lock dot_restack. Qed.

(* the logarithm of the sum of exponentials; S the value of the softmax *)
Definition T_lse m n (S dA : 'M[R]_(m, n)) : 'M[R]_1 := locked (total (S .* dA)).

Lemma dual_lse m n (g : 'M[R]_1) (S dA : 'M[R]_(m, n)) :
  ⟨g, T_lse S dA⟩ = ⟨bcast m n g .* S, dA⟩.
Proof. by rewrite /T_lse -lock dot_total dot_had. Qed.

Definition T_usub m1 m2 n (dA : 'M[R]_(m1 + m2, n)) := locked (usubmx dA).
Definition T_dsub m1 m2 n (dA : 'M[R]_(m1 + m2, n)) := locked (dsubmx dA).

Lemma dual_usub m1 m2 n (G : 'M[R]_(m1, n)) (dA : 'M[R]_(m1 + m2, n)) :
  ⟨G, T_usub dA⟩ = ⟨col_mx G 0, dA⟩.
Proof. by rewrite /T_usub -lock dot_usub. Qed.

Lemma dual_dsub m1 m2 n (G : 'M[R]_(m2, n)) (dA : 'M[R]_(m1 + m2, n)) :
  ⟨G, T_dsub dA⟩ = ⟨col_mx 0 G, dA⟩.
Proof. by rewrite /T_dsub -lock dot_dsub. Qed.

End Tangents.

Arguments T_zero {R m n}.
Arguments T_bcast {R} m n da.

Definition duals := (dual_zero, dual_add, dual_sub, dual_opp, dual_scale,
  dual_had, dual_map, dual_softmax, dual_lse, dual_tr, dual_total, dual_bcast, dual_mul,
  dual_col, dual_restack, dual_usub, dual_dsub).

(* The definitions behind the marks, for comparing a tangent as derived with  *)
(* the tangent operation by operation. The marks are locked: `rewrite      *)
(* duals' must not see a mark where there is none.                            *)
Section Unfolding.
Variable R : realType.
Variables m k n : nat.
Implicit Types A B S D dA dB : 'M[R]_(m, n).

Lemma T_zeroE : T_zero = 0 :> 'M[R]_(m, n). Proof. by rewrite /T_zero -lock. Qed.
Lemma T_addE dA dB : T_add dA dB = dA + dB. Proof. by rewrite /T_add -lock. Qed.
Lemma T_subE dA dB : T_sub dA dB = dA - dB. Proof. by rewrite /T_sub -lock. Qed.
Lemma T_oppE dA : T_opp dA = - dA. Proof. by rewrite /T_opp -lock. Qed.
Lemma T_scaleE (c : R) dA : T_scale c dA = c *: dA. Proof. by rewrite /T_scale -lock. Qed.
Lemma T_hadE A dA B dB : T_had A dA B dB = dA .* B + A .* dB.
Proof. by rewrite /T_had -lock. Qed.
Lemma T_mapE D dA : T_map D dA = D .* dA. Proof. by rewrite /T_map -lock. Qed.
Lemma T_softmaxE S dA :
  T_softmax S dA = S .* (dA - bcast m n (total (S .* dA))).
Proof. by rewrite /T_softmax -lock. Qed.
Lemma T_lseE S dA : T_lse S dA = total (S .* dA).
Proof. by rewrite /T_lse -lock. Qed.
Lemma T_trE dA : T_tr dA = dA^T. Proof. by rewrite /T_tr -lock. Qed.
Lemma T_totalE dA : T_total dA = total dA. Proof. by rewrite /T_total -lock. Qed.
Lemma T_bcastE (da : 'M[R]_1) : T_bcast m n da = bcast m n da.
Proof. by rewrite /T_bcast -lock. Qed.
Lemma T_mulE (A dA : 'M[R]_(m, k)) (B dB : 'M[R]_(k, n)) :
  T_mul A dA B dB = dA *m B + A *m dB.
Proof. by rewrite /T_mul -lock. Qed.
Lemma T_colE (dA : 'M[R]_(m, n)) (dB : 'M[R]_(k, n)) :
  T_col dA dB = col_mx dA dB.
Proof. by rewrite /T_col -lock. Qed.
Lemma T_restackE (e : m = k) dA : T_restack e dA = restack e dA.
Proof. by rewrite /T_restack -lock. Qed.

End Unfolding.

Definition unmarked := (T_zeroE, T_addE, T_subE, T_oppE, T_scaleE, T_hadE,
  T_mapE, T_softmaxE, T_lseE, T_trE, T_totalE, T_bcastE, T_mulE, T_colE, T_restackE).
