"""Rich display in Jupyter: everything that a person is handed shows as mathematics, a table, code or a picture."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import numpy as np
import pytest

import throughtime
from proofs.check_verdict import GradientVerdict
from proofs.claims.court import judge
from proofs.claims.verdict import Verdict
from proofs.table import Verification
from reports.figures import Picture, Series, line_figure, to_picture
from throughtime.display import Certificate, Code
from throughtime.measuring import Measured
from throughtime.model import Model
from throughtime.network_model import NetworkModel

FORMS = ("_repr_html_", "_repr_latex_", "_repr_markdown_", "_repr_svg_")


@pytest.mark.parametrize(
    "kind",
    [
        Model,
        NetworkModel,
        Code,
        Certificate,
        Verification,
        Verdict,
        GradientVerdict,
        Measured,
        Picture,
        type(throughtime.load("elman").derive()),
        type(throughtime.load("one_to_one").derive()),
    ],
    ids=lambda kind: kind.__name__,
)
def test_everything_has_one_rich_form(kind: type) -> None:
    assert sum(hasattr(kind, form) for form in FORMS) == 1


def test_a_verdict_of_the_court_shows_its_counterexample_and_its_repair() -> None:
    verdict = judge("elman", "dL/dW", "-sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)")
    shown = verdict._repr_html_()
    assert "<strong>refuted</strong>" in shown
    assert ">counterexample:</th>" in shown
    assert ">repaired:</th>" in shown
    assert str(verdict) == verdict.text()


def test_a_verdict_of_the_court_is_escaped() -> None:
    verdict = replace(judge("elman", "1", "2"), reason="<b>")
    assert "<b>" not in verdict._repr_html_()
    assert "&lt;b&gt;" in verdict._repr_html_()


def test_a_certificate_shows_as_code() -> None:
    assert Certificate("Theorem.\n")._repr_markdown_() == "```coq\nTheorem.\n```\n"


def test_a_picture_shows_as_itself() -> None:
    picture = to_picture(line_figure([Series("a", [0, 1], [1.0, 2.0])], xlabel="x", ylabel="y"))
    assert picture._repr_svg_() is picture.svg


def test_a_study_shows_its_verdict_and_the_gain() -> None:
    model = throughtime.load("leaky")
    found = model.study(T=60, n=5, m=3, seed=1)
    assert found.flow.setting.steps == 60
    assert found.flow.gains.size == 5
    shown = found._repr_html_()
    assert str(found).removeprefix("leaky: ") in shown
    assert 'src="data:image/svg+xml;base64,' in shown


def test_a_study_of_own_weights_measures_these() -> None:
    model = throughtime.load("elman:g=identity")
    weights = {"W": 0.5 * np.eye(4), "U": np.ones((4, 2)), "b": np.zeros(4)}
    found = model.study(T=100, weights=weights)
    assert found.flow.growth.rate == pytest.approx(np.log(0.5), abs=1e-9)


def test_notebooks_can_hold_what_is_shown() -> None:
    bundle = {"text/html": throughtime.load("elman").study(T=60, n=3, m=2)._repr_html_()}
    output = nbformat.v4.new_output("display_data", data=bundle)
    nbformat.validate(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    )
