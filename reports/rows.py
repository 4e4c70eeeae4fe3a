"""Rows that arrive one by one, in one file: each is safe on the disk before the next one is written.

A CSV file grows by whole lines. A Parquet file cannot grow, so rows are kept as CSV beside it (``NAME.parquet.part``)
until the file is closed complete, and then become one Parquet file, which appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from derive.errors import ArgumentError
from reports.files import OutputError

try:
    import fcntl as _fcntl
except ImportError:  # no such locks on Windows: there two writers of one file are not noticed
    _fcntl = None  # type: ignore[assignment]

PART = ".part"
KEY = 0
"""The column whose value stands for the row."""


class RowsError(OutputError):
    """A file of rows is not the one that was expected."""

    exit_code = 2


class Rows:
    """A file of rows, open for appending; closed without ``finish`` it can be continued later.

    Args:
        path: ends in .csv or .parquet; continued if it is there.
        columns: the columns, in order; the first one identifies a row.

    Raises:
        RowsError: the file has other columns, or somebody else is writing it.
        ArgumentError: the ending is neither, or pyarrow is missing.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, tuple(columns)
        self._arrow = _arrow() if _is_parquet(path) else None
        self._place = path.with_name(path.name + PART) if self._arrow else path
        before = [] if self._arrow is None else self._finished()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._place, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise RowsError(
                f"{self._place} cannot be written: {error.strerror}.", "Choose another file."
            ) from error
        try:
            self._lock()
            rows = self._continued()
        except BaseException:
            os.close(self._file)
            raise
        self.keys = {row[KEY] for row in (*before, *rows)}
        """What stands for the rows that are there."""

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row; when this returns, it is on the disk.

        Args:
            row: values by column; a column that is missing stays empty.
        """
        line = [row.get(column) for column in self.columns]
        self._write(
            _line(["" if v is None else repr(v) if isinstance(v, float) else str(v) for v in line])
        )
        self.keys.add(str(line[KEY]))

    def finish(self) -> None:
        """Make the file complete: rows that wait beside a Parquet file become part of it."""
        if self._arrow is None:
            return
        table = _table(self._arrow, self._place)
        if self.path.exists():
            kept = self._arrow.parquet.read_table(self.path)
            table = (
                self._arrow.lib.concat_tables(
                    [kept, table.cast(kept.schema)], promote_options="default"
                )
                if table.num_rows
                else kept
            )
        staged = self.path.with_name(f".{self.path.name}.new")
        self._arrow.parquet.write_table(table, staged)
        staged.replace(self.path)
        self._place.unlink()

    def _write(self, data: bytes) -> None:
        os.write(self._file, data)
        os.fsync(self._file)

    def _lock(self) -> None:
        if _fcntl is None:
            return
        try:
            _fcntl.flock(self._file, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
        except OSError:
            raise RowsError(
                f"Somebody else is writing {self._place}.", "Wait, or choose another file."
            ) from None

    def _continued(self) -> list[list[str]]:
        """The rows of the file; a line that was not finished is taken off it, a new file gets its head."""
        data = self._place.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.ftruncate(self._file, len(whole))
        if not whole:
            self._write(_line(self.columns))
            _settle(self._place.parent)
            return []
        head, *rows = csv.reader(io.StringIO(whole.decode("utf-8", "replace")))
        self._expect(head)
        return [row for row in rows if row]

    def _finished(self) -> list[list[str]]:
        """The keys of the rows of a Parquet file that is there."""
        if self._arrow is None or not self.path.exists():
            return []
        try:
            found = self._arrow.parquet.read_table(self.path)
        except (OSError, ValueError) as error:
            raise RowsError(
                f"{self.path} is no Parquet file: {error}", "Choose another file."
            ) from None
        self._expect(found.column_names)
        return [[str(key)] for key in found.column(KEY).to_pylist()]

    def _expect(self, head: Sequence[str]) -> None:
        if tuple(head) == self.columns:
            return
        differ = sorted(set(head) ^ set(self.columns)) or ["their order"]
        raise RowsError(
            f"{self.path} has other columns than this sweep; they differ in {', '.join(differ)[:200]}.",
            "Choose another file: one file holds rows of the same columns.",
        )


def _is_parquet(path: Path) -> bool:
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ArgumentError(
            f"{path} ends in neither .csv nor .parquet.", "Name it rows.csv or rows.parquet."
        )
    return path.suffix.lower() == ".parquet"


def _arrow() -> ModuleType:
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise ArgumentError(
            "A Parquet file needs pyarrow, which is not installed.",
            "Install throughtime's extra parquet, or name the file .csv.",
        ) from None
    return pa


def _table(arrow: ModuleType, path: Path) -> Any:
    """The rows as a table: whole numbers, numbers and text by what the columns hold; an empty field is null."""
    from numeric.grid import TEXTS, WHOLES

    head = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
    types = {
        name: arrow.string()
        if name in TEXTS
        else arrow.int64()
        if name in WHOLES
        else arrow.float64()
        for name in head
    }
    convert = arrow.csv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    return arrow.csv.read_csv(path, convert_options=convert)


def _line(values: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([" ".join(v.splitlines()) for v in values])
    return text.getvalue().encode()


def _settle(folder: Path) -> None:
    """A new file's name on the disk too."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
