"""``study`` and ``compare`` from the command line: numbers, files, refusals, and pages whose formulas KaTeX accepts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from click.testing import CliRunner, Result

from reports import compare_page, study_gain, study_guarantee, study_page, study_routes, verdict
from reports.figures import Picture
from reports.strict import complaints, formulas
from throughtime.cli import cli
from throughtime.cli_study import study
from throughtime.idle_options import IDLE
from throughtime.studying import short_names

SMALL = ("--T", "120", "--n", "5", "--m", "3", "--no-bounds")


@pytest.fixture
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds, and are tested by themselves."""
    for page in (study_page, study_gain, study_routes, study_guarantee, compare_page):
        monkeypatch.setattr(page, "line_figure", lambda *args, **kwargs: None)
        monkeypatch.setattr(page, "to_picture", lambda figure: Picture("<svg/>", b"", b""))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def formulas_in(path: Path) -> list[tuple[str, bool]]:
    page = nbformat.read(path, as_version=4)
    return [f for c in page.cells if c.cell_type == "markdown" for f in formulas(c.source)]


@pytest.mark.needs("node")
@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("cell", ["lstm", "skip"])
def test_a_study_is_a_page_whose_formulas_katex_accepts(cell: str, tmp_path: Path) -> None:
    found = run("study", cell, *SMALL, "--bounds", "--format", "ipynb", "-o", str(tmp_path))
    assert found.exit_code == 0, found.output
    seen = formulas_in(tmp_path / "study.ipynb")
    assert len(seen) > 20
    assert complaints(seen) == []


def test_a_study_tells_rates_and_shares_that_add_up(tmp_path: Path) -> None:
    arguments = ("--set", "b_f=5", "--format", "html", "-o", str(tmp_path), "--json")
    found = run("study", "lstm", *SMALL, *arguments)
    data = json.loads(found.stdout)
    assert data["lag"] == 120
    assert sum(data["shares"].values()) == pytest.approx(1)
    assert data["difference_of_the_routes"] < 1e-10
    assert -0.1 < data["rate"] < 0.05
    page = (tmp_path / "study.html").read_text()
    assert "Lyapunov" in page
    assert "default-src 'none'" in page


@pytest.mark.usefixtures("_undrawn")
def test_routes_that_take_a_matrix_once_or_more_often_are_told_apart(tmp_path: Path) -> None:
    """An error fed back through V.T @ V: a share of one route must not stand for another's."""
    cell = tmp_path / "predictive.cell"
    cell.write_text(
        "p[t] = tanh(W @ z[t-1])\nq[t] = p[t] + 0.2 * V.T @ (x[t] - V @ p[t])\n"
        "z[t] = q[t] + 0.2 * V.T @ (x[t] - V @ q[t])\n"
    )
    found = run("study", str(cell), "--T", "60", "--no-bounds", "--json", "-o", str(tmp_path / "s"))
    shares = json.loads(found.stdout)["shares"]
    assert {"through W", "through V (2×), W", "through V (4×), W"} <= shares.keys()
    assert sum(shares.values()) == pytest.approx(1)


def test_a_comparison_shows_every_cell_with_its_costs(tmp_path: Path) -> None:
    found = run(
        "compare", "elman", "lstm", *SMALL, "--format", "ipynb", "-o", str(tmp_path), "--json"
    )
    rows = json.loads(found.stdout)["cells"]
    assert [row["cell"] for row in rows] == ["elman", "lstm"]
    assert rows[1]["parameters"] == 4 * rows[0]["parameters"]
    assert rows[0]["rate"] < rows[1]["rate"]
    text = (tmp_path / "compare.ipynb").read_text()
    assert "fig-compared" in text


@pytest.mark.needs("node")
@pytest.mark.usefixtures("_undrawn")
def test_katex_accepts_the_formulas_of_a_comparison(tmp_path: Path) -> None:
    assert (
        run("compare", "leaky", "gru", *SMALL, "--format", "ipynb", "-o", str(tmp_path)).exit_code
        == 0
    )
    assert complaints(formulas_in(tmp_path / "compare.ipynb")) == []


