"""The court of formulas: claims about gradients, judged, diagnosed and repaired."""
