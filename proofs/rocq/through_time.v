(* From the duality of one step to the gradient of a whole sequence.          *)
(* A step t < T makes a state from the states of the steps t-1, ..., t-d, the *)
(* parameters and the inputs. The adjoint of what it makes is the gradient of *)
(* its own loss plus what the later steps send back:                          *)
(*   s_t = g_t + sent back by step t+1 (lag 1) + ... + by step t+d (lag d)    *)
(* and nothing is sent back by steps at T or after (`before').                *)
From mathcomp Require Import all_ssreflect all_algebra.
From throughtime Require Import hadamard.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* What step t sends back: nothing if there is no step t. *)
Definition before (V : zmodType) (T t : nat) (A : V) : V :=
  if (t < T)%N then A else 0.

Section Before.
Variables (R : comRingType) (m n : nat).
Implicit Types A B : 'M[R]_(m, n).

Lemma dot_before T t A B : ⟨before T t A, B⟩ = before T t ⟨A, B⟩.
Proof. by rewrite /before; case: ifP => // _; rewrite dot0l. Qed.

Lemma dot_add A B G a b : ⟨A, G⟩ = a -> ⟨B, G⟩ = b -> ⟨A + B, G⟩ = a + b.
Proof. by rewrite dotDl => -> ->. Qed.

End Before.

Lemma before_lt (V : zmodType) T t (A : V) : (t < T)%N -> before T t A = A.
Proof. by rewrite /before => ->. Qed.

Lemma before_ge (V : zmodType) T t (A : V) : (T <= t)%N -> before T t A = 0.
Proof. by rewrite /before ltnNge => ->. Qed.

Section Telescope.
Variable V : zmodType.

Lemma sum_add T (F G : 'I_T -> V) a b : \sum_(t < T) F t = a ->
  \sum_(t < T) G t = b -> \sum_(t < T) (F t + G t) = a + b.
Proof. by rewrite big_split => -> ->. Qed.

Lemma sum_shift (f : nat -> V) T k : (forall t, (T <= t)%N -> f t = 0) ->
  \sum_(t < T) f t = \sum_(t < T) f (k + t)%N + \sum_(t < k) f t.
Proof.
move=> f0; have e : \sum_(t < T) f t = \sum_(t < T + k) f t.
  rewrite big_split_ord /= [X in _ = _ + X]big1 ?addr0 // => i _.
  by rewrite f0 ?leq_addr.
by rewrite e addnC big_split_ord /= addrC.
Qed.

(* a t     ⟨adjoint, tangent⟩ of the state made by step t                     *)
(* c k t   ⟨sent back by step t to step t-k-1, tangent of the state there⟩    *)
(* q t     the same for the parameters and inputs of step t                   *)
(* g t     the derivative of the loss of step t                               *)
Theorem telescope (d T : nat) (a g q : nat -> V) (c : nat -> nat -> V) :
  (forall t, (t < T)%N -> a t = \sum_(k < d) c k t + q t) ->
  (forall t, (t < T)%N -> a t = g t + \sum_(k < d) c k (k.+1 + t)%N) ->
  (forall k t, (T <= t)%N -> c k t = 0) ->
  \sum_(t < T) g t =
  \sum_(t < T) q t + \sum_(k < d) \sum_(t < k.+1) c k t.
Proof.
move=> step adj past; set X := \sum_(t < T) \sum_(k < d) c k (k.+1 + t)%N.
apply: (addIr X); rewrite -big_split /=.
transitivity (\sum_(t < T) a t).
  by apply: eq_bigr => t _; rewrite -adj.
transitivity (\sum_(t < T) (\sum_(k < d) c k t + q t)).
  by apply: eq_bigr => t _; rewrite -step.
rewrite big_split /= [LHS]addrC -addrA; congr (_ + _).
rewrite /X exchange_big [in RHS]exchange_big -big_split /=.
apply: eq_bigr => k _; rewrite addrC; apply: sum_shift => t; exact: past.
Qed.

End Telescope.

(* Sequences with the demanded recurrences exist. Forward: the value at step  *)
(* t.+1 is a function of the value at step t. Backward: the value at t is a   *)
(* function of the values after t.                                            *)
Section Existence.
Variable C : Type.

Lemma forward_exists (start : C) (F : nat -> C -> C) :
  exists c : nat -> C, c 0%N = start /\ forall t, c t.+1 = F t (c t).
Proof.
by exists (fix c t := if t is u.+1 then F u (c u) else start).
Qed.

Lemma backward_exists (past : C) (T : nat) (F : nat -> (nat -> C) -> C) :
  (forall t c c', (forall u, (t < u)%N -> c u = c' u) -> F t c = F t c') ->
  exists c : nat -> C, (forall t, (T <= t)%N -> c t = past) /\
    forall t, (t < T)%N -> c t = F t c.
Proof.
move=> later; elim: T F later => [|T IH] F later.
  by exists (fun=> past); split.
have [|c [c_past c_step]] := IH (fun t b => F t.+1 (fun u => b u.-1)).
  move=> t c c' cc'; apply: later => -[//|u]; rewrite ltnS => tu /=.
  exact: cc'.
pose b t := if t is u.+1 then c u else F 0%N (fun u => c u.-1).
exists b; split=> -[//|t]; rewrite ltnS => tT /=.
- exact: c_past.
- by apply: later => -[].
- by rewrite c_step //; apply: later => -[].
Qed.

End Existence.
