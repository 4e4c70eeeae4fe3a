"""Machine code of compiled files: kept for later processes, made anew for another text, never taken by a check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.compiled_source import generate_compiled
from proofs.modules import load_source

pytest.importorskip("numba", reason="numba is not installed: make frameworks")

RUN = """
import json
import numpy as np
import kept
rng = np.random.default_rng(0)
params = kept.init_params(3, 2, seed=1)
x = rng.standard_normal((4, 2, 2))
outputs, _, cache = kept.forward(params, x)
gradients, _, _ = kept.backward(params, cache, {"h": np.ones_like(outputs["h"])})
told = {"hits": 0, "misses": 0, "path": kept.forward_loop.stats.cache_path}
for function in (kept.forward_loop, kept.backward_loop, kept.dots, kept.products):
    told["hits"] += sum(function.stats.cache_hits.values())
    told["misses"] += sum(function.stats.cache_misses.values())
told["numbers"] = [outputs["h"].tolist(), *(g.tolist() for g in gradients.values())]
print(json.dumps(told))
"""


def told_by(folder: Path, **environment: str) -> dict:
    """What a process of its own tells that runs the file once."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept.py").write_text(generate_compiled(derive(load("elman"))), encoding="utf-8")
    return tmp_path


def test_a_second_process_takes_the_machine_code_of_the_first(folder: Path) -> None:
    first, second = told_by(folder), told_by(folder)
    assert first["hits"] == 0
    assert first["misses"] > 0
    assert Path(first["path"]).parent == folder
    assert (second["hits"] > 0, second["misses"]) == (True, 0)
    assert second["numbers"] == first["numbers"]


def test_another_text_gets_machine_code_of_its_own(folder: Path) -> None:
    before, file = told_by(folder), folder / "kept.py"
    text = file.read_text(encoding="utf-8")
    assert text.count("= tanh_of(") == 1
    file.write_text(text.replace("= tanh_of(", "= -tanh_of("), encoding="utf-8")
    after = told_by(folder)
    assert (after["hits"], after["misses"]) == (0, before["misses"])
    assert after["numbers"] != before["numbers"]


def test_where_nothing_can_be_written_the_file_works_as_well(folder: Path) -> None:
    (folder / "__pycache__").write_text("no folder", encoding="utf-8")
    nowhere = str(folder / "__pycache__" / "below")
    told = told_by(folder, HOME=nowhere, XDG_CACHE_HOME=nowhere)
    assert (told["path"], told["hits"]) == (None, 0)
    (folder / "__pycache__").unlink()
    assert told["numbers"] == told_by(folder)["numbers"]


def test_a_check_runs_what_it_has_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told_by(folder)
    monkeypatch.chdir(folder)
    (folder / "<checked file>").write_text("", encoding="utf-8")
    module = load_source((folder / "kept.py").read_text(encoding="utf-8"))
    assert module.forward_loop.stats.cache_path is None
