"""Pages of the documentation site that are written from the machinery: cells, theorems and the public names."""

from __future__ import annotations

import inspect

import throughtime
from derive import catalog
from derive.derivation import Derivation
from proofs.check_verdict import GradientVerdict
from proofs.claims.verdict import Verdict
from proofs.table import Check, Verification
from proofs.theorems import Finding, Step, examine
from proofs.theorems_library import LIBRARY
from throughtime.code_model import CodeModel
from throughtime.display import Certificate, Code
from throughtime.measuring import Measured
from throughtime.network_model import NetworkModel

HANDED_BACK = (
    NetworkModel, Derivation, Code, Certificate, Verification, Check, Verdict, GradientVerdict, Measured,
)  # fmt: skip

WORDS = {
    "proved": "proved, every step by a machine",
    "partly": "argued, some steps checked by a machine",
    "argued": "argued in words",
    "asymptotic": "asymptotic: holds in a limit, not proved here",
    "refuted": "refuted",
}


def pages() -> dict[str, str]:
    """The text of every such page, by the name of its file."""
    return {"cells.md": cells(), "theorems.md": theorems(), "api.rst": api()}


def cells() -> str:
    """Every cell that ships: its title, its source and its equations."""
    parts = ["# The cells that ship\n"]
    for entry in catalog.shipped():
        equations = "\n".join(
            line for line in catalog.load(entry.name).text.splitlines() if not line.startswith("#")
        )
        parts.append(
            f"## {entry.name}\n\n{entry.title}.\n\n```cell\n{equations.strip()}\n```\n\n"
            f"Source: {entry.reference}.\n"
        )
    return "\n".join(parts)


def theorems() -> str:
    """Every theorem of the library: statement, assumptions, source, and how each step of its proof was checked."""
    head = (
        "# The theorems\n\nEvery step of a proof is checked by SymPy, which reduces an identity to $0 = 0$, or by "
        "z3, which finds the negation of an inequality unsatisfiable, or is an argument in words and says so. Beside "
        "the proof, random instances look for a counterexample.\n"
    )
    return "\n".join([head, *(theorem(examine(entry, trials=20)) for entry in LIBRARY)])


def theorem(found: Finding) -> str:
    """One theorem, examined, as Markdown."""
    about = found.theorem
    assumed = "\n".join(f"- {line}" for line in about.assumptions)
    steps = "\n".join(f"1. {step.latex} {_checked(step)}" for step in found.steps)
    tried = ""
    if found.margin is not None:
        tried = f"\nThe smallest margin over {found.trials} random instances: {found.margin:.1e}.\n"
    return (
        f"## {about.title}\n\n{_displayed(about.statement)}\n\n"
        + (f"Assumptions:\n\n{assumed}\n\n" if assumed else "")
        + f"Status: {WORDS[found.status]}. Source: {about.source}\n\n{steps}\n{tried}"
    )


def _displayed(statement: str) -> str:
    return statement if "$" in statement else f"$$\n{statement}\n$$"


def _checked(step: Step) -> str:
    if step.holds is None:
        return f"*({step.method}{': ' + step.note if step.note else ''})*"
    return f"*({step.method}: {'holds' if step.holds else 'fails'})*"


def api() -> str:
    """The public names, and the kinds of what they hand back, from their docstrings."""
    parts = ["API", "===", "", "Everything public is a name of ``throughtime``.", ""]
    for name in sorted(n for n in throughtime.__all__ if not n.startswith("_")):
        parts += _documented(f"throughtime.{name}", getattr(throughtime, name))
    parts += ["What is handed back", "===================", ""]
    for kind in HANDED_BACK:
        parts += _documented(f"{kind.__module__}.{kind.__qualname__}", kind)
    return "\n".join(parts)


def _documented(path: str, thing: object) -> list[str]:
    kind = "autofunction" if inspect.isroutine(thing) else "autoclass"
    if inspect.isclass(thing) and issubclass(thing, Exception):
        kind = "autoexception"
    name = path.rpartition(".")[2]
    members = ["   :members:"] if kind == "autoclass" else []
    if inspect.isclass(thing) and issubclass(thing, CodeModel):
        members.append("   :inherited-members:")
    return [name, "-" * len(name), "", f".. {kind}:: {path}", *members, ""]
