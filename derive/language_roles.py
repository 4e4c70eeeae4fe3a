"""What each name of a cell is, and in which order its equations are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from derive.cell import Role
from derive.errors import LanguageError
from derive.language_declarations import Declaration
from derive.language_elsewhere import NUMBERS
from derive.language_words import a_step_earlier, listed, nearest, shortened
from derive.syntax import EquationText, Ref, Span, references


@dataclass(frozen=True, slots=True)
class Named:
    """One name: its role, the largest lag at which it is used, where it appears first, and whether it is used."""

    name: str
    role: Role
    depth: int
    span: Span
    used: bool


def roles(
    equations: Sequence[EquationText], declarations: Iterable[Declaration]
) -> dict[str, Named]:
    """The role of every name, in order of first appearance.

    Raises:
        LanguageError: a name is defined twice, is used both with and without a time index, or is declared and
            not used.
    """
    defined = _defined(equations)
    constants = {d.name: d for d in declarations if d.kind == "const"}
    uses = _uses(equations)
    for name, refs in uses.items():
        _check_one_way(name, refs, defined, constants)
    found = {name: _named(name, refs, defined, constants) for name, refs in uses.items()}
    _check_declared(declarations, found)
    _check_meant(found, {d.name for d in declarations})
    return found


def check_state(equations: Sequence[EquationText], named: Mapping[str, Named]) -> None:
    """Something must be remembered.

    Raises:
        LanguageError: no quantity is a state.
    """
    if not any(found.role == "state" for found in named.values()):
        target = equations[0].target
        raise LanguageError(
            "The cell has no state: nothing that it defines is used at an earlier step.",
            f"Use a defined quantity with a lag, e.g. {target}[t-1].",
            place=equations[0].target_span.place,
        )


def _defined(equations: Sequence[EquationText]) -> dict[str, EquationText]:
    defined: dict[str, EquationText] = {}
    for equation in equations:
        first = defined.setdefault(equation.target, equation)
        if first is not equation:
            remedy = "Give one of the two another name."
            if equation.target == "loss":
                remedy = (
                    "A loss is one: add the terms in one line, or carry those of the steps to the end, "
                    "`dim total = 1`, total[t] = total[t-1] + …, and loss[end] = total[end] + …"
                )
            raise LanguageError(
                f"{equation.target} is defined twice: first on {_line_of(first, equation)}",
                remedy,
                place=equation.target_span.place,
            )
    return defined


def _line_of(first: EquationText, then: EquationText) -> str:
    """Where an equation stands, for a reader of another one."""
    place = first.target_span.place
    file = "" if place.source == then.target_span.place.source else f" of {place.source}"
    return f"line {first.line}{file}: {first.text}"


def _uses(equations: Sequence[EquationText]) -> dict[str, list[Ref]]:
    """All appearances of each name, targets included."""
    found: dict[str, list[Ref]] = {}
    for equation in equations:
        target = Ref(equation.target_span, equation.target, 0)
        for ref in (target, *references(equation.value)):
            found.setdefault(ref.name, []).append(ref)
    return found


def _check_one_way(
    name: str, refs: list[Ref], defined: dict[str, EquationText], constants: dict[str, Declaration]
) -> None:
    timed = next((r for r in refs if r.lag is not None), None)
    plain = next((r for r in refs if r.lag is None), None)
    if timed and name in constants:
        place = constants[name].span.place
        raise LanguageError(
            f"{name} is a constant, declared on line {place.line}: {place.text.strip()}",
            f"Write {name} without a time index, or rename one of the two.",
            place=timed.span.place,
        )
    if timed and plain:
        late, early = (plain, timed) if _position(plain) > _position(timed) else (timed, plain)
        how = {True: "without a time index", False: "with a time index"}
        place = early.span.place
        raise LanguageError(
            f"{name} is used here {how[late.lag is None]}, and {how[early.lag is None]} on line {place.line}: "
            f"{place.text.strip()}",
            f"Write {name}[t] everywhere if it changes with time, or {name} everywhere if it is a parameter.",
            place=late.span.place,
        )


def _position(ref: Ref) -> tuple[int, int]:
    return ref.span.place.line, ref.span.start


def _named(
    name: str, refs: list[Ref], defined: dict[str, EquationText], constants: dict[str, Declaration]
) -> Named:
    depth = max((r.lag or 0) for r in refs)
    if refs[0].lag is None:
        role: Role = "constant" if name in constants else "parameter"
    elif name in defined:
        role = "state" if depth else "intermediate"
    else:
        role = "input"
    return Named(name, role, depth, refs[0].span, len(refs) > (name in defined))


def _check_declared(declarations: Iterable[Declaration], found: dict[str, Named]) -> None:
    """Every declaration is about a name that the equations use."""
    for declaration in declarations:
        named = found.get(declaration.name)
        if declaration.kind == "option":
            if named is not None:
                raise LanguageError(
                    f"{named.name} is an option and cannot be a quantity.",
                    "Rename one of them.",
                    place=named.span.place,
                )
            continue
        if named is None:
            remedy = "Correct the name, or remove the declaration."
            if declaration.kind == "dim":
                remedy += " A size has no size: `dim x = 3` makes x a column of 3."
            raise LanguageError(
                f"{declaration.name} is declared and never used.{nearest(declaration.name, found)}",
                remedy,
                place=declaration.span.place,
            )
        if declaration.kind == "index" and (named.role != "input" or named.depth):
            what = "used at an earlier step" if named.role == "input" else _article(named.role)
            raise LanguageError(
                f"{named.name} is {what}; an index is an input, used at the present step.",
                "Remove the declaration, or give the earlier index as an input of its own.",
                place=declaration.span.place,
            )
        if declaration.kind == "init" and named.role != "parameter":
            raise LanguageError(
                f"{named.name} is no parameter but {_article(named.role)}; only parameters are initialised.",
                "Remove the declaration; what a state starts from is given to the code, zeros if left out."
                if named.role == "state"
                else "Remove the declaration.",
                place=declaration.span.place,
            )


def _check_meant(found: Mapping[str, Named], declared: Collection[str]) -> None:
    """No parameter has the name of a number or of a matrix that everybody knows, unless its author says so."""
    for name in (n for n in NUMBERS if n in found and n not in declared):
        if found[name].role == "parameter":
            raise LanguageError(
                f"{name} is not known here: without a declaration it would be a parameter that is trained.",
                f"Write {NUMBERS[name]}; or declare it, e.g. `dim {name} = n`, if it is to be trained.",
                place=found[name].span.place,
            )


def _article(role: str) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"


def _itself(_target: str, ref: Ref) -> Span:
    return ref.span


def evaluation_order(
    equations: Sequence[EquationText], written: Callable[[str, Ref], Span] = _itself
) -> tuple[EquationText, ...]:
    """The equations, each after those whose targets it uses at the same step; otherwise as written.

    Args:
        equations: all of them.
        written: where the author wrote what an equation, told by its target, uses.

    Raises:
        LanguageError: some use each other in a circle.
    """
    by_name = {equation.target: equation for equation in equations}
    needs = {
        e.target: list(
            dict.fromkeys(r.name for r in references(e.value) if r.lag == 0 and r.name in by_name)
        )
        for e in equations
    }
    done: dict[str, None] = {}
    for equation in equations:
        _visit(equation.target, needs, done, by_name, written)
    return tuple(by_name[name] for name in done)


def _visit(
    start: str,
    needs: dict[str, list[str]],
    done: dict[str, None],
    by_name: dict[str, EquationText],
    written: Callable[[str, Ref], Span],
) -> None:
    """Depth first from one equation, with a stack of its own: (name, next need to look at)."""
    path: dict[str, int] = {} if start in done else {start: 0}
    while path:
        name = next(reversed(path))
        at = path[name]
        if at == len(needs[name]):
            done[name] = None
            del path[name]
            continue
        path[name] += 1
        following = needs[name][at]
        if following in path:
            _raise_cycle(list(path)[list(path).index(following) :], by_name, written)
        if following not in done:
            path[following] = 0


def _raise_cycle(
    names: list[str], by_name: dict[str, EquationText], written: Callable[[str, Ref], Span]
) -> NoReturn:
    following = [*names[1:], names[0]]
    places = [
        written(
            name, next(r for r in references(by_name[name].value) if r.name == then and r.lag == 0)
        ).place
        for name, then in zip(names, following, strict=True)
    ]
    of_network = [place for place in places if place.source.endswith(".net")]
    place = (of_network or places)[-1]  # before what a cell says
    text = place.text[place.column : place.column + place.width]
    circle = " needs ".join(shortened([f"{name}[t]" for name in (*names, names[0])], 4, 2))
    here = (e for e in (by_name[n] for n in names) if e.target_span.place.source == place.source)
    lines = sorted({e.line for e in here} | {place.line})
    where = f"line{'s' * (len(lines) > 1)} {listed(shortened([str(n) for n in lines], 4, 1))}"
    raise LanguageError(
        f"Within one step {circle} ({where}).",
        f"Use the previous step somewhere, e.g. {a_step_earlier(text)}.",
        place=place,
    )
