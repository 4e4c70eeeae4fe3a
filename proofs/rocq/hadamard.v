(* Elementwise product and inner product of matrices over a commutative ring. *)
(*   A .* B        elementwise (Hadamard) product                             *)
(*   ⟨A, B⟩       inner product \sum_i \sum_j A i j * B i j                  *)
(*   emap f A      f applied to every entry                                   *)
(*   total A       the sum of the entries, as a 1 x 1 matrix                  *)
(*   bcast a       a 1 x 1 matrix spread over a matrix of any shape           *)
(*   restack e A   the rows of A, whose number e : p = q is written anew as q *)
(* The lemmas dot_* move a linear map from one side of the inner product to   *)
(* the other: they are the adjoint rules, one per operation of the language.  *)
(* total and bcast are locked, so that `rewrite' does not see constant        *)
(* matrices in them.                                                          *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Reserved Notation "A .* B" (at level 40, left associativity).
Reserved Notation "⟨ A , B ⟩" (at level 0, format "⟨ A ,  B ⟩").

Section Definitions.
Variable R : ringType.
Implicit Types m n : nat.

Definition had m n (A B : 'M[R]_(m, n)) : 'M[R]_(m, n) :=
  \matrix_(i, j) (A i j * B i j).

Definition dot m n (A B : 'M[R]_(m, n)) : R := \sum_i \sum_j A i j * B i j.

Definition emap (f : R -> R) m n (A : 'M[R]_(m, n)) : 'M[R]_(m, n) :=
  \matrix_(i, j) f (A i j).

Definition total m n (A : 'M[R]_(m, n)) : 'M[R]_1 :=
  locked (const_mx (\sum_i \sum_j A i j)).

Definition bcast m n (a : 'M[R]_1) : 'M[R]_(m, n) := locked (const_mx (a 0 0)).

Definition epow m n (A : 'M[R]_(m, n)) (k : nat) : 'M[R]_(m, n) :=
  emap (fun a => a ^+ k) A.

Definition restack p q n (e : p = q) (A : 'M[R]_(p, n)) : 'M[R]_(q, n) :=
  castmx (e, erefl n) A.

End Definitions.

Notation "A .* B" := (had A B) : ring_scope.
Notation "⟨ A , B ⟩" := (dot A B) : ring_scope.

(* Entries: the rewriting base of the tactic of mxring.v. The matrix product  *)
(* is absent on purpose: its entries stay whole.                              *)
Section Entries.
Variable R : ringType.
Variables m n : nat.
Implicit Types A B : 'M[R]_(m, n).

Lemma entriesP A B : (forall i j, A i j = B i j) -> A = B.
Proof. by move=> AB; apply/matrixP. Qed.
Lemma add_entry A B i j : (A + B) i j = A i j + B i j.
Proof. by rewrite mxE. Qed.
Lemma opp_entry A i j : (- A) i j = - A i j.
Proof. by rewrite mxE. Qed.
Lemma zero_entry i j : (0 : 'M[R]_(m, n)) i j = 0.
Proof. by rewrite mxE. Qed.
Lemma scale_entry (k : R) A i j : (k *: A) i j = k * A i j.
Proof. by rewrite mxE. Qed.
Lemma muln_entry A k i j : (A *+ k) i j = A i j *+ k.
Proof. by elim: k => [|k IH]; rewrite ?mulr0n ?mxE // !mulrS mxE IH. Qed.
Lemma had_entry A B i j : (A .* B) i j = A i j * B i j.
Proof. by rewrite mxE. Qed.
Lemma emap_entry f A i j : (emap f A) i j = f (A i j).
Proof. by rewrite mxE. Qed.
Lemma epow_entry A k i j : (epow A k) i j = A i j ^+ k.
Proof. by rewrite mxE. Qed.
Lemma const_entry (k : R) i j : (const_mx k : 'M_(m, n)) i j = k.
Proof. by rewrite mxE. Qed.
Lemma total_entry A i j : total A i j = \sum_k \sum_l A k l.
Proof. by rewrite /total -lock mxE. Qed.
Lemma bcast_entry (a : 'M[R]_1) i j : (bcast m n a) i j = a 0 0.
Proof. by rewrite /bcast -lock mxE. Qed.
Lemma tr_entry (A : 'M[R]_(m, n)) i j : A^T i j = A j i.
Proof. by rewrite mxE. Qed.

End Entries.

Lemma usub_entry (R : ringType) m1 m2 n (A : 'M[R]_(m1 + m2, n)) i j :
  usubmx A i j = A (lshift m2 i) j.
Proof. by rewrite mxE. Qed.
Lemma dsub_entry (R : ringType) m1 m2 n (A : 'M[R]_(m1 + m2, n)) i j :
  dsubmx A i j = A (rshift m1 i) j.
Proof. by rewrite mxE. Qed.

Lemma restack_entry (R : ringType) p q n (e : p = q) (A : 'M[R]_(p, n)) i j :
  restack e A i j = A (cast_ord (esym e) i) j.
Proof. by rewrite castmxE cast_ord_id. Qed.

Section Dot.
Variable R : comRingType.

Section SameShape.
Variables m n : nat.
Implicit Types A B G : 'M[R]_(m, n).

Lemma dotC A B : ⟨A, B⟩ = ⟨B, A⟩.
Proof. by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite mulrC. Qed.

Lemma dotDr G A B : ⟨G, A + B⟩ = ⟨G, A⟩ + ⟨G, B⟩.
Proof.
rewrite -big_split; apply: eq_bigr => i _; rewrite -big_split.
by apply: eq_bigr => j _; rewrite mxE mulrDr.
Qed.

Lemma dotDl A B G : ⟨A + B, G⟩ = ⟨A, G⟩ + ⟨B, G⟩.
Proof. by rewrite dotC dotDr !(dotC G). Qed.

Lemma dotZr (k : R) G A : ⟨G, k *: A⟩ = ⟨k *: G, A⟩.
Proof.
apply: eq_bigr => i _; apply: eq_bigr => j _.
by rewrite !mxE mulrCA mulrA.
Qed.

Lemma dotZl (k : R) A G : ⟨k *: A, G⟩ = k * ⟨A, G⟩.
Proof.
rewrite /dot mulr_sumr; apply: eq_bigr => i _; rewrite mulr_sumr.
by apply: eq_bigr => j _; rewrite !mxE mulrA.
Qed.

Lemma dotNl A G : ⟨- A, G⟩ = - ⟨A, G⟩.
Proof. by rewrite -scaleN1r dotZl mulN1r. Qed.

Lemma dotNr G A : ⟨G, - A⟩ = ⟨- G, A⟩.
Proof. by rewrite dotC !dotNl dotC. Qed.

Lemma dot0l G : ⟨0, G⟩ = 0.
Proof. by rewrite -(scale0r 0) dotZl mul0r. Qed.

Lemma dot0r G : ⟨G, 0⟩ = 0.
Proof. by rewrite dotC dot0l. Qed.

Lemma dot_suml (I : Type) (r : seq I) (P : pred I) (F : I -> 'M[R]_(m, n)) G :
  ⟨\sum_(i <- r | P i) F i, G⟩ = \sum_(i <- r | P i) ⟨F i, G⟩.
Proof.
apply: (big_morph (fun A => ⟨A, G⟩)); [exact: (fun A B => dotDl A B G) | exact: dot0l].
Qed.

Lemma dot_had G A B : ⟨G, A .* B⟩ = ⟨G .* A, B⟩.
Proof.
by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite !mxE mulrA.
Qed.

Lemma hadC A B : A .* B = B .* A.
Proof. by apply/matrixP => i j; rewrite !mxE mulrC. Qed.

Lemma dot_hadl G A B : ⟨G, A .* B⟩ = ⟨G .* B, A⟩.
Proof. by rewrite hadC dot_had. Qed.

End SameShape.

Lemma dot_tr m n (G : 'M[R]_(n, m)) (A : 'M[R]_(m, n)) : ⟨G, A^T⟩ = ⟨G^T, A⟩.
Proof.
rewrite /dot exchange_big; apply: eq_bigr => i _; apply: eq_bigr => j _.
by rewrite !mxE.
Qed.

Lemma dot_mulr m k n (G : 'M[R]_(m, n)) (A : 'M[R]_(m, k)) (B : 'M[R]_(k, n)) :
  ⟨G, A *m B⟩ = ⟨A^T *m G, B⟩.
Proof.
rewrite /dot.
under eq_bigr do under eq_bigr do rewrite mxE mulr_sumr.
under [RHS]eq_bigr do under eq_bigr do rewrite mxE mulr_suml.
under eq_bigr do rewrite exchange_big.
rewrite exchange_big; apply: eq_bigr => l _.
under [RHS]eq_bigr do under eq_bigr do rewrite mxE.
rewrite exchange_big; apply: eq_bigr => j _; apply: eq_bigr => i _.
by rewrite mulrCA mulrA.
Qed.

Lemma dot_mull m k n (G : 'M[R]_(m, n)) (A : 'M[R]_(m, k)) (B : 'M[R]_(k, n)) :
  ⟨G, A *m B⟩ = ⟨G *m B^T, A⟩.
Proof.
by rewrite -[A *m B]trmxK dot_tr trmx_mul dot_mulr trmxK dotC -dot_tr dotC
  trmx_mul trmxK.
Qed.

Lemma dot_col m1 m2 n (G : 'M[R]_(m1 + m2, n)) (A : 'M[R]_(m1, n))
    (B : 'M[R]_(m2, n)) :
  ⟨G, col_mx A B⟩ = ⟨usubmx G, A⟩ + ⟨dsubmx G, B⟩.
Proof.
rewrite /dot big_split_ord /=; congr (_ + _).
  by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite col_mxEu mxE.
by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite col_mxEd mxE.
Qed.

Lemma dot_usub m1 m2 n (G : 'M[R]_(m1, n)) (A : 'M[R]_(m1 + m2, n)) :
  ⟨G, usubmx A⟩ = ⟨col_mx G 0, A⟩.
Proof. by rewrite [RHS]dotC dot_col dot0r addr0 dotC. Qed.

Lemma dot_dsub m1 m2 n (G : 'M[R]_(m2, n)) (A : 'M[R]_(m1 + m2, n)) :
  ⟨G, dsubmx A⟩ = ⟨col_mx 0 G, A⟩.
Proof. by rewrite [RHS]dotC dot_col dot0r add0r dotC. Qed.

Lemma dot_restack p q n (e : p = q) (G : 'M[R]_(q, n)) (A : 'M[R]_(p, n)) :
  ⟨G, restack e A⟩ = ⟨restack (esym e) G, A⟩.
Proof. by case: q / e G => G; rewrite /restack !castmx_id. Qed.

Lemma dot11 (a b : 'M[R]_1) : ⟨a, b⟩ = a 0 0 * b 0 0.
Proof. by rewrite /dot !big_ord1. Qed.

Lemma dot_total m n (g : 'M[R]_1) (A : 'M[R]_(m, n)) :
  ⟨g, total A⟩ = ⟨bcast m n g, A⟩.
Proof.
rewrite dot11 total_entry mulr_sumr; apply: eq_bigr => i _; rewrite mulr_sumr.
by apply: eq_bigr => j _; rewrite bcast_entry.
Qed.

Lemma dot_bcast m n (G : 'M[R]_(m, n)) (a : 'M[R]_1) :
  ⟨G, bcast m n a⟩ = ⟨total G, a⟩.
Proof. by rewrite dotC -dot_total dotC. Qed.

Lemma total_had m n (A B : 'M[R]_(m, n)) : total (A .* B) = const_mx ⟨A, B⟩.
Proof.
apply/matrixP => i j; rewrite total_entry const_entry.
by apply: eq_bigr => k _; apply: eq_bigr => l _; rewrite had_entry.
Qed.

End Dot.
