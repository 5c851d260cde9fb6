"""How good predictions are: metrics, and the protocols that average them."""