@pytest.mark.parametrize(
    "arguments",
    [("study", "lstm", "--set", "b_f"), ("study", "lstm", "--set", "b_q=1"), ("study", "lstm", "--format", "gif")],
)  # fmt: skip
def test_what_cannot_be_studied_is_a_usage_error(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert run(*arguments, *SMALL, "-o", str(tmp_path)).exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("s[t] = s[t-1]**3 + 2 + sum(x[t]**2)", "wild cannot be measured: s is not finite before"),
        ("s[t] = W @ s[t-1] + log(-x[t]**2)", "wild cannot be measured: s is not finite before"),
        (
            "k[t] = v * (K @ x[t])\ns[t] = W @ s[t-1] + k[t] / sqrt(sum(k[t]**2))",
            "wild cannot be measured: s is not finite before",
        ),
    ],
)
def test_a_run_that_leaves_the_numbers_is_told_with_its_cell_and_without_warnings(
    text: str, says: str, tmp_path: Path
) -> None:
    cell = tmp_path / "wild.cell"
    cell.write_text(text)
    found = run("compare", "elman", str(cell), *SMALL, "-q", "-o", str(tmp_path / "page"))
    assert found.exit_code == 2
    assert found.output.startswith(f"MeasureError: {says}")
    assert "Vectors start at 0 unless the cell says otherwise, `init NAME = ones`" in found.output


def test_parameters_that_leave_their_domain_are_told_with_it(tmp_path: Path) -> None:
    cell = tmp_path / "rooted.cell"
    cell.write_text("s[t] = tanh(W @ s[t-1] + sqrt(P @ x[t]))")
    page = ("-q", "--format", "ipynb", "-o", str(tmp_path / "page"))
    found = run("study", str(cell), *SMALL, *page)
    assert found.exit_code == 2
    assert "x > 0 and P > 0 are enough: `init NAME = 0.1`" in found.output
    found = run("study", str(cell), *SMALL, *page, "--init", "P=0.1")
    assert found.exit_code == 0
    assert "taken to where `x > 0`" in (tmp_path / "page" / "study.ipynb").read_text()


def test_a_vector_that_starts_at_ones_can_be_divided_by(tmp_path: Path) -> None:
    cell = tmp_path / "tame.cell"
    text = "k[t] = v * (K @ x[t])\ns[t] = W @ s[t-1] + k[t] / sqrt(sum(k[t]**2))\ninit v = ones"
    cell.write_text(text)
    assert (
        run("compare", "elman", str(cell), *SMALL, "-q", "-o", str(tmp_path / "page")).exit_code
        == 0
    )


@pytest.mark.parametrize("network", ["tagger", "my.net", "./my.net"])
def test_a_network_is_no_cell_to_compare(network: str) -> None:
    found = run("compare", "elman", network, *SMALL)
    assert found.exit_code == 2
    assert f"{network} is a network of cells, and here a cell is asked for." in found.output


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("cell", ["deltanet", "slstm"])
def test_cells_of_today_are_studied_too_their_states_matrices_or_not(
    cell: str, tmp_path: Path
) -> None:
    small = ("--T", "60", "--n", "3", "--m", "2")
    found = run("study", cell, *small, "--format", "ipynb", "-o", str(tmp_path), "--json")
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)
    assert -2 < data["rate"] < 0.05
    assert data["difference_of_the_shares"] < 1e-10
    assert ("shares" in data) == (cell == "slstm")
    ends = data["log_singular_values"]
    assert float(ends["smallest"]) < float(ends["largest"])


