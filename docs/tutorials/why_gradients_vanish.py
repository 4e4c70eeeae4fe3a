# %% [markdown]
# # Why gradients vanish
#
# The gradient that reaches step $T-k$ from step $T$ is a product of $k$ Jacobians of the state,
# $\partial s_T / \partial s_{T-k} = J_T J_{T-1} \cdots J_{T-k+1}$. For an Elman network
# $J_t = \mathrm{diag}(1-h_t^2)\,W$:

# %%
import throughtime

elman = throughtime.load("elman")
elman

# %%
elman.study(T=300, n=16, m=8)

# %% [markdown]
# Larger weights do not cure it: between a gradient that vanishes and one that explodes there is only an edge.

# %%
for gain in (0.5, 1.0, 2.0, 4.0):
    print(gain, elman.study(T=300, n=16, m=8, gain=gain))

# %% [markdown]
# A linear recurrence has nothing to saturate, and its rate is the logarithm of the spectral radius:

# %%
import numpy as np

linear = throughtime.load("elman:g=identity")
rng = np.random.default_rng(1)
W = rng.standard_normal((6, 6)) / np.sqrt(6)
weights = {"W": W, "U": rng.standard_normal((6, 3)), "b": np.zeros(6)}
measured = linear.study(T=2000, weights=weights).flow.growth.rate
expected = np.log(np.abs(np.linalg.eigvals(W)).max())
print(f"measured {measured:.4f}, log of the spectral radius {expected:.4f}")
assert abs(measured - expected) < 0.01

# %% [markdown]
# An LSTM has a path on which the gradient meets nothing but the forget gate, which starts at σ(1) ≈ 0.73:

# %%
throughtime.load("lstm").study(T=300, n=16, m=8)

# %% [markdown]
# A forget gate that starts near one makes that path longer. Here its bias starts at 5:

# %%
open_gate = throughtime.load("lstm", init={"b_f": "5"})
open_gate.study(T=300, n=16, m=8)
