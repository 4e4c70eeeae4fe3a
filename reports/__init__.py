"""Reports: deterministic notebooks, and their rendering to HTML, PDF and LaTeX without a network or a kernel."""
