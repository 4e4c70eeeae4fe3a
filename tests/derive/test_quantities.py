"""The list of what every name is, and of which shape."""

from derive.language import read_cell
from derive.quantities import quantities_text
from tests.networks import read


def test_names_of_one_role_and_shape_stand_together():
    cell = read_cell(
        "const alpha = 0.5\ndim g = 1\ng[t] = sigmoid(w @ x[t])\n"
        "h[t] = alpha * tanh(W @ h[t-1] + V @ h[t-2] + U @ x[t] + b) + g[t] * h[t-1]"
    )
    assert quantities_text(cell) == (
        "The quantities and their shapes\n"
        "  inputs      x (m)\n"
        "  states      h (n)\n"
        "  computed    g (a number)\n"
        "  parameters  w (1, m); W, V (n, n); U (n, m); b (n)\n"
        "  constants   alpha (a number)\n"
    )


def test_what_a_network_hands_on_is_told_once_and_masks_are_not():
    network = read("""
        ragged t
        f = scan(elman_bare, x[t])
        y[t] = V @ f.h[t]
    """)
    assert quantities_text(network) == (
        "The quantities and their shapes\n"
        "  inputs      x (m)\n"
        "  states      f_h (n)\n"
        "  computed    f_h_new (n); y (k)\n"
        "  parameters  f_W (n, n); f_U (n, m); V (k, n)\n"
    )
