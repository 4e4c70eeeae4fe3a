"""The commands ``derive`` and ``generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from derive.errors import ArgumentError, NotVerifiedError
from throughtime.cli_common import (
    EPILOG,
    exit_code,
    load,
    refuse_existing,
    verdict,
    write,
    write_all,
)
from throughtime.cli_tune import Wish, tuning_options
from throughtime.console import Outcome, common
from throughtime.limits import limited
from throughtime.progress import Progress

if TYPE_CHECKING:
    from derive.chapter import Chapter
    from derive.derivation import Derivation
    from derive.network_derivation import NetworkDerivation
    from proofs.layouts import LayoutVerdict
    from throughtime.model import Model
    from throughtime.network_model import NetworkModel


class _Truncation(click.ParamType):
    """Two whole numbers with a comma between, 1 <= K1 <= K2."""

    name = "K1,K2"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Split the two and refuse what is no truncation."""
        k1, _, k2 = value.partition(",")
        if not all(k.strip().isascii() and k.strip().isdecimal() and len(k) < 9 for k in (k1, k2)):
            limits = "two whole numbers of at most 10,000,000, K1,K2 such as 20,40"
            self.fail(f"{value!r} is no truncation; write {limits}.", param, ctx)
        return int(k1), int(k2)


TRUNCATION = _Truncation()


