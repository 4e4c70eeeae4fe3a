"""Small tasks that train with generated code, NumPy alone: ``python -m examples.NAME``."""

import os

# The products are small: BLAS threads would cost more than they give. NumPy reads this once, when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
