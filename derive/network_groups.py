"""Scans and equations of a network in order: what must run together runs together, everything else one after another.

Scans and equations that use each other at earlier steps (an output fed back as the next input) run together.
Neighbouring equations without a state do as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from derive.errors import LanguageError
from derive.network import END
from derive.syntax import EquationText, Ref, Span, references


@dataclass(frozen=True, slots=True)
class Group:
    """One scan, or one equation.

    Args:
        name: the scan's name, or the equation's target.
        equations: its equations.
        axis: the letter of its time index, or ``end``.
        reverse: whether it runs backwards.
        start: the scan from whose final states it starts, or the name before the dot of values at [end] that it
            starts from.
        span: the place of a scan's name; ``None`` for an equation.
        after: the groups that end before it starts.
        held: what it uses that is computed after other scans, and is the same at every step.
    """

    name: str
    equations: tuple[EquationText, ...]
    axis: str
    reverse: bool = False
    start: str | None = None
    span: Span | None = None
    after: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()

    @property
    def targets(self) -> frozenset[str]:
        """What it defines."""
        return frozenset(e.target for e in self.equations)


def in_order(groups: Sequence[Group], owner: Mapping[str, Group]) -> list[list[Group]]:
    """The groups that run together, each bundle after those that it uses.

    Args:
        groups: scans and equations.
        owner: the group that gives every name.

    Raises:
        LanguageError: groups that need each other run in different directions or along different axes.
    """
    return _merged(_bundles(groups, owner))


def _needs(group: Group, owner: Mapping[str, Group]) -> dict[str, int]:
    """The groups that a group uses, with the largest lag."""
    found: dict[str, int] = {}
    for ref, other in _uses(group, owner):
        found[other.name] = max(found.get(other.name, 0), ref.lag or 0)
    return found


def _uses(group: Group, owner: Mapping[str, Group]) -> Iterator[tuple[Ref, Group]]:
    """What a group uses of other groups, each with the group that gives it."""
    for e in group.equations:
        for ref in references(e.value):
            other = owner.get(ref.name)
            if ref.lag is not None and other is not None and other is not group:
                yield ref, other


def _bundles(groups: Sequence[Group], owner: Mapping[str, Group]) -> list[list[Group]]:
    """Groups that must run together, in order of evaluation.

    A group runs together with what it uses an earlier value of, and so does all that stands between the two.

    Raises:
        LanguageError: they run in different directions or along different axes.
    """
    needs = {g.name: _needs(g, owner) for g in groups}
    ties = {name: dict(found) for name, found in needs.items()}
    for name, found in needs.items():
        for other, lag in found.items():
            if lag:
                ties[other].setdefault(name, 0)
    tied = {g.name: _reachable(g.name, ties) for g in groups}
    bundles: list[list[Group]] = []
    for g in groups:
        home = next((b for b in bundles if _mutual(g.name, b[0].name, tied)), None)
        if home is None:
            bundles.append([g])
        else:
            home.append(g)
    reach = {g.name: _reachable(g.name, needs) for g in groups}
    for bundle in bundles:
        _check_bundle(bundle, owner, reach)
    _refuse_circles(bundles, needs)
    return _in_order(bundles, needs)


def _mutual(a: str, b: str, reach: Mapping[str, set[str]]) -> bool:
    return a in reach[b] and b in reach[a]


def _check_bundle(
    bundle: Sequence[Group], owner: Mapping[str, Group], reach: Mapping[str, set[str]]
) -> None:
    """All of a bundle run along one axis, forward; ``reach`` is what each group needs, directly or not.

    Raises:
        LanguageError: they do not.
    """
    names = {g.name for g in bundle}
    uses = [(g, ref, other) for g in bundle for ref, other in _uses(g, owner)]
    inner = [(g, ref, other) for g, ref, other in uses if other.name in names]
    parted = []
    for g, ref, other in inner:
        if ref.lag or g.name in reach[other.name]:
            _check_together(g, other)
        elif not _alike(g, other):
            parted.append((g, other))
    if parted:
        a, b = parted[0]
        raise next(
            _cannot_stand_between(g, ref, other, a, b)
            for g, ref, other in inner
            if ref.lag and g.name not in reach[other.name] and (g is a or a.name in reach[g.name])
        )


def _cannot_stand_between(user: Group, ref: Ref, used: Group, a: Group, b: Group) -> LanguageError:
    """The error for an earlier value of one group in another, where a and b, which link the two, run differently."""
    whole = user.span is not None
    return LanguageError(
        f"{user.name} uses {f'{used.name} at an earlier step' if whole else ref.span.text}, so it runs together with "
        f"{used.name}; {a.name} and {b.name}, which link the two as well, do not run together: "
        f"{a.name} runs {_way(a)}, {b.name} {_way(b)}.",
        "Give the earlier value a line of its own, as p[t] = h[t-1] is, and use p[t] in its place.",
        place=(user.span or ref.span).place,
    )


def _refuse_circles(bundles: list[list[Group]], needs: Mapping[str, Mapping[str, int]]) -> None:
    """No scan starts from the end of one that runs together with it, or that uses what comes of it.

    Raises:
        LanguageError: one does.
    """
    home = {g.name: str(i) for i, bundle in enumerate(bundles) for g in bundle}
    after = {
        str(i): {home[n]: 0 for g in bundle for n in (*needs[g.name], *g.after)}
        for i, bundle in enumerate(bundles)
    }
    scans = [g for bundle in bundles for g in bundle if g.span]
    for g, before in [(scan, other) for scan in scans for other in scan.after]:
        first, then = home[before], home[g.name]
        if first == then or then in _reachable(first, after):
            why = "they run together" if first == then else f"it uses what comes of {g.name}"
            raise LanguageError(
                f"{g.name} starts where {before} ends, and {before} cannot end first: {why}.",
                "Remove the start, or what links the two: a value handed back, or one of an earlier step.",
                place=g.span.place,
            )


def _reachable(name: str, needs: Mapping[str, Mapping[str, int]]) -> set[str]:
    found, stack = set(), list(needs[name])
    while stack:
        other = stack.pop()
        if other not in found:
            found.add(other)
            stack.extend(needs[other])
    return found


def _alike(a: Group, b: Group) -> bool:
    """Whether two groups can run together: along one axis, forward."""
    return a.axis == b.axis and not a.reverse and not b.reverse


def _way(group: Group) -> str:
    """Along what a group runs, for a message."""
    return f"along {group.axis}{' reversed' if group.reverse else ''}"


def _check_together(a: Group, b: Group) -> None:
    if _alike(a, b):
        return
    scan = next((g for g in (a, b) if g.reverse), a)
    span = scan.span or scan.equations[0].target_span
    remedy = "A reversed scan takes whole sequences only; remove the feedback or the word reverse."
    if END in (a.axis, b.axis):
        remedy = (
            "[end] comes after all steps: use it along another axis, or remove what hands it back."
        )
    raise LanguageError(
        f"{a.name} and {b.name} need each other step by step, and do not run together: "
        f"{a.name} runs {_way(a)}, {b.name} {_way(b)}.",
        remedy,
        place=span.place,
    )


def _in_order(
    bundles: list[list[Group]], needs: Mapping[str, Mapping[str, int]]
) -> list[list[Group]]:
    """The bundles, each after those that it uses (or starts from); otherwise as written."""
    index = {g.name: i for i, bundle in enumerate(bundles) for g in bundle}
    done: dict[int, None] = {}

    def visit(i: int) -> None:
        for g in bundles[i]:
            for other in (*needs[g.name], *g.after):
                if index[other] != i and index[other] not in done:
                    visit(index[other])
        done.setdefault(i)

    for i in range(len(bundles)):
        if i not in done:
            visit(i)
    return [bundles[i] for i in done]


def _merged(bundles: list[list[Group]]) -> list[list[Group]]:
    """Neighbouring bundles without a scan, along one axis, as one."""
    done: list[list[Group]] = []
    for bundle in bundles:
        plain = all(g.span is None for g in bundle)
        before = done[-1] if done else []
        joins = (
            before and plain and all(g.span is None and g.axis == bundle[0].axis for g in before)
        )
        if joins:
            before += bundle
        else:
            done.append(list(bundle))
    return done
