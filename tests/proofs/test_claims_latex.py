"""LaTeX as people write it is read as the same formula as the text."""

from __future__ import annotations

import pytest

from derive.errors import LanguageError
from proofs.claims.court import judge_claim
from proofs.claims.document import read_document
from proofs.claims.printing import show
from proofs.claims.said import Claim


def claim(body: str, cell: str = "lstm") -> Claim:
    return read_document(f"cell {cell}\nclaim : {body}\n").claims[0]


PAIRS = (
    (
        (
            r"\frac{\partial L}{\partial W_f} = \sum_{t=1}^{T} \left( \frac{\partial L}{\partial c_t} \odot c_{t-1} "
            r"\odot f_t \odot (1 - f_t) \right) h_{t-1}^{\top}"
        ),
        "∂L/∂W_f == sum(t, (∂L/∂c[t] * c[t-1] * f[t] * (1 - f[t])) @ h[t-1].T)",
    ),
    (r"\frac{dL}{do_t} = \frac{dL}{dh_t} \circ \tanh(c_t)", "dL/do[t] == dL/dh[t] * tanh(c[t])"),
    (
        r"f_t = \sigma\left(W_f h_{t-1} + U_f x_t + b_f\right)",
        "f[t] == sigmoid(W_f @ h[t-1] + U_f @ x[t] + b_f)",
    ),
    (
        r"\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}}",
        "∂h[t]/∂h[k] == product(j, k+1..t, ∂h[j]/∂h[j-1])",
    ),
    (
        r"\partial c_t/\partial c_{t-1} = \partial^+ c_t/\partial c_{t-1}",
        "∂c[t]/∂c[t-1] == ∂+c[t]/∂c[t-1]",
    ),
    (r"dc_t/d c_{t-1} = \mathrm{d}c_t/\mathrm{d}c_{t-1}", "dc[t]/dc[t-1] == dc[t]/dc[t-1]"),
    (
        r"\frac{\mathrm{d}^+ c_t}{\mathrm{d} c_{t-1}} = \mathrm{diag}(\mathrm{slope}(f_t))",
        "d+c[t]/dc[t-1] == diag(slope(f[t]))",
    ),
    (
        r"\left\|\frac{\partial c_t}{\partial c_k}\right\|_2 \le (\gamma \sigma_{\mathrm{max}}(W_f))^{t-k}",
        "norm(∂c[t]/∂c[k]) <= (gamma * sigma_max(W_f)) ** (t-k)",
    ),
    (
        r"\lVert \prod_{j=1}^{T} f_j \rVert \leq \| W_f \| \|W_i\|^T",
        "norm(product(j, 1..T, f[j])) <= norm(W_f) * norm(W_i) ** T",
    ),
    (
        r"\nabla_{W_f} L = \sum_t (\nabla_{f_t} L) h_{t-1}^\top",
        "dL/dW_f == sum(t, (dL/df[t]) @ h[t-1].T)",
    ),
    (r"\nabla_{c_t} L_t = o_t \odot \nabla_{h_t} L_t", "dL[t]/dc[t] == o[t] * dL[t]/dh[t]"),
    (r"h_t = o_t \odot \tanh(c_t)", "h[t] == o[t] * tanh(c[t])"),
    (r"c_t = c_t^2 - \tanh^2(c_t)", "c[t] == c[t]**2 - tanh(c[t])**2"),
    (
        r"\frac{\partial L}{\partial c_t} \cdot \frac{\partial c_t}{\partial f_t} = \frac{\partial L}{\partial f_t}",
        "∂L/∂c[t] · ∂c[t]/∂f[t] == ∂L/∂f[t]",
    ),
    (
        r"\mathbf{c}_t = \boldsymbol{f}_{t} \odot \bm c_{t-1} + \vec{i_t} \odot \mathsf{g}_t",
        "c[t] == f[t] * c[t-1] + i[t] * g[t]",
    ),
    (
        (
            r"\dfrac{\partial \mathcal{L}}{\partial \mathbf{W}_{\mathrm{f}}} = "
            r"\displaystyle\sum\limits_{t} g_t h_{t-1}^{\mathsf{T}}"
        ),
        "∂L/∂W_f == sum(t, g[t] @ h[t-1].T)",
    ),
    (
        r"c^{(t)} = f^{(t)} \odot c^{(t-1)} + i^{\langle t \rangle} \odot g^{<t>}",
        "c[t] == f[t] * c[t-1] + i[t] * g[t]",
    ),
    (
        r"\nabla_{b_f} L = \sum_t \mathrm{diag}(c^{(t-1)}) \nabla_{\mathbf{f}^{(t)}} L",
        "dL/db_f == sum(t, diag(c[t-1]) @ (dL/df[t]))",
    ),
    (r"W_f = \sum_t g^{(t)} h^{(t-1)\top}", "W_f == sum(t, g[t] @ h[t-1].T)"),
    (r"W_f = \sum_t g_t {h^{(t-1)}}^\top", "W_f == sum(t, g[t] @ h[t-1].T)"),
    (
        r"\frac{\partial h_t}{\partial h_k} = \prod_{k<j\leq t} \frac{\partial h_j}{\partial h_{j-1}}",
        "∂h[t]/∂h[k] == product(j, k+1..t, ∂h[j]/∂h[j-1])",
    ),
    (
        r"\frac{\partial h_t}{\partial h_k} = \prod_{t \ge j > k} \frac{\partial h_j}{\partial h_{j-1}}",
        "∂h[t]/∂h[k] == product(j, k+1..t, descending, ∂h[j]/∂h[j-1])",
    ),
    (
        r"\frac{\partial h_t}{\partial h_k} = \prod_{j=t}^{k+1} \frac{\partial h_j}{\partial h_{j-1}}",
        "∂h[t]/∂h[k] == product(j, k+1..t, descending, ∂h[j]/∂h[j-1])",
    ),
    (
        r"\frac{\partial h_{t+1}}{\partial h_k} = \prod_{j=k}^{t+1} W_f",
        "∂h[t+1]/∂h[k] == product(j, k..t+1, W_f)",
    ),
    (r"b_f = \sum_{1 \le k < t} f_k", "b_f == sum(k, 1..t-1, f[k])"),
    (r"b_f = \sum_{t=T}^{1} f_t", "b_f == sum(t, 1..T, f[t])"),
    (
        r"\|f_t\| \le (\frac{1}{4} \|W_f\|)^{(t-k)} \rho(W_f)",
        "norm(f[t]) <= ((1 / 4) * norm(W_f)) ** (t-k) * spectral_radius(W_f)",
    ),
    (r"f_t = \frac{1}{2} f_t + 2 f_t", "f[t] == (1 / 2) * f[t] + 2 * f[t]"),
    ("$f_t = f_t$", "f[t] == f[t]"),
    (r"c^t = f^t \odot c^{t-1} + i^{t} \odot \mathbf{g}^t", "c[t] == f[t] * c[t-1] + i[t] * g[t]"),
    (r"W_f = W_f^T h_t^T h_t", "W_f == W_f.T @ h[t].T @ h[t]"),
    (
        r"W_f [h_{t-1}, x_t] = U_f \left[ h_{t-1}; x_t \right]",
        "W_f @ concat(h[t-1], x[t]) == U_f @ concat(h[t-1], x[t])",
    ),
    (r"f_t = [1 - f_t] f_t", "f[t] == (1 - f[t]) @ f[t]"),
    (
        r"f_t = \sigma'(i_t) \odot \tanh^{\prime}(g_t)",
        "f[t] == (sigmoid(i[t]) * (1 - sigmoid(i[t]))) * (1 - tanh(g[t])**2)",
    ),
    (
        r"\|f_T\| \le (\gamma \|W_f\|)^T \sigma_{\max}(W_f)^T",
        "norm(f[T]) <= (gamma * norm(W_f)) ** T * sigma_max(W_f) ** T",
    ),
    (
        r"\|f_T\| \le \rho(W_f)^{T} (\frac{1}{4})^T",
        "norm(f[T]) <= spectral_radius(W_f) ** T * (1 / 4) ** T",
    ),
    (r"f_t = (\|W_f\| W_f)^T f_t", "f[t] == (norm(W_f) * W_f).T @ f[t]"),
)


