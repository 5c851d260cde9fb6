"""From a sentence to a ``Query``: a small deterministic parser."""
