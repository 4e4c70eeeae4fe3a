(* Certificate: the gradient of two through time. *)
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
  V : 'M[R]_(n, m);
  A : 'M[R]_(n, n);
  x : 'M[R]_(m, 1);
  h_1 : 'M[R]_(n, 1);
  h_2 : 'M[R]_(n, 1);
  c_1 : 'M[R]_(n, 1);
  c_2 : 'M[R]_(n, 1);
  x_1 : 'M[R]_(m, 1) }.

(* The step. *)
Definition a_r (pt : vars) : 'M[R]_(n, 1) :=
  (((W pt *m h_1 pt) + (U pt *m x pt)) + b pt).
Definition r (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@sigmoid R) (a_r pt)).
Definition a_h (pt : vars) : 'M[R]_(n, 1) :=
  ((((W pt)^T *m c_2 pt) + (r pt .* h_1 pt)) + (V pt *m x_1 pt)).
Definition h (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@tanh R) (a_h pt)).
Definition a_c (pt : vars) : 'M[R]_(n, 1) :=
  (A pt *m h pt).
Definition softmax_c (pt : vars) : 'M[R]_(n, 1) :=
  (softmax (a_c pt)).
Definition c (pt : vars) : 'M[R]_(n, 1) :=
  (((c_1 pt .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)) + ((epow (r pt) 3) .* softmax_c pt)) + h_2 pt).

(* Its tangent, as derived. *)
Definition a_r_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((W dir *m h_1 pt) + (W pt *m h_1 dir)) + (U dir *m x pt)) + (U pt *m x dir)) + b dir).
Definition r_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((r pt .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)) .* a_r_dot pt dir).
Definition a_h_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((((W dir)^T *m c_2 pt) + ((W pt)^T *m c_2 dir)) + (r_dot pt dir .* h_1 pt)) + (r pt .* h_1 dir)) + (V dir *m x_1 pt)) + (V pt *m x_1 dir)).
Definition h_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((const_mx 1 : 'M[R]_(n, 1)) - (epow (h pt) 2)) .* a_h_dot pt dir).
Definition a_c_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((A dir *m h pt) + (A pt *m h_dot pt dir)).
Definition softmax_c_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((softmax_c pt .* a_c_dot pt dir) - (softmax_c pt .* (bcast n 1 ((total ((softmax_c pt .* a_c_dot pt dir))))))).
Definition c_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((c_1 dir .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)) - (c_1 pt .* r_dot pt dir)) + (3%:R *: (((epow (r pt) 2) .* r_dot pt dir) .* softmax_c pt))) + ((epow (r pt) 3) .* softmax_c_dot pt dir)) + h_2 dir).

