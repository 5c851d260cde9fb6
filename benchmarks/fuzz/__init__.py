"""Mutated inputs of every kind, run through the command line: see ``__main__``."""
