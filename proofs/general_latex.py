"""Rules and their proofs as LaTeX: what is printed is the data that is checked."""

from __future__ import annotations

from typing import Any

from proofs.general_rules import RuleProof

Data = list[Any]
NAMES = {"Y": r"\bar Y", "y": "y", "A": "A", "B": "B", "c": "c"}
SUM, PRODUCT, ATOM = 1, 2, 3


def lines(rows: list[str]) -> str:
    """A chain of equalities, one below the other."""
    if len(rows) == 1:
        return rows[0].replace("&=", "=", 1)
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def pair(a: str, b: str) -> str:
    """⟨a, b⟩"""
    tall = any(mark in a + b for mark in (r"\frac", r"\left", r"\overline", r"\sum"))
    return rf"\left\langle {a},\, {b} \right\rangle" if tall else rf"\langle {a},\, {b} \rangle"


def rule_latex(rule: RuleProof) -> str:
    """The rule's proof as a chain of equalities."""
    right = " + ".join(pair(tex(part)[0], rf"\dot {a}") for part, a in rule.parts)
    steps = [*(sums(e)[0] for e in rule.chain), right]
    start = pair(r"\bar Y", tex(rule.moving)[0])
    return lines([f"{start} &= {steps[0]}", *(f"&= {s}" for s in steps[1:])])


def size_latex(d: dict[str, int]) -> str:
    """p + r"""
    return " + ".join(k or str(v) for k, v in d.items()) or "0"


def tight(e: Data, level: int) -> str:
    """The LaTeX, in brackets if it binds less tightly."""
    text, binding = sums(e)
    return text if binding >= level else rf"\Big({text}\Big)"


def sums(e: Data) -> tuple[str, int]:
    """A sum over indices."""
    match e:
        case ["Σ", ranges, body]:
            below = r",\, ".join(rf"{k} \le {size_latex(d)}" for k, d in ranges)
            return rf"\sum_{{{below}}} {tight(body, PRODUCT)}", PRODUCT
        case ["+", first, *rest]:
            text = tight(first, PRODUCT)
            for part in rest:
                negative = _negative(part)
                text += (
                    f" - {tight(negative, PRODUCT)}" if negative else f" + {tight(part, PRODUCT)}"
                )
            return text, SUM
        case ["·", *parts]:
            return r" \, ".join(_factor(p) for p in parts), PRODUCT
        case ["at", a, i, j]:
            return entry(a, i, j), ATOM
        case _:
            raise TypeError(f"no LaTeX for {e[0]}")


def _factor(e: Data) -> str:
    summed = e[0] == "Σ"
    return rf"\Big({sums(e)[0]}\Big)" if summed else tight(e, PRODUCT)


def _negative(e: Data) -> Data | None:
    """−e, if e begins with −1."""
    if e[0] == "Σ":
        inner = _negative(e[2])
        return ["Σ", e[1], inner] if inner else None
    if e[0] == "·" and e[1] == ["at", ["number", "-1"], None, None]:
        return ["·", *e[2:]]
    return None


def entry(a: Data, i: Any, j: Any) -> str:
    """Aᵢⱼ"""
    below = "".join(_index(k) for k in (i, j) if k is not None)
    if a[0] == "f'":
        return rf"\varphi'({entry(a[2], i, j)})"
    text, binding = tex(a)
    text = text if binding == ATOM else f"({text})"
    return f"{text}_{{{below}}}" if below else text


def _index(i: Any) -> str:
    return f"{size_latex(i[0])}+{i[1]}," if isinstance(i, list) else str(i)


def tex(e: Data) -> tuple[str, int]:
    """A matrix expression over a rule's variables."""
    match e:
        case ["value", name, _]:
            return NAMES[name], ATOM
        case ["dot", name, _]:
            return rf"\dot {name}", ATOM
        case ["number", c]:
            return str(c), ATOM
        case ["+", first, *rest]:
            text = matrix(first, PRODUCT)
            for part in rest:
                minus = part[0] == "*" and part[1] == ["number", "-1"]
                text += f" - {matrix(part[2], PRODUCT)}" if minus else f" + {matrix(part, PRODUCT)}"
            return text, SUM
        case ["@" | "*", *parts]:
            return r" \, ".join(matrix(p, ATOM) for p in parts), PRODUCT
        case ["∘", *parts]:
            return r" \circ ".join(matrix(p, ATOM) for p in parts), PRODUCT
        case _:
            return _other(e), ATOM


def _other(e: Data) -> str:
    match e:
        case ["T", a]:
            return rf"{matrix(a, ATOM)}^{{\top}}"
        case ["f'", _, a, _]:
            return rf"\varphi'({matrix(a, SUM)})"
        case ["concat", *parts]:
            return r"\left[" + r";\, ".join(matrix(p, SUM) for p in parts) + r"\right]"
        case ["rows", a, start, stop]:
            first = size_latex(start | {"": 1}) if start else "1"
            return rf"({matrix(a, SUM)})_{{{first}:{size_latex(stop)}}}"
        case ["broadcast", a, _, _]:
            return rf"\mathbf{{1}}\,{matrix(a, ATOM)}"
        case ["softmax", a]:
            return rf"\operatorname{{softmax}}({matrix(a, SUM)})"
        case ["total", a]:
            return rf"\operatorname{{sum}}({matrix(a, SUM)})"
        case _:
            raise TypeError(f"no LaTeX for {e[0]}")


def matrix(e: Data, level: int) -> str:
    """A matrix expression, in brackets if it binds less tightly."""
    text, binding = tex(e)
    return text if binding >= level else f"({text})"
