"""What training needs around a gradient: clipping, windows of a series, two optimisers, and the loop.

The generator copies these functions into a file on request, so that the file trains with NumPy alone. They take
parameters and gradients as dicts of arrays by name and change nothing that they are given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

import numpy as np

Array = np.ndarray
Arrays = dict[str, Array]


def global_norm(gradients: Arrays) -> float:
    """‖g‖, over all entries of all gradients, divided by the largest: squares overflow long before norms do."""
    largest = max((float(np.max(np.abs(g), initial=0.0)) for g in gradients.values()), default=0.0)
    if not 0.0 < largest < np.inf:
        return largest
    squares = [float(np.sum(np.square(g / largest))) for g in gradients.values()]
    return largest * float(np.sqrt(sum(squares)))


def clip_by_norm(gradients: Arrays, limit: float) -> Arrays:
    """g ← g · limit / ‖g‖ if ‖g‖ > limit (Pascanu, Mikolov and Bengio, 2013, algorithm 1).

    Raises:
        TypeError: the gradients are no dict of arrays of real numbers.
        ValueError: the limit is no number or negative, or the gradients or their norm are not finite: then no factor
            brings it to the limit.
    """
    real_arrays("gradients", gradients)
    all_finite("gradients", gradients)
    in_range("limit", limit)
    norm = global_norm(gradients)
    if norm == np.inf:
        raise ValueError("the gradients' norm is beyond the largest number: expected a finite one")
    scale = limit / norm if norm > limit else 1.0
    return {name: (g * scale).astype(g.dtype) for name, g in gradients.items()}


def clip_by_value(gradients: Arrays, limit: float) -> Arrays:
    """Every entry brought into [−limit, limit].

    Raises:
        TypeError: the gradients are no dict of arrays of real numbers.
        ValueError: the limit is no number or negative, or the gradients are not finite.
    """
    real_arrays("gradients", gradients)
    all_finite("gradients", gradients)
    in_range("limit", limit)
    return {name: np.clip(g, -limit, limit).astype(g.dtype) for name, g in gradients.items()}


def windows(series: Array, length: int, ahead: int = 1) -> tuple[Array, Array]:
    """All overlapping windows of a series (N, …), and what comes ``ahead`` steps after each.

    Returns (length, N − length − ahead + 1, …) and (N − length − ahead + 1, …): steps first, as forward takes them.
    """
    if not all(isinstance(k, int | np.integer) for k in (length, ahead)):
        raise TypeError(f"length is {length!r} and ahead is {ahead!r}: expected whole numbers")
    count = len(series) - length - ahead + 1
    if length < 1 or ahead < 1 or count < 1:
        raise ValueError(
            f"a series of {len(series)} values has no window of {length} with {ahead} ahead: "
            "expected 1 <= length, 1 <= ahead, length + ahead <= the number of values"
        )
    steps = np.stack([series[i : i + count] for i in range(length)])
    return steps, series[length + ahead - 1 :][:count]


def real_arrays(what: str, arrays: Arrays) -> None:
    """Refuse what is no dict of arrays of real numbers: whole ones would be cut off.

    Raises:
        TypeError: it is none, as all that value_and_grad returns beside the loss.
    """
    if not hasattr(arrays, "keys"):
        raise TypeError(
            f"{what} are a {type(arrays).__name__}: expected a dict of arrays by parameter, "
            "as init_params and, first of its gradients, value_and_grad return it"
        )
    for name, value in arrays.items():
        dtype = getattr(value, "dtype", None)
        if dtype is None or dtype.kind != "f":
            found = dtype or type(value).__name__
            raise TypeError(f"{what}[{name!r}] is {found}: expected an array of float32 or float64")


def all_finite(what: str, arrays: Arrays) -> None:
    """Refuse arrays with numbers that are not finite; a sum of squares below infinity shows at once that all are.

    Raises:
        ValueError: names the first that has some.
    """
    for name, a in arrays.items():
        if not (np.vdot(a, a) < np.inf or np.isfinite(a).all()):
            raise ValueError(
                f"{what}[{name!r}] holds numbers that are not finite: expected finite ones"
            )


def in_range(name: str, value: float, below: float | None = None) -> None:
    """Refuse what is no number, below 0, or not below a bound.

    Raises:
        ValueError: says what was found and expected.
    """
    number = isinstance(value, float | int | np.number)
    if not (number and value >= 0.0 and (below is None or value < below)):
        bound = "" if below is None else f" < {below}"
        raise ValueError(f"{name} is {value!r}: expected a number with 0 <= {name}{bound}")


def remembered(memory: Arrays, name: str, like: Array) -> Array:
    """What a memory holds by this name, zeros at first.

    Raises:
        ValueError: it has another shape, as the memory of other parameters may have.
    """
    found = memory.get(name, np.zeros_like(like))
    if np.shape(found) != like.shape:
        raise ValueError(
            f"memory[{name!r}] has shape {np.shape(found)}: expected {like.shape}; "
            "give every run of an update a memory of its own, {} at first"
        )
    return found


def matched(params: Arrays, gradients: Arrays) -> None:
    """Refuse gradients that are not one for every parameter, of its shape.

    Raises:
        TypeError: they are no dict of arrays of real numbers.
        ValueError: a name or a shape is wrong.
    """
    real_arrays("gradients", gradients)
    real_arrays("params", params)
    if gradients.keys() != params.keys():
        wrong = ", ".join(sorted(params.keys() ^ gradients.keys()))
        raise ValueError(f"gradients lack or do not know {wrong}: expected {', '.join(params)}")
    for name, value in params.items():
        found, shape = np.shape(gradients[name]), np.shape(value)
        if found != shape:
            raise ValueError(f"gradients[{name!r}] has shape {found}: expected {shape}")


def sgd(
    params: Arrays, gradients: Arrays, memory: Arrays, rate: float, momentum: float = 0.0
) -> Arrays:
    """θ ← θ − rate · v with v ← momentum · v + g; ``memory`` holds v between calls. The gradients must be finite."""
    matched(params, gradients)
    all_finite("gradients", gradients)
    in_range("rate", rate, np.inf)
    in_range("momentum", momentum, np.inf)
    before = {name: remembered(memory, name, g) for name, g in gradients.items()}
    memory.update({name: momentum * before[name] + g for name, g in gradients.items()})
    return {
        name: (value - rate * memory[name]).astype(value.dtype) for name, value in params.items()
    }


def adam(
    params: Arrays,
    gradients: Arrays,
    memory: Arrays,
    rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Arrays:
    """Adam (Kingma and Ba, 2015, algorithm 1); ``memory`` holds its moments and the step count between calls.

    The gradients must be finite; 0 <= b1 < 1, 0 <= b2 < 1.
    """
    matched(params, gradients)
    all_finite("gradients", gradients)
    for what, value, below in (
        ("rate", rate, np.inf), ("b1", b1, 1.0), ("b2", b2, 1.0), ("eps", eps, np.inf),
    ):  # fmt: skip
        in_range(what, value, below)
    count = int(memory.get("step count", np.zeros(()))) + 1
    after, moved = {"step count": np.asarray(count)}, {}
    for name, g in gradients.items():
        first, second = f"first moment of {name}", f"second moment of {name}"
        after[first] = b1 * remembered(memory, first, g) + (1.0 - b1) * g
        after[second] = b2 * remembered(memory, second, g) + (1.0 - b2) * np.square(g)
        m, v = after[first] / (1.0 - b1**count), after[second] / (1.0 - b2**count)
        moved[name] = (params[name] - rate * m / (np.sqrt(v) + eps)).astype(params[name].dtype)
    memory.update(after)
    return moved


def train(
    params: Arrays,
    value_and_gradient: Callable[..., tuple[float, Arrays]],
    batches: Iterable,
    *,
    rate: float = 1e-2,
    clip: float | None = None,
    update: Callable[..., Arrays] = adam,
    each: Callable[[int, float, Arrays, Arrays], None] | None = None,
    memory: Arrays | None = None,
) -> Arrays:
    """Parameters after one step on every batch.

    ``value_and_gradient(params, batch)`` returns the loss and its gradients by the parameters; ``clip`` bounds the
    gradients' norm; ``each(step, loss, params, gradients)`` is called before every step. ``memory`` is the update's:
    a dict handed to one run and then to the next, which so goes on where the first ended.
    """
    memory = {} if memory is None else memory
    for step, batch in enumerate(batches):
        loss, gradients = value_and_gradient(params, batch)
        matched(params, gradients)
        if each is not None:
            each(step, loss, params, gradients)
        gradients = gradients if clip is None else clip_by_norm(gradients, clip)
        params = update(params, gradients, memory, rate)
    return params


NAMES = (
    "global_norm", "clip_by_norm", "clip_by_value", "windows", "real_arrays", "all_finite", "in_range", "remembered",
    "matched", "sgd", "adam", "train",
)  # fmt: skip


def with_training(source: str) -> str:
    """A generated file with these functions behind its own, so that it trains with NumPy alone.

    Args:
        source: what the generator wrote, of a cell or a network.
    """
    head = "import numpy as np\n"
    imports = "from collections.abc import Callable, Iterable\n\n"
    functions = [inspect.getsource(globals()[name]).rstrip() for name in NAMES]
    return "\n\n\n".join([source.replace(head, imports + head, 1).rstrip(), *functions]) + "\n"
