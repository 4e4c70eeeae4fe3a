"""How large a setting may be in which a cell is measured; without imports, for the command line."""

WIDEST = 20_000
"""The largest dimension."""
LONGEST = 10**7
"""The most steps."""
LARGEST = 1e9
"""The largest number by which weights or inputs are scaled, or to which a parameter is set."""
MOST_PARAMETERS = 2**27
"""The most trained entries of a cell that is measured: 1 GiB in float64."""
MOST_WORK = 10**13
"""The most steps times trained entries: about an hour."""
MOST_STATE = 4096
"""The most entries of a state whose gradients are followed lag by lag: beyond, a study takes days."""
MOST_COMPARED = 64
"""The most cells that are compared on one page."""
