from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from tests.generated import needs_standard
from throughtime.cli import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@needs_standard
def test_a_file_for_any_namespace_is_verified_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "gru.py"
    made = run("generate", "gru", "--backend", "array-api", "-o", str(file))
    assert made.exit_code == 0, made.output
    assert "over any array namespace" in file.read_text()
    assert "the code is the one that was certified" in run("verify", str(file)).output
    file.write_text(file.read_text().replace("delta_g = ", "delta_g = -", 1))
    changed = run("verify", str(file))
    assert changed.exit_code == 3
    assert changed.output.count("    +        delta_g = -") == 1


@needs_standard
def test_a_network_for_any_namespace_is_verified_and_a_change_of_it_is_located(
    tmp_path: Path,
) -> None:
    file = tmp_path / "many.py"
    made = run("generate", "many_to_many", "--backend", "array-api", "-o", str(file))
    assert made.exit_code == 0, made.output
    assert "over any array namespace" in file.read_text()
    assert "the code is the one that was certified" in run("verify", str(file)).output
    file.write_text(file.read_text().replace("add_to(outputs_bar, ", "add_to(inputs_bar, ", 1))
    changed = run("verify", str(file))
    assert changed.exit_code == 3
    assert changed.output.count("    +    add_to(inputs_bar, ") == 1


def test_what_is_not_written_for_any_namespace_is_told() -> None:
    more = run("generate", "gru", "--backend", "array-api", "--checkpoint")
    assert more.exit_code == 2
    assert "brings nothing else along" in more.output
    trains = run("generate", "gru", "--backend", "array-api", "--training")
    assert trains.exit_code == 2
    assert "--training brings along is written for NumPy's arrays alone" in trains.output
    assert "torch.optim" in trains.output
