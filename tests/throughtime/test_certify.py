"""``throughtime certify``: the file, Rocq's verdict, exit codes, and what is written where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result

import throughtime
from proofs import certificate, rocq_check
from proofs.certificate_errors import unsupported
from proofs.rocq_check import CLASSICAL, Verdict
from throughtime.cli import cli

ACCEPTED = Verdict(True, CLASSICAL, seconds=1.5)
WRONG = Verdict(False, (), "W_barE", "No applicable tactic.", 2.5)


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["certify", *arguments], prog_name="throughtime")


def says(verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rocq_check, "check_certificate", lambda text, **_: verdict)


def test_the_certificate_goes_to_standard_output() -> None:
    shown = run("elman")
    assert shown.exit_code == 0
    assert shown.stdout == str(throughtime.load("elman").certify())


def test_the_certificate_goes_to_a_file_and_over_none_without_force() -> None:
    assert run("elman", "-o", "elman.v").exit_code == 0
    assert Path("elman.v").read_text() == throughtime.load("elman").certify().source
    again = run("elman", "-o", "elman.v")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert run("elman", "-o", "elman.v", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("name", "better"), [("a.txt", "a.v"), ("my-cell.v", "my_cell.v"), ("1.v", "cell1.v")]
)
def test_a_file_that_rocq_could_not_read_is_not_written(name: str, better: str) -> None:
    refused = run("elman", "-o", name)
    assert refused.exit_code == 2
    assert better in refused.stderr


def test_the_kernel_has_as_long_as_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def asked(text: str, *, timeout: float | None, **_: object) -> Verdict:
        given.append(timeout)
        return Verdict(True)

    monkeypatch.setattr(rocq_check, "check_certificate", asked)
    assert run("elman", "--check", "--time", "7200").exit_code == 0
    assert given == [None]


def test_an_accepted_certificate_tells_its_theorems_and_assumptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    says(ACCEPTED, monkeypatch)
    shown = run("elman", "--check", "-o", "elman.v")
    assert shown.exit_code == 0
    assert "accepted by Rocq's kernel" in shown.stdout
    assert all(axiom in shown.stdout for axiom in CLASSICAL)
    assert "1.5 s" in shown.stderr
    assert "1.5" not in shown.stdout
    assert Path("elman.v").exists()


def test_a_refused_certificate_ends_with_3_and_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    says(WRONG, monkeypatch)
    shown = run("elman", "--check", "-o", "elman.v")
    assert shown.exit_code == 3
    assert "REFUSED by Rocq at W_barE" in shown.stdout
    assert not Path("elman.v").exists()


def test_json_is_one_object_without_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    says(ACCEPTED, monkeypatch)
    told = json.loads(run("elman", "--check", "--json").stdout)
    assert told["check"]["accepted"] is True
    assert told["check"]["assumptions"] == list(CLASSICAL)
    assert "seconds" not in told["check"]
    assert told["source"] is None
    assert json.loads(run("elman", "--json").stdout)["source"].startswith("(* Certificate")


def test_without_rocq_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    shown = run("elman", "--check")
    assert shown.exit_code == 2
    assert "apt-get install coq" in shown.stderr


def test_a_network_is_refused_and_its_cells_are_not() -> None:
    for command in ("certify", "report --certify"):
        shown = CliRunner().invoke(cli, [*command.split(), "tagger"], prog_name="throughtime")
        assert shown.exit_code == 2
        assert "tagger is a network of cells" in shown.stderr
        assert "throughtime certify lstm" in shown.stderr


def refuse(_: object) -> NoReturn:
    raise unsupported("of a word")


def test_a_cell_without_a_theorem_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "_parts", refuse)
    shown = run("elman")
    assert shown.exit_code == 2
    assert "CertificateError: No certificate can be written" in shown.stderr
