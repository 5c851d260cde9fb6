"""How good answers are: metrics and the protocols they are read under."""
