"""The messages of rejected texts: place, caret, what was found, the remedy."""

import pytest

from derive.errors import LanguageError
from derive.language import read_cell
from derive.syntax import CALLABLE

CASES = {
    "a function of another notation": (
        "h[t] = W @ x[t] * max(h[t-1], 0)",
        (
            "my.cell, line 1: h[t] = W @ x[t] * max(h[t-1], 0)\n"
            "                                   ^^^\n"
            "  max is not a function of the language.\n"
            "  Write relu(a) for max(0, a), a + relu(b - a) for max(a, b)."
        ),
    ),
    "an entry of a column": (
        "h[t] = p[t][0] * h[t-1]",
        (
            "my.cell, line 1: h[t] = p[t][0] * h[t-1]\n"
            "                            ^\n"
            "  An index is a time, and entries of a column have none.\n"
            "  Give what you need of it an equation of its own; a gate that is one number is declared, `dim a = 1`."
        ),
    ),
    "a diagonal that scales nothing": (
        "S[t] = S[t-1] + (diag(a[t]) - k[t] @ k[t].T)",
        (
            "my.cell, line 1: S[t] = S[t-1] + (diag(a[t]) - k[t] @ k[t].T)\n"
            "                                  ^^^^^^^^^^\n"
            "  diag(a) scales the rows or columns of what it multiplies, and here it multiplies nothing.\n"
            "  Write it beside a factor that is none, or in a bracket beside one: diag(a) @ B, "
            "B @ (diag(a) - k @ k.T); the product of diag(a) and diag(b) is diag(a * b)."
        ),
    ),
    "an undefined function": (
        "h[t] = tahn(W @ h[t-1])",
        (
            "my.cell, line 1: h[t] = tahn(W @ h[t-1])\n"
            "                        ^^^^\n"
            "  tahn is not a function of the language. Did you mean tanh?\n"
            f"  The functions are {', '.join(CALLABLE)}."
        ),
    ),
    "a Greek letter": (
        "# title\nh[t] = α * h[t-1]",
        (
            "my.cell, line 2: h[t] = α * h[t-1]\n"
            "                        ^\n"
            "  Names are made of the letters a–z, A–Z, digits and _.\n"
            "  Write alpha."
        ),
    ),
    "the Greek letter that is a Python word": (
        "h[t] = λ * h[t-1]",
        (
            "my.cell, line 1: h[t] = λ * h[t-1]\n"
            "                        ^\n"
            "  Names are made of the letters a–z, A–Z, digits and _.\n"
            "  Write lambda_."
        ),
    ),
    "a sign of typeset mathematics": (
        "h[t] = f[t] ∘ h[t-1]",
        (
            "my.cell, line 1: h[t] = f[t] ∘ h[t-1]\n"
            "                             ^\n"
            "  `∘` is not written in the language.\n"
            "  Write *."
        ),
    ),
    "a letter that Python would fold into another": (
        "h[t] = ℌ @ h[t-1]",
        (
            "my.cell, line 1: h[t] = ℌ @ h[t-1]\n"
            "                        ^\n"
            "  `ℌ` is not part of the language.\n"
            "  Use ASCII letters, digits and _."
        ),
    ),
    "a word of Python": (
        "h[t] = is * h[t-1]",
        (
            "my.cell, line 1: h[t] = is * h[t-1]\n"
            "                        ^^\n"
            "  `is` is a word of Python and cannot be a name here.\n"
            "  Call it is_ instead."
        ),
    ),
    "a call of Python": (
        'h[t] = tanh(__import__("os").system("id"))',
        (
            'my.cell, line 1: h[t] = tanh(__import__("os").system("id"))\n'
            "                             ^^^^^^^^^^\n"
            "  `__import__` is Python's own, and a cell is no program: nothing in its text is run.\n"
            "  Write equations, such as h[t] = tanh(W @ h[t-1] + U @ x[t])."
        ),
    ),
    "a look into the future": (
        "h[t] = tanh(W @ h[t+1])",
        (
            "my.cell, line 1: h[t] = tanh(W @ h[t+1])\n"
            "                                   ^^^\n"
            "  The index looks into the future; a step may use the present and the past only.\n"
            "  Write t or t-1; for the other direction run the cell over the reversed sequence."
        ),
    ),
    "a lag that is no whole number": (
        "h[t] = W @ h[t-1.5]",
        (
            "my.cell, line 1: h[t] = W @ h[t-1.5]\n"
            "                                ^^^\n"
            "  The lag must be a whole number; found 1.5.\n"
            "  Write e.g. h[t-1] or h[t-2]."
        ),
    ),
    "a lag without a value": (
        "option d = 2\nh[t] = W @ h[t-k] + V @ h[t-d]",
        (
            "my.cell, line 2: h[t] = W @ h[t-k] + V @ h[t-d]\n"
            "                                ^\n"
            "  k is not a lag: no option of this name was declared.\n"
            "  Write a whole number, or declare `option k = 2`."
        ),
    ),
    "an index that is no time": (
        "h[t] = W @ h[s]",
        (
            "my.cell, line 1: h[t] = W @ h[s]\n"
            "                              ^\n"
            "  A time index is t or t-d with a whole number d.\n"
            "  Write e.g. h[t-1]."
        ),
    ),
    "a target in the past": (
        "h[t-1] = W @ h[t-2]",
        (
            "my.cell, line 1: h[t-1] = W @ h[t-2]\n"
            "                 ^^^^^^\n"
            "  An equation defines the present step; the left side has another time index.\n"
            "  Write h[t] on the left and shift the indices on the right."
        ),
    ),
    "a target without an index": (
        "h = W @ h[t-1]",
        (
            "my.cell, line 1: h = W @ h[t-1]\n"
            "                 ^\n"
            "  The left side of an equation is a name with the index t.\n"
            "  Write h[t] = …"
        ),
    ),
    "a name defined twice": (
        "h[t] = W @ h[t-1]\n\nh[t] = U @ x[t]",
        (
            "my.cell, line 3: h[t] = U @ x[t]\n"
            "                 ^^^^\n"
            "  h is defined twice: first on line 1: h[t] = W @ h[t-1]\n"
            "  Give one of the two another name."
        ),
    ),
    "a cycle within one step": (
        "a[t] = tanh(b[t])\nb[t] = c[t] + h[t-1]\nc[t] = W @ a[t]\nh[t] = a[t]",
        (
            "my.cell, line 3: c[t] = W @ a[t]\n"
            "                            ^^^^\n"
            "  Within one step a[t] needs b[t] needs c[t] needs a[t] (lines 1, 2 and 3).\n"
            "  Use the previous step somewhere, e.g. a[t-1]."
        ),
    ),
    "a state that needs itself at once": (
        "h[t] = W @ h[t]",
        (
            "my.cell, line 1: h[t] = W @ h[t]\n"
            "                            ^^^^\n"
            "  Within one step h[t] needs h[t] (line 1).\n"
            "  Use the previous step somewhere, e.g. h[t-1]."
        ),
    ),
    "a state that needs itself at lag 0": (
        "h[t] = W @ h[t-0]",
        (
            "my.cell, line 1: h[t] = W @ h[t-0]\n"
            "                            ^^^^^^\n"
            "  Within one step h[t] needs h[t] (line 1).\n"
            "  Use the previous step somewhere, e.g. h[t-1]."
        ),
    ),
    "a number out of range in a const": (
        "const k = 1e400\nh[t] = k * h[t-1]",
        (
            "my.cell, line 1: const k = 1e400\n"
            "                           ^^^^^\n"
            "  The number is out of range: e400, and e-40 to e40 are read.\n"
            "  Take other units, or declare `const` with a name alone and give its value when the code is run."
        ),
    ),
    "a text that is no equation": (
        "h[t] = W @ h[t-1]\nhello world",
        (
            "my.cell, line 2: hello world\n"
            "                 ^^^^^^^^^^^\n"
            "  This line is no equation.\n"
            "  Write name[t] = expression."
        ),
    ),
    "two equals signs": (
        "h[t] = y[t] = W @ h[t-1]",
        (
            "my.cell, line 1: h[t] = y[t] = W @ h[t-1]\n"
            "                             ^\n"
            "  An equation has one `=`.\n"
            "  Write name[t] = expression."
        ),
    ),
    "a name with and without an index": (
        "h[t] = W @ h[t-1]\ny[t] = W[t] @ h[t]",
        (
            "my.cell, line 2: y[t] = W[t] @ h[t]\n"
            "                        ^^^^\n"
            "  W is used here with a time index, and without a time index on line 1: h[t] = W @ h[t-1]\n"
            "  Write W[t] everywhere if it changes with time, or W everywhere if it is a parameter."
        ),
    ),
    "a cell without a state": (
        "y[t] = W @ x[t]",
        (
            "my.cell, line 1: y[t] = W @ x[t]\n"
            "                 ^^^^\n"
            "  The cell has no state: nothing that it defines is used at an earlier step.\n"
            "  Use a defined quantity with a lag, e.g. y[t-1]."
        ),
    ),
    "a bracket that stays open": (
        "h[t] = tanh(W @ h[t-1]\ny[t] = h[t]",
        (
            "my.cell, line 1: h[t] = tanh(W @ h[t-1]\n"
            "                            ^\n"
            "  This `(` is never closed.\n"
            "  Add the `)` that belongs to it."
        ),
    ),
    "a bracket too many": (
        "h[t] = tanh(W @ h[t-1]))",
        (
            "my.cell, line 1: h[t] = tanh(W @ h[t-1]))\n"
            "                                        ^\n"
            "  This `)` closes nothing.\n"
            "  Remove it, or open a `(` before it."
        ),
    ),
    "two operands side by side": (
        "h[t] = W h[t-1]",
        (
            "my.cell, line 1: h[t] = W h[t-1]\n"
            "                          ^\n"
            "  Two operands stand side by side.\n"
            "  Write * or @ between them."
        ),
    ),
    "a missing operand": (
        "h[t] = W @",
        (
            "my.cell, line 1: h[t] = W @\n"
            "                          ^\n"
            "  An operand is missing after `@`.\n"
            "  Complete the expression."
        ),
    ),
    "a list": (
        "h[t] = W @ [h[t-1], x[t]]",
        (
            "my.cell, line 1: h[t] = W @ [h[t-1], x[t]]\n"
            "                            ^\n"
            "  An operand is missing between `@` and `[`.\n"
            "  Stack with concat(a, b)."
        ),
    ),
    "two arguments for one": (
        "h[t] = tanh(h[t-1], x[t])",
        (
            "my.cell, line 1: h[t] = tanh(h[t-1], x[t])\n"
            "                        ^^^^^^^^^^^^^^^^^^\n"
            "  tanh takes one argument; found 2.\n"
            "  Write tanh(x)."
        ),
    ),
    "a keyword argument": (
        "h[t] = tanh(x=3)",
        (
            "my.cell, line 1: h[t] = tanh(x=3)\n"
            "                              ^\n"
            "  An `=` stands within brackets.\n"
            "  Close the `(` before it, or remove it; arguments have no names."
        ),
    ),
    "a function without an argument": (
        "h[t] = tanh * h[t-1]",
        (
            "my.cell, line 1: h[t] = tanh * h[t-1]\n"
            "                        ^^^^\n"
            "  tanh is a function and needs an argument.\n"
            "  Write tanh(…)."
        ),
    ),
    "the time as a quantity": (
        "h[t] = t * h[t-1]",
        (
            "my.cell, line 1: h[t] = t * h[t-1]\n"
            "                        ^\n"
            "  t is the time index and no quantity.\n"
            "  Pass time as an input, e.g. tau[t]."
        ),
    ),
    "an unknown attribute": (
        "h[t] = W.t @ h[t-1]",
        (
            "my.cell, line 1: h[t] = W.t @ h[t-1]\n"
            "                        ^^^\n"
            "  .t is unknown.\n"
            "  The transpose is written .T."
        ),
    ),
    "a power that is no whole number": (
        "h[t] = h[t-1]**0.5",
        (
            "my.cell, line 1: h[t] = h[t-1]**0.5\n"
            "                              ^^\n"
            "  The exponent must be a whole number.\n"
            "  Write e.g. x**2; x**0.5 is sqrt(x), e**x is exp(x), and x**a is exp(a * log(x))."
        ),
    ),
    "a declaration of what is not there": (
        "const alfa = 1\nh[t] = alpha * h[t-1]",
        (
            "my.cell, line 1: const alfa = 1\n"
            "                       ^^^^\n"
            "  alfa is declared and never used. Did you mean alpha?\n"
            "  Correct the name, or remove the declaration."
        ),
    ),
    "a name declared twice": (
        "dim W = n, n\ndim W = n\nh[t] = W @ h[t-1]",
        (
            "my.cell, line 2: dim W = n\n"
            "                     ^\n"
            "  W is declared twice: first on line 1: dim W = n, n\n"
            "  Keep one of the two."
        ),
    ),
    "an initialisation of an input": (
        "init x = zeros\nh[t] = W @ h[t-1] + x[t]",
        (
            "my.cell, line 1: init x = zeros\n"
            "                      ^\n"
            "  x is no parameter but an input; only parameters are initialised.\n"
            "  Remove the declaration."
        ),
    ),
    "a constant with a time index": (
        "const a = 1\nh[t] = a[t] * h[t-1]",
        (
            "my.cell, line 2: h[t] = a[t] * h[t-1]\n"
            "                        ^^^^\n"
            "  a is a constant, declared on line 1: const a = 1\n"
            "  Write a without a time index, or rename one of the two."
        ),
    ),
    "a declaration out of form": (
        "dim h = n m\nh[t] = W @ h[t-1]",
        (
            "my.cell, line 1: dim h = n m\n"
            "                           ^\n"
            "  Expected the end of the line; found `m`.\n"
            "  Write `dim name = n` (a column), `dim name = n, m` (a matrix) or `dim name = 1` (a scalar)."
        ),
    ),
    "a continued line": (
        "h[t] = W @ \\\n  h[t-1]",
        (
            "my.cell, line 1: h[t] = W @ \\\n"
            "                            ^\n"
            "  A line is not continued by `\\`.\n"
            "  Open a bracket: it may span lines."
        ),
    ),
    "no text at all": (
        "",
        "my.cell holds no equation.\n  Write e.g. h[t] = tanh(W @ h[t-1] + U @ x[t]).",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_message_shows_the_place_and_the_remedy_of(case):
    text, message = CASES[case]
    with pytest.raises(LanguageError) as caught:
        read_cell(text, "my")
    assert str(caught.value) == message


def test_the_caret_counts_characters_after_letters_of_several_bytes_in_other_lines():
    with pytest.raises(LanguageError) as caught:
        read_cell("# ∂ℓ/∂W für ä\nh[t] = (W @ h[t-1]  # κ\n + foo(x[t]))", "my")
    place = caught.value.place
    assert (place.line, place.text[place.column : place.column + place.width]) == (3, "foo")


@pytest.mark.parametrize(
    ("name", "better"),
    [("_V", "V"), ("_", "a"), ("__1", "a1"), ("__import", "import_"), ("_class_", "class_")],
)
def test_a_name_that_starts_with_an_underscore_is_told_a_name_that_can_be_one(name, better):
    with pytest.raises(LanguageError, match=rf"Write {better}\.$"):
        read_cell(f"h[t] = {name} * h[t-1]", "my")
    assert read_cell(f"h[t] = {better} * h[t-1]", "my").parameters


@pytest.mark.parametrize(
    "text",
    [
        "h[t] = __import__('os').system('true') * h[t-1]",
        "h[t] = (lambda: 1)() * h[t-1]",
        "h[t] = [x for x in y] @ h[t-1]",
        "h[t] = h[t-1].__class__",
        "h[t] = (y := 3) * h[t-1]",
        "h[t] = h[t-1] if x else y",
        "h[t] = f'{h}' * h[t-1]",
        "h[t] = h[t-1] % 2",
        "h[t] = h[t-1] // 2",
        "h[t] = ~h[t-1]",
        "h[t] = h[t-1] << 2",
        "h[t] = h[t-1] == x[t]",
        "h[t] = ... @ h[t-1]",
        "h[t] = tanh(*h[t-1])",
        "h[t] = h[t-1][t]",
        "h[t] = h[t:1]",
        "h[t] = tanh(h[t-1])(x)",
        "h[t] = (tanh)(h[t-1])[t]",
        "h[t] = 3j * h[t-1]",
        "h[t] = 1_0 * h[t-1]",
        "h[t] = None * h[t-1]",
        "import os\nh[t] = W @ h[t-1]",
        "h[t] = W @ h[t-1]; y[t] = h[t]",
        "h[t], y[t] = W @ h[t-1]",
        "h[t] = tanh(W @ h[t-1]]",
        "h[t] = (W @ h[t-1)]",
        "h[t] += W @ h[t-1]",
        "h[t] = concat() @ h[t-1]",
        "h[t] = (h[t-1], x[t])",
        "h[t] = h[t-1] / 0",
        "h[t] = h[t-1] * 0**-1",
        "h[t] = 'h' * h[t-1]",
        "tanh[t] = W @ tanh[t-1]",
        "_h[t] = W @ _h[t-1]",
        "t[t] = W @ t[t-1]",
        "const = 3",
        "dim h = 0\nh[t] = W @ h[t-1]",
        "dim h = t\nh[t] = W @ h[t-1]",
        "dim W = 2, 3, 4\nh[t] = W @ h[t-1]",
        "const a = 1/0\nh[t] = a * h[t-1]",
        "option g = sum | tanh\nh[t] = g(h[t-1])",
        "option g = tanh\nh[t] = g * h[t-1]",
        "option d = 2\nh[t] = d * h[t-1]",
        "option d = 0\nh[t] = W @ h[t-d]",
        "init W = 'x'\nh[t] = W @ h[t-1]",
        "init W = magic\nh[t] = W @ h[t-1]",
        "h[t] = W @ h[t-1] \u2028 y[t] = h[t]",
        "h[t] = W @ h[t-1]\0",
        "h[t] = ｈ[t-1]",
    ],
)
def test_what_is_not_in_the_whitelist_is_refused_with_a_remedy(text):
    with pytest.raises(LanguageError) as caught:
        read_cell(text)
    assert caught.value.remedy
    assert caught.value.place is not None


def test_no_message_carries_control_characters_into_the_terminal():
    with pytest.raises(LanguageError) as caught:
        read_cell("h[t] = W @ h[t-1] \x1b[31m")
    assert "\x1b" not in str(caught.value)


def test_a_number_before_a_name_is_no_product():
    with pytest.raises(
        LanguageError, match=r"A number runs into a name\.\n  Write a \* between them"
    ):
        read_cell("h[t] = 2h[t-1]")


def test_a_bracket_is_closed_by_its_own_kind():
    with pytest.raises(LanguageError) as caught:
        read_cell("h[t] = (W @ h[t-1)]", "my")
    assert str(caught.value).splitlines()[1:3] == [
        " " * (len("my.cell, line 1: ") + 17) + "^",
        "  This `)` closes nothing.",
    ]


def test_a_long_cycle_is_named_by_its_ends():
    text = "\n".join(f"a{i}[t] = a{(i + 1) % 300}[t] + h[t-1]" for i in range(300))
    with pytest.raises(LanguageError) as caught:
        read_cell(text)
    assert caught.value.problem == (
        "Within one step a0[t] needs a1[t] needs a2[t] needs a3[t] needs … needs a299[t] needs a0[t] "
        "(lines 1, 2, 3, 4, … and 300)."
    )
