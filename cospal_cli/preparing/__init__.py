"""Making a prepared folder: every video observed once, every sentence parsed and encoded."""
