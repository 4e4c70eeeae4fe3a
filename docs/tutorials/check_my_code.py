# %% [markdown]
# # Verify my own NumPy code
#
# Somebody's backward pass, written by hand. Is it right?

# %%
import numpy as np

import throughtime


def states(params, x):
    h = [np.zeros((x.shape[1], params["W"].shape[0]))]
    for x_t in x:
        h.append(np.tanh(h[-1] @ params["W"].T + x_t @ params["U"].T + params["b"]))
    return h


def loss(params, x):
    return sum((0.5 * h**2).sum() for h in states(params, x)[1:])


def gradient(params, x):
    h = states(params, x)
    found = {name: np.zeros_like(value) for name, value in params.items()}
    later = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        a = (h[t + 1] + later) * (1 - h[t + 1] ** 2)
        found["W"] += a.T @ h[t]
        found["U"] += a.T @ x[t]
        found["b"] += a.sum(axis=0)
        later = a @ params["W"]
    return found


rng = np.random.default_rng(0)
params = {
    "W": 0.5 * rng.standard_normal((4, 4)),
    "U": rng.standard_normal((4, 3)),
    "b": rng.standard_normal(4),
}
x = rng.standard_normal((7, 2, 3))
verdict = throughtime.check(loss, gradient, params, x)
verdict

# %%
assert verdict

# %% [markdown]
# Now with a mistake that many have made: the transpose is missing on the way back.


# %%
def wrong(params, x):
    h = states(params, x)
    found = {name: np.zeros_like(value) for name, value in params.items()}
    later = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        a = (h[t + 1] + later) * (1 - h[t + 1] ** 2)
        found["W"] += a.T @ h[t]
        found["U"] += a.T @ x[t]
        found["b"] += a.sum(axis=0)
        later = a @ params["W"].T
    return found


mistaken = throughtime.check(loss, wrong, params, x)
mistaken

# %%
assert not mistaken
