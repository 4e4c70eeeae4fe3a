"""A report with everything in it that reports hold, and text that tries to break out of each place."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from reports.drawing import Edge, Node, draw_flow
from reports.figures import Picture, to_picture
from reports.markdown import anchor, code_span, equation, escape_markdown, table
from reports.notebook import Code, Figure, Section, Text, build

ROOT = Path(__file__).resolve().parents[2]

EVIL = (
    "</script></style></pre><script>window.hit=1</script><img src=x onerror=window.hit=1> "
    "$x$ `a|b` *b* _c_ [l](javascript:alert(1)) \\input{x} %$#&~^{} &lt; &#36; | 'q' \"q\""
)

BACKWARD = r"""\begin{aligned}
\bar{h}_t &\mathrel{+}= \frac{\partial \ell_t}{\partial h_t} \\
\bar{c}_t &\mathrel{+}= \bar{h}_t \odot o_t \odot \bigl(1 - \tanh^2(c_t)\bigr) \\
\bar{h}_{t-1} &= U_f^{\top} \delta^f_t + U_i^{\top} \delta^i_t
\end{aligned}"""
PRODUCT = (
    r"\frac{\partial s_T}{\partial s_k} = \prod_{t=k+1}^{T} \begin{pmatrix} \operatorname{diag}(f_t) & "
    + r" + ".join([r"\operatorname{diag}(c_{t-1} \odot f_t \odot (1-f_t))\, U_f"] * 4)
    + r" \\ 0 & 1 \end{pmatrix}"
)
FORMULAS = (BACKWARD, PRODUCT, r"\sigma'(z) = \sigma(z)(1 - \sigma(z))")

SOURCE = '''def backward(h_bar):
    """Gradients. </script>"""
    o_bar = h_bar * tanh_c  # (7), and (99) which is no equation; </script>
    return o_bar
'''


def lstm_flow() -> tuple[list[Node], list[Edge]]:
    """The data flow of an LSTM step."""
    nodes = [Node("c0", "$c_{t-1}$", "state_in"), Node("h0", "$h_{t-1}$", "state_in")]
    nodes += [Node("x", "$x_t$", "input"), *(Node(gate, f"${gate}_t$") for gate in "figo")]
    nodes += [Node("c", "$c_t$", "state_out"), Node("h", "$h_t$", "state_out")]
    edges = [Edge(source, gate) for gate in "figo" for source in ("h0", "x")]
    edges += [Edge(source, "c") for source in ("c0", "f", "i", "g")]
    return nodes, [*edges, Edge("c", "h"), Edge("o", "h")]


@cache
def picture() -> Picture:
    """The drawing of that flow."""
    return to_picture(draw_flow(*lstm_flow()))


def report() -> NotebookNode:
    """The notebook."""
    verdicts = table(
        ["check", "equation", "norm", "verdict"],
        [
            [f"{anchor('check-vjp')}dot product ⟨v̄, v̇⟩", "[(7)](#eq-7)", r"$\|x\| < 1$", "✓ holds"],
            [code_span("a|b"), "", "", "✗ failed"],
        ],
    )
    equations = f"## The equations $h_t$\n\nwhere\n\n{equation(BACKWARD, 7)}\n\n[line 3](#code-L3), [check](#check-vjp)"
    caption = f"**Figure 1.** {escape_markdown(EVIL)} and $h_t$."
    sections = [
        Section(
            "intro",
            [
                Text(
                    f"{escape_markdown(EVIL)}\n\n{code_span(EVIL)}\n\n{EVIL}\n\n- one\n- two $x_t$\n"
                )
            ],
        ),
        Section("equations", [Text(equations), Text(f"### Product\n\n{equation(PRODUCT, '8a')}")]),
        Section(
            "code",
            [
                Text("## Code"),
                Code(SOURCE, EVIL, anchor="code"),
                Code("x = 1", language="nonsense"),
            ],
        ),
        Section("checks", [Text(f"## Checks\n\n{verdicts}")]),
        Section("flow", [Figure(picture(), caption, EVIL, "fig-flow")]),
    ]
    return build(f"LSTM {EVIL}", sections)


def run_with_hash_seed(program: str, seed: int) -> str:
    """What a program prints in a process of its own under this PYTHONHASHSEED."""
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(seed),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode()
