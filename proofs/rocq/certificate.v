(* What a generated certificate imports, and the tactics that it calls.       *)
From mathcomp Require Export all_ssreflect all_algebra.
From mathcomp Require Export reals sequences exp trigo ring.
From throughtime Require Export hadamard mxring tangents functions curves.
From throughtime Require Export through_time.

(* compare names values: equality of two derived expressions. `names' unfolds *)
(* the equations under comparison; the values of the forward pass are opened  *)
(* by `values', only if the comparison does not succeed without. `atoms' makes *)
(* variables of all that is left, so that no tactic looks inside.             *)
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Ltac compare names values atoms :=
  solve [ names; rewrite ?unmarked; unfold_derivatives; atoms; mx_ring
        | names; rewrite ?unmarked; values; unfold_derivatives; atoms; mx_ring ].

(* 1/k for a size k, as in means: one term for it, whatever stands around it. *)
Definition inverse (R : realType) (k : nat) : R := k%:R^-1.

(* Adding up equations of real numbers, one by one. *)
Lemma eq_add (R : realType) (a b c d : R) : a = b -> c = d -> a + c = b + d.
Proof. by move=> -> ->. Qed.
