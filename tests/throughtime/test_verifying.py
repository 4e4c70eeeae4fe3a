"""``verify F.py`` runs a stranger's file: whatever it does to the process, the word is not "verified"."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import throughtime
from derive.errors import ArgumentError
from proofs.attestation import standing
from proofs.sandbox import Limits
from throughtime.cli import cli
from throughtime.verifying import Examination, examine


@cache
def right(name: str = "elman") -> str:
    return throughtime.load(name).generate().source


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def with_first(statement: str, function: str = "backward") -> str:
    """The right code with a statement at the beginning of a function's body."""
    lines = right().splitlines(keepends=True)
    body = next(
        node.body
        for node in ast.parse(right()).body
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
    lines.insert(body[1].lineno - 1, f"    {statement}\n")
    return "".join(lines)


def test_a_right_file_is_verified_and_a_wrong_one_is_not(folder: Path) -> None:
    (folder / "f.py").write_text(right())
    assert throughtime.verify_file("f.py").ok
    (folder / "f.py").write_text(right().replace("1.0 - h[t] ** 2", "1.0 + h[t] ** 2"))
    wrong = run("verify", "f.py")
    assert wrong.exit_code == 3
    assert "NOT verified; failed: complex step" in wrong.stdout
    assert "1.0 + h[t] ** 2" in wrong.stdout


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("import os; os._exit(0)", "it left with exit code 0 before the work was done"),
        ("import ctypes; ctypes.string_at(0)", "it was ended by SIGSEGV"),
        ("bytearray(2**60)", "MemoryError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_whatever_ends_it_is_told_and_nothing_is_verified(
    folder: Path, statement: str, told: str
) -> None:
    (folder / "f.py").write_text(with_first(statement))
    result = run("verify", "f.py", "--json")
    assert result.exit_code == 3
    data = json.loads(result.stdout)
    assert data["verified"] is False
    assert told in json.dumps(data["verification"])


def test_an_endless_loop_that_nothing_interrupts_is_ended(folder: Path) -> None:
    loop = "import signal; signal.alarm = signal.setitimer = print\n    while True: pass"
    (folder / "f.py").write_text(with_first(loop, "forward"))
    result = run("verify", "f.py", "--time", "4")
    assert result.exit_code == 3
    assert "it ran for more than 4 s" in result.stdout
    assert "certificate: the file carries none" in result.stdout
    assert result.stdout.endswith("NOT verified; failed: process\n")


def test_what_a_file_prints_does_not_come_between(folder: Path) -> None:
    (folder / "f.py").write_text(with_first("print('{\"verified\": true}', flush=True)"))
    shown = subprocess.run(
        [sys.executable, "-m", "throughtime", "verify", "f.py", "--json", "--quiet"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(shown.stdout)["target"] == "f.py"
    assert shown.stderr == ""


def test_the_front_imports_nothing_heavy_for_it() -> None:
    script = "import sys, throughtime.verifying; print({'sympy', 'numpy'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout == "set()\n"


def test_a_certificate_is_renewed_for_the_code_that_was_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "f.py"
    path.write_text(right() + "\n# mine\n")
    assert run("verify", "f.py", "--renew").exit_code == 0
    assert standing(path.read_text()).verdict == "certified"
    assert "# mine" in path.read_text()
    found = Examination(path, 0, Limits(), lambda _: None)
    path.write_text(right() + "\n# changed meanwhile\n")
    with pytest.raises(ArgumentError, match="was changed while it was checked"):
        found.renew()


def test_what_is_not_verified_gets_no_certificate(folder: Path) -> None:
    path = folder / "f.py"
    path.write_text(wrong := with_first("raise SystemExit(0)"))
    assert not examine(str(path), 0, Limits(), lambda _: None, renew=True).verification.ok
    assert path.read_text() == wrong


def test_errors_of_the_file_itself_arrive_with_their_exit_code(folder: Path) -> None:
    (folder / "f.py").write_text('EQUATIONS = "h[t] = nonsense(h[t-1])"\n')
    assert run("verify", "f.py").exit_code == 4
    (folder / "f.py").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in run("verify", "f.py").stderr


def test_mutants_of_a_file_are_judged(folder: Path) -> None:
    (folder / "f.py").write_text(right())
    result = run("verify", "f.py", "--mutants", "--json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["verified"], data["mutants"]["survived"]) == (0, True, [])
    assert data["mutants"]["killed"] > 200