@pytest.mark.parametrize(("latex", "text"), PAIRS)
def test_latex_reads_as_the_text_does(latex: str, text: str) -> None:
    read = claim(f"${latex}$").formula
    written = claim(text).formula
    assert read == written
    assert read is not None
    assert show(read) == show(written)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        (r"h_t \odot W h_t = W h_t \odot h_t", "proved"),
        (r"h_t \odot W h_t = W (h_t \odot h_t)", "true under a condition"),
        (r"\nabla_W L = \sum_t \nabla_{h_t} L \odot (1 - h_t^2) h_{t-1}^\top", "proved"),
        (r"\nabla_W L = \sum_t \nabla_{h_t} L \odot (1 - h_t^2) h_{t}^\top", "refuted"),
        (r"\nabla_{h_{t-1}} L = (1 - h_{t-1}^2) \odot W^\top \nabla_{h_t} L", "refuted"),
    ],
)
def test_factors_side_by_side_are_one_factor_where_only_that_has_a_meaning(
    formula: str, kind: str
) -> None:
    assert judge_claim(claim(f"${formula}$", "elman")).kind == kind


@pytest.mark.parametrize("left", ["f_{3,t}", "f_{i,t}", "f_{t,2}", "f_t^{(2)}", "W_{1,f}"])
def test_a_subscript_is_never_dropped(left: str) -> None:
    with pytest.raises(LanguageError):
        claim(rf"${left} = f_t$")


