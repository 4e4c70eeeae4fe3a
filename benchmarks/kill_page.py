"""The kill table as a page and as a figure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.kill_text import BLIND, EVERY, GROWTH, HEAD, HOW

OURS = "throughtime"
NAMES = ("gradcheck", "check_grads", "central differences")
FAMILIES = {"rule": "wrong adjoint rules", "equation": "wrong equations", "source": "wrong code"}


Rows = list[dict[str, Any]]


def page(found: Rows, grown: Rows, blind: Rows) -> str:
    """The page, in Markdown."""
    rows = _all_rows(found)
    versions: dict[str, str] = found[0]["versions"]
    present = [n for n in NAMES if versions[n] or n == "central differences"]
    parts = [
        HEAD,
        _summary(rows),
        _sampled(found),
        _missing(versions),
        "## All of these cells and networks\n",
        _table(rows, present, "usual", "cell"),
    ]
    parts += ["## By sort of mistake, usual setting\n", _by_kind(rows, present)]
    parts += ["## Where wrong code looks right\n", BLIND, _accepted(blind)]
    parts += [EVERY, _settings(rows, present), _alarms(found)]
    parts += ["## Where right code looks wrong\n", GROWTH, _accepted(grown)]
    parts += [
        "## All mutants, throughtime alone\n",
        _whole(rows),
        _checks(rows),
        HOW,
        _survivors(rows),
        _excused(rows),
    ]
    parts.append("Versions: " + ", ".join(v for v in versions.values() if v) + ".\n")
    return "\n".join(part for part in parts if part)


def _accepted(rows: Rows) -> str:
    says = {True: "accepted", False: "refused"}
    names = list(rows[0]["accepted"])
    body = [[r["setting"], r["code"], *(says[r["accepted"][n]] for n in names)] for r in rows]
    return _lines(["setting", "code", *names], body)


def _sampled(found: Rows) -> str:
    cells, networks = min(c["others"] for c in found), max(c["others"] for c in found)
    if networks == 1:
        return ""
    return (
        f"throughtime judged every mutant. The others were asked about one in {cells}, of networks one in {networks},\n"
        "taken in order; the first tables count those alone, throughtime's column too.\n"
    )


def _missing(versions: dict[str, str]) -> str:
    absent = [n for n, v in versions.items() if not v and n != "central differences"]
    return (
        ""
        if not absent
        else f"Not installed where this page was made, so without a column: {', '.join(absent)}.\n"
    )


def asked(rows: Iterable[dict[str, Any]], setting: str) -> list[dict[str, Any]]:
    """The mutants that were put to everyone, none of them equivalent."""
    return [
        r
        for r in rows
        if r["fate"] != "equivalent"
        and any(k.endswith(f", {setting}") for k in r.get("refused", {}))
    ]


def killed(rows: list[dict[str, Any]], name: str, setting: str) -> tuple[int, int]:
    """How many of how many were noticed; who refuses the right code too is not asked about the wrong."""
    if name == OURS:
        return sum(r["fate"] == "killed" for r in rows), len(rows)
    key = f"{name}, {setting}"
    fair = [r for r in rows if not r["alarms"].get(key)]
    return sum(r["refused"][key] for r in fair), len(fair)


def _all_rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**row, "cell": cell["cell"], "alarms": cell["false alarms"]}
        for cell in found
        for row in cell["mutants"]
    ]


def _alarms(found: list[dict[str, Any]]) -> str:
    listed = [f"{k} ({c['cell']})" for c in found for k, v in c["false alarms"].items() if v]
    text = "The right code was refused too, and the mutants there are not counted, by: "
    return text + "; ".join(listed) + ".\n" if listed else ""


def _share(part: int, whole: int) -> str:
    share = f"{100 * part / whole:.1f} %" if whole else ""
    return f"{part}/{whole} ({'100 %' if part == whole else share})" if whole else "–"


def _lines(head: list[str], body: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _counts(rows: list[dict[str, Any]], present: list[str], setting: str) -> list[str]:
    return [_share(*killed(rows, n, setting)) for n in (OURS, *present)]


def _table(rows: list[dict[str, Any]], present: list[str], setting: str, by: str) -> str:
    everything = asked(rows, setting)
    groups = sorted({r[by] for r in everything})
    body = [[g, *_counts([r for r in everything if r[by] == g], present, setting)] for g in groups]
    body.append(
        [f"**all {len(groups)}**", *(f"**{c}**" for c in _counts(everything, present, setting))]
    )
    return _lines(["cell or network" if by == "cell" else by, OURS, *present], body)


def _by_kind(rows: list[dict[str, Any]], present: list[str]) -> str:
    everything = asked(rows, "usual")
    body = []
    for family, title in FAMILIES.items():
        here = [r for r in everything if r["family"] == family]
        body.append([f"**{title}**", *(f"**{c}**" for c in _counts(here, present, "usual"))])
        for kind in sorted({r["kind"] for r in here}):
            body.append([kind, *_counts([r for r in here if r["kind"] == kind], present, "usual")])
    return _lines(["mistake", OURS, *present], body)


def _settings(rows: list[dict[str, Any]], present: list[str]) -> str:
    names = list(dict.fromkeys(k.partition(", ")[2] for r in rows for k in r.get("refused", {})))
    several = {
        r["cell"] for r in rows if any(not k.endswith(", usual") for k in r.get("refused", {}))
    }
    here = [r for r in rows if r["cell"] in several]
    note = f"({', '.join(sorted(several))})\n\n"
    return note + _lines(
        ["setting", OURS, *present], [[s, *_counts(asked(here, s), present, s)] for s in names]
    )


def _whole(rows: list[dict[str, Any]]) -> str:
    body = []
    for cell in sorted({r["cell"] for r in rows}):
        fates = Counter(r["fate"] for r in rows if r["cell"] == cell)
        total = fates.total() - fates["equivalent"]
        body.append(
            [cell, _share(fates["killed"], total), str(fates["equivalent"]), str(fates["survived"])]
        )
    fates = Counter(r["fate"] for r in rows)
    total = fates.total() - fates["equivalent"]
    body.append(
        [
            "**all**",
            f"**{_share(fates['killed'], total)}**",
            f"**{fates['equivalent']}**",
            f"**{fates['survived']}**",
        ]
    )
    return _lines(["cell", "killed", "proved equivalent", "survived"], body)


def _checks(rows: list[dict[str, Any]]) -> str:
    checks = Counter(r["check"] for r in rows if r["fate"] == "killed")
    return (
        "Each mutant counts for the first check that refused it; the cheapest run first.\n\n"
        + _lines(["check", "killed"], [[name, str(count)] for name, count in checks.most_common()])
    )


def _summary(rows: Rows) -> str:
    fates = Counter(r["fate"] for r in rows)
    asked_to_die = fates.total() - fates["equivalent"]
    return (
        f"**throughtime kills {fates['killed']} of {asked_to_die}**; {fates['equivalent']} more say the same as the "
        f"right code and are proved to, {fates['survived']} survive.\n"
    )


def _survivors(rows: list[dict[str, Any]]) -> str:
    alive = [r for r in rows if r["fate"] == "survived"]
    listed = "".join(f"- {r['cell']}, {r['place']}: `{r['description']}`\n" for r in alive)
    return "## Survivors\n\n" + (listed or "None.\n")


def _excused(rows: list[dict[str, Any]]) -> str:
    """The equivalent mutants, each sort once, with what shows them to be equivalent."""
    seen: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
    for r in (r for r in rows if r["fate"] == "equivalent"):
        place = r["place"].partition(",")[0] if r["family"] == "source" else r["place"]
        why, power, more = _split(r["reason"])
        key = (f"{place}: {r['description']}", why, more)
        seen.setdefault(key, []).append((r["cell"], power))
    body = [
        [
            f"`{what.replace('|', '¦')}`",
            ", ".join(dict.fromkeys(cell for cell, _ in found)),
            f"{why}10^{max(power for _, power in found)}{more}" if more else why,
        ]
        for (what, why, more), found in seen.items()
    ]
    return "## Equivalent mutants, and what shows it\n\n" + _lines(
        ["mutant", "cells", "shown by"], body
    )


def _split(reason: str) -> tuple[str, int, str]:
    """A reason, and the power of ten in it that differs from cell to cell; 0 and nothing more if it has none."""
    found = re.fullmatch(r"(.*probability below )10\^(-\d+)(.*)", reason)
    return (found[1], int(found[2]), found[3]) if found else (reason, 0, "")


def write_figure(found: list[dict[str, Any]], path: Path) -> None:
    """Survival by kind: the share of broken code that each check lets pass."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = _all_rows(found)
    present = [n for n in NAMES if found[0]["versions"][n] or n == "central differences"]
    settings = list(dict.fromkeys(k.partition(", ")[2] for r in rows for k in r.get("refused", {})))
    with mpl.rc_context({"svg.hashsalt": "throughtime", "font.size": 9}):
        figure = Figure(figsize=(7, 3.2), layout="constrained")
        axes = figure.subplots()
        for i, name in enumerate((OURS, *present)):
            shares = []
            for setting in settings:
                here = asked(rows, setting)
                part, whole = killed(here, name, setting)
                shares.append(100 * (1 - part / whole) if whole else 0.0)
            at = [s + 0.2 * i - 0.3 for s in range(len(settings))]
            bars = axes.bar(
                at, shares, 0.2, label=name, color=("#1b7837", "#d95f02", "#7570b3", "#999999")[i]
            )
            axes.bar_label(bars, fmt=lambda v: f"{v:.1f}" if v else "0", fontsize=7)
        axes.set_xticks(range(len(settings)), settings)
        axes.set_ylabel("wrong code accepted, %")
        axes.margins(y=0.1)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})