@pytest.mark.usefixtures("_undrawn")
def test_the_weights_of_a_users_model_are_measured_and_fix_the_sizes(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    given = {
        "W": 0.5 * np.linalg.qr(rng.standard_normal((7, 7)))[0],
        "U": np.zeros((7, 2)),
        "b": np.zeros(7),
    }
    np.savez(tmp_path / "mine.npz", **given)
    page = ("--format", "ipynb", "-o", str(tmp_path), "--json")
    found = run("study", "elman", "--T", "100", "--weights", str(tmp_path / "mine.npz"), *page)
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["rate"] == pytest.approx(np.log(0.5), abs=1e-6)
    assert "mine.npz" in (tmp_path / "study.ipynb").read_text()


@pytest.mark.needs("node")
@pytest.mark.usefixtures("_undrawn")
def test_a_network_is_studied_layer_by_layer(tmp_path: Path) -> None:
    """Of a bidirectional tagger: the forward layer's start is T steps from the loss, the backward one's beside it."""
    page = ("--format", "ipynb", "-o", str(tmp_path), "--json")
    found = run("study", "tagger", "--T", "20", *page)
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)
    assert data["lengths"] == [1, 2, 5, 10, 20]
    assert data["rates"]["f_c"] < -0.01
    assert data["states"]["b_h"][-1] > 0
    assert set(data["segments"]) >= {"f", "b"}
    assert complaints(formulas_in(tmp_path / "study.ipynb")) == []


@pytest.mark.usefixtures("_undrawn")
def test_a_network_whose_start_lets_nothing_through_is_studied_and_says_why(tmp_path: Path) -> None:
    """A pointer network scores with a vector that starts at 0: no gradient reaches any state yet."""
    net = tmp_path / "pointer.net"
    net.write_text(
        "index target\nenc = scan(elman, x[s])\nH[end] = columns(enc.h[s])\ndec = scan(elman, d[t], start(enc))\n"
        "a[t] = softmax(tanh(W @ H[end] + repeat(V @ dec.h[t])).T @ v)\nloss[t] = cross_entropy(a[t], target[t])\n"
    )
    page = ("--T", "20", "--format", "html", "-o", str(tmp_path / "page"))
    found = run("study", str(net), *page)
    assert found.exit_code == 0, found.output
    assert "declare in the file how it starts" in (tmp_path / "page" / "study.html").read_text()
    net.write_text(net.read_text() + "init v = normal\n")
    assert run("study", str(net), *page, "--force").exit_code == 0
    assert "fig-layers" in (tmp_path / "page" / "study.html").read_text()


def test_lengths_are_told_in_the_comparison(tmp_path: Path) -> None:
    page = ("--format", "ipynb", "-o", str(tmp_path), "--json")
    found = run("compare", "elman", "leaky", *SMALL, "--lengths", "10,100", *page)
    rows = json.loads(found.stdout)["cells"]
    assert [list(row["log_gain"]) for row in rows] == [["10", "100"]] * 2
    assert rows[0]["log_gain"]["100"] < rows[0]["log_gain"]["10"] < 0
    assert "gain at 10 " in (tmp_path / "compare.ipynb").read_text()


@pytest.mark.parametrize("lengths", ["0", "ten", "10,,20", "-3", "121", "99999999999999999999"])
def test_lengths_that_are_none_are_refused(lengths: str, tmp_path: Path) -> None:
    found = run("compare", "elman", *SMALL, f"--lengths={lengths}", "-o", str(tmp_path))
    assert found.exit_code == 2
    assert "--lengths" in found.output


@pytest.mark.usefixtures("_undrawn")
def test_the_prediction_stands_beside_the_measurement_with_its_reach(tmp_path: Path) -> None:
    given = ("--T", "300", "--n", "49", "--init", "normal", "--gain", "2", "--format", "ipynb")
    assert run("study", "elman", *given, "-o", str(tmp_path)).exit_code == 0
    text = (tmp_path / "study.ipynb").read_text()
    assert "mean field, asymptotic" in text
    assert "which the upright line marks" in text


