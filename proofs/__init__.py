"""What "verified" means: independent routes to the same gradients, none of which can pass by doing nothing."""
