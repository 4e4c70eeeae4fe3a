"""Where a cell comes from, as BibTeX: the ``source`` line of a cell, read by its punctuation.

A source line reads ``authors, title[, venue] (year)[, where]``, several of them with semicolons between:

    # source: J. L. Elman, Finding structure in time, Cognitive Science 14 (1990), section 2
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from reports.texchars import escape_tex

_INITIALS = r"(?:[^\W\d_a-z]\.[ -]?)+"
_NAME = rf"{_INITIALS}(?:(?:van|von|de|den|der|la|le) )*[^\W\d_][\w’'-]*"
_AUTHORS = re.compile(rf"({_NAME}(?:(?:, | and ){_NAME})*)( et al\.)?(?:, )?")
_LEAD = re.compile(r"(?:[a-z][a-z ]*: |form of )")
_YEAR = re.compile(r"\((\d{4})\)(?:, )?")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})(?:, )?")
_LETTER = re.compile(r"(?<=\d)[a-z]$")
_VOLUME = re.compile(r"(.+) (\d+)")


@dataclass(frozen=True, slots=True)
class Reference:
    r"""One source.

    Args:
        key: what ``\cite`` names: the first author's surname and the year.
        authors: the names; ``others`` last where the line says et al.
        title: the title, or the whole line where its form is not the expected one.
        venue: journal with volume, publisher or edition; empty if none is named.
        year: four digits, or empty.
        eprint: the number at arXiv, or empty.
        where: the place inside the source: a section, an equation.
    """

    key: str
    authors: tuple[str, ...]
    title: str
    venue: str
    year: str
    eprint: str
    where: str

    @property
    def cite(self) -> str:
        """The LaTeX command that cites it, with the place inside it."""
        where = f"[{_text(self.where)}]" if self.where else ""
        return rf"\cite{where}{{{self.key}}}"

    def bibtex(self) -> str:
        """The entry for a ``.bib`` file."""
        journal = _VOLUME.fullmatch(self.venue)
        fields = {
            "author": " and ".join(map(_text, self.authors)),
            "title": f"{{{_text(self.title)}}}",
            "journal": _text(journal[1]) if journal else "",
            "volume": journal[2] if journal else "",
            "howpublished": "" if journal else _text(self.venue),
            "year": self.year,
            "eprint": self.eprint,
            "archiveprefix": "arXiv" if self.eprint else "",
            "note": f"arXiv:{self.eprint}" if self.eprint else "",
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{'article' if journal else 'misc'}{{{self.key},", *lines, "}"])


def references(source: str) -> tuple[Reference, ...]:
    """The sources that a cell's ``source`` line names, each key once.

    Args:
        source: the line without ``# source:``; empty gives none. A part of an unexpected form becomes a title.
    """
    found: list[Reference] = []
    for part in filter(None, (p.strip() for p in source.split(";"))):
        reference = _reference(_LEAD.sub("", part, count=1) if _LEAD.match(part) else part)
        same = sum(_LETTER.sub("", r.key) == reference.key for r in found)
        found.append(
            replace(reference, key=reference.key + chr(ord("a") + same - 1)) if same else reference
        )
    return tuple(found)


def _reference(part: str) -> Reference:
    year = _YEAR.search(part)
    by = _AUTHORS.match(part)
    head, tail = (part[: year.start()], part[year.end() :]) if year else (part, "")
    arxiv = _ARXIV.search(tail)
    where = _ARXIV.sub("", tail).strip(" ,")
    if by is None:
        title, _, venue = head.strip(" ,").partition(", ")
        names: tuple[str, ...] = ()
    else:
        names = (*re.findall(_NAME, by[1]), *(["others"] if by[2] else []))
        title, _, venue = head[by.end() :].strip(" ,").rpartition(", ")
        if not title:
            title, venue = venue, ""
    when = year[1] if year else ""
    return Reference(
        _key(names, title, when),
        names,
        title or part,
        venue,
        when,
        arxiv[1] if arxiv else "",
        where,
    )


def _key(names: tuple[str, ...], title: str, year: str) -> str:
    """A surname, or else a title's first word, in plain letters, and the year."""
    word = re.sub(_INITIALS, "", names[0]) if names else title.split(" ")[0]
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return (re.sub(r"[^a-z0-9]", "", plain.lower()) or "source") + year


def _text(text: str) -> str:
    return escape_tex(text).replace("-{}", "-")
