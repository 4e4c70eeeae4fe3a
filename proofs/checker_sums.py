"""Finite sums over indices of symbolic range, and their one form: the algebra of the checker.

It needs Python's standard library only. A size is n + 2m as (("m", 2), ("n", 1)), and 1 as (("", 1),); sizes
are at least 1. A sum is a list of terms (number, atoms); an atom is (name, indices, exponent); an index is
(offset, letter), and (n, k) is row n + k. The atom ("sum",) marks a letter that is summed over;
("in", start, length, …) is 1 for an index in these rows, else 0.

The one form is reached by laws of real numbers alone: distribution, exchange of finite sums, another name for a
bound index, a sum cut into two ranges, another order of factors. So equal forms mean equal sums, for every
size and every value of the entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import count, permutations
from typing import Any

Size = tuple[tuple[str, int], ...]
Index = tuple[Size, Any]
Place = tuple[Any, tuple[Index, ...]]
Atom = tuple[Any, tuple[Index, ...], int]
Sum = list[tuple[Fraction, tuple[Atom, ...]]]
Form = tuple[tuple[tuple[str, ...], Fraction], ...]

ONE: Size = (("", 1),)
UNIT: Sum = [(Fraction(1), ())]
SUMMED = ("sum",)


def size(d: dict[str, int]) -> Size:
    """A size in its one form."""
    return tuple(sorted((k, v) for k, v in d.items() if v))


def plus(a: Size, b: Size, sign: int = 1) -> Size:
    """a + b, or a − b."""
    out = Counter(dict(a))
    for k, v in b:
        out[k] += sign * v
    return size(out)


def nonnegative(a: Size) -> bool:
    """Whether a ≥ 0 for all sizes that are at least 1."""
    return all(v >= 0 for k, v in a if k) and sum(v for _, v in a) >= 0


def times(*sums: Sum) -> Sum:
    """The product, distributed."""
    out = UNIT
    for p in sums:
        out = [(a * b, s + t) for a, s in out for b, t in p]
    return out


def summed(p: Sum, *over: Index) -> Sum:
    """Σ over these indices: every term is marked."""
    marks = tuple((SUMMED, (i,), 1) for i in over if i[1] is not None)
    return [(c, term + marks) for c, term in p]


class Indices:
    """Hands out indices and knows their ranges; brings sums over them to the one form."""

    def __init__(self) -> None:
        self.span: dict[Any, Size] = {}
        self.letters = count()

    def index(self, d: Size, letter: Any = None) -> Index:
        """An index of range d; a range of one value needs no letter."""
        if d == ONE:
            return (), None
        letter = next(self.letters) if letter is None else letter
        self.span[letter] = d
        return (), letter

    def within(self, i: Index, start: Size, length: Size) -> bool | None:
        """Whether the index lies in these rows; ``None`` if that depends on its value."""
        if i[1] is not None and i[1] not in self.span:
            return None
        first, span = plus(i[0], start, -1), ONE if i[1] is None else self.span[i[1]]
        after = plus(first, span)
        if nonnegative(first) and nonnegative(plus(length, after, -1)):
            return True
        apart = nonnegative(plus(first, length, -1)) or nonnegative(plus((), after, -1))
        return False if apart else None

    def form(self, p: Sum) -> Form:
        """The one form: the terms with their numbers, sorted."""
        out: dict[tuple[str, ...], Fraction] = {}
        for c, term in p:
            powers: dict[Place, int] = {}
            for name, at, x in term:
                powers[name, at] = powers.get((name, at), 0) + x
            if any(name == SUMMED and x != 1 for (name, _), x in powers.items()):
                raise ValueError("one letter summed over twice")
            atoms = self.narrowed({a: x for a, x in powers.items() if x})
            if atoms is not None:
                key = tuple(sorted(map(repr, self.factors(atoms))))
                out[key] = out.get(key, Fraction(0)) + c
        return tuple(sorted((key, c) for key, c in out.items() if c))

    def narrowed(self, atoms: dict[Place, int]) -> dict[Place, int] | None:
        """The term with its factors [i in part] used up: as 1, as 0 (no term), or as a shorter range of i."""
        found = [a for a in atoms if a[0][0] == "in"]
        for name, (i,) in sorted(found, key=lambda a: (a[0][3], repr(a))):
            (_, start, length, _), (offset, k) = name, i
            rest = {a: x for a, x in atoms.items() if a != (name, (i,))}
            holds = self.within(i, start, length)
            if holds is not None:
                return self.narrowed(rest) if holds else None
            ends = rest.pop((SUMMED, (i,)), 0) and plus(plus(self.span[k], start, -1), length, -1)
            if ends != 0 and not offset and nonnegative(ends):
                return self.narrowed(self.moved(rest, k, start, self.index(length)))
        return atoms

    def moved(self, atoms: dict[Place, int], k: Any, start: Size, new: Index) -> dict[Place, int]:
        """The term with start + new for the letter k."""
        out: dict[Place, int] = {} if new[1] is None else {(SUMMED, (new,)): 1}
        for (name, at), x in atoms.items():
            place = name, tuple((plus(o, start), new[1]) if w == k else (o, w) for o, w in at)
            out[place] = out.get(place, 0) + x
        return {a: x for a, x in out.items() if x}

    def factors(self, atoms: dict[Place, int]) -> Iterator[tuple[Any, list[Atom]]]:
        """The term as factors that share no bound letter; their letters are named by the parts they play."""
        bound = {at[0][1] for name, at in atoms if name == SUMMED}
        groups: list[tuple[set[Any], list[Atom]]] = []
        for (name, at), x in atoms.items():
            mine = {k for _, k in at} & bound
            met = [g for g in groups if g[0] & mine]
            groups = [g for g in groups if not g[0] & mine]
            joined = [(name, at, x), *(a for g in met for a in g[1])]
            groups.append((mine.union(*(g[0] for g in met)), joined))
        for letters, group in groups:
            role = self.roles(letters, group)
            spans = tuple(self.span[k] for k in sorted(letters, key=role.__getitem__))
            yield spans, sorted((renamed(a, role) for a in group), key=repr)

    def roles(self, letters: set[Any], atoms: list[Atom]) -> dict[Any, str]:
        """A name "#0", "#1", … for every bound letter, by where it stands. Any choice of names is right."""
        role = {k: repr(self.span[k]) for k in letters}
        stands = {k: [a for a in atoms if any(w == k for _, w in a[1])] for k in letters}
        for n in range(len(letters)):
            kinds = 0
            while kinds < (kinds := len(set(role.values()))):
                seen = {k: repr((role[k], sorted(_views(k, stands[k], role)))) for k in letters}
                rank = {s: f"a{i:04}" for i, s in enumerate(sorted(set(seen.values())))}
                role = {k: r if r[0] == "#" else rank[seen[k]] for k, r in role.items()}
            first = min((r, str(k), k) for k, r in role.items() if r[0] != "#")
            role[first[2]] = f"#{n:04}"
        return role

    def opaque(self, tag: Any, p: Sum) -> Sum:
        """A function of a sum as one atom: its name holds the sum's form, with places for its free indices.

        A place stands for any value of its index, so that nothing is assumed about its range.
        """
        bound = {None, *(at[0][1] for _, term in p for name, at, _ in term if name == SUMMED)}
        used = [i for _, term in p for _, at, _ in term for i in at]
        free = [i for i in dict.fromkeys(used) if i[1] not in bound]
        forms: list[tuple[str, tuple[Index, ...]]] = []
        for order in permutations(free):
            place: dict[Index, Index] = {i: ((), f"${n}") for n, i in enumerate(order)}
            moved = [
                (c, tuple((n, tuple(place.get(i, i) for i in at), x) for n, at, x in term))
                for c, term in p
            ]
            forms.append((repr(self.form(moved)), order))
        form, order = min(forms, key=lambda f: f[0])
        return [(Fraction(1), (((tag, form), order, 1),))]


def renamed(atom: Atom, role: dict[Any, str]) -> Atom:
    """The atom with other names for its letters."""
    name, at, x = atom
    return name, tuple((o, role.get(k, k)) for o, k in at), x


def _views(k: Any, atoms: list[Atom], role: dict[Any, str]) -> Iterator[str]:
    """What the letter k sees in the atoms it stands in: itself as *, the others by their roles."""
    for name, at, x in atoms:
        yield repr((name, [(o, "*" if w == k else role.get(w, w)) for o, w in at], x))
