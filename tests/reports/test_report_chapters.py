"""What a report says beyond the backward equations: linear recurrences, and what truncation leaves out."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from derive.catalog import load
from derive.chapter import Chapter, ChapterLine
from derive.derivation import derive
from numeric.source import generate
from numeric.study import TRUNCATIONS, Study, study
from proofs.modules import load_source
from reports.notebook import Text
from reports.report_chapters import chapter_section, chapter_sections
from reports.report_study import study_section
from reports.strict import complaints, formulas


@cache
def measured() -> Study:
    d = derive(load("elman_bare"))
    return study(d, load_source(generate(d)))


def words(section) -> str:
    return "\n".join(cell.markdown for cell in section.cells if isinstance(cell, Text))


def test_a_linear_recurrence_has_a_section_and_no_other_has() -> None:
    (section,) = chapter_sections(derive(load("lru")).chapters)
    text = words(section)
    assert "## A recurrence that is linear in its state" in text
    assert "a_{t} = c \\circ a_{t-1} - s \\circ b_{t-1}" in text
    assert chapter_sections(derive(load("lstm")).chapters) == []


@pytest.mark.needs("node")
def test_katex_accepts_the_section() -> None:
    (section,) = chapter_sections(derive(load("linear_attention")).chapters)
    assert complaints(formulas(words(section))) == []


def test_words_of_a_chapter_are_escaped() -> None:
    line = ChapterLine("of <b>a</b> *b*", "a = b", "a = b")
    text = words(chapter_section(Chapter("k", "heading", (line,)), "T", "text"))
    assert "<b>" not in text
    assert "a = b" in text


def test_the_bias_of_truncation_is_told_in_numbers_and_drawn() -> None:
    found = measured()
    section = study_section(found)
    text = words(section)
    assert "### What truncation leaves out" in text
    rows = [line for line in text.splitlines() if line.startswith("| 10 |")]
    assert f"{found.shares.left_out[10]:.3g}" in rows[-1] or "10^{" in rows[-1]
    captions = [cell.caption for cell in section.cells if hasattr(cell, "caption")]
    assert any(caption.startswith("**Figure 4.**") for caption in captions)


def test_the_bias_falls_to_nothing_at_the_length_of_the_run() -> None:
    shares = measured().shares
    assert shares.left_out[0] == pytest.approx(1.0)
    assert shares.left_out[-1] == 0.0
    assert all(np.isfinite(shares.bias((k, k))) for k in TRUNCATIONS)
    assert shares.bias((1, 1)) == pytest.approx(shares.left_out[1], rel=1e-9)
