"""Rocq is found and asked; its answer is read; what is missing is named; a wrong derivation is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proofs import rocq_check
from proofs.rocq_check import (
    FILES,
    LIBRARY,
    PACKAGES,
    RocqError,
    RocqMissingError,
    build_library,
    cache_folder,
    check_certificate,
    find_coqc,
)
from tests.proofs.rocq import shared_folder


def pretend(tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coqc that does what the shell script says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "coqc"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_a_missing_coqc_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RocqMissingError) as caught:
        find_coqc()
    assert all(package in str(caught.value) for package in PACKAGES)
    assert caught.value.exit_code == 2


def test_a_missing_library_names_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(
        tmp_path,
        'case "$1" in --version) echo 8;; *) echo "Error: Unable to locate library all_ssreflect"; exit 1;; esac',
        monkeypatch,
    )
    with pytest.raises(RocqMissingError, match="without a library"):
        build_library(tmp_path / "cache")


def test_a_library_that_does_not_compile_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(
        tmp_path,
        'case "$1" in --version) echo 8;; *) echo "Error: no good"; exit 1;; esac',
        monkeypatch,
    )
    with pytest.raises(RocqError, match=r"hadamard.v of the library does not compile: no good"):
        build_library(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]


def test_a_check_without_an_answer_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, 'case "$*" in *cell.v) exec sleep 60;; esac', monkeypatch)
    with pytest.raises(RocqError, match=r"no answer within 0\.5 seconds"):
        check_certificate("", folder=tmp_path / "cache", timeout=0.5)


def test_the_library_is_compiled_once_and_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, f'echo "$@" >> {tmp_path}/calls', monkeypatch)
    before = sorted(path.name for path in LIBRARY.iterdir())
    said: list[str] = []
    first = build_library(tmp_path / "cache", said.append)
    assert build_library(tmp_path / "cache", said.append) == first
    assert said == [f"compiling the library: {name}" for name in FILES]
    assert sorted(path.name for path in LIBRARY.iterdir()) == before
    assert LIBRARY not in first.parents


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache_folder() == Path("/elsewhere/throughtime/rocq")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert cache_folder() == Path.home() / ".cache/throughtime/rocq"


def test_assumptions_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "Axioms:\nboolp.propositional_extensionality : forall P Q : Prop,\n  P <-> Q\n{more}"
    assert rocq_check._assumptions(answer.format(more="")) == (
        "boolp.propositional_extensionality",
    )
    closed = "Closed under the global context\n"
    assert rocq_check._assumptions(closed) == ()
    both = closed + answer.format(more="cheat : False\n") + closed
    assert "cheat" in rocq_check._assumptions(both)
    with pytest.raises(RocqError, match="named no assumptions"):
        rocq_check._assumptions("")
    pretend(tmp_path, f"printf '%s' '{answer.format(more='magic : False')}'", monkeypatch)
    verdict = check_certificate("", folder=tmp_path / "cache")
    assert not verdict.accepted
    assert verdict.message == "It assumes magic."


def test_a_refusal_names_the_lemma_and_not_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = """echo 'File "./cell.v", line 4, characters 0-4:'; printf 'Error:\\nNo applicable tactic.\\n'"""
    pretend(tmp_path, f'case "$*" in *cell.v) {said}; exit 1;; esac', monkeypatch)
    text = "Lemma a : True.\nProof. by []. Qed.\nLemma W_barE : False.\nProof. by []. Qed.\n"
    verdict = check_certificate(text, folder=tmp_path / "cache")
    assert (verdict.accepted, verdict.lemma) == (False, "W_barE")
    assert verdict.message == "No applicable tactic."
    assert "seconds" not in verdict.to_dict()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory)


@pytest.mark.needs("coqc")
def test_what_is_admitted_is_an_assumption_that_is_refused(library: Path) -> None:
    text = "Lemma gradient : False. Proof. Admitted.\nPrint Assumptions gradient.\n"
    verdict = check_certificate(text, folder=library)
    assert not verdict.accepted
    assert verdict.assumptions == ("gradient",)
