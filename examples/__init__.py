"""Short scripts that train with generated code."""
