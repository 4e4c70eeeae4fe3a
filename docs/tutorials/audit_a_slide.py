# %% [markdown]
# # Audit a slide
#
# A slide says that the gradient of a recurrent network's weights is
# $\sum_t \frac{\partial L}{\partial h_t} h_{t-1}^\top$. Is it?

# %%
import throughtime

slide = throughtime.judge("elman:g=tanh", "dL/dW", "sum(t, dL/dh[t] @ h[t-1].T)")
slide

# %% [markdown]
# The court does not sample floating-point numbers: it decides the formula as an identity modulo a prime, and states the
# probability of a wrong verdict. The formula as it should stand:

# %%
throughtime.judge("elman", "dL/dW", "sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)")

# %% [markdown]
# Notation differs from book to book. Is the product of Jacobians the right way round?

# %%
throughtime.judge("elman", "dh[t]/dh[t-1]", "diag(1 - h[t]**2) @ W")

# %%
throughtime.judge("elman", "dh[t]/dh[t-1]", "W @ diag(1 - h[t]**2)")

# %% [markdown]
# A whole lecture goes into a file of claims: `throughtime audit deck_002 -o verdicts.html`.
