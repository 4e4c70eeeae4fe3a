from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive import catalog, network_catalog
from reports.bibliography import references

SHIPPED = [entry.reference for entry in (*catalog.shipped(), *network_catalog.shipped())]


def test_a_line_is_read_by_its_punctuation() -> None:
    (found,) = references(
        "J. Chung, C. Gulcehre, K. Cho and Y. Bengio, Empirical evaluation (2014), arXiv:1412.3555, section 3.2"
    )
    assert found.key == "chung2014"
    assert found.authors == ("J. Chung", "C. Gulcehre", "K. Cho", "Y. Bengio")
    assert (found.title, found.year, found.eprint) == ("Empirical evaluation", "2014", "1412.3555")
    assert found.cite == r"\cite[section 3.2]{chung2014}"


def test_a_journal_with_its_volume_makes_an_article() -> None:
    (found,) = references("J. L. Elman, Finding structure in time, Cognitive Science 14 (1990)")
    assert found.bibtex() == "\n".join(
        [
            "@article{elman1990,",
            "  author = {J. L. Elman},",
            "  title = {{Finding structure in time}},",
            "  journal = {Cognitive Science},",
            "  volume = {14},",
            "  year = {1990},",
            "}",
        ]
    )


def test_of_two_sources_with_one_key_each_gets_its_own() -> None:
    line = "A. Graves, One thing (2013); A. Graves, Another thing (2013); A. Graves, A third (2013)"
    assert [r.key for r in references(line)] == ["graves2013", "graves2013a", "graves2013b"]


def test_what_has_no_such_form_becomes_a_title() -> None:
    (found,) = references("my notebook, page 7")
    assert not found.authors
    assert "my notebook" in found.bibtex()
    assert references("") == ()


@pytest.mark.parametrize("line", sorted(set(filter(None, SHIPPED))))
def test_the_sources_of_shipped_cells_have_authors_a_title_and_a_year(line: str) -> None:
    for found in references(line):
        if "documentation" not in found.title:
            assert found.authors
            assert found.year
        assert found.title
        assert "et al" not in found.title


@given(st.text(max_size=80))
def test_any_line_gives_entries_whose_braces_match(line: str) -> None:
    found = references(line)
    assert len({r.key for r in found}) == len(found)
    for reference in found:
        entry = reference.bibtex().replace(r"\{", "").replace(r"\}", "")
        assert entry.count("{") == entry.count("}")
        assert "%" not in entry.replace(r"\%", "")
