"""The certificate in a report: theorem, assumptions, verdict, and how far it reaches."""

from __future__ import annotations

import html
from typing import NoReturn

import pytest

from derive import catalog
from derive.derivation import derive
from proofs.certificate_errors import unsupported
from proofs.rocq_check import CLASSICAL, RocqError, RocqMissingError, Verdict
from reports import report_certificate
from reports.report_certificate import Certified, certificate_section, certified, statement, unasked

ELMAN = derive(catalog.load("elman"))


def page(found: Certified) -> str:
    return "\n".join(block.markdown for block in certificate_section(found).cells)


def answering(monkeypatch: pytest.MonkeyPatch, answer: Verdict | RocqError) -> None:
    def check(text: str) -> Verdict:
        if isinstance(answer, RocqError):
            raise answer
        return answer

    monkeypatch.setattr(report_certificate, "check_certificate", check)


def test_an_accepted_certificate_shows_theorem_and_assumptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, Verdict(True, CLASSICAL, seconds=12.25))
    shown = page(certified(ELMAN))
    assert "Rocq's kernel accepts the certificate" in shown
    assert all(name in shown for name in CLASSICAL)
    assert "Theorem gradient : deriv (fun eps => \\sum_(t < T)" in shown
    assert "Proof." not in shown
    assert "12.25" not in shown
    assert shown == page(certified(ELMAN))


def test_the_page_says_what_is_proved_what_is_exact_and_what_is_tested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, Verdict(True, CLASSICAL))
    shown = page(certified(ELMAN))
    assert "*proved*, by Rocq's kernel" in shown
    assert "*tested* in floating point" in shown
    assert "*exact*" not in shown
    agreed = certificate_section(certified(ELMAN), "at n = 2: by luck below 10^-151").cells
    told = "\n".join(block.markdown for block in agreed)
    assert "*exact* modulo the prime $2^{521} - 1$" in told
    assert "below $10^{-151}$" in told


def test_a_refused_certificate_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Verdict(False, (), "W_barE", "No applicable tactic."))
    shown = page(certified(ELMAN))
    assert "Rocq refuses the certificate" in shown
    assert "`W_barE`" in shown
    assert "*proved*" not in shown


def test_without_rocq_the_page_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, RocqMissingError("coqc is missing.", "apt-get install coq"))
    shown = page(certified(ELMAN))
    assert "**Not checked.**" in shown
    assert "*proved*" not in shown


def test_a_kernel_that_gives_no_answer_costs_its_verdict_and_not_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, RocqError("Rocq gave no answer within 600 seconds."))
    shown = page(certified(ELMAN))
    assert "**Not checked.** Rocq gave no answer within 600 seconds." in shown
    assert "*proved*" not in shown


def refuse(_: object) -> NoReturn:
    raise unsupported("of a word")


def test_a_cell_without_a_theorem_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_certificate, "certificate", refuse)
    shown = page(certified(ELMAN))
    assert "No certificate can be written" in shown
    assert "Theorem" not in shown


def test_where_rocq_was_not_asked_the_page_says_how_to_ask_it() -> None:
    shown = page(unasked(ELMAN))
    assert "**Not checked.** Rocq was not asked" in shown
    assert "--certify" in html.unescape(shown)
    assert "Theorem gradient" in shown
    assert "*proved*" not in shown


def test_the_theorem_comes_with_its_hypotheses(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Verdict(True, CLASSICAL))
    shown = statement(certified(ELMAN).source)
    for said in (
        "Hypotheses (ran : run pt) (moved : moves pt e0 dir).",
        "Hypothesis sloped",
        "Hypothesis sent",
    ):
        assert said in shown
    assert "Fixpoint" not in shown


def test_the_statement_is_the_theorem_without_its_proof() -> None:
    assert statement("a\nTheorem gradient : x =\n  y.\nProof.\nby [].\nQed.\n") == (
        "Theorem gradient : x =\n  y."
    )