@pytest.mark.usefixtures("_undrawn")
def test_what_the_errors_of_a_sampled_prediction_leave_out_is_told(tmp_path: Path) -> None:
    left_out = "is in neither of them"
    for cell, told in (("gru", True), ("elman", False)):
        asked = ("--init", "normal", "--n", "6", "--m", "2", "--T", "30", "--no-bounds")
        found = run("study", cell, *asked, "--format", "ipynb", "-o", str(tmp_path / cell))
        assert "predicted for many units" in found.output
        assert (left_out in (tmp_path / cell / "study.ipynb").read_text()) == told


def test_no_page_is_written_over_another_without_force(tmp_path: Path) -> None:
    (tmp_path / "study.html").write_text("mine")
    assert run("study", "elman", *SMALL, "-o", str(tmp_path)).exit_code == 2
    assert (tmp_path / "study.html").read_text() == "mine"


def state_dict(n: int = 4, m: int = 3) -> dict[str, np.ndarray]:
    """Of a GRU in both directions."""
    rng = np.random.default_rng(2)
    shapes = {
        "weight_ih": (3 * n, m),
        "weight_hh": (3 * n, n),
        "bias_ih": (3 * n,),
        "bias_hh": (3 * n,),
    }
    return {
        f"rnn.{name}_l0{way}": rng.uniform(-0.5, 0.5, shape)
        for way in ("", "_reverse")
        for name, shape in shapes.items()
    }


def test_every_layer_of_a_weight_file_is_studied_and_its_tensors_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", **state_dict())
    page = ["-o", str(tmp_path / "s"), "--format", "ipynb", "--T", "100", "--no-bounds"]
    found = run("study", "--weights", str(tmp_path / "model.npz"), *page)
    assert found.exit_code == 0, found.output
    for name in ("rnn.l0", "rnn.l0.reverse"):
        assert (tmp_path / "s" / name / "study.ipynb").exists()
    assert "rnn.weight_hh_l0_reverse  12 × 4" in found.output
    assert "as gru_reset_after" in found.output


