"""The words of the claim language."""

from __future__ import annotations

MAX_DEPTH = 40
MAX_STEP = 6
MAX_RUNNING = 5
"""Sums and products within one another: each multiplies the work by the number of steps."""
ELEMENTWISE = (
    "tanh", "sigmoid", "relu", "softplus", "exp", "log", "sin", "cos", "sqrt", "abs", "step", "sign", "identity",
)  # fmt: skip
FUNCTIONS = {
    **dict.fromkeys(
        (
            *ELEMENTWISE,
            "softmax",
            "diag",
            "total",
            "trace",
            "slope",
            "norm",
            "sigma_max",
            "sigma_min",
        ),
        1,
    ),
    **dict.fromkeys(("eye", "ones", "zeros", "spectral_radius"), 1),
    "concat": 2,
    "sandwich": 2,
    "outer": 2,
}
ALIASES = {"σ": "sigmoid", "σ_max": "sigma_max", "σ_min": "sigma_min", "phi": "tanh"}
DERIVATIVES = {"local": "local", "immediate": "immediate", "partial": "open", "derivative": "total"}
RESERVED = (*FUNCTIONS, *DERIVATIVES, "sum", "product", "descending", "within", "T")
