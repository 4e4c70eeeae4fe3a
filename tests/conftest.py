"""Hypothesis profiles, golden files, and skips that say what is missing."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

GOLDEN = Path(__file__).parent / "golden"

# A shared machine is slow at times, and importing SymPy takes seconds: no deadlines.
settings.register_profile(
    "fast",
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "soak",
    max_examples=1000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

# What a test may need, how to see whether it is there, and how to get it.
_PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "node": ("node",),
    "coqc": ("coqc",),
}
_MODULES = dict.fromkeys(("torch", "autograd", "onnx", "onnxruntime"), "make frameworks")


ROOT = Path(__file__).resolve().parents[1]


def missing(tool: str) -> str | None:
    """Why the tool cannot be used here, or None."""
    if tool == "sources":
        there = (ROOT / "derive").is_dir()
        return None if there else "the source tree is not beside the tests: they judge a wheel"
    if tool in _PROGRAMS:
        found = any(shutil.which(name) for name in _PROGRAMS[tool])
        return None if found else f"{tool} is not on the PATH"
    if tool in _MODULES:
        return None if find_spec(tool) else f"{tool} is not installed: {_MODULES[tool]}"
    raise pytest.UsageError(f"needs({tool!r}): unknown tool; tests/conftest.py lists them")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the tests produce into tests/golden instead of comparing",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            if why := missing(tool):
                pytest.skip(why)


def compare_golden(path: Path, text: str, *, update: bool) -> None:
    """Demand that the file holds exactly this text, or make it so."""
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return
    remedy = "if that is right: pytest --update-golden, and read the diff"
    if not path.exists():
        pytest.fail(f"{path} does not exist; {remedy}", pytrace=False)
    expected = path.read_bytes().decode()
    if text == expected:
        return
    before, now = expected.splitlines(), text.splitlines()
    diff = [*difflib.unified_diff(before, now, str(path), "produced now", lineterm="")]
    shown = "\n".join(diff[:60]) or "(only line ends differ)"
    pytest.fail(f"{shown}\n{remedy}", pytrace=False)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` demands that text is tests/golden/NAME, or makes it so on request."""
    update = bool(request.config.getoption("--update-golden"))
    return lambda name, text: compare_golden(GOLDEN / name, text, update=update)
