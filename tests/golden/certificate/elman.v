(* Certificate: the gradient of elman through time. *)
From throughtime Require Import certificate.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Certificate.
Variable R : realType.
Variables m n : nat.

(* What a step reads: parameters, inputs, and values of earlier steps. *)
Record vars := Vars {
  W : 'M[R]_(n, n);
  U : 'M[R]_(n, m);
  b : 'M[R]_(n, 1);
  x : 'M[R]_(m, 1);
  h_1 : 'M[R]_(n, 1) }.

(* The step. *)
Definition a_h (pt : vars) : 'M[R]_(n, 1) :=
  (((W pt *m h_1 pt) + (U pt *m x pt)) + b pt).
Definition h (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@tanh R) (a_h pt)).

(* Its tangent, as derived. *)
Definition a_h_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((W dir *m h_1 pt) + (W pt *m h_1 dir)) + (U dir *m x pt)) + (U pt *m x dir)) + b dir).
Definition h_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((const_mx 1 : 'M[R]_(n, 1)) - (epow (h pt) 2)) .* a_h_dot pt dir).

(* What arrives at a step from its loss and from later steps. *)
Record incoming := Incoming {
  h_in : 'M[R]_(n, 1) }.

(* The backward equations, as derived. *)
Definition h_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  h_in inc.
Definition a_h_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (h_bar pt inc .* ((const_mx 1 : 'M[R]_(n, 1)) - (epow (h pt) 2))).
Definition W_bar (pt : vars) (inc : incoming) : 'M[R]_(n, n) :=
  (a_h_bar pt inc *m (h_1 pt)^T).
Definition U_bar (pt : vars) (inc : incoming) : 'M[R]_(n, m) :=
  (a_h_bar pt inc *m (x pt)^T).
Definition b_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  a_h_bar pt inc.
Definition x_bar (pt : vars) (inc : incoming) : 'M[R]_(m, 1) :=
  ((U pt)^T *m a_h_bar pt inc).
Definition h_1_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  ((W pt)^T *m a_h_bar pt inc).

Ltac generic_tangents pt dir :=
  generalize (a_h_dot pt dir);
  generalize (h_dot pt dir);
  generalize (a_h pt);
  generalize (h pt);
  generalize (W dir);
  generalize (U dir);
  generalize (b dir);
  generalize (x dir);
  generalize (h_1 dir);
  generalize (W pt);
  generalize (U pt);
  generalize (b pt);
  generalize (x pt);
  generalize (h_1 pt); intros.

Ltac generic_adjoints pt inc :=
  generalize (a_h_bar pt inc);
  generalize (h_bar pt inc);
  generalize (a_h pt);
  generalize (h pt);
  generalize (h_in inc);
  generalize (W pt);
  generalize (U pt);
  generalize (b pt);
  generalize (x pt);
  generalize (h_1 pt); intros.

(* Each tangent is the one made operation by operation. *)
Lemma a_h_dotE pt dir : a_h_dot pt dir =
  (T_add (T_add (T_mul (W pt) (W dir) (h_1 pt) (h_1 dir)) (T_mul (U pt) (U dir) (x pt) (x dir))) (b dir)).
Proof. by compare ltac:(rewrite /a_h_dot) ltac:(rewrite /h) ltac:(generic_tangents pt dir). Qed.
Lemma h_dotE pt dir : h_dot pt dir =
  (T_map (d_tanh (h pt)) (a_h_dot pt dir)).
Proof. by compare ltac:(rewrite /h_dot) ltac:(rewrite /h) ltac:(generic_tangents pt dir). Qed.

(* Each adjoint is the sum of what the lines below it send. *)
Lemma a_h_barE pt inc : a_h_bar pt inc =
  ((h_bar pt inc) .* (d_tanh (h pt))).
Proof. by compare ltac:(rewrite /a_h_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.
Lemma h_barE pt inc : h_bar pt inc =
  h_in inc.
Proof. by compare ltac:(rewrite /h_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.
Lemma W_barE pt inc : W_bar pt inc =
  ((a_h_bar pt inc) *m (h_1 pt)^T).
Proof. by compare ltac:(rewrite /W_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.
Lemma U_barE pt inc : U_bar pt inc =
  ((a_h_bar pt inc) *m (x pt)^T).
Proof. by compare ltac:(rewrite /U_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.
Lemma b_barE pt inc : b_bar pt inc =
  (a_h_bar pt inc).
Proof. by compare ltac:(rewrite /b_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.
Lemma x_barE pt inc : x_bar pt inc =
  ((U pt)^T *m (a_h_bar pt inc)).
Proof. by compare ltac:(rewrite /x_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.
Lemma h_1_barE pt inc : h_1_bar pt inc =
  ((W pt)^T *m (a_h_bar pt inc)).
Proof. by compare ltac:(rewrite /h_1_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.

(* A curve of everything that a step reads. *)
Record tangent_at (curve : R -> vars) (e0 : R) (dir : vars) : Prop := TangentAt {
  at_W : deriv_mx (fun eps => W (curve eps)) e0 (W dir);
  at_U : deriv_mx (fun eps => U (curve eps)) e0 (U dir);
  at_b : deriv_mx (fun eps => b (curve eps)) e0 (b dir);
  at_x : deriv_mx (fun eps => x (curve eps)) e0 (x dir);
  at_h_1 : deriv_mx (fun eps => h_1 (curve eps)) e0 (h_1 dir) }.

(* Theorem 2: the tangents are derivatives. *)
Theorem tangents (curve : R -> vars) e0 dir :
  tangent_at curve e0 dir ->
  deriv_mx (fun eps => a_h (curve eps)) e0 (a_h_dot (curve e0) dir) /\
  deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
Proof.
move=> ok.
have D_a_h_ : deriv_mx (fun eps => a_h (curve eps)) e0 (a_h_dot (curve e0) dir).
  rewrite a_h_dotE; exact: (curve_add (curve_add (curve_mul (at_W ok) (at_h_1 ok)) (curve_mul (at_U ok) (at_x ok))) (at_b ok)).
have D_h_ : deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
  rewrite h_dotE; exact: (curve_tanh D_a_h_).
exact: (conj D_a_h_ D_h_).
Qed.
Lemma h_curve (curve : R -> vars) e0 dir : tangent_at curve e0 dir ->
  deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
Proof. by move=> ok; have := tangents ok; move=> [_ H_]. Qed.

(* Each line, from its adjoint to what it reads. *)
Lemma a_h_line pt dir G_ : ⟨G_, a_h_dot pt dir⟩ =
  ⟨(G_ *m (h_1 pt)^T), W dir⟩ + ⟨((W pt)^T *m G_), h_1 dir⟩ + ⟨(G_ *m (x pt)^T), U dir⟩ + ⟨((U pt)^T *m G_), x dir⟩ + ⟨G_, b dir⟩.
Proof. by rewrite a_h_dotE ?duals ?addr0 ?add0r ?addrA. Qed.
Lemma h_line pt dir G_ : ⟨G_, h_dot pt dir⟩ =
  ⟨(G_ .* (d_tanh (h pt))), a_h_dot pt dir⟩.
Proof. by rewrite h_dotE ?duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_h_bar_sum pt inc X_ : ⟨a_h_bar pt inc, X_⟩ =
  ⟨((h_bar pt inc) .* (d_tanh (h pt))), X_⟩.
Proof. by rewrite a_h_barE ?dotDl ?dot0l. Qed.
Lemma h_bar_sum pt inc X_ : ⟨h_bar pt inc, X_⟩ =
  ⟨h_in inc, X_⟩.
Proof. by rewrite h_barE ?dotDl ?dot0l. Qed.
Lemma W_bar_sum pt inc X_ : ⟨W_bar pt inc, X_⟩ =
  ⟨((a_h_bar pt inc) *m (h_1 pt)^T), X_⟩.
Proof. by rewrite W_barE ?dotDl ?dot0l. Qed.
Lemma U_bar_sum pt inc X_ : ⟨U_bar pt inc, X_⟩ =
  ⟨((a_h_bar pt inc) *m (x pt)^T), X_⟩.
Proof. by rewrite U_barE ?dotDl ?dot0l. Qed.
Lemma b_bar_sum pt inc X_ : ⟨b_bar pt inc, X_⟩ =
  ⟨(a_h_bar pt inc), X_⟩.
Proof. by rewrite b_barE ?dotDl ?dot0l. Qed.
Lemma x_bar_sum pt inc X_ : ⟨x_bar pt inc, X_⟩ =
  ⟨((U pt)^T *m (a_h_bar pt inc)), X_⟩.
Proof. by rewrite x_barE ?dotDl ?dot0l. Qed.
Lemma h_1_bar_sum pt inc X_ : ⟨h_1_bar pt inc, X_⟩ =
  ⟨((W pt)^T *m (a_h_bar pt inc)), X_⟩.
Proof. by rewrite h_1_barE ?dotDl ?dot0l. Qed.

(* Theorem 1: the backward equations are the adjoint of the tangent equations. *)
Theorem duality pt dir inc :
  ⟨h_in inc, h_dot pt dir⟩ =
  ⟨W_bar pt inc, W dir⟩ + ⟨U_bar pt inc, U dir⟩ + ⟨b_bar pt inc, b dir⟩ + ⟨x_bar pt inc, x dir⟩ + ⟨h_1_bar pt inc, h_1 dir⟩.
Proof.
have L_ : ⟨a_h_bar pt inc, a_h_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩ =
  (⟨((a_h_bar pt inc) *m (h_1 pt)^T), W dir⟩ + ⟨((W pt)^T *m (a_h_bar pt inc)), h_1 dir⟩ + ⟨((a_h_bar pt inc) *m (x pt)^T), U dir⟩ + ⟨((U pt)^T *m (a_h_bar pt inc)), x dir⟩ + ⟨(a_h_bar pt inc), b dir⟩) + (⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩) :=
  (eq_add (a_h_line pt dir (a_h_bar pt inc)) (h_line pt dir (h_bar pt inc))).
have A_ : ⟨a_h_bar pt inc, a_h_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩ =
  (⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩) + (⟨h_in inc, h_dot pt dir⟩) :=
  (eq_add (a_h_bar_sum pt inc (a_h_dot pt dir)) (h_bar_sum pt inc (h_dot pt dir))).
have U_ : ⟨W_bar pt inc, W dir⟩ + ⟨U_bar pt inc, U dir⟩ + ⟨b_bar pt inc, b dir⟩ + ⟨x_bar pt inc, x dir⟩ + ⟨h_1_bar pt inc, h_1 dir⟩ =
  (⟨((a_h_bar pt inc) *m (h_1 pt)^T), W dir⟩) + (⟨((a_h_bar pt inc) *m (x pt)^T), U dir⟩) + (⟨(a_h_bar pt inc), b dir⟩) + (⟨((U pt)^T *m (a_h_bar pt inc)), x dir⟩) + (⟨((W pt)^T *m (a_h_bar pt inc)), h_1 dir⟩) :=
  (eq_add (eq_add (eq_add (eq_add (W_bar_sum pt inc (W dir)) (U_bar_sum pt inc (U dir))) (b_bar_sum pt inc (b dir))) (x_bar_sum pt inc (x dir))) (h_1_bar_sum pt inc (h_1 dir))).
apply: (addIr (⟨a_h_bar pt inc, a_h_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩)).
transitivity (⟨h_in inc, h_dot pt dir⟩ + ((⟨((a_h_bar pt inc) *m (h_1 pt)^T), W dir⟩ + ⟨((W pt)^T *m (a_h_bar pt inc)), h_1 dir⟩ + ⟨((a_h_bar pt inc) *m (x pt)^T), U dir⟩ + ⟨((U pt)^T *m (a_h_bar pt inc)), x dir⟩ + ⟨(a_h_bar pt inc), b dir⟩) + (⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩))); first exact: eq_add erefl L_.
transitivity (((⟨((a_h_bar pt inc) *m (h_1 pt)^T), W dir⟩) + (⟨((a_h_bar pt inc) *m (x pt)^T), U dir⟩) + (⟨(a_h_bar pt inc), b dir⟩) + (⟨((U pt)^T *m (a_h_bar pt inc)), x dir⟩) + (⟨((W pt)^T *m (a_h_bar pt inc)), h_1 dir⟩)) + ((⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩) + (⟨h_in inc, h_dot pt dir⟩))); last exact: esym (eq_add U_ A_).
clear L_ A_ U_.
generalize ⟨((a_h_bar pt inc) *m (h_1 pt)^T), W dir⟩;
generalize ⟨((W pt)^T *m (a_h_bar pt inc)), h_1 dir⟩;
generalize ⟨((a_h_bar pt inc) *m (x pt)^T), U dir⟩;
generalize ⟨((U pt)^T *m (a_h_bar pt inc)), x dir⟩;
generalize ⟨(a_h_bar pt inc), b dir⟩;
generalize ⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩;
generalize ⟨h_in inc, h_dot pt dir⟩;
intros.
by ring.
Qed.

(* A run: parameters shared by all steps, each step reads what earlier ones made. *)
Record run (pt : nat -> R -> vars) : Prop := Run {
  run_W : forall t eps, W (pt t eps) = W (pt 0%N eps);
  run_U : forall t eps, U (pt t eps) = U (pt 0%N eps);
  run_b : forall t eps, b (pt t eps) = b (pt 0%N eps);
  run_h_1 : forall t eps, h_1 (pt t.+1 eps) = h (pt t eps) }.

(* How parameters, inputs and initial values move along the curve. *)
Record moves (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars) : Prop := Moves {
  moves_W : deriv_mx (fun eps => W (pt 0%N eps)) e0 (W (dir 0%N));
  moves_U : deriv_mx (fun eps => U (pt 0%N eps)) e0 (U (dir 0%N));
  moves_b : deriv_mx (fun eps => b (pt 0%N eps)) e0 (b (dir 0%N));
  moves_x : forall t, deriv_mx (fun eps => x (pt t eps)) e0 (x (dir t));
  moves_h_1 : deriv_mx (fun eps => h_1 (pt 0%N eps)) e0 (h_1 (dir 0%N)) }.

(* slope is the gradient of the loss at a point: along every curve through it. *)
Definition loss_gradient (loss : 'M[R]_(n, 1) -> R) (pt : vars) (slope : incoming) : Prop :=
  forall (e0 : R) (c0_ : R -> 'M[R]_(n, 1)) (d0_ : 'M[R]_(n, 1)),
  c0_ e0 = h pt -> deriv_mx c0_ e0 d0_ ->
  deriv (fun eps => loss (c0_ eps)) e0 (⟨h_in slope, d0_⟩).

(* The adjoints of a run of T steps: own loss, and what later steps send back. *)
Record adjoints (T : nat) (pt : nat -> vars) (slope inc : nat -> incoming) : Prop := Adjoints {
  sent_h : forall t, (t < T)%N -> h_in (inc t) =
    h_in (slope t) +
    before T t.+1 (h_1_bar (pt t.+1) (inc t.+1)) }.

(* Runs exist: whatever parameters, inputs and initial values are given. *)
Fixpoint through (given : nat -> R -> vars) (eps : R) (t : nat) : vars :=
  if t is t_.+1 then let pt := through given eps t_ in Vars
    (W (given 0%N eps))
    (U (given 0%N eps))
    (b (given 0%N eps))
    (x (given t eps))
    (h pt)
  else given 0%N eps.

Theorem run_exists (given : nat -> R -> vars) :
  run (fun t eps => through given eps t).
Proof.
split.
- by case.
- by case.
- by case.
- by [].
Qed.

(* Adjoints exist: from the last step back to the first. *)
Theorem adjoints_exist T (pt : nat -> vars) (slope : nat -> incoming) :
  exists inc, adjoints T pt slope inc.
Proof.
pose back_ (t : nat) (inc : nat -> incoming) := Incoming
  (h_in (slope t) + before T t.+1 (h_1_bar (pt t.+1) (inc t.+1))).
have later_ t inc inc_ : (forall u_, (t < u_)%N -> inc u_ = inc_ u_) -> back_ t inc = back_ t inc_.
  move=> e_.
  have e1_ : inc t.+1 = inc_ t.+1 := e_ _ (leqnn _).
  by rewrite /back_ ?e1_.
have none_ := Incoming (0 : 'M[R]_(n, 1)).
have [inc [_ step_]] := backward_exists none_ T later_.
by exists inc; split=> t tT; rewrite (step_ t tT).
Qed.

(* The displayed terms of each step. *)
Lemma h_bar_shown pt inc own_ A1_ :
  h_in inc = own_ + A1_ -> h_bar pt inc =
  own_ + A1_.
Proof. by move=> e_; compare ltac:(rewrite /h_bar e_) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.
Lemma h_1_bar_shown pt inc : h_1_bar pt inc =
  ((W pt)^T *m a_h_bar pt inc).
Proof. by compare ltac:(rewrite /h_1_bar) ltac:(rewrite /h) ltac:(generic_adjoints pt inc). Qed.

Section Sequence.
Variables (T : nat) (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars).
Variables (loss : nat -> 'M[R]_(n, 1) -> R) (slope inc : nat -> incoming).
Hypotheses (ran : run pt) (moved : moves pt e0 dir).
Hypothesis sloped : forall t, (t < T)%N -> loss_gradient (loss t) (pt t e0) (slope t).
Hypothesis sent : adjoints T (pt ^~ e0) slope inc.

Fixpoint dots t : vars :=
  if t is t_.+1 then Vars
    (W (dir 0%N))
    (U (dir 0%N))
    (b (dir 0%N))
    (x (dir t_.+1))
    (h_dot (pt t_ e0) (dots t_))
  else dir 0%N.

Let dots_W t : W (dots t) = W (dir 0%N). Proof. by case: t. Qed.
Let dots_U t : U (dots t) = U (dir 0%N). Proof. by case: t. Qed.
Let dots_b t : b (dots t) = b (dir 0%N). Proof. by case: t. Qed.
Let dots_x t : x (dots t) = x (dir t). Proof. by case: t. Qed.

Lemma run_tangents t : (t < T)%N -> tangent_at (pt t) e0 (dots t).
Proof.
elim: t => [|t IH] tT; split.
- exact: (moves_W moved).
- exact: (moves_U moved).
- exact: (moves_b moved).
- exact: (moves_x moved 0%N).
- exact: (moves_h_1 moved).
- by apply: deriv_mx_ext (moves_W moved) => eps; rewrite (run_W ran t.+1).
- by apply: deriv_mx_ext (moves_U moved) => eps; rewrite (run_U ran t.+1).
- by apply: deriv_mx_ext (moves_b moved) => eps; rewrite (run_b ran t.+1).
- exact: (moves_x moved).
- by apply: deriv_mx_ext (h_curve (IH (ltnW tT))) => eps; rewrite (run_h_1 ran).
Qed.

Let own (t : nat) : R := ⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩.
Lemma own_derivative t : (t < T)%N ->
  deriv (fun eps => loss t (h (pt t eps))) e0 (own t).
Proof.
move=> tT; have ok := run_tangents tT.
by apply: (sloped tT) => //; first [exact: (h_curve ok)].
Qed.

Theorem h_bar_displayed t : (t < T)%N -> h_bar (pt t e0) (inc t) =
  
  h_in (slope t) + before T t.+1 (((W (pt t.+1 e0))^T *m a_h_bar (pt t.+1 e0) (inc t.+1))).
Proof. by move=> tT; rewrite (h_bar_shown (pt t e0) (sent_h sent tT)) !h_1_bar_shown ?(run_h_1 ran). Qed.

Let arriving (t : nat) : R := ⟨h_in (inc t), h_dot (pt t e0) (dots t)⟩.
Let kept (t : nat) : R := ⟨W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + ⟨x_bar (pt t e0) (inc t), x (dir t)⟩.
Let back (k t : nat) : R := match k with
  | 0 => before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩
  | _ => 0 end.

(* Theorem 3: the accumulated backward equations give the derivative of the total loss. *)
Theorem gradient : deriv (fun eps => \sum_(t < T) loss t (h (pt t eps))) e0
  (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩ +
   ⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩ +
   ⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩ +
   \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ +
   ⟨before T 0%N (h_1_bar (pt 0%N e0) (inc 0%N)), h_1 (dir 0%N)⟩).
Proof.
apply: deriv_eq (deriv_sum _ (fun t : 'I_T => own_derivative (ltn_ord t))) _.
rewrite (@telescope R 1 T arriving own kept back); first 1 last.
- move=> t tT; transitivity (⟨W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ + before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩).
    apply: etrans (duality (pt t e0) (dots t) (inc t)) _.
    apply: eq_add; last exact: (esym (before_lt _ tT)).
    apply: eq_add; last exact: (f_equal (dot (x_bar (pt t e0) (inc t))) (dots_x t)).
    apply: eq_add; last exact: (f_equal (dot (b_bar (pt t e0) (inc t))) (dots_b t)).
    apply: eq_add; last exact: (f_equal (dot (U_bar (pt t e0) (inc t))) (dots_U t)).
    exact: (f_equal (dot (W_bar (pt t e0) (inc t))) (dots_W t)).
  have e_ : \sum_(k < 1) back k t = 0 + (before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩)
    by rewrite !big_ord_recr big_ord0.
  apply: etrans (eq_add (esym e_) erefl); rewrite /kept; clear e_.
  generalize (⟨W_bar (pt t e0) (inc t), W (dir 0%N)⟩); generalize (⟨U_bar (pt t e0) (inc t), U (dir 0%N)⟩); generalize (⟨b_bar (pt t e0) (inc t), b (dir 0%N)⟩); generalize (⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩); intros; ring.
- move=> t tT; transitivity ((⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩ + before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩)).
    exact: (etrans (f_equal (fun z_ => ⟨z_, h_dot (pt t e0) (dots t)⟩) (sent_h sent tT)) (dot_add erefl (dot_before _ _ _ _))).
  have e_ : \sum_(k < 1) back k (k.+1 + t)%N = 0 + (before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩)
    by rewrite !big_ord_recr big_ord0.
  apply: etrans (eq_add erefl (esym e_)); rewrite /own; clear e_.
  generalize (⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩); generalize (before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩); intros; ring.
- by move=> k_ t tT; rewrite /back /before ltnNge tT; do 1? [case: k_ => [|k_]]; rewrite /= ?addr0.
have K_ : \sum_(t < T) kept t = ⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ := (sum_add (sum_add (sum_add (esym (dot_suml _ _ _ _)) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) erefl).
have I_ : \sum_(k < 1) \sum_(t < k.+1) back k t = 0 + (0 + (before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩))
  by rewrite !big_ord_recr !big_ord0.
apply: etrans (eq_add K_ I_) _; clear K_ I_.
have J0_ : ⟨before T 0%N (h_1_bar (pt 0%N e0) (inc 0%N)), h_1 (dir 0%N)⟩ = before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩ := (dot_before _ _ _ _).
transitivity (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ + ((before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩))).
  clear J0_;  generalize (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩); generalize (\sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩); intros; ring.
apply: etrans (eq_add erefl (esym J0_)) _; clear J0_;
  generalize (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩); generalize (\sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (⟨before T 0%N (h_1_bar (pt 0%N e0) (inc 0%N)), h_1 (dir 0%N)⟩); intros; ring.
Qed.

End Sequence.

(* A batch: B sequences of T b steps; their parameters move in one direction. *)
Section Batch.
Variables (B_ : nat) (T : 'I_B_ -> nat) (pt : 'I_B_ -> nat -> R -> vars) (e0 : R).
Variables (dir : 'I_B_ -> nat -> vars) (loss : 'I_B_ -> nat -> 'M[R]_(n, 1) -> R).
Variables (slope inc : 'I_B_ -> nat -> incoming) (shared : vars).
Hypotheses (ran : forall b_, run (pt b_)) (moved : forall b_, moves (pt b_) e0 (dir b_)).
Hypothesis sloped : forall b_ t, (t < T b_)%N ->
  loss_gradient (loss b_ t) (pt b_ t e0) (slope b_ t).
Hypothesis sent : forall b_, adjoints (T b_) (fun t => pt b_ t e0) (slope b_) (inc b_).
Hypothesis shared_W : forall b_, W (dir b_ 0%N) = W shared.
Hypothesis shared_U : forall b_, U (dir b_ 0%N) = U shared.
Hypothesis shared_b : forall b_, b (dir b_ 0%N) = b shared.

(* Theorem 4: the gradient of a batch is the sum over its samples. *)
Theorem batch : deriv (fun eps => \sum_(b_ < B_) \sum_(t < T b_) loss b_ t (h (pt b_ t eps))) e0
  (⟨\sum_(b_ < B_) \sum_(t < T b_) W_bar (pt b_ t e0) (inc b_ t), W shared⟩ +
   ⟨\sum_(b_ < B_) \sum_(t < T b_) U_bar (pt b_ t e0) (inc b_ t), U shared⟩ +
   ⟨\sum_(b_ < B_) \sum_(t < T b_) b_bar (pt b_ t e0) (inc b_ t), b shared⟩ +
   \sum_(b_ < B_) \sum_(t < T b_) ⟨x_bar (pt b_ t e0) (inc b_ t), x (dir b_ t)⟩ +
   \sum_(b_ < B_) ⟨before (T b_) 0%N (h_1_bar (pt b_ 0%N e0) (inc b_ 0%N)), h_1 (dir b_ 0%N)⟩).
Proof.
have G_ b_ := gradient (@ran b_) (@moved b_) (@sloped b_) (@sent b_).
apply: deriv_eq (deriv_sum _ G_) _.
have S0_ : \sum_(b_ < B_) ⟨\sum_(t < T b_) W_bar (pt b_ t e0) (inc b_ t), W (dir b_ 0%N)⟩ =
  ⟨\sum_(b_ < B_) \sum_(t < T b_) W_bar (pt b_ t e0) (inc b_ t), W shared⟩.
  by rewrite dot_suml; apply: eq_bigr => b_ _; rewrite shared_W.
have S1_ : \sum_(b_ < B_) ⟨\sum_(t < T b_) U_bar (pt b_ t e0) (inc b_ t), U (dir b_ 0%N)⟩ =
  ⟨\sum_(b_ < B_) \sum_(t < T b_) U_bar (pt b_ t e0) (inc b_ t), U shared⟩.
  by rewrite dot_suml; apply: eq_bigr => b_ _; rewrite shared_U.
have S2_ : \sum_(b_ < B_) ⟨\sum_(t < T b_) b_bar (pt b_ t e0) (inc b_ t), b (dir b_ 0%N)⟩ =
  ⟨\sum_(b_ < B_) \sum_(t < T b_) b_bar (pt b_ t e0) (inc b_ t), b shared⟩.
  by rewrite dot_suml; apply: eq_bigr => b_ _; rewrite shared_b.
exact: (sum_add (sum_add (sum_add (sum_add S0_ S1_) S2_) erefl) erefl).
Qed.

End Batch.

End Certificate.

(* What the theorems rest on. *)
Definition theorems :=
  (@duality, @tangents, @run_exists, @adjoints_exist, @h_bar_displayed, @gradient, @batch).
Print Assumptions theorems.