def test_one_layer_is_chosen_and_a_wrong_name_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", **state_dict())
    page = ["-o", str(tmp_path / "s"), "--format", "ipynb", "--T", "100", "--no-bounds"]
    given = ["study", "--weights", str(tmp_path / "model.npz"), "--layer"]
    found = run(*given, "rnn.l0.reverse", *page, "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["weights"] == "model.npz: rnn.l0.reverse"
    wrong = run(*given, "lstm", *page)
    assert wrong.exit_code == 2
    assert "It has rnn.l0, rnn.l0.reverse" in wrong.output


@pytest.mark.parametrize("init", ["identity", "W_z=identity"])
def test_given_weights_are_not_started_otherwise(init: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", **state_dict())
    given = ("--weights", str(tmp_path / "model.npz"), "--layer", "rnn.l0.reverse", "--init", init)
    found = run("study", *given, "--T", "120", "-o", str(tmp_path / "s"))
    assert found.exit_code == 2
    assert "The weights are given, and init says how they start." in found.output


@pytest.mark.needs("torch")
@pytest.mark.parametrize(
    ("cell", "says", "assumed"),
    [
        (["elman:g=relu"], "  forward values compared with torch:", False),
        ([], "  forward values compared with torch:", True),
        (["elman:g=sigmoid"], "  forward values of elman compared with torch:", True),
    ],
)
def test_the_activation_of_torchs_rnn_is_the_named_cells(
    cell: list[str], says: str, *, assumed: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    shapes = {
        "weight_ih_l0": (4, 3),
        "weight_hh_l0": (4, 4),
        "bias_ih_l0": (4,),
        "bias_hh_l0": (4,),
    }
    np.savez(tmp_path / "m.npz", **{k: rng.uniform(-0.5, 0.5, v) for k, v in shapes.items()})
    page = ["-o", str(tmp_path / "s"), "--format", "ipynb", "--T", "30", "--no-bounds"]
    found = run("study", *cell, "--weights", str(tmp_path / "m.npz"), *page)
    assert found.exit_code == 0, found.output
    assert says in found.output
    assert ", holds" in found.output
    assert ("tanh is assumed" in found.output) == assumed


def test_a_study_of_nothing_is_told(tmp_path: Path) -> None:
    assert "Give CELL, --weights FILE" in run("study").output
    assert "--layer" in run("study", "gru", "--layer", "x").output


@pytest.mark.parametrize(
    ("arguments", "flag", "where"),
    [
        (("--sweep", "g.toml", "--T", "5"), "--T", "a sweep"),
        (("--sweep", "g.toml", "--set", "b=1"), "--set", "a sweep"),
        (("deep", "--gain", "2"), "--gain", "the study of a network"),
        (("deep", "--n", "32"), "--n", "the study of a network"),
        (("lstm", "--weights", "w.npz", "--n", "7"), "--n", "the study of given weights"),
    ],
)
def test_an_option_that_would_go_unheard_is_refused(
    arguments: tuple[str, ...],
    flag: str,
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.toml").write_text('cell = "elman"\n')
    found = run("study", *arguments)
    assert found.exit_code == 2
    assert f"{flag} has no say in {where}." in found.output
    assert [path.name for path in tmp_path.iterdir()] == ["g.toml"]


def test_the_options_that_may_go_unheard_are_options() -> None:
    options = {option.name for option in study.params}
    assert all(set(names) <= options for names, _ in IDLE.values())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("compare", *["elman"] * 65), "65 cells to compare; at most 64"),
        (
            ("study", "lstm", "--n", "3000"),
            "6,000 entries at n = 3,000, m = 16; a study follows at most",
        ),
        (("study", "gru", "--gain", "1e400"), "gain = inf: expected a number from"),
        (("study", "gru", "--set", "b_z=nan"), "b_z = nan: expected a number from"),
        (("verify", "gru", "--time", "1e400"), "inf is not in the range 0<x<=100000000.0"),
        (("verify", "gru", "--memory", "1e-9"), "1e-09 is not in the range 0.25<=x"),
        (("derive", "gru", "--truncate", "1,99999999999"), "whole numbers of at most 10,000,000"),
        (
            ("study", "elman", "--init", "W=identity", "--set", "W=2"),
            "How W starts is said twice: by --init as identity, and by --set as 2.",
        ),
    ],
)
def test_absurd_settings_are_refused_with_the_value_and_the_limit(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # no page of an earlier study stands there
    found = run(*arguments)
    assert found.exit_code == 2
    assert says in found.stderr


def test_a_gradient_that_is_zero_by_its_weights_is_not_laid_to_gates_and_slopes(
    tmp_path: Path,
) -> None:
    page = ("--format", "ipynb", "--no-bounds", "-o", str(tmp_path))
    found = run("study", "elman", "--T", "2", "--n", "2", "--m", "1", "--gain", "0", *page)
    assert found.exit_code == 0
    assert "zero in floating-point numbers: by weights of 0, or gates so" in found.output


def test_a_gradient_that_is_zero_in_floats_is_told_without_a_warning(tmp_path: Path) -> None:
    """Gates that are closed for good, and are not 0 for all that; warnings are errors."""
    page = ("--format", "ipynb", "--no-bounds", "-o", str(tmp_path))
    small = ("--T", "50", "--n", "4", "--m", "3", "--set", "b_z=-1e6", "--gain", "1e9")
    found = run("study", "gru", *small, *page)
    assert found.exit_code == 0
    assert "Over 50 steps the gradient becomes zero in floating-point numbers" in found.output
    found = run("study", "elman", *SMALL, "--gain", "0", *page[:2], "-o", str(tmp_path / "second"))
    assert "no gradient arrives at lag 120, so no route has a share of it" in found.output


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("asked", [("--gain", "0.5"), ("--init", "normal")])
def test_what_is_asked_of_square_matrices_is_refused_where_there_are_none(
    asked: tuple[str, str], tmp_path: Path
) -> None:
    cell = tmp_path / "one.cell"
    cell.write_text("dim h = 1\ndim x = 1\nh[t] = tanh(w * h[t-1] + u * x[t])\n")
    found = run("study", str(cell), "--T", "50", *asked, "-o", str(tmp_path / "page"))
    assert found.exit_code == 2
    assert "is about square matrices, and one has none" in found.output
    assert not (tmp_path / "page").exists()
    told = run("study", str(cell), "--T", "50", "--format", "ipynb", "-o", str(tmp_path / "page"))
    assert "the cell has no square matrices" in told.output


@pytest.mark.usefixtures("_undrawn")
def test_a_comparison_tells_which_cells_have_no_square_matrices_for_a_gain(tmp_path: Path) -> None:
    page = ("--format", "ipynb", "--no-bounds", "--force", "-o", str(tmp_path))
    says = "gain is about square matrices: mingru has none and is measured without."
    found = run("compare", "elman", "mingru", *SMALL, "--gain", "1.5", *page)
    assert found.exit_code == 0
    assert says in found.output
    assert says.replace("mingru", "`mingru`") in (tmp_path / "compare.ipynb").read_text()
    data = run("compare", "elman", "mingru", *SMALL, "--gain", "1.5", *page, "--json")
    assert [row["unheard"] for row in json.loads(data.stdout)["cells"]] == [[], ["gain"]]
    assert "square matrices:" not in run("compare", "elman", "mingru", *SMALL, *page).output
    alone = run("compare", "mingru", "minlstm", *SMALL, "--init", "normal", *page)
    assert alone.exit_code == 2
    assert "init is about square matrices, and mingru has none" in alone.output


def test_a_forget_path_below_the_smallest_float_is_told(tmp_path: Path) -> None:
    given = ("--set", "b_f=-1000", "--format", "ipynb", "-o", str(tmp_path), "--json")
    found = run("study", "lstm", *SMALL, *given)
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["forget_path"]["log_kept"] == -1e5


def test_a_rate_of_many_halvings_in_a_step_is_not_told_as_0_steps(tmp_path: Path) -> None:
    found = run(
        "study", "elman", *SMALL, "--gain", "1e-9", "--format", "ipynb", "-o", str(tmp_path)
    )
    assert re.search(r"it halves every 0\.0[1-9] steps", found.output)


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize(("cell", "drawn"), [("elman", 3), ("lstm", 4)])
def test_a_cell_with_one_route_has_no_figure_of_routes_and_figures_stay_counted(
    cell: str, drawn: int, tmp_path: Path
) -> None:
    run("study", cell, *SMALL, "--format", "ipynb", "-o", str(tmp_path))
    text = (tmp_path / "study.ipynb").read_text()
    assert re.findall(r"\*\*Figure (\d)\.\*\*", text)[::2] == [str(i + 1) for i in range(drawn)]
    assert ("fig-routes" in text) == (cell == "lstm")
    assert ("There is one route only" in text) == (cell == "elman")


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (-0.41874, 0.00497, "−0.4187 ± 0.0050"),
        (0.01112, 0.00209, "0.0111 ± 0.0021"),
        (12.3456, 3.21, "12.3 ± 3.2"),
        (-1234.5, 67.8, "−1234 ± 68"),
        (0.5, 0.0, "0.50000 ± 0.00000"),
        (-7.8e-18, 5.0e-18, "0.00000 ± 0.00000"),
    ],
)
def test_a_measured_number_has_as_many_digits_as_its_error_leaves_it(
    value: float, error: float, shown: str
) -> None:
    assert verdict.with_error(value, error) == shown


