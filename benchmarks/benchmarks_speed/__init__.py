"""What the benchmark of speed runs, and the page that it writes."""
