"""Real models: recurrent layers in other people's weight files, and their parameters under our names and back."""
