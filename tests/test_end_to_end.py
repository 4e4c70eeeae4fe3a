"""The main job as a user meets it: the command line, files on disk, other people's gradients."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from throughtime.cli import cli

ROOT = Path(__file__).resolve().parents[1]
# Two states, lags 1 and 2, n ≠ m, U_f used twice (once transposed); no other test holds this cell.
TRACE = """# A gated unit with a slow trace
f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
g[t] = tanh(W_g @ x[t] + U_g @ h[t-2] + U_f.T @ c[t-1] + b_g)
c[t] = f[t] * c[t-1] + (1 - f[t]) * g[t]
h[t] = tanh(P @ c[t])
"""


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(scope="module")
def lstm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("lstm")
    return run("report", "lstm", "-o", folder, "--format", "html,ipynb,tex"), folder


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("trace")
    (folder / "trace.cell").write_text(TRACE, encoding="utf-8")
    return run(
        "report", folder / "trace.cell", "-o", folder / "report", "--format", "html", "--json"
    ), folder


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated_for_a_test", path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_lstms_report_is_written_whole(lstm: tuple[Result, Path]) -> None:
    result, folder = lstm
    assert result.exit_code == 0, result.stderr
    names = [
        "lstm.html",
        "lstm.ipynb",
        "lstm.tex",
        "lstm.py",
        "lstm.proof.json",
        "verification.json",
    ]
    assert [Path(line).name for line in result.stdout.splitlines()] == names
    assert all((folder / name).stat().st_size > 1000 for name in names)
    figures = set(re.findall(r"\\reportpicture\{([^}]+)\}", (folder / "lstm.tex").read_text()))
    assert figures == {path.name for path in folder.glob("*.pdf")}
    assert json.loads((folder / "verification.json").read_text())["verified"] is True


def test_the_lstms_page_tells_the_whole_story(lstm: tuple[Result, Path]) -> None:
    page = (lstm[1] / "lstm.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(re.findall(r'\bid="([^"]+)"', page))
    for words in ("Verified.", "The gradient vanishes.", "What this rests on", "modulo a prime"):
        assert words in page
    assert "check-exact-line-by-line" in links
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_lstms_code_runs_with_numpy_alone(lstm: tuple[Result, Path]) -> None:
    script = (
        "import sys; sys.path.insert(0, '.'); import lstm, numpy as np\n"
        "p = lstm.init_params(3, 2)\n"
        "out, final, cache = lstm.forward(p, np.ones((4, 2, 2)))\n"
        "bar, _, _ = lstm.backward(p, cache, {'h': np.ones((4, 2, 3))})\n"
        "print(bar['W_f'].shape, sorted({'sympy', 'derive', 'numeric', 'throughtime'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        cwd=lstm[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "(3, 3) []\n"


def test_a_second_report_replaces_nothing_without_force(lstm: tuple[Result, Path]) -> None:
    before = {path: path.stat().st_mtime_ns for path in lstm[1].iterdir()}
    result = run("report", "lstm", "-o", lstm[1], "--format", "html")
    assert result.exit_code == 2
    assert "there already" in result.stderr
    assert before == {path: path.stat().st_mtime_ns for path in lstm[1].iterdir()}


@pytest.mark.needs("chromium")
def test_the_page_shows_its_mathematics_with_the_network_off(
    lstm: tuple[Result, Path], tmp_path: Path
) -> None:
    from reports.pdf import find_browser

    browser = find_browser()
    assert browser
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
    done = subprocess.run(
        [browser, *flags, f"--user-data-dir={tmp_path}", "--virtual-time-budget=10000", "--dump-dom",
         (lstm[1] / "lstm.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert 'data-math="done"' in done.stdout
    assert 'data-math-errors="0"' in done.stdout
    assert done.stdout.count('class="katex-html"') > 100


def test_a_users_own_file_gets_the_same_report(trace: tuple[Result, Path]) -> None:
    result, folder = trace
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["cell"] == "trace"
    assert set(told["files"]) == {"html", "py", "proof", "json"}
    assert told["missing"] == []
    page = (folder / "report" / "trace.html").read_text(encoding="utf-8")
    assert "A gated unit with a slow trace" in page
    assert "Verified." in page


@pytest.mark.needs("torch")
def test_its_gradients_are_those_of_torch(trace: tuple[Result, Path]) -> None:
    import torch

    code = module(trace[1] / "report" / "trace.py")
    n, m, steps, batch = 5, 3, 9, 4
    rng = np.random.default_rng(11)
    params = {
        k: 0.7 * rng.standard_normal(shape) for k, shape in code.parameter_shapes(n, m).items()
    }
    x = rng.standard_normal((steps, batch, m))
    state = {"c": rng.standard_normal((batch, n)), "h": rng.standard_normal((2, batch, n))}
    weights = {k: rng.standard_normal((steps, batch, n)) for k in ("c", "h")}

    leaves: dict[str, Any] = {
        k: torch.tensor(v, requires_grad=True)
        for k, v in {**params, "x": x, "c_0": state["c"], "h_0": state["h"]}.items()
    }
    outputs = unrolled(torch, leaves)
    losses = [(outputs[k] * torch.tensor(w)).sum() for k, w in weights.items()]
    torch.stack(losses).sum().backward()
    _, _, cache = code.forward(params, x, state)
    params_bar, inputs_bar, state_bar = code.backward(params, cache, weights)

    ours = {**params_bar, **inputs_bar, **{f"{k}_0": v for k, v in state_bar.items()}}
    assert ours.keys() == leaves.keys()
    for name, leaf in leaves.items():
        expected = leaf.grad.numpy()
        assert np.linalg.norm(expected) > 1e-6, name
        assert np.linalg.norm(ours[name] - expected) / np.linalg.norm(expected) <= 1e-10, name


def unrolled(torch: Any, p: dict[str, Any]) -> dict[str, Any]:
    """The cell as a torch user writes it: rows are samples."""
    c, (older, h) = p["c_0"], p["h_0"]
    outputs: dict[str, list[Any]] = {"c": [], "h": []}
    for x in p["x"]:
        f = torch.sigmoid(x @ p["W_f"].T + h @ p["U_f"].T + p["b_f"])
        g = torch.tanh(x @ p["W_g"].T + older @ p["U_g"].T + c @ p["U_f"] + p["b_g"])
        c = f * c + (1 - f) * g
        older, h = h, torch.tanh(c @ p["P"].T)
        outputs["c"].append(c)
        outputs["h"].append(h)
    return {name: torch.stack(values) for name, values in outputs.items()}


def test_a_file_that_is_no_cell_is_exit_code_4(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.cell"
    wrong.write_text("h[t] = tanh(W @ h[t-1] + U @ x[t+1])\n")
    result = run("report", wrong, "-o", tmp_path / "out")
    assert result.exit_code == 4
    assert "line 1" in result.stderr
    assert "^" in result.stderr
    assert not (tmp_path / "out").exists()


# What stands in the code, what is written in its place, and a block of the gradient that must be named.
BREAKS = {
    "a flipped sign": ("c_bar[t] * g[t] * i[t]", "-c_bar[t] * g[t] * i[t]", "W_i"),
    "a transposed matrix": (
        "W_fiog = np.concatenate((W_f, W_i, W_o, W_g))\n    U_fiog",
        "W_fiog = np.concatenate((W_f, W_i.T, W_o, W_g))\n    U_fiog",
        "h",
    ),
    "a shifted time": ("c_bar[t] * c_prev[t] * f[t]", "c_bar[t] * c_all[t + 1] * f[t]", "W_f"),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_a_broken_file_is_not_verified_and_the_place_is_named(
    kind: str, lstm: tuple[Result, Path], tmp_path: Path
) -> None:
    source = (lstm[1] / "lstm.py").read_text(encoding="utf-8")
    right, wrong, block = BREAKS[kind]
    assert source.count(right) == 1, (
        f"the generated code reads otherwise: adapt this test's {right!r}"
    )
    broken = tmp_path / "broken.py"
    broken.write_text(source.replace(right, wrong), encoding="utf-8")
    result = run("verify", broken)
    assert result.exit_code == 3
    assert "NOT verified; failed: " in result.stdout
    assert "complex step" in result.stdout
    assert block in result.stdout
    before = source.partition(right)[0]
    line = before.count("\n") + 1
    assert f"@@ -{line} +{line} @@" in result.stdout
    assert result.stdout.count("@@ -") == 1


def test_the_file_as_it_was_written_is_verified(lstm: tuple[Result, Path]) -> None:
    result = run("verify", lstm[1] / "lstm.py", "--seed", "3")
    assert result.exit_code == 0, result.stdout
    assert "verified: every check ran and held" in result.stdout


def test_python_users_reach_the_same(tmp_path: Path) -> None:
    import throughtime

    model = throughtime.load("elman:g=relu")
    assert "relu" in model.derive().text()
    assert model.generate() is model.generate()
    assert model.verify() is model.verify()
    assert model.verify().ok
    path = model.generate().write(tmp_path / "elman.py")
    assert path.read_text(encoding="utf-8") == model.generate().source
