"""Characters as pdflatex understands them: one table, and a replacement for what is not in it."""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "-{}",
    "\u00a0": "~",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\ldots{}",
    "§": r"\S{}",
}

# Letters and signs, and what stands for them in mathematics, in the same order.
_LETTERS = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"
_LETTERS_TEX = r"""
\alpha \beta \gamma \delta \varepsilon \zeta \eta \theta \iota \kappa \lambda \mu \nu \xi \pi \rho \sigma \tau \upsilon
\varphi \chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Upsilon \Phi \Psi \Omega
"""
_SIGNS = "∂∇ℓ∞∑∏∫√∘⊙·×÷±∓−≤≥≠≈≡∝∈∉⊂⊆∪∩∀∃∅ℝℕℤℂ←→↔⇐⇒⇔↦⟨⟩‖⊤⊥⋅∗′″°✓✗¬∧∨⊗⊕†ς"
_SIGNS_TEX = r"""
\partial \nabla \ell \infty \sum \prod \int \surd \circ \odot \cdot \times \div \pm \mp - \leq \geq \neq \approx \equiv
\propto \in \notin \subset \subseteq \cup \cap \forall \exists \emptyset \mathbb{R} \mathbb{N} \mathbb{Z} \mathbb{C}
\leftarrow \rightarrow \leftrightarrow \Leftarrow \Rightarrow \Leftrightarrow \mapsto \langle \rangle \Vert \top \bot
\cdot \ast {}^{\prime} {}^{\prime\prime} {}^{\circ} \checkmark \times \neg \wedge \vee \otimes \oplus \dagger \varsigma
"""
_MATHS = dict(zip(_LETTERS + _SIGNS, (_LETTERS_TEX + _SIGNS_TEX).split(), strict=True))
# Letters beyond Latin-1 that LaTeX's T1 encoding declares.
_LATIN = (
    "ĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭĮįİıĲĳĴĵĶķĹĺĻļĽľŁłŃńŅņŇňŊŋŌōŎŏŐőŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤť"
    "ŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžǍǎǏǐǑǒǓǔǦǧǨǩǰǴǵȘșȚț"
)
_ACCENTS = {
    "\u0304": r"\=",
    "\u0305": r"\=",
    "\u0307": r"\.",
    "\u0302": r"\^",
    "\u0303": r"\~",
    "\u0308": r"\"",
}
_SCRIPTS = {"₀₁₂₃₄₅₆₇₈₉₊₋ₜ": ("_", "0123456789+-t"), "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵗⁿ": ("^", "0123456789+-Ttn")}
_CLUSTER = re.compile(r"(?s).[\u0300-\u036f]*")


def escape_tex(text: str) -> str:
    """Text as LaTeX prints it literally, outside mathematics; it compiles with pdflatex whatever the text is.

    Characters without a LaTeX form here are printed as their number, e.g. ``[U+4E2D]``.
    """
    return "".join(
        _cluster(match[0]) for match in _CLUSTER.finditer(unicodedata.normalize("NFC", text))
    )


def escape_tex_formula(formula: str) -> str:
    """A formula whose letters and signs beyond ASCII are commands; its own commands stay."""
    return "".join(
        match[0] if match[0].isascii() else _in_formula(match[0])
        for match in _CLUSTER.finditer(unicodedata.normalize("NFC", formula))
    )


def _in_formula(cluster: str) -> str:
    if cluster in _MATHS:
        return rf"\ensuremath{{{_MATHS[cluster]}}}"  # which is right inside \text, too
    return f"\\text{{{escape_tex(cluster)}}}"


def _cluster(cluster: str) -> str:
    out = _character(cluster[0])
    for mark in cluster[1:]:
        out = f"{_ACCENTS[mark]}{{{out}}}" if mark in _ACCENTS else out + _unknown(mark)
    return out


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _MATHS:
        return rf"\ensuremath{{{_MATHS[character]}}}"
    for characters, (kind, plain) in _SCRIPTS.items():
        if character in characters:
            return rf"\ensuremath{{{{}}{kind}{{{plain[characters.index(character)]}}}}}"
    if character in "\n\t ":
        return character
    if " " <= character <= "~" or ("À" <= character <= "ÿ" and character.isalpha()):
        return character
    if character in _LATIN:
        return character
    return _unknown(character)


def _unknown(character: str) -> str:
    return f"[U+{ord(character):04X}]"
