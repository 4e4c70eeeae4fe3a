(* Certificate: the gradient of lstm through time. *)
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
  W_f : 'M[R]_(n, n);
  U_f : 'M[R]_(n, m);
  b_f : 'M[R]_(n, 1);
  W_i : 'M[R]_(n, n);
  U_i : 'M[R]_(n, m);
  b_i : 'M[R]_(n, 1);
  W_o : 'M[R]_(n, n);
  U_o : 'M[R]_(n, m);
  b_o : 'M[R]_(n, 1);
  W_g : 'M[R]_(n, n);
  U_g : 'M[R]_(n, m);
  b_g : 'M[R]_(n, 1);
  x : 'M[R]_(m, 1);
  c_1 : 'M[R]_(n, 1);
  h_1 : 'M[R]_(n, 1) }.

(* The step. *)
Definition a_f (pt : vars) : 'M[R]_(n, 1) :=
  (((W_f pt *m h_1 pt) + (U_f pt *m x pt)) + b_f pt).
Definition f (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@sigmoid R) (a_f pt)).
Definition a_i (pt : vars) : 'M[R]_(n, 1) :=
  (((W_i pt *m h_1 pt) + (U_i pt *m x pt)) + b_i pt).
Definition i (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@sigmoid R) (a_i pt)).
Definition a_o (pt : vars) : 'M[R]_(n, 1) :=
  (((W_o pt *m h_1 pt) + (U_o pt *m x pt)) + b_o pt).
Definition o (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@sigmoid R) (a_o pt)).
Definition a_g (pt : vars) : 'M[R]_(n, 1) :=
  (((W_g pt *m h_1 pt) + (U_g pt *m x pt)) + b_g pt).
Definition g (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@tanh R) (a_g pt)).
Definition c (pt : vars) : 'M[R]_(n, 1) :=
  ((f pt .* c_1 pt) + (i pt .* g pt)).
Definition tanh_c (pt : vars) : 'M[R]_(n, 1) :=
  (emap (@tanh R) (c pt)).
Definition h (pt : vars) : 'M[R]_(n, 1) :=
  (o pt .* tanh_c pt).