def test_a_gradient_that_vanishes_at_once_is_studied_and_says_so(tmp_path: Path) -> None:
    asked = ("--bounds", "--set", "b=1e9", "--format", "ipynb", "-o", str(tmp_path))
    found = run("study", "elman", *SMALL, *asked)
    assert found.exit_code == 0, found.output
    page = nbformat.read(tmp_path / "study.ipynb", as_version=4)
    assert any("There is none to draw" in c.source for c in page.cells)


@pytest.mark.parametrize(
    "equations",
    [
        "a[t] = U @ x[t]\nh[t] = a[t-1] + V @ a[t]\n",
        "h[t] = tanh(U @ x[t])\ng[t] = tanh(V @ h[t-1])\ny[t] = C @ g[t-1]\n",
    ],
)
def test_a_state_that_nothing_carries_on_is_studied_and_bounded(
    tmp_path: Path, equations: str
) -> None:
    path = tmp_path / "forgets.cell"
    path.write_text(equations)
    found = run("study", str(path), *SMALL, "--bounds", "--format", "ipynb", "-o", str(tmp_path))
    assert found.exit_code == 0, found.output
    assert "the gradient becomes exactly zero" in found.output
    assert "certified: " in found.output
    page = nbformat.read(tmp_path / "study.ipynb", as_version=4)
    texts = [c.source for c in page.cells]
    said = (r"\lambda_1 = -\infty$", r"= -\infty$: every exponent that is not is rounding.")
    assert any(words in text for text in texts for words in said)
    assert not any("-inf" in text for text in texts)


