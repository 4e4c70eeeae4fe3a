"""What a file keeps from one call to the next: in whatever it is kept and by whatever name, the text shows it."""

from __future__ import annotations

import pytest

from numeric.additions import Additions, generate_with
from numeric.training import with_training
from proofs.means import own_means
from tests.proofs.specimens import derivation_of, source_of

SOURCE = source_of("elman")
AT_THE_TOP = "import numpy as np\n"
ENDS = "    params_bar = {"


def edited(top: str = "", end: str = "pass") -> str:
    """The file with lines at its head, and some where its backward pass ends."""
    source = SOURCE.replace(AT_THE_TOP, f"{AT_THE_TOP}{top}\n", 1)
    within = "".join(f"    {line}\n" for line in end.splitlines())
    return source.replace(ENDS, f"{within}{ENDS}", 1)


BUMP = "def bump(c):\n    c.append(1)\n    return len(c)"
COUNT = "def count(c):\n    c.n = 1"
KEPT = {
    "a list given to a function": edited(f"CALLS = []\n{BUMP}", "n = bump(CALLS)"),
    "by a keyword": edited(f"CALLS = []\n{BUMP}", "n = bump(c=CALLS)"),
    "among several": edited(f"CALLS = []\n{BUMP}", "n = bump(*(CALLS,))"),
    "under another name": edited("CALLS = []", "a = CALLS\na.append(0)"),
    "under another name of the file's": edited("CALLS = []\nA = CALLS", "A.append(0)"),
    "under a lower name": edited("calls = []", "calls.append(0)"),
    "by the name in a loop": edited("CALLS = [[]]", "for c in CALLS:\n    c.append(0)"),
    "within another": edited("CALLS = {'a': []}", "CALLS['a'].append(0)"),
    "within a tuple": edited("CALLS = ([], 1)", "CALLS[0].append(0)"),
    "within a tuple, taken apart": edited("CALLS = ([],)", "c, = CALLS\nc.append(0)"),
    "in the values of a dict": edited(
        "CALLS = {'a': []}", "for c in CALLS.values():\n    c.append(0)"
    ),
    "hidden by a comprehension": edited("CALLS = []", "[0 for CALLS in ()]\nCALLS.append(0)"),
    "going through itself": edited("CALLS = []", "[CALLS.append(0) for CALLS in [CALLS]]"),
    "hidden by a nested function": edited(
        "CALLS = []", "def f():\n    CALLS = 1\n    return CALLS\nCALLS.append(0)"
    ),
    "what is chosen": edited("CALLS = []", "c = CALLS or []\nc.append(0)"),
    "what is chosen by a condition": edited("CALLS = []", "c = CALLS if True else 0\nc.append(0)"),
    "what a slice is set to": edited("CALLS = [0]", "CALLS[:] = [1]"),
    "an entry deleted": edited("CALLS = [0]", "del CALLS[0]"),
    "an array written into": edited("CALLS = [0][:]", "CALLS.append(0)"),
    "a default that is a name": edited("CALLS = []\ndef f(c=CALLS):\n    c.append(0)", "f()"),
    "a list returned": edited("CALLS = []\ndef f():\n    return CALLS", "f().append(0)"),
    "a list in a lambda": edited("CALLS = []", "(lambda: CALLS)().append(0)"),
    "a dict that is joined in place": edited("CALLS = {}", "c = CALLS\nc |= {1: 2}"),
    "a function given to a function": edited(COUNT, "count(backward)"),
    "a function that is a default": edited("def f(u=backward):\n    u.n = 1", "f()"),
    "a default under another name": edited("def f(*, u=backward):\n    g = u\n    g.n = 1", "f()"),
    "a default within a function": edited(
        "def f(u=backward):\n    def g():\n        return u\n    return g", "f()().n = 1"
    ),
    "a function that another returns": edited(
        "def pick():\n    return backward", "f = pick()\nf.n = 1"
    ),
    "a function that is said to be an object": edited(
        "class C:\n    def __init__(self):\n        self.n = 0\ndef count(c: C):\n    c.n = 1",
        "count(backward)",
    ),
    "a function in a list": edited("", "for f in [backward]:\n    f.n = 1"),
    "a function of NumPy's": edited("", "f = np.sum\nf.n = 1"),
    "a function of NumPy's, given": edited(COUNT, "count(np.sum)"),
    "a function of NumPy's, handed back": edited(
        "def same(x):\n    return x", "f = same(np.sum)\nf.n = 1"
    ),
    "NumPy itself": edited("", "n = np\nn.n = 1"),
    "a dict of NumPy's": edited("", "np.typecodes['n'] = 1"),
    "a dict of NumPy's, asked": edited("", "np.sctypeDict.update(n=1)"),
    "a class's attribute": edited("class C:\n    n = []", "C().n.append(0)"),
    "a class's attribute through its object": edited(
        "class C:\n    n = 0\n    def f(self):\n        type(self).n += 1", "C().f()"
    ),
    "through a class method": edited(
        "class C:\n    n = 0\n    @classmethod\n    def f(cls):\n        cls.n += 1", "C.f()"
    ),
    "in the making of an object": edited(
        "class C:\n    n = 0\n    def __new__(cls):\n        cls.n += 1", "C()"
    ),
    "a method asked of a function": edited(
        "class C:\n    def f(self):\n        self.n = 1", "C.f(backward)"
    ),
    "a type under a name": edited("class C:\n    n = 0", "t = type(C())\nt.n += 1"),
    "a closure's cell": edited(
        "def keeping(f):\n    n = [0]\n    def g(*a):\n        n[0] += 1\n        return f(*a)\n"
        "    return g\n@keeping\ndef less(x):\n    return x"
    ),
    "a name of the function around": edited(
        "def outer():\n    n = 0\n    def f():\n        nonlocal n\n        n += 1"
    ),
    "a cache": edited("from functools import lru_cache\n@lru_cache\ndef f(x):\n    return x"),
    "a generator": edited("G = (i for i in range(9))", "next(G)"),
    "an iterator": edited("G = iter([1, 2])", "next(G)"),
    "a metaclass": edited("class M(type):\n    pass\nclass C(metaclass=M):\n    pass"),
    "in an annotation that runs": SOURCE.replace("from __future__ import annotations\n", "").replace(
        AT_THE_TOP, f"{AT_THE_TOP}CALLS = []\n", 1
    ).replace(ENDS, f"    def f(x: CALLS.append(0)): pass\n{ENDS}", 1),
    "as a program": edited("", 'if __name__ == "__main__":\n    W = 2 * W'),
    "an interpreter among types": edited("from typing import sys"),
    "NumPy under another name": edited("import numpy", "numpy.load('x')"),
    "how floats are watched": edited("", "n = np.geterr()"),
}  # fmt: skip