(* Its tangent, as derived. *)
Definition a_f_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((W_f dir *m h_1 pt) + (W_f pt *m h_1 dir)) + (U_f dir *m x pt)) + (U_f pt *m x dir)) + b_f dir).
Definition f_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((f pt .* ((const_mx 1 : 'M[R]_(n, 1)) - f pt)) .* a_f_dot pt dir).
Definition a_i_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((W_i dir *m h_1 pt) + (W_i pt *m h_1 dir)) + (U_i dir *m x pt)) + (U_i pt *m x dir)) + b_i dir).
Definition i_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((i pt .* ((const_mx 1 : 'M[R]_(n, 1)) - i pt)) .* a_i_dot pt dir).
Definition a_o_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((W_o dir *m h_1 pt) + (W_o pt *m h_1 dir)) + (U_o dir *m x pt)) + (U_o pt *m x dir)) + b_o dir).
Definition o_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((o pt .* ((const_mx 1 : 'M[R]_(n, 1)) - o pt)) .* a_o_dot pt dir).
Definition a_g_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((((W_g dir *m h_1 pt) + (W_g pt *m h_1 dir)) + (U_g dir *m x pt)) + (U_g pt *m x dir)) + b_g dir).
Definition g_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((const_mx 1 : 'M[R]_(n, 1)) - (epow (g pt) 2)) .* a_g_dot pt dir).
Definition c_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((((f_dot pt dir .* c_1 pt) + (f pt .* c_1 dir)) + (i_dot pt dir .* g pt)) + (i pt .* g_dot pt dir)).
Definition tanh_c_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  (((const_mx 1 : 'M[R]_(n, 1)) - (epow (tanh_c pt) 2)) .* c_dot pt dir).
Definition h_dot (pt dir : vars) : 'M[R]_(n, 1) :=
  ((o_dot pt dir .* tanh_c pt) + (o pt .* tanh_c_dot pt dir)).

(* What arrives at a step from its loss and from later steps. *)
Record incoming := Incoming {
  c_in : 'M[R]_(n, 1);
  h_in : 'M[R]_(n, 1) }.

(* The backward equations, as derived. *)
Definition h_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  h_in inc.
Definition tanh_c_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (h_bar pt inc .* o pt).
Definition c_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  c_in inc + ((h_bar pt inc .* o pt) .* ((const_mx 1 : 'M[R]_(n, 1)) - (epow (tanh_c pt) 2))).
Definition g_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (c_bar pt inc .* i pt).
Definition a_g_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  ((c_bar pt inc .* i pt) .* ((const_mx 1 : 'M[R]_(n, 1)) - (epow (g pt) 2))).
Definition o_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (h_bar pt inc .* tanh_c pt).
Definition a_o_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (((h_bar pt inc .* tanh_c pt) .* o pt) .* ((const_mx 1 : 'M[R]_(n, 1)) - o pt)).
Definition i_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (c_bar pt inc .* g pt).
Definition a_i_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (((c_bar pt inc .* g pt) .* i pt) .* ((const_mx 1 : 'M[R]_(n, 1)) - i pt)).
Definition f_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (c_bar pt inc .* c_1 pt).
Definition a_f_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (((c_bar pt inc .* c_1 pt) .* f pt) .* ((const_mx 1 : 'M[R]_(n, 1)) - f pt)).
Definition W_f_bar (pt : vars) (inc : incoming) : 'M[R]_(n, n) :=
  (a_f_bar pt inc *m (h_1 pt)^T).
Definition U_f_bar (pt : vars) (inc : incoming) : 'M[R]_(n, m) :=
  (a_f_bar pt inc *m (x pt)^T).
Definition b_f_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  a_f_bar pt inc.
Definition W_i_bar (pt : vars) (inc : incoming) : 'M[R]_(n, n) :=
  (a_i_bar pt inc *m (h_1 pt)^T).
Definition U_i_bar (pt : vars) (inc : incoming) : 'M[R]_(n, m) :=
  (a_i_bar pt inc *m (x pt)^T).
Definition b_i_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  a_i_bar pt inc.
Definition W_o_bar (pt : vars) (inc : incoming) : 'M[R]_(n, n) :=
  (a_o_bar pt inc *m (h_1 pt)^T).
Definition U_o_bar (pt : vars) (inc : incoming) : 'M[R]_(n, m) :=
  (a_o_bar pt inc *m (x pt)^T).
Definition b_o_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  a_o_bar pt inc.
Definition W_g_bar (pt : vars) (inc : incoming) : 'M[R]_(n, n) :=
  (a_g_bar pt inc *m (h_1 pt)^T).
Definition U_g_bar (pt : vars) (inc : incoming) : 'M[R]_(n, m) :=
  (a_g_bar pt inc *m (x pt)^T).
Definition b_g_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  a_g_bar pt inc.
Definition x_bar (pt : vars) (inc : incoming) : 'M[R]_(m, 1) :=
  (((((U_f pt)^T *m a_f_bar pt inc) + ((U_i pt)^T *m a_i_bar pt inc)) + ((U_o pt)^T *m a_o_bar pt inc)) + ((U_g pt)^T *m a_g_bar pt inc)).
Definition c_1_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (c_bar pt inc .* f pt).
Definition h_1_bar (pt : vars) (inc : incoming) : 'M[R]_(n, 1) :=
  (((((W_f pt)^T *m a_f_bar pt inc) + ((W_i pt)^T *m a_i_bar pt inc)) + ((W_o pt)^T *m a_o_bar pt inc)) + ((W_g pt)^T *m a_g_bar pt inc)).

Ltac generic_tangents pt dir :=
  generalize (a_f_dot pt dir);
  generalize (f_dot pt dir);
  generalize (a_i_dot pt dir);
  generalize (i_dot pt dir);
  generalize (a_o_dot pt dir);
  generalize (o_dot pt dir);
  generalize (a_g_dot pt dir);
  generalize (g_dot pt dir);
  generalize (c_dot pt dir);
  generalize (tanh_c_dot pt dir);
  generalize (h_dot pt dir);
  generalize (a_f pt);
  generalize (f pt);
  generalize (a_i pt);
  generalize (i pt);
  generalize (a_o pt);
  generalize (o pt);
  generalize (a_g pt);
  generalize (g pt);
  generalize (c pt);
  generalize (tanh_c pt);
  generalize (h pt);
  generalize (W_f dir);
  generalize (U_f dir);
  generalize (b_f dir);
  generalize (W_i dir);
  generalize (U_i dir);
  generalize (b_i dir);
  generalize (W_o dir);
  generalize (U_o dir);
  generalize (b_o dir);
  generalize (W_g dir);
  generalize (U_g dir);
  generalize (b_g dir);
  generalize (x dir);
  generalize (c_1 dir);
  generalize (h_1 dir);
  generalize (W_f pt);
  generalize (U_f pt);
  generalize (b_f pt);
  generalize (W_i pt);
  generalize (U_i pt);
  generalize (b_i pt);
  generalize (W_o pt);
  generalize (U_o pt);
  generalize (b_o pt);
  generalize (W_g pt);
  generalize (U_g pt);
  generalize (b_g pt);
  generalize (x pt);
  generalize (c_1 pt);
  generalize (h_1 pt); intros.

Ltac generic_adjoints pt inc :=
  generalize (a_f_bar pt inc);
  generalize (f_bar pt inc);
  generalize (a_i_bar pt inc);
  generalize (i_bar pt inc);
  generalize (a_o_bar pt inc);
  generalize (o_bar pt inc);
  generalize (a_g_bar pt inc);
  generalize (g_bar pt inc);
  generalize (c_bar pt inc);
  generalize (tanh_c_bar pt inc);
  generalize (h_bar pt inc);
  generalize (a_f pt);
  generalize (f pt);
  generalize (a_i pt);
  generalize (i pt);
  generalize (a_o pt);
  generalize (o pt);
  generalize (a_g pt);
  generalize (g pt);
  generalize (c pt);
  generalize (tanh_c pt);
  generalize (h pt);
  generalize (c_in inc);
  generalize (h_in inc);
  generalize (W_f pt);
  generalize (U_f pt);
  generalize (b_f pt);
  generalize (W_i pt);
  generalize (U_i pt);
  generalize (b_i pt);
  generalize (W_o pt);
  generalize (U_o pt);
  generalize (b_o pt);
  generalize (W_g pt);
  generalize (U_g pt);
  generalize (b_g pt);
  generalize (x pt);
  generalize (c_1 pt);
  generalize (h_1 pt); intros.

(* Each tangent is the one made operation by operation. *)
Lemma a_f_dotE pt dir : a_f_dot pt dir =
  (T_add (T_add (T_mul (W_f pt) (W_f dir) (h_1 pt) (h_1 dir)) (T_mul (U_f pt) (U_f dir) (x pt) (x dir))) (b_f dir)).
Proof. by compare ltac:(rewrite /a_f_dot) ltac:(rewrite /a_f) ltac:(generic_tangents pt dir). Qed.
Lemma f_dotE pt dir : f_dot pt dir =
  (T_map (d_sigmoid (f pt)) (a_f_dot pt dir)).
Proof. by compare ltac:(rewrite /f_dot) ltac:(rewrite /f) ltac:(generic_tangents pt dir). Qed.
Lemma a_i_dotE pt dir : a_i_dot pt dir =
  (T_add (T_add (T_mul (W_i pt) (W_i dir) (h_1 pt) (h_1 dir)) (T_mul (U_i pt) (U_i dir) (x pt) (x dir))) (b_i dir)).
Proof. by compare ltac:(rewrite /a_i_dot) ltac:(rewrite /a_i) ltac:(generic_tangents pt dir). Qed.
Lemma i_dotE pt dir : i_dot pt dir =
  (T_map (d_sigmoid (i pt)) (a_i_dot pt dir)).
Proof. by compare ltac:(rewrite /i_dot) ltac:(rewrite /i) ltac:(generic_tangents pt dir). Qed.
Lemma a_o_dotE pt dir : a_o_dot pt dir =
  (T_add (T_add (T_mul (W_o pt) (W_o dir) (h_1 pt) (h_1 dir)) (T_mul (U_o pt) (U_o dir) (x pt) (x dir))) (b_o dir)).
Proof. by compare ltac:(rewrite /a_o_dot) ltac:(rewrite /a_o) ltac:(generic_tangents pt dir). Qed.
Lemma o_dotE pt dir : o_dot pt dir =
  (T_map (d_sigmoid (o pt)) (a_o_dot pt dir)).
Proof. by compare ltac:(rewrite /o_dot) ltac:(rewrite /o) ltac:(generic_tangents pt dir). Qed.
Lemma a_g_dotE pt dir : a_g_dot pt dir =
  (T_add (T_add (T_mul (W_g pt) (W_g dir) (h_1 pt) (h_1 dir)) (T_mul (U_g pt) (U_g dir) (x pt) (x dir))) (b_g dir)).
Proof. by compare ltac:(rewrite /a_g_dot) ltac:(rewrite /a_g) ltac:(generic_tangents pt dir). Qed.
Lemma g_dotE pt dir : g_dot pt dir =
  (T_map (d_tanh (g pt)) (a_g_dot pt dir)).
Proof. by compare ltac:(rewrite /g_dot) ltac:(rewrite /g) ltac:(generic_tangents pt dir). Qed.
Lemma c_dotE pt dir : c_dot pt dir =
  (T_add (T_had (f pt) (f_dot pt dir) (c_1 pt) (c_1 dir)) (T_had (i pt) (i_dot pt dir) (g pt) (g_dot pt dir))).
Proof. by compare ltac:(rewrite /c_dot) ltac:(rewrite /c) ltac:(generic_tangents pt dir). Qed.
Lemma tanh_c_dotE pt dir : tanh_c_dot pt dir =
  (T_map (d_tanh (tanh_c pt)) (c_dot pt dir)).
Proof. by compare ltac:(rewrite /tanh_c_dot) ltac:(rewrite /tanh_c) ltac:(generic_tangents pt dir). Qed.
Lemma h_dotE pt dir : h_dot pt dir =
  (T_had (o pt) (o_dot pt dir) (tanh_c pt) (tanh_c_dot pt dir)).
Proof. by compare ltac:(rewrite /h_dot) ltac:(rewrite /h) ltac:(generic_tangents pt dir). Qed.

(* Each adjoint is the sum of what the lines below it send. *)
Lemma a_f_barE pt inc : a_f_bar pt inc =
  ((f_bar pt inc) .* (d_sigmoid (f pt))).
Proof. by compare ltac:(rewrite /a_f_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma f_barE pt inc : f_bar pt inc =
  ((c_bar pt inc) .* c_1 pt).
Proof. by compare ltac:(rewrite /f_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma a_i_barE pt inc : a_i_bar pt inc =
  ((i_bar pt inc) .* (d_sigmoid (i pt))).
Proof. by compare ltac:(rewrite /a_i_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma i_barE pt inc : i_bar pt inc =
  ((c_bar pt inc) .* g pt).
Proof. by compare ltac:(rewrite /i_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma a_o_barE pt inc : a_o_bar pt inc =
  ((o_bar pt inc) .* (d_sigmoid (o pt))).
Proof. by compare ltac:(rewrite /a_o_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma o_barE pt inc : o_bar pt inc =
  ((h_bar pt inc) .* tanh_c pt).
Proof. by compare ltac:(rewrite /o_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma a_g_barE pt inc : a_g_bar pt inc =
  ((g_bar pt inc) .* (d_tanh (g pt))).
Proof. by compare ltac:(rewrite /a_g_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma g_barE pt inc : g_bar pt inc =
  ((c_bar pt inc) .* i pt).
Proof. by compare ltac:(rewrite /g_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma c_barE pt inc : c_bar pt inc =
  c_in inc + ((tanh_c_bar pt inc) .* (d_tanh (tanh_c pt))).
Proof. by compare ltac:(rewrite /c_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma tanh_c_barE pt inc : tanh_c_bar pt inc =
  ((h_bar pt inc) .* o pt).
Proof. by compare ltac:(rewrite /tanh_c_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma h_barE pt inc : h_bar pt inc =
  h_in inc.
Proof. by compare ltac:(rewrite /h_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma W_f_barE pt inc : W_f_bar pt inc =
  ((a_f_bar pt inc) *m (h_1 pt)^T).
Proof. by compare ltac:(rewrite /W_f_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma U_f_barE pt inc : U_f_bar pt inc =
  ((a_f_bar pt inc) *m (x pt)^T).
Proof. by compare ltac:(rewrite /U_f_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma b_f_barE pt inc : b_f_bar pt inc =
  (a_f_bar pt inc).
Proof. by compare ltac:(rewrite /b_f_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma W_i_barE pt inc : W_i_bar pt inc =
  ((a_i_bar pt inc) *m (h_1 pt)^T).
Proof. by compare ltac:(rewrite /W_i_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma U_i_barE pt inc : U_i_bar pt inc =
  ((a_i_bar pt inc) *m (x pt)^T).
Proof. by compare ltac:(rewrite /U_i_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma b_i_barE pt inc : b_i_bar pt inc =
  (a_i_bar pt inc).
Proof. by compare ltac:(rewrite /b_i_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma W_o_barE pt inc : W_o_bar pt inc =
  ((a_o_bar pt inc) *m (h_1 pt)^T).
Proof. by compare ltac:(rewrite /W_o_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma U_o_barE pt inc : U_o_bar pt inc =
  ((a_o_bar pt inc) *m (x pt)^T).
Proof. by compare ltac:(rewrite /U_o_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma b_o_barE pt inc : b_o_bar pt inc =
  (a_o_bar pt inc).
Proof. by compare ltac:(rewrite /b_o_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma W_g_barE pt inc : W_g_bar pt inc =
  ((a_g_bar pt inc) *m (h_1 pt)^T).
Proof. by compare ltac:(rewrite /W_g_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma U_g_barE pt inc : U_g_bar pt inc =
  ((a_g_bar pt inc) *m (x pt)^T).
Proof. by compare ltac:(rewrite /U_g_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma b_g_barE pt inc : b_g_bar pt inc =
  (a_g_bar pt inc).
Proof. by compare ltac:(rewrite /b_g_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma x_barE pt inc : x_bar pt inc =
  ((U_f pt)^T *m (a_f_bar pt inc)) + ((U_i pt)^T *m (a_i_bar pt inc)) + ((U_o pt)^T *m (a_o_bar pt inc)) + ((U_g pt)^T *m (a_g_bar pt inc)).
Proof. by compare ltac:(rewrite /x_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma c_1_barE pt inc : c_1_bar pt inc =
  ((c_bar pt inc) .* f pt).
Proof. by compare ltac:(rewrite /c_1_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.
Lemma h_1_barE pt inc : h_1_bar pt inc =
  ((W_f pt)^T *m (a_f_bar pt inc)) + ((W_i pt)^T *m (a_i_bar pt inc)) + ((W_o pt)^T *m (a_o_bar pt inc)) + ((W_g pt)^T *m (a_g_bar pt inc)).
Proof. by compare ltac:(rewrite /h_1_bar /tanh_c_bar /g_bar /o_bar /i_bar /f_bar) ltac:(rewrite /a_f /f /a_i /i /a_o /o /a_g /g /c /tanh_c /h) ltac:(generic_adjoints pt inc). Qed.

(* A curve of everything that a step reads. *)
Record tangent_at (curve : R -> vars) (e0 : R) (dir : vars) : Prop := TangentAt {
  at_W_f : deriv_mx (fun eps => W_f (curve eps)) e0 (W_f dir);
  at_U_f : deriv_mx (fun eps => U_f (curve eps)) e0 (U_f dir);
  at_b_f : deriv_mx (fun eps => b_f (curve eps)) e0 (b_f dir);
  at_W_i : deriv_mx (fun eps => W_i (curve eps)) e0 (W_i dir);
  at_U_i : deriv_mx (fun eps => U_i (curve eps)) e0 (U_i dir);
  at_b_i : deriv_mx (fun eps => b_i (curve eps)) e0 (b_i dir);
  at_W_o : deriv_mx (fun eps => W_o (curve eps)) e0 (W_o dir);
  at_U_o : deriv_mx (fun eps => U_o (curve eps)) e0 (U_o dir);
  at_b_o : deriv_mx (fun eps => b_o (curve eps)) e0 (b_o dir);
  at_W_g : deriv_mx (fun eps => W_g (curve eps)) e0 (W_g dir);
  at_U_g : deriv_mx (fun eps => U_g (curve eps)) e0 (U_g dir);
  at_b_g : deriv_mx (fun eps => b_g (curve eps)) e0 (b_g dir);
  at_x : deriv_mx (fun eps => x (curve eps)) e0 (x dir);
  at_c_1 : deriv_mx (fun eps => c_1 (curve eps)) e0 (c_1 dir);
  at_h_1 : deriv_mx (fun eps => h_1 (curve eps)) e0 (h_1 dir) }.

(* Theorem 2: the tangents are derivatives. *)
Theorem tangents (curve : R -> vars) e0 dir :
  tangent_at curve e0 dir ->
  deriv_mx (fun eps => a_f (curve eps)) e0 (a_f_dot (curve e0) dir) /\
  deriv_mx (fun eps => f (curve eps)) e0 (f_dot (curve e0) dir) /\
  deriv_mx (fun eps => a_i (curve eps)) e0 (a_i_dot (curve e0) dir) /\
  deriv_mx (fun eps => i (curve eps)) e0 (i_dot (curve e0) dir) /\
  deriv_mx (fun eps => a_o (curve eps)) e0 (a_o_dot (curve e0) dir) /\
  deriv_mx (fun eps => o (curve eps)) e0 (o_dot (curve e0) dir) /\
  deriv_mx (fun eps => a_g (curve eps)) e0 (a_g_dot (curve e0) dir) /\
  deriv_mx (fun eps => g (curve eps)) e0 (g_dot (curve e0) dir) /\
  deriv_mx (fun eps => c (curve eps)) e0 (c_dot (curve e0) dir) /\
  deriv_mx (fun eps => tanh_c (curve eps)) e0 (tanh_c_dot (curve e0) dir) /\
  deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
Proof.
move=> ok.
have D_a_f_ : deriv_mx (fun eps => a_f (curve eps)) e0 (a_f_dot (curve e0) dir).
  rewrite a_f_dotE; exact: (curve_add (curve_add (curve_mul (at_W_f ok) (at_h_1 ok)) (curve_mul (at_U_f ok) (at_x ok))) (at_b_f ok)).
have D_f_ : deriv_mx (fun eps => f (curve eps)) e0 (f_dot (curve e0) dir).
  rewrite f_dotE; exact: (curve_sigmoid D_a_f_).
have D_a_i_ : deriv_mx (fun eps => a_i (curve eps)) e0 (a_i_dot (curve e0) dir).
  rewrite a_i_dotE; exact: (curve_add (curve_add (curve_mul (at_W_i ok) (at_h_1 ok)) (curve_mul (at_U_i ok) (at_x ok))) (at_b_i ok)).
have D_i_ : deriv_mx (fun eps => i (curve eps)) e0 (i_dot (curve e0) dir).
  rewrite i_dotE; exact: (curve_sigmoid D_a_i_).
have D_a_o_ : deriv_mx (fun eps => a_o (curve eps)) e0 (a_o_dot (curve e0) dir).
  rewrite a_o_dotE; exact: (curve_add (curve_add (curve_mul (at_W_o ok) (at_h_1 ok)) (curve_mul (at_U_o ok) (at_x ok))) (at_b_o ok)).
have D_o_ : deriv_mx (fun eps => o (curve eps)) e0 (o_dot (curve e0) dir).
  rewrite o_dotE; exact: (curve_sigmoid D_a_o_).
have D_a_g_ : deriv_mx (fun eps => a_g (curve eps)) e0 (a_g_dot (curve e0) dir).
  rewrite a_g_dotE; exact: (curve_add (curve_add (curve_mul (at_W_g ok) (at_h_1 ok)) (curve_mul (at_U_g ok) (at_x ok))) (at_b_g ok)).
have D_g_ : deriv_mx (fun eps => g (curve eps)) e0 (g_dot (curve e0) dir).
  rewrite g_dotE; exact: (curve_tanh D_a_g_).
have D_c_ : deriv_mx (fun eps => c (curve eps)) e0 (c_dot (curve e0) dir).
  rewrite c_dotE; exact: (curve_add (curve_had D_f_ (at_c_1 ok)) (curve_had D_i_ D_g_)).
have D_tanh_c_ : deriv_mx (fun eps => tanh_c (curve eps)) e0 (tanh_c_dot (curve e0) dir).
  rewrite tanh_c_dotE; exact: (curve_tanh D_c_).
have D_h_ : deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
  rewrite h_dotE; exact: (curve_had D_o_ D_tanh_c_).
exact: (conj D_a_f_ (conj D_f_ (conj D_a_i_ (conj D_i_ (conj D_a_o_ (conj D_o_ (conj D_a_g_ (conj D_g_ (conj D_c_ (conj D_tanh_c_ D_h_)))))))))).
Qed.
Lemma c_curve (curve : R -> vars) e0 dir : tangent_at curve e0 dir ->
  deriv_mx (fun eps => c (curve eps)) e0 (c_dot (curve e0) dir).
Proof. by move=> ok; have := tangents ok; tauto. Qed.
Lemma h_curve (curve : R -> vars) e0 dir : tangent_at curve e0 dir ->
  deriv_mx (fun eps => h (curve eps)) e0 (h_dot (curve e0) dir).
Proof. by move=> ok; have := tangents ok; tauto. Qed.

(* Each line, from its adjoint to what it reads. *)
Lemma a_f_line pt dir G_ : ⟨G_, a_f_dot pt dir⟩ =
  ⟨(G_ *m (h_1 pt)^T), W_f dir⟩ + ⟨((W_f pt)^T *m G_), h_1 dir⟩ + ⟨(G_ *m (x pt)^T), U_f dir⟩ + ⟨((U_f pt)^T *m G_), x dir⟩ + ⟨G_, b_f dir⟩.
Proof. by rewrite a_f_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma f_line pt dir G_ : ⟨G_, f_dot pt dir⟩ =
  ⟨(G_ .* (d_sigmoid (f pt))), a_f_dot pt dir⟩.
Proof. by rewrite f_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_i_line pt dir G_ : ⟨G_, a_i_dot pt dir⟩ =
  ⟨(G_ *m (h_1 pt)^T), W_i dir⟩ + ⟨((W_i pt)^T *m G_), h_1 dir⟩ + ⟨(G_ *m (x pt)^T), U_i dir⟩ + ⟨((U_i pt)^T *m G_), x dir⟩ + ⟨G_, b_i dir⟩.
Proof. by rewrite a_i_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma i_line pt dir G_ : ⟨G_, i_dot pt dir⟩ =
  ⟨(G_ .* (d_sigmoid (i pt))), a_i_dot pt dir⟩.
Proof. by rewrite i_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_o_line pt dir G_ : ⟨G_, a_o_dot pt dir⟩ =
  ⟨(G_ *m (h_1 pt)^T), W_o dir⟩ + ⟨((W_o pt)^T *m G_), h_1 dir⟩ + ⟨(G_ *m (x pt)^T), U_o dir⟩ + ⟨((U_o pt)^T *m G_), x dir⟩ + ⟨G_, b_o dir⟩.
Proof. by rewrite a_o_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma o_line pt dir G_ : ⟨G_, o_dot pt dir⟩ =
  ⟨(G_ .* (d_sigmoid (o pt))), a_o_dot pt dir⟩.
Proof. by rewrite o_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_g_line pt dir G_ : ⟨G_, a_g_dot pt dir⟩ =
  ⟨(G_ *m (h_1 pt)^T), W_g dir⟩ + ⟨((W_g pt)^T *m G_), h_1 dir⟩ + ⟨(G_ *m (x pt)^T), U_g dir⟩ + ⟨((U_g pt)^T *m G_), x dir⟩ + ⟨G_, b_g dir⟩.
Proof. by rewrite a_g_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma g_line pt dir G_ : ⟨G_, g_dot pt dir⟩ =
  ⟨(G_ .* (d_tanh (g pt))), a_g_dot pt dir⟩.
Proof. by rewrite g_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma c_line pt dir G_ : ⟨G_, c_dot pt dir⟩ =
  ⟨(G_ .* c_1 pt), f_dot pt dir⟩ + ⟨(G_ .* f pt), c_1 dir⟩ + ⟨(G_ .* g pt), i_dot pt dir⟩ + ⟨(G_ .* i pt), g_dot pt dir⟩.
Proof. by rewrite c_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma tanh_c_line pt dir G_ : ⟨G_, tanh_c_dot pt dir⟩ =
  ⟨(G_ .* (d_tanh (tanh_c pt))), c_dot pt dir⟩.
Proof. by rewrite tanh_c_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma h_line pt dir G_ : ⟨G_, h_dot pt dir⟩ =
  ⟨(G_ .* tanh_c pt), o_dot pt dir⟩ + ⟨(G_ .* o pt), tanh_c_dot pt dir⟩.
Proof. by rewrite h_dotE !duals ?addr0 ?add0r ?addrA. Qed.
Lemma a_f_bar_sum pt inc X_ : ⟨a_f_bar pt inc, X_⟩ =
  ⟨((f_bar pt inc) .* (d_sigmoid (f pt))), X_⟩.
Proof. by rewrite a_f_barE ?dotDl ?dot0l. Qed.
Lemma f_bar_sum pt inc X_ : ⟨f_bar pt inc, X_⟩ =
  ⟨((c_bar pt inc) .* c_1 pt), X_⟩.
Proof. by rewrite f_barE ?dotDl ?dot0l. Qed.
Lemma a_i_bar_sum pt inc X_ : ⟨a_i_bar pt inc, X_⟩ =
  ⟨((i_bar pt inc) .* (d_sigmoid (i pt))), X_⟩.
Proof. by rewrite a_i_barE ?dotDl ?dot0l. Qed.
Lemma i_bar_sum pt inc X_ : ⟨i_bar pt inc, X_⟩ =
  ⟨((c_bar pt inc) .* g pt), X_⟩.
Proof. by rewrite i_barE ?dotDl ?dot0l. Qed.
Lemma a_o_bar_sum pt inc X_ : ⟨a_o_bar pt inc, X_⟩ =
  ⟨((o_bar pt inc) .* (d_sigmoid (o pt))), X_⟩.
Proof. by rewrite a_o_barE ?dotDl ?dot0l. Qed.
Lemma o_bar_sum pt inc X_ : ⟨o_bar pt inc, X_⟩ =
  ⟨((h_bar pt inc) .* tanh_c pt), X_⟩.
Proof. by rewrite o_barE ?dotDl ?dot0l. Qed.
Lemma a_g_bar_sum pt inc X_ : ⟨a_g_bar pt inc, X_⟩ =
  ⟨((g_bar pt inc) .* (d_tanh (g pt))), X_⟩.
Proof. by rewrite a_g_barE ?dotDl ?dot0l. Qed.
Lemma g_bar_sum pt inc X_ : ⟨g_bar pt inc, X_⟩ =
  ⟨((c_bar pt inc) .* i pt), X_⟩.
Proof. by rewrite g_barE ?dotDl ?dot0l. Qed.
Lemma c_bar_sum pt inc X_ : ⟨c_bar pt inc, X_⟩ =
  ⟨c_in inc, X_⟩ + ⟨((tanh_c_bar pt inc) .* (d_tanh (tanh_c pt))), X_⟩.
Proof. by rewrite c_barE ?dotDl ?dot0l. Qed.
Lemma tanh_c_bar_sum pt inc X_ : ⟨tanh_c_bar pt inc, X_⟩ =
  ⟨((h_bar pt inc) .* o pt), X_⟩.
Proof. by rewrite tanh_c_barE ?dotDl ?dot0l. Qed.
Lemma h_bar_sum pt inc X_ : ⟨h_bar pt inc, X_⟩ =
  ⟨h_in inc, X_⟩.
Proof. by rewrite h_barE ?dotDl ?dot0l. Qed.
Lemma W_f_bar_sum pt inc X_ : ⟨W_f_bar pt inc, X_⟩ =
  ⟨((a_f_bar pt inc) *m (h_1 pt)^T), X_⟩.
Proof. by rewrite W_f_barE ?dotDl ?dot0l. Qed.
Lemma U_f_bar_sum pt inc X_ : ⟨U_f_bar pt inc, X_⟩ =
  ⟨((a_f_bar pt inc) *m (x pt)^T), X_⟩.
Proof. by rewrite U_f_barE ?dotDl ?dot0l. Qed.
Lemma b_f_bar_sum pt inc X_ : ⟨b_f_bar pt inc, X_⟩ =
  ⟨(a_f_bar pt inc), X_⟩.
Proof. by rewrite b_f_barE ?dotDl ?dot0l. Qed.
Lemma W_i_bar_sum pt inc X_ : ⟨W_i_bar pt inc, X_⟩ =
  ⟨((a_i_bar pt inc) *m (h_1 pt)^T), X_⟩.
Proof. by rewrite W_i_barE ?dotDl ?dot0l. Qed.
Lemma U_i_bar_sum pt inc X_ : ⟨U_i_bar pt inc, X_⟩ =
  ⟨((a_i_bar pt inc) *m (x pt)^T), X_⟩.
Proof. by rewrite U_i_barE ?dotDl ?dot0l. Qed.
Lemma b_i_bar_sum pt inc X_ : ⟨b_i_bar pt inc, X_⟩ =
  ⟨(a_i_bar pt inc), X_⟩.
Proof. by rewrite b_i_barE ?dotDl ?dot0l. Qed.
Lemma W_o_bar_sum pt inc X_ : ⟨W_o_bar pt inc, X_⟩ =
  ⟨((a_o_bar pt inc) *m (h_1 pt)^T), X_⟩.
Proof. by rewrite W_o_barE ?dotDl ?dot0l. Qed.
Lemma U_o_bar_sum pt inc X_ : ⟨U_o_bar pt inc, X_⟩ =
  ⟨((a_o_bar pt inc) *m (x pt)^T), X_⟩.
Proof. by rewrite U_o_barE ?dotDl ?dot0l. Qed.
Lemma b_o_bar_sum pt inc X_ : ⟨b_o_bar pt inc, X_⟩ =
  ⟨(a_o_bar pt inc), X_⟩.
Proof. by rewrite b_o_barE ?dotDl ?dot0l. Qed.
Lemma W_g_bar_sum pt inc X_ : ⟨W_g_bar pt inc, X_⟩ =
  ⟨((a_g_bar pt inc) *m (h_1 pt)^T), X_⟩.
Proof. by rewrite W_g_barE ?dotDl ?dot0l. Qed.
Lemma U_g_bar_sum pt inc X_ : ⟨U_g_bar pt inc, X_⟩ =
  ⟨((a_g_bar pt inc) *m (x pt)^T), X_⟩.
Proof. by rewrite U_g_barE ?dotDl ?dot0l. Qed.
Lemma b_g_bar_sum pt inc X_ : ⟨b_g_bar pt inc, X_⟩ =
  ⟨(a_g_bar pt inc), X_⟩.
Proof. by rewrite b_g_barE ?dotDl ?dot0l. Qed.
Lemma x_bar_sum pt inc X_ : ⟨x_bar pt inc, X_⟩ =
  ⟨((U_f pt)^T *m (a_f_bar pt inc)), X_⟩ + ⟨((U_i pt)^T *m (a_i_bar pt inc)), X_⟩ + ⟨((U_o pt)^T *m (a_o_bar pt inc)), X_⟩ + ⟨((U_g pt)^T *m (a_g_bar pt inc)), X_⟩.
Proof. by rewrite x_barE ?dotDl ?dot0l. Qed.
Lemma c_1_bar_sum pt inc X_ : ⟨c_1_bar pt inc, X_⟩ =
  ⟨((c_bar pt inc) .* f pt), X_⟩.
Proof. by rewrite c_1_barE ?dotDl ?dot0l. Qed.
Lemma h_1_bar_sum pt inc X_ : ⟨h_1_bar pt inc, X_⟩ =
  ⟨((W_f pt)^T *m (a_f_bar pt inc)), X_⟩ + ⟨((W_i pt)^T *m (a_i_bar pt inc)), X_⟩ + ⟨((W_o pt)^T *m (a_o_bar pt inc)), X_⟩ + ⟨((W_g pt)^T *m (a_g_bar pt inc)), X_⟩.
Proof. by rewrite h_1_barE ?dotDl ?dot0l. Qed.

(* Theorem 1: the backward equations are the adjoint of the tangent equations. *)
Theorem duality pt dir inc :
  ⟨c_in inc, c_dot pt dir⟩ + ⟨h_in inc, h_dot pt dir⟩ =
  ⟨W_f_bar pt inc, W_f dir⟩ + ⟨U_f_bar pt inc, U_f dir⟩ + ⟨b_f_bar pt inc, b_f dir⟩ + ⟨W_i_bar pt inc, W_i dir⟩ + ⟨U_i_bar pt inc, U_i dir⟩ + ⟨b_i_bar pt inc, b_i dir⟩ + ⟨W_o_bar pt inc, W_o dir⟩ + ⟨U_o_bar pt inc, U_o dir⟩ + ⟨b_o_bar pt inc, b_o dir⟩ + ⟨W_g_bar pt inc, W_g dir⟩ + ⟨U_g_bar pt inc, U_g dir⟩ + ⟨b_g_bar pt inc, b_g dir⟩ + ⟨x_bar pt inc, x dir⟩ + ⟨c_1_bar pt inc, c_1 dir⟩ + ⟨h_1_bar pt inc, h_1 dir⟩.
Proof.
have L_eq : ⟨a_f_bar pt inc, a_f_dot pt dir⟩ + ⟨f_bar pt inc, f_dot pt dir⟩ + ⟨a_i_bar pt inc, a_i_dot pt dir⟩ + ⟨i_bar pt inc, i_dot pt dir⟩ + ⟨a_o_bar pt inc, a_o_dot pt dir⟩ + ⟨o_bar pt inc, o_dot pt dir⟩ + ⟨a_g_bar pt inc, a_g_dot pt dir⟩ + ⟨g_bar pt inc, g_dot pt dir⟩ + ⟨c_bar pt inc, c_dot pt dir⟩ + ⟨tanh_c_bar pt inc, tanh_c_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩ =
  (⟨((a_f_bar pt inc) *m (h_1 pt)^T), W_f dir⟩ + ⟨((W_f pt)^T *m (a_f_bar pt inc)), h_1 dir⟩ + ⟨((a_f_bar pt inc) *m (x pt)^T), U_f dir⟩ + ⟨((U_f pt)^T *m (a_f_bar pt inc)), x dir⟩ + ⟨(a_f_bar pt inc), b_f dir⟩) + (⟨((f_bar pt inc) .* (d_sigmoid (f pt))), a_f_dot pt dir⟩) + (⟨((a_i_bar pt inc) *m (h_1 pt)^T), W_i dir⟩ + ⟨((W_i pt)^T *m (a_i_bar pt inc)), h_1 dir⟩ + ⟨((a_i_bar pt inc) *m (x pt)^T), U_i dir⟩ + ⟨((U_i pt)^T *m (a_i_bar pt inc)), x dir⟩ + ⟨(a_i_bar pt inc), b_i dir⟩) + (⟨((i_bar pt inc) .* (d_sigmoid (i pt))), a_i_dot pt dir⟩) + (⟨((a_o_bar pt inc) *m (h_1 pt)^T), W_o dir⟩ + ⟨((W_o pt)^T *m (a_o_bar pt inc)), h_1 dir⟩ + ⟨((a_o_bar pt inc) *m (x pt)^T), U_o dir⟩ + ⟨((U_o pt)^T *m (a_o_bar pt inc)), x dir⟩ + ⟨(a_o_bar pt inc), b_o dir⟩) + (⟨((o_bar pt inc) .* (d_sigmoid (o pt))), a_o_dot pt dir⟩) + (⟨((a_g_bar pt inc) *m (h_1 pt)^T), W_g dir⟩ + ⟨((W_g pt)^T *m (a_g_bar pt inc)), h_1 dir⟩ + ⟨((a_g_bar pt inc) *m (x pt)^T), U_g dir⟩ + ⟨((U_g pt)^T *m (a_g_bar pt inc)), x dir⟩ + ⟨(a_g_bar pt inc), b_g dir⟩) + (⟨((g_bar pt inc) .* (d_tanh (g pt))), a_g_dot pt dir⟩) + (⟨((c_bar pt inc) .* c_1 pt), f_dot pt dir⟩ + ⟨((c_bar pt inc) .* f pt), c_1 dir⟩ + ⟨((c_bar pt inc) .* g pt), i_dot pt dir⟩ + ⟨((c_bar pt inc) .* i pt), g_dot pt dir⟩) + (⟨((tanh_c_bar pt inc) .* (d_tanh (tanh_c pt))), c_dot pt dir⟩) + (⟨((h_bar pt inc) .* tanh_c pt), o_dot pt dir⟩ + ⟨((h_bar pt inc) .* o pt), tanh_c_dot pt dir⟩) :=
  (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (a_f_line pt dir (a_f_bar pt inc)) (f_line pt dir (f_bar pt inc))) (a_i_line pt dir (a_i_bar pt inc))) (i_line pt dir (i_bar pt inc))) (a_o_line pt dir (a_o_bar pt inc))) (o_line pt dir (o_bar pt inc))) (a_g_line pt dir (a_g_bar pt inc))) (g_line pt dir (g_bar pt inc))) (c_line pt dir (c_bar pt inc))) (tanh_c_line pt dir (tanh_c_bar pt inc))) (h_line pt dir (h_bar pt inc))).
have A_eq : ⟨a_f_bar pt inc, a_f_dot pt dir⟩ + ⟨f_bar pt inc, f_dot pt dir⟩ + ⟨a_i_bar pt inc, a_i_dot pt dir⟩ + ⟨i_bar pt inc, i_dot pt dir⟩ + ⟨a_o_bar pt inc, a_o_dot pt dir⟩ + ⟨o_bar pt inc, o_dot pt dir⟩ + ⟨a_g_bar pt inc, a_g_dot pt dir⟩ + ⟨g_bar pt inc, g_dot pt dir⟩ + ⟨c_bar pt inc, c_dot pt dir⟩ + ⟨tanh_c_bar pt inc, tanh_c_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩ =
  (⟨((f_bar pt inc) .* (d_sigmoid (f pt))), a_f_dot pt dir⟩) + (⟨((c_bar pt inc) .* c_1 pt), f_dot pt dir⟩) + (⟨((i_bar pt inc) .* (d_sigmoid (i pt))), a_i_dot pt dir⟩) + (⟨((c_bar pt inc) .* g pt), i_dot pt dir⟩) + (⟨((o_bar pt inc) .* (d_sigmoid (o pt))), a_o_dot pt dir⟩) + (⟨((h_bar pt inc) .* tanh_c pt), o_dot pt dir⟩) + (⟨((g_bar pt inc) .* (d_tanh (g pt))), a_g_dot pt dir⟩) + (⟨((c_bar pt inc) .* i pt), g_dot pt dir⟩) + (⟨c_in inc, c_dot pt dir⟩ + ⟨((tanh_c_bar pt inc) .* (d_tanh (tanh_c pt))), c_dot pt dir⟩) + (⟨((h_bar pt inc) .* o pt), tanh_c_dot pt dir⟩) + (⟨h_in inc, h_dot pt dir⟩) :=
  (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (a_f_bar_sum pt inc (a_f_dot pt dir)) (f_bar_sum pt inc (f_dot pt dir))) (a_i_bar_sum pt inc (a_i_dot pt dir))) (i_bar_sum pt inc (i_dot pt dir))) (a_o_bar_sum pt inc (a_o_dot pt dir))) (o_bar_sum pt inc (o_dot pt dir))) (a_g_bar_sum pt inc (a_g_dot pt dir))) (g_bar_sum pt inc (g_dot pt dir))) (c_bar_sum pt inc (c_dot pt dir))) (tanh_c_bar_sum pt inc (tanh_c_dot pt dir))) (h_bar_sum pt inc (h_dot pt dir))).
have U_eq : ⟨W_f_bar pt inc, W_f dir⟩ + ⟨U_f_bar pt inc, U_f dir⟩ + ⟨b_f_bar pt inc, b_f dir⟩ + ⟨W_i_bar pt inc, W_i dir⟩ + ⟨U_i_bar pt inc, U_i dir⟩ + ⟨b_i_bar pt inc, b_i dir⟩ + ⟨W_o_bar pt inc, W_o dir⟩ + ⟨U_o_bar pt inc, U_o dir⟩ + ⟨b_o_bar pt inc, b_o dir⟩ + ⟨W_g_bar pt inc, W_g dir⟩ + ⟨U_g_bar pt inc, U_g dir⟩ + ⟨b_g_bar pt inc, b_g dir⟩ + ⟨x_bar pt inc, x dir⟩ + ⟨c_1_bar pt inc, c_1 dir⟩ + ⟨h_1_bar pt inc, h_1 dir⟩ =
  (⟨((a_f_bar pt inc) *m (h_1 pt)^T), W_f dir⟩) + (⟨((a_f_bar pt inc) *m (x pt)^T), U_f dir⟩) + (⟨(a_f_bar pt inc), b_f dir⟩) + (⟨((a_i_bar pt inc) *m (h_1 pt)^T), W_i dir⟩) + (⟨((a_i_bar pt inc) *m (x pt)^T), U_i dir⟩) + (⟨(a_i_bar pt inc), b_i dir⟩) + (⟨((a_o_bar pt inc) *m (h_1 pt)^T), W_o dir⟩) + (⟨((a_o_bar pt inc) *m (x pt)^T), U_o dir⟩) + (⟨(a_o_bar pt inc), b_o dir⟩) + (⟨((a_g_bar pt inc) *m (h_1 pt)^T), W_g dir⟩) + (⟨((a_g_bar pt inc) *m (x pt)^T), U_g dir⟩) + (⟨(a_g_bar pt inc), b_g dir⟩) + (⟨((U_f pt)^T *m (a_f_bar pt inc)), x dir⟩ + ⟨((U_i pt)^T *m (a_i_bar pt inc)), x dir⟩ + ⟨((U_o pt)^T *m (a_o_bar pt inc)), x dir⟩ + ⟨((U_g pt)^T *m (a_g_bar pt inc)), x dir⟩) + (⟨((c_bar pt inc) .* f pt), c_1 dir⟩) + (⟨((W_f pt)^T *m (a_f_bar pt inc)), h_1 dir⟩ + ⟨((W_i pt)^T *m (a_i_bar pt inc)), h_1 dir⟩ + ⟨((W_o pt)^T *m (a_o_bar pt inc)), h_1 dir⟩ + ⟨((W_g pt)^T *m (a_g_bar pt inc)), h_1 dir⟩) :=
  (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (W_f_bar_sum pt inc (W_f dir)) (U_f_bar_sum pt inc (U_f dir))) (b_f_bar_sum pt inc (b_f dir))) (W_i_bar_sum pt inc (W_i dir))) (U_i_bar_sum pt inc (U_i dir))) (b_i_bar_sum pt inc (b_i dir))) (W_o_bar_sum pt inc (W_o dir))) (U_o_bar_sum pt inc (U_o dir))) (b_o_bar_sum pt inc (b_o dir))) (W_g_bar_sum pt inc (W_g dir))) (U_g_bar_sum pt inc (U_g dir))) (b_g_bar_sum pt inc (b_g dir))) (x_bar_sum pt inc (x dir))) (c_1_bar_sum pt inc (c_1 dir))) (h_1_bar_sum pt inc (h_1 dir))).
apply: (addIr (⟨a_f_bar pt inc, a_f_dot pt dir⟩ + ⟨f_bar pt inc, f_dot pt dir⟩ + ⟨a_i_bar pt inc, a_i_dot pt dir⟩ + ⟨i_bar pt inc, i_dot pt dir⟩ + ⟨a_o_bar pt inc, a_o_dot pt dir⟩ + ⟨o_bar pt inc, o_dot pt dir⟩ + ⟨a_g_bar pt inc, a_g_dot pt dir⟩ + ⟨g_bar pt inc, g_dot pt dir⟩ + ⟨c_bar pt inc, c_dot pt dir⟩ + ⟨tanh_c_bar pt inc, tanh_c_dot pt dir⟩ + ⟨h_bar pt inc, h_dot pt dir⟩)).
transitivity (⟨c_in inc, c_dot pt dir⟩ + ⟨h_in inc, h_dot pt dir⟩ + ((⟨((a_f_bar pt inc) *m (h_1 pt)^T), W_f dir⟩ + ⟨((W_f pt)^T *m (a_f_bar pt inc)), h_1 dir⟩ + ⟨((a_f_bar pt inc) *m (x pt)^T), U_f dir⟩ + ⟨((U_f pt)^T *m (a_f_bar pt inc)), x dir⟩ + ⟨(a_f_bar pt inc), b_f dir⟩) + (⟨((f_bar pt inc) .* (d_sigmoid (f pt))), a_f_dot pt dir⟩) + (⟨((a_i_bar pt inc) *m (h_1 pt)^T), W_i dir⟩ + ⟨((W_i pt)^T *m (a_i_bar pt inc)), h_1 dir⟩ + ⟨((a_i_bar pt inc) *m (x pt)^T), U_i dir⟩ + ⟨((U_i pt)^T *m (a_i_bar pt inc)), x dir⟩ + ⟨(a_i_bar pt inc), b_i dir⟩) + (⟨((i_bar pt inc) .* (d_sigmoid (i pt))), a_i_dot pt dir⟩) + (⟨((a_o_bar pt inc) *m (h_1 pt)^T), W_o dir⟩ + ⟨((W_o pt)^T *m (a_o_bar pt inc)), h_1 dir⟩ + ⟨((a_o_bar pt inc) *m (x pt)^T), U_o dir⟩ + ⟨((U_o pt)^T *m (a_o_bar pt inc)), x dir⟩ + ⟨(a_o_bar pt inc), b_o dir⟩) + (⟨((o_bar pt inc) .* (d_sigmoid (o pt))), a_o_dot pt dir⟩) + (⟨((a_g_bar pt inc) *m (h_1 pt)^T), W_g dir⟩ + ⟨((W_g pt)^T *m (a_g_bar pt inc)), h_1 dir⟩ + ⟨((a_g_bar pt inc) *m (x pt)^T), U_g dir⟩ + ⟨((U_g pt)^T *m (a_g_bar pt inc)), x dir⟩ + ⟨(a_g_bar pt inc), b_g dir⟩) + (⟨((g_bar pt inc) .* (d_tanh (g pt))), a_g_dot pt dir⟩) + (⟨((c_bar pt inc) .* c_1 pt), f_dot pt dir⟩ + ⟨((c_bar pt inc) .* f pt), c_1 dir⟩ + ⟨((c_bar pt inc) .* g pt), i_dot pt dir⟩ + ⟨((c_bar pt inc) .* i pt), g_dot pt dir⟩) + (⟨((tanh_c_bar pt inc) .* (d_tanh (tanh_c pt))), c_dot pt dir⟩) + (⟨((h_bar pt inc) .* tanh_c pt), o_dot pt dir⟩ + ⟨((h_bar pt inc) .* o pt), tanh_c_dot pt dir⟩))); first exact: eq_add erefl L_eq.
transitivity (((⟨((a_f_bar pt inc) *m (h_1 pt)^T), W_f dir⟩) + (⟨((a_f_bar pt inc) *m (x pt)^T), U_f dir⟩) + (⟨(a_f_bar pt inc), b_f dir⟩) + (⟨((a_i_bar pt inc) *m (h_1 pt)^T), W_i dir⟩) + (⟨((a_i_bar pt inc) *m (x pt)^T), U_i dir⟩) + (⟨(a_i_bar pt inc), b_i dir⟩) + (⟨((a_o_bar pt inc) *m (h_1 pt)^T), W_o dir⟩) + (⟨((a_o_bar pt inc) *m (x pt)^T), U_o dir⟩) + (⟨(a_o_bar pt inc), b_o dir⟩) + (⟨((a_g_bar pt inc) *m (h_1 pt)^T), W_g dir⟩) + (⟨((a_g_bar pt inc) *m (x pt)^T), U_g dir⟩) + (⟨(a_g_bar pt inc), b_g dir⟩) + (⟨((U_f pt)^T *m (a_f_bar pt inc)), x dir⟩ + ⟨((U_i pt)^T *m (a_i_bar pt inc)), x dir⟩ + ⟨((U_o pt)^T *m (a_o_bar pt inc)), x dir⟩ + ⟨((U_g pt)^T *m (a_g_bar pt inc)), x dir⟩) + (⟨((c_bar pt inc) .* f pt), c_1 dir⟩) + (⟨((W_f pt)^T *m (a_f_bar pt inc)), h_1 dir⟩ + ⟨((W_i pt)^T *m (a_i_bar pt inc)), h_1 dir⟩ + ⟨((W_o pt)^T *m (a_o_bar pt inc)), h_1 dir⟩ + ⟨((W_g pt)^T *m (a_g_bar pt inc)), h_1 dir⟩)) + ((⟨((f_bar pt inc) .* (d_sigmoid (f pt))), a_f_dot pt dir⟩) + (⟨((c_bar pt inc) .* c_1 pt), f_dot pt dir⟩) + (⟨((i_bar pt inc) .* (d_sigmoid (i pt))), a_i_dot pt dir⟩) + (⟨((c_bar pt inc) .* g pt), i_dot pt dir⟩) + (⟨((o_bar pt inc) .* (d_sigmoid (o pt))), a_o_dot pt dir⟩) + (⟨((h_bar pt inc) .* tanh_c pt), o_dot pt dir⟩) + (⟨((g_bar pt inc) .* (d_tanh (g pt))), a_g_dot pt dir⟩) + (⟨((c_bar pt inc) .* i pt), g_dot pt dir⟩) + (⟨c_in inc, c_dot pt dir⟩ + ⟨((tanh_c_bar pt inc) .* (d_tanh (tanh_c pt))), c_dot pt dir⟩) + (⟨((h_bar pt inc) .* o pt), tanh_c_dot pt dir⟩) + (⟨h_in inc, h_dot pt dir⟩))); last exact: esym (eq_add U_eq A_eq).
clear L_eq A_eq U_eq.
generalize ⟨((a_f_bar pt inc) *m (h_1 pt)^T), W_f dir⟩;
generalize ⟨((W_f pt)^T *m (a_f_bar pt inc)), h_1 dir⟩;
generalize ⟨((a_f_bar pt inc) *m (x pt)^T), U_f dir⟩;
generalize ⟨((U_f pt)^T *m (a_f_bar pt inc)), x dir⟩;
generalize ⟨(a_f_bar pt inc), b_f dir⟩;
generalize ⟨((f_bar pt inc) .* (d_sigmoid (f pt))), a_f_dot pt dir⟩;
generalize ⟨((a_i_bar pt inc) *m (h_1 pt)^T), W_i dir⟩;
generalize ⟨((W_i pt)^T *m (a_i_bar pt inc)), h_1 dir⟩;
generalize ⟨((a_i_bar pt inc) *m (x pt)^T), U_i dir⟩;
generalize ⟨((U_i pt)^T *m (a_i_bar pt inc)), x dir⟩;
generalize ⟨(a_i_bar pt inc), b_i dir⟩;
generalize ⟨((i_bar pt inc) .* (d_sigmoid (i pt))), a_i_dot pt dir⟩;
generalize ⟨((a_o_bar pt inc) *m (h_1 pt)^T), W_o dir⟩;
generalize ⟨((W_o pt)^T *m (a_o_bar pt inc)), h_1 dir⟩;
generalize ⟨((a_o_bar pt inc) *m (x pt)^T), U_o dir⟩;
generalize ⟨((U_o pt)^T *m (a_o_bar pt inc)), x dir⟩;
generalize ⟨(a_o_bar pt inc), b_o dir⟩;
generalize ⟨((o_bar pt inc) .* (d_sigmoid (o pt))), a_o_dot pt dir⟩;
generalize ⟨((a_g_bar pt inc) *m (h_1 pt)^T), W_g dir⟩;
generalize ⟨((W_g pt)^T *m (a_g_bar pt inc)), h_1 dir⟩;
generalize ⟨((a_g_bar pt inc) *m (x pt)^T), U_g dir⟩;
generalize ⟨((U_g pt)^T *m (a_g_bar pt inc)), x dir⟩;
generalize ⟨(a_g_bar pt inc), b_g dir⟩;
generalize ⟨((g_bar pt inc) .* (d_tanh (g pt))), a_g_dot pt dir⟩;
generalize ⟨((c_bar pt inc) .* c_1 pt), f_dot pt dir⟩;
generalize ⟨((c_bar pt inc) .* f pt), c_1 dir⟩;
generalize ⟨((c_bar pt inc) .* g pt), i_dot pt dir⟩;
generalize ⟨((c_bar pt inc) .* i pt), g_dot pt dir⟩;
generalize ⟨((tanh_c_bar pt inc) .* (d_tanh (tanh_c pt))), c_dot pt dir⟩;
generalize ⟨((h_bar pt inc) .* tanh_c pt), o_dot pt dir⟩;
generalize ⟨((h_bar pt inc) .* o pt), tanh_c_dot pt dir⟩;
generalize ⟨c_in inc, c_dot pt dir⟩;
generalize ⟨h_in inc, h_dot pt dir⟩;
intros.
by ring.
Qed.

(* A run: parameters shared by all steps, each step reads what earlier ones made. *)
Record run (pt : nat -> R -> vars) : Prop := Run {
  run_W_f : forall t eps, W_f (pt t eps) = W_f (pt 0%N eps);
  run_U_f : forall t eps, U_f (pt t eps) = U_f (pt 0%N eps);
  run_b_f : forall t eps, b_f (pt t eps) = b_f (pt 0%N eps);
  run_W_i : forall t eps, W_i (pt t eps) = W_i (pt 0%N eps);
  run_U_i : forall t eps, U_i (pt t eps) = U_i (pt 0%N eps);
  run_b_i : forall t eps, b_i (pt t eps) = b_i (pt 0%N eps);
  run_W_o : forall t eps, W_o (pt t eps) = W_o (pt 0%N eps);
  run_U_o : forall t eps, U_o (pt t eps) = U_o (pt 0%N eps);
  run_b_o : forall t eps, b_o (pt t eps) = b_o (pt 0%N eps);
  run_W_g : forall t eps, W_g (pt t eps) = W_g (pt 0%N eps);
  run_U_g : forall t eps, U_g (pt t eps) = U_g (pt 0%N eps);
  run_b_g : forall t eps, b_g (pt t eps) = b_g (pt 0%N eps);
  run_c_1 : forall t eps, c_1 (pt t.+1 eps) = c (pt t eps);
  run_h_1 : forall t eps, h_1 (pt t.+1 eps) = h (pt t eps) }.

(* How parameters, inputs and initial values move along the curve. *)
Record moves (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars) : Prop := Moves {
  moves_W_f : deriv_mx (fun eps => W_f (pt 0%N eps)) e0 (W_f (dir 0%N));
  moves_U_f : deriv_mx (fun eps => U_f (pt 0%N eps)) e0 (U_f (dir 0%N));
  moves_b_f : deriv_mx (fun eps => b_f (pt 0%N eps)) e0 (b_f (dir 0%N));
  moves_W_i : deriv_mx (fun eps => W_i (pt 0%N eps)) e0 (W_i (dir 0%N));
  moves_U_i : deriv_mx (fun eps => U_i (pt 0%N eps)) e0 (U_i (dir 0%N));
  moves_b_i : deriv_mx (fun eps => b_i (pt 0%N eps)) e0 (b_i (dir 0%N));
  moves_W_o : deriv_mx (fun eps => W_o (pt 0%N eps)) e0 (W_o (dir 0%N));
  moves_U_o : deriv_mx (fun eps => U_o (pt 0%N eps)) e0 (U_o (dir 0%N));
  moves_b_o : deriv_mx (fun eps => b_o (pt 0%N eps)) e0 (b_o (dir 0%N));
  moves_W_g : deriv_mx (fun eps => W_g (pt 0%N eps)) e0 (W_g (dir 0%N));
  moves_U_g : deriv_mx (fun eps => U_g (pt 0%N eps)) e0 (U_g (dir 0%N));
  moves_b_g : deriv_mx (fun eps => b_g (pt 0%N eps)) e0 (b_g (dir 0%N));
  moves_x : forall t, deriv_mx (fun eps => x (pt t eps)) e0 (x (dir t));
  moves_c_1 : deriv_mx (fun eps => c_1 (pt 0%N eps)) e0 (c_1 (dir 0%N));
  moves_h_1 : deriv_mx (fun eps => h_1 (pt 0%N eps)) e0 (h_1 (dir 0%N)) }.

(* slope is the gradient of the loss at a point: along every curve through it. *)
Definition loss_gradient (loss : 'M[R]_(n, 1) -> 'M[R]_(n, 1) -> R) (pt : vars) (slope : incoming) : Prop :=
  forall (e0 : R) (c0_ : R -> 'M[R]_(n, 1)) (d0_ : 'M[R]_(n, 1)) (c1_ : R -> 'M[R]_(n, 1)) (d1_ : 'M[R]_(n, 1)),
  c0_ e0 = c pt -> deriv_mx c0_ e0 d0_ ->
  c1_ e0 = h pt -> deriv_mx c1_ e0 d1_ ->
  deriv (fun eps => loss (c0_ eps) (c1_ eps)) e0 (⟨c_in slope, d0_⟩ + ⟨h_in slope, d1_⟩).

(* The adjoints of a run of T steps: own loss, and what later steps send back. *)
Record adjoints (T : nat) (pt : nat -> vars) (slope inc : nat -> incoming) : Prop := Adjoints {
  sent_c : forall t, (t < T)%N -> c_in (inc t) =
    c_in (slope t) +
    before T t.+1 (c_1_bar (pt t.+1) (inc t.+1));
  sent_h : forall t, (t < T)%N -> h_in (inc t) =
    h_in (slope t) +
    before T t.+1 (h_1_bar (pt t.+1) (inc t.+1)) }.

Section Sequence.
Variables (T : nat) (pt : nat -> R -> vars) (e0 : R) (dir : nat -> vars).
Variables (loss : nat -> 'M[R]_(n, 1) -> 'M[R]_(n, 1) -> R) (slope inc : nat -> incoming).
Hypotheses (ran : run pt) (moved : moves pt e0 dir).
Hypothesis sloped : forall t, (t < T)%N -> loss_gradient (loss t) (pt t e0) (slope t).
Hypothesis sent : adjoints T (pt ^~ e0) slope inc.

Fixpoint dots t : vars :=
  if t is u.+1 then Vars
    (W_f (dir 0%N))
    (U_f (dir 0%N))
    (b_f (dir 0%N))
    (W_i (dir 0%N))
    (U_i (dir 0%N))
    (b_i (dir 0%N))
    (W_o (dir 0%N))
    (U_o (dir 0%N))
    (b_o (dir 0%N))
    (W_g (dir 0%N))
    (U_g (dir 0%N))
    (b_g (dir 0%N))
    (x (dir u.+1))
    (c_dot (pt u e0) (dots u))
    (h_dot (pt u e0) (dots u))
  else dir 0%N.

Let dots_W_f t : W_f (dots t) = W_f (dir 0%N). Proof. by case: t. Qed.
Let dots_U_f t : U_f (dots t) = U_f (dir 0%N). Proof. by case: t. Qed.
Let dots_b_f t : b_f (dots t) = b_f (dir 0%N). Proof. by case: t. Qed.
Let dots_W_i t : W_i (dots t) = W_i (dir 0%N). Proof. by case: t. Qed.
Let dots_U_i t : U_i (dots t) = U_i (dir 0%N). Proof. by case: t. Qed.
Let dots_b_i t : b_i (dots t) = b_i (dir 0%N). Proof. by case: t. Qed.
Let dots_W_o t : W_o (dots t) = W_o (dir 0%N). Proof. by case: t. Qed.
Let dots_U_o t : U_o (dots t) = U_o (dir 0%N). Proof. by case: t. Qed.
Let dots_b_o t : b_o (dots t) = b_o (dir 0%N). Proof. by case: t. Qed.
Let dots_W_g t : W_g (dots t) = W_g (dir 0%N). Proof. by case: t. Qed.
Let dots_U_g t : U_g (dots t) = U_g (dir 0%N). Proof. by case: t. Qed.
Let dots_b_g t : b_g (dots t) = b_g (dir 0%N). Proof. by case: t. Qed.
Let dots_x t : x (dots t) = x (dir t). Proof. by case: t. Qed.

Lemma run_tangents t : (t < T)%N -> tangent_at (pt t) e0 (dots t).
Proof.
elim: t => [|t IH] tT; split.
- exact: (moves_W_f moved).
- exact: (moves_U_f moved).
- exact: (moves_b_f moved).
- exact: (moves_W_i moved).
- exact: (moves_U_i moved).
- exact: (moves_b_i moved).
- exact: (moves_W_o moved).
- exact: (moves_U_o moved).
- exact: (moves_b_o moved).
- exact: (moves_W_g moved).
- exact: (moves_U_g moved).
- exact: (moves_b_g moved).
- exact: (moves_x moved 0%N).
- exact: (moves_c_1 moved).
- exact: (moves_h_1 moved).
- by apply: deriv_mx_ext (moves_W_f moved) => eps; rewrite (run_W_f ran t.+1).
- by apply: deriv_mx_ext (moves_U_f moved) => eps; rewrite (run_U_f ran t.+1).
- by apply: deriv_mx_ext (moves_b_f moved) => eps; rewrite (run_b_f ran t.+1).
- by apply: deriv_mx_ext (moves_W_i moved) => eps; rewrite (run_W_i ran t.+1).
- by apply: deriv_mx_ext (moves_U_i moved) => eps; rewrite (run_U_i ran t.+1).
- by apply: deriv_mx_ext (moves_b_i moved) => eps; rewrite (run_b_i ran t.+1).
- by apply: deriv_mx_ext (moves_W_o moved) => eps; rewrite (run_W_o ran t.+1).
- by apply: deriv_mx_ext (moves_U_o moved) => eps; rewrite (run_U_o ran t.+1).
- by apply: deriv_mx_ext (moves_b_o moved) => eps; rewrite (run_b_o ran t.+1).
- by apply: deriv_mx_ext (moves_W_g moved) => eps; rewrite (run_W_g ran t.+1).
- by apply: deriv_mx_ext (moves_U_g moved) => eps; rewrite (run_U_g ran t.+1).
- by apply: deriv_mx_ext (moves_b_g moved) => eps; rewrite (run_b_g ran t.+1).
- exact: (moves_x moved).
- by apply: deriv_mx_ext (c_curve (IH (ltnW tT))) => eps; rewrite (run_c_1 ran).
- by apply: deriv_mx_ext (h_curve (IH (ltnW tT))) => eps; rewrite (run_h_1 ran).
Qed.

Let own t : R := ⟨c_in (slope t), c_dot (pt t e0) (dots t)⟩ + ⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩.
Lemma own_derivative t : (t < T)%N ->
  deriv (fun eps => loss t (c (pt t eps)) (h (pt t eps))) e0 (own t).
Proof.
move=> tT; have ok := run_tangents tT.
by apply: (sloped tT) => //; idtac; first [exact: (c_curve ok) | exact: (h_curve ok)].
Qed.

Let arriving t : R := ⟨c_in (inc t), c_dot (pt t e0) (dots t)⟩ + ⟨h_in (inc t), h_dot (pt t e0) (dots t)⟩.
Let kept t : R := ⟨W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩ + ⟨U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩ + ⟨b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩ + ⟨W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩ + ⟨U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩ + ⟨b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩ + ⟨W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩ + ⟨U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩ + ⟨b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩ + ⟨W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩ + ⟨U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩ + ⟨b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩ + ⟨x_bar (pt t e0) (inc t), x (dir t)⟩.
Let back k t : R := match k with
  | 0 => before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩ + before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩
  | _ => 0 end.

(* Theorem 3: the accumulated backward equations give the derivative of the total loss. *)
Theorem gradient : deriv (fun eps => \sum_(t < T) loss t (c (pt t eps)) (h (pt t eps))) e0
  (⟨\sum_(t < T) W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩ +
   ⟨\sum_(t < T) U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩ +
   ⟨\sum_(t < T) b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩ +
   ⟨\sum_(t < T) W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩ +
   ⟨\sum_(t < T) U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩ +
   ⟨\sum_(t < T) b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩ +
   ⟨\sum_(t < T) W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩ +
   ⟨\sum_(t < T) U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩ +
   ⟨\sum_(t < T) b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩ +
   ⟨\sum_(t < T) W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩ +
   ⟨\sum_(t < T) U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩ +
   ⟨\sum_(t < T) b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩ +
   \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ +
   ⟨before T 0 (c_1_bar (pt 0%N e0) (inc 0%N)), c_1 (dir 0%N)⟩ +
   ⟨before T 0 (h_1_bar (pt 0%N e0) (inc 0%N)), h_1 (dir 0%N)⟩).
Proof.
apply: deriv_eq (deriv_sum _ (fun t : 'I_T => own_derivative (ltn_ord t))) _.
rewrite (@telescope R 1 T arriving own kept back); first 1 last.
- move=> t tT; transitivity (⟨W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩ + ⟨U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩ + ⟨b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩ + ⟨W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩ + ⟨U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩ + ⟨b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩ + ⟨W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩ + ⟨U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩ + ⟨b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩ + ⟨W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩ + ⟨U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩ + ⟨b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩ + ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ + before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩ + before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩).
    exact: etrans (duality (pt t e0) (dots t) (inc t)) (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (eq_add (f_equal (dot (W_f_bar (pt t e0) (inc t))) (dots_W_f t)) (f_equal (dot (U_f_bar (pt t e0) (inc t))) (dots_U_f t))) (f_equal (dot (b_f_bar (pt t e0) (inc t))) (dots_b_f t))) (f_equal (dot (W_i_bar (pt t e0) (inc t))) (dots_W_i t))) (f_equal (dot (U_i_bar (pt t e0) (inc t))) (dots_U_i t))) (f_equal (dot (b_i_bar (pt t e0) (inc t))) (dots_b_i t))) (f_equal (dot (W_o_bar (pt t e0) (inc t))) (dots_W_o t))) (f_equal (dot (U_o_bar (pt t e0) (inc t))) (dots_U_o t))) (f_equal (dot (b_o_bar (pt t e0) (inc t))) (dots_b_o t))) (f_equal (dot (W_g_bar (pt t e0) (inc t))) (dots_W_g t))) (f_equal (dot (U_g_bar (pt t e0) (inc t))) (dots_U_g t))) (f_equal (dot (b_g_bar (pt t e0) (inc t))) (dots_b_g t))) (f_equal (dot (x_bar (pt t e0) (inc t))) (dots_x t))) (esym (before_lt _ tT))) (esym (before_lt _ tT))).
  have e_eq : \sum_(k < 1) back k t = 0 + (before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩ + before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩) by rewrite !big_ord_recr big_ord0.
  apply: etrans (eq_add (esym e_eq) erefl); rewrite /kept; clear e_eq.
  generalize (⟨W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩); generalize (⟨U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩); generalize (⟨b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩); generalize (⟨W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩); generalize (⟨U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩); generalize (⟨b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩); generalize (⟨W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩); generalize (⟨U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩); generalize (⟨b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩); generalize (⟨W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩); generalize (⟨U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩); generalize (⟨b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩); generalize (⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (before T t ⟨c_1_bar (pt t e0) (inc t), c_1 (dots t)⟩); generalize (before T t ⟨h_1_bar (pt t e0) (inc t), h_1 (dots t)⟩); intros; ring.
- move=> t tT; transitivity ((⟨c_in (slope t), c_dot (pt t e0) (dots t)⟩ + before T t.+1 ⟨c_1_bar (pt t.+1 e0) (inc t.+1), c_1 (dots t.+1)⟩) + (⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩ + before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩)).
    exact: (eq_add (etrans (f_equal (fun z => ⟨z, c_dot (pt t e0) (dots t)⟩) (sent_c sent tT)) (dot_add erefl (dot_before _ _ _ _))) (etrans (f_equal (fun z => ⟨z, h_dot (pt t e0) (dots t)⟩) (sent_h sent tT)) (dot_add erefl (dot_before _ _ _ _)))).
  have e_eq : \sum_(k < 1) back k (k.+1 + t)%N = 0 + (before T t.+1 ⟨c_1_bar (pt t.+1 e0) (inc t.+1), c_1 (dots t.+1)⟩ + before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩) by rewrite !big_ord_recr big_ord0.
  apply: etrans (eq_add erefl (esym e_eq)); rewrite /own; clear e_eq.
  generalize (⟨c_in (slope t), c_dot (pt t e0) (dots t)⟩); generalize (before T t.+1 ⟨c_1_bar (pt t.+1 e0) (inc t.+1), c_1 (dots t.+1)⟩); generalize (⟨h_in (slope t), h_dot (pt t e0) (dots t)⟩); generalize (before T t.+1 ⟨h_1_bar (pt t.+1 e0) (inc t.+1), h_1 (dots t.+1)⟩); intros; ring.
- by move=> k_ t tT; rewrite /back /before ltnNge tT; do 1? [case: k_ => [|k_]]; rewrite /= ?addr0.
have K_eq : \sum_(t < T) kept t = ⟨\sum_(t < T) W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩ + ⟨\sum_(t < T) U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩ + ⟨\sum_(t < T) b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩ + ⟨\sum_(t < T) W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩ + ⟨\sum_(t < T) U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩ + ⟨\sum_(t < T) b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩ + ⟨\sum_(t < T) W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩ + ⟨\sum_(t < T) U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩ + ⟨\sum_(t < T) b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩ + ⟨\sum_(t < T) W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩ + ⟨\sum_(t < T) U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩ + ⟨\sum_(t < T) b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩ + \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ := (sum_add (sum_add (sum_add (sum_add (sum_add (sum_add (sum_add (sum_add (sum_add (sum_add (sum_add (sum_add (esym (dot_suml _ _ _ _)) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) (esym (dot_suml _ _ _ _))) erefl).
have I_eq : \sum_(k < 1) \sum_(t < k.+1) back k t = 0 + (0 + (before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩ + before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩))
  by rewrite !big_ord_recr !big_ord0.
apply: etrans (eq_add K_eq I_eq) _; clear K_eq I_eq.
have J_eq0 : ⟨before T 0 (c_1_bar (pt 0%N e0) (inc 0%N)), c_1 (dir 0%N)⟩ = before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩ := (dot_before _ _ _ _).
have J_eq1 : ⟨before T 0 (h_1_bar (pt 0%N e0) (inc 0%N)), h_1 (dir 0%N)⟩ = before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩ := (dot_before _ _ _ _).
transitivity (⟨\sum_(t < T) W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩ + ⟨\sum_(t < T) U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩ + ⟨\sum_(t < T) b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩ + ⟨\sum_(t < T) W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩ + ⟨\sum_(t < T) U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩ + ⟨\sum_(t < T) b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩ + ⟨\sum_(t < T) W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩ + ⟨\sum_(t < T) U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩ + ⟨\sum_(t < T) b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩ + ⟨\sum_(t < T) W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩ + ⟨\sum_(t < T) U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩ + ⟨\sum_(t < T) b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩ + \sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩ + ((before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩) + (before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩))).
  clear J_eq0; clear J_eq1;  generalize (⟨\sum_(t < T) W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩); generalize (⟨\sum_(t < T) W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩); generalize (⟨\sum_(t < T) W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩); generalize (⟨\sum_(t < T) W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩); generalize (\sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (before T 0%N ⟨c_1_bar (pt 0%N e0) (inc 0%N), c_1 (dir 0%N)⟩); generalize (before T 0%N ⟨h_1_bar (pt 0%N e0) (inc 0%N), h_1 (dir 0%N)⟩); intros; ring.
apply: etrans (eq_add erefl (eq_add (esym J_eq0) (esym J_eq1))) _; clear J_eq0; clear J_eq1; 
  generalize (⟨\sum_(t < T) W_f_bar (pt t e0) (inc t), W_f (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_f_bar (pt t e0) (inc t), U_f (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_f_bar (pt t e0) (inc t), b_f (dir 0%N)⟩); generalize (⟨\sum_(t < T) W_i_bar (pt t e0) (inc t), W_i (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_i_bar (pt t e0) (inc t), U_i (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_i_bar (pt t e0) (inc t), b_i (dir 0%N)⟩); generalize (⟨\sum_(t < T) W_o_bar (pt t e0) (inc t), W_o (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_o_bar (pt t e0) (inc t), U_o (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_o_bar (pt t e0) (inc t), b_o (dir 0%N)⟩); generalize (⟨\sum_(t < T) W_g_bar (pt t e0) (inc t), W_g (dir 0%N)⟩); generalize (⟨\sum_(t < T) U_g_bar (pt t e0) (inc t), U_g (dir 0%N)⟩); generalize (⟨\sum_(t < T) b_g_bar (pt t e0) (inc t), b_g (dir 0%N)⟩); generalize (\sum_(t < T) ⟨x_bar (pt t e0) (inc t), x (dir t)⟩); generalize (⟨before T 0 (c_1_bar (pt 0%N e0) (inc 0%N)), c_1 (dir 0%N)⟩); generalize (⟨before T 0 (h_1_bar (pt 0%N e0) (inc 0%N)), h_1 (dir 0%N)⟩); intros; ring.
Qed.

End Sequence.

End Certificate.

Print Assumptions gradient.