(* What arrives at a step from its loss and from later steps. *)
Record incoming := Incoming {
  h_in : 'M[R]_(n, 1);
  c_in : 'M[R]_(n, 1);
  x_in : 'M[R]_(m, 1) }.

(* The backward equations, as derived. *)
Definition c_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  c_in inc.
Definition softmax_c_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (c_bar pt inc .* (epow (r pt) 3)).
Definition a_c_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (softmax_c pt .* (softmax_c_bar pt inc - (bcast n 1 (((softmax_c pt)^T *m softmax_c_bar pt inc))))).
Definition h_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  h_in inc + ((A pt)^T *m a_c_bar pt inc).
Definition a_h_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (h_bar pt inc .* ((const_mx 1 : 'M[R]_(n, 1)) - (epow (h pt) 2))).
Definition r_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  ((a_h_bar pt inc .* h_1 pt) + (c_bar pt inc .* ((3%:R *: (softmax_c pt .* (epow (r pt) 2))) - c_1 pt))).
Definition a_r_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  ((((a_h_bar pt inc .* h_1 pt) + (c_bar pt inc .* ((3%:R *: (softmax_c pt .* (epow (r pt) 2))) - c_1 pt))) .* r pt) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)).
Definition W_bar (pt : vars) (inc : incoming) : 'M[R]_(n, n) :=
  ((a_r_bar pt inc *m (h_1 pt)^T) + (c_2 pt *m (a_h_bar pt inc)^T)).
Definition U_bar (pt : vars) (inc : incoming) : 'M[R]_(n, m) :=
  (a_r_bar pt inc *m (x pt)^T).
Definition b_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  a_r_bar pt inc.
Definition V_bar (pt : vars) (inc : incoming) : 'M[R]_(n, m) :=
  (a_h_bar pt inc *m (x_1 pt)^T).
Definition A_bar (pt : vars) (inc : incoming) : 'M[R]_(n, n) :=
  (a_c_bar pt inc *m (h pt)^T).
Definition x_bar (pt : vars) (inc : incoming) : 'M[R]_(m, 1) :=
  x_in inc + ((U pt)^T *m a_r_bar pt inc).
Definition h_1_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (((W pt)^T *m a_r_bar pt inc) + (a_h_bar pt inc .* r pt)).
Definition h_2_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  c_bar pt inc.
Definition c_1_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (c_bar pt inc .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)).
Definition c_2_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (W pt *m a_h_bar pt inc).
Definition x_1_bar (pt : vars) (inc : incoming) : 'M[R]_(m, 1) :=
  ((V pt)^T *m a_h_bar pt inc).

Ltac generic_tangents pt dir :=
  generalize (a_r_dot pt dir);
  generalize (r_dot pt dir);
  generalize (a_h_dot pt dir);
  generalize (h_dot pt dir);
  generalize (a_c_dot pt dir);
  generalize (softmax_c_dot pt dir);
  generalize (c_dot pt dir);
  generalize (a_r pt);
  generalize (r pt);
  generalize (a_h pt);
  generalize (h pt);
  generalize (a_c pt);
  generalize (softmax_c pt);
  generalize (c pt);
  generalize (W dir);
  generalize (U dir);
  generalize (b dir);
  generalize (V dir);
  generalize (A dir);
  generalize (x dir);
  generalize (h_1 dir);
  generalize (h_2 dir);
  generalize (c_1 dir);
  generalize (c_2 dir);
  generalize (x_1 dir);
  generalize (W pt);
  generalize (U pt);
  generalize (b pt);
  generalize (V pt);
  generalize (A pt);
  generalize (x pt);
  generalize (h_1 pt);
  generalize (h_2 pt);
  generalize (c_1 pt);
  generalize (c_2 pt);
  generalize (x_1 pt); intros.

Ltac generic_adjoints pt inc :=
  generalize (a_r_bar pt inc);
  generalize (r_bar pt inc);
  generalize (a_h_bar pt inc);
  generalize (h_bar pt inc);
  generalize (a_c_bar pt inc);
  generalize (softmax_c_bar pt inc);
  generalize (c_bar pt inc);
  generalize (a_r pt);
  generalize (r pt);
  generalize (a_h pt);
  generalize (h pt);
  generalize (a_c pt);
  generalize (softmax_c pt);
  generalize (c pt);
  generalize (h_in inc);
  generalize (c_in inc);
  generalize (x_in inc);
  generalize (W pt);
  generalize (U pt);
  generalize (b pt);
  generalize (V pt);
  generalize (A pt);
  generalize (x pt);
  generalize (h_1 pt);
  generalize (h_2 pt);
  generalize (c_1 pt);
  generalize (c_2 pt);
  generalize (x_1 pt); intros.

(* Each tangent is the one made operation by operation. *)
Lemma a_r_dotE pt dir : a_r_dot pt dir =
  (T_add (T_add (T_mul (W pt) (W dir) (h_1 pt) (h_1 dir)) (T_mul (U pt) (U dir) (x pt) (x dir))) (b dir)).
Proof. by compare ltac:(rewrite /a_r_dot) ltac:(rewrite /a_r) ltac:(generic_tangents pt dir). Qed.
Lemma r_dotE pt dir : r_dot pt dir =
  (T_map (d_sigmoid (r pt)) (a_r_dot pt dir)).
Proof. by compare ltac:(rewrite /r_dot) ltac:(rewrite /r) ltac:(generic_tangents pt dir). Qed.
Lemma a_h_dotE pt dir : a_h_dot pt dir =
  (T_add (T_add (T_mul ((W pt)^T) (T_tr (W dir)) (c_2 pt) (c_2 dir)) (T_had (r pt) (r_dot pt dir) (h_1 pt) (h_1 dir))) (T_mul (V pt) (V dir) (x_1 pt) (x_1 dir))).
Proof. by compare ltac:(rewrite /a_h_dot) ltac:(rewrite /a_h) ltac:(generic_tangents pt dir). Qed.
Lemma h_dotE pt dir : h_dot pt dir =
  (T_map (d_tanh (h pt)) (a_h_dot pt dir)).
Proof. by compare ltac:(rewrite /h_dot) ltac:(rewrite /h) ltac:(generic_tangents pt dir). Qed.
Lemma a_c_dotE pt dir : a_c_dot pt dir =
  (T_mul (A pt) (A dir) (h pt) (h_dot pt dir)).
Proof. by compare ltac:(rewrite /a_c_dot) ltac:(rewrite /a_c) ltac:(generic_tangents pt dir). Qed.
Lemma softmax_c_dotE pt dir : softmax_c_dot pt dir =
  (T_softmax (softmax_c pt) (a_c_dot pt dir)).
Proof. by compare ltac:(rewrite /softmax_c_dot) ltac:(rewrite /softmax_c) ltac:(generic_tangents pt dir). Qed.
Lemma c_dotE pt dir : c_dot pt dir =
  (T_add (T_add (T_had (c_1 pt) (c_1 dir) (((const_mx 1 : 'M[R]_(n, 1)) - r pt)) (T_sub T_zero (r_dot pt dir))) (T_had ((epow (r pt) 3)) (T_map (g_pow 3 (r pt)) (r_dot pt dir)) (softmax_c pt) (softmax_c_dot pt dir))) (h_2 dir)).
Proof. by compare ltac:(rewrite /c_dot) ltac:(rewrite /c) ltac:(generic_tangents pt dir). Qed.

(* Each adjoint is the sum of what the lines below it send. *)
Lemma a_r_barE pt inc : a_r_bar pt inc =
  ((r_bar pt inc) .* (d_sigmoid (r pt))).
Proof. by compare ltac:(rewrite /a_r_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma r_barE pt inc : r_bar pt inc =
  ((a_h_bar pt inc) .* h_1 pt) + (- ((c_bar pt inc) .* c_1 pt)) + (((c_bar pt inc) .* softmax_c pt) .* (g_pow 3 (r pt))).
Proof. by compare ltac:(rewrite /r_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma a_h_barE pt inc : a_h_bar pt inc =
  ((h_bar pt inc) .* (d_tanh (h pt))).
Proof. by compare ltac:(rewrite /a_h_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma h_barE pt inc : h_bar pt inc =
  h_in inc + ((A pt)^T *m (a_c_bar pt inc)).
Proof. by compare ltac:(rewrite /h_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma a_c_barE pt inc : a_c_bar pt inc =
  (softmax_c pt .* ((softmax_c_bar pt inc) - bcast _ _ (total (softmax_c pt .* (softmax_c_bar pt inc))))).
Proof. by compare ltac:(rewrite /a_c_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma softmax_c_barE pt inc : softmax_c_bar pt inc =
  ((c_bar pt inc) .* (epow (r pt) 3)).
Proof. by compare ltac:(rewrite /softmax_c_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma c_barE pt inc : c_bar pt inc =
  c_in inc.
Proof. by compare ltac:(rewrite /c_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma W_barE pt inc : W_bar pt inc =
  ((a_r_bar pt inc) *m (h_1 pt)^T) + (((a_h_bar pt inc) *m (c_2 pt)^T))^T.
Proof. by compare ltac:(rewrite /W_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma U_barE pt inc : U_bar pt inc =
  ((a_r_bar pt inc) *m (x pt)^T).
Proof. by compare ltac:(rewrite /U_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma b_barE pt inc : b_bar pt inc =
  (a_r_bar pt inc).
Proof. by compare ltac:(rewrite /b_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma V_barE pt inc : V_bar pt inc =
  ((a_h_bar pt inc) *m (x_1 pt)^T).
Proof. by compare ltac:(rewrite /V_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma A_barE pt inc : A_bar pt inc =
  ((a_c_bar pt inc) *m (h pt)^T).
Proof. by compare ltac:(rewrite /A_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma x_barE pt inc : x_bar pt inc =
  x_in inc + ((U pt)^T *m (a_r_bar pt inc)).
Proof. by compare ltac:(rewrite /x_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma h_1_barE pt inc : h_1_bar pt inc =
  ((W pt)^T *m (a_r_bar pt inc)) + ((a_h_bar pt inc) .* r pt).
Proof. by compare ltac:(rewrite /h_1_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma h_2_barE pt inc : h_2_bar pt inc =
  (c_bar pt inc).
Proof. by compare ltac:(rewrite /h_2_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma c_1_barE pt inc : c_1_bar pt inc =
  ((c_bar pt inc) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)).
Proof. by compare ltac:(rewrite /c_1_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma c_2_barE pt inc : c_2_bar pt inc =
  (((W pt)^T)^T *m (a_h_bar pt inc)).
Proof. by compare ltac:(rewrite /c_2_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.
Lemma x_1_barE pt inc : x_1_bar pt inc =
  ((V pt)^T *m (a_h_bar pt inc)).
Proof. by compare ltac:(rewrite /x_1_bar /r_bar) ltac:(rewrite /a_r /r /a_h /h /a_c /softmax_c /c) ltac:(generic_adjoints pt inc). Qed.

(* A curve of everything that a step reads. *)
Record tangent_at (curve : R -> vars) (e0 : R) (dir : vars) : Prop := TangentAt {
  at_W : deriv_mx (fun eps => W (curve eps)) e0 (W dir);
  at_U : deriv_mx (fun eps => U (curve eps)) e0 (U dir);
  at_b : deriv_mx (fun eps => b (curve eps)) e0 (b dir);
  at_V : deriv_mx (fun eps => V (curve eps)) e0 (V dir);
  at_A : deriv_mx (fun eps => A (curve eps)) e0 (A dir);
  at_x : deriv_mx (fun eps => x (curve eps)) e0 (x dir);
  at_h_1 : deriv_mx (fun eps => h_1 (curve eps)) e0 (h_1 dir);
  at_h_2 : deriv_mx (fun eps => h_2 (curve eps)) e0 (h_2 dir);
  at_c_1 : deriv_mx (fun eps => c_1 (curve eps)) e0 (c_1 dir);
  at_c_2 : deriv_mx (fun eps => c_2 (curve eps)) e0 (c_2 dir);
  at_x_1 : deriv_mx (fun eps => x_1 (curve eps)) e0 (x_1 dir) }.

(* Theorem 2: the tangents are derivatives. *)
Theorem tangents (curve : R -> vars) e0 dir :
  tangent_at curve e0 dir ->
  deriv_mx (fun eps => a_r (curve eps)) e0 (a_r_dot (curve e0) dir) /\
  deriv_mx (fun eps => r (curve eps)) e0 (r_dot (curve e0) dir) /\
  deriv_mx (fun eps => a_h (curve eps)) e0 (a_h_dot (curve e0) dir) /\
  deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir) /\
  deriv_mx (fun eps => a_c (curve eps)) e0 (a_c_dot (curve e0) dir) /\
  deriv_mx (fun eps => softmax_c (curve eps)) e0 (softmax_c_dot (curve e0) dir) /\
  deriv_mx (fun eps => c (curve eps)) e0 (c_dot (curve e0) dir).
Proof.
move=> ok.
have D_a_r_ : deriv_mx (fun eps => a_r (curve eps)) e0 (a_r_dot (curve e0) dir).
  rewrite a_r_dotE; exact: (curve_add (curve_add (curve_mul (at_W ok) (at_h_1 ok)) (curve_mul (at_U ok) (at_x ok))) (at_b ok)).
have D_r_ : deriv_mx (fun eps => r (curve eps)) e0 (r_dot (curve e0) dir).
  rewrite r_dotE; exact: (curve_sigmoid D_a_r_).
have D_a_h_ : deriv_mx (fun eps => a_h (curve eps)) e0 (a_h_dot (curve e0) dir).
  rewrite a_h_dotE; exact: (curve_add (curve_add (curve_mul (curve_tr (at_W ok)) (at_c_2 ok)) (curve_had D_r_ (at_h_1 ok))) (curve_mul (at_V ok) (at_x_1 ok))).
have D_h_ : deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
  rewrite h_dotE; exact: (curve_tanh D_a_h_).
have D_a_c_ : deriv_mx (fun eps => a_c (curve eps)) e0 (a_c_dot (curve e0) dir).
  rewrite a_c_dotE; exact: (curve_mul (at_A ok) D_h_).
have D_softmax_c_ : deriv_mx (fun eps => softmax_c (curve eps)) e0 (softmax_c_dot (curve e0) dir).
  rewrite softmax_c_dotE; exact: (curve_softmax D_a_c_).
have D_c_ : deriv_mx (fun eps => c (curve eps)) e0 (c_dot (curve e0) dir).
  rewrite c_dotE; exact: (curve_add (curve_add (curve_had (at_c_1 ok) (curve_sub (curve_cst _ (const_mx 1 : 'M[R]_(n, 1))) D_r_)) (curve_had (curve_pow D_r_ 3) D_softmax_c_)) (at_h_2 ok)).
exact: (conj D_a_r_ (conj D_r_ (conj D_a_h_ (conj D_h_ (conj D_a_c_ (conj D_softmax_c_ D_c_)))))).
Qed.
Lemma h_curve (curve : R -> vars) e0 dir : tangent_at curve e0 dir ->
  deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
Proof. by move=> ok; have := tangents ok; tauto. Qed.
Lemma c_curve (curve : R -> vars) e0 dir : tangent_at curve e0 dir ->
  deriv_mx (fun eps => c (curve eps)) e0 (c_dot (curve e0) dir).
Proof. by move=> ok; have := tangents ok; tauto. Qed.

(* Each line, from its adjoint to what it reads. *)
Lemma a_r_line pt dir G_ : ⟨G_, a_r_dot pt dir⟩ =
  ⟨(G_ *m (h_1 pt)^T), W dir⟩ + ⟨((W pt)^T *m G_), h_1 dir⟩ + ⟨(G_ *m (x pt)^T), U dir⟩ + ⟨((U pt)^T *m G_), x dir⟩ + ⟨G_, b dir⟩.
Proof. by rewrite a_r_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma r_line pt dir G_ : ⟨G_, r_dot pt dir⟩ =
  ⟨(G_ .* (d_sigmoid (r pt))), a_r_dot pt dir⟩.
Proof. by rewrite r_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_h_line pt dir G_ : ⟨G_, a_h_dot pt dir⟩ =
  ⟨((G_ *m (c_2 pt)^T))^T, W dir⟩ + ⟨(((W pt)^T)^T *m G_), c_2 dir⟩ + ⟨(G_ .* h_1 pt), r_dot pt dir⟩ + ⟨(G_ .* r pt), h_1 dir⟩ + ⟨(G_ *m (x_1 pt)^T), V dir⟩ + ⟨((V pt)^T *m G_), x_1 dir⟩.
Proof. by rewrite a_h_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma h_line pt dir G_ : ⟨G_, h_dot pt dir⟩ =
  ⟨(G_ .* (d_tanh (h pt))), a_h_dot pt dir⟩.
Proof. by rewrite h_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_c_line pt dir G_ : ⟨G_, a_c_dot pt dir⟩ =
  ⟨(G_ *m (h pt)^T), A dir⟩ + ⟨((A pt)^T *m G_), h_dot pt dir⟩.
Proof. by rewrite a_c_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma softmax_c_line pt dir G_ : ⟨G_, softmax_c_dot pt dir⟩ =
  ⟨(softmax_c pt .* (G_ - bcast _ _ (total (softmax_c pt .* G_)))), a_c_dot pt dir⟩.
Proof. by rewrite softmax_c_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma c_line pt dir G_ : ⟨G_, c_dot pt dir⟩ =
  ⟨(G_ .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)), c_1 dir⟩ + ⟨(- (G_ .* c_1 pt)), r_dot pt dir⟩ + ⟨((G_ .* softmax_c pt) .* (g_pow 3 (r pt))), r_dot pt dir⟩ + ⟨(G_ .* (epow (r pt) 3)), softmax_c_dot pt dir⟩ + ⟨G_, h_2 dir⟩.
Proof. by rewrite c_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_r_bar_sum pt inc X_ : ⟨a_r_bar pt inc, X_⟩ =
  ⟨((r_bar pt inc) .* (d_sigmoid (r pt))), X_⟩.
Proof. by rewrite a_r_barE ?dotDl ?dot0l. Qed.
Lemma r_bar_sum pt inc X_ : ⟨r_bar pt inc, X_⟩ =
  ⟨((a_h_bar pt inc) .* h_1 pt), X_⟩ + ⟨(- ((c_bar pt inc) .* c_1 pt)), X_⟩ + ⟨(((c_bar pt inc) .* softmax_c pt) .* (g_pow 3 (r pt))), X_⟩.
Proof. by rewrite r_barE ?dotDl ?dot0l. Qed.
Lemma a_h_bar_sum pt inc X_ : ⟨a_h_bar pt inc, X_⟩ =
  ⟨((h_bar pt inc) .* (d_tanh (h pt))), X_⟩.
Proof. by rewrite a_h_barE ?dotDl ?dot0l. Qed.
Lemma h_bar_sum pt inc X_ : ⟨h_bar pt inc, X_⟩ =
  ⟨h_in inc, X_⟩ + ⟨((A pt)^T *m (a_c_bar pt inc)), X_⟩.
Proof. by rewrite h_barE ?dotDl ?dot0l. Qed.
Lemma a_c_bar_sum pt inc X_ : ⟨a_c_bar pt inc, X_⟩ =
  ⟨(softmax_c pt .* ((softmax_c_bar pt inc) - bcast _ _ (total (softmax_c pt .* (softmax_c_bar pt inc))))), X_⟩.
Proof. by rewrite a_c_barE ?dotDl ?dot0l. Qed.
Lemma softmax_c_bar_sum pt inc X_ : ⟨softmax_c_bar pt inc, X_⟩ =
  ⟨((c_bar pt inc) .* (epow (r pt) 3)), X_⟩.
Proof. by rewrite softmax_c_barE ?dotDl ?dot0l. Qed.
Lemma c_bar_sum pt inc X_ : ⟨c_bar pt inc, X_⟩ =
  ⟨c_in inc, X_⟩.
Proof. by rewrite c_barE ?dotDl ?dot0l. Qed.
Lemma W_bar_sum pt inc X_ : ⟨W_bar pt inc, X_⟩ =
  ⟨((a_r_bar pt inc) *m (h_1 pt)^T), X_⟩ + ⟨(((a_h_bar pt inc) *m (c_2 pt)^T))^T, X_⟩.
Proof. by rewrite W_barE ?dotDl ?dot0l. Qed.
Lemma U_bar_sum pt inc X_ : ⟨U_bar pt inc, X_⟩ =
  ⟨((a_r_bar pt inc) *m (x pt)^T), X_⟩.
Proof. by rewrite U_barE ?dotDl ?dot0l. Qed.
Lemma b_bar_sum pt inc X_ : ⟨b_bar pt inc, X_⟩ =
  ⟨(a_r_bar pt inc), X_⟩.
Proof. by rewrite b_barE ?dotDl ?dot0l. Qed.
Lemma V_bar_sum pt inc X_ : ⟨V_bar pt inc, X_⟩ =
  ⟨((a_h_bar pt inc) *m (x_1 pt)^T), X_⟩.
Proof. by rewrite V_barE ?dotDl ?dot0l. Qed.
Lemma A_bar_sum pt inc X_ : ⟨A_bar pt inc, X_⟩ =
  ⟨((a_c_bar pt inc) *m (h pt)^T), X_⟩.
Proof. by rewrite A_barE ?dotDl ?dot0l. Qed.
Lemma x_bar_sum pt inc X_ : ⟨x_bar pt inc, X_⟩ =
  ⟨x_in inc, X_⟩ + ⟨((U pt)^T *m (a_r_bar pt inc)), X_⟩.
Proof. by rewrite x_barE ?dotDl ?dot0l. Qed.
Lemma h_1_bar_sum pt inc X_ : ⟨h_1_bar pt inc, X_⟩ =
  ⟨((W pt)^T *m (a_r_bar pt inc)), X_⟩ + ⟨((a_h_bar pt inc) .* r pt), X_⟩.
Proof. by rewrite h_1_barE ?dotDl ?dot0l. Qed.
Lemma h_2_bar_sum pt inc X_ : ⟨h_2_bar pt inc, X_⟩ =
  ⟨(c_bar pt inc), X_⟩.
Proof. by rewrite h_2_barE ?dotDl ?dot0l. Qed.
Lemma c_1_bar_sum pt inc X_ : ⟨c_1_bar pt inc, X_⟩ =
  ⟨((c_bar pt inc) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)), X_⟩.
Proof. by rewrite c_1_barE ?dotDl ?dot0l. Qed.
Lemma c_2_bar_sum pt inc X_ : ⟨c_2_bar pt inc, X_⟩ =
  ⟨(((W pt)^T)^T *m (a_h_bar pt inc)), X_⟩.
Proof. by rewrite c_2_barE ?dotDl ?dot0l. Qed.
Lemma x_1_bar_sum pt inc X_ : ⟨x_1_bar pt inc, X_⟩ =
  ⟨((V pt)^T *m (a_h_bar pt inc)), X_⟩.
Proof. by rewrite x_1_barE ?dotDl ?dot0l. Qed.

(* Theorem 1: the backward equations are the adjoint of the tangent equations. *)
Theorem duality pt dir inc :
  ⟨h_in inc, h_dot pt dir⟩ + ⟨c_in inc, c_dot pt dir⟩ + ⟨x_in inc, x dir⟩ =
  ⟨W_bar pt inc, W dir⟩ + ⟨U_bar pt inc, U dir⟩ + ⟨b_bar pt inc, b dir⟩ + ⟨V_bar pt inc, V dir⟩ + ⟨A_bar pt inc, A dir⟩ + ⟨x_bar pt inc, x dir⟩ + ⟨h_1_bar pt inc, h_1 dir⟩ + ⟨h_2_bar pt inc, h_2 dir⟩ + ⟨c_1_bar pt inc, c_1 dir⟩ + ⟨c_2_bar pt inc, c_2 dir⟩ + ⟨x_1_bar pt inc, x_1 dir⟩.
Proof.
have L_eq : ⟨a_r_bar pt inc, a_r_dot pt dir⟩ + ⟨r_bar pt inc, r_dot pt dir⟩ + ⟨a_h_bar pt inc, a_h_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩ + ⟨a_c_bar pt inc, a_c_dot pt dir⟩ + ⟨softmax_c_bar pt inc, softmax_c_dot pt dir⟩ + ⟨c_bar pt inc, c_dot pt dir⟩ =
  (⟨((a_r_bar pt inc) *m (h_1 pt)^T), W dir⟩ + ⟨((W pt)^T *m (a_r_bar pt inc)), h_1 dir⟩ + ⟨((a_r_bar pt inc) *m (x pt)^T), U dir⟩ + ⟨((U pt)^T *m (a_r_bar pt inc)), x dir⟩ + ⟨(a_r_bar pt inc), b dir⟩) + (⟨((r_bar pt inc) .* (d_sigmoid (r pt))), a_r_dot pt dir⟩) + (⟨(((a_h_bar pt inc) *m (c_2 pt)^T))^T, W dir⟩ + ⟨(((W pt)^T)^T *m (a_h_bar pt inc)), c_2 dir⟩ + ⟨((a_h_bar pt inc) .* h_1 pt), r_dot pt dir⟩ + ⟨((a_h_bar pt inc) .* r pt), h_1 dir⟩ + ⟨((a_h_bar pt inc) *m (x_1 pt)^T), V dir⟩ + ⟨((V pt)^T *m (a_h_bar pt inc)), x_1 dir⟩) + (⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩) + (⟨((a_c_bar pt inc) *m (h pt)^T), A dir⟩ + ⟨((A pt)^T *m (a_c_bar pt inc)), h_dot pt dir⟩) + (⟨(softmax_c pt .* ((softmax_c_bar pt inc) - bcast _ _ (total (softmax_c pt .* (softmax_c_bar pt inc))))), a_c_dot pt dir⟩) + (⟨((c_bar pt inc) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)), c_1 dir⟩ + ⟨(- ((c_bar pt inc) .* c_1 pt)), r_dot pt dir⟩ + ⟨(((c_bar pt inc) .* softmax_c pt) .* (g_pow 3 (r pt))), r_dot pt dir⟩ + ⟨((c_bar pt inc) .* (epow (r pt) 3)), softmax_c_dot pt dir⟩ + ⟨(c_bar pt inc), h_2 dir⟩) :=
  (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (a_r_line pt dir (a_r_bar pt inc)) (r_line pt dir (r_bar pt inc))) (a_h_line pt dir (a_h_bar pt inc))) (h_line pt dir (h_bar pt inc))) (a_c_line pt dir (a_c_bar pt inc))) (softmax_c_line pt dir (softmax_c_bar pt inc))) (c_line pt dir (c_bar pt inc))).
have A_eq : ⟨a_r_bar pt inc, a_r_dot pt dir⟩ + ⟨r_bar pt inc, r_dot pt dir⟩ + ⟨a_h_bar pt inc, a_h_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩ + ⟨a_c_bar pt inc, a_c_dot pt dir⟩ + ⟨softmax_c_bar pt inc, softmax_c_dot pt dir⟩ + ⟨c_bar pt inc, c_dot pt dir⟩ =
  (⟨((r_bar pt inc) .* (d_sigmoid (r pt))), a_r_dot pt dir⟩) + (⟨((a_h_bar pt inc) .* h_1 pt), r_dot pt dir⟩ + ⟨(- ((c_bar pt inc) .* c_1 pt)), r_dot pt dir⟩ + ⟨(((c_bar pt inc) .* softmax_c pt) .* (g_pow 3 (r pt))), r_dot pt dir⟩) + (⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩) + (⟨h_in inc, h_dot pt dir⟩ + ⟨((A pt)^T *m (a_c_bar pt inc)), h_dot pt dir⟩) + (⟨(softmax_c pt .* ((softmax_c_bar pt inc) - bcast _ _ (total (softmax_c pt .* (softmax_c_bar pt inc))))), a_c_dot pt dir⟩) + (⟨((c_bar pt inc) .* (epow (r pt) 3)), softmax_c_dot pt dir⟩) + (⟨c_in inc, c_dot pt dir⟩) :=
  (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (a_r_bar_sum pt inc (a_r_dot pt dir)) (r_bar_sum pt inc (r_dot pt dir))) (a_h_bar_sum pt inc (a_h_dot pt dir))) (h_bar_sum pt inc (h_dot pt dir))) (a_c_bar_sum pt inc (a_c_dot pt dir))) (softmax_c_bar_sum pt inc (softmax_c_dot pt dir))) (c_bar_sum pt inc (c_dot pt dir))).
have U_eq : ⟨W_bar pt inc, W dir⟩ + ⟨U_bar pt inc, U dir⟩ + ⟨b_bar pt inc, b dir⟩ + ⟨V_bar pt inc, V dir⟩ + ⟨A_bar pt inc, A dir⟩ + ⟨x_bar pt inc, x dir⟩ + ⟨h_1_bar pt inc, h_1 dir⟩ + ⟨h_2_bar pt inc, h_2 dir⟩ + ⟨c_1_bar pt inc, c_1 dir⟩ + ⟨c_2_bar pt inc, c_2 dir⟩ + ⟨x_1_bar pt inc, x_1 dir⟩ =
  (⟨((a_r_bar pt inc) *m (h_1 pt)^T), W dir⟩ + ⟨(((a_h_bar pt inc) *m (c_2 pt)^T))^T, W dir⟩) + (⟨((a_r_bar pt inc) *m (x pt)^T), U dir⟩) + (⟨(a_r_bar pt inc), b dir⟩) + (⟨((a_h_bar pt inc) *m (x_1 pt)^T), V dir⟩) + (⟨((a_c_bar pt inc) *m (h pt)^T), A dir⟩) + (⟨x_in inc, x dir⟩ + ⟨((U pt)^T *m (a_r_bar pt inc)), x dir⟩) + (⟨((W pt)^T *m (a_r_bar pt inc)), h_1 dir⟩ + ⟨((a_h_bar pt inc) .* r pt), h_1 dir⟩) + (⟨(c_bar pt inc), h_2 dir⟩) + (⟨((c_bar pt inc) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)), c_1 dir⟩) + (⟨(((W pt)^T)^T *m (a_h_bar pt inc)), c_2 dir⟩) + (⟨((V pt)^T *m (a_h_bar pt inc)), x_1 dir⟩) :=
  (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (W_bar_sum pt inc (W dir)) (U_bar_sum pt inc (U dir))) (b_bar_sum pt inc (b dir))) (V_bar_sum pt inc (V dir))) (A_bar_sum pt inc (A dir))) (x_bar_sum pt inc (x dir))) (h_1_bar_sum pt inc (h_1 dir))) (h_2_bar_sum pt inc (h_2 dir))) (c_1_bar_sum pt inc (c_1 dir))) (c_2_bar_sum pt inc (c_2 dir))) (x_1_bar_sum pt inc (x_1 dir))).
apply: (addIr (⟨a_r_bar pt inc, a_r_dot pt dir⟩ + ⟨r_bar pt inc, r_dot pt dir⟩ + ⟨a_h_bar pt inc, a_h_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩ + ⟨a_c_bar pt inc, a_c_dot pt dir⟩ + ⟨softmax_c_bar pt inc, softmax_c_dot pt dir⟩ + ⟨c_bar pt inc, c_dot pt dir⟩)).
transitivity (⟨h_in inc, h_dot pt dir⟩ + ⟨c_in inc, c_dot pt dir⟩ + ⟨x_in inc, x dir⟩ + ((⟨((a_r_bar pt inc) *m (h_1 pt)^T), W dir⟩ + ⟨((W pt)^T *m (a_r_bar pt inc)), h_1 dir⟩ + ⟨((a_r_bar pt inc) *m (x pt)^T), U dir⟩ + ⟨((U pt)^T *m (a_r_bar pt inc)), x dir⟩ + ⟨(a_r_bar pt inc), b dir⟩) + (⟨((r_bar pt inc) .* (d_sigmoid (r pt))), a_r_dot pt dir⟩) + (⟨(((a_h_bar pt inc) *m (c_2 pt)^T))^T, W dir⟩ + ⟨(((W pt)^T)^T *m (a_h_bar pt inc)), c_2 dir⟩ + ⟨((a_h_bar pt inc) .* h_1 pt), r_dot pt dir⟩ + ⟨((a_h_bar pt inc) .* r pt), h_1 dir⟩ + ⟨((a_h_bar pt inc) *m (x_1 pt)^T), V dir⟩ + ⟨((V pt)^T *m (a_h_bar pt inc)), x_1 dir⟩) + (⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩) + (⟨((a_c_bar pt inc) *m (h pt)^T), A dir⟩ + ⟨((A pt)^T *m (a_c_bar pt inc)), h_dot pt dir⟩) + (⟨(softmax_c pt .* ((softmax_c_bar pt inc) - bcast _ _ (total (softmax_c pt .* (softmax_c_bar pt inc))))), a_c_dot pt dir⟩) + (⟨((c_bar pt inc) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)), c_1 dir⟩ + ⟨(- ((c_bar pt inc) .* c_1 pt)), r_dot pt dir⟩ + ⟨(((c_bar pt inc) .* softmax_c pt) .* (g_pow 3 (r pt))), r_dot pt dir⟩ + ⟨((c_bar pt inc) .* (epow (r pt) 3)), softmax_c_dot pt dir⟩ + ⟨(c_bar pt inc), h_2 dir⟩))); first exact: eq_add erefl L_eq.
transitivity (((⟨((a_r_bar pt inc) *m (h_1 pt)^T), W dir⟩ + ⟨(((a_h_bar pt inc) *m (c_2 pt)^T))^T, W dir⟩) + (⟨((a_r_bar pt inc) *m (x pt)^T), U dir⟩) + (⟨(a_r_bar pt inc), b dir⟩) + (⟨((a_h_bar pt inc) *m (x_1 pt)^T), V dir⟩) + (⟨((a_c_bar pt inc) *m (h pt)^T), A dir⟩) + (⟨x_in inc, x dir⟩ + ⟨((U pt)^T *m (a_r_bar pt inc)), x dir⟩) + (⟨((W pt)^T *m (a_r_bar pt inc)), h_1 dir⟩ + ⟨((a_h_bar pt inc) .* r pt), h_1 dir⟩) + (⟨(c_bar pt inc), h_2 dir⟩) + (⟨((c_bar pt inc) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)), c_1 dir⟩) + (⟨(((W pt)^T)^T *m (a_h_bar pt inc)), c_2 dir⟩) + (⟨((V pt)^T *m (a_h_bar pt inc)), x_1 dir⟩)) + ((⟨((r_bar pt inc) .* (d_sigmoid (r pt))), a_r_dot pt dir⟩) + (⟨((a_h_bar pt inc) .* h_1 pt), r_dot pt dir⟩ + ⟨(- ((c_bar pt inc) .* c_1 pt)), r_dot pt dir⟩ + ⟨(((c_bar pt inc) .* softmax_c pt) .* (g_pow 3 (r pt))), r_dot pt dir⟩) + (⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩) + (⟨h_in inc, h_dot pt dir⟩ + ⟨((A pt)^T *m (a_c_bar pt inc)), h_dot pt dir⟩) + (⟨(softmax_c pt .* ((softmax_c_bar pt inc) - bcast _ _ (total (softmax_c pt .* (softmax_c_bar pt inc))))), a_c_dot pt dir⟩) + (⟨((c_bar pt inc) .* (epow (r pt) 3)), softmax_c_dot pt dir⟩) + (⟨c_in inc, c_dot pt dir⟩))); last exact: esym (eq_add U_eq A_eq).
clear L_eq A_eq U_eq.
generalize ⟨((a_r_bar pt inc) *m (h_1 pt)^T), W dir⟩;
generalize ⟨((W pt)^T *m (a_r_bar pt inc)), h_1 dir⟩;
generalize ⟨((a_r_bar pt inc) *m (x pt)^T), U dir⟩;
generalize ⟨((U pt)^T *m (a_r_bar pt inc)), x dir⟩;
generalize ⟨(a_r_bar pt inc), b dir⟩;
generalize ⟨((r_bar pt inc) .* (d_sigmoid (r pt))), a_r_dot pt dir⟩;
generalize ⟨(((a_h_bar pt inc) *m (c_2 pt)^T))^T, W dir⟩;
generalize ⟨(((W pt)^T)^T *m (a_h_bar pt inc)), c_2 dir⟩;
generalize ⟨((a_h_bar pt inc) .* h_1 pt), r_dot pt dir⟩;
generalize ⟨((a_h_bar pt inc) .* r pt), h_1 dir⟩;
generalize ⟨((a_h_bar pt inc) *m (x_1 pt)^T), V dir⟩;
generalize ⟨((V pt)^T *m (a_h_bar pt inc)), x_1 dir⟩;
generalize ⟨((h_bar pt inc) .* (d_tanh (h pt))), a_h_dot pt dir⟩;
generalize ⟨((a_c_bar pt inc) *m (h pt)^T), A dir⟩;
generalize ⟨((A pt)^T *m (a_c_bar pt inc)), h_dot pt dir⟩;
generalize ⟨(softmax_c pt .* ((softmax_c_bar pt inc) - bcast _ _ (total (softmax_c pt .* (softmax_c_bar pt inc))))), a_c_dot pt dir⟩;
generalize ⟨((c_bar pt inc) .* ((const_mx 1 : 'M[R]_(n, 1)) - r pt)), c_1 dir⟩;
generalize ⟨(- ((c_bar pt inc) .* c_1 pt)), r_dot pt dir⟩;
generalize ⟨(((c_bar pt inc) .* softmax_c pt) .* (g_pow 3 (r pt))), r_dot pt dir⟩;
generalize ⟨((c_bar pt inc) .* (epow (r pt) 3)), softmax_c_dot pt dir⟩;
generalize ⟨(c_bar pt inc), h_2 dir⟩;
generalize ⟨h_in inc, h_dot pt dir⟩;
generalize ⟨c_in inc, c_dot pt dir⟩;
generalize ⟨x_in inc, x dir⟩;
intros.
by ring.
Qed.

(* A run: parameters shared by all steps, each step reads what earlier ones made. *)
Record run (pt : nat -> R -> vars) : Prop := Run {
  run_W : forall t eps, W (pt t eps) = W (pt 0%N eps);
  run_U : forall t eps, U (pt t eps) = U (pt 0%N eps);
  run_b : forall t eps, b (pt t eps) = b (pt 0%N eps);
  run_V : forall t eps, V (pt t eps) = V (pt 0%N eps);
  run_A : forall t eps, A (pt t eps) = A (pt 0%N eps);
  run_h_1 : forall t eps, h_1 (pt t.+1 eps) = h (pt t eps);
  run_h_2 : forall t eps, h_2 (pt t.+1 eps) = h_1 (pt t eps);
  run_c_1 : forall t eps, c_1 (pt t.+1 eps) = c (pt t eps);
  run_c_2 : forall t eps, c_2 (pt t.+1 eps) = c_1 (pt t eps);
  run_x_1 : forall t eps, x_1 (pt t.+1 eps) = x (pt t eps) }.

(* How parameters, inputs and initial values move along the curve. *)
Record moves (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars) : Prop := Moves {
  moves_W : deriv_mx (fun eps => W (pt 0%N eps)) e0 (W (dir 0%N));
  moves_U : deriv_mx (fun eps => U (pt 0%N eps)) e0 (U (dir 0%N));
  moves_b : deriv_mx (fun eps => b (pt 0%N eps)) e0 (b (dir 0%N));
  moves_V : deriv_mx (fun eps => V (pt 0%N eps)) e0 (V (dir 0%N));
  moves_A : deriv_mx (fun eps => A (pt 0%N eps)) e0 (A (dir 0%N));
  moves_x : forall t, deriv_mx (fun eps => x (pt t eps)) e0 (x (dir t));
  moves_h_1 : deriv_mx (fun eps => h_1 (pt 0%N eps)) e0 (h_1 (dir 0%N));
  moves_h_2 : deriv_mx (fun eps => h_2 (pt 0%N eps)) e0 (h_2 (dir 0%N));
  moves_c_1 : deriv_mx (fun eps => c_1 (pt 0%N eps)) e0 (c_1 (dir 0%N));
  moves_c_2 : deriv_mx (fun eps => c_2 (pt 0%N eps)) e0 (c_2 (dir 0%N));
  moves_x_1 : deriv_mx (fun eps => x_1 (pt 0%N eps)) e0 (x_1 (dir 0%N)) }.

(* slope is the gradient of the loss at a point: along every curve through it. *)
Definition loss_gradient (loss : 'M[R]_(n, 1) -> 'M[R]_(n, 1) -> R) (pt : vars) (slope : incoming) : Prop :=
  forall (e0 : R) (c0_ : R -> 'M[R]_(n, 1)) (d0_ : 'M[R]_(n, 1)) (c1_ : R -> 'M[R]_(n, 1)) (d1_ : 'M[R]_(n, 1)),
  c0_ e0 = h pt -> deriv_mx c0_ e0 d0_ ->
  c1_ e0 = c pt -> deriv_mx c1_ e0 d1_ ->
  deriv (fun eps => loss (c0_ eps) (c1_ eps)) e0 (⟨h_in slope, d0_⟩ + ⟨c_in slope, d1_⟩).

(* The adjoints of a run of T steps: own loss, and what later steps send back. *)
Record adjoints (T : nat) (pt : nat -> vars) (slope inc : nat -> incoming) : Prop := Adjoints {
  sent_h : forall t, (t < T)%N -> h_in (inc t) =
    h_in (slope t) +
    before T t.+1 (h_1_bar (pt t.+1) (inc t.+1)) +
    before T t.+1.+1 (h_2_bar (pt t.+1.+1) (inc t.+1.+1));
  sent_c : forall t, (t < T)%N -> c_in (inc t) =
    c_in (slope t) +
    before T t.+1 (c_1_bar (pt t.+1) (inc t.+1)) +
    before T t.+1.+1 (c_2_bar (pt t.+1.+1) (inc t.+1.+1));
  sent_x : forall t, (t < T)%N -> x_in (inc t) =
    0 +
    before T t.+1 (x_1_bar (pt t.+1) (inc t.+1)) }.

Section Sequence.
Variables (T : nat) (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars).
Variables (loss : nat -> 'M[R]_(n, 1) -> 'M[R]_(n, 1) -> R) (slope inc : nat -> incoming).
Hypotheses (ran : run pt) (moved : moves pt e0 dir).
Hypothesis sloped : forall t, (t < T)%N -> loss_gradient (loss t) (pt t e0) (slope t).
Hypothesis sent : adjoints T (pt ^~ e0) slope inc.

Fixpoint dots t : vars :=
  if t is u.+1 then Vars
    (W (dir 0%N))
    (U (dir 0%N))
    (b (dir 0%N))
    (V (dir 0%N))
    (A (dir 0%N))
    (x (dir u.+1))
    (h_dot (pt u e0) (dots u))
    (h_1 (dots u))
    (c_dot (pt u e0) (dots u))
    (c_1 (dots u))
    (x (dots u))
  else dir 0%N.

Let dots_W t : W (dots t) = W (dir 0%N). Proof. by case: t. Qed.
Let dots_U t : U (dots t) = U (dir 0%N). Proof. by case: t. Qed.
Let dots_b t : b (dots t) = b (dir 0%N). Proof. by case: t. Qed.
Let dots_V t : V (dots t) = V (dir 0%N). Proof. by case: t. Qed.
Let dots_A t : A (dots t) = A (dir 0%N). Proof. by case: t. Qed.
Let dots_x t : x (dots t) = x (dir t). Proof. by case: t. Qed.

Lemma run_tangents t : (t < T)%N -> tangent_at (pt t) e0 (dots t).
Proof.
elim: t => [|t IH] tT; split.
- exact: (moves_W moved).
- exact: (moves_U moved).
- exact: (moves_b moved).
- exact: (moves_V moved).
- exact: (moves_A moved).
- exact: (moves_x moved 0%N).
- exact: (moves_h_1 moved).
- exact: (moves_h_2 moved).
- exact: (moves_c_1 moved).
- exact: (moves_c_2 moved).
- exact: (moves_x_1 moved).
- by apply: deriv_mx_ext (moves_W moved) => eps; rewrite (run_W ran t.+1).
- by apply: deriv_mx_ext (moves_U moved) => eps; rewrite (run_U ran t.+1).
- by apply: deriv_mx_ext (moves_b moved) => eps; rewrite (run_b ran t.+1).
- by apply: deriv_mx_ext (moves_V moved) => eps; rewrite (run_V ran t.+1).
- by apply: deriv_mx_ext (moves_A moved) => eps; rewrite (run_A ran t.+1).
- exact: (moves_x moved).
- by apply: deriv_mx_ext (h_curve (IH (ltnW tT))) => eps; rewrite (run_h_1 ran).
- by apply: deriv_mx_ext (at_h_1 (IH (ltnW tT))) => eps; rewrite (run_h_2 ran).
- by apply: deriv_mx_ext (c_curve (IH (ltnW tT))) => eps; rewrite (run_c_1 ran).
- by apply: deriv_mx_ext (at_c_1 (IH (ltnW tT))) => eps; rewrite (run_c_2 ran).
- by apply: deriv_mx_ext (at_x (IH (ltnW tT))) => eps; rewrite (run_x_1 ran).
Qed.

Let own t : R := ⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩ + ⟨c_in (slope t), c_dot (pt t e0) (dots t)⟩.
Lemma own_derivative t : (t < T)%N ->
  deriv (fun eps => loss t (h (pt t eps)) (c (pt t eps))) e0 (own t).
Proof.
move=> tT; have ok := run_tangents tT.
by apply: (sloped tT) => //; idtac; first [exact: (h_curve ok) | exact: (c_curve ok)].
Qed.

Let arriving t : R := ⟨h_in (inc t), h_dot (pt t e0) (dots t)⟩ + ⟨c_in (inc t), c_dot (pt t e0) (dots t)⟩ + ⟨x_in (inc t), x (dots t)⟩.
Let kept t : R := ⟨W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + ⟨V_bar (pt t e0) (inc t), V (dir 0%N)⟩ + ⟨A_bar (pt t e0) (inc t), A (dir 0%N)⟩ + ⟨x_bar (pt t e0) (inc t), x (dir t)⟩.
Let back k t : R := match k with
  | 0 => before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩ + before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩ + before T t ⟨x_1_bar (pt t e0) (inc t), x_1 (dots t)⟩
  | 1 => before T t ⟨h_2_bar (pt t e0) (inc t), h_2 (dots t)⟩ + before T t ⟨c_2_bar (pt t e0) (inc t), c_2 (dots t)⟩
  | _ => 0 end.

(* Theorem 3: the accumulated backward equations give the derivative of the total loss. *)
Theorem gradient : deriv (fun eps => \sum_(t < T) loss t (h (pt t eps)) (c (pt t eps))) e0
  (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩ +
   ⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩ +
   ⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩ +
   ⟨\sum_(t < T) V_bar (pt t e0) (inc t), V (dir 0%N)⟩ +
   ⟨\sum_(t < T) A_bar (pt t e0) (inc t), A (dir 0%N)⟩ +
   \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ +
   ⟨before T 0 (h_1_bar (pt 0%N e0) (inc 0%N)) + before T 1 (h_2_bar (pt 1%N e0) (inc 1%N)), h_1 (dir 0%N)⟩ +
   ⟨before T 0 (h_2_bar (pt 0%N e0) (inc 0%N)), h_2 (dir 0%N)⟩ +
   ⟨before T 0 (c_1_bar (pt 0%N e0) (inc 0%N)) + before T 1 (c_2_bar (pt 1%N e0) (inc 1%N)), c_1 (dir 0%N)⟩ +
   ⟨before T 0 (c_2_bar (pt 0%N e0) (inc 0%N)), c_2 (dir 0%N)⟩ +
   ⟨before T 0 (x_1_bar (pt 0%N e0) (inc 0%N)), x_1 (dir 0%N)⟩).
Proof.
apply: deriv_eq (deriv_sum _ (fun t : 'I_T => own_derivative (ltn_ord t))) _.
rewrite (@telescope R 2 T arriving own kept back); first 1 last.
- move=> t tT; transitivity (⟨W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + ⟨V_bar (pt t e0) (inc t), V (dir 0%N)⟩ + ⟨A_bar (pt t e0) (inc t), A (dir 0%N)⟩ + ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ + before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩ + before T t ⟨h_2_bar (pt t e0) (inc t), h_2 (dots t)⟩ + before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩ + before T t ⟨c_2_bar (pt t e0) (inc t), c_2 (dots t)⟩ + before T t ⟨x_1_bar (pt t e0) (inc t), x_1 (dots t)⟩).
    exact: etrans (duality (pt t e0) (dots t) (inc t)) (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (f_equal (dot (W_bar (pt t e0) (inc t))) (dots_W t)) (f_equal (dot (U_bar (pt t e0) (inc t))) (dots_U t))) (f_equal (dot (b_bar (pt t e0) (inc t))) (dots_b t))) (f_equal (dot (V_bar (pt t e0) (inc t))) (dots_V t))) (f_equal (dot (A_bar (pt t e0) (inc t))) (dots_A t))) (f_equal (dot (x_bar (pt t e0) (inc t))) (dots_x t))) (esym (before_lt _ tT))) (esym (before_lt _ tT))) (esym (before_lt _ tT))) (esym (before_lt _ tT))) (esym (before_lt _ tT))).
  have e_eq : \sum_(k < 2) back k t = 0 + (before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩ + before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩ + before T t ⟨x_1_bar (pt t e0) (inc t), x_1 (dots t)⟩) + (before T t ⟨h_2_bar (pt t e0) (inc t), h_2 (dots t)⟩ + before T t ⟨c_2_bar (pt t e0) (inc t), c_2 (dots t)⟩) by rewrite !big_ord_recr big_ord0.
  apply: etrans (eq_add (esym e_eq) erefl); rewrite /kept; clear e_eq.
  generalize (⟨W_bar (pt t e0) (inc t), W (dir 0%N)⟩); generalize (⟨U_bar (pt t e0) (inc t), U (dir 0%N)⟩); generalize (⟨b_bar (pt t e0) (inc t), b (dir 0%N)⟩); generalize (⟨V_bar (pt t e0) (inc t), V (dir 0%N)⟩); generalize (⟨A_bar (pt t e0) (inc t), A (dir 0%N)⟩); generalize (⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩); generalize (before T t ⟨h_2_bar (pt t e0) (inc t), h_2 (dots t)⟩); generalize (before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩); generalize (before T t ⟨c_2_bar (pt t e0) (inc t), c_2 (dots t)⟩); generalize (before T t ⟨x_1_bar (pt t e0) (inc t), x_1 (dots t)⟩); intros; ring.
