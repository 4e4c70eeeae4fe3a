"""What generate and derive bring along on request: from the command line to a file that verifies itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import throughtime
from derive.errors import ArgumentError
from throughtime.cli import cli

pytestmark = pytest.mark.usefixtures("in_tmp_path")


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, [*arguments, "-q"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_file_with_truncation_and_checkpointing_is_verified_with_them():
    made = run("generate", "elman", "--truncate", "3,6", "--checkpoint", "-o", "e.py", "--json")
    assert made.exit_code == 0
    names = [c["name"] for c in json.loads(made.stdout)["verification"]["checks"]]
    assert {"truncated", "exact, truncation", "checkpointed", "checkpointed, memory"} <= set(names)
    text = Path("e.py").read_text()
    assert "k1: int = 3,\n    k2: int = 6,\n" in text
    assert run("verify", "e.py").exit_code == 0
    Path("e.py").write_text(text.replace("steps < unseen", "steps <= unseen"))
    found = run("verify", "e.py")
    assert found.exit_code == 3
    assert "NOT verified; failed: combined runs, truncated, truncated, many steps" in found.stdout
    differing = [x for x in found.stdout.splitlines() if x.startswith(("    -", "    +"))]
    assert differing == [
        "    -    found[steps < unseen] = 0.0",
        "    +    found[steps <= unseen] = 0.0",
    ]


def test_training_and_truncation_go_together():
    assert run("generate", "elman", "--truncate", "3,6", "--training", "-o", "e.py").exit_code == 0
    assert "def windows(series" in Path("e.py").read_text()


def test_derive_shows_the_truncated_derivation_behind_the_other():
    text = run("derive", "elman", "--truncate", "3,6").stdout
    assert text.index("Gradients of the parameters") < text.index("every k1 = 3 steps")
    data = json.loads(run("derive", "elman", "--truncate", "3,6", "--json").stdout)
    assert [c["chapter"] for c in data["chapters"]] == ["truncation"]
    assert "chapters" not in json.loads(run("derive", "elman", "--json").stdout)


@pytest.mark.parametrize("value", ["3", "3,", "x,3", "3,6,9", "-1,3"])
def test_what_is_no_pair_of_numbers_is_a_usage_error(value):
    made = run("generate", "elman", "--truncate", value)
    assert made.exit_code == 2
    assert (
        "is no truncation; write two whole numbers of at most 10,000,000, K1,K2 such as 20,40."
        in made.stderr
    )


def test_k2_below_k1_is_refused_with_the_reason():
    made = run("generate", "elman", "--truncate", "6,3")
    assert made.exit_code == 2
    assert "expected 1 <= k1 <= k2" in made.stderr


def test_a_network_that_cannot_be_cut_is_refused_and_nothing_is_written():
    for name, option, why in (
        (
            "tagger",
            ["--truncate", "3,6"],
            "segment b of tagger runs from the last step to the first",
        ),
        ("one_to_one", ["--checkpoint"], "nothing in one_to_one runs along an axis"),
    ):
        made = run("generate", name, *option, "-o", "t.py")
        assert made.exit_code == 2
        assert why in made.stderr
        assert list(Path.cwd().iterdir()) == []


def test_a_network_that_looks_along_another_axis_is_verified_in_windows_and_in_stretches():
    text = """
f = scan(elman, x[s])
K[end] = columns(f.h[s])
a[t] = softmax(K[end].T @ (Q @ q[t]))
h[t] = tanh(W @ h[t-1] + C @ (K[end] @ a[t]))
"""
    Path("own.net").write_text(text)
    options = ["--truncate", "1,2", "--checkpoint"]
    made = run("generate", "own.net", *options, "-o", "o.py", "--json")
    assert made.exit_code == 0
    names = [c["name"] for c in json.loads(made.stdout)["verification"]["checks"]]
    assert {"truncated, k2 >= T", "truncated", "checkpointed", "checkpointed, memory"} <= set(names)
    source = Path("o.py").read_text()
    once = '        add_up(legs.kept_bar, "K", over_steps(by_inputs["K"]))\n'
    assert source.count(once) == 1
    Path("o.py").write_text(source.replace(once, once + once))
    found = run("verify", "o.py")
    assert found.exit_code == 3
    assert "checkpointed" in found.stdout


def test_a_scanned_file_is_verified_and_goes_with_the_other_additions():
    options = ["--scan", "--truncate", "2,4", "--checkpoint"]
    made = run("generate", "mingru", *options, "-o", "m.py", "--json")
    assert made.exit_code == 0
    names = [c["name"] for c in json.loads(made.stdout)["verification"]["checks"]]
    assert {"scan, law", "exact, linear recurrence", "truncated", "checkpointed"} <= set(names)
    text = Path("m.py").read_text()
    Path("m.py").write_text(text.replace("linear_scan(1.0 - z,", "linear_scan(1.0 + z,"))
    found = run("verify", "m.py")
    assert found.exit_code == 3
    differing = [x for x in found.stdout.splitlines() if x.startswith(("    -", "    +"))]
    assert len(differing) == 2, "the generator is asked for the same additions"


def test_a_scan_that_makes_no_sense_is_refused():
    made = run("generate", "gru", "--scan")
    assert made.exit_code == 2
    assert "A scan of gru: its recurrence is not linear in its state" in made.stderr


def test_real_time_recurrent_learning_is_derived_generated_and_verified():
    text = run("derive", "elman", "--rtrl").stdout
    assert "O(S**2 * |theta|), S**2 * |theta| = m*n**3 + n**4 + n**3" in text
    made = run("generate", "elman", "--rtrl", "-o", "e.py", "--json")
    assert made.exit_code == 0
    names = [c["name"] for c in json.loads(made.stdout)["verification"]["checks"]]
    assert {"exact, real time", "real time", "real time, step by step"} <= set(names)
    assert run("verify", "e.py").exit_code == 0


def test_real_time_recurrent_learning_of_a_network_is_refused():
    for command in ("derive", "generate"):
        made = run(command, "deep", "--rtrl")
        assert made.exit_code == 2
        assert "it is written for one cell, whose influence matrix it carries" in made.stderr


def test_the_same_is_asked_for_in_python():
    mingru = throughtime.load("mingru")
    source = mingru.generate(truncation=(2, 4), checkpoint=True, scan=True, real_time=True).source
    made = run("generate", "mingru", "--truncate", "2,4", "--checkpoint", "--scan", "--rtrl")
    assert made.exit_code == 0
    assert made.stdout.startswith(source.rstrip())
    assert mingru.generate().source == mingru.generate(scan=False).source
    tagger = throughtime.load("tagger")
    assert "def checkpointed_value_and_grad" in tagger.generate(checkpoint=True).source
    with pytest.raises(ArgumentError, match="learning of tagger"):
        tagger.generate(real_time=True)


def test_a_team_of_threads_comes_with_compiled_files_alone():
    source = throughtime.load("elman").generate
    with pytest.raises(ArgumentError, match="share out samples where loops are compiled") as caught:
        source(optimize="speed", threads=True)
    assert caught.value.remedy == "Leave out --threads, or add --backend numba."
    assert "class Team:" not in source().source


def test_a_team_of_threads_is_generated_and_verified():
    pytest.importorskip("numba", reason="numba is not installed: make frameworks")
    made = run("generate", "elman", "--backend", "numba", "--threads", "-o", "e.py", "--json")
    assert made.exit_code == 0
    checks = json.loads(made.stdout)["verification"]["checks"]
    assert "team" in [c["name"] for c in checks]
    assert "class Team:" in Path("e.py").read_text(encoding="utf-8")
