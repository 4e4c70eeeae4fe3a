"""The files of claims that ship: one per deck, and the museum of errors."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from derive.errors import LanguageError, UnknownCellError
from derive.language_lines import MAX_TEXT
from derive.language_words import listed

SUFFIX = ".claims"


def shipped() -> tuple[str, ...]:
    """The names of the files that ship."""
    folder = files("proofs") / "claims"
    names = (item.name for item in folder.iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)))


def shipped_text(name: str) -> str:
    """The text of a shipped file."""
    return (files("proofs") / "claims" / (name + SUFFIX)).read_text("utf-8")


def claims_text(place: str, longest: int = 4 * MAX_TEXT) -> tuple[str, str]:
    """The text of a file of claims, and its name.

    Args:
        place: the path of a file, or the name of a shipped one.
        longest: how many bytes it may have.

    Raises:
        UnknownCellError: there is no such file.
        LanguageError: it cannot be read as text.
    """
    if place in shipped() and not Path(place).exists():
        return shipped_text(place), place + SUFFIX
    path = Path(place)
    try:
        with path.open("rb") as file:
            data = file.read(longest + 1)
    except FileNotFoundError:
        problem = f"There is no file {path}."
        raise UnknownCellError(problem, f"Give a path, or one of {listed(shipped())}.") from None
    except (OSError, ValueError) as error:
        raise LanguageError(
            f"The file {path} cannot be read: {error}.", "Give a readable text file."
        ) from None
    if len(data) > longest or b"\0" in data:
        raise LanguageError(f"The file {path} is no file of claims.", "Give a text file of claims.")
    try:
        return data.decode("utf-8"), path.name
    except UnicodeDecodeError:
        raise LanguageError(f"The file {path} is not UTF-8.", "Save it as UTF-8.") from None
