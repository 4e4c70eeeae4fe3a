"""Files of rows: torn lines, two writers, other columns, and Parquet that appears whole."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from derive.errors import ArgumentError
from reports.rows import Rows, RowsError

COLUMNS = ("task", "n", "rate", "error")


def test_rows_are_there_as_soon_as_they_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "r.csv"
    with Rows(path, COLUMNS) as rows:
        rows.append({"task": "a", "n": 3, "rate": 0.1 + 0.2})
        assert path.read_text() == "task,n,rate,error\na,3,0.30000000000000004,\n"
        rows.append({"task": "b", "rate": -math.inf, "error": "x, y\nz"})
    assert path.read_text().splitlines()[2] == 'b,,-inf,"x, y z"'
    with Rows(path, COLUMNS) as rows:
        assert rows.keys == {"a", "b"}


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_wherever_a_crash_cuts_the_file_whole_rows_stay(cut: int, tmp_path: Path) -> None:
    whole = b"task,n,rate,error\na,1,0.5,\nb,2,0.25,\nc,3,0.125,\n"
    path = tmp_path / "r.csv"
    path.write_bytes(whole[:cut])
    with Rows(path, COLUMNS) as rows:
        lines = whole[:cut].split(b"\n")[1:-1]
        assert rows.keys == {line.split(b",")[0].decode() for line in lines}
        rows.append({"task": "z"})
    text = path.read_text()
    assert text.startswith("task,n,rate,error\n")
    assert text.endswith("\nz,,,\n")
    assert all(line.count(",") == 3 for line in text.splitlines())


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with Rows(tmp_path / "r.csv", COLUMNS), pytest.raises(RowsError, match="Somebody else"):
        Rows(tmp_path / "r.csv", COLUMNS)


def test_other_columns_and_other_endings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("task,n,gain,error\n")
    with pytest.raises(RowsError, match="gain, rate"):
        Rows(path, COLUMNS)
    with pytest.raises(ArgumentError, match="neither"):
        Rows(tmp_path / "r.xls", COLUMNS)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written"):
        Rows(tmp_path / "file" / "r.csv", COLUMNS)


def test_parquet_appears_whole_and_is_continued(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "r.parquet"
    with Rows(path, COLUMNS) as rows:
        rows.append({"task": "a", "n": 2**62, "rate": 0.1})
    assert not path.exists()  # interrupted: what there is waits beside it
    with Rows(path, COLUMNS) as rows:
        assert rows.keys == {"a"}
        rows.append({"task": "b", "n": 1, "rate": -math.inf})
        rows.finish()
    assert os.listdir(tmp_path) == ["r.parquet"]
    with Rows(path, COLUMNS) as rows:
        assert rows.keys == {"a", "b"}
        rows.append({"task": "c", "error": "not finite"})
        rows.finish()
    table = parquet.read_table(path).to_pydict()
    assert table["task"] == ["a", "b", "c"]
    assert table["n"] == [2**62, 1, None]
    assert table["rate"][:2] == [0.1, -math.inf]
    assert table["error"] == [None, None, "not finite"]
    with Rows(path, COLUMNS) as rows:
        rows.finish()  # nothing new
    assert parquet.read_table(path).num_rows == 3


def test_what_is_no_parquet_file_is_said(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "r.parquet").write_bytes(b"none")
    with pytest.raises(RowsError, match="no Parquet"):
        Rows(tmp_path / "r.parquet", COLUMNS)
