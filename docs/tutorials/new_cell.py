# %% [markdown]
# # A new cell, from idea to appendix
#
# The idea: an Elman network whose state forgets at a rate that it chooses for itself.

# %%
import throughtime

idea = """
# Self-paced unit
r[t] = sigmoid(V @ h[t-1] + P @ x[t] + c)
h[t] = r[t] * h[t-1] + (1 - r[t]) * tanh(W @ h[t-1] + U @ x[t] + b)
"""
cell = throughtime.read(idea, "self_paced")
cell

# %% [markdown]
# States, inputs, parameters and every shape were inferred. The gradients through time, for all sizes and lengths:

# %%
cell.derive()

# %% [markdown]
# For a reader who writes gradients by a column as rows:

# %%
print("\n".join(cell.derive().text("numerator").splitlines()[:12]))

# %% [markdown]
# The code, and everything that was checked before it may be called verified.

# %%
code = cell.generate()
print("\n".join(code.source.splitlines()[:12]))

# %%
verification = cell.verify()
verification

# %% [markdown]
# Written to a file, it needs nothing but NumPy. One step of gradient descent on a squared error:

# %%
import numpy as np

code.write("self_paced.py", force=True)
import self_paced

rng = np.random.default_rng(0)
params = self_paced.init_params(n=4, m=3, seed=0)
x, wanted = rng.standard_normal((6, 2, 3)), 0.5 * rng.standard_normal((6, 2, 4))


def loss(outputs):
    gap = outputs["h"] - wanted
    return 0.5 * (gap**2).sum(), {"h": gap}


before, (gradients, _, _) = self_paced.value_and_grad(loss, params, x)
stepped = {name: value - 0.05 * gradients[name] for name, value in params.items()}
after, _ = self_paced.value_and_grad(loss, stepped, x)
print(f"{before:.4f} → {after:.4f}")
assert after < before

# %% [markdown]
# The appendix: `throughtime derive self_paced.cell --format tex -o appendix.tex` writes a section that compiles. Its
# first equations:

# %%
print(cell.derive().latex()[:600])
