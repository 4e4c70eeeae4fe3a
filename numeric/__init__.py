"""The arithmetic: explicit programs over batched arrays, and the NumPy source in which they are handed out."""
