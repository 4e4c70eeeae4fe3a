"""The command line against a made-up model: arguments, exit codes, what goes to which stream."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from derive.errors import LanguageError, Place, UnknownCellError
from proofs.sandbox import Limits
from throughtime import progress
from throughtime.cli import cli

pytestmark = pytest.mark.usefixtures("in_tmp_path")


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THROUGHTIME_DEBUG", raising=False)


@dataclass
class FakeCheck:
    name: str


@dataclass
class FakeVerification:
    certificate = ""
    ok: bool
    failures: tuple[FakeCheck, ...] = ()
    differences: tuple[str, ...] = ()

    def table(self) -> str:
        return "check  verdict"

    def to_dict(self) -> dict[str, object]:
        return {"ok": self.ok, "largest": float("inf")}


class FakeDerivation:
    def quantities_text(self) -> str:
        return "h (n)"

    def text(self, layout: str) -> str:
        return "h̄ = ∂ℓ/∂h"

    def to_dict(self, layout: str) -> dict[str, object]:
        return {"steps": []}


@dataclass
class FakeModel:
    """Stands where throughtime.model stands; ``calls`` is what the command line asked of it."""

    holds: bool = True
    made: tuple[str, ...] = ("html", "ipynb", "tex", "pdf")
    raises: BaseException | None = None
    name: str = "lstm"
    calls: list[object] = field(default_factory=list)

    def load(self, spec: str) -> FakeModel:
        self.calls.append(("load", spec))
        if self.raises:
            raise self.raises
        return self

    def shipped(self) -> list[dict[str, object]]:
        return [
            {"name": "elman", "title": "Elman", "source": "B1", "options": {"g": "tanh or relu"}},
            {"name": "lstm", "title": "LSTM", "source": "B7", "options": {}},
        ]

    def derive(self) -> FakeDerivation:
        return FakeDerivation()

    def generate(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(source="# made\nimport numpy as np\n")

    def certified(self, source: str) -> types.SimpleNamespace:
        return types.SimpleNamespace(source=source)

    def verify(
        self, source: str | None = None, *, seed: int = 0, on_progress: Callable[[str], None]
    ):
        self.calls.append(("verify", source, seed))
        on_progress("checking")
        return FakeVerification(self.holds, () if self.holds else (FakeCheck("complex step"),))

    def examine(
        self,
        path: str,
        seed: int,
        limits: tuple[float, float],
        say: Callable[[str], None],
        **_: bool,
    ) -> types.SimpleNamespace:
        self.calls.append(limits)
        return types.SimpleNamespace(
            verification=self.verify(path, seed=seed, on_progress=say), mutants=None
        )

    def report(
        self, folder: Path, *, force: bool, on_progress: Callable[[str], None], **formats: object
    ):
        self.calls.append(("report", folder, force, formats))
        return {kind: folder / f"lstm.{kind}" for kind in self.made}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    fake = FakeModel()
    for name in ("throughtime.model", "throughtime.listing"):
        monkeypatch.setitem(sys.modules, name, fake)  # type: ignore[arg-type]
    return fake


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def error_in(result: Result) -> dict[str, object]:
    told = json.loads(result.stdout)
    assert list(told) == ["error"]
    return told["error"]


def test_derive_prints_the_derivation(model: FakeModel) -> None:
    result = run("derive", "lstm")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "h (n)\nh̄ = ∂ℓ/∂h\n", "")
    assert model.calls == [("load", "lstm")]


def test_derive_writes_where_it_is_told(model: FakeModel) -> None:
    result = run("derive", "lstm", "-o", "out/lstm.txt")
    assert (result.exit_code, result.stdout) == (0, f"{Path('out/lstm.txt')}\n")
    assert Path("out/lstm.txt").read_text() == "h (n)\nh̄ = ∂ℓ/∂h"


def test_cells_lists_names_options_and_sources(model: FakeModel) -> None:
    result = run("cells")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "elman        Elman",
        "    :g=  tanh or relu",
        "    B1",
        "lstm         LSTM",
        "    B7",
    ]


def test_generate_prints_code_that_was_verified_first(model: FakeModel) -> None:
    result = run("generate", "lstm")
    assert (result.exit_code, result.stdout) == (0, "# made\nimport numpy as np\n")
    assert ("verify", "# made\nimport numpy as np\n", 0) in model.calls


def test_generate_writes_the_file(model: FakeModel) -> None:
    assert run("generate", "lstm", "-o", "f.py").exit_code == 0
    assert Path("f.py").read_text() == "# made\nimport numpy as np\n"


def test_generate_writes_nothing_over_a_file_without_force(model: FakeModel) -> None:
    Path("f.py").write_text("mine")
    result = run("generate", "lstm", "-o", "f.py")
    assert result.exit_code == 2
    assert result.stderr == (
        "ArgumentError: f.py exists already.\n  Choose another name, or pass --force.\n"
    )
    assert Path("f.py").read_text() == "mine"
    assert model.calls == [], "it must say no before the work"
    assert run("generate", "lstm", "-o", "f.py", "--force").exit_code == 0
    assert Path("f.py").read_text() != "mine"


def test_generate_refuses_a_name_that_is_not_pythons(model: FakeModel) -> None:
    assert run("generate", "lstm", "-o", "lstm.txt").exit_code == 2


@pytest.mark.parametrize("more", [[], ["--json"], ["--force"], ["-o", "f.py"]])
def test_generate_withholds_code_that_failed_a_check(model: FakeModel, more: list[str]) -> None:
    model.holds = False
    result = run("generate", "lstm", *more)
    assert result.exit_code == 3
    assert "import numpy" not in result.output
    assert list(Path.cwd().iterdir()) == []
    if "--json" in more:
        assert json.loads(result.stdout)["verified"] is False
    else:
        assert "NOT verified; failed: complex step\nNothing was written." in result.stderr


def test_generate_on_request_writes_what_failed_under_a_name_that_says_so(model: FakeModel) -> None:
    model.holds = False
    result = run("generate", "lstm", "-o", "f.py", "--unverified")
    assert result.exit_code == 3
    assert [path.name for path in Path.cwd().iterdir()] == ["f.unverified.py"]
    assert "Written as f.unverified.py." in result.stderr


def test_verify_tells_a_file_from_a_cell(model: FakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "throughtime.verifying", model)  # type: ignore[arg-type]
    assert run("verify", "f.py", "--seed", "7", "--time", "90", "--memory", "1.5").exit_code == 0
    assert run("verify", "lstm").exit_code == 0
    asked = [Limits(90.0, 1.5), ("verify", "f.py", 7), ("load", "lstm"), ("verify", None, 0)]
    assert model.calls == asked


def test_verify_of_a_missing_file_is_a_usage_error(model: FakeModel) -> None:
    result = run("verify", "none.py")
    assert (result.exit_code, result.stdout) == (2, "")
    problem = "ArgumentError: none.py cannot be read: No such file or directory."
    assert result.stderr == f"{problem}\n  Check the path.\n"


def test_verify_says_that_it_runs_the_file() -> None:
    assert "F.py is run: in a process of its own" in run("verify", "--help").stdout


def test_verify_starts_no_work_with_limits_that_are_none() -> None:
    assert run("verify", "f.py", "--time", "0").exit_code == 2
    assert run("verify", "f.py", "--memory", "-1").exit_code == 2


def test_verify_names_the_check_that_failed_and_exits_3(model: FakeModel) -> None:
    model.holds = False
    result = run("verify", "lstm")
    assert result.exit_code == 3
    assert result.stdout == "check  verdict\nNOT verified; failed: complex step\n"


def test_report_goes_to_a_folder_named_for_the_cell(model: FakeModel) -> None:
    result = run("report", "lstm")
    folder = Path("build/report/lstm")
    assert result.exit_code == 0
    assert model.calls[-1] == ("report", folder, False, {})
    assert result.stdout.splitlines()[0] == str(folder / "lstm.html")


def test_report_passes_the_formats_on_and_names_what_could_not_be_made(model: FakeModel) -> None:
    model.made = ("html",)
    result = run("report", "lstm", "--format", "HTML, pdf", "-o", "x")
    assert model.calls[-1] == ("report", Path("x"), False, {"formats": ("html", "pdf")})
    assert result.stderr == "Not made here: pdf.\n"


def test_report_refuses_a_format_it_does_not_know(model: FakeModel) -> None:
    result = run("report", "lstm", "--format", "docx")
    assert result.exit_code == 2
    assert "'docx' is no format; choose from html, ipynb, tex, pdf." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["cells"], {"cells"}),
        (["derive", "lstm"], {"cell", "file", "derivation"}),
        (["generate", "lstm"], {"cell", "verified", "file", "source", "verification"}),
        (["verify", "lstm"], {"target", "verified", "verification"}),
        (["report", "lstm"], {"cell", "folder", "files", "missing"}),
    ],
)
def test_json_is_exactly_one_object_on_standard_output(
    model: FakeModel, arguments: list[str], keys: set[str]
) -> None:
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout).keys() == keys
    assert result.stderr == ""


def test_json_tells_an_infinite_figure_as_text(model: FakeModel) -> None:
    assert json.loads(run("verify", "lstm", "--json").stdout)["verification"]["largest"] == "inf"


PLACE = Place("my.cell", 3, "h[t] = W @ h[t+1]", column=13, width=3)


def test_a_bad_cell_exits_4_with_the_caret_under_its_place(model: FakeModel) -> None:
    model.raises = LanguageError("t+1 lies in the future.", "Use t-1.", place=PLACE)
    result = run("derive", "my.cell")
    assert (result.exit_code, result.stdout) == (4, "")
    first, caret, *rest = result.stderr.splitlines()
    assert first == "LanguageError: my.cell, line 3: h[t] = W @ h[t+1]"
    assert caret.index("^") == first.index("t+1]")
    assert caret.count("^") == 3
    assert rest == ["  t+1 lies in the future.", "  Use t-1."]


def test_a_bad_cell_is_told_in_json_too(model: FakeModel) -> None:
    model.raises = LanguageError("t+1 lies in the future.", "Use t-1.", place=PLACE)
    result = run("derive", "my.cell", "--json")
    assert (result.exit_code, result.stderr) == (4, "")
    assert error_in(result) == {
        "type": "LanguageError",
        "message": "t+1 lies in the future.",
        "remedy": "Use t-1.",
        "place": {
            "source": "my.cell",
            "line": 3,
            "column": 14,
            "width": 3,
            "text": "h[t] = W @ h[t+1]",
        },
    }


def test_an_unknown_cell_is_a_usage_error(model: FakeModel) -> None:
    model.raises = UnknownCellError("No cell is named 'lstn'.", "Did you mean lstm?")
    result = run("derive", "lstn")
    assert result.exit_code == 2
    assert result.stderr == ("UnknownCellError: No cell is named 'lstn'.\n  Did you mean lstm?\n")


def test_our_own_bug_is_called_ours_and_shows_its_traceback_only_on_request(
    model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.raises = KeyError("W")
    result = run("derive", "lstm")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("InternalError: KeyError: 'W'\n  This is a bug in throughtime")
    assert "Traceback" not in result.stderr
    assert "Traceback" in run("derive", "lstm", "--debug").stderr
    assert error_in(run("derive", "lstm", "--json"))["type"] == "InternalError"
    monkeypatch.setenv("THROUGHTIME_DEBUG", "1")
    assert "Traceback" in run("derive", "lstm").stderr


def test_memory_that_runs_out_is_no_bug_of_ours(model: FakeModel) -> None:
    model.raises = MemoryError("Unable to allocate 2.98 GiB")
    result = run("derive", "lstm")
    assert result.exit_code == 2
    assert "The memory of this machine is not enough: Unable to allocate" in result.stderr
    assert "bug" not in result.stderr


def test_control_c_exits_130(model: FakeModel) -> None:
    model.raises = KeyboardInterrupt()
    result = run("derive", "lstm")
    assert (result.exit_code, result.stdout) == (130, "")
    told = "The command was stopped; no file is left half-written."
    assert result.stderr.strip() == f"Interrupted: {told}"
    shown = run("derive", "lstm", "--json")
    assert shown.exit_code == 130
    assert json.loads(shown.stdout)["error"]["message"] == told


@pytest.mark.parametrize(
    "arguments", [["derive"], ["derive", "lstm", "--nonsense"], ["nonsense"], ["derive", "a", "b"]]
)
def test_a_usage_error_exits_2_in_text_and_in_json(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")
    told = run(*arguments, "--json")
    assert told.exit_code == 2
    if arguments != ["derive"]:
        assert error_in(told)["type"] == "UsageError"


def test_progress_is_silent_for_a_second_and_then_goes_to_standard_error(
    model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("verify", "lstm").stderr == ""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    shown = run("verify", "lstm", "--json")
    assert [line.split("  ")[-1] for line in shown.stderr.splitlines()] == [
        "reading lstm",
        "checking",
    ]
    json.loads(shown.stdout)
    assert run("verify", "lstm", "--quiet").stderr == ""


def test_progress_shows_the_stage_that_was_under_way_when_patience_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with progress.Progress() as say:
        say("one long import")
        deadline = time.monotonic() + 10
        shown = ""
        while not shown and time.monotonic() < deadline:
            time.sleep(0.01)
            shown = capsys.readouterr().err
    assert shown.endswith("one long import\n")


def process(*arguments: str) -> subprocess.Popen[str]:
    # Unbuffered, Python takes a write that the reader cut short for a whole one.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**inherited, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.mark.parametrize("arguments", [["--help"], ["derive", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys, atexit\n"
        "heavy = {'sympy', 'numpy', 'matplotlib', 'nbconvert', 'nbformat', 'mpmath'}\n"
        "atexit.register(lambda: print('imported:', sorted(heavy & sys.modules.keys())))\n"
        f"sys.argv = ['throughtime', *{arguments!r}]\n"
        "from throughtime.cli import main\n"
        "main()\n"
    )
    child = process("-c", script)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert out.endswith("imported: []\n")


def test_python_dash_m_runs_the_command_line() -> None:
    child = process("-m", "throughtime", "--version")
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert out.startswith("throughtime, version ")


MADE_UP = """
import signal, sys, time, types
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs behind it with none
def load(spec):
    print("loaded", file=sys.stderr, flush=True)
    if spec == "slow":
        time.sleep(60)
    told = lambda layout: "σ∘\\n" * 200_000
    derivation = types.SimpleNamespace(text=told, quantities_text=lambda: "σ∘", to_dict=lambda layout: {})
    return types.SimpleNamespace(name=spec, derive=lambda: derivation)
sys.modules["throughtime.model"] = types.SimpleNamespace(load=load)
from throughtime.cli import main
"""


def test_a_reader_who_leaves_early_causes_no_complaint() -> None:
    with process("-c", f"{MADE_UP}\nsys.argv = ['throughtime', 'derive', 'long']\nmain()") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "σ∘\n"
        child.stdout.close()
        assert child.stderr.read() == "loaded\n"
        assert child.wait(timeout=60) == 141


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
def test_control_c_stops_a_process_with_one_line() -> None:
    child = process("-c", f"{MADE_UP}\nsys.argv = ['throughtime', 'derive', 'slow']\nmain()")
    assert child.stderr is not None
    assert child.stderr.readline() == "loaded\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert "Interrupted" in err


def test_mathematics_prints_under_a_locale_that_has_no_letters_for_it() -> None:
    script = f"{MADE_UP}\nsys.argv = ['throughtime', 'derive', 'long', '--quiet']\nmain()"
    child = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=60,
    )
    assert child.returncode == 0
    assert child.stdout.startswith("σ∘\n".encode())
