"""What is handed out: the same bytes every time, complete, and working from where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import throughtime

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("derive", "numeric", "proofs", "reports", "throughtime")
USER = """\
from pathlib import Path

import throughtime

model = throughtime.load("lstm")
text: str = model.derive().text()
code: str = str(model.generate())
verdict: bool = model.verify().ok if isinstance(model, throughtime.Model) else False
name: int = model.name
"""


def built(folder: Path, *, umask: int) -> Path:
    """Wheel and sdist from a copy of the tree that lies elsewhere and is younger."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed")
    tree = folder / "tree"
    tree.mkdir(parents=True)
    kept = [
        *FOLDERS,
        "tests",
        "benchmarks",
        "docs",
        "examples",
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "ARCHITECTURE.md",
    ]
    for name in [*kept, "LICENSE", "Makefile", ".gitignore"]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder / "dist")]
    before = os.umask(umask)
    try:
        subprocess.run(command, cwd=tree, check=True, capture_output=True, timeout=120)
    finally:
        os.umask(before)
    return folder / "dist"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("first"), umask=0o022)


@pytest.mark.needs("sources")
def test_two_builds_give_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    again = built(tmp_path / "second", umask=0o077)
    names = sorted(path.name for path in dist.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    assert len(names) == 2
    for name in names:
        assert (dist / name).read_bytes() == (again / name).read_bytes(), name


@pytest.mark.needs("sources")
def test_the_wheel_holds_all_that_works_and_no_more(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    tracked = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {name for name in held if ".dist-info/" not in name}
    assert shipped == tracked
    assert {"throughtime/py.typed", "derive/cells/lstm.cell", "proofs/rocq/tangents.v"} <= shipped
    assert throughtime.__version__ in wheel.name


@pytest.mark.needs("sources")
def test_the_sdist_holds_the_tests_and_the_examples_that_they_run(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("/tests/conftest.py") for name in names)
    assert any(name.endswith("/Makefile") for name in names)
    assert any(name.endswith("/examples/data/alice.txt") for name in names)


@pytest.mark.needs("sources")
def test_the_wheel_works_from_where_it_is_installed(dist: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    where = subprocess.run(
        [sys.executable, "-c", "import derive, throughtime; print(derive.__file__, throughtime.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(path.startswith(str(tmp_path / "site")) for path in where.stdout.split())
    derived = subprocess.run(
        [sys.executable, "-m", "throughtime", "derive", "skip:d=2"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    text = throughtime.load("skip:d=2").derive().text().strip()
    assert derived.stdout.startswith("The quantities and their shapes\n")
    assert derived.stdout.strip().endswith(f"\n\n{text}")


def test_a_users_type_checker_sees_our_types(tmp_path: Path) -> None:
    pyright = shutil.which("pyright", path=str(Path(sys.executable).parent)) or shutil.which(
        "pyright"
    )
    if pyright is None:
        pytest.skip("pyright is not installed: pip install pyright")
    (tmp_path / "user.py").write_text(USER)
    done = subprocess.run(
        [pyright, "--pythonpath", sys.executable, "user.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    complaints = [line for line in done.stdout.splitlines() if " - error" in line]
    assert len(complaints) == 1, done.stdout
    assert "user.py:9" in complaints[0]
