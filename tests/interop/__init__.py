"""The output formats read back by the programs that they are for, each in its own environment."""