@pytest.mark.parametrize(
    "latex",
    [
        r"\input{/etc/passwd}", r"f_t", r"f_t = ", r"= f_t", r"f_t = (", r"f_t = \frac{1}", r"f_t = q_t", r"f_t = {",
        r"f_t = \frac{1}{", r"f_t = \mathbf{", r"f_t = h^{(", r"f_t = h^{(t)", r"f_t = \mathbf",
        r"f_t = f_t^{x}", r"\def\a{\a}\a = 1", r"f_t = \sum_{=} f_t", r"f_t = \frac", r"f_t = )", r"\begin{align} f_t",
        r"\|f_t", r"\|f_t = f_t", r"\|f_t\|_F \le 1", r"\partial", r"d", r"\partial f_t = 1",
        r"\partial^x f_t/\partial f_t = 1",
        r"\frac{\partial f_t}{d f_t} = 1", r"f_t = \sigma_3(f_t)", r"f_t = \sigma_", r"f_t = f_t / f_t",
        r"\mathrm{d} = 1", r"\nabla L = 0", r"\nabla_{f_t} h_t = 0", r"\nabla_{f_t", r"\nabla_", r"\nabla_{f_t} L_",
        "f_t = " + "{" * 50 + "f_t" + "}" * 50, "f_t = " + "f_t " * 900, r"f_t = \left", "",
    ],
)  # fmt: skip
def test_nonsense_in_latex_gets_an_error_with_its_place(latex: str) -> None:
    with pytest.raises(LanguageError) as caught:
        claim(f"${latex}$")
    assert caught.value.place is not None
    assert caught.value.remedy


def test_latex_without_its_last_dollar_sign_is_refused() -> None:
    with pytest.raises(LanguageError, match="dollar"):
        claim("$f_t = f_t")


def test_a_quantity_named_d_is_no_sign_of_a_differential() -> None:
    cell = "cell\n    d[t] = tanh(W @ d[t-1] + U @ x[t])\nclaim : "
    for latex in (r"$d_t = \mathrm{d}_t$", "$d_t = d_t$"):
        read = read_document(cell + latex).claims[0].formula
        assert read is not None
        assert show(read) == "d[t] == d[t]"
    read = read_document(cell + r"$\frac{d d_t}{d d_t} = 1$").claims[0].formula
    assert read is not None
    assert show(read) == "dd[t]/dd[t] == 1"


@pytest.mark.parametrize(
    ("latex", "told"),
    [
        (
            r"\nabla_b L = \sum_t \nabla_{h_t} L - h_t^2 \odot \nabla_{h_t} L",
            "the sum over t ends before - h[t]**2 * dL/dh[t]",
        ),
        (r"\nabla_b L = 2 \sum_t h_t + b", "the sum over t ends before + b"),
        (r"\nabla_b L = \sum_t (\nabla_{h_t} L - h_t^2 \odot \nabla_{h_t} L \odot h_t)", ""),
        (r"\nabla_b L = b + \sum_t h_t", ""),
        (r"\nabla_b L = \sum_t \nabla_{h_t} L \odot (1 - h_t^2) - b + b", ""),
    ],
)
def test_where_a_sum_was_read_to_end_is_told_of_what_does_not_stand(latex: str, told: str) -> None:
    found = judge_claim(claim(f"${latex}$", "elman"))
    assert found.stands == ("- b + b" in latex)
    assert found.reading == told
