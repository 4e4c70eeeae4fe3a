"""The public names: all there, and none loaded before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import derive.errors
import throughtime
from throughtime import _version


def test_importing_the_front_imports_nothing_else() -> None:
    script = (
        "import sys, throughtime; "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in "
        "{'derive', 'numeric', 'proofs', 'reports', 'sympy', 'numpy', 'click'}))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


def test_the_errors_are_those_of_the_parts() -> None:
    assert throughtime.LanguageError is derive.errors.LanguageError
    assert issubclass(throughtime.ShapeError, throughtime.ThroughtimeError)


def test_every_public_error_is_public_in_the_front() -> None:
    errors = {
        name
        for name, value in vars(derive.errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert errors <= set(throughtime.__all__)


def test_dir_and_all_agree() -> None:
    assert dir(throughtime) == sorted(throughtime.__all__)
    assert throughtime.__version__ == _version.__version__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        throughtime.lode  # noqa: B018 - reading it is the test
