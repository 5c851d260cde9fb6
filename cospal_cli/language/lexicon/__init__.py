"""Word lists, and everything that they know of one word."""
