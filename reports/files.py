"""Writing files so that they appear whole or not at all, and nothing is lost by surprise."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from derive.errors import ArgumentError, ThroughtimeError


class OutputError(ThroughtimeError, OSError):
    """The operating system refused to read or write a file."""


class OutputExistsError(OutputError, FileExistsError):
    """A file is there already and was not to be replaced."""


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        OutputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {_cause(error)}.", "Check the path.") from error


def write_files(
    folder: str | os.PathLike[str], contents: Mapping[str, bytes], *, force: bool = False
) -> tuple[Path, ...]:
    """Write several files into a folder: all of them, or, after any failure or Ctrl-C, none.

    They are written beside their places first and moved there at the end; what a failure finds moved is moved back.

    Args:
        folder: made if it is missing.
        contents: bytes by name; a name may hold folders (``figures/flow.pdf``) but may not leave ``folder``.
        force: replace files that are there; otherwise one of them is an error and nothing changes.

    Returns:
        The paths written, in the order of ``contents``.

    Raises:
        OutputExistsError: a file is there and ``force`` is false.
        OutputError: the operating system refused.
        ArgumentError: a name is no path below the folder.
    """
    root = Path(folder)
    targets = {name: root / _relative(name) for name in contents}
    _check_places(root, targets, force)
    made = _missing(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".throughtime-", dir=root, ignore_cleanup_errors=True
        ) as name:
            staged = _stage(Path(name) / "new", contents)
            _move_all(staged, targets, Path(name) / "old", force)
    except BaseException as error:
        _remove_empty(made)
        if isinstance(error, OSError) and not isinstance(error, ThroughtimeError):
            raise _explained(error, root) from error
        raise
    return tuple(targets.values())


def _relative(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ArgumentError(
            f"{name!r} is no path below the output folder.", "Use names like 'figures/flow.pdf'."
        )
    return path


def _check_places(root: Path, targets: Mapping[str, Path], force: bool) -> None:
    if len(set(targets.values())) != len(targets):
        raise ArgumentError("Two of the names mean the same file.", "Name each file once.")
    if root.exists() and not root.is_dir():
        raise OutputExistsError(
            f"{root} is a file; a folder was to be made there.", "Choose another folder."
        )
    for target in targets.values():
        if target.is_dir() and not target.is_symlink():
            raise OutputExistsError(
                f"{target} is a folder; a file was to be written there.", "Remove it."
            )
        if not force and os.path.lexists(target):
            raise _occupied(target)


def _occupied(target: Path) -> OutputExistsError:
    return OutputExistsError(
        f"{target} is there already, so nothing was written.",
        "Choose another folder, or pass --force to replace it.",
    )


def _stage(folder: Path, contents: Mapping[str, bytes]) -> dict[str, Path]:
    """The contents as complete files in a folder on the same file system as their places."""
    staged: dict[str, Path] = {}
    for index, (name, content) in enumerate(contents.items()):
        folder.mkdir(exist_ok=True)
        path = folder / str(index)
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staged[name] = path
    return staged


def _move_all(
    staged: Mapping[str, Path], targets: Mapping[str, Path], old: Path, force: bool
) -> None:
    """Move the staged files to their places; on any exception, undo what was done."""
    old.mkdir()
    begun: list[tuple[Path, Path, Path]] = []
    folders: list[Path] = []
    try:
        for index, (name, new) in enumerate(staged.items()):
            target, kept = targets[name], old / str(index)
            folders += _missing(target.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            begun.append((new, target, kept))
            if force and os.path.lexists(target):
                os.rename(target, kept)
            _move(new, target, force)
    except BaseException:
        for new, target, kept in reversed(begun):
            _undo(new, target, kept)
        _remove_empty(folders)
        raise


def _move(new: Path, target: Path, force: bool) -> None:
    """Rename; without force, refuse a target that came into being since it was looked for."""
    if not force and os.path.lexists(target):
        raise _occupied(target)
    os.rename(new, target)


def _undo(new: Path, target: Path, kept: Path) -> None:
    """Take back one move, whatever part of it was done."""
    if not os.path.lexists(new) and os.path.lexists(target):
        os.unlink(target)
    if os.path.lexists(kept):
        os.rename(kept, target)


def _missing(folder: Path) -> list[Path]:
    """The folders that would have to be made for this one, outermost first."""
    return [path for path in reversed([folder, *folder.parents]) if not path.exists()]


def _remove_empty(folders: list[Path]) -> None:
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _cause(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


def _explained(error: OSError, root: Path) -> OutputError:
    where = error.filename if isinstance(error.filename, str) else str(root)
    if ".throughtime-" in where:
        where = str(root)
    return OutputError(
        f"{where} cannot be written: {_cause(error)}. Nothing was changed.",
        "Check its permissions and the space left, or choose another folder.",
    )
