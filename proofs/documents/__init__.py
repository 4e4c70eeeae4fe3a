"""Documents: lectures, papers and notebooks, whose formulas go before the court as they stand there."""