- move=> t tT; transitivity ((⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩ + before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩ + before T t.+1.+1 ⟨h_2_bar (pt t.+1.+1 e0) (inc t.+1.+1), h_2 (dots t.+1.+1)⟩) + (⟨c_in (slope t), c_dot (pt t e0) (dots t)⟩ + before T t.+1 ⟨c_1_bar (pt t.+1 e0) (inc t.+1), c_1 (dots t.+1)⟩ + before T t.+1.+1 ⟨c_2_bar (pt t.+1.+1 e0) (inc t.+1.+1), c_2 (dots t.+1.+1)⟩) + (0 + before T t.+1 ⟨x_1_bar (pt t.+1 e0) (inc t.+1), x_1 (dots t.+1)⟩)).
    exact: (eq_add (eq_add (etrans (f_equal (fun z => ⟨z, h_dot (pt t e0) (dots t)⟩) (sent_h sent tT)) (dot_add (dot_add erefl (dot_before _ _ _ _)) (dot_before _ _ _ _))) (etrans (f_equal (fun z => ⟨z, c_dot (pt t e0) (dots t)⟩) (sent_c sent tT)) (dot_add (dot_add erefl (dot_before _ _ _ _)) (dot_before _ _ _ _)))) (etrans (f_equal (fun z => ⟨z, x (dots t)⟩) (sent_x sent tT)) (dot_add (dot0l _) (dot_before _ _ _ _)))).
  have e_eq : \sum_(k < 2) back k (k.+1 + t)%N = 0 + (before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩ + before T t.+1 ⟨c_1_bar (pt t.+1 e0) (inc t.+1), c_1 (dots t.+1)⟩ + before T t.+1 ⟨x_1_bar (pt t.+1 e0) (inc t.+1), x_1 (dots t.+1)⟩) + (before T t.+1.+1 ⟨h_2_bar (pt t.+1.+1 e0) (inc t.+1.+1), h_2 (dots t.+1.+1)⟩ + before T t.+1.+1 ⟨c_2_bar (pt t.+1.+1 e0) (inc t.+1.+1), c_2 (dots t.+1.+1)⟩) by rewrite !big_ord_recr big_ord0.
  apply: etrans (eq_add erefl (esym e_eq)); rewrite /own; clear e_eq.
  generalize (⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩); generalize (before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩); generalize (before T t.+1.+1 ⟨h_2_bar (pt t.+1.+1 e0) (inc t.+1.+1), h_2 (dots t.+1.+1)⟩); generalize (⟨c_in (slope t), c_dot (pt t e0) (dots t)⟩); generalize (before T t.+1 ⟨c_1_bar (pt t.+1 e0) (inc t.+1), c_1 (dots t.+1)⟩); generalize (before T t.+1.+1 ⟨c_2_bar (pt t.+1.+1 e0) (inc t.+1.+1), c_2 (dots t.+1.+1)⟩); generalize (before T t.+1 ⟨x_1_bar (pt t.+1 e0) (inc t.+1), x_1 (dots t.+1)⟩); intros; ring.
