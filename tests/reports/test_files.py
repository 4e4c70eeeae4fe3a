from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from derive.errors import ArgumentError, ThroughtimeError
from reports import files
from reports.files import OutputError, OutputExistsError, read_bytes, write_files

NEW = {"a.txt": b"new a", "sub/b.txt": b"new b", "c.txt": b"new c"}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def fail_at(nth: int, error: BaseException, real: Callable[..., None]) -> Callable[..., None]:
    count = 0

    def wrapped(*arguments: object, **options: object) -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise error
        real(*arguments, **options)

    return wrapped


def test_files_appear_with_their_folders(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "out"
    assert write_files(root, NEW) == (root / "a.txt", root / "sub" / "b.txt", root / "c.txt")
    assert contents(tmp_path) == {f"deep/out/{name}": content for name, content in NEW.items()}


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_bytes(b"old")
    with pytest.raises(OutputExistsError, match=r"c\.txt is there already") as caught:
        write_files(tmp_path, NEW)
    assert "--force" in str(caught.value)
    assert caught.value.exit_code == 2
    assert contents(tmp_path) == {"c.txt": b"old"}


def test_force_replaces_and_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_bytes(b"old")
    (tmp_path / "mine.txt").write_bytes(b"mine")
    write_files(tmp_path, NEW, force=True)
    assert contents(tmp_path) == {**NEW, "mine.txt": b"mine"}


# Force moves the two old files away and the three new ones in: five renames after three writes.
FAILURES = [("fsync", nth) for nth in (1, 2, 3)] + [("rename", nth) for nth in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize(("where", "nth"), FAILURES)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_after_a_failure_everything_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int, error: BaseException, where: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_bytes(b"old a")
    (tmp_path / "out" / "c.txt").write_bytes(b"old c")
    monkeypatch.setattr(files.os, where, fail_at(nth, error, getattr(os, where)))
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else OutputError
    with pytest.raises(expected):
        write_files(tmp_path / "out", NEW, force=True)
    monkeypatch.undo()
    assert contents(tmp_path) == {"out/a.txt": b"old a", "out/c.txt": b"old c"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "c.txt"]


def test_a_failure_takes_the_new_folders_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        files.os, "fsync", fail_at(2, OSError(28, "No space left on device"), os.fsync)
    )
    with pytest.raises(
        OutputError, match=r"cannot be written: no space left on device\. Nothing was changed"
    ):
        write_files(tmp_path / "x" / "y", NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def intrude(descriptor: int) -> None:
        (tmp_path / "c.txt").write_bytes(b"theirs")

    monkeypatch.setattr(files.os, "fsync", intrude)
    with pytest.raises(OutputExistsError):
        write_files(tmp_path, NEW)
    assert contents(tmp_path) == {"c.txt": b"theirs"}


@pytest.mark.parametrize("name", ["", "/abs", "../up", "a/../../b", "a\\b", "nul\0"])
def test_a_name_may_not_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match="no path below the output folder"):
        write_files(tmp_path, {name: b""})
    assert list(tmp_path.iterdir()) == []


def test_two_names_of_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="same file"):
        write_files(tmp_path, {"a": b"", "./a": b""})


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(OutputExistsError, match=r"out is a file"):
        write_files(tmp_path / "out", NEW)


def test_a_folder_where_a_file_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutputExistsError, match=r"a\.txt is a folder"):
        write_files(tmp_path, NEW, force=True)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "a.txt").symlink_to(tmp_path / "target")
    write_files(tmp_path, {"a.txt": b"new"}, force=True)
    assert contents(tmp_path) == {"a.txt": b"new", "target": b"precious"}


def test_errors_are_both_kinds(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no such file") as caught:
        read_bytes(tmp_path / "none")
    assert isinstance(caught.value, ThroughtimeError)
    assert isinstance(caught.value, OSError)
    assert str(caught.value).endswith("Check the path.")