def test_a_gradient_that_keeps_its_size_for_this_long_says_by_how_much_it_changes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "slow.cell"
    path.write_text("const p = 0.99\na[t] = p * a[t-1] + U @ x[t]\n")
    sizes = ("--T", "30", "--n", "4", "--m", "3", "--no-bounds", "--format", "ipynb")
    found = run("study", str(path), *sizes, "-o", str(tmp_path))
    assert "The gradient keeps its size: λ₁ = −0.01005 ± 0.00000 per step" in found.output
    assert "a factor 0.74 over 30 steps." in found.output


def test_polynomial_growth_is_told_with_its_degree_and_never_to_explode(tmp_path: Path) -> None:
    path = tmp_path / "walk.cell"
    path.write_text("a[t] = a[t-1] + x[t]\nb[t] = b[t-1] + a[t-1]\n")
    sizes = ("--T", "200", "--n", "4", "--no-bounds", "--format", "ipynb")
    asked = ("study", str(path), *sizes, "-o", str(tmp_path), "--force")
    found = run(*asked)
    assert (
        "grows polynomially, not exponentially: over k steps like k^d, d = 1 exactly"
        in found.output
    )
    assert "as the largest Jordan block there has 2 rows." in found.output
    assert "explodes" not in found.output
    data = json.loads(run(*asked, "--json").stdout)
    assert (data["law"]["kind"], data["law"]["degree"]) == ("polynomial", 1.0)
    assert data["powers"] == {"radius": 1.0, "degree": 1, "steps": 0}
    assert data["half_life"] == "inf"
    page = (tmp_path / "study.ipynb").read_text()
    assert "$k^d$, dotted, is the growth of the long run" in page


def test_a_comparison_tells_a_power_of_the_lag_beside_the_rate(tmp_path: Path) -> None:
    path = tmp_path / "walk.cell"
    path.write_text("const p = 0.98\na[t] = p * a[t-1] + x[t]\nb[t] = p * b[t-1] + a[t-1]\n")
    sizes = ("--T", "200", "--n", "4", "--no-bounds", "--format", "ipynb", "-o", str(tmp_path))
    run("compare", str(path), "elman", *sizes)
    page = (tmp_path / "compare.ipynb").read_text()
    assert "−0.02020 ± 0.00000, beside a power 1.00 of the lag | 34.3 |" in page


def test_files_that_are_compared_are_called_by_their_names(tmp_path: Path) -> None:
    for folder, cell in (("a", "one"), ("a", "two"), ("b", "two")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{cell}.cell").write_text(
            "option d = 1\nh[t] = W @ h[t-d] + U @ x[t]\n"
        )
    specs = [f"{tmp_path}/{name}" for name in ("a/one.cell:d=2", "a/two.cell", "b/two.cell")]
    assert short_names(["gru", *specs]) == ["gru", "one:d=2", *specs[1:]]
    found = run("compare", "gru", specs[0], *SMALL, "--format", "ipynb", "-o", str(tmp_path))
    assert "\none:d=2  The gradient" in found.output
