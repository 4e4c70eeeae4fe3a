"""Certificates: what their text says, which names it takes, what is refused, and that Rocq accepts it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derive import catalog
from derive.derivation import derive
from derive.errors import CellError
from derive.language import read_cell
from proofs import certificate_times
from proofs.certificate import certificate, theorems
from proofs.certificate_errors import CertificateError
from proofs.certificate_layout import Layout
from proofs.certificate_names import FORBIDDEN, RESERVED, Names
from proofs.certificate_operations import OPERATIONS
from proofs.rocq_check import CLASSICAL, FILES, LIBRARY, PACKAGES, Verdict, check_certificate
from tests.proofs.rocq import OWN, derivation, derived, shared_folder
from tests.strategies import cell_texts, cells

WORD = re.compile(r"[A-Za-z_][\w']*")
SHIPPED = [entry.name for entry in catalog.shipped()]


def words(text: str) -> set[str]:
    return set(WORD.findall(re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)))


def text_of(name: str) -> str:
    try:
        return certificate(derivation(name))
    except CertificateError as error:
        pytest.skip(error.problem)


@pytest.mark.parametrize("file", FILES)
def test_the_library_admits_nothing(file: str) -> None:
    assert not words((LIBRARY / file).read_text(encoding="utf-8")) & FORBIDDEN


def test_the_library_is_compiled_whole() -> None:
    assert sorted(FILES) == sorted(path.name for path in LIBRARY.glob("*.v"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_certificate_admits_nothing_and_asks_for_its_assumptions(name: str) -> None:
    text = text_of(name)
    assert not words(text) & FORBIDDEN
    assert text.endswith("Print Assumptions theorems.\n")
    assert text.count("Theorem gradient") == text.count("Theorem duality") == 1
    assert text.count("Proof.") == text.count("Qed.")


@pytest.mark.parametrize("name", ["lstm", "gru", "elman", "leaky", "skip", "lstm_peephole"])
def test_the_cells_of_every_textbook_have_a_certificate(name: str) -> None:
    assert certificate(derivation(name)) == certificate(derive(catalog.load(name)))


def test_the_certificate_of_a_small_cell(golden: Callable[[str, str], None]) -> None:
    golden("certificate/elman.v", certificate(derivation("elman")))


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
def test_every_word_is_the_cells_own_or_reserved(name: str) -> None:
    try:
        layout = Layout(derived(OWN[name]) if name in OWN else derivation(name))
        text = certificate(layout.derivation)
    except CertificateError as error:
        pytest.skip(error.problem)
    own = {f.rocq for f in layout.fields} | set(layout.rocq.values())
    own |= set(layout.sizes.names.values()) | {f"{n}_bar" for n in own} | {f"{n}_dot" for n in own}
    marks = {"M", "N", "I_T", "_"}
    found = {w for w in words(text) if not w.endswith("_") and w not in RESERVED | own | marks}
    made = re.compile(
        r"(at|run|moves|sent|dots|shared|regular|same_size)_|.*_(E|dotE|barE|in|line|bar_sum|curve|shown|displayed)$"
    )
    foreign = {w for w in found if not made.match(w)} - {"m", "n"}  # named arguments of a lemma
    assert foreign == set()


@given(
    st.lists(st.sampled_from(["h", "W", "h'", "in", "T", "t", "Qed", "h_bar", "x_"]), max_size=9)
)
def test_no_name_is_handed_out_twice(wanted: list[str]) -> None:
    names = Names()
    made = [names.fresh(w) for w in wanted] + [
        names.derived("{}_bar", w) for w in dict.fromkeys(wanted)
    ]
    assert len(set(made)) == len(made)
    assert not set(made) & (RESERVED | FORBIDDEN)
    assert not any(name.endswith("_") for name in made)


identifiers = st.one_of(
    st.sampled_from(sorted(RESERVED | FORBIDDEN)),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True),
)


@given(st.lists(identifiers, min_size=5, max_size=5, unique=True))
def test_whatever_things_are_called_no_name_hides_a_word(called: list[str]) -> None:
    h, c, W, U, x = called
    try:
        cell = read_cell(
            f"{c}[t] = tanh({W} @ {h}[t-1] + {U} @ {x}[t])\n{h}[t] = {c}[t] * {h}[t-2]\n", "own"
        )
    except CellError:
        assume(False)
    layout = Layout(derive(cell))
    text = certificate(layout.derivation)
    taken = [*layout.rocq.values(), *layout.field_of.values(), *layout.sizes.names.values()]
    assert not set(taken) & (RESERVED | FORBIDDEN)
    assert not words(text) & FORBIDDEN
    assert all(f"Definition {layout.rocq[n]} (pt : vars)" in text for n in (h, c))


@given(cells())
def test_a_random_cell_has_a_certificate(cell) -> None:
    text = certificate(derive(cell))
    assert not words(text) & FORBIDDEN
    assert text.count("Proof.") == text.count("Qed.")


def test_one_size_in_two_orders_is_proved_to_be_one_size() -> None:
    text = certificate(
        derived("h[t] = tanh(W @ concat(h[t-1], x[t]) + V @ concat(x[t], h[t-1]))\n")
    )
    assert "Lemma same_size_1 : (m + n)%N = (n + m)%N.\nProof. same_size. Qed." in text
    assert "(restack same_size_1 ((col_mx (x pt) (h_1 pt))))" in text
    assert "(usubmx ((restack (esym same_size_1) (x_h_bar pt inc))))" in text
    assert "same_size" not in certificate(derivation("lstm_stacked"))


def test_a_mean_over_a_square_matrix_divides_twice_by_its_side() -> None:
    text = certificate(derived("dim C = n, n\nC[t] = C[t-1] * mean(C[t-1])\n"))
    assert "(((inverse R n) ^+ 2) *: (C_1 pt .* (bcast n n ((total (C_1 pt))))))" in text


def test_no_number_is_counted_up_beyond_a_thousand() -> None:
    text = certificate(derived(OWN["small numbers"]))
    assert "(1%:R / ((1%:R * 1000%:R) * 1000%:R))" in text
    assert max(int(number) for number in re.findall(r"(\d+)%:R", text)) <= 1000
    with pytest.raises(CertificateError, match="1,000,000 above or below its line"):
        certificate(derived("h[t] = 0.123456789 * h[t-1] + x[t]"))


def test_every_operation_of_an_equation_has_its_three_laws() -> None:
    only_in_adjoints = {"step", "sign", "upper rows", "lower rows"}
    for name, rule in OPERATIONS.items():
        assert bool(rule.tangent) == bool(rule.curve) == (name not in only_in_adjoints)
        assert ("{ok}" in rule.curve) == bool(rule.where)


def test_the_page_about_certificates_names_every_theorem_and_assumption() -> None:
    page = (Path(__file__).parents[2] / "docs/certificates.md").read_text(encoding="utf-8")
    shown = theorems(Layout(derivation("elman")))
    assert [name for name in (*shown, *CLASSICAL, *PACKAGES) if name not in page] == []


def test_the_page_about_certificates_shows_what_a_certificate_says() -> None:
    page = (Path(__file__).parents[2] / "docs/certificates.md").read_text(encoding="utf-8")
    shown = re.findall(r"```coq\n(.*?)\n```", page, flags=re.DOTALL)
    assert len(shown) >= 4
    assert [block for block in shown if not _says(certificate(derivation("elman")), block)] == []


def _says(text: str, block: str) -> bool:
    """Whether every definition and statement of the block stands in the text as it is."""
    parts = re.split(r"\n(?=Definition|Theorem|Record)", block)
    return all(part in text for part in parts)


def test_a_row_of_the_table_of_times_tells_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(
        [Verdict(True, CLASSICAL), Verdict(True, CLASSICAL), Verdict(False, (), "W_barE")]
    )
    monkeypatch.setattr(certificate_times, "check_certificate", lambda text, **_: next(answers))
    assert certificate_times.row("elman").startswith("| elman | 2 | ")
    assert "| accepted, off the kinks and poles | 0 |" in certificate_times.row("irnn")
    assert "| REFUSED at `W_barE` | 0 |" in certificate_times.row("elman")


# ── with Rocq ──


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory)


def accepted(text: str, library: Path) -> None:
    verdict = check_certificate(text, folder=library)
    assert verdict.accepted, f"{verdict.lemma}: {verdict.message}\n{text}"
    assert verdict.assumptions == CLASSICAL


@pytest.mark.needs("coqc")
@pytest.mark.parametrize("name", ["lstm", "gru", "elman", "leaky", "skip", "lstm_peephole"])
def test_rocq_accepts_a_shipped_cell(name: str, library: Path) -> None:
    accepted(certificate(derivation(name)), library)


@pytest.mark.needs("coqc")
@pytest.mark.parametrize("name", OWN)
def test_rocq_accepts_a_cell_of_ones_own(name: str, library: Path) -> None:
    accepted(certificate(derived(OWN[name])), library)


@pytest.mark.needs("coqc")
def test_rocq_accepts_names_that_are_its_own_words(library: Path) -> None:
    text = "Qed[t] = tanh(vars @ Qed[t-1] + locked @ inc[t] + T_add * Type)\n"
    accepted(certificate(derived(text)), library)


@pytest.mark.needs("coqc")
def test_rocq_accepts_a_cell_drawn_at_random(library: Path) -> None:
    """The largest of a dozen draws: of moderate size and the same in each run; in the soak larger ones, ever new."""
    soak = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
    size = {"equations": 3, "depth": 3} if soak else {"equations": 2, "depth": 2}
    drawn: list[str] = []

    @settings(max_examples=12, database=None, derandomize=not soak)
    @given(cell_texts(**size))
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    largest = sorted(set(drawn), key=len)[-3 if soak else -1 :]
    for text in largest:
        accepted(certificate(derived(text)), library)
