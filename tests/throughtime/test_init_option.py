"""``--init`` of generate, study and compare: parameters start as the user says, and wrong ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import throughtime
from numeric.setting import Setting, initial_weights
from tests.generated import module_of
from throughtime.cli import cli


def test_generated_code_starts_as_asked_for_and_says_so_in_its_equations(tmp_path):
    target = tmp_path / "e.py"
    given = ["--init", "W=identity(1/2)", "--init", "b=ones", "--init", "b=2"]
    result = CliRunner().invoke(cli, ["generate", "elman", "-o", str(target), *given])
    assert result.exit_code == 0, result.output
    text = target.read_text()
    assert "init W = identity(1/2)" in text
    params = module_of(text).init_params(3, 2)
    np.testing.assert_array_equal(params["W"], np.eye(3) / 2)
    assert (params["b"] == 2).all()
    assert CliRunner().invoke(cli, ["verify", str(target)]).exit_code == 0


def test_a_network_starts_as_asked_for_whatever_its_text_said():
    code = throughtime.load("deep", init={"gain": "3", "f.b_f": "chrono(40)"}).generate().source
    assert "init gain = ones" not in code
    params = module_of(code).init_params(3, 4, 5, 6, 7)
    assert (params["gain"] == 3).all()
    assert np.ptp(params["f_b_f"]) > 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("W", "starts nothing"),
        ("Q=zeros", "has no parameter Q"),
        ("W=zeros\ninit U = ones", "starts nothing"),
        ("W=h", "Expected"),
    ],
)
def test_what_starts_nothing_is_refused(given, told):
    result = CliRunner().invoke(cli, ["generate", "elman", "--init", given])
    assert result.exit_code in (2, 4)
    assert told in result.stderr


def test_a_study_takes_a_kind_for_all_square_matrices_and_ways_for_single_parameters(monkeypatch):
    settings = []

    def asked(spec, setting, *_, **__):
        settings.append(setting)
        raise throughtime.ArgumentError("enough", "")

    monkeypatch.setattr("throughtime.studying.write_study", asked)
    for given in (["he"], ["W=identity", "normal", "he", "b=1"], []):
        CliRunner().invoke(cli, ["study", "elman", *(w for how in given for w in ("--init", how))])
    found = [(s.init, s.starts) for s in settings]
    assert found == [("he", {}), ("he", {"W": "identity", "b": "1"}), ("own", {})]
    refused = CliRunner().invoke(cli, ["study", "elman", "--init", "foo"])
    assert refused.exit_code == 2
    assert "is no way in which square matrices start" in refused.stderr


def test_a_single_start_wins_over_the_kind_of_all_square_matrices():
    derivation = throughtime.load("elman", init={"W": "identity(3)"}).derive()
    module = module_of(throughtime.load("elman", init={"W": "identity(3)"}).generate().source)
    for starts, same in (({"W": "identity(3)"}, True), ({}, False)):
        setting = Setting(n=4, m=2, init="he", starts=starts)
        W = initial_weights(derivation, setting, module.init_params(4, 2))["W"]
        assert np.array_equal(W, 3 * np.eye(4)) is same
