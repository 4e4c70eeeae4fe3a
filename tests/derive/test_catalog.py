"""The cells that ship, and how a user asks for one."""

import pytest

from derive.catalog import load, shipped
from derive.errors import ArgumentError, CellError, LanguageError, UnknownCellError

NAMES = [entry.name for entry in shipped()]
CELL = "# Mine\noption g = tanh | relu\nh[t] = g(W @ h[t-1] + U @ x[t])\n"


def test_the_literature_s_cells_ship():
    assert set(NAMES) >= {
        "elman", "elman_bare", "elman_transposed", "irnn", "leaky", "skip", "gru", "gru_mirrored", "gru_reset_after",
        "gru_stacked", "lstm", "lstm_stacked", "lstm_gamma", "lstm_bare", "lstm_rows", "lstm_peephole", "lstm_coupled",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_cell_loads_with_title_and_source(name):
    cell = load(name)
    entry = next(e for e in shipped() if e.name == name)
    assert cell.name == name
    assert entry.title == cell.title != ""
    assert entry.reference == cell.reference != ""
    assert cell.states
    assert (
        any(character.isdigit() for character in cell.reference)
        or "documentation" in cell.reference
    )


@pytest.mark.parametrize("entry", shipped(), ids=NAMES)
def test_every_option_of_a_shipped_cell_loads_with_every_value(entry):
    for option in entry.options:
        for value in option.values or ("1", "2", "64"):
            assert load(f"{entry.name}:{option.name}={value}").options[option.name] == value


def test_options_are_listed_with_default_and_values():
    (elman,) = next(e.options for e in shipped() if e.name == "elman")
    assert (elman.name, elman.default) == ("g", "tanh")
    assert set(elman.values) == {"tanh", "sigmoid", "relu", "identity"}
    (skip,) = next(e.options for e in shipped() if e.name == "skip")
    assert (skip.name, skip.values) == ("d", ())


def test_the_usual_initialisations_are_stated():
    assert {k: str(v) for k, v in load("irnn").initial.items()} == {"W": "identity", "b": "zeros"}
    assert {k: str(v) for k, v in load("lstm").initial.items()} == {"b_f": "1"}


def test_the_two_update_conventions_of_the_gru_differ():
    update, mirrored = (load(name).equations[-1].expr for name in ("gru", "gru_mirrored"))
    assert update != mirrored


def test_the_skip_reaches_as_far_as_asked():
    assert load("skip:d=5").quantity("h").depth == 5


def test_the_nearest_may_be_a_network_and_a_file_of_the_name_is_pointed_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.net").write_text("f = scan(lstm, x[t])")
    with pytest.raises(UnknownCellError, match="The nearest: tagger"):
        load("taggr")
    with pytest.raises(UnknownCellError, match=r"For the file write mine\.net\."):
        load("mine")


def test_options_of_a_network_are_told_where_they_belong():
    with pytest.raises(ArgumentError, match="tagger is a network of cells, and has no options"):
        load("tagger:g=relu")


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(UnknownCellError) as caught:
        load("lsmt")
    assert str(caught.value).startswith(
        "No shipped cell or network is called 'lsmt'. The nearest: lstm"
    )
    assert "a file is given by its path, e.g. ./my.cell." in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("my.txt", "There is no file 'my.txt'."),
        ("lstm.txt:g=relu", "There is no file 'lstm.txt'."),
        ("none/my.txt", "There is no file none/my.txt."),
        ("notes.txt", "'notes.txt' ends neither in .cell nor in .net."),
        (".", "'.' ends neither in .cell nor in .net."),
        ("", "The name of the cell is empty."),
    ],
)
def test_what_looks_like_a_path_is_told_as_one_with_the_endings(
    spec, problem, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("h[t] = tanh(W @ h[t-1])")
    with pytest.raises(UnknownCellError) as caught:
        load(spec)
    assert caught.value.problem == problem
    assert "A cell's file ends in .cell, and a network's in .net." in caught.value.remedy
    assert load("./notes.txt").states


def test_a_file_works_as_a_shipped_cell(tmp_path):
    path = tmp_path / "my.cell"
    path.write_text(CELL, "utf-8")
    assert load(str(path)).title == "Mine"
    assert load(str(path)).name == "my"
    assert load(f"{path}:g=relu").options == {"g": "relu"}


def test_a_file_of_any_name_is_read_when_its_path_has_a_separator(tmp_path):
    path = tmp_path / "equations.txt"
    path.write_text(CELL, "utf-8")
    assert load(str(path)).name == "equations.txt"


def test_a_colon_in_a_path_is_no_option(tmp_path):
    path = tmp_path / "a:b.cell"
    path.write_text(CELL, "utf-8")
    assert load(str(path)).name == "a:b"
    assert load(f"{path}:g=relu").options == {"g": "relu"}


def test_an_error_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "my.cell"
    path.write_text("h[t] = foo(h[t-1])", "utf-8")
    with pytest.raises(LanguageError, match=r"^my\.cell, line 1: h\[t\] = foo"):
        load(str(path))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"h[t] = \0", "is not text: it holds NUL bytes."),
        (b"# t\nh[t] = \xff", "is not UTF-8: line 2 holds the byte 0xFF."),
        (b"#" * 500_000, "has more than 400,000 bytes."),
        (b"#" * 200_000, "at most 100,000 are read."),
        (b"", "holds no equation."),
    ],
)
def test_a_file_that_is_no_cell_says_why(tmp_path, data, message):
    path = tmp_path / "my.cell"
    path.write_bytes(data)
    with pytest.raises(CellError) as caught:
        load(str(path))
    assert message in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_missing_file_and_a_folder_say_so(tmp_path):
    with pytest.raises(UnknownCellError, match="There is no file"):
        load(str(tmp_path / "none.cell"))
    with pytest.raises(CellError, match="cannot be read: Is a directory"):
        load(f"{tmp_path}/")


@pytest.mark.parametrize(
    "spec", ["elman:g", "elman:g=", "elman:=relu", "elman:g=relu,g=tanh", "elman:", "elman:h=relu"]
)
def test_misspelled_options_are_refused(spec):
    with pytest.raises(ArgumentError):
        load(spec)


@pytest.mark.parametrize(
    "spec", ["", "\0", "a" * 10_000, "x\0y.cell", "../" * 3000 + "x.cell", "LSTM", "µ"]
)
def test_strange_specs_are_unknown_or_unreadable(spec):
    with pytest.raises(CellError):
        load(spec)
