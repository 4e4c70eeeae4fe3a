"""How generated code looks in Jupyter, and how it is written to a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Code:
    """Generated code.

    Args:
        source: the text of the file.
    """

    source: str

    def __str__(self) -> str:
        return self.source

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source}```\n"

    def write(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the file, whole or not at all.

        Args:
            path: where.
            force: replace a file that is there.

        Raises:
            OutputError: it cannot be written, or it is there and ``force`` is false.
        """
        from reports.files import write_files

        target = Path(path)
        return write_files(target.parent, {target.name: self.source.encode()}, force=force)[0]