@click.command(epilog=EPILOG)
@click.argument("cell")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "tex"]),
    default="text",
    help="For the terminal, or LaTeX.",
    show_default=True,
)
@click.option(
    "--layout",
    type=click.Choice(["house", "denominator", "numerator", "row"]),
    default="house",
    help="Gradients like their quantity and Jacobians with outputs as rows (house) or as columns "
    "(denominator); gradients by columns as rows (numerator); or all vectors as rows (row).",
    show_default=True,
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write here instead of standard output.",
)
@click.option(
    "--truncate",
    type=TRUNCATION,
    metavar="K1,K2",
    help="Show truncated backpropagation too: every K1 steps, K2 steps back.",
)
@click.option(
    "--rtrl",
    is_flag=True,
    help="Show real-time recurrent learning too: the gradient forward in time.",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@common
@click.pass_obj
@limited()
def derive(
    say: Progress, cell: str, form: str, layout: str, output: Path | None, force: bool,
    truncate: tuple[int, int] | None, rtrl: bool,
) -> Outcome:  # fmt: skip
    """Show the backward equations of CELL, step by step."""
    refuse_existing(output, force=force)
    if output and form == "tex":
        refuse_existing(output.with_suffix(".bib"), force=force)
    model = load(cell, say)
    say(f"deriving {model.name}")
    derivation = model.derive()
    chapters = _chapters(derivation, truncate, rtrl=rtrl)
    text, bibliography = _page(derivation, form, layout, chapters, output)
    data = {"cell": model.name, "file": output, "derivation": derivation.to_dict(layout)}
    if layout != "house":
        proved = _proved_layout(model, layout, say)
        data["layout"] = {"name": layout, "proved": True, "proofs": [v.to_dict() for v in proved]}
        mark = "% " if form == "tex" else ""
        text += "\n" + "\n".join(f"{mark}{v}" for v in proved) + "\n"
    if chapters:
        data["chapters"] = [chapter.to_dict() for chapter in chapters]
    if output is None:
        return Outcome(data, text)
    files = {output.name: text} | ({f"{output.stem}.bib": bibliography} if bibliography else {})
    write_all(output.parent, files, force=force)
    return Outcome(data, "\n".join(str(output.parent / name) for name in files))


def _page(
    derivation: Derivation | NetworkDerivation, form: str, layout: str, chapters: list[Chapter],
    output: Path | None,
) -> tuple[str, str]:  # fmt: skip
    """The derivation as it is shown, and what belongs into a .bib file beside it."""
    if form == "text":
        quantities = [derivation.quantities_text()] if layout == "house" else []
        return "\n".join([*quantities, derivation.text(layout), *(c.text() for c in chapters)]), ""
    from reports.appendix import appendix

    found = appendix(derivation, output.stem if output else "", layout=layout, chapters=chapters)
    return (found.section, found.bibliography) if output else (str(found), "")


def _proved_layout(
    model: Model | NetworkModel, layout: str, say: Progress
) -> tuple[LayoutVerdict, ...]:
    """That the derivation in another layout is the house's, or an error that says where it is not."""
    say(f"proving the {layout} layout equal to the house's")
    found = model.prove_layout(layout)
    wrong = [line for verdict in found for line in verdict.wrong]
    if wrong or not all(verdict.ok for verdict in found):
        raise NotVerifiedError(
            "\n".join([f"The {layout} layout of {model.name} is not the house layout's.", *wrong]),
            "This is our bug: please report it. The house layout stands.",
        )
    return found


@click.command(epilog=EPILOG)
@click.argument("cell")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F.py",
    help="Write here instead of standard output.",
)
@click.option(
    "--unverified",
    is_flag=True,
    help="If a check fails, write F.unverified.py all the same (the exit code stays 3).",
)
@click.option(
    "--training",
    is_flag=True,
    help="Bring along clipping, windows of a series, SGD, Adam and a training loop.",
)
@click.option(
    "--init",
    "starts",
    multiple=True,
    metavar="NAME=HOW",
    help="How a parameter starts: W=orthogonal, b_f=chrono(100), b_i=-b_f; may be given again.",
)
@click.option(
    "--truncate",
    type=TRUNCATION,
    metavar="K1,K2",
    help="Bring along truncated gradients: every K1 steps, K2 steps back.",
)
@click.option(
    "--checkpoint", is_flag=True, help="Bring along gradients that need O(√T) memory, not O(T)."
)
@click.option(
    "--scan",
    is_flag=True,
    help="Compute all steps together, where the recurrence is linear in its state.",
)
@click.option(
    "--rtrl",
    is_flag=True,
    help="Bring along real-time recurrent learning: gradients forward in time, for small cells.",
)
@click.option(
    "--backend",
    type=click.Choice(["numpy", "numba", "array-api"]),
    default="numpy",
    help="Write for NumPy; with loops that Numba compiles; or for any array namespace: torch, JAX, CuPy.",
    show_default=True,
)
@click.option(
    "--threads",
    is_flag=True,
    help="Bring along a Team of threads that share out the samples, with --backend numba.",
)
@click.option(
    "--optimize",
    type=click.Choice(["readable", "speed", "size"]),
    default="readable",
    help="In the order of the textbook; over a workspace in the order that takes least time; or with only states "
    "and outputs kept for all steps, everything else computed again.",
    show_default=True,
)
@tuning_options
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@common
@click.pass_obj
@limited()
def generate(
    say: Progress, cell: str, output: Path | None, unverified: bool, training: bool,
    starts: tuple[str, ...], force: bool, truncate: tuple[int, int] | None, checkpoint: bool, scan: bool,
    rtrl: bool, backend: str, threads: bool, optimize: str, wish: Wish,
) -> Outcome:  # fmt: skip
    """Write NumPy code for CELL, if every check of it holds."""
    if output is not None and output.suffix != ".py":
        raise ArgumentError(f"{output} is not a Python file's name.", f"Name it {output.stem}.py.")
    refuse_existing(output, force=force)
    wish.refuse(optimize, backend)
    if training and backend == "array-api":
        raise ArgumentError(
            "What --training brings along is written for NumPy's arrays alone.",
            "Leave it out: torch.optim and optax take the gradients of a file for any array namespace.",
        )
    model = load(cell, say, starts)
    say(f"generating {model.name}")
    wanted = {
        "truncation": truncate, "checkpoint": checkpoint, "scan": scan, "real_time": rtrl,
        "threads": threads,
        "portable": backend == "array-api", "optimize": optimize * (optimize != "readable"),
        "backend": backend * (backend == "numba"),
    }  # fmt: skip
    source = model.generate(**{name: value for name, value in wanted.items() if value}).source
    source, tuning = wish.granted(model, source, say)
    if training:
        from numeric.training import with_training

        source = with_training(source)
    verification = model.verify(source, on_progress=say)
    if verification.ok:
        source = model.certified(source).source
    target = output
    if output is not None and not verification.ok:
        target = output.with_suffix(".unverified.py") if unverified else None
    if target is not None:
        write(target, source, force=force)
    shown = source if output is None and (verification.ok or unverified) else None
    data = {
        "cell": model.name,
        "verified": verification.ok,
        "file": target,
        "source": shown,
        "verification": verification.to_dict(),
    } | ({"tuning": tuning} if tuning else {})
    note = ""
    if not verification.ok:
        fate = f"Written as {target}." if target else "Nothing was written."
        note = f"{verification.table()}\n{verdict(verification)}\n" + fate * (shown is None)
    return Outcome(data, shown or str(target or ""), exit_code(verification), note)


def _chapters(
    derivation: Derivation | NetworkDerivation, truncation: tuple[int, int] | None, *, rtrl: bool
) -> list[Chapter]:
    """What is asked for behind the backward equations."""
    if truncation is None and not rtrl:
        return []
    from derive.chapters import influences, truncations

    cut = [] if truncation is None else truncations(derivation, truncation)
    return [*cut, *(influences(derivation) if rtrl else [])]
