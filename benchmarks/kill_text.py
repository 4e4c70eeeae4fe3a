"""What the page of the kill table says besides its numbers."""

from __future__ import annotations

HEAD = """# Who notices a wrong gradient?

The cells and networks named below are broken on purpose, one mistake at a time: in the adjoint rules, in the
equations of the derivation, and in the generated source (of networks in the source alone). A mutant is killed when a
check refuses it. The numbers are killed / asked. throughtime's checks are those of `throughtime verify --mutants`.

    make kill-table

writes this page again. Everything in it is deterministic: the mutants, the sizes, the seeds.

![Wrong code accepted, by setting](images/kill-table.svg)
"""

BLIND = """An Elman network with one line wrong. At these weights the wrong gradient equals the right one, or nearly,
so whoever looks at them alone must accept it. `throughtime.check` has the same loss and gradient, and looks at
other weights too; `throughtime verify` draws sizes, weights and lengths of its own. (For one unit the code is right:
no check of a loss and its gradient can tell, unless it changes n.)
"""

EVERY = """All mutants of some cells, in every setting, throughtime being `throughtime verify`:
"""

GROWTH = """An Elman network with n = 32, weights gain · N(0, 1/n), no input, only the last step's output. Differences
over the whole sequence mean nothing here. The right gradient must be accepted and the wrong one refused.
"""

HOW = """
## How throughtime was asked

A broken derivation is judged modulo a prime, line by line, and as the code generated from it; broken code by its
values and gradients at every step against complex steps of the equations, at sizes that all differ, over 4 and
over 40 steps, in single precision, step by step, and with large inputs. A mutant counts as equivalent only if it
is proved to be: a derivation by the same polynomials modulo a prime, code by running both files on residues modulo
2^521 − 1 with elementwise functions unknown, where nothing rounds, the chance of an error stated below.

## How the others were asked

The two passes of the generated (and then broken) module are one operation of the framework: a
`torch.autograd.Function`, a `jax.custom_vjp`. Every parameter, every input and every initial value is a
differentiable argument, and every output at every step and every final value is compared, in double precision.
An exception counts as noticing. What `np.empty` returns is not a number, for the others as for us, so that no
verdict hangs on what the memory held before. Mutants of `step`, `value_and_grad` and `init_state` are no
gradients and were not put to the others; a broken derivation was put to them as the code generated from it, if
that code is wrong too. Code that two mutants share was asked about once.

| setting | what it is |
|---|---|
| usual | the cell's own initial weights, n = 3, other sizes 2, T = 4, B = 2, initial state zero, random inputs |
| n = 1 | every size 1, T = 3, B = 1 |
| W symmetric | square weights symmetric, n = 2, T = 3, B = 1 |
| W diagonal | square weights diagonal, n = 2, T = 3, B = 1 |
| small weights | weights times 0.02, n = 2, T = 8, B = 1, only the last step's outputs |

- **gradcheck**: `torch.autograd.gradcheck(f, inputs)`, its defaults (eps 1e-6, atol 1e-5, rtol 1e-3).
- **check_grads**: `jax.test_util.check_grads(f, args, order=1, modes=["rev"])` with 64-bit numbers switched on;
  it looks along one random direction.
- **central differences**: eps 1e-6 on the loss Σ ½‖output − target‖², every entry; a block is wrong if ‖a − b‖
  / (‖a‖ + ‖b‖) ≥ 1e-4.

Some kinds are out of a gradient check's sight by nature, and are in the table all the same because a generated
file must not have them: single precision within double (`precision`), results that share memory with a cache
(`stale buffer`, in part), and defaults of arguments. Others need a longer sequence than these: a path that is cut
every 35 steps (`truncation`).
"""
