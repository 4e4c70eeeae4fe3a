"""The command that judges formulas: streams, exit codes, the page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from throughtime.cli import cli

RIGHT = "cell elman\nclaim : dh[t]/dh[t-1] == diag(1 - h[t]**2) @ W\n"
WRONG = "cell elman\nclaim : dL/db == dL/dh[t] * (1 - h[t]**2)\n"


def run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "my.claims").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "throughtime", "audit", "my.claims", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")


def test_right_claims_exit_with_0(tmp_path: Path) -> None:
    done = run(tmp_path, RIGHT)
    assert done.returncode == 0, done.stderr
    assert "proved" in done.stdout


def test_a_wrong_claim_exits_with_3_and_one_json_object(tmp_path: Path) -> None:
    done = run(tmp_path, WRONG, "--json", "-o", "page.html")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert told["claims"][0]["repair"]["kinds"] == ["missing sum over t"]
    assert "<html" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("claim", "kind", "code"),
    [
        ("dL/dh[t] == dL/dh[t+1] @ dh[t+1]/dh[t] + d+L/dh[t]", "true in another layout", 0),
        ("dL/dh[t] == d+L/dh[t]", "true under a condition", 3),
        ("tanh(h[t]) == 2 * sigmoid(2 * h[t]) - 1", "undecided", 3),
        ("h[t] + x[t] == h[t]", "meaningless", 3),
    ],
)
def test_the_exit_code_says_whether_every_claim_stands_as_written(
    tmp_path: Path, claim: str, kind: str, code: int
) -> None:
    path = tmp_path / "my.claims"
    path.write_text(f"cell elman\nclaim : {claim}\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["audit", str(path)])
    assert (done.stdout.split(": ")[1].split("\n")[0], done.exit_code) == (kind, code)


def test_the_example_of_the_help_is_a_file_of_claims(tmp_path: Path) -> None:
    said = CliRunner().invoke(cli, ["audit", "--help"]).stdout
    lines = [line.strip() for line in said.splitlines()]
    start = lines.index("cell elman")
    (tmp_path / "my.claims").write_text("\n".join(lines[start : start + 2]), encoding="utf-8")
    assert CliRunner().invoke(cli, ["audit", str(tmp_path / "my.claims")]).exit_code == 0


def test_a_file_that_is_not_there_and_one_that_is_no_file_of_claims(tmp_path: Path) -> None:
    assert run(tmp_path, "nonsense\n").returncode == 4
    command = [sys.executable, "-m", "throughtime", "audit", "absent.claims"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "deck_000" in done.stderr


EQUATION = r"h_t = \tanh(W h_{t-1} + U x_t + b)"


@pytest.mark.parametrize(
    ("name", "text", "options", "code"),
    [
        ("a.tex", f"${EQUATION}$", ["--cell", "elman"], 0),
        ("a.md", f"```math\n{EQUATION}\n```\n$\\eta = 1$", ["--cell", "elman"], 0),
        ("a.tex", f"% audit: cell elman\n${EQUATION}$", [], 0),
        ("a.tex", f"${EQUATION} - b$", ["--cell", "elman"], 3),
        ("a.tex", f"${EQUATION}$", [], 2),
        ("a.tex", f"${EQUATION}$", ["--cell", "nosuch"], 2),
        ("a.tex", r"$\eta = 1$", ["--cell", "elman"], 4),
        ("a.ipynb", "{}", ["--cell", "elman"], 4),
        ("a.claims", "claim : h[t] == h[t]", ["--cell", "elman"], 0),
    ],
)
def test_a_document_is_judged_as_it_stands(
    tmp_path: Path, name: str, text: str, options: list[str], code: int
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    page = tmp_path / "page.html"
    command = ["audit", str(tmp_path / name), *options, "--json", "-o", str(page)]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == code, done.output
    assert page.exists() == (code in (0, 3))
    told = json.loads(done.stdout)
    if code in (0, 3):
        assert name == "a.claims" or told["claims"][0]["title"].startswith(f"{name}, line ")
        assert told["ok"] == (code == 0)


MIXED = """cell elman
claim "right" : dh[t]/dh[t-1] == diag(1 - h[t]**2) @ W
claim "foreign" : dh[t]/dh[t-1] == q @ W
claim "wrong" given moon = cheese : W == W
claim : cell is nosuch
claim "about" : W ~= W
claim "last" : norm(dh[t]/dh[t-1]) <= norm(W)
"""


def test_a_claim_that_cannot_be_read_stops_no_other_and_the_exit_code_says_it(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, MIXED, "-o", "page.html")
    assert done.returncode == 4
    assert "right: proved" in done.stdout
    assert "last: proved" in done.stdout
    assert "foreign: unreadable" in done.stdout
    assert 'my.claims, line 3: claim "foreign" : dh[t]/dh[t-1] == q @ W' in done.stdout
    assert "q is no quantity of the cell" in done.stdout
    assert "It has h, x, W, U, b; the loss is L." in done.stdout
    assert done.stdout.splitlines()[-1].split() == ["about", "unreadable"]
    assert "moon = cheese is no condition" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_cannot_be_read_is_told_in_json_too(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, MIXED, "--json").stdout)
    assert (told["ok"], told["counts"]) == (False, {"proved": 2, "unreadable": 4})
    assert [(u["title"], u["line"]) for u in told["unjudged"]] == [
        ("foreign", 3), ("wrong", 4), ("line 5", 5), ("about", 6),
    ]  # fmt: skip
    assert all(u["reason"] and u["remedy"] for u in told["unjudged"])


@pytest.mark.parametrize(
    "text",
    [
        "cell elman\nclaim : q == W\n",
        "cell elman\nclaim : W ~= W\n",
        "cell elman\nclaim : W == W\ncell nosuch\nclaim : W == W\n",
        "cell elman\nclaim : W == W\nloss of nothing\n",
    ],
)
def test_a_file_of_which_nothing_can_be_read_or_what_claims_rest_on_cannot_is_refused(
    tmp_path: Path, text: str
) -> None:
    done = run(tmp_path, text)
    assert (done.returncode, done.stdout) == (4, "")
