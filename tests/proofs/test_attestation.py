"""The certificate in a verified file: what it says, and what it notices."""

from __future__ import annotations

import json

import pytest

from proofs.attestation import HEADING, certified, digest, standing
from proofs.table import Verification, failed, measured

CODE = '"""A file."""\n\nimport numpy as np\n\nX = 1\n'


def outcome(*, ok: bool = True) -> Verification:
    row = measured("complex step", "a against b", "n = 3", 1e-16, 1e-10)
    bad = failed("complex step", "a against b", "it is wrong")
    return Verification("tiny", (row if ok else bad,), frozenset({"complex step"}), seed=7)


def test_a_certified_file_is_recognised_and_its_code_comes_back():
    found = standing(certified(CODE, outcome()))
    assert (found.verdict, found.code) == ("certified", CODE)
    assert found.data["seed"] == 7
    assert found.data["sha256"] == digest(CODE)


def test_the_certificate_says_what_was_checked_at_which_sizes_and_with_which_tools():
    data = standing(certified(CODE, outcome())).data
    assert data["checks"] == [
        {
            "name": "complex step",
            "what": "a against b",
            "sizes": "n = 3",
            "bound": 1e-10,
            "unit": "",
            "verdict": "holds",
        }
    ]
    assert {"python", "numpy", "sympy", "throughtime"} <= set(data["versions"])


@pytest.mark.parametrize(
    ("old", "new"),
    [("X = 1", "X = 2"), ("import numpy", "import  numpy"), ('"""A file."""', '"""B file."""')],
)
def test_any_change_of_the_code_is_noticed(old, new):
    text = certified(CODE, outcome())
    assert old in text
    assert standing(text.replace(old, new, 1)).verdict == "changed"


def test_code_behind_the_certificate_is_noticed():
    assert standing(certified(CODE, outcome()) + "X = 3\n").verdict == "changed"


def test_a_second_certificate_does_not_hide_a_changed_first_part():
    twice = certified(certified(CODE, outcome()).replace("X = 1", "X = 2"), outcome())
    assert standing(twice).code.count(HEADING) == 1


@pytest.mark.parametrize("tail", ["# {", "# []", "# null", '# {"sha256": 3}', "# " + "[" * 100_000])
def test_a_certificate_that_cannot_be_read_is_said_to_be_so(tail):
    assert standing(f"{CODE}\n\n{HEADING}\n{tail}\n").verdict == "unreadable"


def test_a_file_without_a_certificate_is_said_to_have_none():
    assert standing(CODE).verdict == "none"


def test_what_failed_is_not_certified():
    with pytest.raises(ValueError, match="every check ran and held"):
        certified(CODE, outcome(ok=False))


def test_the_certificate_is_comments_only():
    text = certified(CODE, outcome())
    assert all(line.startswith("#") for line in text[len(CODE) :].splitlines() if line)
    tail = text.rpartition(HEADING)[2]
    assert json.loads("\n".join(line[2:] for line in tail.strip().splitlines()))
