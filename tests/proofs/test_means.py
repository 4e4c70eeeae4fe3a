"""What a file may ask for and keep: texts that are right whenever they are looked at are refused as they are read."""

from __future__ import annotations

import pytest

from derive.network_catalog import load as load_network
from derive.network_derivation import derive_network
from numeric.additions import Additions, generate_with
from numeric.network_source import generate_network
from proofs.means import own_means, reaching
from tests.proofs.specimens import EVERY, derivation_of, source_of

SOURCE = source_of("elman")
AT_THE_TOP = "import numpy as np\n"
ENDS = "    params_bar = {"


def edited(top: str = "", end: str = "pass") -> str:
    """The file with a line at its head, and one where its backward pass ends."""
    source = SOURCE.replace(AT_THE_TOP, f"{AT_THE_TOP}{top}\n", 1)
    return source.replace(ENDS, f"    {end}\n{ENDS}", 1)


REACHING = {
    "the clock": (edited("import time"), "time is imported"),
    "the environment": (edited("from os import environ"), "os is imported"),
    "who is asking": (edited(end="b = __name__"), "__name__ asks the interpreter"),
    "the caller": (edited(end="b = globals()"), "globals asks the interpreter"),
    "its own code": (edited(end="b = backward.__code__"), "backward.__code__ asks the interpreter"),
    "a text that runs": (edited(end="exec('b = 2')"), "exec asks the interpreter"),
    "an address": (edited(end="b = id(W)"), "id asks the interpreter"),
    "another name of NumPy's": (edited("from numpy import load"), "np.load"),
    "the day": (edited(end="b = np.datetime64('now')"), "np.datetime64"),
    "a file": (edited(end="b = np.fromfile('x')"), "np.fromfile"),
    "NumPy's modules": (edited(end="b = np.lib.format"), "np.lib"),
    "global random numbers": (edited(end="b = np.random.rand()"), "np.random.rand"),
    "chance": (edited(end="b = np.random.default_rng().random()"), "random numbers without a seed"),
    "always the same numbers": (edited(end="b = np.random.default_rng(7)"), "without a seed that"),
    "a list that grows": (edited("CALLS = []", "CALLS.append(0)"), "CALLS.append(0) may change CALLS"),
    "a counter": (edited("CALLS = [0]", "CALLS[0] += 1"), "CALLS[0] is changed for all later calls"),
    "a global name": (edited(end="global NAME"), "global NAME"),
    "a function's attribute": (edited(end="backward.n = 1"), "backward.n is changed"),
    "under another name": (edited(end="f = backward; f.n = 1"), "f.n is changed"),
    "a type's attribute": (edited(end="type(params).n = 1"), "type(params).n is changed"),
    "a default that is kept": (edited("def f(seen=[]): seen.append(0)"), "the default [] is kept"),
    "NumPy changed": (edited("np.sum = np.max"), "np.sum = np.max runs when the file is loaded"),
    "something at the beginning": (edited("print()"), "print() runs when the file is loaded"),
    "a computed constant": (edited("N = len('ab')"), "N is computed when the file is loaded"),
    "a function that follows another": (edited("def backward(): pass"), "backward is defined a second time"),
}  # fmt: skip


@pytest.mark.parametrize("what", REACHING)
def test_what_a_file_asks_for_or_keeps_is_refused_with_its_line(what: str) -> None:
    source, told = REACHING[what]
    found = own_means(source)
    assert not found.ok
    assert any(told in place and place.startswith("line ") for place in found.where), found.where


ADDED = {
    "fast": Additions(speed=True),
    "small": Additions(size=True),
    "compiled": Additions(compiled=True, threads=True),
    "portable": Additions(portable=True),
    "more": Additions(truncation=(2, 3), checkpoint=True, real_time=True),
}


def test_what_the_generator_writes_has_means_of_its_own() -> None:
    for name in EVERY:
        assert not list(reaching(source_of(name))), name
    for name, additions in ADDED.items():
        assert own_means(generate_with(derivation_of("gru"), additions)).ok, name
    for name in ("tagger", "attention"):
        assert own_means(generate_network(derive_network(load_network(name)))).ok


def test_functions_of_the_house_are_not_asked() -> None:
    assert own_means(generate_with(derivation_of("elman"), Additions(speed=True))).ok
    assert ".ctypes" in generate_with(derivation_of("elman"), Additions(speed=True))


MAIN = 'if __name__ == "__main__":\n    import time\n\n    print(time.time())\n'


def test_what_the_file_does_as_a_program_is_its_users_affair() -> None:
    assert own_means(f"{SOURCE}\n{MAIN}").ok
    for almost in (
        MAIN.replace("==", "!="),
        MAIN.replace("__main__", "my"),
        f"{MAIN}else:\n    NAME = 3\n",
    ):
        assert not own_means(f"{SOURCE}\n{almost}").ok, almost


def test_a_name_of_a_functions_own_hides_the_files() -> None:
    assert own_means(edited("def cut(): pass", "cut = {}; cut['a'] = 1")).ok
    kept = edited("CALLS = [0]\ndef count(CALLS=CALLS): CALLS[0] += 1")
    assert any("may change CALLS for all" in told for told in own_means(kept).where)
