"""The mathematics: equations in, the gradients through time out, step by step. Knows no arrays."""
