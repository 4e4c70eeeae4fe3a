"""What the examples share: a model's verified file as a module, training that tells how it goes, and a figure."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from numeric.training import with_training
from throughtime.model import Model
from throughtime.network_model import NetworkModel

Array = np.ndarray
Arrays = dict[str, Array]
FOLDER = Path("build", "examples")
TOLD = 10  # how often a training tells of itself


@dataclass(frozen=True)
class Batch:
    """What a network's file is called with.

    Args:
        inputs: in the order of its arguments.
        keywords: the lengths, if samples differ in theirs.
        count: what the loss is summed over, so that loss / count is a mean.
    """

    inputs: tuple[Array, ...]
    count: float
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def forward(self, module: ModuleType, params: Arrays) -> Arrays:
        """The outputs on this batch."""
        return module.forward(params, *self.inputs, **self.keywords)[0]


def module_of(
    model: Model | NetworkModel, name: str, folder: Path, *, checked: bool = True
) -> ModuleType:
    """The generated file of a model with the training loop in it, checked, written and imported.

    Args:
        model: of a cell or a network.
        name: of the file, without its ending.
        folder: where it goes; made if it is missing.
        checked: whether the checks run before the file is written; a file that fails them is not used.
    """
    source = with_training(model.generate().source)
    if checked:
        print(f"{name}: verifying the generated code", file=sys.stderr)
        source = model.certified(source).source
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mean_gradient(module: ModuleType) -> Callable[[Arrays, Batch], tuple[float, Arrays]]:
    """The mean loss of a network's file on a batch, and its gradients by the parameters."""

    def gradient(params: Arrays, batch: Batch) -> tuple[float, Arrays]:
        total, (by_params, _, _) = module.value_and_grad(params, *batch.inputs, **batch.keywords)
        return float(total) / batch.count, {k: g / batch.count for k, g in by_params.items()}

    return gradient


def learn(
    module: ModuleType,
    params: Arrays,
    batches: Iterable,
    steps: int,
    *,
    gradient: Callable[..., tuple[float, Arrays]] | None = None,
    rate: float = 0.01,
    clip: float = 1.0,
) -> tuple[Arrays, list[float]]:
    """Parameters after one step of Adam on every batch, and the losses; every tenth of the way is told.

    Args:
        module: from ``module_of``.
        params: where it starts.
        batches: as many as steps.
        steps: how many.
        gradient: from parameters and batch to the loss and its gradients; ``mean_gradient`` if left out.
        rate: of Adam.
        clip: the largest norm of the gradient.
    """
    losses: list[float] = []
    begun = time.monotonic()

    def tell(step: int, loss: float, *_: object) -> None:
        losses.append(loss)
        if step % max(1, steps // TOLD) == 0 or step == steps - 1:
            spent = time.monotonic() - begun
            print(f"    step {step:5d}  loss {loss:.4f}  {spent:5.1f} s", file=sys.stderr)

    trained = module.train(
        params, gradient or mean_gradient(module), batches, rate=rate, clip=clip, each=tell
    )
    return trained, losses


def draw(
    name: str,
    folder: Path,
    losses: Mapping[str, list[float]],
    baselines: Mapping[str, float],
    ylabel: str,
) -> None:
    """``FOLDER/NAME.svg``: the losses during training, and those of the baselines as level lines.

    Args:
        name: of the example.
        folder: where it goes.
        losses: by name of what was trained.
        baselines: by name.
        ylabel: what the ordinate means.
    """
    from reports.figures import Series, line_figure, to_picture

    longest = max(map(len, losses.values()))
    series = [Series(k, *smoothed(v)) for k, v in losses.items()]
    series += [Series(k, [0, longest - 1], [v, v]) for k, v in baselines.items()]
    picture = to_picture(line_figure(series, xlabel="step", ylabel=ylabel))
    path = folder / f"{name}.svg"
    path.write_text(picture.svg, encoding="utf-8")
    print(f"figure: {path}", file=sys.stderr)


def smoothed(values: list[float]) -> tuple[list[float], list[float]]:
    """Steps, and means over a fiftieth of them: a loss on single batches is too rough to be read."""
    width = max(1, len(values) // 50)
    starts = range(0, len(values) - width + 1, width)
    return [i + (width - 1) / 2 for i in starts], [
        float(np.mean(values[i : i + width])) for i in starts
    ]


def table(head: str, rows: Mapping[str, str]) -> None:
    """A line for each row on standard output."""
    width = max(map(len, rows))
    print(head)
    for name, told in rows.items():
        print(f"  {name:<{width}}  {told}")


def run(main: Callable[..., object]) -> None:
    """``python -m examples.NAME [STEPS]``"""
    given = sys.argv[1:]
    if len(given) > 1 or not all(word.isdigit() and int(word) > 0 for word in given):
        raise SystemExit(
            f"usage: python -m examples.{Path(sys.argv[0]).stem} [STEPS]; STEPS is a whole number, 1 or more"
        )
    main(*map(int, given))