@pytest.mark.parametrize("what", KEPT)
def test_what_is_kept_is_refused_with_its_line(what: str) -> None:
    found = own_means(KEPT[what])
    assert not found.ok
    assert all(told.startswith("line ") for told in found.where)


PLAIN = {
    "a table that is read": edited("N = {'a': 1}", "n = N['a'] + len(N) + sum(N.values())"),
    "a table gone through": edited("N = [1, 2]", "for n in N:\n    n + 1"),
    "a helper": edited("def half(x):\n    return x / 2", "y = half(1.0)"),
    "a class of one's own": edited(
        'class C:\n    """A pair."""\n    def __init__(self, a):\n        self.a = a', "c = C(1)\nc.a = 2"
    ),
    "a function of NumPy's by another name": edited("", "f = np.add\nf(1, 2)"),
    "a function given to a helper": edited(
        "def twice(f, x):\n    return f(f(x))\ndef half(x):\n    return x / 2", "twice(half, 1.0)"
    ),
    "a function that is a default and called": edited(
        "def half(x):\n    return x / 2\ndef f(x, a=1.0, *, u=half):\n    return a * u(x)", "f(1.0)"
    ),
    "a list of the call's": edited("", "a = []\na.append(1)"),
    "training": with_training(SOURCE),
    "a loop of training that was changed": with_training(SOURCE).replace(
        "enumerate(batches)", "enumerate(batches, start=0)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PLAIN)
def test_what_keeps_nothing_is_let_pass(what: str) -> None:
    assert own_means(PLAIN[what]).ok, own_means(PLAIN[what]).where


def test_every_kind_of_file_that_the_generator_writes_is_let_pass() -> None:
    kinds = [Additions(), Additions(speed=True), Additions(size=True), Additions(portable=True)]
    kinds += [Additions(compiled=True, threads=True), Additions(checkpoint=True, real_time=True)]
    for kind in kinds:
        for name in ("lstm", "deltanet"):
            found = own_means(generate_with(derivation_of(name), kind))
            assert found.ok, (name, kind, found.where)
