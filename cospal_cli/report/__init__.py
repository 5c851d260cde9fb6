"""Pages to look at: one HTML file, which needs no network, for answers and for evaluations."""