- by move=> k_ t tT; rewrite /back /before ltnNge tT; do 2? [case: k_ => [|k_]]; rewrite /= ?addr0.
have K_eq : \sum_(t < T) kept t = ⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + ⟨\sum_(t < T) V_bar (pt t e0) (inc t), V (dir 0%N)⟩ + ⟨\sum_(t < T) A_bar (pt t e0) (inc t), A (dir 0%N)⟩ + \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ := (sum_add (sum_add (sum_add (sum_add (sum_add (esym (dot_suml _ _ _ _)) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) erefl).
have I_eq : \sum_(k < 2) \sum_(t < k.+1) back k t = 0 + (0 + (before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩ + before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩ + before T 0%N ⟨x_1_bar (pt 0%N e0) (inc 0%N), x_1 (dir 0%N)⟩)) + (0 + (before T 0%N ⟨h_2_bar (pt 0%N e0) (inc 0%N), h_2 (dir 0%N)⟩ + before T 0%N ⟨c_2_bar (pt 0%N e0) (inc 0%N), c_2 (dir 0%N)⟩) + (before T 1%N ⟨h_2_bar (pt 1%N e0) (inc 1%N), h_1 (dir 0%N)⟩ + before T 1%N ⟨c_2_bar (pt 1%N e0) (inc 1%N), c_1 (dir 0%N)⟩))
  by rewrite !big_ord_recr !big_ord0.
apply: etrans (eq_add K_eq I_eq) _; clear K_eq I_eq.
have J_eq0 : ⟨before T 0 (h_1_bar (pt 0%N e0) (inc 0%N)) + before T 1 (h_2_bar (pt 1%N e0) (inc 1%N)), h_1 (dir 0%N)⟩ = before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩ + before T 1%N ⟨h_2_bar (pt 1%N e0) (inc 1%N), h_1 (dir 0%N)⟩ := (dot_add (dot_before _ _ _ _) (dot_before _ _ _ _)).
have J_eq1 : ⟨before T 0 (h_2_bar (pt 0%N e0) (inc 0%N)), h_2 (dir 0%N)⟩ = before T 0%N ⟨h_2_bar (pt 0%N e0) (inc 0%N), h_2 (dir 0%N)⟩ := (dot_before _ _ _ _).
have J_eq2 : ⟨before T 0 (c_1_bar (pt 0%N e0) (inc 0%N)) + before T 1 (c_2_bar (pt 1%N e0) (inc 1%N)), c_1 (dir 0%N)⟩ = before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩ + before T 1%N ⟨c_2_bar (pt 1%N e0) (inc 1%N), c_1 (dir 0%N)⟩ := (dot_add (dot_before _ _ _ _) (dot_before _ _ _ _)).
have J_eq3 : ⟨before T 0 (c_2_bar (pt 0%N e0) (inc 0%N)), c_2 (dir 0%N)⟩ = before T 0%N ⟨c_2_bar (pt 0%N e0) (inc 0%N), c_2 (dir 0%N)⟩ := (dot_before _ _ _ _).
have J_eq4 : ⟨before T 0 (x_1_bar (pt 0%N e0) (inc 0%N)), x_1 (dir 0%N)⟩ = before T 0%N ⟨x_1_bar (pt 0%N e0) (inc 0%N), x_1 (dir 0%N)⟩ := (dot_before _ _ _ _).
transitivity (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩ + ⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩ + ⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩ + ⟨\sum_(t < T) V_bar (pt t e0) (inc t), V (dir 0%N)⟩ + ⟨\sum_(t < T) A_bar (pt t e0) (inc t), A (dir 0%N)⟩ + \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ + ((before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩ + before T 1%N ⟨h_2_bar (pt 1%N e0) (inc 1%N), h_1 (dir 0%N)⟩) + (before T 0%N ⟨h_2_bar (pt 0%N e0) (inc 0%N), h_2 (dir 0%N)⟩) + (before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩ + before T 1%N ⟨c_2_bar (pt 1%N e0) (inc 1%N), c_1 (dir 0%N)⟩) + (before T 0%N ⟨c_2_bar (pt 0%N e0) (inc 0%N), c_2 (dir 0%N)⟩) + (before T 0%N ⟨x_1_bar (pt 0%N e0) (inc 0%N), x_1 (dir 0%N)⟩))).
  clear J_eq0; clear J_eq1; clear J_eq2; clear J_eq3; clear J_eq4;  generalize (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩); generalize (⟨\sum_(t < T) V_bar (pt t e0) (inc t), V (dir 0%N)⟩); generalize (⟨\sum_(t < T) A_bar (pt t e0) (inc t), A (dir 0%N)⟩); generalize (\sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩); generalize (before T 1%N ⟨h_2_bar (pt 1%N e0) (inc 1%N), h_1 (dir 0%N)⟩); generalize (before T 0%N ⟨h_2_bar (pt 0%N e0) (inc 0%N), h_2 (dir 0%N)⟩); generalize (before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩); generalize (before T 1%N ⟨c_2_bar (pt 1%N e0) (inc 1%N), c_1 (dir 0%N)⟩); generalize (before T 0%N ⟨c_2_bar (pt 0%N e0) (inc 0%N), c_2 (dir 0%N)⟩); generalize (before T 0%N ⟨x_1_bar (pt 0%N e0) (inc 0%N), x_1 (dir 0%N)⟩); intros; ring.
apply: etrans (eq_add erefl (eq_add (eq_add (eq_add (eq_add (esym J_eq0) (esym J_eq1)) (esym J_eq2)) (esym J_eq3)) (esym J_eq4))) _; clear J_eq0; clear J_eq1; clear J_eq2; clear J_eq3; clear J_eq4; 
  generalize (⟨\sum_(t < T) W_bar (pt t e0) (inc t), W (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_bar (pt t e0) (inc t), U (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_bar (pt t e0) (inc t), b (dir 0%N)⟩); generalize (⟨\sum_(t < T) V_bar (pt t e0) (inc t), V (dir 0%N)⟩); generalize (⟨\sum_(t < T) A_bar (pt t e0) (inc t), A (dir 0%N)⟩); generalize (\sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (⟨before T 0 (h_1_bar (pt 0%N e0) (inc 0%N)) + before T 1 (h_2_bar (pt 1%N e0) (inc 1%N)), h_1 (dir 0%N)⟩); generalize (⟨before T 0 (h_2_bar (pt 0%N e0) (inc 0%N)), h_2 (dir 0%N)⟩); generalize (⟨before T 0 (c_1_bar (pt 0%N e0) (inc 0%N)) + before T 1 (c_2_bar (pt 1%N e0) (inc 1%N)), c_1 (dir 0%N)⟩); generalize (⟨before T 0 (c_2_bar (pt 0%N e0) (inc 0%N)), c_2 (dir 0%N)⟩); generalize (⟨before T 0 (x_1_bar (pt 0%N e0) (inc 0%N)), x_1 (dir 0%N)⟩); intros; ring.
Qed.

End Sequence.

End Certificate.

Print Assumptions gradient.
